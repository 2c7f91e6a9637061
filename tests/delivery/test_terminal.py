"""A child on a terminal: colours, the window's size, ^C once, ^Z and `fg`, modes; with and without a mask."""

from __future__ import annotations

import os
import signal
import sys
import termios
from typing import TYPE_CHECKING, Any

import pexpect
import pytest

from tests.delivery.conftest import PATIENCE, alive, command, read_pid, wait_for
from tests.delivery.test_supervise import COUNTS, SECRET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Terminal = Callable[..., pexpect.spawn[bytes]]

PYTHON = sys.executable
HOW = [
    pytest.param({"mode": "replace"}, id="replace"),
    pytest.param({"mode": "supervise"}, id="supervise"),
    pytest.param({"mode": "supervise", "masks": [SECRET]}, id="mask"),
]
STAYS = HOW[1:]
# Without signalfd(2) and prctl(2), as on macOS.
PORTABLE = pytest.param({"mode": "supervise", "masks": [SECRET], "portable": True}, id="portable")


@pytest.fixture
def terminal(env: dict[str, str]) -> Iterator[Terminal]:
    """Return a function that runs the driver, or another command line, on a terminal of 30 lines and 100 columns."""
    open_: list[pexpect.spawn[bytes]] = []

    def begin(*line: str, **plan: Any) -> pexpect.spawn[bytes]:
        program, *arguments = line or command(**plan)
        spawned = pexpect.spawn(program, arguments, env=env, dimensions=(30, 100), timeout=PATIENCE)
        open_.append(spawned)
        return spawned

    yield begin
    for spawned in open_:
        if not spawned.closed:
            spawned.close(force=True)


def ended(spawned: pexpect.spawn[bytes]) -> int:
    """Wait for the end and return the exit code as a shell would tell it."""
    spawned.expect(pexpect.EOF)
    spawned.wait()
    return spawned.exitstatus if spawned.exitstatus is not None else 128 + (spawned.signalstatus or 0)


def shell_line(**plan: Any) -> str:
    return " ".join("'" + word.replace("'", "'\\''") + "'" for word in command(**plan))


@pytest.mark.parametrize("how", HOW)
def test_every_stream_is_a_terminal_of_the_windows_size(terminal: Terminal, how: dict[str, Any]) -> None:
    code = "import os, sys; print([(os.isatty(fd), tuple(os.get_terminal_size(fd))) for fd in (0, 1, 2)])"
    spawned = terminal(argv=[PYTHON, "-c", code], **how)
    spawned.expect_exact(str([(True, (100, 30))] * 3).encode() + b"\r\n")
    assert ended(spawned) == 0


@pytest.mark.parametrize("how", HOW)
def test_colours_and_the_ends_of_lines_are_as_without_clave(terminal: Terminal, how: dict[str, Any]) -> None:
    argv = ["sh", "-c", r"printf 'a\n\033[1;31mred\033[0m\r\nb\tc\rd\n'; ls --color=auto -d / >&2"]
    outputs = []
    for spawned in (terminal(*argv), terminal(argv=argv, **how)):
        outputs.append(spawned.read())
    assert outputs[0] == outputs[1]
    assert b"\x1b[0m" in outputs[0]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("code", [0, 3, 127])
def test_the_exit_code_is_the_childs(terminal: Terminal, how: dict[str, Any], code: int) -> None:
    assert ended(terminal(argv=["sh", "-c", f"exit {code}"], **how)) == code


@pytest.mark.parametrize("how", [*HOW, PORTABLE])
@pytest.mark.parametrize(("key", "name"), [(b"\x03", "SIGINT"), (b"\x1c", "SIGQUIT")])
def test_a_key_sends_its_signal_once(
    terminal: Terminal, pid_file: Path, how: dict[str, Any], key: bytes, name: str
) -> None:
    spawned = terminal(argv=[PYTHON, "-c", COUNTS, str(pid_file)], **how)
    pid = read_pid(pid_file)
    spawned.send(key)
    spawned.expect_exact({b"\x03": b"^C", b"\x1c": b"^\\"}[key])
    os.kill(pid, signal.SIGUSR2)
    spawned.expect_exact(f"{name}=1\r\n".encode())
    assert ended(spawned) == 0


@pytest.mark.parametrize("how", STAYS)
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"])
def test_a_signal_to_clave_reaches_the_child_once(
    terminal: Terminal, pid_file: Path, how: dict[str, Any], name: str
) -> None:
    spawned = terminal(argv=[PYTHON, "-c", COUNTS, str(pid_file)], **how)
    read_pid(pid_file)
    os.kill(spawned.pid, getattr(signal, name))
    os.kill(spawned.pid, signal.SIGUSR2)
    spawned.expect_exact(f"{name}=1\r\n".encode())
    assert ended(spawned) == 0


@pytest.mark.parametrize("how", [*HOW, PORTABLE])
def test_the_end_by_a_key_or_a_signal_is_told(terminal: Terminal, pid_file: Path, how: dict[str, Any]) -> None:
    for key, number in ((b"\x03", signal.SIGINT), (b"", signal.SIGTERM)):
        pid_file.unlink(missing_ok=True)
        spawned = terminal(argv=["sh", "-c", 'echo $$ >"$0"; exec sleep 600', str(pid_file)], **how)
        pid = read_pid(pid_file)
        if key:
            spawned.send(key)
        else:
            os.kill(spawned.pid, number)
        assert ended(spawned) == 128 + number
        wait_for(lambda pid=pid: not alive(pid))


RESIZES = """
import os, signal, sys
def tell(*_):
    sizes = [tuple(os.get_terminal_size(fd)) for fd in (0, 1, 2)]
    os.write(1, b"size %s %s %s\\n" % tuple(str(size).encode() for size in sizes))
signal.signal(signal.SIGWINCH, tell)
signal.signal(signal.SIGCONT, lambda *_: os.write(1, b"goes on\\n"))
tell()
while True: signal.pause()
"""


@pytest.mark.parametrize("how", [*HOW, PORTABLE])
def test_a_new_size_of_the_window_arrives(terminal: Terminal, how: dict[str, Any]) -> None:
    spawned = terminal(argv=[PYTHON, "-c", RESIZES], **how)
    spawned.expect_exact(b"size (100, 30) (100, 30) (100, 30)")
    spawned.setwinsize(24, 81)
    spawned.expect_exact(b"size (81, 24) (81, 24) (81, 24)")
    spawned.setwinsize(25, 82)
    spawned.expect_exact(b"size (82, 25) (82, 25) (82, 25)")


@pytest.mark.parametrize("how", HOW)
def test_stty_shows_the_new_size(terminal: Terminal, how: dict[str, Any]) -> None:
    spawned = terminal(
        argv=["sh", "-c", "trap 'stty size; stty size <&1' WINCH; echo ready; while :; do sleep 0.05; done"], **how
    )
    spawned.expect_exact(b"ready")
    spawned.setwinsize(24, 81)
    spawned.expect_exact(b"24 81\r\n24 81\r\n")


@pytest.mark.parametrize("how", [*HOW, PORTABLE])
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_job_is_stopped_and_goes_on(terminal: Terminal, how: dict[str, Any], shell: str, tmp_path: Path) -> None:
    """^Z, `fg`, ^Z, `bg`, `fg`, ^C; the child says that it goes on, and counts no signal that was not sent."""
    script = tmp_path / "child.py"
    script.write_text(
        "import os, signal\n"
        "signal.signal(signal.SIGCONT, lambda *_: os.write(1, b'goes on\\n'))\n"
        "print('ready', flush=True)\n"
        "while True: print('read', input(), flush=True)\n"
    )
    arguments = {"bash": ["--norc", "--noprofile", "-i"], "zsh": ["-f", "-i"], "fish": ["--no-config", "-i"]}[shell]
    spawned = terminal(shell, *arguments)
    spawned.sendline(b"echo sh''ell-is-there")
    spawned.expect_exact(b"shell-is-there")
    run = tmp_path / "run"
    run.write_text(f"#!/bin/sh\nexec {shell_line(argv=[PYTHON, str(script)], **how)}\n")
    run.chmod(0o755)
    spawned.sendline(str(run).encode())
    spawned.expect_exact(b"ready")
    for _ in range(2):
        spawned.sendline(b"one")
        spawned.expect(rb"(?s)(.*)read one")
        assert b"goes on" not in spawned.match[1]  # once
        spawned.send(b"\x1a")
        spawned.expect(rb"(?i)stopped|suspended")
        spawned.sendline(b"echo the-sh''ell-has-it; stty -a | tr ' ;' '\\n\\n' | grep -x -- icanon")
        spawned.expect_exact(b"the-shell-has-it")
        spawned.sendline(b"fg")
        spawned.expect_exact(b"goes on")
    spawned.send(b"\x03")
    spawned.expect_exact(b"KeyboardInterrupt")
    spawned.sendline(b"echo and-a''gain")
    spawned.expect_exact(b"and-again")


@pytest.mark.parametrize("how", HOW)
def test_a_program_that_reads_keys_and_echoes_nothing_works(terminal: Terminal, how: dict[str, Any]) -> None:
    code = (
        "import os, sys, termios, tty; before = termios.tcgetattr(0); tty.setraw(0)\n"
        "os.write(1, b'raw\\r\\n'); keys = b''.join(os.read(0, 1) for _ in range(3))\n"
        "termios.tcsetattr(0, termios.TCSANOW, before); print('keys', keys)"
    )
    spawned = terminal(argv=[PYTHON, "-c", code], **how)
    spawned.expect_exact(b"raw\r\n")
    spawned.send(b"x\x03\x1a")
    spawned.expect(rb"(?s)(.*)keys b'x\\x03\\x1a'\r\n")
    assert b"x" not in spawned.match[1]
    assert ended(spawned) == 0


@pytest.mark.parametrize("how", HOW)
def test_a_mode_that_is_set_by_the_output_is_the_real_terminals(terminal: Terminal, how: dict[str, Any]) -> None:
    """As curses does it."""
    code = (
        "import os, signal, sys, termios; before = termios.tcgetattr(1); mode = termios.tcgetattr(1)\n"
        "mode[3] &= ~(termios.ICANON | termios.ECHO); mode[0] &= ~termios.ICRNL\n"
        "termios.tcsetattr(1, termios.TCSADRAIN, mode); os.write(1, b'set\\n'); key = os.read(0, 1)\n"
        "termios.tcsetattr(1, termios.TCSADRAIN, before); print('got', key, flush=True); sys.stdin.readline()"
    )
    spawned = terminal(argv=[PYTHON, "-c", code], **how)
    before = termios.tcgetattr(spawned.child_fd)
    spawned.expect_exact(b"set\r\n")
    spawned.send(b"\r")
    spawned.expect(rb"(?s)(.*)got b'\\r'\r\n")
    assert spawned.match[1] == b""  # nothing was echoed
    wait_for(lambda: termios.tcgetattr(spawned.child_fd) == before)
    spawned.sendline(b"")
    assert ended(spawned) == 0


def test_a_mode_that_a_killed_program_has_left_is_undone(terminal: Terminal, pid_file: Path) -> None:
    code = (
        "import os, sys, termios, time, tty; tty.setraw(1); os.write(1, b'set'); "
        "open(sys.argv[1], 'w').write(f'{os.getpid()}\\n'); time.sleep(600)"
    )
    spawned = terminal(
        "bash",
        "--norc",
        "--noprofile",
        "-c",
        f"{shell_line(mode='supervise', argv=[PYTHON, '-c', code, str(pid_file)], masks=[SECRET])}; read x",
    )
    before = termios.tcgetattr(spawned.child_fd)
    pid = read_pid(pid_file)
    spawned.expect_exact(b"set")
    wait_for(lambda: not termios.tcgetattr(spawned.child_fd)[3] & termios.ICANON)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: termios.tcgetattr(spawned.child_fd) == before)


@pytest.mark.parametrize("how", HOW)
def test_a_password_prompt_on_dev_tty_works(terminal: Terminal, how: dict[str, Any]) -> None:
    code = "import getpass; print('got', len(getpass.getpass('Password: ')))"
    spawned = terminal(argv=[PYTHON, "-c", code], **how)
    spawned.expect_exact(b"Password: ")
    wait_for(lambda: not spawned.getecho())
    spawned.sendline(b"12345")
    spawned.expect(rb"(?s)(.*)got 5\r\n")
    assert b"12345" not in spawned.match[1]


def test_a_secret_on_a_terminal_is_masked_and_nothing_else_is_late(terminal: Terminal) -> None:
    line = f"printf 'Your name: '; read x; echo {SECRET} >&2; printf {SECRET[:9]}; read x; echo {SECRET[9:]}; echo end"
    spawned = terminal(mode="supervise", argv=["sh", "-c", line], masks=[SECRET])
    spawned.expect_exact(b"Your name: ")
    spawned.sendline(b"c")
    spawned.expect_exact(b"********\r\n")
    spawned.expect_exact(SECRET[:3].encode())
    spawned.sendline(b"")
    spawned.expect_exact(b"end")
    assert SECRET.encode() not in spawned.before
    assert ended(spawned) == 0


@pytest.mark.parametrize("how", STAYS)
def test_in_a_pipeline_the_pager_has_the_terminal(terminal: Terminal, how: dict[str, Any]) -> None:
    """The output goes to a program that reads keys from the terminal meanwhile."""
    pager = (
        "import os, sys; sys.stdin.readline(); tty = os.open('/dev/tty', os.O_RDWR); "
        "os.write(tty, b'key? '); print('key', os.read(tty, 9))"
    )
    child = shell_line(argv=["sh", "-c", "seq 100000; echo err >&2; exec sleep 0.1"], **how)
    spawned = terminal("bash", "--norc", "--noprofile", "-i")
    spawned.sendline(f'{child} | {PYTHON} -c "{pager}"'.encode())
    spawned.expect_exact(b"key? ")
    spawned.sendline(b"q")
    spawned.expect_exact(rb"key b'q\n'")


@pytest.mark.parametrize("how", HOW)
def test_a_shell_with_jobs_of_its_own_works(terminal: Terminal, how: dict[str, Any], tmp_path: Path) -> None:
    """In it a job has the terminal, and clave is in the background."""
    shell = shell_line(argv=["zsh", "-f", "-i"], **how)
    spawned = terminal("bash", "--norc", "--noprofile", "-i")
    spawned.sendline(shell.encode())
    spawned.sendline(b"PS1='inner> '; echo in''ner-is-there")
    spawned.expect_exact(b"inner-is-there\r\n")
    script = tmp_path / "resizes.py"
    script.write_text(RESIZES)
    spawned.sendline(f"{PYTHON} {script}".encode())
    spawned.expect_exact(b"size (100, 30) (100, 30) (100, 30)\r\n")
    spawned.setwinsize(24, 81)
    spawned.expect_exact(b"size (81, 24) (81, 24) (81, 24)\r\n")
    spawned.send(b"\x1a")
    spawned.expect_exact(b"suspended")
    spawned.sendline(b"jobs; echo still-in''ner")
    spawned.expect_exact(b"still-inner")
    spawned.sendline(b"fg")
    spawned.expect_exact(b"goes on\r\n")
    spawned.send(b"\x03")
    spawned.expect_exact(b"KeyboardInterrupt")
    spawned.sendline(b"exit 3")
    spawned.sendline(b"echo outer-$?")
    spawned.expect_exact(b"outer-3\r\n")


@pytest.mark.parametrize("how", [*HOW, PORTABLE])
def test_a_job_in_the_background_writes_and_comes_to_the_front(
    terminal: Terminal, how: dict[str, Any], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    script = "echo re''ady; while ! [ -e $0 ]; do sleep 0.05; done; echo fro''m-behind; read x; echo got-$x"
    run.write_text(f"#!/bin/sh\nexec {shell_line(argv=['sh', '-c', script, str(tmp_path / 'go')], **how)}\n")
    run.chmod(0o755)
    spawned = terminal("bash", "--norc", "--noprofile", "-i")
    spawned.sendline(f"{run} &".encode())
    spawned.expect_exact(b"ready\r\n")
    spawned.sendline(b"echo shell-re''ads")
    spawned.expect_exact(b"shell-reads\r\n")
    (tmp_path / "go").touch()
    spawned.expect_exact(b"from-behind\r\n")
    spawned.sendline(b"sleep 0.5; jobs")
    spawned.expect_exact(b"Stopped")  # it wants to read
    spawned.sendline(b"fg")
    spawned.expect_exact(str(run).encode())
    spawned.sendline(b"input")
    spawned.expect_exact(b"got-input\r\n")


def test_only_what_is_a_terminal_gets_one(terminal: Terminal, tmp_path: Path) -> None:
    code = "import os, sys; print(os.isatty(1)); print(os.isatty(0), os.isatty(1), os.isatty(2), file=sys.stderr)"
    out = tmp_path / "out"
    line = shell_line(mode="supervise", argv=[PYTHON, "-c", code], masks=[SECRET])
    spawned = terminal("sh", "-c", f"{line} >{out}")
    spawned.expect_exact(b"True False True\r\n")
    assert ended(spawned) == 0
    assert out.read_text() == "False\n"


@pytest.mark.parametrize("how", STAYS)
def test_a_window_that_is_closed_ends_the_child(terminal: Terminal, pid_file: Path, how: dict[str, Any]) -> None:
    spawned = terminal(argv=["sh", "-c", 'echo $$ >"$0"; exec sleep 600', str(pid_file)], **how)
    pid = read_pid(pid_file)
    clave = spawned.pid
    spawned.ptyproc.fileobj.close()
    spawned.closed = spawned.ptyproc.closed = True
    wait_for(lambda: not alive(pid))
    wait_for(lambda: not alive(clave))
