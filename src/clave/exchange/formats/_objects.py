"""Reading JSON of other managers: objects whose members are taken one by one, so that what nobody took is known."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from clave.exchange.format import BadFile
from clave.exchange.item import Field
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

_MOST = 1 << 62  # of a number
MAX_DEPTH = 40  # of what becomes fields with dotted names


@contextmanager
def shallow() -> Iterator[None]:
    """Refuse a document whose nesting was just small enough to be read, but is too large to be worked on."""
    try:
        yield
    except RecursionError:
        raise BadFile("the document is nested too deeply", "Export it again.") from None


class Node:
    """An object of a document; `where` says which, for messages. Null, and what is not there, are the same."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise BadFile(f"{printable(where)} is no object", "Export the file again.")
        self.where = where
        self._members: dict[str, Any] = dict(value)

    def raw(self, key: str) -> Any:
        """Take a member as it is."""
        return self._members.pop(key, None)

    def peek(self, key: str) -> Any:
        """Return a member as it is, without taking it."""
        return self._members.get(key)

    def left(self) -> list[str]:
        """Return the names of what nobody has taken yet."""
        return list(self._members)

    def text(self, key: str) -> str:
        """Take a text; a number or a truth value is its text in JSON."""
        value = self.raw(key)
        if isinstance(value, dict | list):
            raise BadFile(f"'{printable(key)}' of {printable(self.where)} is no text", "Export the file again.")
        return as_text(value)

    def number(self, key: str) -> float:
        """Take a number, 0 for none."""
        value = self.raw(key)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and -_MOST < value < _MOST):
            return value or 0
        raise BadFile(f"'{printable(key)}' of {printable(self.where)} is no number", "Export the file again.")

    def flag(self, key: str) -> bool:
        """Take a truth value, of which 0 and 1 are two."""
        return bool(self.number(key)) if not isinstance(self._members.get(key), bool) else bool(self.raw(key))

    def node(self, key: str) -> Node:
        """Take an object; an empty one where there is none."""
        value = self.raw(key)
        return Node({} if value is None else value, f"'{key}' of {self.where}")

    def array(self, key: str) -> list[Any]:
        """Take a list without its nulls."""
        value = self.raw(key)
        if value is not None and not isinstance(value, list):
            raise BadFile(f"'{printable(key)}' of {printable(self.where)} is no list", "Export the file again.")
        return [each for each in value or () if each is not None]

    def texts(self, key: str) -> list[str]:
        """Take a list of texts; empty ones are none."""
        found = self.array(key)
        if any(isinstance(each, dict | list) for each in found):
            raise BadFile(f"'{printable(key)}' of {printable(self.where)} holds what is no text", "Export it again.")
        return list(filter(None, map(as_text, found)))

    def nodes(self, key: str) -> list[Node]:
        """Take a list of objects."""
        return [Node(each, f"'{key}' {number} of {self.where}") for number, each in enumerate(self.array(key), 1)]

    def drop(self, keys: Iterable[str]) -> None:
        """Take members that have no meaning elsewhere."""
        for key in keys:
            self.raw(key)

    def rest(self, prefix: str = "") -> list[Field]:
        """Take all that is left, as fields with dotted names."""
        members, self._members = self._members, {}
        return [Field(name, value) for name, value in leaves(members, prefix)]


def as_text(value: Any) -> str:
    """Return a single value as text."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def leaves(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the values in a value that are not empty, with their dotted names; what lies too deep is one, as JSON."""
    if isinstance(value, dict | list) and depth < MAX_DEPTH:
        pairs = value.items() if isinstance(value, dict) else enumerate(value, 1)
        for key, each in pairs:
            yield from leaves(each, f"{name}.{key}" if name else str(key), depth + 1)
    elif value not in (None, ""):
        yield name, json.dumps(value) if isinstance(value, dict | list) else as_text(value)
