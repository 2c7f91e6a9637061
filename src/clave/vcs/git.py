"""Running git on a store: which repository, in what environment, with which options.

A store is input from other people and its environment may be hostile, so git never runs a hook, a file
system monitor or an external diff for us, never follows a replaced object, and takes no repository, index
or configuration from the environment.
"""

from __future__ import annotations

import codecs
import os
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import Busy, CannotWrite, GitFailed, ProgramMissing
from clave.model.text import printable
from clave.process import Result, run, start, with_terminal
from clave.vcs.head import plain_head
from clave.vcs.lock import handed_on

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from clave.process import Running

# The variables of git that stay: how to reach a remote, who is writing, and the user's own tools.
_KEPT = frozenset(
    {
        "GIT_ASKPASS",
        "GIT_AUTHOR_DATE",
        "GIT_AUTHOR_EMAIL",
        "GIT_AUTHOR_NAME",
        "GIT_COMMITTER_DATE",
        "GIT_COMMITTER_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_EDITOR",
        "GIT_HTTP_PROXY_AUTHMETHOD",
        "GIT_HTTP_USER_AGENT",
        "GIT_PAGER",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
        "GIT_SSL_CAINFO",
        "GIT_SSL_CAPATH",
        "GIT_TERMINAL_PROMPT",
    }
)

# What every git of ours gets before its command.
OPTIONS = (
    "--literal-pathspecs",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "core.fsync=all",
    "-c", "gpg.format=openpgp",
)  # fmt: skip

# What git says of a disk that takes no more; sometimes in words of its own instead of the system's.
_FULL = (
    "No space left on device", "Read-only file system", "Disk quota", "Out of diskspace",
    "unable to write new", "couldn't write", "unable to append",
)  # fmt: skip


def environment() -> dict[str, str]:
    """Return our environment for a git that the user asked for: without the GIT_* that redirect it."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_") or key in _KEPT}
    env["GIT_NO_REPLACE_OBJECTS"] = "1"
    return with_terminal(env)  # it may sign


# The commands of git that speak with a remote, and the options before a command that have a value of their own.
_REMOTE = frozenset(("archive", "clone", "fetch", "ls-remote", "pull", "push", "remote", "submodule"))
_WITH_VALUE = frozenset(("-C", "-c", "--config-env", "--exec-path", "--git-dir", "--namespace", "--work-tree"))


_MOVING = frozenset(("merge", "pull", "rebase", "reset"))
_ENDING = frozenset(("--abort", "--quit"))


def speaks_with_remote(arguments: Sequence[str], settings: Mapping[str, str]) -> bool:
    """Tell whether a command line of git (without `git`) may show what a remote says; an alias may be any command."""
    word, _ = _command(arguments)
    return word in _REMOTE or f"alias.{word.lower()}" in settings


def moves_head(arguments: Sequence[str], settings: Mapping[str, str]) -> str | None:
    """Return the command (pull, merge, rebase, reset) as which a command line of git brings in or drops commits.

    It may hide behind aliases, also those that the line itself defines. None: it is another one, or only ends one.
    """
    for _ in range(len(settings) + 1):
        word, rest = _command(arguments)
        if word in _MOVING:
            return None if _ENDING & {*rest} else word
        alias = {**settings, **_defined(arguments)}.get(f"alias.{word.lower()}")
        if alias is None:
            return None
        if alias.lstrip().startswith("!"):
            words = "".join(c if c.isalnum() or c in "-_" else " " for c in alias).split()
            return next((each for each in words if each in _MOVING), None)
        arguments = [*alias.split(), *rest]
    return None


def _command(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """Return the command of a command line, and what follows it."""
    words = iter(arguments)
    for word in words:
        if word in _WITH_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            return word, list(words)
    return "", []


def _defined(arguments: Sequence[str]) -> dict[str, str]:
    """Return the settings that a command line makes itself (`-c key=value`)."""
    found: dict[str, str] = {}
    for at, option in enumerate(arguments[:-1]):
        key, _, text = arguments[at + 1].partition("=")
        if option == "-c":
            found[key.lower()] = text
        elif option == "--config-env":
            found[key.lower()] = os.environ.get(text, "")
    return found


class RemoteText:
    """Makes what a remote says safe to show, piece by piece: it comes as git's own stderr, control bytes and all."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def __call__(self, piece: bytes) -> bytes:
        """Return a piece made safe; a character that is cut in two waits for the next piece."""
        text = self._decoder.decode(piece).replace("\r\n", "\n").replace("\r", "\n")
        return printable(text, keep="\n\t").encode()


class Repository(NamedTuple):
    """A git repository: its work tree and the directory of its HEAD and index, both absolute."""

    work_tree: str
    git_dir: str

    @classmethod
    def find(cls, folder: str, *, top: str = "/") -> Repository | None:
        """Return the innermost repository whose work tree holds `folder` (which need not exist yet).

        Looks no higher than `top`. Starts no process.
        """
        current, top = os.path.realpath(folder), os.path.realpath(top)
        while True:
            git_dir = _git_dir(os.path.join(current, ".git"))
            if git_dir is not None:
                return cls(current, git_dir)
            if current in (top, "/"):
                return None
            current = os.path.dirname(current)

    def run(
        self,
        *args: str,
        input: bytes = b"",  # noqa: A002 - as in process.run
        check: bool = True,
        env: Mapping[str, str] | None = None,
        watch: Callable[[bytes], object] | None = None,
    ) -> Result:
        """Run git here with clave's options; `env` adds variables, `watch` sees its stderr as it comes.

        Raises GitFailed with git's own last words unless `check` is false, CannotWrite for a full disk.
        """
        with self.start(*args, input=input, env=env, watch=watch) as git:
            result = git.finish()
        if check and result.code != 0:
            raise failure(next(arg for arg in args if not arg.startswith("-")), result)
        return result

    def start(
        self,
        *args: str,
        input: bytes,  # noqa: A002 - as in process.start
        env: Mapping[str, str] | None = None,
        limit: int | None = None,
        watch: Callable[[bytes], object] | None = None,
    ) -> Running:
        """Start git as `run` does, without waiting for it; for a `with` statement. Raises GitFailed without git.

        `limit` caps what it may write, in bytes; `watch` sees its stderr as it comes.
        """
        argv = ["git", "-C", self.work_tree, *OPTIONS, *args]
        env = {**environment(), "LC_ALL": "C", **(env or {})}
        try:
            with handed_on():
                return start(argv, input=input, env=env, limit=limit, watch=watch)
        except ProgramMissing:
            raise GitFailed("git is not installed", "Install git and try again.") from None

    def text(self, *args: str) -> str:
        """Run git and return its output as text without the final newline."""
        return os.fsdecode(self.run(*args).out).removesuffix("\n")

    def relative(self, path: str) -> str:
        """Return an absolute path as git writes it: relative to the work tree, with slashes."""
        folder, base = os.path.split(path)
        return os.path.relpath(os.path.join(os.path.realpath(folder), base), self.work_tree)

    def tracks(self, path: str) -> bool:
        """Tell whether the absolute `path` is in the index."""
        return self.run("ls-files", "--error-unmatch", "--", self.relative(path), check=False).code == 0

    def head(self) -> str | None:
        """Return the commit id of HEAD, or None on a branch without commits."""
        plain = plain_head(self.git_dir)
        if plain is not None:
            return plain
        result = self.run("rev-parse", "-q", "--verify", "HEAD^{commit}", check=False)
        return result.out.decode().strip() if result.code == 0 else None

    @property
    def common_dir(self) -> str:
        """The directory of what all work trees of the repository share."""
        try:
            with open(os.path.join(self.git_dir, "commondir"), encoding="utf-8") as file:
                return os.path.join(self.git_dir, file.read().strip())
        except FileNotFoundError:
            return self.git_dir

    def settings(self) -> dict[str, str]:
        """Return the user's effective git configuration, keys in lower case as git prints them."""
        fields = os.fsdecode(self.run("config", "--list", "-z").out).split("\0")[:-1]
        # What stands on the command line comes last: that is ours.
        pairs = (field.partition("\n") for field in fields[: -OPTIONS.count("-c")])
        return {key: value for key, _, value in pairs}


def _git_dir(path: str) -> str | None:
    """Return the git directory behind a `.git`: itself, or what a `gitdir:` file of a linked work tree names."""
    if os.path.isdir(path):
        # One that may not be looked into is a repository too: a write must fail there, not go past git.
        return path if not os.access(path, os.X_OK) or os.path.lexists(os.path.join(path, "HEAD")) else None
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            line = file.readline()
    except OSError:
        return None
    if not line.startswith("gitdir: "):
        return None
    return os.path.realpath(os.path.join(os.path.dirname(path), line[8:].rstrip("\n")))


def failure(command: str, result: Result) -> GitFailed | CannotWrite | Busy:
    """Return the error for a git command that failed: its last words, and what to do where that is known."""
    words = os.fsdecode(result.err).strip()
    last = words.splitlines()[-1] if words else f"exit code {result.code}"
    if any(reason in words for reason in _FULL):
        return CannotWrite(f"git could not write: {last}", "Free some space and try again; nothing was lost.")
    if "insufficient permission" in words or ("Permission denied" in words and "unable to" in words):
        return CannotWrite(f"git could not write: {last}", "Check the permissions of the store.")
    before, exists, _ = words.partition(".lock': File exists")
    if exists:
        lock = f"{before.rpartition('/')[2]}.lock"
        return Busy(f"git is busy in this store: its {lock} exists", "Try again; if no git runs: clave doctor --fix.")
    hint = None
    if "gpg failed to sign" in words:
        last = "gpg did not sign: the passphrase or PIN was not given, or the key cannot be used"
        hint = "Try again; see what is wrong: clave doctor."
    if "dubious ownership" in words:
        last = "the repository belongs to another user"
        hint = "If you trust it: git config --global --add safe.directory FOLDER."
    return GitFailed(f"git {command} failed: {last}", hint)


def running_in(repository: Repository) -> list[str]:
    """Return the ids of the user's processes of git that may be at work in a repository."""
    return [pid for pid, folder in _git_processes() if _may_be_in(folder, repository)]


def _git_processes() -> list[tuple[str, str | None]]:
    """Return the user's processes of git: id, and working directory if the system tells it."""
    if not os.path.isdir("/proc/self"):  # macOS
        rows = os.fsdecode(run(["ps", "-U", str(os.getuid()), "-o", "pid=,comm="]).out).split("\n")
        parts = (row.strip().partition(" ") for row in rows)
        return [(pid, None) for pid, _, path in parts if _is_git(os.path.basename(path))]
    found: list[tuple[str, str | None]] = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{pid}").st_uid == os.getuid():
                with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
                    if _is_git(file.read().strip()):
                        found.append((pid, os.readlink(f"/proc/{pid}/cwd")))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        except PermissionError:
            found.append((pid, None))
    return found


def _is_git(program: str) -> bool:
    return program == "git" or program.startswith("git-")


def _may_be_in(folder: str | None, repository: Repository) -> bool:
    """Tell whether a git with this working directory can be at work in the repository."""
    if folder is None:
        return True
    tops = (repository.work_tree, os.path.realpath(repository.git_dir))
    return any(folder == top or folder.startswith(top + "/") for top in tops)
