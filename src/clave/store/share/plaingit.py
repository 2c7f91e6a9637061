"""For people who use plain git or pass in a store: merging, showing differences, signing.

- A merge driver brings two versions of an entry together as `clave sync` does, in memory. Where it cannot, theirs
  stands at the path, ours beside it, and git says that there is a conflict.
- Differences are shown by gpg, as in pass.
- In a team store git and pass sign what they commit, with the key that the team knows.

All is configuration of this one repository, on this machine.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import CannotDecrypt, GitFailed, KeyLocked
from clave.model import threeway
from clave.model.name import SUFFIX
from clave.openpgp import bulk
from clave.openpgp.message import encrypt
from clave.store import recipients
from clave.store.share.merging import CONFLICT
from clave.store.trust import verification
from clave.vcs.attributes import use_drivers
from clave.vcs.objects import object_id
from clave.vcs.worktree import explained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clave.store.store import Store
    from clave.vcs.git import Repository


class Setting(NamedTuple):
    """A line of git's configuration of a repository, and what it is for."""

    key: str
    value: str
    purpose: str


def set_up(store: Store) -> list[Setting]:
    """Configure git in a store; return what was set. Raises GitFailed, VerificationFailed (a team of others)."""
    repository = _repository(store)
    wanted = list(_settings(store))
    present = repository.settings()
    for setting in wanted:
        repository.run("config", "--local", setting.key, setting.value)
    with explained("the git directory"):
        use_drivers(repository, wanted=True)
    return [setting for setting in wanted if present.get(setting.key) != setting.value]


def undo(store: Store) -> list[Setting]:
    """Take back what `set_up` did, where it is still so; return what was taken back."""
    repository = _repository(store)
    with explained("the git directory"):
        use_drivers(repository, wanted=False)
    taken = []
    for setting in _settings(store, lenient=True):
        local = repository.run("config", "--local", "--get", setting.key, check=False)
        if local.code == 0 and os.fsdecode(local.out).removesuffix("\n") == setting.value:
            repository.run("config", "--local", "--unset-all", setting.key)
            taken.append(setting)
    return taken


def _repository(store: Store) -> Repository:
    repository = store.repository()
    if repository is None:
        raise GitFailed("the password store is not a git repository", 'Try "clave git init".')
    return repository


def _settings(store: Store, *, lenient: bool = False) -> Iterator[Setting]:
    yield Setting("merge.clave.name", "clave: entries, field by field, in memory", "entries are merged field by field")
    yield Setting("merge.clave.driver", f"{_program()} git-setup --merge %O %A %B %P", "by this program")
    yield Setting("diff.gpg.binary", "true", "differences of entries are shown decrypted")
    command = ["gpg", "-d", "--quiet", "--yes", "--compress-algo=none", "--no-encrypt-to", *store.options]
    yield Setting("diff.gpg.textconv", " ".join(command), "by gpg")
    if store.is_team:
        from clave.store.people.membership import Team

        # As the last verified commit says, also where HEAD is not: what makes it so may be missing signatures.
        repository = store.team_repository()
        pinned = verification.pinned_or_refuse(repository)
        team = Team(repository, pinned, pinned.local)
        key = (team.key or "") if lenient else team.require_member()
        yield Setting("user.signingkey", key, "the key that the team knows")
        yield Setting("gpg.format", "openpgp", "signs")
        yield Setting("commit.gpgsign", "true", "what git commits")
        yield Setting("pass.signcommits", "true", "and pass")


def _program() -> str:
    """Return how a shell starts this program; a percent sign would be git's."""
    name = os.path.abspath(sys.argv[0])
    is_script = os.path.basename(name) == "clave" and os.access(name, os.X_OK)
    found = [name] if is_script else [found] if (found := shutil.which("clave")) else [sys.executable, "-m", "clave"]
    return shlex.join(found).replace("%", "%%")


def merge_driver(store: Store, base: str, ours: str, theirs: str, path: str) -> bool:
    """Merge three versions of an entry (files) into `ours`, as git asks; tell whether that was possible.

    `path` is the entry's, relative to the store. Where it is not, theirs is written there, and ours beside the entry.
    Raises KeyLocked, CannotEncrypt, NotFound, VerificationFailed: the files are then as they were.
    """
    versions = [_content(each) for each in (base, ours, theirs)]
    texts = _opened(store, path, versions)
    joined = None
    if texts[1] is not None and texts[2] is not None:
        joined = threeway.merge(texts[0], texts[1], texts[2])
    if joined is not None and joined == texts[2]:
        result = versions[2]
    elif joined is not None and joined != texts[1]:
        folder = path.rpartition("/")[0]
        readers = store.team().recipients(folder) if store.is_team else recipients.for_folder(store, folder)
        result = encrypt(joined, readers, options=store.options)
    else:
        result = versions[1]
    with explained("the store"):
        if joined is None:
            _keep_beside(store.root, path, versions[1])
            result = versions[2]
        with open(ours, "wb") as file:
            file.write(result)
    return joined is not None


def _keep_beside(root: str, path: str, content: bytes) -> None:
    short = object_id(b"blob", content, "sha1")[:7]
    beside = os.path.join(root, f"{path.removesuffix(SUFFIX)}{CONFLICT}{short}{SUFFIX}")
    if not os.path.lexists(beside):
        with open(beside, "xb") as file:
            file.write(content)


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _opened(store: Store, path: str, versions: list[bytes]) -> list[bytes | None]:
    name = path.removesuffix(SUFFIX)
    opened: list[bytes | None] = []
    for _, text in bulk.decrypt_many(((name, each) for each in versions), options=store.options):
        if isinstance(text, KeyLocked):
            raise text
        opened.append(None if isinstance(text, CannotDecrypt) else text)
    return opened
