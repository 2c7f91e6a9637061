r"""The text of `.env` files: a line means here what it means to their other readers, or is refused.

There is no standard: python-dotenv and npm's dotenv, the most used, read many lines differently. This reads what
both read the same, and of the rest says in which line it is and why:

1. A line is blank, a comment (`#` first), or `[export ]NAME=VALUE`. A name stands once.
2. A value in single quotes is what stands there, over several lines too.
3. In double quotes `\n` and `\r` are a newline and a carriage return; no other escape is read alike.
4. Without quotes a value ends with the line, or at a `#` after a space; spaces around it do not count.
5. `${NAME}` is put in by one and not by the other, even in single quotes.
6. A reference, `clave://path#field`, needs no quotes for its `#`: to those others it is nothing anyway.

Writing tries single quotes, none, double quotes, in this order; a few values can be written in none.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from clave.errors import UsageError
from clave.model.text import printable

_INTERPOLATED = re.compile(r"\$\{[^}]*\}")  # what python-dotenv replaces, in whatever quotes
_SINGLE_ESCAPE = re.compile(r"\\(?:[\\']|\Z)")  # read differently in single quotes; at the end it hides the quote
_DOUBLE_ESCAPE = re.compile(r"\\(?:[\\'\"abftv]|\Z)")  # the same in double quotes, where \n and \r are read alike
_LINE_SEPARATORS = re.compile("[\u2028\u2029]")  # to JavaScript's regular expressions a line ends there

_BLANK = re.compile(r"[ \t]*(#[^\n]*)?(?:\n|\Z)")
_BEGIN = re.compile(r"[ \t]*(?!export[ \t]+=)(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*")
_QUOTED = re.compile(r"'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\"")
_REFERENCE = re.compile(r"(clave://[^\s'\"]+)[ \t]*(?: #[^\n]*)?(?:\n|\Z)")
_REST = re.compile(r"([^\n]*)(?:\n|\Z)")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# Without quotes: one line of ASCII, no `#`, no quote first, no space at an end.
_BARE = re.compile(r"(?!['\"`])[!-\"$-~]+( +[!-\"$-~]+)*")
_ESCAPED = re.compile(r"\\[nr]")


class Assignment(NamedTuple):
    """One line: the name, its value, and the number of the line."""

    name: str
    value: str
    line: int


class Unwritable(Exception):
    """A value that the readers of such files would not all read as it is; the argument is why."""


def parse(data: bytes, path: str) -> list[Assignment]:
    """Return the assignments of a file in their order; `path` is what errors call it. Raises UsageError."""
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise _refused(path, data.count(b"\n", 0, error.start) + 1, "it is not UTF-8", None) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    found: dict[str, Assignment] = {}
    at = 0
    while at < len(text):
        number = text.count("\n", 0, at) + 1
        try:
            name, value, at = _binding(text, at)
        except _Unclear as unclear:
            raise _refused(path, number, *unclear.args) from None
        if name in found:
            raise _refused(path, number, f"{name} stands in line {found[name].line} already", "Keep one of them.")
        if name:
            found[name] = Assignment(name, value, number)
    return list(found.values())


class _Unclear(Exception):
    """A line that readers read differently, or not at all; its arguments are why, and the next step."""


def _refused(path: str, line: int, reason: str, hint: str | None) -> UsageError:
    return UsageError(f"{printable(path)}, line {line}: {reason}", hint)


def _binding(text: str, at: int) -> tuple[str, str, int]:
    """Return name and value of what stands at an index, and where it ends; no name for what assigns nothing."""
    blank = _BLANK.match(text, at)
    if blank:
        _one_line(blank[0])
        return "", "", blank.end()
    begin = _BEGIN.match(text, at)
    if begin is None:
        raise _Unclear("this is not NAME=VALUE", "A name has letters, digits and '_', and no digit first.")
    quoted = _QUOTED.match(text, begin.end())
    reference = _REFERENCE.match(text, begin.end())
    if quoted:
        value = _single(quoted["single"]) if quoted["double"] is None else _double(quoted["double"])
        end = _BLANK.match(text, quoted.end())
        if end is None:
            raise _Unclear("something follows the quotes", "Put quotes around all of the value.")
        _one_line(end[0])
    elif reference:
        value, end = reference[1], reference
    else:
        end = _REST.match(text, begin.end())
        assert end is not None
        value = _unquoted(end[1])
    if _INTERPOLATED.search(value):
        raise _Unclear("readers differ in what ${…} means", "Leave it out, or write it as a template in clave.toml.")
    return begin[1], value, end.end()


def _single(body: str) -> str:
    if _SINGLE_ESCAPE.search(body):
        raise _Unclear("readers differ in what this backslash in single quotes means", "Leave out the quotes.")
    return body


def _double(body: str) -> str:
    if _DOUBLE_ESCAPE.search(body):
        raise _Unclear("readers differ in what this backslash in double quotes means", "Use single quotes.")
    return body.replace("\\n", "\n").replace("\\r", "\r")


def _unquoted(rest: str) -> str:
    _one_line(rest)
    value, hash_mark, _ = rest.partition("#")
    if hash_mark and not value.endswith((" ", "\t")):
        raise _Unclear("readers differ in whether this '#' begins a comment", "Put quotes around the value.")
    value = value.strip(" \t")
    if value.startswith(("'", '"', "`")):
        raise _Unclear("the quotes do not end, or are none to every reader", "Close them, or use single quotes.")
    if value != value.strip().strip("\ufeff"):
        raise _Unclear("readers differ in which spaces belong to the value", "Put quotes around it.")
    return value


def _one_line(text: str) -> None:
    if _LINE_SEPARATORS.search(text):
        raise _Unclear("it holds a line separator (U+2028), where the line ends to some", "Remove it.")


def quoted(value: str) -> str:
    """Return a value as it is written behind `NAME=`. Raises Unwritable."""
    if _INTERPOLATED.search(value):
        raise Unwritable("python-dotenv replaces ${…}, in whatever quotes")
    if "\r" in value:
        raise Unwritable("a carriage return is read differently by different readers")
    if "'" not in value and not _SINGLE_ESCAPE.search(value):
        return f"'{value}'"
    if _BARE.fullmatch(value):
        return value
    if '"' not in value and not _DOUBLE_ESCAPE.search(value) and not _ESCAPED.search(value):
        return f'"{value}"'
    raise Unwritable("its quotes and backslashes are read differently by different readers")
