"""The rows of the table. To add one: write a function that makes its two sides, and a line in ROWS."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import lifecycle
import programs
import teams
from measure import Anew, Command, Side
from shells import SHELLS, completion
from stage import SIZES, Stage, entry

Sides = Callable[[Stage], tuple[Side, Side]]


@dataclass(frozen=True)
class Row:
    """What to measure.

    `limit` is how many times the rival's time clave may take, `beyond` how many seconds more than it; None where
    nothing was promised.
    """

    name: str
    says: str
    limit: float | None
    sides: Sides
    pairs: int = 40
    rival: str = "pass"
    beyond: float | None = None


def reading(which: int | str, *argv: str, shows: str) -> Sides:
    """Run the same command line with clave and with pass on the same store."""

    def sides(stage: Stage) -> tuple[Side, Side]:
        env = stage.env(stage.store(which))
        return Command(["clave", *argv], env, shows.encode()), Command(["pass", *argv], env, shows.encode())

    return sides


def writing(*argv: str, stdin: str = "") -> Sides:
    """Run the same command line with clave and with pass, each in a copy of one git repository of its own."""

    def sides(stage: Stage) -> tuple[Side, Side]:
        given = stage.file("stdin", stdin)

        def side(program: str) -> Side:
            return Command([program, *argv], stage.env(stage.copy(1_000, program)), b"", given)

        return side("clave"), side("pass")

    return sides


def new_reader(which: int | str) -> Sides:
    """Add a reader to a store, with `init`."""

    def sides(stage: Stage) -> tuple[Side, Side]:
        readers = [*stage.readers(which), stage.reader()]

        def encrypted(env: Mapping[str, str]) -> None:
            argv = ["gpg", "--batch", "--list-only", "--list-packets", f"{env['PASSWORD_STORE_DIR']}/{entry(99)}.gpg"]
            done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
            if done.stdout.count(":pubkey enc packet:") != len(readers):
                raise RuntimeError(f"not encrypted to {len(readers)} readers: {done.stdout[:500]!r}")

        def side(program: str) -> Side:
            return Anew([program, "init", *readers], lambda: stage.env(stage.copy(which)), encrypted)

        return side("clave"), side("pass")

    return sides


def growth(stage: Stage) -> tuple[Side, Side]:
    """Search 10,000 entries, and 1,000."""
    ours, fewer = (Command(["clave", "grep", "needle"], stage.env(stage.store(n)), b"0007") for n in (10_000, 1_000))
    return ours, fewer


def checking(stage: Stage) -> tuple[Side, Side]:
    """Compare recipients, and do nothing."""
    env = stage.env(stage.store(10_000))
    return Command(["clave", "rekey", "--check"], env, b""), Command(["clave", "version"], env, b"clave")


def listing(size: int) -> Row:
    return Row(
        f"ls-{size}",
        f"the tree of a store with {size:,} entries.",
        1.0 if size == max(SIZES) else None,
        reading(size, "ls", shows=Path(entry(size - 1)).name),
        pairs=20,
    )


def completing(shell: str) -> Row:
    return Row(
        f"tab-{shell}",
        f"TAB completion of the names of one folder, in a store with 10,000 entries, measured inside {shell}.",
        1.0,
        lambda stage: (completion(stage, shell, "clave"), completion(stage, shell, "pass")),
        pairs=20,
    )


ROWS = (
    Row(
        "show",
        "decrypt one entry of a store with 1,000 entries.",
        1.0,
        reading(1_000, "show", entry(3), shows="correct-horse-3"),
    ),
    *(listing(size) for size in SIZES),
    Row(
        "find",
        "search for a term, which is in 19 names of 10,000.",
        1.0,
        reading(10_000, "find", "742", shows=Path(entry(7_420)).name),
        pairs=20,
    ),
    Row(
        "exec",
        f"start a program with the {programs.MANY} secrets of a manifest; pass shows one.",
        3.0,
        programs.starting,
    ),
    Row(
        "insert",
        "put two lines from stdin into a store with git and 1,000 entries, and the commit.",
        2.0,
        writing("insert", "-m", "-f", "bench/inserted", stdin="correct-horse\nuser: me\n"),
        pairs=20,
    ),
    Row(
        "generate",
        "generate a password of 24 characters in a store with git and 1,000 entries, and the commit.",
        2.0,
        writing("generate", "-f", "bench/generated", "24"),
        pairs=20,
    ),
    Row(
        "grep",
        "search for a word in 1,000 decrypted entries; 125 have it.",
        0.1,
        reading(1_000, "grep", "needle", shows="service-0007"),
        pairs=3,
    ),
    Row(
        "grep-rsa",
        "the same of 100 entries that are encrypted to an RSA key of 4,096 bits.",
        None,
        reading("rsa", "grep", "needle", shows="service-0007"),
        pairs=5,
    ),
    Row(
        "grep-ten",
        "the same of 100 entries that ten people read.",
        None,
        reading("ten", "grep", "needle", shows="service-0007"),
        pairs=5,
    ),
    Row(
        "grep-growth",
        "clave searches 10,000 entries; the other is clave, which searches 1,000.",
        10.0,
        growth,
        pairs=5,
        rival="clave",
    ),
    Row(
        "reader-1000",
        "add a second reader to 1,000 entries in git: init, and the commit.",
        1 / 15,
        new_reader(1_000),
        pairs=3,
    ),
    Row("reader-rsa", "the same with 100 entries of an RSA key of 4,096 bits.", None, new_reader("rsa"), pairs=3),
    Row("reader-ten", "an eleventh reader for 100 entries that ten people read.", None, new_reader("ten"), pairs=3),
    Row(
        "rekey-check",
        "compare the recipients of 10,000 entries with their .gpg-id; the other is `clave version`, a start alone.",
        None,
        checking,
        pairs=20,
        rival="version",
        beyond=0.3,
    ),
    Row(
        "team-show",
        "decrypt one entry of a team store with 1,000 entries, whose HEAD must be the verified one.",
        1.0,
        teams.showing,
    ),
    Row(
        "team-insert",
        "insert into a team store: signed, judged and pinned; pass does none of this.",
        None,
        teams.inserting,
        pairs=10,
    ),
    Row(
        "team-approve",
        "let a member into a team who reads all of 1,000 entries; pass adds a reader with `init`.",
        1 / 15,
        teams.approving,
        pairs=3,
    ),
    Row(
        "verify-all",
        "verify a history of 2,000 signed commits; the other is `git log --show-signature`.",
        1 / 20,
        teams.verifying,
        pairs=3,
        rival="git",
    ),
    Row(
        "verify-new",
        "verify the same where nothing is new; the other is `true`, a start of nothing.",
        None,
        teams.verifying_nothing,
        pairs=20,
        rival="true",
        beyond=0.15,
    ),
    Row(
        "due-first",
        "what is due in 10,000 entries and commits, nothing remembered; the other is `true`, a start of nothing.",
        None,
        lifecycle.due_first,
        pairs=5,
        rival="true",
        beyond=0.5,
    ),
    Row("due-again", "the same again.", None, lifecycle.due_again, pairs=20, rival="true", beyond=0.15),
    Row(
        "exposure",
        "what somebody knows who once read all of these entries.",
        None,
        lifecycle.exposure,
        pairs=5,
        rival="true",
        beyond=2.0,
    ),
    Row(
        "import",
        f"import {lifecycle.IMPORTED:,} entries of another manager as one commit.",
        None,
        lifecycle.importing,
        pairs=3,
        rival="true",
        beyond=10.0,
    ),
    *(completing(shell) for shell in SHELLS),
)
