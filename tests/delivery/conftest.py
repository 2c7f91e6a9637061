"""Running the driver, and waiting for what has to come."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE = float(os.environ.get("CLAVE_PATIENCE", "60"))  # seconds; nothing that works takes as long


def command(**plan: Any) -> list[str]:
    """Return the command line of the driver with this plan."""
    return [sys.executable, "-m", "tests.delivery.driver", json.dumps(plan)]


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until a condition holds; fail if it never does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Tell whether a process lives, and is no zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] != b"Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def env() -> dict[str, str]:
    """A clean environment."""
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}


@pytest.fixture
def start(env: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Return a function that starts the driver with pipes, without a terminal; it is killed at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(*, popen: dict[str, Any] | None = None, **plan: Any) -> subprocess.Popen[bytes]:
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process = subprocess.Popen(command(**plan), **{"env": env, "start_new_session": True, **pipes, **(popen or {})})
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def pid_file(tmp_path: Path) -> Path:
    """A file that a child writes its process id to."""
    return tmp_path / "pid"


def read_pid(file: Path) -> int:
    """Wait until a process id is in `file`, and return it."""
    wait_for(lambda: file.exists() and file.read_text().endswith("\n"))
    return int(file.read_text())
