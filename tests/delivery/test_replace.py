"""A program in the place of clave: all that a program can see is as it would be without clave."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.delivery.conftest import command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PYTHON = sys.executable


def replaced(env: dict[str, str], *argv: str, popen: dict[str, Any] | None = None, **plan: Any) -> Any:
    return subprocess.run(
        command(mode="replace", argv=argv, **plan), env=env, capture_output=True, check=False, **(popen or {})
    )


@pytest.mark.parametrize("code", [0, 3, 255])
def test_the_exit_code_is_the_programs(env: dict[str, str], code: int) -> None:
    assert replaced(env, "sh", "-c", f"exit {code}").returncode == code


def test_a_signal_ends_it_as_it_ends_the_program(env: dict[str, str]) -> None:
    assert replaced(env, "sh", "-c", "kill -TERM $$").returncode == -signal.SIGTERM


def test_it_is_the_same_process(start: Callable[..., subprocess.Popen[bytes]]) -> None:
    process = start(mode="replace", argv=["sh", "-c", "echo $$"])
    assert process.communicate()[0] == b"%d\n" % process.pid


def test_arguments_arrive_as_they_are(env: dict[str, str]) -> None:
    arguments = ["", " a  b ", "$HOME", "`x`", "'\"", "\n", "é", "\udcff", "--", "-x"]
    code = "import sys; print(ascii(sys.argv[1:]))"
    assert replaced(env, PYTHON, "-c", code, *arguments).stdout.decode().strip() == ascii(arguments)


@pytest.mark.parametrize(
    ("argv", "code", "text"),
    [
        (["no-such-program"], 127, b"'no-such-program' was not found"),
        (["./no/such"], 127, b"'./no/such' was not found"),
        ([""], 127, b"'' was not found"),
        (["/etc/passwd"], 126, b"'/etc/passwd' cannot be run: it is not executable"),
        (["/etc"], 126, b"'/etc' cannot be run: it is a folder"),
        (["/dev/null"], 126, b"'/dev/null' cannot be run: it is no program"),
    ],
)
@pytest.mark.parametrize("mode", ["replace", "supervise"])
def test_what_cannot_be_run_is_told_in_one_line(
    env: dict[str, str], argv: list[str], code: int, text: bytes, mode: str
) -> None:
    done = subprocess.run(command(mode=mode, argv=argv), env=env, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (code, b"")
    assert text in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("mode", ["replace", "supervise"])
@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"#!/no/such/interpreter\n", 126, b"the interpreter that it names is not there"),
        (b"\x7fELF\0\0\0\0", 126, b"no program for this machine"),
        (b"echo from sh $1; exit 5\n", 5, b""),
        (b"#!/bin/sh\nexit 6\n", 6, b""),
    ],
)
def test_a_file_is_run_as_a_shell_runs_it(
    env: dict[str, str], tmp_path: Path, mode: str, content: bytes, code: int, says: bytes
) -> None:
    script = tmp_path / "script"
    script.write_bytes(content)
    script.chmod(0o755)
    plan = command(mode=mode, argv=["script", "one"])
    done = subprocess.run(plan, env={**env, "PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, check=False)
    assert done.returncode == code
    assert says in done.stderr
    if code == 5:
        assert done.stdout == b"from sh one\n"


@pytest.mark.parametrize("mode", ["replace", "supervise"])
def test_what_is_too_large_is_a_usage_error(env: dict[str, str], mode: str) -> None:
    argv = ["true", *(["x" * 100_000] * 30)]
    code = (
        "import sys, json; from tests.delivery import driver\n"
        f"sys.argv = ['x', json.dumps(dict(mode={mode!r}, argv=['true'] + ['x' * 100_000] * 30))]\n"
        "sys.exit(driver.main())"
    )
    done = subprocess.run([PYTHON, "-c", code], env=env, capture_output=True, check=False)
    assert len(argv) == 31
    assert done.returncode == 2
    assert b'as = "file"' in done.stderr
    assert done.stderr.count(b"\n") == 1


STATE = """
import json, os, resource, signal, sys
with open("/proc/self/status") as file:
    status = dict(line.rstrip("\\n").split(":\\t", 1) for line in file if ":\\t" in line)
signals = {key: status[key] for key in ("SigBlk", "SigIgn", "SigCgt")}
umask = os.umask(0)
files = sorted(os.listdir("/proc/self/fd"))
print(json.dumps([signals, umask, resource.getrlimit(resource.RLIMIT_CORE), files, sorted(os.environ.items())]))
"""


def given(ignored: tuple[int, ...] = (), blocked: tuple[int, ...] = (), core: int = 0) -> Callable[[], None]:
    def prepare() -> None:
        os.umask(0o026)
        resource.setrlimit(resource.RLIMIT_CORE, (core, resource.RLIM_INFINITY))
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    return prepare


@pytest.mark.parametrize("mode", ["replace", "supervise"])
@pytest.mark.parametrize(
    ("ignored", "blocked", "core", "locale"),
    [
        ((), (), resource.RLIM_INFINITY, "C.UTF-8"),
        ((signal.SIGHUP,), (), 0, "C"),
        ((signal.SIGINT, signal.SIGQUIT, signal.SIGCHLD), (signal.SIGUSR2,), 4096, "POSIX"),
    ],
)
def test_nothing_that_a_program_can_see_differs(
    env: dict[str, str],
    tmp_path: Path,
    mode: str,
    ignored: tuple[int, ...],
    blocked: tuple[int, ...],
    core: int,
    locale: str,
) -> None:
    """The same program without and with clave: signals, umask, limits, open files, environment."""
    script = tmp_path / "state.py"
    script.write_text(STATE)
    env = {**env, "LANG": locale, "OWN": "x y"}
    del env["LC_ALL"]
    argv = ["python3", "-S", "-E", str(script)]
    read, write = os.pipe()  # a descriptor that the user hands on
    results = []
    for line in (argv, command(mode=mode, argv=argv)):
        done = subprocess.run(
            line, env=env, preexec_fn=given(ignored, blocked, core), pass_fds=[write], capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
        results.append(done.stdout)
    os.close(read)
    os.close(write)
    assert results[0] == results[1]


def test_a_program_gets_its_secrets_and_nothing_of_claves(env: dict[str, str]) -> None:
    env = {**env, "CLAVE_ROOT": "r", "CLAVE_DEBUG": "0", "PASSWORD_STORE_DIR": "/x", "GNUPGHOME": "/mine", "KEPT": "1"}
    done = replaced(env, "env", "-0", extra={"TOKEN": "a b\n'é", "KEPT": "2"})
    found = dict(line.split("=", 1) for line in done.stdout.decode().split("\0") if line)
    assert found["TOKEN"] == "a b\n'é"
    assert found["KEPT"] == "2"
    assert found["GNUPGHOME"] == "/mine"
    assert not [name for name in found if name.startswith(("CLAVE_", "PASSWORD_STORE_"))]
    assert found["HOME"] == env["HOME"]


def test_the_key_ring_of_a_machine_stays_with_clave(env: dict[str, str]) -> None:
    done = replaced({**env, "GNUPGHOME": "/dev/shm/clave-ci-1-2-x/home"}, "env")
    assert b"GNUPGHOME" not in done.stdout


def test_a_pristine_environment_holds_what_a_program_needs(env: dict[str, str]) -> None:
    env = {**env, "AWS_SECRET": "x", "LD_LIBRARY_PATH": "/x", "LC_TIME": "C", "TZ": "UTC", "USER": "me"}
    done = replaced(env, "env", pristine=True, extra={"TOKEN": "t"})
    names = {line.split("=")[0] for line in done.stdout.decode().splitlines()}
    assert names - {"PWD", "SHLVL", "_"} == {"PATH", "HOME", "LC_ALL", "TERM", "LC_TIME", "TZ", "USER", "TOKEN"}


def test_a_pipe_that_nobody_reads_ends_the_program(env: dict[str, str]) -> None:
    """Python ignores SIGPIPE; `yes | head` must not complain."""
    line = " ".join(f"'{word}'" for word in command(mode="replace", argv=["yes"]))
    done = subprocess.run(
        ["bash", "-c", f"{line} | head -1; exit ${{PIPESTATUS[0]}}"], env=env, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (141, b"y\n", b"")
