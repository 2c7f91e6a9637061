from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NEED = Path(__file__).parents[2] / "tools/need"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Return the only folder of programs of a machine that has nothing but bash, python3 and sudo."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in ("bash", "env", "true"):
        found = shutil.which(program)
        assert found
        (folder / program).symlink_to(found)
    _program(folder, "python3", f'exec {sys.executable} "$@"')
    _program(folder, "sudo", 'shift; exec "$@"')
    return folder


def _program(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def _need(machine: Path, *purposes: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PATH": str(machine)}
    return subprocess.run([NEED, *purposes], env=env, capture_output=True, text=True)


def test_a_machine_that_has_everything_is_left_alone(machine: Path) -> None:
    for program in ("git", "gpg"):
        _program(machine, program, "")
    _program(machine, "apt-get", "exit 9")

    run = _need(machine, "dev")

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_what_is_missing_is_named_where_it_cannot_be_installed(machine: Path) -> None:
    run = _need(machine, "dev", "test")

    assert run.returncode == 1
    assert "sudo apt-get install git gnupg pass " in run.stderr


def test_what_is_missing_is_installed(machine: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    _program(machine, "apt-get", f'echo "$*" >>{log}')

    run = _need(machine, "dev")

    assert run.returncode == 0
    assert [line.split("Acquire::Retries=3 ")[1] for line in log.read_text().splitlines()] == [
        "update",
        "install --yes --no-install-recommends git gnupg",
    ]


def test_a_failed_installation_is_told(machine: Path) -> None:
    _program(machine, "apt-get", "exit 100")

    run = _need(machine, "dev")

    assert run.returncode == 1
    assert "sudo apt-get install git gnupg" in run.stderr


def test_a_python_without_venv_is_named(machine: Path) -> None:
    for program in ("git", "gpg"):
        _program(machine, program, "")
    # On Debian ensurepip comes with another package than Python itself.
    _program(machine, "python3", f'[ "$2" = "import ensurepip" ] && exit 1; exec {sys.executable} "$@"')

    run = _need(machine, "dev")

    assert run.returncode == 1
    assert "sudo apt-get install python3-venv" in run.stderr


def test_a_python_that_is_too_old_is_refused(machine: Path) -> None:
    _program(machine, "python3", "exit 1")

    run = _need(machine, "dev")

    assert run.returncode == 1
    assert "Python 3.11 or later" in run.stderr
