"""Programs that read what clave's formats write: each takes the bytes and returns the variables that it then has.

Those of shells are what a child of the shell has. Docker's and GitHub's are readers of our own, after the sources of
docker/cli (`opts/file.go`) and actions/runner (`FileCommandManager.cs`): nobody can start those in a test.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

import pytest

ROOT = Path(__file__).parents[2]
Variables = dict[str, bytes]
Reader = Callable[[bytes], Variables]
_ENV = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}

SHELLS = {
    # The way that is documented, then the one that people use by mistake, where that shall work too.
    "sh": [["dash", "-c", 'eval "$(cat "$1")"; exec env -0', "sh"]],
    "bash": [
        ["bash", "--norc", "-c", 'eval "$(cat "$1")"; exec env -0', "bash"],
        ["bash", "--norc", "-c", 'cd /; eval $(cat "$1"); exec env -0', "bash"],
    ],
    "zsh": [
        ["zsh", "-f", "-c", 'eval "$(cat "$1")"; exec env -0', "zsh"],
        ["zsh", "-f", "-o", "rcquotes", "-o", "extendedglob", "-c", 'cd /; eval $(cat "$1"); exec env -0', "zsh"],
    ],
    "fish": [
        ["fish", "--no-config", "-c", "cat $argv[1] | source; exec env -0"],
        ["fish", "--no-config", "-c", "eval (cat $argv[1]); exec env -0"],
    ],
}
_EVAL = SHELLS["sh"][0][1:]
SHELLS["sh"] += [["bash", "--posix", *_EVAL], ["zsh", "-f", *_EVAL], ["zsh", "-f", "-o", "rcquotes", *_EVAL]]


def environment(block: bytes) -> Variables:
    """Return what `env -0` printed."""
    pairs = (each.partition(b"=") for each in block.split(b"\0") if each)
    return {os.fsdecode(name): value for name, _, value in pairs}


def shell(argv: list[str]) -> Reader:
    """Return a reader that has a shell run what was written, and looks at what its child gets."""

    def read(data: bytes) -> Variables:
        with NamedTemporaryFile(dir="/dev/shm") as file:
            file.write(data)
            file.flush()
            done = subprocess.run([*argv, file.name], env=_ENV, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        return environment(done.stdout)

    return read


def python_dotenv(data: bytes) -> Variables:
    from dotenv import dotenv_values

    with NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        values = dotenv_values(file.name)
    return {name: (value or "").encode() for name, value in values.items()}


def jq(data: bytes) -> Variables:
    program = "to_entries[] | .key, (.value | @base64)"
    done = subprocess.run(["jq", "-r", program], input=data, capture_output=True, check=True)
    lines = done.stdout.decode().split("\n")[:-1]
    return {name: b64decode(value) for name, value in zip(lines[::2], lines[1::2], strict=True)}


def pyyaml(data: bytes) -> Variables:
    import yaml

    return {name: value.encode() for name, value in yaml.safe_load(data).items()}


def kubernetes(data: bytes) -> Variables:
    """Read a manifest of a Secret as the API server does: a YAML reader, then base64."""
    import yaml

    manifest = yaml.safe_load(data)
    assert manifest.keys() == {"apiVersion", "kind", "metadata", "type", "data"}
    assert (manifest["apiVersion"], manifest["kind"], manifest["type"]) == ("v1", "Secret", "Opaque")
    return {name: b64decode(value, validate=True) for name, value in manifest["data"].items()}


def docker(data: bytes) -> Variables:
    """Read a file as `docker run --env-file` does (a reader of our own)."""
    found = {}
    for number, line in enumerate(data.split(b"\n")[:-1]):
        assert len(line) < 1 << 16  # bufio.MaxScanTokenSize, with the newline
        text = line.removesuffix(b"\r").decode()
        text = (text.removeprefix("\ufeff") if number == 0 else text).lstrip()
        if text and not text.startswith("#"):
            name, _, value = text.partition("=")
            assert not set(name) & set(" \t")
            found[name] = value.encode()
    return found


def github(data: bytes) -> Variables:
    """Read a file as GitHub's runner reads $GITHUB_ENV (a reader of our own)."""
    lines = data.decode().split("\n")[:-1]
    found = {}
    while lines:
        line = lines.pop(0)
        name, heredoc, delimiter = line.partition("<<")
        if not line:
            continue
        if "=" in line and (not heredoc or "=" in name):
            name, _, value = line.partition("=")
            found[name] = value.encode()
            continue
        assert name
        assert delimiter
        end = lines.index(delimiter)
        found[name] = "\n".join(lines[:end]).encode()
        del lines[: end + 1]
    return found


def direnv(data: bytes) -> Variables:
    """Have direnv load an .envrc, and the hook of a shell set what it says."""
    with TemporaryDirectory() as home:
        env = {**_ENV, "HOME": home}
        folder = Path(home, "app")
        folder.mkdir()
        (folder / ".envrc").write_bytes(data)
        subprocess.run(["direnv", "allow", folder], env=env, check=True)
        hook = ["bash", "--norc", "-c", 'eval "$(direnv export bash 2>/dev/null)"; exec env -0']
        done = subprocess.run(hook, cwd=folder, env=env, capture_output=True, check=True)
        assert done.stderr == b""
        return environment(done.stdout)


_SERVER = """
// A Node.js before 20.12 reads no such files itself.
const parseEnv = require('util').parseEnv ?? ((text) => require('dotenv').parse(text))
const readers = {
    'dotenv': (data) => require('dotenv').parse(data),
    'dotenv --fast': (data) => require('dotenv').parse(data, { fast: true }),
    'dotenv 16': (data) => require('dotenv16').parse(data),
    'node': (data) => parseEnv(data.toString()),
    'js-yaml': (data) => require('js-yaml').load(data.toString()),
}
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { reader, data } = JSON.parse(line)
    console.log(JSON.stringify(readers[reader](Buffer.from(data, 'base64'))))
})
"""


PACKAGES = ("dotenv@18", "dotenv16@npm:dotenv@16", "js-yaml@5")


def _packages() -> Path:
    """Return a folder with the packages, which are installed once; skip the test where they cannot be."""
    folder = ROOT / ".cache" / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the workers of xdist all come here
        done = folder / "installed"
        if done.exists() and done.read_text() == repr(PACKAGES):
            return folder
        if not shutil.which("npm"):
            pytest.skip("npm is not installed")
        install = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(folder), *PACKAGES]
        if subprocess.run(install, check=False, capture_output=True).returncode != 0:
            pytest.skip(f"npm cannot install {', '.join(PACKAGES)} here")
        done.write_text(repr(PACKAGES))
    return folder


@contextmanager
def node() -> Iterator[Callable[[str], Reader]]:
    """Start a Node.js that reads with packages of npm's, and return what makes a reader of a name above."""
    packages = _packages()
    with subprocess.Popen(
        ["node", "-e", _SERVER], cwd=packages, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdin
        assert server.stdout

        def ask(reader: str, data: bytes) -> Variables:
            question = json.dumps({"reader": reader, "data": b64encode(data).decode()})
            server.stdin.write(question.encode() + b"\n")
            server.stdin.flush()
            answer = json.loads(server.stdout.readline())
            return {name: value.encode("utf-8", "surrogatepass") for name, value in answer.items()}

        yield lambda name: lambda data: ask(name, data)
        server.stdin.close()
