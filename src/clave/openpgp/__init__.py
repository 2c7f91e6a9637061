"""gpg: the only layer that knows it."""

from __future__ import annotations
