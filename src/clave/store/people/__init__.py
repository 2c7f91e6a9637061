"""The people of a team: who belongs to it, how one comes in, who may read and write what."""

from __future__ import annotations
