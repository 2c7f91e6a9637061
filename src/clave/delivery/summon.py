"""Reading summon's `secrets.yml`, and being a provider of summon's.

Of YAML there is what such a file is made of: a line for each variable, `NAME: !var path`, alone or indented below the
names of sections (summon's environments, here profiles); comments; values plain or in quotes. Anything else is refused
with its line, not guessed at. Of tags there are `!var`, `!file`, `!str`, `!int`, `!bool`, `!float`, `!default='…'` and
what they make together, `!var:default='x'`. A `$$` is a dollar; `$name` would be replaced by an option of summon's.

A provider is a program that summon calls: with a path as its argument it prints what is there; with none it reads a
path a line and prints, in base64, a value a line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from clave.delivery.asked import Manifest, Profile, Variable
from clave.delivery.references import parse
from clave.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMON = ("common", "default")  # the section that all others have too: the first of these that is there
_FILES = "summon.files"

_LINE = re.compile(r"(?P<indent> *)(?P<key>[A-Za-z0-9_][A-Za-z0-9_.-]*):(?: +(?P<rest>.*))?")
_TAG = re.compile(r"!!?(?P<parts>\S+)(?: +(?P<value>.*))?")
_PART = re.compile(r"(?P<word>var|file|str|int|bool|float)(?::|$)|default='(?P<default>[^']*)'(?::|$)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`].*")
_SINGLE = re.compile(r"'((?:[^']|'')*)'")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\["\\/nrt])*)"')
_COMMENT = re.compile(r"(?:^|\s+)#.*$")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_SUBSTITUTED = re.compile(r"\$(\$|\w+)")


class _Line(NamedTuple):
    number: int
    indent: int
    key: str
    rest: str


def read(path: str, data: bytes) -> Manifest:
    """Return what a file says. Raises UsageError."""
    return _Reader(path).manifest(data)


class _Reader:
    def __init__(self, path: str) -> None:
        self._path = path

    def manifest(self, data: bytes) -> Manifest:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            raise UsageError(f"{self._path} is not UTF-8 text", "Correct it.") from None
        sections: dict[str, dict[str, Variable]] = {}
        outside: dict[str, Variable] = {}
        current: dict[str, Variable] | None = None
        indent = 0
        for line in self._lines(text):
            if line.indent == 0 and not line.rest:
                if line.key == _FILES:
                    self._wrong(line.number, f"'{_FILES}' is not known to clave", 'Use a clave.toml with as = "file".')
                if line.key in sections:
                    self._wrong(line.number, f"there are two '{line.key}'")
                current, indent = sections.setdefault(line.key, {}), 0
                continue
            if line.indent and current is None:
                self._wrong(line.number, "it is indented, and below nothing")
            if line.indent and indent not in (0, line.indent):
                self._wrong(line.number, "it is indented otherwise than the line above it")
            indent = line.indent
            into = outside if current is None or not line.indent else current
            if line.key in into:
                self._wrong(line.number, f"there are two '{line.key}'")
            into[line.key] = self._variable(line)
        if sections and outside:
            raise UsageError(f"{self._path} has variables in sections and outside of them", "summon takes one of both.")
        for name, variables in sections.items():
            if not variables:
                raise UsageError(f"{self._path}: nothing stands below '{name}'", "Correct it.")
        common = next((sections[each] for each in _COMMON if each in sections), {})
        profiles = {name: Profile(tuple((common | own).values()), inherit=False) for name, own in sections.items()}
        return Manifest(self._path, base=tuple(outside.values()), profiles=profiles, needs_profile=bool(sections))

    def _lines(self, text: str) -> Iterator[_Line]:
        for number, line in enumerate(text.split("\n"), 1):
            line = line.rstrip()  # also of a CR
            if not line or line.lstrip(" ").startswith("#") or (line == "---" and number == 1):
                continue
            found = _LINE.fullmatch(line)
            if found is None:
                self._wrong(number, "it is not 'NAME: !var path'")
            rest = (found["rest"] or "").strip()
            yield _Line(number, len(found["indent"]), found["key"], "" if rest.startswith("#") else rest)

    def _variable(self, line: _Line) -> Variable:
        if not _NAME.fullmatch(line.key):
            self._wrong(line.number, f"'{line.key}' cannot be a variable")
        tags, default, text = self._tags(line)
        value = self._scalar(line.number, text)
        if any(each[1] != "$" for each in _SUBSTITUTED.finditer(value)):
            self._wrong(line.number, "it has a $ that an option of summon's would replace", "Write a section for each.")
        value = value.replace("$$", "$")
        as_file = "file" in tags
        if "var" not in tags:
            return Variable(line.key, value=value or default or "", as_file=as_file)
        try:
            return Variable(line.key, secret=parse(value), as_file=as_file, default=default)
        except UsageError as problem:
            self._wrong(line.number, problem.message, problem.hint)

    def _tags(self, line: _Line) -> tuple[set[str], str | None, str]:
        """Return the words of a line's tag, its default, and what stands behind it."""
        found = _TAG.fullmatch(line.rest)
        if found is None:
            return set(), None, line.rest
        words: set[str] = set()
        default: str | None = None
        at = 0
        while at < len(found["parts"]):
            part = _PART.match(found["parts"], at)
            if part is None:
                self._wrong(line.number, f"there is no tag '!{found['parts']}'")
            words |= {part["word"]} if part["word"] else set()
            default = part["default"] if part["default"] is not None else default
            at = part.end()
        return words, default, found["value"] or ""

    def _scalar(self, number: int, text: str) -> str:
        for quoted in (_SINGLE, _DOUBLE):
            found = quoted.match(text)
            if found and _COMMENT.sub("", text[found.end() :]) == "":
                if quoted is _SINGLE:
                    return found[1].replace("''", "'")
                return re.sub(r"\\(.)", lambda each: _ESCAPES.get(each[1], each[1]), found[1])
        plain = _COMMENT.sub("", text)
        negative = re.fullmatch(r"-[0-9.]+", plain)
        if plain and not negative and (not _PLAIN.fullmatch(plain) or ": " in plain or plain.endswith(":")):
            self._wrong(number, "its value is not plain text", "Put it in quotes.")
        return plain

    def _wrong(self, number: int, what: str, hint: str | None = "Correct it and try again.") -> NoReturn:
        raise UsageError(f"{self._path}, line {number}: {what}", hint)
