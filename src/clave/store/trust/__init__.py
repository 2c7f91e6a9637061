"""Whether a team's store may be trusted: the rules applied to its commits, and the pin that remembers."""

from __future__ import annotations
