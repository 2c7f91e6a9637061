"""Who makes a commit, and whether it is signed, as git's configuration and the environment say."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import GitFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Identity(NamedTuple):
    """Who is said to have made a commit, where git itself does not know."""

    name: str
    email: str


def signs_commits(settings: Mapping[str, str]) -> bool:
    """Tell whether git's configuration asks for signed commits (pass has a setting of its own)."""
    return any(_true(settings.get(key)) for key in ("commit.gpgsign", "pass.signcommits"))


def signature_format(format_: str, key: str) -> str:
    """Return the kind of signature that commits get, from git's `gpg.format` and `user.signingkey`.

    It is the user's (ssh, x509), unless their key is one of OpenPGP: then it is OpenPGP's in the store also where
    other repositories have theirs.
    """
    digits = key.removesuffix("!").removeprefix("0x")
    is_openpgp = len(digits) in (8, 16, 32, 40, 64) and all(c in "0123456789abcdefABCDEF" for c in digits)
    return "openpgp" if is_openpgp else format_.lower() or "openpgp"


class Variables:
    """What `git var -l` says: the configuration, and who would be author and committer of a commit made now."""

    def __init__(self, out: bytes) -> None:
        self._values: dict[str, str] = {}
        formats = [""]
        for line in os.fsdecode(out).split("\n"):
            key, _, value = line.partition("=")
            self._values[key] = value
            if key == "gpg.format":
                formats.append(value)
        # The last one is ours (`vcs.git`), which the user's stands before.
        self.signature_format = signature_format(formats[:-1][-1], self._values.get("user.signingkey", ""))

    @property
    def signs(self) -> bool:
        """Whether commits are to be signed."""
        return signs_commits(self._values)

    def person(self, role: str) -> tuple[str, bool]:
        """Return `Name <address> seconds zone` of the AUTHOR or COMMITTER, and whether the user has named them."""
        named = os.environ.get(f"GIT_{role}_EMAIL") or self._values.get("user.email") or os.environ.get("EMAIL")
        return self._values.get(f"GIT_{role}_IDENT", ""), bool(named)


def _true(value: str | None) -> bool:
    """Read a git boolean as git does (git-config(1)): a key without a value is true."""
    return value is not None and value.lower() in ("", "true", "yes", "on", "1")


def people(git: Variables, identity: Callable[[], Identity | None]) -> tuple[str, str]:
    """Return author and committer of a commit; where git knows nobody, the one that `identity` gives.

    Raises GitFailed where there is nobody.
    """
    mine: Identity | None = None
    people = []
    for role in ("AUTHOR", "COMMITTER"):
        person, named = git.person(role)
        name, _, rest = person.rpartition(" <")
        if not named or not name:
            mine = mine or identity()
            if mine is None and (not name or not rest):
                raise GitFailed("git does not know who you are", "Say it: git config --global user.name NAME.")
            if mine is not None:
                name = os.environ.get(f"GIT_{role}_NAME") or (name if named and name else mine.name)
                email, date = rest.partition(">")[::2]
                person = f"{_clean(name)} <{email if named else _clean(mine.email)}>{date}"
        people.append(person)
    return people[0], people[1]


def _clean(text: str) -> str:
    """Return text without what ends a part of git's `Name <address>`."""
    return "".join(c for c in text if c not in "<>" and c.isprintable()).strip()


def as_variables(role: str, person: str) -> dict[str, str]:
    """Return the variables that name the person of `Name <address> seconds zone`."""
    name, _, rest = person.rpartition(" <")
    email, _, date = rest.partition("> ")
    return {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": email, f"GIT_{role}_DATE": f"@{date}"}
