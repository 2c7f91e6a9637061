"""Time two programs in alternating pairs, and tell what memory, processes and operations of the agent they take."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from table import Counts, Measured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Unavailable(Exception):
    """Raised where a row cannot be measured on this machine; says why."""


class Side(Protocol):
    """One of the two that a row compares."""

    def check(self) -> None:
        """Run once, untimed, and raise RuntimeError unless the answer is the expected one."""

    def once(self) -> float:
        """Run once and return how many seconds it took."""

    def memory(self) -> int | None:
        """Return the peak memory of the largest process in megabytes."""

    def counts(self) -> Counts:
        """Return what a run starts and asks for."""

    def close(self) -> None:
        """End what still runs."""


def in_pairs(ours: Side, theirs: Side, pairs: int) -> tuple[Measured, Measured]:
    """Measure both sides: A B, B A, A B, …"""
    sides = (ours, theirs)
    seconds: dict[Side, list[float]] = {ours: [], theirs: []}
    for side in sides:
        side.check()
    for number in range(pairs):
        for side in sides if number % 2 == 0 else reversed(sides):
            seconds[side].append(side.once())
    first, second = (Measured(seconds[side], side.memory(), side.counts()) for side in sides)
    return first, second


@dataclass(frozen=True, eq=False)
class Command:
    """A program that is started anew for each run; `shows` must be in what it prints."""

    argv: list[str]
    env: Mapping[str, str]
    shows: bytes
    stdin: Path = Path(os.devnull)

    def check(self) -> None:
        """See that it ends with 0 and prints what it should."""
        done = self._run(self.argv)
        if done.returncode or self.shows not in done.stdout:
            said = (done.stdout + done.stderr).decode(errors="replace")
            raise RuntimeError(f"{' '.join(self.argv)}: exit {done.returncode}, {said[-500:]!r}")

    def once(self) -> float:
        """Run it and wait for it, and for nothing else; its output goes nowhere."""
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, self.stdin, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
        program = shutil.which(self.argv[0], path=self.env["PATH"]) or self.argv[0]
        start = time.perf_counter()
        child = os.posix_spawn(program, self.argv, self.env, file_actions=actions)
        _, status, _ = os.wait4(child, 0)
        seconds = time.perf_counter() - start
        if status:
            raise RuntimeError(f"{' '.join(self.argv)}: exit {os.waitstatus_to_exitcode(status)}")
        return seconds

    def memory(self) -> int | None:
        """Run it once more, under zsh's `time`."""
        # The peak that wait4 tells for a child of ours is never less than our own: Linux counts the memory that a
        # child shares with its parent until it execs. A child of zsh, which is small, has its own peak told.
        if not shutil.which("zsh"):
            return None
        done = self._run(["zsh", "-f", "-c", 'TIMEFMT="%M"; time "$@" >/dev/null 2>&1', "zsh", *self.argv])
        return int(done.stderr)

    def counts(self) -> Counts:
        """Run it once more, under strace."""
        return traced(lambda tracer: self._run([*tracer, *self.argv]))

    def close(self) -> None:
        """Do nothing: each run has ended."""

    def _run(self, argv: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
        with self.stdin.open("rb") as stdin:
            return subprocess.run(argv, stdin=stdin, env=self.env, capture_output=True, check=False)


@dataclass(frozen=True, eq=False)
class Anew:
    """A program that changes what it works on: each run gets an environment of its own, made outside of the timing.

    `proves` looks at what the checked run has left, and raises RuntimeError if that is not as it should be.
    """

    argv: list[str]
    make: Callable[[], Mapping[str, str]]
    proves: Callable[[Mapping[str, str]], None]

    def check(self) -> None:
        """See that it ends with 0 and has done what it should."""
        command = self._command()
        command.check()
        self.proves(command.env)

    def once(self) -> float:
        """Run it; the disk has nothing else to do meanwhile."""
        command = self._command()
        os.sync()
        return command.once()

    def memory(self) -> int | None:
        """Run it once more, as `Command` does."""
        return self._command().memory()

    def counts(self) -> Counts:
        """Run it once more, as `Command` does."""
        return self._command().counts()

    def close(self) -> None:
        """Do nothing: each run has ended."""

    def _command(self) -> Command:
        return Command(self.argv, self.make(), b"")


_TRACED = "trace=exit_group,execve,write,writev,sendto,sendmsg"


def traced(run: Callable[[Sequence[str]], object]) -> Counts:
    """Count what a run does, which is given the words to put before its own; nothing is known without strace."""
    if not shutil.which("strace"):
        return Counts()
    with tempfile.NamedTemporaryFile("r", prefix="cb-", errors="replace") as log:
        run(["strace", "-f", "--seccomp-bpf", "-q", "-s", "512", "-e", _TRACED, "-e", "signal=none", "-o", log.name])
        processes = gpg = agent = 0
        starting = set()  # whose call to become gpg another process's line has cut in two
        for line in log:
            pid = line.split(" ", 1)[0]
            # Threads end with another call than processes do.
            processes += "exit_group(" in line or "+++ killed" in line
            agent += "PKDECRYPT" in line
            if ("execve(" in line and '/gpg"' in line) or ("execve resumed" in line and pid in starting):
                starting.discard(pid)
                if "<unfinished" in line:
                    starting.add(pid)
                gpg += line.endswith("= 0\n")
    return Counts(processes, gpg, agent) if processes else Counts()
