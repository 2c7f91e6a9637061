"""What developers do all day: a server that starts itself anew when its code changes, in a terminal, with its secrets.

Flask with its reloader and Node with `--watch`, each in the place of clave, masked, and watched.
"""

from __future__ import annotations

import http.client
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.delivery.conftest import PATIENCE, alive, wait_for
from tests.delivery.test_terminal import ended, shell_line, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pexpect

    from tests.delivery.test_terminal import Terminal

__all__ = ["terminal"]

FLASK = """
import os, shutil, sys
from flask import Flask
app = Flask("app")

@app.get("/")
def answer():
    secret = os.environ["SECRET"]
    print("it-is", secret, shutil.get_terminal_size((0, 0))[:], file=sys.stderr, flush=True)
    return f"VERSION {len(secret)}"

if sys.stdout.isatty():
    print("\\033[32mgreen\\033[0m", flush=True)
app.run(port=int(sys.argv[1]), debug=True, use_reloader=True, reloader_type="stat")
"""

NODE = """
const http = require("http")
const server = http.createServer((request, response) => {
  const secret = process.env.SECRET
  console.error("it-is", secret, `(${process.stdout.columns}, ${process.stdout.rows})`)
  response.end(`VERSION ${secret.length}`)
})
if (process.stdout.isTTY) console.log("\\x1b[32mgreen\\x1b[0m")
server.listen(Number(process.argv[2]), "127.0.0.1")
"""


@pytest.fixture(params=["flask", "node"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A server, its code in a folder of its own."""
    if request.param == "node" and not _node_watches():
        pytest.skip("there is no node that has --watch")
    made = Server(request.param, tmp_path)
    yield made
    made.kill()


def _node_watches() -> bool:
    if shutil.which("node") is None:
        return False
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return int(version.removeprefix("v").split(".")[0]) >= 20


class Server:
    def __init__(self, kind: str, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        # Of their own: other tests run at the same time.
        self.first, self.second = f"the-first-secret-{self.port}", f"the-second-of-two-{self.port}"
        self._text = {"flask": FLASK, "node": NODE}[kind]
        self.code = folder / {"flask": "app.py", "node": "app.js"}[kind]
        start = {"flask": [sys.executable], "node": ["node", "--watch"]}[kind]
        self.argv = [*start, str(self.code), str(self.port)]
        self.write("one")

    def write(self, version: str) -> None:
        """Change the code."""
        self.code.write_text(self._text.replace("VERSION", version))

    def get(self) -> str:
        """Ask the server; an empty string while nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=PATIENCE) as answer:
                return str(answer.read().decode())
        except (OSError, http.client.HTTPException):  # it is just being started anew
            return ""

    def processes(self) -> list[int]:
        """Return the processes that run it, clave's own among them."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if str(self.code).encode() in words and alive(int(folder.name)):
                found.append(int(folder.name))
        return found

    def kill(self) -> None:
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)


HOW = {
    "replace": {"mode": "replace"},
    "mask": {"mode": "supervise", "mask": True},
    "watch": {"mode": "supervise", "mask": True},
}


def shown_elsewhere(secret: str, server: Server, clave: int) -> list[str]:
    """Return the files of /proc that show a value, but for the environment of the server's own processes."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                data = (folder / name).read_bytes()
            except OSError:
                continue
            own = name == "environ" and int(folder.name) in server.processes() and int(folder.name) != clave
            if secret.encode() in data and not own:
                found.append(str(folder / name))
    return found


@pytest.mark.parametrize("how", HOW)
def test_a_development_server(terminal: Terminal, server: Server, how: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(server.first)
    plan: dict[str, Any] = {**HOW[how], "argv": server.argv, ("watch" if how == "watch" else "secret"): str(secret)}
    spawned = terminal(**plan)
    spawned.logfile_read = io.BytesIO()
    shown = server.first if how == "replace" else "********"
    spawned.expect_exact(b"\x1b[32mgreen\x1b[0m\r\n")  # it knows that it is on a terminal
    wait_for(lambda: server.get() == f"one {len(server.first)}")
    spawned.expect_exact(f"it-is {shown} (100, 30)".encode())

    server.write("two")  # its own watch still works
    wait_for(lambda: server.get() == f"two {len(server.first)}")
    spawned.expect_exact(f"it-is {shown}".encode())

    spawned.setwinsize(24, 81)
    ask_until(server, spawned, f"it-is {shown} (81, 24)")

    if how != "replace":
        assert shown_elsewhere(server.first, server, spawned.pid) == []
    if how == "watch":
        secret.write_text(server.second)
        spawned.expect_exact(b"the secrets have changed: starting again")
        wait_for(lambda: server.get() == f"two {len(server.second)}")
        spawned.expect_exact(b"it-is ********")
        assert shown_elsewhere(server.second, server, spawned.pid) == []

    spawned.send(b"\x03")
    assert ended(spawned) in (0, 130)
    assert (server.first.encode() in spawned.logfile_read.getvalue()) == (how == "replace")
    assert server.second.encode() not in spawned.logfile_read.getvalue()
    wait_for(lambda: server.processes() == [])
    assert server.get() == ""


def ask_until(server: Server, spawned: pexpect.spawn[bytes], text: str) -> None:
    """Ask the server until it has seen what changed, and says so."""
    deadline = time.monotonic() + PATIENCE
    while True:
        server.get()
        if spawned.expect_exact([text.encode(), b"it-is"]) == 0:
            return
        assert time.monotonic() < deadline


@pytest.mark.parametrize("how", ["mask", "watch"])
def test_a_server_ends_when_clave_is_told_to(
    terminal: Terminal, server: Server, how: str, tmp_path: Path, env: dict[str, str]
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(server.first)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(server.argv, env={**env, "SECRET": server.first}, **quiet) as bare:  # type: ignore[call-overload]
        wait_for(server.get)
        bare.terminate()
    wait_for(lambda: server.processes() == [])
    plan: dict[str, Any] = {**HOW[how], "argv": server.argv, ("watch" if how == "watch" else "secret"): str(secret)}
    spawned = terminal(**plan)
    wait_for(server.get)
    os.kill(spawned.pid, signal.SIGTERM)
    assert ended(spawned) == (bare.returncode if bare.returncode >= 0 else 128 - bare.returncode)
    wait_for(lambda: server.processes() == [])


def test_in_tmux(server: Server, tmp_path: Path, env: dict[str, str]) -> None:
    if shutil.which("tmux") is None:
        pytest.skip("there is no tmux")
    secret = tmp_path / "secret"
    secret.write_text(server.first)
    line = shell_line(mode="supervise", argv=server.argv, mask=True, watch=str(secret))
    tmux = ["tmux", "-S", str(tmp_path / "socket"), "-f", "/dev/null"]

    def run(*words: str) -> str:
        return subprocess.run([*tmux, *words], env=env, capture_output=True, text=True, check=True).stdout

    def pane() -> str:
        return run("capture-pane", "-p", "-e", "-J", "-S", "-")

    run("new-session", "-d", "-x", "90", "-y", "20", f"{line}; echo ended-$?; exec sleep 600")
    try:
        wait_for(lambda: server.get() == f"one {len(server.first)}")
        wait_for(lambda: "\x1b[32mgreen" in pane() and "it-is ******** (90, 20)" in pane())
        run("resize-window", "-x", "77", "-y", "15")
        wait_for(lambda: server.get() and "it-is ******** (77, 15)" in pane())
        secret.write_text(server.second)
        wait_for(lambda: server.get() == f"one {len(server.second)}")
        run("send-keys", "C-c")
        wait_for(lambda: "ended-" in pane())
        assert server.first not in pane()
        assert server.second not in pane()
        wait_for(lambda: [pid for pid in server.processes() if b"ended-" not in words_of(pid)] == [])
    finally:
        run("kill-server")


def words_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
