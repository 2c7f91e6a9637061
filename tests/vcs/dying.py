"""A writer that dies, or meets a full disk, at its Nth step. Run in a process of its own by test_crash.py.

The kind of a write is "git", "plain", "advance:COMMIT" or "merge:COMMIT", the fault "kill" or "full". The steps are
what Python tells its audit hooks of: each open for writing, link, rename, removal, new folder and started program,
just before it happens. Exit code 0: the write had fewer steps than N.
"""

from __future__ import annotations

import errno
import os
import signal
import sys

from clave.errors import ClaveError
from clave.vcs import transaction, unversioned
from clave.vcs.git import Repository

CHANGES = {"old.gpg": None, "deep/down/gone.gpg": None, "same/edited.gpg": b"new", "new/folder/made.gpg": b"made"}
BEFORE = {"old.gpg": b"old", "deep/down/gone.gpg": b"old too", "same/edited.gpg": b"before"}
STEPS = frozenset(("os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.posix_spawn", "os.symlink"))
FULL_STEPS = frozenset(("os.link", "os.mkdir", "os.symlink"))  # what a full disk refuses, beside open


def inject(fault: str, number: int) -> None:
    count = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        writes = event == "open" and isinstance(arguments[2], int) and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
        if not writes and event not in (STEPS if fault == "kill" else FULL_STEPS):
            return
        count += 1
        if count == number and fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if count == number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    sys.addaudithook(hook)


def main(store: str, kind: str, fault: str, number: int) -> int:
    """Write; return the exit code."""
    repository = Repository.find(store)
    inject(fault, number)
    try:
        operation, _, commit = kind.partition(":")
        if commit:
            assert repository is not None
            with transaction.begin(repository, store) as write:
                if operation == "advance":
                    write.advance(commit)
                else:
                    write.commit(CHANGES, "merge\n", parents=[commit])
        elif kind == "git":
            assert repository is not None
            with transaction.begin(repository, store) as write:
                write.require_unchanged(CHANGES)
                write.commit(CHANGES, "change\n")
        else:
            with unversioned.begin(store) as plain:
                plain.commit(CHANGES)
    except ClaveError as error:
        print(error.line())
        return error.exit_code
    return 0
