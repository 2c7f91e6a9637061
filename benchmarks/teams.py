"""The rows of team stores: what verification costs, and what a new member does."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from measure import Anew, Command, Side
from stage import entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stage import Stage


def showing(stage: Stage) -> tuple[Side, Side]:
    """Show an entry of a team store, with clave, which looks whether HEAD is verified, and with pass."""
    env = stage.env(stage.team(1_000))
    shows = b"correct-horse-3"
    return Command(["clave", "show", entry(3)], env, shows), Command(["pass", "show", entry(3)], env, shows)


def verifying(stage: Stage) -> tuple[Side, Side]:
    """Verify all of a history, and have git show its signatures."""
    store = stage.signed()
    env = stage.env(store)
    log = ["git", "-C", str(store), "log", "--show-signature"]
    return Command(["clave", "verify", "--all"], env, b"verified up to"), Command(log, env, b"gpg: Good signature")


def verifying_nothing(stage: Stage) -> tuple[Side, Side]:
    """Verify where nothing is new, and do nothing."""
    env = stage.env(stage.signed())
    return Command(["clave", "verify"], env, b"verified up to"), Command(["/bin/true"], env, b"")


def inserting(stage: Stage) -> tuple[Side, Side]:
    """Insert into a team store: signed, verified and pinned; pass inserts into a plain one, and signs nothing."""
    given = stage.file("stdin", "correct-horse\nuser: me\n")
    argv = ["insert", "-m", "-f", "bench/inserted"]
    ours = Command(["clave", *argv], stage.env(stage.team(1_000)), b"", given)
    return ours, Command(["pass", *argv], stage.env(stage.copy(1_000)), b"", given)


def approving(stage: Stage) -> tuple[Side, Side]:
    """Let a member in who reads all of 1,000 entries; pass adds a reader."""
    reader = stage.reader()
    exported = subprocess.run(
        ["gpg", "--armor", "--export", reader], env=stage.env(), capture_output=True, text=True, check=True
    )
    key = stage.file("reader.asc", exported.stdout)
    granted = ["--read", ".", "--request", reader, "--sure"]

    def encrypted(env: Mapping[str, str]) -> None:
        argv = ["gpg", "--batch", "--list-only", "--list-packets", f"{env['PASSWORD_STORE_DIR']}/{entry(99)}.gpg"]
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
        if done.stdout.count(":pubkey enc packet:") != 2:
            raise RuntimeError(f"not encrypted to two readers: {done.stdout[:500]!r}")

    ours = Anew(
        ["clave", "team", "approve", "newcomer", str(key), *granted], lambda: stage.env(stage.team(1_000)), encrypted
    )
    readers = [*stage.readers(1_000), reader]
    return ours, Anew(["pass", "init", *readers], lambda: stage.env(stage.copy(1_000)), encrypted)
