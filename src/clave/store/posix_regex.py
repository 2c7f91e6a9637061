r"""Regular expressions as grep reads them, written as Python reads them.

Basic (grep's default) and extended (`-E`) expressions of POSIX with GNU's additions: `\+`, `\?` and `\|` in
basic ones, `\w \W \s \S \b \B \< \> \` \'`, back references. What grep (GNU 3.8) does with an odd pattern is
done here too: a quantifier with nothing before it is a plain character in a basic expression and nothing in an
extended one; `{` that begins no interval is a brace.

One difference stays: of several matches that begin at one place POSIX takes the longest, Python the first
alternative. Which lines match is the same; what `-o` prints and what is coloured can be shorter.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from clave.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# What follows a backslash in both kinds of expression.
_ESCAPES = {
    "<": r"\b(?=\w)",
    ">": r"\b(?<=\w)",
    "b": r"\b",
    "B": r"\B",
    "`": r"\A",
    "'": r"\Z",
    "w": r"\w",
    "W": r"\W",
    "s": r"\s",
    "S": r"\S",
}

_INTERVAL = re.compile(r"(?P<low>[0-9]*)(?P<comma>,?)(?P<high>[0-9]*)")
_MOST = 32767  # RE_DUP_MAX of the GNU C library
_POINTS = 0x40000  # Unicode's planes 0 to 3: the others have no letters and nothing else that a class names

# POSIX character classes (XBD 7.3.1) by what str knows of a character.
_CLASSES: dict[str, Callable[[str], bool]] = {
    "alnum": str.isalnum,
    "alpha": str.isalpha,
    "blank": lambda c: c in " \t",
    "cntrl": lambda c: c < " " or "\x7f" <= c <= "\x9f",
    "digit": lambda c: "0" <= c <= "9",
    "graph": lambda c: c.isprintable() and not c.isspace(),
    "lower": str.islower,
    "print": str.isprintable,
    "punct": lambda c: c.isprintable() and not c.isalnum() and not c.isspace(),
    "space": str.isspace,
    "upper": str.isupper,
    "xdigit": lambda c: c in "0123456789abcdefABCDEF",
}


def translate(patterns: Sequence[str], *, extended: bool) -> str:
    """Return POSIX regular expressions as one for `re` that matches where any of them does.

    Raises UsageError for what grep refuses.
    """
    parts, groups = [], 0
    for pattern in patterns:
        translator = _Translator(pattern, extended=extended, groups=groups)
        parts.append(f"(?:{translator.run()})")
        groups = translator.groups  # the back references of the next one count on from here
    return "|".join(parts)


def _refuse(reason: str) -> UsageError:
    return UsageError(f"the pattern is not a regular expression: {reason}", "With -F it is taken as plain text.")


class _Translator:
    """One expression on its way through; `_at` is the place in it, `groups` the number of groups so far."""

    def __init__(self, pattern: str, *, extended: bool, groups: int) -> None:
        self._pattern = pattern
        self._extended = extended
        self._at = 0
        self._first_group = groups
        self.groups = groups
        self._closed: set[int] = set()
        self._open: list[tuple[int, int]] = []  # of each open group: its number, and its index in _parts
        self._parts: list[str] = []
        self._atom = False  # whether the last part is something that a quantifier can repeat
        self._start = True  # at the beginning of the expression, a group or an alternative

    def run(self) -> str:
        while self._at < len(self._pattern):
            start, self._start = self._start, False
            c = self._pattern[self._at]
            self._at += 1
            if c == "\\":
                self._backslash(start)
            elif c == ".":
                self._add(".")
            elif c == "[":
                self._add(self._bracket())
            elif c == "*":
                self._quantifier("*", c, start)
            elif self._extended:
                self._extended_character(c, start)
            elif c == "^" and start and self._parts[-1:] != [r"\A"]:
                self._add(r"\A")
                self._start = True  # `^*` is an anchor and an asterisk
            elif c == "$" and self._pattern[self._at : self._at + 2] in ("", r"\)", r"\|"):
                self._add(r"\Z")
            else:
                self._add(re.escape(c))
        if self._open:
            raise _refuse("a group is not closed")
        return "".join(self._parts)

    def _add(self, part: str, *, atom: bool = True) -> None:
        self._parts.append(part)
        self._atom = atom

    def _extended_character(self, c: str, start: bool) -> None:
        if c in "+?":
            self._quantifier(c, c, start)
        elif c == "{":
            self._brace(start)
        elif c == "(":
            self._open_group()
        elif c == ")" and self._open:
            self._close_group()
        elif c == "|":
            self._alternative()
        elif c in "^$":
            self._add(r"\A" if c == "^" else r"\Z")
        else:
            self._add(re.escape(c))

    def _backslash(self, start: bool) -> None:
        if self._at == len(self._pattern):
            raise _refuse("it ends with a backslash")
        c = self._pattern[self._at]
        self._at += 1
        if c in _ESCAPES:
            self._add(_ESCAPES[c])
        elif c in "123456789":
            number = self._first_group + int(c)
            if number not in self._closed:
                raise _refuse(f"\\{c} refers to no group")
            self._add(f"(?:\\{number})")
        elif self._extended:
            self._add(re.escape(c))
        elif c in "+?":
            self._quantifier(c, c, start)
        elif c == "{":
            self._brace(start)
        elif c == "(":
            self._open_group()
        elif c == ")":
            if not self._open:
                raise _refuse(r"\) closes no group")
            self._close_group()
        elif c == "|":
            self._alternative()
        else:
            self._add(re.escape(c))

    def _open_group(self) -> None:
        self.groups += 1
        self._open.append((self.groups, len(self._parts)))
        self._add("(", atom=False)
        self._start = True

    def _close_group(self) -> None:
        number, first = self._open.pop()
        self._closed.add(number)
        group = "".join(self._parts[first:]) + ")"
        del self._parts[first:]
        self._add(group)

    def _alternative(self) -> None:
        self._add("|", atom=False)
        self._start = True

    def _quantifier(self, quantifier: str, character: str, start: bool) -> None:
        if start and not self._extended:
            self._add(re.escape(character))
        elif self._atom:
            # In a group of its own: Python reads `a*?` and `a*+` in its own way.
            self._add(f"(?:{self._parts.pop()}){quantifier}")

    def _brace(self, start: bool) -> None:
        interval = _INTERVAL.match(self._pattern, self._at)
        assert interval is not None  # it matches the empty text too
        end = "}" if self._extended else r"\}"
        low, high = interval["low"], interval["high"]
        valid = (low or interval["comma"]) and self._pattern.startswith(end, interval.end())
        is_empty = not interval[0] and self._pattern.startswith(end, interval.end())
        has_two_commas = bool(interval["comma"]) and self._pattern.startswith(",", interval.end())
        if not start and not valid and (not self._extended or is_empty or has_two_commas):
            raise _refuse(f"{end.replace('}', '{')} begins no interval such as {{2,3}}")
        if not valid or (start and not self._extended):
            self._add(re.escape("{"))
            return
        self._at = interval.end() + len(end)
        top = high if interval["comma"] else low
        if (top and int(low or 0) > int(top)) or int(top or low or 0) > _MOST:
            raise _refuse("an interval ends before it begins, or is too large")
        self._quantifier(f"{{{low or 0},{top}}}", "", start)

    def _bracket(self) -> str:
        """Read a bracket expression behind its `[` and return it as a set of `re`."""
        negated = self._pattern.startswith("^", self._at)
        self._at += negated
        first, items = self._at, []
        while self._at == first or not self._pattern.startswith("]", self._at):
            items.append(self._bracket_item())
        self._at += 1
        if self._pattern[first] == self._pattern[self._at - 2] == ":" and not negated and self._at - first > 2:
            raise _refuse("a class is written [[:space:]], not [:space:]")
        return f"[{'^' if negated else ''}{''.join(items)}]"

    def _bracket_item(self) -> str:
        low = self._bracket_element()
        following = self._pattern[self._at : self._at + 2]
        if len(low) != 1 or not following.startswith("-") or following == "-]":
            return low if len(low) != 1 else re.escape(low)
        self._at += 1
        high = self._bracket_element()
        if len(high) != 1 or low > high:
            raise _refuse(f"'{low}-' begins no range")
        return f"{re.escape(low)}-{re.escape(high)}"

    def _bracket_element(self) -> str:
        """Return the next character in a bracket expression, or the ranges of a class."""
        kind = self._pattern[self._at : self._at + 2]
        if kind in ("[:", "[=", "[."):
            end = self._pattern.find(kind[1] + "]", self._at + 2)
            if end < 0:
                raise _refuse(f"{kind} is not closed")
            name = self._pattern[self._at + 2 : end]
            self._at = end + 2
            if kind == "[:":
                return _ranges(name)
            if len(name) != 1:
                raise _refuse(f"{kind}…{kind[1]}] must hold one character")
            return name
        if not kind:
            raise _refuse("[ is not closed")
        self._at += 1
        return kind[0]


@cache
def _ranges(name: str) -> str:
    """Return the characters of a class as ranges in a set of `re`."""
    if name not in _CLASSES:
        raise _refuse(f"there is no class [:{name}:]")
    belongs = _CLASSES[name]
    ranges: list[str] = []
    first = None
    for point in range(_POINTS):
        if belongs(chr(point)):
            first = point if first is None else first
        elif first is not None:
            ranges.append(f"{re.escape(chr(first))}-{re.escape(chr(point - 1))}")
            first = None
    return "".join(ranges)
