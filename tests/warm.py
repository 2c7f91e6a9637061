"""clave without the start of Python: a process that has all of clave loaded forks a child for each run.

A start of Python with clave costs ten times what most commands do, and the tests need some ten thousand runs. The
child is a process of its own with the arguments, folder, environment and streams that it is given; it runs what
`python -m clave` runs. What this leaves out is the start itself: which modules are loaded, the interpreter's own
variables, a terminal. Tests of these start the program.

The process is started once for each worker of pytest and reads a line of JSON for each run from its stdin.
"""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
import threading
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[1]
# What Python itself reads at its start: whoever sets it means a start.
OF_THE_START = ("PYTHON", "LC_", "LANG")


class Warm:
    """The process, as long as it is open; one run at a time."""

    def __init__(self) -> None:
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        argv = [sys.executable, "-m", "tests.warm"]
        self._server = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=env)
        self._lock = threading.Lock()

    def close(self) -> None:
        self._server.communicate()

    def run(self, args: Sequence[str], env: Mapping[str, str], data: bytes) -> tuple[int, bytes, bytes]:
        """Run clave; return its exit code (negative: the signal that killed it), stdout and stderr."""
        with tempfile.TemporaryDirectory(prefix="cl-") as folder, self._lock:
            streams = [os.path.join(folder, name) for name in ("stdin", "stdout", "stderr")]
            Path(streams[0]).write_bytes(data)
            request = {"args": args, "env": dict(env), "cwd": os.getcwd(), "streams": streams}
            assert self._server.stdin
            assert self._server.stdout
            self._server.stdin.write(json.dumps(request).encode() + b"\n")
            self._server.stdin.flush()
            code = int(self._server.stdout.readline())
            return code, Path(streams[1]).read_bytes(), Path(streams[2]).read_bytes()


def serve() -> None:
    """Load all of clave, then fork for each line of stdin and answer with the exit code."""
    package = import_module("clave")
    for module in pkgutil.walk_packages(package.__path__, "clave."):
        if module.name != "clave.__main__":
            with suppress(ModuleNotFoundError):  # a library that clave can do without
                import_module(module.name)
    gc.collect()
    gc.freeze()  # the children would copy every page that the collector touches
    for line in iter(sys.stdin.buffer.readline, b""):
        pid = os.fork()
        if pid == 0:
            _become_clave(json.loads(line))
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.write(1, b"%d\n" % code)


def _become_clave(request: dict[str, Any]) -> None:
    """Take over streams, environment and folder, run, and leave without a word to the server."""
    code = 1
    try:
        os.chdir(request["cwd"])
        flags = (os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT | os.O_APPEND] * 2)
        for descriptor, (path, flag) in enumerate(zip(request["streams"], flags, strict=True)):
            opened = os.open(path, flag, 0o600)
            os.dup2(opened, descriptor)
            os.close(opened)
        sys.stdin, sys.stdout = open(0, **_TEXT), open(1, "w", **_TEXT)  # noqa: SIM115 - until we leave
        sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
        os.environ.clear()
        os.environ.update(request["env"])
        sys.argv = [str(Path(import_module("clave").__path__[0], "__main__.py")), *request["args"]]
        code = import_module("clave.fast").main(sys.argv[1:])
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


_TEXT: dict[str, Any] = {"encoding": "utf-8", "errors": "surrogateescape"}

if __name__ == "__main__":
    serve()
