"""The policy of a store, `.clave/policy.toml`: what is wanted of the entries, by their paths.

    max_age = "30d"                     # of a team's newest commit; older: `verify` warns

    [paths."**"]
    rotate = "1y"                       # an age at which a value is due; "never" takes back what a wider pattern says
    owner = "alice"                     # whose duty it is: a member, @group, or anybody by name

    [paths."prod/db"]
    rotate = "90d"
    expires = 2027-01-31                # a day from which on the value is good for nothing
    on = ["leaver", "exposure"]         # the events that make it due; where nothing is said, both
    driver = "postgresql"               # how it is rotated
    driver_options = { host = "db.example.org" }
    generate = { length = 40, symbols = false }
    min_entropy = 80                    # bits

- A pattern holds for the name that it matches and for everything below it. `*` is any run of characters but `/`, `?`
  is one such character, `**` between slashes is any number of folders.
- The most specific pattern wins, key by key: the one with the most characters that are no wildcards, then the one with
  fewer wildcards, then the one that stands lower. So it is in the tables: options of a driver hold from the pattern on
  that names the driver, and of `words` and `length`, or `charset` and `symbols`, the more specific one holds.
- The file comes from other people. It is small, an unknown word or a wrong value in it is an error that names the line,
  and nothing in it is a program: `driver` is a name. Matching takes time in proportion to pattern and name, whatever
  the pattern is.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from clave.errors import UsageError
from clave.model import toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FILE = ".clave/policy.toml"
LEAVER, EXPOSURE = "leaver", "exposure"
EVENTS = frozenset((LEAVER, EXPOSURE))
NEVER = "never"
KEYS = ("rotate", "expires", "on", "owner", "driver", "driver_options", "generate", "min_entropy")
GENERATE = ("length", "words", "symbols", "charset", "exclude_similar")

MAX_FILE = 64 << 10  # bytes
_MAX_LINE = 4096  # bytes: tomllib takes half a minute for a key of 32,000 parts
_MAX_PATTERNS = 1000
_MAX_TEXT = 500  # characters
_MAX_ENTROPY = 10_000  # bits
_AGE = re.compile(r"(\d{1,5})([hdwy])", re.ASCII)
_HOURS = {"h": 1, "d": 24, "w": 7 * 24, "y": 365 * 24}
_LONGEST = timedelta(days=100 * 365)
_DRIVER = re.compile(r"[a-z][a-z0-9_-]{0,63}(?::[A-Za-z0-9][A-Za-z0-9._-]{0,63})?")
_OPTION = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_MEND = "Correct it and try again."


class Generate(NamedTuple):
    """How a password is made: of so many `words`, or of characters. None: as the settings say."""

    length: int | None = None
    words: int | None = None
    symbols: bool = True
    charset: str | None = None
    exclude_similar: bool = False


class Rule(NamedTuple):
    """What is wanted of one entry.

    `pattern` is the most specific one that matches it, "" for none. `rotate` is None where no age is too old, `on`
    holds the EVENTS that make the value due, `min_entropy` is in bits.
    """

    pattern: str = ""
    rotate: timedelta | None = None
    expires: date | None = None
    on: frozenset[str] = EVENTS
    owner: str | None = None
    driver: str | None = None
    options: Mapping[str, Any] = {}
    generate: Generate | None = None
    min_entropy: float | None = None


class Reason(NamedTuple):
    """Why a rule says what it says: the key, its value as it stands in the file, the pattern, file and line."""

    key: str
    value: str
    pattern: str
    where: str


class _Paths(NamedTuple):
    """One pattern, also as it is `written`: its parts between slashes, what is set for it, read and as it stands."""

    pattern: str
    written: str
    parts: tuple[str, ...]
    values: Mapping[str, Any]
    raw: Mapping[str, Any]

    def rank(self, position: int) -> tuple[int, int, int]:
        """Return what grows with how specific a pattern is."""
        wild = sum(map(self.pattern.count, "*?"))
        return len(self.pattern) - wild - self.pattern.count("/"), -wild, position


_State = tuple[int, int]  # the number of a pattern, and how many of its parts are matched


class Policy:
    """A policy that was read; `Policy()` wants nothing of anything. `max_age`: of a team's newest commit."""

    def __init__(self, paths: Sequence[_Paths] = (), max_age: timedelta | None = None, data: bytes = b"") -> None:
        self.max_age = max_age
        self._paths = [each for _, each in sorted(enumerate(paths), key=lambda item: item[1].rank(item[0]))]
        self._data = data
        self._folders: dict[str, frozenset[_State]] = {"": self._closed((i, 0) for i in range(len(paths)))}
        self._settled: dict[str, tuple[int, ...] | None] = {}  # what holds for a folder and all below, None: it depends
        self._rules: dict[tuple[int, ...], Rule] = {(): Rule()}

    @property
    def patterns(self) -> list[str]:
        """The patterns, the least specific first."""
        return [each.pattern for each in self._paths]

    def rule(self, name: str) -> Rule:
        """Return what is wanted of an entry."""
        matched = self._matched(name)
        if matched not in self._rules:
            self._rules[matched] = self._rule(matched)
        return self._rules[matched]

    def why(self, name: str) -> list[Reason]:
        """Return, for each key that is set for an entry, which line says so."""
        found: dict[str, Reason] = {}
        for number in self._matched(name):  # the more specific ones later
            paths = self._paths[number]
            for key, value in paths.raw.items():
                if key == "driver":
                    found = {had: reason for had, reason in found.items() if not had.startswith("driver_options.")}
                if key == "generate":
                    kept = _together({had.rpartition(".")[2]: 0 for had in found if had.startswith("generate.")}, value)
                    found = {had: r for had, r in found.items() if had[:9] != "generate." or had[9:] in kept}
                if key in ("driver_options", "generate"):
                    for option, each in value.items():
                        named = f"{key}.{option}"
                        found[named] = self._reason(named, each, paths)
                else:
                    found[key] = self._reason(key, value, paths)
        return sorted(found.values(), key=lambda reason: (KEYS.index(reason.key.partition(".")[0]), reason.key))

    def matches(self, pattern: str, name: str) -> bool:
        """Tell whether one of the patterns holds for an entry."""
        return any(self._paths[number].pattern == pattern for number in self._matched(name))

    def said(self, pattern: str) -> list[tuple[str, str]]:
        """Return the keys of a pattern and their values, as they stand in the file."""
        return [(key, _written(value)) for each in self._of(pattern) for key, value in each.raw.items()]

    def where(self, pattern: str) -> str:
        """Return file and line of a pattern."""
        return next((_at(self._data, f"paths.{each.written}") for each in self._of(pattern)), FILE)

    def _of(self, pattern: str) -> list[_Paths]:
        return [each for each in self._paths if each.pattern == pattern]

    def _reason(self, key: str, value: object, paths: _Paths) -> Reason:
        return Reason(key, _written(value), paths.pattern, _at(self._data, f"paths.{paths.written}.{key}"))

    def _rule(self, matched: Sequence[int]) -> Rule:
        values: dict[str, Any] = {}
        made: dict[str, Any] = {}
        for number in matched:
            paths = self._paths[number]
            before = {} if "driver" in paths.values else values.get("options", {})
            made = _together(made, paths.raw.get("generate", {}))
            values.update(paths.values)
            values["options"] = {**before, **paths.values.get("options", {})}
        if made:
            values["generate"] = Generate(**made)
        return Rule(pattern=self._paths[matched[-1]].pattern, **values)

    def _matched(self, name: str) -> tuple[int, ...]:
        """Return the numbers of the patterns that hold for a name, the least specific first."""
        folder, _, last = name.rpartition("/")
        if folder not in self._settled:
            states = self._below(folder)
            is_settled = all(done == len(self._paths[number].parts) for number, done in states)
            self._settled[folder] = self._whole(states) if is_settled else None
        settled = self._settled[folder]
        return self._whole(self._step(self._below(folder), last)) if settled is None else settled

    def _whole(self, states: frozenset[_State]) -> tuple[int, ...]:
        """Return the patterns that are matched to their end."""
        return tuple(sorted({number for number, done in states if done == len(self._paths[number].parts)}))

    def _below(self, folder: str) -> frozenset[_State]:
        """Return how far each pattern has come at a folder; what is known of its parents is not asked for again."""
        unknown = []
        while folder not in self._folders:
            unknown.append(folder)
            folder = folder.rpartition("/")[0]
        for each in reversed(unknown):
            above, _, last = each.rpartition("/")
            self._folders[each] = self._step(self._folders[above], last)
        return self._folders[unknown[0] if unknown else folder]

    def _step(self, states: frozenset[_State], part: str) -> frozenset[_State]:
        """Return how far each pattern has come one level below."""
        return self._closed(self._advanced(states, part))

    def _advanced(self, states: frozenset[_State], part: str) -> Iterator[_State]:
        for number, done in states:
            parts = self._paths[number].parts
            if done == len(parts) or parts[done] == "**":
                yield number, done
            elif _is_match(parts[done], part):
                yield number, done + 1

    def _closed(self, states: Iterator[_State]) -> frozenset[_State]:
        """Return the states, with `**` also passed over."""
        found = set()
        for number, done in states:
            parts = self._paths[number].parts
            found.add((number, done))
            while done < len(parts) and parts[done] == "**":
                done += 1
                found.add((number, done))
        return frozenset(found)


def parse(data: bytes, file: str = FILE) -> Policy:
    """Return what a policy says. Raises UsageError, which names file and line, for everything that is no policy."""
    return _Reader(data, file).policy()


def age(text: str) -> timedelta | None:
    """Return the time that `90d` means (hours, days, weeks, years of 365 days); None for what is no time."""
    match = _AGE.fullmatch(text)
    found = timedelta(hours=int(match[1]) * _HOURS[match[2]]) if match else None
    return found if found is not None and found <= _LONGEST else None


def pattern_problem(pattern: str) -> str | None:
    """Say why something is no pattern, None if it is one."""
    parts = pattern.split("/")
    if not pattern.isprintable() or len(pattern) > _MAX_TEXT:
        return f"is no pattern: at most {_MAX_TEXT} characters, none of them a control character"
    if any(part in ("", ".", "..") for part in parts):
        return "is no pattern: names of folders and of an entry, with one slash between them"
    if any("**" in part and part != "**" for part in parts):
        return "is no pattern: '**' stands alone between slashes"
    return None


class _Reader:
    """Reads one document."""

    def __init__(self, data: bytes, file: str) -> None:
        self._data = data
        self._file = file

    def policy(self) -> Policy:
        if len(self._data) > MAX_FILE:
            raise UsageError(f"{self._file} is larger than {MAX_FILE >> 10} KiB", "A policy is a small text file.")
        for number, line in enumerate(self._data.split(b"\n"), 1):
            if len(line) > _MAX_LINE:
                raise UsageError(f"{self._file}, line {number} is longer than {_MAX_LINE} bytes", "Break it.")
        document = toml.parse(self._file, self._data)
        self._known(document, ("max_age", "paths"), "")
        max_age = self._age(document["max_age"], "max_age", "30d") if "max_age" in document else None
        tables = document.get("paths", {})
        if not isinstance(tables, dict):
            self._wrong("paths", 'must be tables such as [paths."prod/db"]')
        if len(tables) > _MAX_PATTERNS:
            raise UsageError(f"{self._file} has more than {_MAX_PATTERNS} patterns", "Take some together.")
        paths = [self._paths(pattern, table) for pattern, table in tables.items()]
        seen: set[str] = set()
        for each, written in zip(paths, tables, strict=True):
            if each.pattern in seen:
                self._wrong(f"paths.{written}", "stands there twice")
            seen.add(each.pattern)
        return Policy(paths, max_age, self._data)

    def _paths(self, written: str, table: object) -> _Paths:
        above = f"paths.{written}"
        pattern = written.removesuffix("/")
        problem = pattern_problem(pattern)
        if problem:
            self._wrong(above, problem)
        if not isinstance(table, dict):
            self._wrong(above, f'must be a table: [paths."{written}"]')
        self._known(table, KEYS, f"{above}.")
        values: dict[str, Any] = {}
        for key, value in table.items():
            field = "options" if key == "driver_options" else key
            values[field] = getattr(self, f"_{key}")(value, f"{above}.{key}")
        parts = pattern.split("/")
        while parts and parts[-1] == "**":  # what holds for a folder holds for all below it
            parts.pop()
        return _Paths(pattern, written, tuple(parts), values, table)

    def _rotate(self, value: object, at: str) -> timedelta | None:
        return None if value == NEVER else self._age(value, at, "90d")

    def _expires(self, value: object, at: str) -> date | None:
        if value == NEVER:
            return None
        if not isinstance(value, date) or isinstance(value, datetime):
            self._wrong(at, "must be a day such as 2027-01-31, without quotes")
        return value

    def _on(self, value: object, at: str) -> frozenset[str]:
        if not isinstance(value, list) or not all(isinstance(each, str) and each in EVENTS for each in value):
            self._wrong(at, f"must be a list of some of {', '.join(sorted(EVENTS))}")
        return frozenset(value)

    def _owner(self, value: object, at: str) -> str:
        if not isinstance(value, str) or not value or not _is_text(value):
            self._wrong(at, "must be the name of a member, @ and the name of a group, or another name")
        return value

    def _driver(self, value: object, at: str) -> str:
        if not isinstance(value, str) or not _DRIVER.fullmatch(value):
            self._wrong(at, "must be the name of a driver, such as manual, postgresql or command:NAME")
        return value

    def _driver_options(self, value: object, at: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            self._wrong(at, "must be a table")
        for key, each in value.items():
            if not _OPTION.fullmatch(key):
                self._wrong(at, f"has a name that no option can have: {key[:64]!r}")
            if not all(map(_is_plain, each if isinstance(each, list) else [each])):
                self._wrong(f"{at}.{key}", "must be text, a number, true or false, or a list of such")
        return value

    def _generate(self, value: object, at: str) -> Generate:
        if not isinstance(value, dict):
            self._wrong(at, "must be a table such as { length = 40 }")
        self._known(value, GENERATE, f"{at}.")
        if "words" in value and len(value) > 1:
            self._wrong(at, "says 'words', beside which nothing else can stand")
        if "charset" in value and "symbols" in value:
            self._wrong(at, "says 'charset' and 'symbols': one of them decides")
        for key, limit in (("length", 1 << 16), ("words", 1000)):
            number = value.get(key)
            if number is not None and (type(number) is not int or not 0 < number <= limit):
                self._wrong(f"{at}.{key}", f"must be a whole number from 1 to {limit}")
        for key in ("symbols", "exclude_similar"):
            if not isinstance(value.get(key, True), bool):
                self._wrong(f"{at}.{key}", "must be true or false")
        charset = value.get("charset")
        if charset is not None and not (isinstance(charset, str) and charset and _is_text(charset)):
            self._wrong(f"{at}.charset", "must be a set of characters as for tr, such as a-z0-9")
        return Generate(**value)

    def _min_entropy(self, value: object, at: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_ENTROPY:
            self._wrong(at, f"must be a number of bits from 0 to {_MAX_ENTROPY}")
        return float(value)

    def _age(self, value: object, at: str, example: str) -> timedelta:
        found = age(value) if isinstance(value, str) else None
        if found is None:
            self._wrong(at, f'must be a time such as "{example}" (h, d, w or y)')
        return found

    def _known(self, table: Mapping[str, Any], known: Sequence[str], above: str) -> None:
        for key in table:
            if key not in known:
                from difflib import get_close_matches

                close = get_close_matches(key, known, n=1)
                hint = f"Did you mean '{close[0]}'?" if close else f"There are: {', '.join(known)}."
                where = _at(self._data, above + key, self._file)
                raise UsageError(f"{where}: there is no '{key[:_MAX_TEXT]}' in a policy", hint)

    def _wrong(self, at: str, what: str) -> NoReturn:
        raise UsageError(f"{_at(self._data, at, self._file)}: '{at.removeprefix('paths.')}' {what}", _MEND)


def _is_match(wanted: str, part: str) -> bool:
    """Tell whether one part of a pattern matches a name, by going back to the last `*` only."""
    i = j = 0
    star, resume = -1, 0
    while j < len(part):
        if i < len(wanted) and wanted[i] == "*":
            star, resume = i, j
            i += 1
        elif i < len(wanted) and wanted[i] in ("?", part[j]):
            i, j = i + 1, j + 1
        elif star >= 0:
            resume += 1
            i, j = star + 1, resume
        else:
            return False
    return wanted[i:].strip("*") == ""


def _together(before: Mapping[str, Any], generate: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a password is made by two patterns, the second the more specific one."""
    if "words" in generate:
        return dict(generate)
    void = {"words"} if generate else set()
    void |= {"symbols"} if "charset" in generate else {"charset"} if "symbols" in generate else set()
    return {**{key: value for key, value in before.items() if key not in void}, **generate}


def _is_plain(value: object) -> bool:
    return isinstance(value, bool | int | float) or (isinstance(value, str) and _is_text(value))


def _is_text(value: str) -> bool:
    return value.isprintable() and len(value) <= _MAX_TEXT


def _written(value: object) -> str:
    """Return a value as people write it."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_written(each)}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(_written, value)) or "nothing"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _at(data: bytes, key: str, file: str = FILE) -> str:
    """Return where a key is set, or else what it is part of: an inline table has one line for all."""
    while key:
        found = toml.at(file, data, key)
        if found != file:
            return found
        key = key.rpartition(".")[0]
    return file
