"""The manifest of an application, `clave.toml`: which variables it wants, and what of which store is in them.

    [store]                             # which store: a personal name of one does not travel
    id = "…"                            # of a team store, 32 hex digits; or
    url = "git@example.org:secrets.git"

    [env]
    API_TOKEN = "prod/api"              # a reference, see `references`
    DB_URL = { template = "postgres://{prod/db#user}:{prod/db|url}@{prod/db#host}/app" }
    LOG_LEVEL = { value = "info" }      # no secret

    [profiles.test]                     # has [env] too, unless inherit = false
    env.API_TOKEN = "test/api"

It holds names, never secrets, and is made to be committed. So it comes from other people: it is small, an unknown word
in it is an error, and what it asks for has to be allowed first (`allowing`). What it says about a name in a profile
takes the place of all that it says about that name outside.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NoReturn

from clave.delivery import names, reading
from clave.delivery.asked import Manifest, Profile, Variable
from clave.delivery.references import Reference, Template, parse
from clave.errors import UsageError
from clave.model import toml

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "clave.toml"
SUMMON = (".yml", ".yaml")  # so ends the name of a file that is summon's

MAX_FILE = 64 << 10  # bytes
_MAX_LINE = 4096  # bytes: tomllib takes half a minute for a key of 32,000 parts
_STORE_ID = "[0-9a-f]{32}"
_PROFILE = "[A-Za-z0-9][A-Za-z0-9_.-]*"
_MEND = "Correct it and try again."


def find(folder: str) -> str | None:
    """Return the path of the manifest of a folder: in it, or in the nearest one above that has one."""
    folder = os.path.abspath(folder)
    while True:
        path = os.path.join(folder, FILE)
        if os.path.lexists(path):
            return path
        if folder == os.path.dirname(folder):
            return None
        folder = os.path.dirname(folder)


def read(path: str) -> Manifest:
    """Return what a manifest says; one of summon's is known by its name. Raises NotFound, UsageError."""
    path = os.path.abspath(path)
    data = load(path)
    if path.endswith(SUMMON):
        from clave.delivery import summon

        return summon.read(path, data)
    return _Reader(path, data).manifest()


def load(path: str) -> bytes:
    """Return the bytes of a manifest. Raises NotFound, UsageError for what can be none."""
    data = reading.read(path, MAX_FILE, "manifest", make="Make one: clave manifest init.")
    for number, line in enumerate(data.split(b"\n"), 1):
        if len(line) > _MAX_LINE:
            raise UsageError(f"{path}, line {number} is longer than {_MAX_LINE} bytes", "Break it.")
    return data


def entry(name: str, text: str) -> Variable:
    """Return the variable that `NAME=text` means on a command line or in a table: a reference."""
    return Variable(name, secret=parse(text))


class _Reader:
    """Reads one document; what is wrong in it is told with its line, where that can be found."""

    def __init__(self, path: str, data: bytes) -> None:
        self._path = path
        self._data = data

    def manifest(self) -> Manifest:
        document = toml.parse(self._path, self._data)
        self._known(document, ("store", "env", "profiles"), "")
        store = self._table(document, "store", "")
        self._known(store, ("id", "url"), "store.")
        store_id, url = (self._text(store, key, "store.") or "" for key in ("id", "url"))
        if store_id and not re.fullmatch(_STORE_ID, store_id):
            self._wrong("store.id", "is not the id of a team store: 32 hex digits")
        if not url.isprintable():
            self._wrong("store.url", "is not the address of a store")
        base = self._env(document, "")
        profiles = {name: self._profile(document["profiles"], name) for name in self._table(document, "profiles", "")}
        return Manifest(self._path, store_id, url, base, profiles)

    def _profile(self, profiles: Mapping[str, Any], name: str) -> Profile:
        above = f"profiles.{name}."
        if not re.fullmatch(_PROFILE, name):
            self._wrong(f"profiles.{name}", "is no name of a profile: letters, digits, '-', '_' and '.'")
        table = self._table(profiles, name, "profiles.")
        self._known(table, ("inherit", "env", "description"), above)
        self._text(table, "description", above)
        return Profile(self._env(table, above), self._truth(table, "inherit", above, default=True))

    def _env(self, table: Mapping[str, Any], above: str) -> tuple[Variable, ...]:
        env = self._table(table, "env", above)
        return tuple(self._variable(name, value, f"{above}env.") for name, value in env.items())

    def _variable(self, name: str, value: object, above: str) -> Variable:
        at = above + name
        if not names.is_name(name):
            self._wrong(at, "cannot be a variable: letters, digits and '_', no digit first")
        if isinstance(value, str):
            return Variable(name, secret=self._reference(value, at))
        if not isinstance(value, dict):
            self._wrong(at, "must be a reference in quotes, or a table")
        below = f"{at}."
        self._known(
            value, ("secret", "template", "value", "as", "optional", "default", "encoding", "description"), below
        )
        texts = {key: self._text(value, key, below) for key in value if key != "optional"}
        secret, template, plain = texts.get("secret"), texts.get("template"), texts.get("value")
        if sum(each is not None for each in (secret, template, plain)) != 1:
            self._wrong(at, "needs exactly one of 'secret', 'template' and 'value'")
        self._one_of(texts, "as", ("env", "file"), below)
        self._one_of(texts, "encoding", ("base64",), below)
        optional = self._truth(value, "optional", below, default=False)
        if plain is not None and (optional or {"default", "encoding"} & texts.keys()):
            self._wrong(at, "has a 'value', to which 'optional', 'default' and 'encoding' say nothing")
        for key in ("value", "default"):
            if "\0" in (texts.get(key) or ""):
                self._wrong(below + key, "has a NUL in it, which no variable can hold")
        return Variable(
            name,
            secret=None if secret is None else self._reference(secret, below + "secret"),
            template=None if template is None else self._template(template, below + "template"),
            value=plain,
            as_file=texts.get("as") == "file",
            optional=optional,
            default=texts.get("default"),
            encoding=texts.get("encoding") or "",
            description=texts.get("description") or "",
        )

    def _reference(self, text: str, at: str) -> Reference:
        try:
            return parse(text)
        except UsageError as problem:
            raise UsageError(f"{self._at(at)}: {problem.message}", problem.hint) from None

    def _template(self, text: str, at: str) -> Template:
        try:
            return Template(text)
        except UsageError as problem:
            raise UsageError(f"{self._at(at)}: {problem.message}", problem.hint) from None

    def _known(self, table: Mapping[str, Any], known: tuple[str, ...], above: str) -> None:
        for key in table:
            if key not in known:
                from difflib import get_close_matches

                close = get_close_matches(key, known, n=1)
                hint = f"Did you mean '{close[0]}'?" if close else f"There are: {', '.join(known)}."
                raise UsageError(f"{self._at(above + key)}: there is no '{above}{key}' in a manifest", hint)

    def _table(self, table: Mapping[str, Any], key: str, above: str) -> dict[str, Any]:
        found = table.get(key, {})
        if not isinstance(found, dict):
            self._wrong(above + key, "must be a table")
        return found

    def _text(self, table: Mapping[str, Any], key: str, above: str) -> str | None:
        found = table.get(key)
        if found is not None and not isinstance(found, str):
            self._wrong(above + key, "must be text in quotes")
        return found

    def _truth(self, table: Mapping[str, Any], key: str, above: str, *, default: bool) -> bool:
        found = table.get(key, default)
        if not isinstance(found, bool):
            self._wrong(above + key, "must be true or false")
        return found

    def _one_of(self, texts: Mapping[str, str | None], key: str, known: tuple[str, ...], above: str) -> None:
        if texts.get(key) not in (None, *known):
            self._wrong(above + key, f"must be {' or '.join(map(repr, known))}")

    def _wrong(self, at: str, what: str) -> NoReturn:
        raise UsageError(f"{self._at(at)}: '{at}' {what}", _MEND)

    def _at(self, key: str) -> str:
        """Return where a key is set, or else what it is part of: an inline table has one line for all."""
        while key:
            found = toml.at(self._path, self._data, key)
            if found != self._path:
                return found
            key = key.rpartition(".")[0]
        return self._path
