"""The bar of long work: on a terminal, after a while, gone at the end; nothing anywhere else."""

from __future__ import annotations

import subprocess
import sys

import pexpect

PROGRAM = """
import sys, time
from clave.cli import _progress
_progress._PATIENCE = float(sys.argv[1])
with _progress.Progress("re-encrypted") as progress:
    for done in range(1, 8):
        progress(done, 7)
        time.sleep(0.12)
print("rich" in sys.modules)
"""


def on_a_terminal(patience: str, **more: str) -> str:
    env = {"PATH": "/usr/bin:/bin", "TERM": "xterm", "LC_ALL": "C.UTF-8", **more}
    child = pexpect.spawn(sys.executable, ["-c", PROGRAM, patience], env=env, encoding="utf-8", timeout=20)
    child.expect(pexpect.EOF)
    child.wait()
    return str(child.before)


def test_a_bar_on_a_terminal_which_is_gone_at_the_end() -> None:
    text = on_a_terminal("0.1")
    assert "re-encrypted" in text
    assert "5/7" in text.replace(" ", "")
    # The last that is written erases the line (ECMA-48 EL) before anything else follows.
    assert "\x1b[2K" in text.rpartition("re-encrypted")[2]
    assert "\x1b[?25h" in text  # the cursor is shown again


def test_nothing_for_short_work() -> None:
    assert on_a_terminal("60").split() == ["False"]


def test_nothing_in_a_pipe() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, "0"], capture_output=True, check=True)
    assert (done.stdout.split(), done.stderr) == ([b"False"], b"")


REMOTE = """
import sys
from clave.cli import _remote
_remote._PATIENCE = float(sys.argv[1])
with _remote.Waiting() as wait:
    for line in ("Counting objects: 10%", "remote: \\x1b[31m" + "x" * 300, "Receiving objects: 99%"):
        wait(line)
print("done")
"""


def waiting(patience: str) -> str:
    env = {"PATH": "/usr/bin:/bin", "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    child = pexpect.spawn(
        sys.executable, ["-c", REMOTE, patience], env=env, encoding="utf-8", timeout=20, dimensions=(24, 80)
    )
    child.expect(pexpect.EOF)
    child.wait()
    return str(child.before)


def test_what_a_slow_remote_says_has_one_line_that_is_gone_at_the_end() -> None:
    text = waiting("0")
    assert "Receiving objects: 99%\r\x1b[2Kdone" in text
    assert "\x1b[31m" not in text
    assert all(len(line.strip()) < 80 for line in text.split("\x1b[2K"))
    assert waiting("60").split() == ["done"]


def test_what_a_slow_remote_says_is_not_for_a_pipe() -> None:
    done = subprocess.run([sys.executable, "-c", REMOTE, "0"], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"done\n", b"")
