"""How variables are written for another program to read: one module a format, loaded when it is asked for.

Each has `write(variables) -> bytes`. The rule for all: what the program then has is the value, byte for byte, or
Refused is raised and says why. A test hands every format to the program that reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from clave.errors import UsageError

Variables = Sequence[tuple[str, bytes]]

# The format, its module, and who reads it; the first is the one that is meant where none is named.
FORMATS = {
    "sh": "clave.delivery.formats.sh",
    "bash": "clave.delivery.formats.bash",
    "zsh": "clave.delivery.formats.zsh",
    "fish": "clave.delivery.formats.fish",
    "dotenv": "clave.delivery.formats.dotenv",
    "docker": "clave.delivery.formats.docker",
    "json": "clave.delivery.formats.json",
    "yaml": "clave.delivery.formats.yaml",
    "github": "clave.delivery.formats.github",
    "k8s-secret": "clave.delivery.formats.k8s_secret",
    "direnv": "clave.delivery.formats.direnv",
}


class Format(Protocol):
    """What a module of FORMATS offers."""

    def write(self, variables: Variables) -> bytes:
        """Return what the program reads. Raises Refused."""


class Refused(UsageError):
    """A value that the reader of a format could not get back exactly."""

    def __init__(self, name: str, reason: str, hint: str | None = None) -> None:
        super().__init__(f"{name} cannot be written so: {reason}", hint)
        self.name = name
        self.reason = reason


def load(name: str) -> Format:
    """Return the module of a format."""
    return cast("Format", import_module(FORMATS[name]))


def text(name: str, value: bytes, reader: str) -> str:
    """Return a value as text, for a reader that takes nothing else. Raises Refused."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Refused(
            name, f"the value is not UTF-8, and {reader} takes nothing else", "Use --format k8s-secret or sh."
        ) from None


def without_nul(name: str, value: bytes) -> bytes:
    """Return a value that a variable can hold. Raises Refused for one with a NUL, where every variable ends."""
    if b"\0" in value:
        raise Refused(name, "the value holds a NUL, which no environment can", "Use --format k8s-secret.")
    return value


def allow_name(name: str, special: frozenset[str], reader: str, hint: str = "Give yours another.") -> None:
    """Raise Refused for the name of a variable that has a meaning of its own to a reader."""
    if name in special:
        raise Refused(name, f"{reader} has a variable of its own with this name", hint)
