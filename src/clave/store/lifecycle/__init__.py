"""The life of a value in a store: its age, what is due, who could ever read it, and its rotation."""

from __future__ import annotations
