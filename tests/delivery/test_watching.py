"""A program is started anew when one of its secrets has changed, and for nothing else."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clave.delivery import watching
from clave.delivery.watching import Values, Watch
from tests.delivery.conftest import alive, read_pid, wait_for

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Start = Callable[..., subprocess.Popen[bytes]]

# Tells the secret that it was started with, by both ways, and its process id in the file $0.
TELLS = 'echo "started $SECRET $(cat "$KEY")"; echo $$ >"$0"; exec sleep 600'


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text("first-value")
    return file


def set_to(file: Path, text: str) -> None:
    """Change a file as a store does: by a new one in its place."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.rename(file)


def line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


def told(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stderr is not None
    return process.stderr.readline()


def test_a_new_value_starts_the_program_anew(start: Start, secret: Path, pid_file: Path) -> None:
    process = start(mode="supervise", argv=["sh", "-c", TELLS, str(pid_file)], watch=str(secret))
    assert line(process) == b"started first-value first-value\n"
    first = read_pid(pid_file)
    set_to(secret, "second-value")
    assert told(process) == b"clave: the secrets have changed: starting again.\n"
    assert line(process) == b"started second-value second-value\n"
    assert not alive(first)
    process.terminate()
    assert process.wait() == 128 + signal.SIGTERM


def test_a_new_value_is_masked_from_then_on(start: Start, secret: Path, pid_file: Path) -> None:
    process = start(mode="supervise", argv=["sh", "-c", TELLS, str(pid_file)], watch=str(secret), mask=True)
    assert line(process) == b"started ******** ********\n"
    read_pid(pid_file)
    set_to(secret, "second-value")
    assert line(process) == b"started ******** ********\n"


def test_what_a_sync_brings_is_seen(start: Start, secret: Path, pid_file: Path, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    remote.write_text("first-value")
    process = start(mode="supervise", argv=["sh", "-c", TELLS, str(pid_file)], watch=str(secret), sync=str(remote))
    assert line(process) == b"started first-value first-value\n"
    set_to(remote, "pushed-value")
    assert line(process) == b"started pushed-value pushed-value\n"


def test_values_that_cannot_be_had_leave_the_program_as_it_is(start: Start, secret: Path, pid_file: Path) -> None:
    process = start(mode="supervise", argv=["sh", "-c", TELLS, str(pid_file)], watch=str(secret))
    line(process)
    first = read_pid(pid_file)
    for text, why in (
        ("fail-1", b"there is no entry fail-1."),
        ("crash-with-a-secret", b"internal error (RuntimeError)."),
        ("fail-2", b"there is no entry fail-2."),
    ):
        set_to(secret, text)
        assert told(process) == b"clave: the secrets stay as they were: " + why + b"\n"
    assert alive(first)
    set_to(secret, "second-value")
    assert line(process) == b"started second-value second-value\n"
    assert not alive(first)


def test_a_program_that_ends_by_itself_ends_clave(start: Start, secret: Path, pid_file: Path) -> None:
    process = start(mode="supervise", argv=["sh", "-c", "exit 3"], watch=str(secret))
    assert process.wait(60) == 3


def test_a_program_that_does_not_end_is_killed_after_its_grace(start: Start, secret: Path, pid_file: Path) -> None:
    script = "trap '' TERM; " + TELLS.replace("exec sleep 600", "while :; do sleep 0.1; done")
    process = start(mode="supervise", argv=["sh", "-c", script, str(pid_file)], watch=str(secret), grace=0.3)
    line(process)
    first = read_pid(pid_file)
    set_to(secret, "second-value")
    assert line(process) == b"started second-value second-value\n"
    assert not alive(first)
    process.terminate()
    assert process.wait(60) == 128 + signal.SIGKILL


def test_an_end_while_it_is_started_anew_is_the_end(start: Start, secret: Path, pid_file: Path) -> None:
    script = (
        "trap 'echo asked; while ! [ -e $0.go ]; do sleep 0.02; done; exit 4' TERM; trap '' INT\n"
        "echo $$ >$0; while :; do sleep 0.02; done"
    )
    process = start(mode="supervise", argv=["sh", "-c", script, str(pid_file)], watch=str(secret))
    read_pid(pid_file)
    set_to(secret, "second-value")
    assert line(process) == b"asked\n"
    process.send_signal(signal.SIGINT)
    wait_for(lambda: pending_is_taken(process.pid))
    Path(f"{pid_file}.go").touch()
    assert process.wait(60) == 4


def pending_is_taken(pid: int) -> bool:
    """Tell whether a process has read all signals that were sent to it."""
    status = Path(f"/proc/{pid}/status").read_text()
    return all(
        line.split()[1].strip("0") == "" for line in status.splitlines() if line.startswith(("SigPnd", "ShdPnd"))
    )


def test_no_file_and_no_process_is_left(start: Start, secret: Path, pid_file: Path) -> None:
    script = 'echo "$KEY"; ' + TELLS
    process = start(mode="supervise", argv=["sh", "-c", script, str(pid_file)], watch=str(secret))
    folder = Path(line(process).decode().strip()).parent
    line(process)
    read_pid(pid_file)
    set_to(secret, "second-value")
    assert Path(line(process).decode().strip()).parent == folder
    line(process)
    second = read_pid(pid_file)
    process.terminate()
    process.wait()
    assert not folder.exists()
    assert not alive(second)


class Clock:
    """Time that a test lets pass."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(watching.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def pass_time(clock: Clock, watch: Watch, seconds: float) -> list[Values]:
    """Let time pass as the supervisor does, and return what it would have been told."""
    found = []
    end = clock.now + seconds
    while clock.now < end:
        clock.now = max(clock.now, min(end, watch.due))
        if (values := watch.look()) is not None:
            found.append(values)
        while watch.source is not None:
            os.set_blocking(watch.source, True)
            values = watch.look()
            found += [values] if values is not None else []
    return found


def test_a_store_that_changes_all_the_time_does_not_start_it_each_time(clock: Clock, secret: Path) -> None:
    watch = Watch(
        lambda: [str(secret)], lambda: Values({b"A": secret.read_bytes()}), now=Values({b"A": b"first-value"})
    )
    starts = 0
    for number in range(100):
        secret.write_text(f"value-{number:05}" + "x" * number)
        starts += len(pass_time(clock, watch, 6))
    assert 5 < starts < 25
    clock.now += 1000
    secret.write_text("calm")
    assert pass_time(clock, watch, 6) == [Values({b"A": b"calm"})]


def test_a_change_of_a_file_that_changes_no_value_is_none(clock: Clock, secret: Path) -> None:
    looked = secret.with_name("looked")

    def resolve() -> Values:
        looked.touch()
        return Values({b"A": b"same"}, files={"F": b"x"})

    os.utime(secret, (1e9, 1e9))
    watch = Watch(lambda: [str(secret)], resolve, now=Values({b"A": b"same"}, files={"F": b"x"}))
    assert pass_time(clock, watch, 100) == []
    assert not looked.exists()  # nothing was decrypted while nothing changed
    secret.write_text("another, and longer")
    assert pass_time(clock, watch, 100) == []
    assert looked.exists()


def test_what_changed_while_it_was_resolved_is_seen(clock: Clock, secret: Path) -> None:
    watch = Watch(lambda: [str(secret)], lambda: Values({b"A": b"new"}), now=Values({b"A": b"old"}))
    assert pass_time(clock, watch, 10) == [Values({b"A": b"new"})]


def test_a_file_that_is_not_there_yet_counts(clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "later"
    watch = Watch(lambda: [str(file)], lambda: Values({b"A": b"new"}), now=Values({b"A": b"old"}))
    assert pass_time(clock, watch, 10) == []
    file.touch()
    assert pass_time(clock, watch, 10) == [Values({b"A": b"new"})]
