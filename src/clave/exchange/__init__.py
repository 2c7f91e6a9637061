"""Other managers' files: read into items, written from items, and what is lost on the way told before."""

from __future__ import annotations
