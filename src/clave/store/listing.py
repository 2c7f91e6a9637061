"""Listings of a store: the tree as pass prints it, and what of it a search leaves.

pass calls `tree`, and so does this draw, byte for byte: branches in the characters of the locale, folders and
links in tree's colours. Other people's names are escaped, which tree (`-N`) does not do.

Imported by the fast path: nothing heavy may be imported here.
"""

from __future__ import annotations

import sys

from clave.model.name import SUFFIX
from clave.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from clave.store.layout import Node

    # Tells whether a name is meant: its last component, and the name as a whole.
    Matcher = Callable[[str, str], bool]

HEADER = "Password Store"

# A branch, the last branch, and what stands below each; in UTF-8 tree writes no-break spaces behind the bar.
_UNICODE = ("├── ", "└── ", "│\u00a0\u00a0 ", "    ")
_ASCII = ("|-- ", "`-- ", "|   ", "    ")

_FOLDER = "\x1b[01;34m%s\x1b[0m"
_LINK = "\x1b[01;36m%s\x1b[0m"
_ENTRY = "\x1b[00m%s\x1b[0m"

# What makes a search term more than a piece of a name.
_GLOB = frozenset("*?[\\|/")


def draw(nodes: Sequence[Node], *, colour: bool, unicode: bool) -> str:
    """Return the lines of a tree, without a header; `unicode` chooses the characters of the branches."""
    lines: list[str] = []
    _draw(nodes, "", _UNICODE if unicode else _ASCII, colour, lines)
    return "".join(lines)


def _draw(nodes: Sequence[Node], indent: str, branches: tuple[str, ...], colour: bool, lines: list[str]) -> None:
    branch, last_branch, bar, blank = branches
    last = len(nodes) - 1
    for at, (name, target, below) in enumerate(nodes):
        text = name if name.isprintable() else printable(name)
        if target is not None:
            text = _link(text, target, below is not None, colour)
        elif colour:
            text = (_ENTRY if below is None else _FOLDER) % text
        lines.append(f"{indent}{last_branch if at == last else branch}{text}\n")
        if below:
            _draw(below, indent + (blank if at == last else bar), branches, colour, lines)


def _link(name: str, target: str, to_folder: bool, colour: bool) -> str:
    target = printable(target.removesuffix(SUFFIX))
    if not colour:
        return f"{name} -> {target}"
    return f"{_LINK % name} -> {(_FOLDER if to_folder else _ENTRY) % target}"


def unicode_branches(environ: Mapping[str, str]) -> bool:
    """Tell whether the user's locale is UTF-8, as tree decides it.

    Python itself puts LC_CTYPE=C.UTF-8 in the place of the C locale (PEP 538), in our environment too; it is
    then in its UTF-8 mode.
    """
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "C"
    if locale == environ.get("LC_CTYPE") == "C.UTF-8" and sys.flags.utf8_mode:
        locale = environ.get("LANG") or "C"
    return locale.lower().replace("-", "").endswith("utf8")


def matcher(terms: Sequence[str]) -> Matcher:
    """Return the test for names that hold one of the terms, in any case.

    In a term `*`, `?`, `[a-z]` and `[^a-z]` are wildcards, `|` separates two terms and a backslash takes the
    next character as it is: those of `tree -P`, which pass hands its terms to. A term with a slash is
    looked for in the whole name, any other in its last component.
    """
    if any(_GLOB.intersection(term) for term in terms):
        return _glob_matcher(terms)
    folded = [term.lower() for term in terms]

    def matches(component: str, _: str) -> bool:
        component = component.lower()
        for term in folded:  # noqa: SIM110 - any() with a generator takes twice the time
            if term in component:
                return True
        return False

    return matches


def _glob_matcher(terms: Sequence[str]) -> Matcher:
    import re

    tests = []
    for term in terms:
        # As in pass, a bar within a term only separates: `a|b` finds what ends with a, or begins with b.
        patterns = [_expression(pattern) for pattern in term.split("|")]
        patterns[0] = ".*" + patterns[0]
        patterns[-1] += ".*"
        tests.append((re.compile("|".join(patterns), re.IGNORECASE | re.DOTALL), "/" in term))
    return lambda component, name: any(test.fullmatch(name if whole else component) for test, whole in tests)


def _expression(pattern: str) -> str:
    """Return a glob as a regular expression; a bracket that is no set is itself."""
    import re

    parts, at = [], 0
    while at < len(pattern):
        c, end = pattern[at], pattern.find("]", at + 1)
        if c == "*":
            parts.append(".*")
        elif c == "?":
            parts.append(".")
        elif c == "\\" and at + 1 < len(pattern):
            at += 1
            parts.append(re.escape(pattern[at]))
        elif c == "[" and end >= 0 and _is_set(expression := _set(pattern[at + 1 : end])):
            parts.append(expression)
            at = end
        else:
            parts.append(re.escape(c))
        at += 1
    return "".join(parts)


def _set(inside: str) -> str:
    from re import escape

    negated = inside.startswith("^")
    return f"[{'^' if negated else ''}{escape(inside[negated:]).replace(escape('-'), '-')}]"


def _is_set(expression: str) -> bool:
    import re

    try:
        re.compile(expression)
    except re.error:  # empty, or with a range that ends before it begins
        return False
    return True


def prune(nodes: Sequence[Node], matches: Matcher, above: str = "") -> list[Node]:
    """Return what of a tree matches, with the folders above it.

    Everything below a matching folder stays, and the folder even if it is empty. So does tree since its
    version 2.3; older ones leave out what lies in sub-folders of it.
    """
    kept: list[Node] = []
    for name, target, below in nodes:
        whole = above + name
        if matches(name, whole):
            kept.append((name, target, below))
        elif below:
            remaining = prune(below, matches, whole + "/")
            if remaining:
                kept.append((name, target, remaining))
    return kept
