"""What the shells ask clave for: fields, keys and stores, and names where stores are configured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Output, Person, fingerprints, run_as
from tests.fast.test_both_ways import ALLOWED, LIST_MODULES

if TYPE_CHECKING:
    from tests.completion.conftest import Start
    from tests.completion.shells import Shell

SECRET = b"""canary-pw
user: alice
two words: x
$(touch SENTINEL): x
`touch SENTINEL`: x
esc\x1b]0;x\x07: x
Url: https://example.org
otpauth://totp/x?secret=JBSWY3DPEHPK3PXP
"""


@pytest.fixture(scope="module")
def home(alice: Person) -> Path:
    """Alice's home with two configured stores and ~/.password-store, which is not one of them."""
    for number, name in enumerate(("work", "team")):
        root = alice.home / name
        put(alice, root, f"{name}/db", SECRET)
        put(alice, root, f"only-{number}", SECRET)
        config = alice.home / ".config" / "clave" / "config.toml"
        config.parent.mkdir(parents=True, exist_ok=True)
        with config.open("a") as file:
            file.write(f'[stores.{name}]\npath = "~/{name}"\n' if number else f'[stores.{name}]\npath = "{root}"\n')
    config.write_text('default-store = "work"\n' + config.read_text())
    put(alice, alice.home / ".password-store", "never", b"x\n")
    return alice.home


def put(person: Person, root: Path, entry: str, plaintext: bytes, recipient: str = "") -> None:
    file = root / f"{entry}.gpg"
    file.parent.mkdir(parents=True, exist_ok=True)
    to = ("--trust-model", "always", "-r", recipient or person.fingerprint)
    file.write_bytes(person.gpg("-e", *to, input=plaintext))


@pytest.fixture(scope="module")
def shell(start: Start, name: str, alice: Person, home: Path) -> Shell:
    (home / "cwd").mkdir(exist_ok=True)
    return start(name, alice.env(), cwd=home / "cwd")


def ask(person: Person, *words: str, **more: str) -> Output:
    store = Path(more.pop("store")) if "store" in more else None
    return run_as(person, store, [sys.executable, "-m", "clave", "--complete", *words], **more)


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("clave show work/", "clave show work/db "),
        ("clave show only", "clave show only-0 "),
        ("clave -s team show only", "clave -s team show only-1 "),
        ("clave --store=team edit only", "clave --store=team edit only-1 "),
        ("clave -s wo", "clave -s work "),
        ("clave --store=te", "clave --store=team "),
        ("clave store remove te", "clave store remove team "),
        ("clave show tea", "clave show team:"),
        ("clave show team:on", "clave show team:only-1 "),
        ("clave show team:team/", "clave show team:team/db "),
        ("clave show nev", "clave show nev"),
        ("clave init -p wo", "clave init -p work/"),
        ("clave init -p tea", "clave init -p tea"),
        ("clave ls tea", "clave ls team:"),
        ("clave init ali", "clave init alice@example.org "),
        ("clave init alice@exa", "clave init alice@example.org "),
    ],
)
def test_stores_and_keys_are_completed(shell: Shell, typed: str, completed: str) -> None:
    assert shell.complete(typed) == completed


@pytest.mark.parametrize(
    ("typed", "arguments"),
    [
        ("clave show work/db#us", ["show", "work/db#user"]),
        ("clave -c work/db#Ur", ["-c", "work/db#Url"]),
        ("clave show work/db#two", ["show", "work/db#two words"]),
        ("clave show work/db#ot", ["show", "work/db#otp"]),
        ("clave show team:team/db#Ur", ["show", "team:team/db#Url"]),
        ("clave -s team team/db#Ur", ["-s", "team", "team/db#Url"]),
        ("clave clip work/db us", ["clip", "work/db", "user"]),
        ("clave clip work/db user pass", ["clip", "work/db", "user", "password"]),
        ("clave set team:team/db Ur", ["set", "team:team/db", "Url"]),
        (r"clave clip work/db \$", ["clip", "work/db", "$(touch SENTINEL)"]),
        (r"clave clip work/db \`", ["clip", "work/db", "`touch SENTINEL`"]),
    ],
)
def test_a_field_is_completed_and_only_text(shell: Shell, typed: str, arguments: list[str]) -> None:
    if shell.name == "fish":
        typed = typed.replace("\\`", "'`")
    assert shell.run(typed) == arguments
    assert not list(shell.cwd.rglob("SENTINEL"))
    assert b"canary" not in shell.seen


def test_the_fields_of_an_entry(alice: Person, home: Path) -> None:
    done = ask(alice, "bash", "field", "", "", "work/db")
    assert done == Output(0, b"user\npassword\notp\ntwo words\n$(touch SENTINEL)\n`touch SENTINEL`\nUrl\n", b"")
    values = ask(alice, "bash", "value", "", "work/db#").out.splitlines()
    assert values == [b"work/db#" + line for line in done.out.splitlines()]


def test_an_entry_whose_name_has_the_mark_comes_too(alice: Person, tmp_path: Path) -> None:
    put(alice, tmp_path, "a", b"pw\nuser: x\n")
    put(alice, tmp_path, "a#b", b"pw\n")
    assert ask(alice, "bash", "value", "", "a#", store=str(tmp_path)).out == b"a#b\na#user\na#password\n"


def test_no_passphrase_is_asked_for(alice: Person, tmp_path: Path) -> None:
    """A pinentry that comes up while somebody types would take what they type."""
    asked = tmp_path / "asked"
    pinentry = tmp_path / "pinentry"
    pinentry.write_text(f"#!/bin/sh\ntouch {asked}\n")
    pinentry.chmod(0o755)
    agent = alice.gnupg / "gpg-agent.conf"
    agent.write_text(f"pinentry-program {pinentry}\ns2k-count 65536\n")
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=alice.env(), check=True)
    loopback = ("--pinentry-mode", "loopback", "--passphrase", "locked")
    alice.gpg(*loopback, "--quick-gen-key", "Locked <locked@example.org>", "ed25519", "cert", "never")
    fingerprint = fingerprints(alice)[-1]
    alice.gpg(*loopback, "--quick-add-key", fingerprint, "cv25519", "encr", "never")
    put(alice, tmp_path, "locked", SECRET, fingerprint)
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=alice.env(), check=True)

    done = ask(alice, "bash", "value", "", "locked#", store=str(tmp_path))
    assert (done.out, done.err) == (b"", b"")
    assert not asked.exists()

    alice.gpg(*loopback, "--decrypt", str(tmp_path / "locked.gpg"))
    assert b"locked#user\n" in ask(alice, "bash", "value", "", "locked#", store=str(tmp_path)).out
    assert not asked.exists()
    agent.unlink()


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["bash"],
        ["bash", "nonsense", "", ""],
        ["bash", "entry", "no-such-store", ""],
        ["bash", "field", "", "", ".."],
    ],
)
def test_what_is_wrong_writes_nothing(alice: Person, home: Path, words: list[str]) -> None:
    assert ask(alice, *words) == Output(1, b"", b"") if words[1:2] != ["field"] else ask(alice, *words).out == b""


def test_damaged_entries_write_nothing(alice: Person, tmp_path: Path) -> None:
    (tmp_path / "planted.gpg").write_bytes(alice.gpg("--store", input=b"x\nfield: y\n"))
    (tmp_path / "out.gpg").symlink_to("/etc/passwd")
    for word in ("planted#", "out#", "none#", "#", "../x#"):
        done = ask(alice, "bash", "value", "", word, store=str(tmp_path))
        assert b"field" not in done.out
        assert done.err == b""


def test_a_changed_config_file_counts_at_once(alice: Person, tmp_path: Path) -> None:
    home = tmp_path
    for name in ("one", "two"):
        (home / name).mkdir()
        (home / name / f"in-{name}.gpg").touch()
    config = home / ".config" / "clave" / "config.toml"
    config.parent.mkdir(parents=True)
    for name in ("one", "two", "one"):
        config.write_text(f'default-store = "{name}"\n[stores.{name}]\npath = "~/{name}"\n')
        for _ in range(2):  # without the cache, and with it
            done = ask(alice, "bash", "entry", "", "in", HOME=str(home))
            assert done.out.decode().splitlines() == [f"in-{name}"]
    assert (home / ".cache" / "clave" / "stores").exists()
    config.write_text("broken")
    assert ask(alice, "bash", "entry", "", "in", HOME=str(home)) == Output(1, b"", b"")


def test_keys_that_cannot_be_encrypted_to_are_left_out(alice: Person, home: Path) -> None:
    alice.gpg("--passphrase", "", "--quick-gen-key", "Signer <signer@example.org>", "ed25519", "sign", "never")
    alice.gpg("--passphrase", "", "--quick-gen-key", "Late <late@example.org>", "rsa2048", "encr,cert", "seconds=1")
    offered = ask(alice, "bash", "key", "", "").out.decode()
    assert "alice@example.org\tAlice\n" in offered
    assert "signer@" not in offered
    digits = alice.fingerprint[:6]
    assert f"{alice.fingerprint}\tAlice <alice@example.org>\n" in ask(alice, "bash", "key", "", digits).out.decode()
    assert ask(alice, "bash", "key", "", digits.lower()).out.decode().startswith(digits.lower())


@pytest.mark.parametrize("kind", ["entry", "value", "folder", "store"])
def test_nothing_heavy_is_loaded_for_names(alice: Person, home: Path, kind: str) -> None:
    ask(alice, "bash", kind, "", "")  # the cache is there now
    before = run_as(alice, None, [sys.executable, "-c", "import sys; sys.stderr.write('\\n'.join(sys.modules))"])
    done = run_as(alice, None, [sys.executable, "-c", LIST_MODULES, "--complete", "bash", kind, "", ""])
    assert done.code == 0
    assert done.out
    extra = set(done.err.decode().split()) - set(before.err.decode().split())
    assert extra <= ALLOWED | {"clave.cli._complete", "clave.store.completion", "__future__", "gc"}


def test_no_heavy_library_is_loaded_for_fields(alice: Person, home: Path) -> None:
    done = run_as(alice, None, [sys.executable, "-c", LIST_MODULES, "--complete", "bash", "field", "", "", "work/db"])
    assert b"user\n" in done.out
    assert not {"click", "git", "rich", "gnupg", "subprocess", "tomlkit"} & set(done.err.decode().split())
