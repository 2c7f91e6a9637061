"""clave: a git-backed, OpenPGP-encrypted password store for teams who live in a shell."""

from __future__ import annotations

__version__ = "0.1.0"
