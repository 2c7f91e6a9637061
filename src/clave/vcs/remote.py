"""Speaking with a remote: what comes from there is input from strangers.

* A URL is https, ssh, or a path; it holds no password and nothing that a program could take for an option.
* What is fetched lies behind `refs/clave/` and nowhere else: no branch, tag or note of the remote's moves one here.
* git looks at each object that comes (fsck); a history that was cut off is refused.
* No hook runs, no submodule is followed, and of git's protocols only those three are allowed. What the user's own
  configuration says of a remote (`insteadOf`, a proxy, an ssh command) holds.
* What a remote says reaches nobody with its control characters.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import Busy, CannotWrite, GitFailed, ProgramMissing, UsageError, VerificationFailed
from clave.process import Result, run
from clave.vcs.git import OPTIONS, RemoteText, environment, failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from clave.vcs.git import Repository

    # Gets what git says of how far it is, without control characters.
    Told = Callable[[str], object]

QUARANTINE = "refs/clave/"

_PROTOCOLS = (
    "-c", "protocol.allow=never",
    "-c", "protocol.https.allow=always",
    "-c", "protocol.ssh.allow=always",
    "-c", "protocol.file.allow=always",
)  # fmt: skip
_INCOMING = (
    "-c", "fetch.fsckObjects=true",
    "-c", "transfer.fsckObjects=true",
    "-c", "fetch.writeCommitGraph=false",
    "-c", "gc.auto=0",
    "-c", "maintenance.auto=false",
)  # fmt: skip
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SCP = re.compile(r"[^/:]*:")  # `host:path`, as ssh writes it; a path with a colon behind a slash is a path
_REFUSED = "Give an https or ssh URL, or a path."

_LONGEST = 1000  # characters of a line of progress

# What git and ssh say when trying again later may help, and when it does not.
_DENIED = (
    "Authentication failed", "Permission denied", "could not read Username", "could not read Password",
    "terminal prompts disabled", "Host key verification failed", "returned error: 401", "returned error: 403",
    "access denied", "Repository not found", "repository not found",
)  # fmt: skip
_AWAY = (
    "Could not read from remote repository", "unable to access", "Could not resolve", "hung up", "early EOF",
    "Connection", "timed out", "does not appear to be a git repository", "unable to connect",
    "does not exist",
)  # fmt: skip
_BAD_OBJECTS = ("fsck error", "bad object", "invalid object", "did not send all necessary objects", "missing blob")
# Why a push is refused because somebody else was faster.
_TOO_LATE = (
    "fetch first", "non-fast-forward", "stale info", "remote ref updated", "cannot lock ref", "failed to lock",
    "failed to update ref", "incorrect old value", "reference already exists", "atomic push failed",
)  # fmt: skip


class Rejected(Busy):
    """Somebody else has pushed meanwhile: what they did has to be fetched first."""

    code = "rejected"


class Unreachable(Busy):
    """The remote does not answer."""

    code = "unreachable"


class NoBranch(GitFailed):
    """The remote does not have the branch."""

    code = "no-branch"


class Remote(NamedTuple):
    """A remote: its name in git's configuration, its URL, and the branch there (a full ref) that ours follows.

    `tracked` says whether the configuration names that branch for ours; else it is the one of the same name.
    """

    name: str
    url: str
    branch: str
    tracked: bool

    @property
    def tracking(self) -> str:
        """The ref that says what the remote had when it was seen last."""
        return f"refs/remotes/{self.name}/{self.branch.removeprefix('refs/heads/')}"

    @property
    def shown(self) -> str:
        """How a user is told of it."""
        return f"{self.name} ({shown(self.url)})"


def remote_of(repository: Repository) -> Remote | None:
    """Return the remote of the branch: its upstream, else `origin`, else the only one; None: there is none.

    Raises GitFailed on no branch, and where there are several; UsageError for a URL that is refused.
    """
    urls, branches = _configured(repository)
    if not urls:
        return None
    ref = os.fsdecode(repository.run("symbolic-ref", "-q", "HEAD", check=False).out).strip()
    if not ref:
        raise GitFailed("the store's repository is on no branch", "Go back to one: clave git checkout BRANCH.")
    name, upstream = branches.get(ref.removeprefix("refs/heads/"), ("", ""))
    tracked = name in urls and bool(upstream)
    if name not in urls:
        name = "origin" if "origin" in urls else next(iter(urls)) if len(urls) == 1 else ""
    if not name:
        raise GitFailed(
            f"the store has several remotes ({', '.join(sorted(urls))}), and its branch follows none",
            "Say which: clave git branch --set-upstream-to=REMOTE/BRANCH.",
        )
    for url in urls[name]:
        check_url(url)
    return Remote(name, urls[name][0], upstream if tracked else ref, tracked)


def has_remote(repository: Repository) -> bool:
    """Tell whether there is any remote, without starting a process: git's own file says so."""
    try:
        with open(os.path.join(repository.common_dir, "config"), encoding="utf-8", errors="surrogateescape") as file:
            return any(line.lstrip().lower().startswith("[remote ") for line in file)
    except OSError:
        return False


def ahead(repository: Repository) -> int:
    """Return how many commits the remote had not when it was seen last; 0 where there is none. Raises GitFailed."""
    if not has_remote(repository):
        return 0
    where = remote_of(repository)
    if where is None:
        return 0
    seen = repository.run("rev-list", "--count", "HEAD", f"^{where.tracking}", "--", check=False)
    if seen.code != 0:  # it was never seen
        seen = repository.run("rev-list", "--count", "HEAD", "--")
    return int(seen.out)


def note(repository: Repository, where: Remote, commit: str) -> None:
    """Remember that the remote has a commit, and that the branch follows it."""
    repository.run("update-ref", "-m", "clave", where.tracking, commit)
    if not where.tracked:
        branch = repository.text("symbolic-ref", "--short", "HEAD")
        repository.run("config", f"branch.{branch}.remote", where.name)
        repository.run("config", f"branch.{branch}.merge", where.branch)


def _configured(repository: Repository) -> tuple[dict[str, list[str]], dict[str, tuple[str, str]]]:
    """Return the URLs of the remotes by name, and remote and ref that each branch follows."""
    out = repository.run("config", "--null", "--get-regexp", r"^(remote|branch)\.", check=False).out
    urls: dict[str, list[str]] = {}
    branches: dict[str, tuple[str, str]] = {}
    for row in os.fsdecode(out).split("\0")[:-1]:
        key, _, value = row.partition("\n")
        section, _, rest = key.partition(".")
        name, _, setting = rest.rpartition(".")
        if section == "remote" and setting in ("url", "pushurl") and value:
            urls.setdefault(name, []).append(value)
        elif section == "branch" and setting == "remote":
            branches[name] = (value, branches.get(name, ("", ""))[1])
        elif section == "branch" and setting == "merge":
            branches[name] = (branches.get(name, ("", ""))[0], value)
    return urls, branches


def urls(repository: Repository) -> set[str]:
    """Return the URLs of all remotes, as they are configured."""
    return {url for each in _configured(repository)[0].values() for url in each}


# URLs


def place(url: str) -> str:
    """Return what is the same for all URLs of one repository, however it is spoken with: host and path, or the path."""
    scheme = _SCHEME.match(url)
    rest = url[scheme.end() :] if scheme else url
    if is_path(url):
        return os.path.realpath(rest).removesuffix(".git")
    host, _, path = rest.partition("/" if scheme else ":")
    return f"{host.rpartition('@')[2].lower()}:{path.strip('/').removesuffix('.git')}"


def is_path(url: str) -> bool:
    """Tell whether a URL is a path of this machine."""
    scheme = _SCHEME.match(url)
    return scheme[1].lower() == "file" if scheme else not _SCP.match(url)


def check_url(url: str) -> None:
    """Raise UsageError for a URL that is not one of https, ssh or a path, or that holds a password or an option.

    The message never shows what may be a password.
    """
    if not url or url != url.strip() or not url.isprintable():
        raise UsageError("the URL of the remote is empty or holds what cannot be shown", _REFUSED)
    if url.startswith("-"):
        raise UsageError(f"the URL {shown(url)} looks like an option", _REFUSED)
    if re.match(r"[^/\[]*::", url):
        raise UsageError(f"the URL {shown(url)} would start a program", _REFUSED)
    scheme = _SCHEME.match(url)
    if scheme is None:
        if _SCP.match(url):
            _check_host(url, url.partition(":")[0])
        return
    kind = scheme[1].lower()
    if kind not in ("https", "ssh", "file"):
        hint = "It is neither encrypted nor authentic: use https or ssh." if kind in ("http", "git") else _REFUSED
        raise UsageError(f"remotes of the kind {kind}:// are not used", hint)
    if kind != "file":
        _check_host(url, url[scheme.end() :].partition("/")[0])


def _check_host(url: str, authority: str) -> None:
    user, _, host = authority.rpartition("@")
    if ":" in user:
        raise UsageError(
            f"the URL {shown(url)} holds a password, which git would keep in a file",
            "Leave it out: git asks for it, or a credential helper keeps it (git help credentials).",
        )
    if not host or " " in authority or host.startswith("-") or user.startswith("-"):
        raise UsageError(f"the URL {shown(url)} holds an option in the place of a host", _REFUSED)


def shown(url: str) -> str:
    """Return a URL without what stands before the host: that may be a token or a password."""
    scheme = _SCHEME.match(url)
    start = scheme.end() if scheme else 0
    if not scheme and not _SCP.match(url) and "@" not in url.partition("/")[0]:
        return url
    authority, slash, path = url[start:].partition("/")
    user, at, host = authority.rpartition("@")
    keep = f"{user}@" if at and ":" not in user and url[:start].lower() != "https://" else ""
    return f"{url[:start]}{keep}{host}{slash}{path}"


# Fetching, pushing, cloning


def fetch(repository: Repository, remote: Remote, refspecs: Sequence[str], *, progress: Told | None = None) -> None:
    """Fetch refs of the remote into refs of the quarantine (`refs/heads/main:refs/clave/incoming`), moving them.

    Raises Unreachable, NoBranch, VerificationFailed (objects that git refuses, a history that was cut off), GitFailed,
    CannotWrite.
    """
    if not all(spec.partition(":")[2].startswith(QUARANTINE) for spec in refspecs):
        raise ValueError("what is fetched goes into the quarantine")
    result = _run(
        repository,
        [
            *_INCOMING, "fetch", "--force", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
            "--no-auto-maintenance", "--no-prune", "--refmap=", *_verbosity(progress),
            "--", remote.name, *refspecs,
        ],
        progress,
    )  # fmt: skip
    if result.code != 0:
        raise _fetch_failure(remote, result)
    if any(line.startswith("warning: rejected") and "shallow" in line for line in _lines(result)):
        raise _cut_off(remote)  # git tells of it, and exits with 0


def branches(repository: Repository, remote: Remote) -> dict[str, str]:
    """Return the branches of the remote: the commit of each full ref. Raises as `fetch`."""
    result = _run(repository, ["ls-remote", "--heads", "--refs", "--quiet", "--", remote.name], None)
    if result.code != 0:
        raise _fetch_failure(remote, result)
    rows = (row.partition("\t") for row in os.fsdecode(result.out).split("\n") if "\t" in row)
    return {ref: commit for commit, _, ref in rows}


def push(
    repository: Repository,
    remote: Remote,
    refspecs: Sequence[str],
    *,
    expect: Mapping[str, str],
    progress: Told | None = None,
) -> list[str]:
    """Push all or nothing, if each ref of `expect` is at the remote what it says ("": not there).

    Returns what the remote said.

    Raises Rejected, Unreachable, and GitFailed where the remote does not take it.
    """
    leases = [f"--force-with-lease={ref}:{commit}" for ref, commit in expect.items()]
    result = _run(
        repository,
        [
            "push", "--porcelain", "--no-verify", "--no-signed", "--no-follow-tags", "--recurse-submodules=no",
            *(["--atomic"] if len(refspecs) > 1 else []), *leases, *_verbosity(progress), "--", remote.name, *refspecs,
        ],
        progress,
    )  # fmt: skip
    said = [line.removeprefix("remote: ").rstrip() for line in _lines(result) if line.startswith("remote: ")]
    if result.code == 0:
        return said
    rows = [row.split("\t") for row in os.fsdecode(result.out).split("\n") if row.startswith("!\t")]
    if not rows:
        raise _unreached(remote, "push", result)
    reason = _safe(rows[0][-1])
    if any(words in reason for words in _TOO_LATE):
        raise Rejected("somebody else has pushed to the remote meanwhile", "Try again: clave sync.")
    words = f": {said[-1]}" if said else ""
    raise GitFailed(f"{remote.shown} does not take what is pushed, {reason}{words}", "Ask who runs it.")


def clone(url: str, path: str, *, filter_blobs: bool = False, progress: Told | None = None) -> None:
    """Clone the branch of HEAD without checking it out; with `filter_blobs`, files are fetched when they are read.

    Raises UsageError, Unreachable, GitFailed, VerificationFailed, CannotWrite.
    """
    check_url(url)
    argv = [
        "git", *OPTIONS, *_PROTOCOLS, *_INCOMING, "clone", "--no-checkout", "--single-branch", "--reject-shallow",
        "--no-local", "--no-tags", "--no-recurse-submodules", *(["--filter=blob:none"] if filter_blobs else []),
        *_verbosity(progress), "--", url, path,
    ]  # fmt: skip
    try:
        result = run(argv, env={**environment(), "LC_ALL": "C"}, watch=progress and _Watcher(progress))
    except ProgramMissing:
        raise GitFailed("git is not installed", "Install git and try again.") from None
    if result.code != 0:
        raise _fetch_failure(Remote("the remote", url, "", tracked=False), result)


def _run(repository: Repository, arguments: Sequence[str], progress: Told | None) -> Result:
    watch = _Watcher(progress) if progress else None
    return repository.run(*_PROTOCOLS, *arguments, check=False, watch=watch)


def _verbosity(progress: Told | None) -> list[str]:
    return ["--progress"] if progress else ["--no-progress"]


class _Watcher:
    """Gives the last line of each piece of git's stderr to somebody, made safe."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._text = RemoteText()
        self._line = ""

    def __call__(self, piece: bytes) -> None:
        *lines, rest = (self._line + self._text(piece).decode()).split("\n")
        self._line = rest[-_LONGEST:]
        whole = [line for line in lines if line.strip()]
        if whole:
            self._told(whole[-1].strip())


def _lines(result: Result) -> list[str]:
    return _safe(os.fsdecode(result.err), keep="\n").split("\n")


def _safe(text: str, *, keep: str = "") -> str:
    from clave.model.text import printable

    without = re.sub(r"(\w://)[^/\s'@]*:[^/\s'@]*@", r"\1", text)  # a password that `insteadOf` has put in
    return printable(without.replace("\r", "\n"), keep=keep)


# What went wrong


def _fetch_failure(remote: Remote, result: Result) -> GitFailed | VerificationFailed | Busy | CannotWrite:
    words = "\n".join(_lines(result))
    if "couldn't find remote ref" in words:
        branch = remote.branch.removeprefix("refs/heads/")
        return NoBranch(f"{remote.shown} has no branch {branch}", "See what it has: clave git ls-remote.")
    if "shallow" in words:
        return _cut_off(remote)
    if "cannot lock ref" in words:
        return Rejected("another clave is fetching into this store", "Try again: clave sync.")
    if any(each in words for each in _BAD_OBJECTS):
        line = next(line for line in words.split("\n") if any(each in line for each in _BAD_OBJECTS))
        reason = line.removeprefix("error: ").removeprefix("fatal: ")
        return VerificationFailed(f"{remote.shown} sent what git refuses: {reason}", "Ask who runs it.")
    return _unreached(remote, "fetch", result)


def _cut_off(remote: Remote) -> VerificationFailed:
    return VerificationFailed(
        f"the history at {remote.shown} is cut off (a shallow clone), so it cannot be verified",
        "Use a remote with the whole history: git fetch --unshallow, there.",
    )


def _unreached(remote: Remote, command: str, result: Result) -> GitFailed | Busy | CannotWrite:
    lines = [line for line in _lines(result) if line.strip()]
    words = "\n".join(lines)
    reason = next((line for line in lines if line.startswith(("fatal:", "error:", "ssh:", "ERROR:"))), words[-200:])
    reason = re.sub(r"^(fatal|error|ERROR): ", "", reason).rstrip(".").replace(remote.url, shown(remote.url))
    denied = next((line for line in lines if any(each in line for each in _DENIED)), None)
    if denied:
        return GitFailed(
            f"{remote.shown} does not let you in: {re.sub('^(fatal|error|ERROR): ', '', denied).rstrip('.')}",
            "Check the URL and your credentials: clave git remote -v.",
        )
    if any(each in words for each in _AWAY):
        return Unreachable(f"{remote.shown} cannot be reached: {reason}", "Try again later: clave sync.")
    # The last line, which is told, is often a hint of git's.
    return failure(command, Result(result.code, b"", os.fsencode(f"{words}\n{reason}"), b""))
