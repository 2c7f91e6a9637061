"""The desktop and the terminal: each module is the only user of its library. Reached from commands alone."""

from __future__ import annotations
