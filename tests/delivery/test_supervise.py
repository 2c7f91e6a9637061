"""A child of clave: its exit code, its signals, what it starts, and what happens when one of them is killed."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clave import ram
from tests.delivery.conftest import alive, command, read_pid, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    Start = Callable[..., subprocess.Popen[bytes]]

PYTHON = sys.executable
SECRET = "correct-horse-battery"

# A child that counts the signals that it gets, and tells them when it is told to end by USR2 (twice 0.1 s later).
COUNTS = """
import collections, os, signal, sys, time
counts = collections.Counter()
names = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGWINCH"]
for name in names:
    signal.signal(getattr(signal, name), lambda number, _: counts.update([signal.Signals(number).name]))
done = []
signal.signal(signal.SIGUSR2, lambda *_: done.append(1))
open(sys.argv[1], "w").write(f"{os.getpid()}\\n")
while not done:
    time.sleep(0.02)
time.sleep(0.3)
print(*[f"{name}={counts[name]}" for name in names if counts[name]])
"""


@pytest.mark.parametrize("masks", [[], [SECRET]])
@pytest.mark.parametrize("code", [0, 3, 127])
def test_the_exit_code_is_the_childs(start: Start, code: int, masks: list[str]) -> None:
    process = start(mode="supervise", argv=["sh", "-c", f"exit {code}"], masks=masks)
    process.communicate()
    assert process.returncode == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGSEGV])
def test_a_signal_is_128_and_its_number(start: Start, number: int) -> None:
    process = start(mode="supervise", argv=["sh", "-c", f"kill -{int(number)} $$"])
    process.communicate()
    assert process.returncode == 128 + number


def test_input_and_both_outputs_are_the_childs(start: Start) -> None:
    for masks in ([], ["nothing-of-it"]):
        process = start(mode="supervise", argv=["sh", "-c", "cat; echo err >&2"], masks=masks)
        assert process.communicate(b"in\n" * 100_000) == (b"in\n" * 100_000, b"err\n")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGWINCH"])
@pytest.mark.parametrize("portable", [False, True])
@pytest.mark.parametrize("masks", [[], [SECRET]])
def test_a_signal_reaches_the_child_once(
    start: Start, pid_file: Path, name: str, masks: list[str], portable: bool
) -> None:
    process = start(mode="supervise", argv=[PYTHON, "-c", COUNTS, str(pid_file)], masks=masks, portable=portable)
    read_pid(pid_file)
    os.killpg(process.pid, getattr(signal, name))
    process.send_signal(signal.SIGUSR2)
    assert process.communicate()[0] == f"{name}=1\n".encode()
    assert process.returncode == 0


def test_an_end_that_is_asked_for_takes_no_longer_than_its_grace(start: Start, pid_file: Path) -> None:
    code = (
        "import os, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "open(sys.argv[1], 'w').write(f'{os.getpid()}\\n')\nwhile True: time.sleep(1)"
    )
    process = start(mode="supervise", argv=[PYTHON, "-c", code, str(pid_file)], grace=0.5)
    pid = read_pid(pid_file)
    process.terminate()
    process.communicate()
    assert process.returncode == 128 + signal.SIGKILL
    assert not alive(pid)


def test_an_end_that_is_asked_for_leaves_the_child_its_time(start: Start, pid_file: Path) -> None:
    code = (
        "import os, signal, sys, time; ended = []; signal.signal(signal.SIGTERM, lambda *_: ended.append(1))\n"
        "open(sys.argv[1], 'w').write(f'{os.getpid()}\\n')\n"
        "while not ended: time.sleep(0.02)\n"
        "time.sleep(0.5); print('orderly'); sys.exit(3)"
    )
    process = start(mode="supervise", argv=[PYTHON, "-c", code, str(pid_file)])
    read_pid(pid_file)
    process.terminate()
    assert process.communicate()[0] == b"orderly\n"
    assert process.returncode == 3


# $1: a file for the process id of a grandchild that nobody waits for.
LEAVES = '(exec sh -c \'echo $$ >$0; exec sleep 600\' "$0" >/dev/null 2>&1) & while ! [ -s "$0" ]; do sleep 0.02; done'


@pytest.mark.parametrize("trap", ["", "trap '' TERM;"])
@pytest.mark.parametrize("portable", [False, True])
def test_what_a_child_leaves_is_gone_with_it(start: Start, pid_file: Path, trap: str, portable: bool) -> None:
    line = LEAVES.replace("exec sh -c '", f"exec sh -c '{trap} ")
    process = start(mode="supervise", argv=["sh", "-c", line, str(pid_file)], grace=0.3, portable=portable)
    process.communicate()
    assert process.returncode == 0
    assert not alive(int(pid_file.read_text()))


def test_what_a_shell_had_started_before_is_let_go(env: dict[str, str], pid_file: Path) -> None:
    line = shlex.join(command(mode="supervise", argv=["true"], grace=0.3))
    script = f"sleep 600 >/dev/null 2>&1 & echo $! >{pid_file}; exec {line}"
    subprocess.run(["sh", "-c", script], env=env, check=True)
    pid = int(pid_file.read_text())
    assert alive(pid)
    os.kill(pid, signal.SIGKILL)


def test_the_end_of_a_pipe_gets_everything(env: dict[str, str], tmp_path: Path) -> None:
    """In bash it is a child of what takes the shell's place."""
    line = shlex.join(command(mode="supervise", argv=["echo", "all of it"], masks=[SECRET]))
    script = f"exec {line} > >(sleep 0.5; cat >{tmp_path}/log; touch {tmp_path}/done)"
    subprocess.run(["bash", "-c", script], env=env, check=True)
    wait_for((tmp_path / "done").exists)
    assert (tmp_path / "log").read_text() == "all of it\n"


def test_a_daemon_is_let_go(start: Start, pid_file: Path) -> None:
    line = LEAVES.replace("(exec sh", "(exec setsid sh")
    process = start(mode="supervise", argv=["sh", "-c", line, str(pid_file)])
    process.communicate()
    pid = int(pid_file.read_text())
    assert alive(pid)
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("masks", [[], [SECRET]])
def test_a_daemon_that_keeps_the_output_does_not_keep_clave(start: Start, pid_file: Path, masks: list[str]) -> None:
    line = "setsid sh -c 'echo $$ >$0; exec sleep 600' $0 & while ! [ -s $0 ]; do sleep 0.02; done; echo done"
    with open(os.devnull, "wb") as null:
        process = start(mode="supervise", argv=["sh", "-c", line, str(pid_file)], masks=masks, popen={"stdout": null})
        assert process.wait(60) == 0
    os.kill(int(pid_file.read_text()), signal.SIGKILL)


def test_when_clave_is_killed_the_child_ends(start: Start, pid_file: Path) -> None:
    process = start(mode="supervise", argv=["sh", "-c", 'echo $$ >"$0"; exec sleep 600', str(pid_file)])
    pid = read_pid(pid_file)
    process.kill()
    process.wait()
    wait_for(lambda: not alive(pid))


@pytest.mark.parametrize("kills", [["clave"], ["child"], ["clave", "child"], ["child", "clave"]])
def test_no_file_is_left_after_the_next_command(
    start: Start, pid_file: Path, env: dict[str, str], kills: list[str]
) -> None:
    line = 'cat "$KEY"; echo "$KEY"; echo $$ >"$0"; exec sleep 600'
    process = start(mode="supervise", argv=["sh", "-c", line, str(pid_file)], files={"KEY": SECRET + "\n"})
    pids = {"child": read_pid(pid_file), "clave": process.pid}
    assert process.stdout is not None
    assert process.stdout.readline().decode() == SECRET + "\n"
    path = Path(process.stdout.readline().decode().strip())
    assert path.exists()
    assert path.is_relative_to(ram.folder() or "nowhere")
    for who in kills:
        os.kill(pids[who], signal.SIGKILL)
    process.wait()
    version = [sys.executable, "-m", "clave", "version"]
    assert subprocess.run(version, env=env, stdout=subprocess.DEVNULL, check=False).returncode == 0
    assert not path.parent.exists()
    wait_for(lambda: not alive(pids["child"]))


@pytest.mark.parametrize("end", ["exit 3", "kill -9 $$", "exec sleep 600"])
def test_files_are_gone_at_the_end(start: Start, end: str) -> None:
    process = start(mode="supervise", argv=["sh", "-c", f'echo "$KEY"; {end}'], files={"KEY": SECRET})
    assert process.stdout is not None
    path = Path(process.stdout.readline().decode().strip())
    if end.endswith("600"):
        process.terminate()
    process.wait()
    assert path.name == "KEY"
    assert not path.parent.exists()


def test_a_secret_is_masked_on_both_outputs_and_they_stay_apart(start: Start) -> None:
    line = f"echo a {SECRET} b; printf '{SECRET[:5]}'; sleep 0.3; echo '{SECRET[5:]}'; echo c {SECRET} >&2"
    process = start(mode="supervise", argv=["sh", "-c", line], masks=[SECRET])
    out, err = process.communicate()
    assert SECRET.encode() not in out + err
    assert out.splitlines()[0] == b"a ******** b"
    assert err == b"c ********\n"


def test_it_says_once_how_many_values_are_too_short(start: Start) -> None:
    process = start(mode="supervise", argv=["echo", "abc secret"], masks=["abc", "x", "secret"])
    out, err = process.communicate()
    assert out == b"abc ********\n"
    assert err == b"clave: 2 values are shorter than 6 characters and not masked.\n"


def test_outputs_that_are_the_same_file_keep_their_order(start: Start) -> None:
    line = "for i in 1 2 3 4 5 6 7 8 9; do echo out $i; echo err $i >&2; done"
    process = start(mode="supervise", argv=["sh", "-c", line], masks=[SECRET], popen={"stderr": subprocess.STDOUT})
    out, _ = process.communicate()
    assert out.decode().split("\n") == [f"{name} {i}" for i in range(1, 10) for name in ("out", "err")] + [""]


def test_a_reader_that_goes_away_ends_a_masked_child_too(env: dict[str, str]) -> None:
    line = " ".join(f"'{word}'" for word in command(mode="supervise", argv=["yes"], masks=[SECRET]))
    script = f"{line} | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGPIPE, b"y\n", b"")


def test_a_reader_that_takes_its_time_gets_everything(start: Start) -> None:
    process = start(mode="supervise", argv=["sh", "-c", "seq 200000"], masks=[SECRET])
    assert process.stdout is not None
    chunks = []
    while chunk := process.stdout.read(50_000):
        chunks.append(chunk)
    assert b"".join(chunks) == b"".join(b"%d\n" % i for i in range(1, 200_001))
