"""The pin: what is known of a team store from before, kept outside of it.

The remote and everybody who can push may rewrite a store, but not this file. It is found by where the repository lies,
so that several clones of one store may stand side by side, `$XDG_STATE_HOME/clave/pins/<location>`:

    store <id>          of the roster, 32 hex digits
    genesis <commit>    with which the team began
    roster <sha256>     of the file of roster 1
    upstream <commit>   the last commit of the remote that was verified, or -
    local <commit>      the last HEAD that was verified here: the same, or own work on top
    seq <number>        of the highest roster that was verified
    when <seconds>      since 1970, of the last change

Imported by the fast path: nothing heavy may be imported here.
"""

from __future__ import annotations

import os

from clave.errors import CannotWrite, VerificationFailed
from clave.places import PINS, state_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from clave.vcs.git import Repository

ROOT = "CLAVE_ROOT"  # the variable that tells a machine the words of its store: see `genesis`

_FIELDS = ("store", "genesis", "roster", "upstream", "local", "seq", "when")
_LIMIT = 4096  # bytes of the file


class Pinned:
    """A pin, see above. `upstream` is "" where the remote was never seen. Never changed: `replace` makes another."""

    __slots__ = _FIELDS

    def __init__(
        self, *, store: str, genesis: str, roster: str, upstream: str, local: str, seq: int, when: int
    ) -> None:
        self.store = store
        self.genesis = genesis
        self.roster = roster
        self.upstream = upstream
        self.local = local
        self.seq = seq
        self.when = when

    def replace(self, **fields: str | int) -> Pinned:
        """Return the pin with other fields."""
        return Pinned(**{**{name: getattr(self, name) for name in _FIELDS}, **fields})


def location(common_dir: str) -> str:
    """Return the path of the pin's file of a repository, by its git directory."""
    return state_of(os.environ, PINS, os.path.realpath(common_dir))


def read(repository: Repository) -> Pinned | None:
    """Return the pin of a repository, None for none. Raises VerificationFailed for one that is broken."""
    return read_file(location(repository.common_dir))


def read_file(path: str) -> Pinned | None:
    """Return the pin in a file. Raises as `read`."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise VerificationFailed(f"the pin {path} cannot be read: {error.strerror}", "Check its permissions.") from None
    try:
        data = os.read(file, _LIMIT)
    finally:
        os.close(file)
    rows = [line.partition(" ") for line in data.decode("ascii", "replace").split("\n")]
    values = {name: value for name, _, value in rows}
    if tuple(row[0] for row in rows) != (*_FIELDS, "") or not _is_whole(values):
        raise VerificationFailed(
            f"the pin {path} is broken", "Set it again: remove the file, then clave pin --root WORDS."
        )
    return Pinned(
        store=values["store"],
        genesis=values["genesis"],
        roster=values["roster"],
        upstream=values["upstream"].removeprefix("-"),
        local=values["local"],
        seq=int(values["seq"]),
        when=int(values["when"]),
    )


def write(repository: Repository, pinned: Pinned) -> None:
    """Set the pin of a repository. Raises CannotWrite: it is then as it was."""
    path = location(repository.common_dir)
    text = "".join(f"{name} {getattr(pinned, name) or '-'}\n" for name in _FIELDS)
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        new = f"{path[: -len(os.path.basename(path))]}.new-{os.getpid()}"
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        try:
            os.write(file, text.encode())
            os.fsync(file)
        finally:
            os.close(file)
        os.replace(new, path)
    except OSError as error:
        raise CannotWrite(
            f"the pin {path} cannot be written: {error.strerror}", "Check the disk, then try again."
        ) from None


def forget(repository: Repository) -> None:
    """Remove the pin of a repository: what is there from now on is not known from before."""
    try:
        os.unlink(location(repository.common_dir))
    except (FileNotFoundError, NotADirectoryError):
        return


def _is_whole(values: Mapping[str, str]) -> bool:
    commits = [values["genesis"], values["local"]] + [values["upstream"]] * (values["upstream"] != "-")
    return (
        all(len(each) in (40, 64) and _is_hex(each) for each in commits)
        and (len(values["store"]), len(values["roster"])) == (32, 64)
        and _is_hex(values["store"] + values["roster"])
        and all(values[name].isascii() and values[name].isdecimal() for name in ("seq", "when"))
    )


def _is_hex(text: str) -> bool:
    return all(c in "0123456789abcdef" for c in text)
