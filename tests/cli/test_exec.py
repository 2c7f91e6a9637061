"""`clave exec`, `clave allow` and `clave manifest`: what a program gets, and when it is not started at all."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import User, one_line
from tests.delivery.conftest import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

PRINT = (
    "import os, sys; sys.stdout.buffer.write(b'\\0'.join(os.fsencode(os.environ.get(n, '-')) for n in sys.argv[1:]))"
)
START = ("sh", "-c", "touch started")


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an application, in which clave is run; nothing has been allowed."""
    folder = tmp_path / "app"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def got(me: User, *options: str, names: str = "", **env: str) -> list[bytes]:
    """Return the values of variables as a program sees them; `-` for none."""
    done = me.ok("exec", *options, "--", sys.executable, "-c", PRINT, *names.split(), **env)
    return done.out.split(b"\0")


def not_started(me: User, code: int, *options: str) -> str:
    """Return what is said of a program that is not started."""
    done = me.run("exec", *options, "--", *START)
    assert done.code == code, done
    assert done.out == b""
    assert not os.path.exists("started")
    assert b"Traceback" not in done.err
    return done.err.decode()


# What a program gets


def test_a_program_gets_what_its_manifest_says(me: User, app: Path) -> None:
    me.ok("insert", "-m", "key", input=b"-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n")
    (app / "clave.toml").write_text(
        """[env]
        A = "plain"
        B = "web/site#user"
        URL = { template = "pg://{web/site#user}:{plain|url}@{{h}}" }
        LEVEL = { value = "info" }
        GONE = { secret = "nowhere", optional = true }
        ELSE = { secret = "plain#nofield", default = "fallback" }
        CODED = { secret = "web/bin", encoding = "base64" }
        KEY = "key"
        ALL = "web/site#*"
        OTP = "web/site#otp"
        [profiles.other.env]
        A = "team/db"
        """
    )
    names = "A B URL LEVEL GONE ELSE KEY"
    found = got(me, "--allow", names=names)
    assert found[:6] == [b"canary-plain", b"me", b"pg://me:canary-plain@{h}", b"info", b"-", b"fallback"]
    assert found[6] == b"-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n"
    assert got(me, "--allow", "-p", "other", names="A B") == [b"canary-team", b"me"]
    whole, code, coded = got(me, "--allow", names="ALL OTP CODED")
    assert whole == me.read("web/site")
    assert code == me.ok("otp", "web/site").out.strip() or len(code) == 6
    assert subprocess.run(["base64", "-d"], input=coded, capture_output=True, check=True).stdout == me.read("web/bin")


def test_a_manifest_above_is_found_and_what_the_caller_says_comes_first(me: User, app: Path) -> None:
    (app / "clave.toml").write_text('[env]\nA = "plain"\nB = "web/site#url"\nC = { value = "c" }\n')
    (app / "sub").mkdir()
    os.chdir("sub")
    assert got(me, "--allow", "-e", "A=team/db#login", names="A B") == [b"us", b"https://example.org"]
    assert got(me, "--allow", "--only", "B,C", names="A B C") == [b"-", b"https://example.org", b"c"]
    assert got(me, "--allow", "--except", "[AB]", names="A B C") == [b"-", b"-", b"c"]
    assert "no variable 'X'" in not_started(me, 3, "--allow", "--only", "X")
    assert "no variable 'X'" in not_started(me, 3, "--allow", "--except", "X")


def test_all_of_a_folder(me: User, app: Path) -> None:
    assert got(me, "--all", "web", "--only", "SITE", names="SITE") == [b"canary-pw"]
    assert got(me, "--all", ".", "--except", "WEB_BIN", names="PLAIN WEB_SITE TEAM_DB") == [
        b"canary-plain", b"canary-pw", b"canary-team"
    ]  # fmt: skip
    me.ok("insert", "-m", "web/Site", input=b"x\n")
    assert "two entries for SITE: web/Site and web/site" in not_started(me, 2, "--all", "web", "--only", "SITE")
    assert "webb is not in the password store" in not_started(me, 3, "--all", "webb")
    me.ok("insert", "-m", "tools/path", input=b"x\n")
    assert "PATH is refused" in not_started(me, 2, "--all", "tools")


def test_a_dot_env_file(me: User, app: Path) -> None:
    (app / ".env").write_text("A=plain\nB='clave://web/site#user'\n")
    # A value that only looks like the name of an entry is none: the file may be another program's.
    assert got(me, "--env-file", ".env", "--allow", names="A B") == [b"plain", b"me"]
    assert "has not been allowed" in not_started(me, 6, "--env-file", ".env")
    (app / ".env").write_text("A='clave://../x'\n")
    assert ".env, line 1: You've attempted" in not_started(me, 2, "--env-file", ".env", "--allow")
    (app / "clave.toml").write_text('[env]\nA = "plain"\n')
    (app / ".env").write_text("A=b\n")
    assert "two entries for A" in not_started(me, 2, "--env-file", ".env", "--allow")
    assert got(me, "--env-file", ".env", "-e", "A=team/db", "--allow", names="A") == [b"canary-team"]


def test_a_file_of_summons(me: User, app: Path) -> None:
    (app / "secrets.yml").write_text("A: !var web/site#user\nB: plain\n")
    assert got(me, "--manifest", "secrets.yml", "--allow", names="A B") == [b"me", b"plain"]
    assert "no clave.toml here or above. Make one: clave manifest init. Or: -e NAME=REFERENCE. Or, for summon's: " in (
        not_started(me, 3)
    )


def test_what_is_claves_does_not_reach_the_program(me: User, app: Path) -> None:
    env = {"CLAVE_YES": "1", "CLAVE_X": "x", "PASSWORD_STORE_GPG_OPTS": "--quiet", "MINE": "mine"}
    names = "CLAVE_YES CLAVE_X PASSWORD_STORE_GPG_OPTS PASSWORD_STORE_DIR MINE A"
    assert got(me, "-e", "A=plain", names=names, **env) == [b"-", b"-", b"-", b"-", b"mine", b"canary-plain"]
    assert got(me, "-e", "A=plain", "--pristine", names="MINE A", **env) == [b"-", b"canary-plain"]


def test_the_value_is_in_the_environment_of_the_program_and_in_no_argument(me: User, app: Path, program: Run) -> None:
    look = (
        "cat /proc/self/cmdline; echo; tr '\\0' '\\n' </proc/self/environ; cat /proc/$PPID/cmdline /proc/$PPID/environ"
    )
    done = program(me.person, me.store, "exec", "-e", "A=plain", "--", "sh", "-c", look)
    assert done.code == 0
    assert done.out.count(b"canary-plain") == 1
    assert b"\nA=canary-plain\n" in done.out


@pytest.mark.parametrize(
    "value",
    [
        b"a b",
        b"'\"$(x)`y`!",
        b"\xff\xfe",
        b"\xc3\xa9",
        b"tab\there",
        b"back\\slash",
        b"\x1b[31m",
        b" lead",
        b"#=",
        b"cr\r",
    ],
)
def test_a_value_arrives_byte_for_byte(me: User, app: Path, value: bytes) -> None:
    me.ok("insert", "-m", "odd", input=value + b"\nuser: " + value + b"\n")
    first, field = got(me, "-e", "A=odd", "-e", "B=odd#user", names="A B")
    assert first == value
    assert field == value.strip(b" ").removesuffix(b"\r")


# How it ends


@pytest.mark.parametrize("code", [0, 3, 255])
def test_the_exit_code_is_the_programs(me: User, app: Path, program: Run, code: int) -> None:
    assert program(me.person, me.store, "exec", "-e", "A=plain", "--", "sh", "-c", f"exit {code}").code == code


def test_a_signal_is_the_programs(me: User, app: Path, program: Run) -> None:
    done = program(me.person, me.store, "run", "-e", "A=plain", "sh", "-c", "kill -TERM $$")
    assert done.code == -signal.SIGTERM


def test_a_program_that_is_not_there_or_none(me: User, app: Path) -> None:
    assert "'no-such' was not found" in one_line(me.run("exec", "-e", "A=plain", "--", "no-such"), 127)
    assert "cannot be run" in one_line(me.run("exec", "-e", "A=plain", "--", "/etc/passwd"), 126)
    assert "needs a program" in one_line(me.run("exec", "-e", "A=plain"), 2)
    assert "needs a program" in one_line(me.run("exec", "-e", "A=plain", "--"), 2)


def test_what_stands_behind_the_program_is_its_own(me: User, app: Path) -> None:
    done = me.ok("exec", "-e", "A=plain", "printf", "%s,", "-e", "--", "--allow", "-h")
    assert done.out == b"-e,--,--allow,-h,"


def test_streams_and_terminal_are_the_programs(me: User, app: Path) -> None:
    done = me.ok("exec", "-e", "A=plain", "--", "sh", "-c", "cat; echo err >&2", input=b"in\n")
    assert (done.out, done.err) == (b"in\n", b"err\n")
    script = 'test -t 0 && test -t 1 && test -t 2 && echo ready && read x && echo "got $x $A"'
    with me.tty("exec", "-e", "A=plain", "--", "sh", "-c", script) as tty:
        tty.expect("ready")
        tty.sendline("this")
        tty.expect("got this canary-plain")
        tty.expect_exact("\r\n")


# Nothing is started


def test_all_that_is_wrong_is_said_at_once(me: User, app: Path, team: tuple) -> None:
    me.ok("init", "-p", "bobs", team[1].fingerprint)
    me.ok("insert", "-m", "bobs/x", input=b"x\n")
    me.ok("insert", "-m", "empty", input=b"\nuser: me\n")
    me.ok("insert", "-m", "large", input=b"x" * 140_000 + b"\n")
    (me.store / "broken.gpg").write_bytes(b"no message")
    (app / "clave.toml").write_text(
        """[env]
        GOOD = "plain"
        MISSING = "plian"
        FIELD = "web/site#usr"
        EMPTY = "empty"
        THEIRS = { template = "{bobs/x}" }
        BROKEN = "broken"
        LARGE = "large"
        NUL = "web/bin"
        """
    )
    said = not_started(me, 4, "--allow")
    first, *lines = said.splitlines()
    assert first == "Error: 7 of 8 variables cannot be had."
    assert [line.strip().split(":")[0] for line in lines] == [
        "MISSING", "FIELD", "EMPTY", "THEIRS", "BROKEN", "LARGE", "NUL"
    ]  # fmt: skip
    assert "plian is not in the password store. Did you mean 'plain'?" in said
    assert "web/site has no field 'usr'. It has: user, password, otp, notes, url." in said
    assert "empty has no password: its first line is empty. It has: user." in said
    assert f"bobs/x is readable by Bob <{team[1].email}>: ask Bob <{team[1].email}> for access." in said
    assert "broken is not a secret that can be trusted" in said
    assert (
        'its value is too large: 140000 bytes, and a variable holds 128 KiB. Hand it over in a file: as = "file".'
        in said
    )
    assert 'its value has a NUL, which no variable can hold. Hand it over in a file: as = "file".' in said
    assert "canary" not in said


@pytest.mark.parametrize(
    ("reference", "code", "said"),
    [
        ("plian", 3, "A: plian is not in the password store. Did you mean 'plain'?"),
        ("web/site#usr", 3, "A: web/site has no field 'usr'"),
        ("web/bin", 2, "A: its value has a NUL"),
        ("../x", 2, "You've attempted to pass a sneaky path"),
        ("/etc/passwd", 2, "'/etc/passwd' is not a name"),
        ("op://x/y", 2, "'op://x/y' is not a reference"),
        ("", 2, "'' is not a name of an entry"),
        ("web/", 2, "'web/' is a folder"),
        ("web", 3, "A: web is not in the password store"),
    ],
)
def test_one_thing_that_is_wrong_is_one_line(me: User, app: Path, reference: str, code: int, said: str) -> None:
    assert said in one_line(me.run("exec", "-e", f"A={reference}", "--", *START), code)
    assert not os.path.exists("started")


def test_an_optional_secret_that_cannot_be_read_is_no_missing_one(me: User, app: Path, team: tuple) -> None:
    me.ok("init", "-p", "bobs", team[1].fingerprint)
    me.ok("insert", "-m", "bobs/x", input=b"x\n")
    (app / "clave.toml").write_text('[env]\nA = { secret = "bobs/x", optional = true, default = "d" }\n')
    assert "bobs/x is readable by Bob" in not_started(me, 4, "--allow")


@pytest.mark.parametrize("name", ["LD_PRELOAD", "BASH_ENV", "PATH", "PYTHONPATH", "NODE_OPTIONS", "GIT_SSH_COMMAND"])
def test_a_name_that_runs_code_needs_the_callers_word(me: User, app: Path, name: str) -> None:
    assert f"--allow-env {name}" in not_started(me, 2, "-e", f"{name}=plain")
    (app / "clave.toml").write_text(f'[env]\n{name} = {{ value = "x" }}\n')
    (app / ".env").write_text(f"{name}=x\n")
    (app / "secrets.yml").write_text(f"{name}: x\n")
    for words in (["--allow"], ["--allow", "--manifest", "secrets.yml"]):
        assert f"--allow-env {name}" in not_started(me, 2, *words)
    (app / "clave.toml").unlink()
    assert f"--allow-env {name}" in not_started(me, 2, "--env-file", ".env")
    if name == "NODE_OPTIONS":
        assert got(me, "--allow-env", name, "-e", f"{name}=plain", names=name) == [b"canary-plain"]


@pytest.mark.parametrize("name", ["X;touch started;Y", "a[$(touch started)]", "1A", "A\nB", "", "é", "A B", "A-B"])
def test_what_is_no_name_is_never_one(me: User, app: Path, name: str) -> None:
    not_started(me, 2, "-e", f"{name}=plain", "--allow-env", name)


def test_two_entries_for_one_name(me: User, app: Path) -> None:
    assert "two entries for A: plain and team/db" in not_started(me, 2, "-e", "A=plain", "-e", "A=team/db")
    assert "does not say what A is" in not_started(me, 2, "-e", "A")


def test_all_variables_together_are_bounded(me: User, app: Path) -> None:
    for number in range(3):
        me.ok("insert", "-m", f"big/x{number}", input=b"x" * 120_000 + b"\n")
    lines = [f'A{number} = "big/x{number % 3}"' for number in range(80)]
    (app / "clave.toml").write_text("[env]\n" + "\n".join(lines) + "\n")
    assert "arguments and environment are larger than" in not_started(me, 2, "--allow")


def test_a_counter_is_not_taken_from(me: User, app: Path) -> None:
    me.ok("insert", "-m", "hotp", input=b"x\notpauth://hotp/a?secret=JBSWY3DPEHPK3PXP&counter=1\n")
    assert "go by a counter" in not_started(me, 2, "-e", "A=hotp#otp")


# With clave beside it


def test_a_secret_as_a_file_is_gone_with_the_program(me: User, app: Path, program: Run) -> None:
    (app / "clave.toml").write_text(
        """[env]
        KEY = { secret = "web/bin", as = "file" }
        TEXT = { secret = "plain", as = "file" }
        CONFIG = { value = "a = b", as = "file" }
        GONE = { secret = "nowhere", as = "file", optional = true }
        A = "web/site#user"
        """
    )
    look = 'stat -c %a "$KEY"; echo "$KEY $A ${GONE-none}"; cat "$TEXT"; echo; cat "$CONFIG"; echo; '
    look += 'base64 -w0 "$KEY"; exit 3'
    done = program(me.person, me.store, "exec", "--allow", "--", "sh", "-c", look)
    assert done.code == 3, done
    mode, names, text, config, key = done.out.decode().splitlines()
    path, user, gone = names.split()
    assert (mode, user, gone, text, config) == ("400", "me", "none", "canary-plain", "a = b")
    assert base64.b64decode(key) == me.read("web/bin")
    assert os.path.dirname(path).startswith("/dev/shm/clave-exec-")
    assert not os.path.exists(os.path.dirname(path))


def test_what_is_secret_is_masked(me: User, app: Path, program: Run) -> None:
    (app / "clave.toml").write_text(
        """[env]
        A = "plain"
        URL = { template = "x://{web/site#user}:{web/site|url}@host" }
        HOST = "web/site#url"
        LEVEL = { value = "information" }
        """
    )
    script = 'echo "$A $URL $HOST $LEVEL canary-pw"; echo "$A" | base64; echo "$A" >&2; exit 7'
    done = program(me.person, me.store, "exec", "--allow", "--mask", "--", "sh", "-c", script)
    assert done.code == 7
    assert b"canary" not in done.out + done.err
    assert base64.b64encode(b"canary-plain")[:14] not in done.out
    # A field that is no secret, and a plain setting, can be seen.
    assert b" https://example.org information " in done.out
    shown = program(me.person, me.store, "exec", "--allow", "--", "sh", "-c", script)
    assert b"canary-plain x://me:canary-pw@host" in shown.out


def test_a_change_of_a_secret_starts_the_program_anew(me: User, app: Path) -> None:
    (app / "clave.toml").write_text('[env]\nA = "plain"\nB = { secret = "web/site", as = "file" }\n')
    script = 'echo "$A $(cat "$B")" >>seen; exec sleep 60'
    argv = [sys.executable, "-m", "clave", "exec", "--allow", "--watch", "--", "sh", "-c", script]
    with subprocess.Popen(argv, env=me.person.env(me.store)) as process:
        try:
            wait_for(lambda: os.path.exists("seen"))
            me.ok("set", "web/site", "user", input=b"somebody\n")  # not what the program has of it
            me.ok("insert", "-m", "-f", "plain", input=b"new\n")
            wait_for(lambda: (app / "seen").read_text().splitlines() == ["canary-plain canary-pw", "new canary-pw"])
        finally:
            process.terminate()
    assert process.returncode == 143


def test_sync_every_is_for_watch(me: User, app: Path) -> None:
    assert "--sync-every is for --watch" in not_started(me, 2, "-e", "A=plain", "--sync-every", "60")


# Which store


def test_the_manifest_says_which_store(me: User, app: Path, tmp_path: Path) -> None:
    other = User(me.person, tmp_path / "other", me.start)
    other.ok("init", me.person.fingerprint)
    other.ok("insert", "-m", "plain", input=b"canary-of-the-other\n")
    subprocess.run(
        ["git", "-C", str(other.store), "remote", "add", "origin", "git@example.org:a/secrets.git"], check=True
    )
    (app / "clave.toml").write_text('[store]\nurl = "https://Example.org/a/secrets"\n[env]\nA = "plain"\n')
    said = not_started(me, 2, "--allow")
    assert "is for the store https://Example.org/a/secrets, and you have none that is that" in said
    assert "clave join https://Example.org/a/secrets" in said
    me.ok("store", "add", "other", str(other.store))
    assert got(me, "--allow", names="A") == [b"canary-of-the-other"]
    me.ok("store", "add", "mine", str(me.store))
    done = me.run("-s", "mine", "exec", "--allow", "--", *START)
    assert "the store 'mine' is not the one" in one_line(done, 2)


# Allowing


def test_what_is_new_has_to_be_allowed(me: User, app: Path) -> None:
    manifest = app / "clave.toml"
    manifest.write_text('[env]\nA = "plain"\nB = { value = "b" }\n')
    said = not_started(me, 6)
    assert f"{manifest} asks for 1 secrets that it has not been allowed" in said
    assert "clave allow; or say --allow" in said
    # What a file sets that nobody has named is nobody's word either; a named one may set what is no secret.
    assert f"{manifest} is new, and has not been allowed" in not_started(me, 6, "--only", "B")
    assert got(me, "--manifest", "clave.toml", "--only", "B", names="A B") == [b"-", b"b"]
    assert got(me, "-e", "B=team/db", "--only", "B", names="A B") == [b"-", b"canary-team"]
    assert got(me, "--allow", names="A") == [b"canary-plain"]
    not_started(me, 6)  # that was for once
    done = me.run("allow")
    assert done.code == 6
    assert b"+ A: plain\n+ B = b\n" in done.err
    me.ok("allow", "--sure")
    assert got(me, names="A") == [b"canary-plain"]
    # A name in another place, another name, a template of the same: nothing more is asked for.
    manifest.write_text('[env]\nX = { template = "{plain}" }\n')
    assert got(me, names="X") == [b"canary-plain"]
    manifest.write_text('[env]\nA = "plain"\nB = "team/db"\n')
    assert "asks for 1 secrets that it" in not_started(me, 6)
    assert got(me, "--only", "A", names="A") == [b"canary-plain"]
    # A field is another secret than the entry's password, and so is a profile's.
    manifest.write_text('[env]\nA = "plain#user"\n')
    not_started(me, 6)
    manifest.write_text('[env]\n[profiles.p.env]\nA = "team/db"\n')
    not_started(me, 6, "-p", "p")


def test_what_is_allowed_is_so_for_this_file_and_this_store(me: User, app: Path, tmp_path: Path) -> None:
    (app / "clave.toml").write_text('[env]\nA = "plain"\n')
    me.ok("allow", "--sure")
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "clave.toml").write_text('[env]\nA = "plain"\n')
    not_started(me, 6, "--manifest", str(copy / "clave.toml"))
    (copy / "link.toml").symlink_to(app / "clave.toml")
    assert got(me, "--manifest", str(copy / "link.toml"), names="A") == [b"canary-plain"]
    other = User(me.person, tmp_path / "other", me.start)
    other.ok("init", me.person.fingerprint)
    other.ok("insert", "-m", "plain", input=b"canary-of-the-other\n")
    not_started(other, 6)
    assert got(me, names="A") == [b"canary-plain"]


def test_it_is_asked_on_a_terminal(me: User, app: Path) -> None:
    (app / "clave.toml").write_text('[env]\nA = "plain"\nB = "team/db"\n')
    for answer, code in (("n", 6), ("", 6), ("y", 0)):
        with me.tty("exec", "--", "sh", "-c", "echo started $A") as tty:
            tty.expect("A: plain")
            tty.expect("B: team/db")
            tty.expect(r"Allow it\? \[y/N\] ")
            tty.sendline(answer)
            tty.expect("started canary-plain" if answer == "y" else "has not been allowed")
            tty.expect_exact("\r\n")
            tty.wait()
            assert tty.exitstatus == code
    assert got(me, names="A") == [b"canary-plain"]


def test_what_is_allowed_is_listed_and_taken_back(me: User, app: Path) -> None:
    (app / "clave.toml").write_text('[env]\nA = "plain"\nB = "web/site#user"\n')
    (app / ".env").write_text("C=clave://team/db\n")
    assert me.ok("allow", "--list").out == b""
    me.ok("allow", "--sure")
    me.ok("allow", "--sure", ".env")
    assert me.ok("allow", "--list").out.decode().splitlines() == [
        f"{app}/.env: 1 of {me.store}", "  team/db", f"{app}/clave.toml: 2 of {me.store}", "  plain", "  web/site#user"
    ]  # fmt: skip
    (first, _) = json.loads(me.ok("allow", "--list", "--json").out)["allowed"]
    assert first == {"file": f"{app}/.env", "store": str(me.store), "references": ["team/db"]}
    me.ok("allow", "--remove")
    not_started(me, 6)
    assert "has not been allowed anything" in one_line(me.run("allow", "--remove"), 3)
    assert got(me, "--only", "C", "--env-file", ".env", names="C") == [b"canary-team"]


def test_nothing_of_a_broken_record_counts(me: User, app: Path, tmp_path: Path) -> None:
    (app / "clave.toml").write_text('[env]\nA = "plain"\n')
    me.ok("allow", "--sure")
    (record,) = (me.person.home / ".local/state/clave/allowed").iterdir()
    assert record.stat().st_mode & 0o777 == 0o600
    whole = record.read_text()
    elsewhere = tmp_path / "clave.toml"
    elsewhere.write_text('[env]\nA = "plain"\n')
    record.with_name(record.name.replace("app%2F", "")).write_text(whole)  # the record of another file
    not_started(me, 6, "--manifest", str(elsewhere))
    for broken in (
        "",
        "secret clave://plain\n",
        whole.replace("plain", "%zz"),
        whole.replace("store", "stroe"),
        "\xff",
    ):
        record.write_text(broken)
        not_started(me, 6)
    record.write_text(whole)
    assert got(me, names="A") == [b"canary-plain"]


def test_of_a_dot_env_file_no_value_is_shown(me: User, app: Path) -> None:
    (app / ".env").write_text("A=canary-of-the-file\nB=clave://plain\n")
    assert "canary" not in not_started(me, 6, "--env-file", ".env")
    done = me.run("allow", ".env")
    assert b"+ B: plain\n" in done.err
    assert b"canary" not in done.err
    with me.tty("exec", "--env-file", ".env", "--", "true") as tty:
        tty.expect("Allow it")
        assert b"canary" not in tty.before
        tty.sendline("n")
        tty.wait()


def test_no_control_character_reaches_the_terminal(me: User, app: Path) -> None:
    me.ok("insert", "-m", "plain2", input=b"x\n")
    (app / "clave.toml").write_text(
        '[env]\nA = "plain\\u202etxt"\n[env.B]\nsecret = "web#x"\ndescription = "\\u001b[2J"\n'
    )
    done = me.run("allow")
    assert done.code == 6
    assert "\u202e" not in done.err.decode()
    assert b"\x1b" not in done.err
    assert "\u202e" not in not_started(me, 3, "--allow")


# The manifest's own commands


def test_a_manifest_is_made_and_added_to(me: User, app: Path) -> None:
    me.ok("manifest", "init")
    assert (app / "clave.toml").stat().st_mode & 0o777 == 0o644
    assert "is there already" in one_line(me.run("manifest", "init"), 2)
    me.ok("manifest", "add", "A", "plain")
    me.ok("manifest", "add", "U", "web/site#user", "-p", "test")
    me.ok("manifest", "add", "-t", "URL", "x://{web/site#user}:{plain|url}", "-p", "test")
    assert got(me, "-p", "test", names="A U URL") == [b"canary-plain", b"me", b"x://me:canary-plain"]
    assert "Did you mean 'plain'?" in one_line(me.run("manifest", "add", "B", "plian"), 3)
    assert "LD_PRELOAD is refused" in one_line(me.run("manifest", "add", "LD_PRELOAD", "plain"), 2)
    me.ok("manifest", "add", "B", "plian", "--new")
    before = (app / "clave.toml").read_bytes()
    for words in (["B C", "plain"], ["C", "../x"], ["C", "plain", "-p", "a b"], ["-t", "C", "{"]):
        assert me.run("manifest", "add", *words).code == 2
    assert (app / "clave.toml").read_bytes() == before
    assert [each.name for each in app.iterdir()] == ["clave.toml"]


def test_a_manifest_is_checked(me: User, app: Path, team: tuple) -> None:
    me.ok("init", "-p", "bobs", team[1].fingerprint)
    me.ok("insert", "-m", "bobs/x", input=b"x\n")
    (app / "clave.toml").write_text(
        '[env]\nA = "plain"\n[profiles.prod.env]\nB = "bobs/x"\nC = "nowhere"\nLD_PRELOAD = "plain"\n'
    )
    assert me.ok("manifest", "check").out == b"A: plain: good\n"
    done = me.run("manifest", "check", "--all")
    assert done.code == 4
    assert done.out == b"A: plain: good\nprod.A: plain: good\n"
    assert b"prod.B: bobs/x is readable by Bob" in done.err
    assert b"prod.C: nowhere is not in the password store" in done.err
    assert b"prod.LD_PRELOAD: LD_PRELOAD is refused" in done.err
    rows = json.loads(me.run("manifest", "check", "--json", "-p", "prod").out)["variables"]
    assert [(row["name"], row["state"]) for row in rows] == [
        ("A", "good"), ("B", "unreadable"), ("C", "not-found"), ("LD_PRELOAD", "usage")
    ]  # fmt: skip
    assert b"canary" not in done.out + done.err


# summon calls us


def test_summon_gets_what_it_asks_for(me: User) -> None:
    def call(*argv: str, input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        code = "import sys; from clave.cli._summon import main; sys.exit(main())"
        argv = (sys.executable, "-c", code, *argv)
        return subprocess.run(argv, input=input, env=me.person.env(me.store), capture_output=True, check=False)

    assert call("web/site#user").stdout == b"me"
    assert call("plain").stdout == b"canary-plain"
    assert call(input=b"plain\nweb/site#user\n").stdout == b"Y2FuYXJ5LXBsYWlu\nbWU=\n"
    missing = call("plian")
    assert (missing.returncode, missing.stdout) == (3, b"")
    assert b"Did you mean 'plain'?" in missing.stderr
    assert call("../x").returncode == 2
    assert call("--version").stdout.startswith(b"clave ")
