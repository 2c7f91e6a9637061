"""A store that several people have: sync, merges, and what could not be brought together."""

from __future__ import annotations
