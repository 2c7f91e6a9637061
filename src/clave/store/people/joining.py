"""How somebody comes to a store that others have: received, compared, verified, and only then put into its place.

- What comes from the remote lies beside the place of the store, in a folder that is gone when the command ends, however
  it ends. It is moved into its place as a whole, with the commits up to the last good one checked out.
- A team store is put there only after its words were compared; its pin is set after that, so a command that was killed
  leaves no store, or one that nothing trusts, and the same command again goes on from there.
- A plain store has nothing that could be verified. One that had a team once is refused.
- A place remembers: where a team store was before, its remote may not have gone back meanwhile, or become a plain one.
- Nothing is published but the request to join.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from clave.config import STORE_NAME
from clave.errors import Busy, CannotEncrypt, CannotWrite, GitFailed, UsageError, VerificationFailed
from clave.model.text import printable
from clave.openpgp import certificates
from clave.store.people import requests
from clave.store.store import Store
from clave.store.stores import DEFAULT_FOLDER, store_path
from clave.store.trust import genesis as beginnings
from clave.store.trust import pins
from clave.team import paths
from clave.vcs import reading, remote
from clave.vcs.attributes import protect_attributes
from clave.vcs.git import Repository
from clave.vcs.lock import exclusive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clave.config import Settings
    from clave.store.people.membership import Team
    from clave.store.people.requests import Request
    from clave.store.trust.genesis import Genesis
    from clave.store.trust.pins import Pinned
    from clave.team.verdict import Verdict


_FETCHED = "refs/clave/incoming"


class Place(NamedTuple):
    """Where a store is to be: its folder, and the name that the configuration is to have for it, or None."""

    path: str
    name: str | None


class Received(NamedTuple):
    """A clone that nothing trusts yet: its last commit, and where its team began, None for a plain store."""

    repository: Repository
    tip: str
    genesis: Genesis | None


class Settled(NamedTuple):
    """A store that was put into its place, and what verification said of it (None: it is a plain one)."""

    store: Store
    verdict: Verdict | None


def place_for(settings: Settings, url: str, name: str | None = None, into: str | None = None) -> Place | None:
    """Return where the store of a URL goes; None: a name has to be given, as the usual place is another one's.

    With a name it is where the configuration says, else below `$XDG_DATA_HOME/clave`. Raises UsageError.
    """
    if name is not None and not STORE_NAME.fullmatch(name):
        raise UsageError(f"'{name}' cannot be the name of a store", "Take letters, digits, '.', '_' and '-'.")
    if name is not None and name in settings.stores:
        path = store_path(settings, name)
        if into is not None and os.path.realpath(into) != os.path.realpath(path):
            raise UsageError(f"the store {name} is at {path} already", "Give it another name: --as STORE.")
        return Place(path, name)
    if into is not None:
        return Place(os.path.abspath(os.path.expanduser(into)), name)
    if name is not None:
        data = os.environ.get("XDG_DATA_HOME", "")
        data = data if data.startswith("/") else os.path.expanduser("~/.local/share")
        return Place(os.path.join(data, "clave", name), name)
    path = store_path(settings)
    usual = os.path.expanduser(DEFAULT_FOLDER)
    is_usual = settings.directory or os.path.abspath(path) == os.path.abspath(usual)
    return Place(path, None) if is_usual and (is_free(path) or _is_clone(path, url)) else None


def is_free(path: str) -> bool:
    """Tell whether nothing is in the way of a store at a path; an empty folder is not."""
    try:
        return not os.listdir(path)
    except (FileNotFoundError, NotADirectoryError):
        return not os.path.lexists(path)
    except OSError:
        return False


def unfinished(place: Place, url: str, settings: Settings) -> Store | None:
    """Return the store that an earlier `join` of the same URL has put there, None where the place is free.

    Raises UsageError where something else is.
    """
    if is_free(place.path):
        return None
    if not _is_clone(place.path, url):
        raise UsageError(
            f"there is something else at {place.path} already",
            "Say where the store is to be: --as STORE, or --into PATH.",
        )
    return Store(place.path, settings, place.name)


def _is_clone(path: str, url: str) -> bool:
    repository = Repository.find(path, top=path)
    if repository is None:
        return False
    out = repository.run("config", "--get-all", "remote.origin.url", check=False).out
    urls = os.fsdecode(out).split("\n")[:-1]
    return url in urls or os.path.abspath(url) in urls


@contextmanager
def received(url: str, place: Place, *, told: Callable[[str], object] | None = None) -> Iterator[Received]:
    """Clone into a folder beside the place, which is gone when this ends unless it was settled.

    `told` gets what git says of how far it is.

    Raises UsageError (the URL), Unreachable, GitFailed, VerificationFailed (a history that is cut off, or begins in
    several ways), CannotWrite, Busy.
    """
    remote.check_url(url)
    above, name = os.path.split(place.path)
    folder = os.path.join(above, f".{name}.clave-join")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"cannot write {folder}: {error.strerror}", "Say where it may be: --into PATH.") from None
    with exclusive(folder):
        try:
            clone = os.path.join(folder, "store")
            shutil.rmtree(clone, ignore_errors=True)  # of a join that was killed
            remote.clone(url if "://" in url or not os.path.exists(url) else os.path.abspath(url), clone, progress=told)
            repository = Repository.find(clone, top=clone)
            assert repository is not None
            tip = repository.head() or _only_branch(repository, url)
            yield Received(repository, tip, beginnings.find(repository, tip))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _only_branch(repository: Repository, url: str) -> str:
    """Let HEAD follow the one branch of a remote whose own HEAD is of none (master, most often); return its commit."""
    there = remote.Remote("origin", url, "", tracked=False)
    branches = [ref for ref in remote.branches(repository, there) if not ref.startswith(requests.BRANCHES)]
    if len(branches) != 1:
        which = f"none of its branches ({', '.join(branches)}) is the usual one" if branches else "it has no commit"
        raise GitFailed(
            f"there is no store at {remote.shown(url)}: {printable(which)}",
            "Ask a colleague to push theirs, or to mend HEAD there.",
        )
    name = branches[0].removeprefix("refs/heads/")
    remote.fetch(repository, there, [f"{branches[0]}:{_FETCHED}"])
    tip = repository.text("rev-parse", "--verify", _FETCHED)
    tracking = f"refs/remotes/origin/{name}"
    for ref in (branches[0], tracking):
        repository.run("update-ref", ref, tip)
    repository.run("update-ref", "-d", _FETCHED)
    repository.run("symbolic-ref", "HEAD", branches[0])
    for key, value in (("remote", "origin"), ("merge", branches[0])):
        repository.run("config", f"branch.{name}.{key}", value)
    repository.run("config", "remote.origin.fetch", f"+{branches[0]}:{tracking}")
    return tip


def settle(found: Received, place: Place, settings: Settings) -> Settled:
    """Verify what was received and put it into its place, up to the last good commit; set its pin.

    The words were compared before. Raises VerificationFailed where not even the beginning holds, or the place had a
    newer history of this store, or a team's; nothing is left then.
    """
    real = os.path.realpath(place.path)
    repository = Repository(real, os.path.join(real, ".git"))
    before = pins.read(repository)
    pinned, verdict, good = None, None, found.tip
    if found.genesis is not None:
        pinned, verdict = beginnings.verified(found.repository, found.genesis, found.tip)
        good = pinned.local
    elif any(path.startswith(f"{paths.ROSTERS}/") for path, *_ in reading.files(found.repository, found.tip)):
        raise VerificationFailed("the store has a team without a beginning", "Ask a colleague who pushed this.")
    if before is not None:
        _require_forward(found, before, good, place)
    _check_out(found.repository, good)
    try:
        with suppress(FileNotFoundError):
            os.rmdir(place.path)  # an empty folder
        os.rename(found.repository.work_tree, place.path)
    except OSError as error:
        raise CannotWrite(f"cannot write {place.path}: {error.strerror}", "Say where it may be: --into PATH.") from None
    try:
        if pinned is not None:
            pins.write(repository, pinned)
        register(place, settings)
    except BaseException:
        shutil.rmtree(real, ignore_errors=True)
        if before is None:
            pins.forget(repository)
        else:
            pins.write(repository, before)
        raise
    return Settled(Store(place.path, settings, place.name), verdict)


def _require_forward(found: Received, before: Pinned, good: str, place: Place) -> None:
    """Raise VerificationFailed if a place had something that what is received takes back."""
    elsewhere = "If that is meant, take another place: --into PATH."
    if found.genesis is None:
        raise VerificationFailed(f"at {place.path} there was a team's store, and this one is plain", elsewhere)
    is_other = found.genesis.commit != before.genesis  # its words were compared, so that is meant
    if is_other or not before.upstream:
        return
    after = found.repository.run("merge-base", "--is-ancestor", before.upstream, good, check=False)
    if after.code != 0:
        raise VerificationFailed(
            f"the remote had commit {before.upstream[:12]}, when a store was at {place.path}, and has it no more",
            f"Ask the others whether that was done on purpose. {elsewhere}",
        )


def register(place: Place, settings: Settings) -> None:
    """Write a store to the config file, unless it is there. Raises UsageError, CannotWrite."""
    from clave.store import stores

    if place.name is not None and place.name not in settings.stores:
        stores.add(settings, place.name, place.path)


def _check_out(repository: Repository, commit: str) -> None:
    protect_attributes(repository)
    repository.run("update-ref", "HEAD", commit)
    repository.run("-c", "submodule.recurse=false", "read-tree", "--reset", "-u", commit)


# The request to join


class Asked(NamedTuple):
    """A request that was made: at the remote, or in a file to be sent (`file`, where the remote takes no push)."""

    request: Request
    file: str | None = None
    reason: str = ""


def check_wish(team: Team, fingerprint: str, name: str) -> None:
    """Raise UsageError for a name that is taken, or none, CannotEncrypt for a key that nobody could encrypt to."""
    if team.roster.member(name) is not None:
        raise UsageError(f"there is a member {name} already", "Take another name: --name NAME.")
    if not requests.is_name(name):
        raise UsageError(
            f"'{name}' cannot be the name of a member", "Take one of a-z, 0-9, '.', '_' and '-': --name NAME."
        )
    certificate = certificates.read(certificates.exported(fingerprint))
    problem = "is not there" if certificate is None else certificates.problem(certificate)
    if problem:
        raise CannotEncrypt(f"your key {fingerprint} {problem}", "Take another one: --key FINGERPRINT.")
    if fingerprint not in certificates.own_signing_keys():
        raise UsageError(f"your key {fingerprint} cannot sign", "Take another one: --key FINGERPRINT.")


def ask(
    store: Store,
    team: Team,
    fingerprint: str,
    name: str,
    *,
    folder: str,
    told: Callable[[str], object] | None = None,
) -> Asked:
    """Publish the request of the user's key to become a member; without the right to push, write it as a file.

    One that is at the remote already stays. Raises UsageError, CannotEncrypt, Unreachable.
    """
    check_wish(team, fingerprint, name)
    repository = store.team_repository()
    where = requests.Place(team.roster.store, team.pinned.genesis)
    there = remote.remote_of(repository)
    if there is None:
        raise GitFailed("the store has no remote", "Say which: clave git remote add origin URL.")
    branches = remote.branches(repository, there)
    branch = requests.BRANCHES + fingerprint
    old = requests.fetched(repository, there, where, [branch] if branch in branches else []).get(fingerprint)
    if old is not None and old.request is not None and old.request.name == name:
        return Asked(old.request)
    request = requests.make(repository, where, fingerprint=fingerprint, name=name)
    try:
        remote.push(
            repository, there, [f"{request.commit}:{branch}"], expect={branch: branches.get(branch, "")}, progress=told
        )
    except Busy:
        raise
    except (GitFailed, CannotWrite) as refused:
        return Asked(request, _written(request, folder), refused.message)
    return Asked(request)


def _written(request: Request, folder: str) -> str:
    file = os.path.join(folder, f"clave-join-{request.name}.asc")
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as stream:
            stream.write(request.certificate)
    except OSError as error:
        raise CannotWrite(f"cannot write {file}: {error.strerror}", "Go to a folder of your own.") from None
    return file
