"""clave as a backend of Python's keyring: its own command, pip and twine read and write what is in a store."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave.delivery.logins import entry_name
from clave.errors import UsageError
from clave.model.name import check_new
from tests.conftest import Output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import User

CHOSEN = {"PYTHON_KEYRING_BACKEND": "clave.keyring.Keyring"}
VALUE = "correct-horse-canary"


def keyring(me: User, *args: str, input: bytes = b"", **env: str) -> Output:
    """Run keyring's own command."""
    return python(me, "-m", "keyring", *args, input=input, **{**CHOSEN, **env})


def python(me: User, *args: str, input: bytes = b"", **env: str) -> Output:
    done = subprocess.run(
        [sys.executable, *args],
        input=input,
        env=me.person.env(me.store, **env),
        cwd=me.person.home,
        capture_output=True,
        check=False,
    )
    return Output(done.returncode, done.stdout, done.stderr)


def got(me: User, *asked: tuple[str, str]) -> list[str | None]:
    """Return what keyring gives for each service and user."""
    found = "[keyring.get_password(*each) for each in json.loads(sys.argv[1])]"
    code = f"import json, keyring, sys; print(json.dumps({found}))"
    answers: list[str | None] = json.loads(python(me, "-c", code, json.dumps(asked), **CHOSEN).out)
    return answers


def test_a_password_is_kept_found_and_removed(me: User) -> None:
    assert keyring(me, "set", "https://index.example.org/legacy/", "deploy", input=f"{VALUE}\n".encode()).code == 0
    entry = "keyring/index.example.org/legacy/deploy"
    assert me.read(entry) == f"{VALUE}\nuser: deploy\nurl: https://index.example.org/legacy/\n".encode()
    assert me.subjects()[0] == f"Add given password for {entry} to store."
    asked = {
        ("https://index.example.org/legacy/", "deploy"): VALUE,
        ("https://index.example.org/legacy", "deploy"): VALUE,
        ("index.example.org/legacy", "deploy"): VALUE,
        ("http://index.example.org/legacy/", "deploy"): None,
        ("https://index.example.org/legacy/", "other"): None,
    }
    assert got(me, *asked) == list(asked.values())
    me.ok("set", entry, "team", input=b"builders\n")
    assert keyring(me, "set", "https://index.example.org/legacy/", "deploy", input=b"newer\n").code == 0
    assert me.read(entry).splitlines() == [
        b"newer",
        b"user: deploy",
        b"url: https://index.example.org/legacy/",
        b"team: builders",
    ]
    assert keyring(me, "del", "https://index.example.org/legacy/", "deploy").code == 0
    assert me.run("show", entry).code == 3
    gone = keyring(me, "del", "https://index.example.org/legacy/", "deploy")
    assert gone.code != 0
    assert b"PasswordDeleteError" in gone.err or b"is not in the password store" in gone.err


def test_an_entry_that_the_config_file_names(me: User) -> None:
    folder = me.person.home / ".config/clave"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[keyring]\n"https://index.example.org/" = "web/site"\n"any" = "plain"\n')
    index = "https://index.example.org/"
    assert got(me, (index, "me"), (index, "else"), ("any", "whoever")) == ["canary-pw", None, "canary-plain"]
    found = python(
        me, "-c", "import keyring; print(keyring.get_credential('https://index.example.org/', None).username)"
    )
    assert found.out == b"me\n"
    assert keyring(me, "set", "any", "whoever", input=b"changed\n").code == 0
    assert me.read("plain") == b"changed\n"
    before = me.state()
    assert keyring(me, "del", "any", "whoever").code != 0
    assert keyring(me, "set", "https://index.example.org/", "else", input=b"x\n").code != 0
    assert me.state() == before
    said = me.refused(2, "config", "set", "keyring.any", "plain")
    assert "config.toml" in said


ASK = """
import sys
import keyring
try:
    print(keyring.get_password(*sys.argv[1:]))
except keyring.errors.KeyringError as problem:
    print(type(problem).__name__, problem)
"""


def test_what_cannot_be_read_is_keyrings_own_error(me: User, tmp_path: Path) -> None:
    me.ok("insert", "--file", "-", "keyring/host/user", input=b"pw\n")
    missing = python(me, "-c", ASK, "host", "user", **CHOSEN, PASSWORD_STORE_DIR=str(tmp_path / "none"))
    assert missing.out.startswith(b"NoKeyringError there is no password store at "), missing
    (me.store / "keyring/host/user.gpg").write_bytes(b"no message")
    broken = python(me, "-c", ASK, "host", "user", **CHOSEN)
    assert broken.out.startswith(b"KeyringError keyring/host/user"), broken
    for done in (missing, broken):
        assert b"Traceback" not in done.err


def test_a_locked_key_is_one_that_keyring_knows_as_locked(me: User, tmp_path: Path) -> None:
    """Without a pinentry nobody can be asked for the passphrase."""
    home = tmp_path / "g"
    home.mkdir(mode=0o700)
    env = me.person.env(me.store, GNUPGHOME=str(home))
    new = ["gpg", "--batch", "--passphrase", "secret", "--pinentry-mode", "loopback", "--quick-gen-key"]
    subprocess.run([*new, "Locked <locked@example.org>", "future-default"], env=env, capture_output=True, check=True)
    store = tmp_path / "locked"
    init = [sys.executable, "-m", "clave", "init", "locked@example.org"]
    subprocess.run(init, env={**env, "PASSWORD_STORE_DIR": str(store)}, capture_output=True, check=True)
    there = [sys.executable, "-m", "clave", "insert", "--file", "-", "keyring/host/user"]
    subprocess.run(there, env={**env, "PASSWORD_STORE_DIR": str(store)}, input=b"pw\n", capture_output=True, check=True)
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=env, capture_output=True, check=True)
    (home / "gpg-agent.conf").write_text("pinentry-program /bin/false\n")
    try:
        done = python(me, "-c", ASK, "host", "user", **CHOSEN, PASSWORD_STORE_DIR=str(store), GNUPGHOME=str(home))
        assert done.out.startswith(b"KeyringLocked keyring/host/user"), done
    finally:
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=env, capture_output=True, check=False)


def test_it_is_found_and_comes_after_a_desktops(me: User, tmp_path: Path) -> None:
    listed = python(me, "-m", "keyring", "--list-backends")
    assert b"clave.keyring.Keyring (priority: 0.5)" in listed.out
    without = python(me, "-m", "keyring", "--list-backends", PASSWORD_STORE_DIR=str(tmp_path / "none"))
    assert b"clave.keyring" not in without.out


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=6)), min_size=2, max_size=2, unique=True))
def test_no_two_services_are_one_entry(both: list[tuple[str, str]]) -> None:
    """But for what stands at the top of `delivery.logins`: https://, and slashes at the end."""
    plain = [(service.removeprefix("https://").rstrip("/"), user) for service, user in both]
    names = [entry_name(*each) for each in both]
    assert (names[0] == names[1]) == (plain[0] == plain[1])
    assert all(check_new(each) == each for each in names)


def test_a_name_that_no_system_holds() -> None:
    with pytest.raises(UsageError):
        entry_name("x" * 300, "me")


class Index(BaseHTTPRequestHandler):
    """A package index that wants a password: one package to get, and any to upload."""

    wanted = "Basic " + base64.b64encode(f"deploy:{VALUE}".encode()).decode()
    uploads: list[bytes]
    wheel: bytes

    def do_GET(self) -> None:
        if self._refused():
            return
        name = "canary_package-1.0-py3-none-any.whl"
        page = f'<a href="/{name}#sha256={hashlib.sha256(self.wheel).hexdigest()}">{name}</a>'.encode()
        self._answer(200, self.wheel if self.path.endswith(".whl") else page, "text/html")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._refused():
            self.uploads.append(body)
            self._answer(200, b"", "text/plain")

    def _refused(self) -> bool:
        if self.headers.get("Authorization") == self.wanted:
            return False
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="index"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return True

    def _answer(self, code: int, body: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def index() -> Iterator[ThreadingHTTPServer]:
    Index.uploads, Index.wheel = [], wheel()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def wheel() -> bytes:
    about = "Metadata-Version: 2.1\nName: canary-package\nVersion: 1.0\n"
    files = {"METADATA": about, "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n", "RECORD": ""}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("canary_package.py", "")
        for name, text in files.items():
            archive.writestr(f"canary_package-1.0.dist-info/{name}", text)
    return made.getvalue()


def test_pip_and_twine(me: User, index: ThreadingHTTPServer) -> None:
    host = f"127.0.0.1:{index.server_port}"
    assert keyring(me, "set", f"http://{host}/simple/", "deploy", input=f"{VALUE}\n".encode()).code == 0
    assert keyring(me, "set", f"http://{host}/legacy/", "deploy", input=f"{VALUE}\n".encode()).code == 0
    common = ("--quiet", "--disable-pip-version-check", "--no-input", "--no-cache-dir", "--isolated", "--no-deps")
    fetch = ("-m", "pip", "download", *common, "--keyring-provider", "import", "canary-package")
    got = python(me, *fetch, "--index-url", f"http://{host}/simple/", **CHOSEN)
    assert got.code == 0, got
    package = me.person.home / "canary_package-1.0-py3-none-any.whl"
    assert package.read_bytes() == Index.wheel
    send = ("-m", "twine", "upload", "--non-interactive", "--disable-progress-bar", "--username", "deploy")
    sent = python(me, *send, "--repository-url", f"http://{host}/legacy/", str(package), **CHOSEN)
    assert sent.code == 0, sent
    assert len(Index.uploads) == 1
    for done in (got, sent):
        assert VALUE.encode() not in done.out + done.err
    me.ok("rm", "-f", f"keyring/http:/%/{host}/legacy/deploy")
    failed = python(me, *send, "--repository-url", f"http://{host}/legacy/", str(package), **CHOSEN)
    assert failed.code != 0


KEPT = """
import keyring, secretstorage
keyring.set_password("https://index.example.org/", "deploy", "from-the-desktop")
connection = secretstorage.dbus_init()
collection = secretstorage.get_default_collection(connection)
collection.create_item("Wi-Fi of the \\u202eoffice", {"ssid": "office"}, "wifi-secret")
collection.create_item("key", {"kind": "binary"}, bytes([0, 1, 2, 255]))
"""


def on_a_desktop(me: User, *argv: str, **env: str) -> Output:
    """Run a program in a desktop session of its own, whose keyring is open and stays in a folder of the test's."""
    script = 'printf x | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; "$@"'
    done = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", script, "sh", *argv],
        env=me.person.env(me.store, XDG_DATA_HOME=str(me.person.home / "data"), **env),
        capture_output=True,
        check=False,
    )
    return Output(done.returncode, done.stdout, done.stderr)


def test_what_a_desktop_keeps_comes_in(me: User) -> None:
    desktop = {"PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring"}
    kept = on_a_desktop(me, sys.executable, "-c", KEPT, **desktop)
    assert kept.code == 0, kept
    done = on_a_desktop(me, sys.executable, "-m", "clave", "import", "keyring")
    assert done.code == 0, done
    assert me.subjects()[0] == "Import 3 entries from the desktop's keyring to store."
    text = me.read("keyring/index.example.org/deploy").decode()
    assert text.startswith("from-the-desktop\nuser: deploy\nurl: https://index.example.org/\n")
    assert got(me, ("https://index.example.org/", "deploy")) == ["from-the-desktop"]
    names = {str(path.relative_to(me.store)) for path in me.store.rglob("*.gpg")}
    (wifi,) = (each.removesuffix(".gpg") for each in names if "office" in each)
    assert "\u202e" not in wifi
    assert b"wifi-secret\n" in me.read(wifi)
    (binary,) = (each.removesuffix(".gpg") for each in names if each.endswith("/secret.gpg"))
    assert me.read(binary) == bytes([0, 1, 2, 255])
    again = on_a_desktop(me, sys.executable, "-m", "clave", "import", "keyring")
    assert b"The store has it all." in again.err
    assert "no desktop session" in me.refused(2, "import", "keyring")
