"""`clave env`: what is printed for whom, and what is not printed at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.reading import terminal_output
from tests.delivery import readers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import User

MANIFEST = """\
[env]
PASSWORD = "web/site"
URL = { template = "https://{web/site#user}:{web/site|url}@h" }
LEVEL = { value = "info" }

[profiles.keys]
inherit = false
env.KEY = { secret = "web/bin", as = "file" }
"""
VALUES = {"PASSWORD": b"canary-pw", "URL": b"https://me:canary-pw@h", "LEVEL": b"info"}


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an application, in which clave is run."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "clave.toml").write_text(MANIFEST)
    monkeypatch.chdir(folder)
    return folder


READERS = {
    "bash": readers.shell(readers.SHELLS["bash"][0]),
    "sh": readers.shell(readers.SHELLS["sh"][0]),
    "zsh": readers.shell(readers.SHELLS["zsh"][0]),
    "fish": readers.shell(readers.SHELLS["fish"][0]),
    "dotenv": readers.python_dotenv,
    "docker": readers.docker,
    "json": readers.jq,
    "yaml": readers.pyyaml,
}


@pytest.mark.parametrize("form", READERS)
def test_the_reader_of_a_format_has_what_the_manifest_says(me: User, app: Path, form: str) -> None:
    done = me.ok("env", "--allow", "--format", form)
    found = READERS[form](done.out)
    assert {name: found.get(name) for name in VALUES} == VALUES


def test_the_format_is_that_of_sh(me: User, app: Path) -> None:
    assert me.ok("env", "--allow", "--only", "LEVEL").out == b"export LEVEL='info'\n"


def test_options_choose_as_those_of_exec_do(me: User, app: Path) -> None:
    done = me.ok("env", "--allow", "--format", "json", "--except", "PASSWORD,URL", "-e", "TOKEN=plain", "--all", "team")
    assert json.loads(done.out) == {"LEVEL": "info", "DB": "canary-team", "TOKEN": "canary-plain"}


def test_a_manifest_that_is_not_allowed_gets_nothing(me: User, app: Path) -> None:
    assert "asks for 2 secrets that it has not been allowed" in me.refused(6, "env")


def test_a_name_that_runs_code_is_refused(me: User, app: Path) -> None:
    assert "LD_PRELOAD" in me.refused(2, "env", "--allow", "-e", "LD_PRELOAD=plain")
    assert b"LD_PRELOAD=" in me.ok("env", "--allow", "-e", "LD_PRELOAD=plain", "--allow-env", "LD_PRELOAD").out


@pytest.mark.parametrize("form", ["sh", "json", "docker", "github"])
def test_a_value_that_a_format_cannot_carry_is_told_and_nothing_is_printed(me: User, app: Path, form: str) -> None:
    env = {"GITHUB_ENV": str(app / "env")}
    line = me.refused(2, "env", "--allow", "--format", form, "-e", "BIN=web/bin#*", **env)
    assert "BIN" in line
    assert not (app / "env").exists()


def test_a_secret_that_is_missing_is_told_and_nothing_is_printed(me: User, app: Path) -> None:
    assert "MISSING" in me.refused(3, "env", "--allow", "-e", "MISSING=none/such")


def test_a_secret_for_a_file_is_left_to_exec(me: User, app: Path) -> None:
    line = me.refused(2, "env", "--allow", "-p", "keys")
    assert "KEY: only 'clave exec' hands a secret over in a file" in line
    done = me.ok("env", "--allow", "-p", "keys", "--format", "k8s-secret", "--name", "app")
    assert readers.kubernetes(done.out) == {"KEY": bytes(range(256)) * 3}


def test_a_secret_of_kubernetes_has_a_name(me: User, app: Path) -> None:
    assert "--name" in me.refused(2, "env", "--allow", "--format", "k8s-secret")
    assert "--name" in me.refused(2, "env", "--allow", "--name", "app")
    assert "cannot be the name" in me.refused(2, "env", "--allow", "--format", "k8s-secret", "--name", "A b")


def test_values_are_not_printed_on_a_terminal_unasked(me: User, app: Path) -> None:
    shown = terminal_output(child := me.tty("env", "--allow"))
    assert child.exitstatus == 2
    assert b"canary" not in shown
    assert b"--show" in shown
    assert b"export PASSWORD='canary-pw'" in terminal_output(me.tty("env", "--allow", "--show"))


def test_a_step_of_a_github_job(me: User, app: Path) -> None:
    file = app / "github.env"
    file.write_bytes(b"BEFORE=1")  # without a newline
    done = me.ok("env", "--allow", "--format", "github", GITHUB_ENV=str(file))
    assert done.out == b"::add-mask::canary-pw\n::add-mask::https://me:canary-pw@h\n"
    assert readers.github(file.read_bytes()) == {"BEFORE": b"1", **VALUES}


def test_a_step_of_a_github_job_writes_into_a_file_alone(me: User, app: Path) -> None:
    words = ("env", "--allow", "--format", "github")
    assert "GITHUB_ENV is not set" in me.run(*words).err.decode()
    (app / "real").write_bytes(b"")
    (app / "link").symlink_to(app / "real")
    os.mkfifo(app / "pipe")
    for name, code in (("link", 73), ("pipe", 73), ("none", 73), (".", 73)):
        done = me.run(*words, GITHUB_ENV=str(app / name))
        assert done.code == code, done
        assert done.err.startswith(b"Error: cannot write ")
    assert (app / "real").read_bytes() == b""


def test_masks_leave_out_what_is_no_secret(me: User, app: Path) -> None:
    (app / "env").write_bytes(b"")
    done = me.ok("env", "--allow", "--format", "github", "--only", "LEVEL", GITHUB_ENV=str(app / "env"))
    assert done.out == b""


def test_use_clave_in_direnv(me: User, app: Path, tmp_path: Path) -> None:
    """The real direnv: variables come with the folder, go with it, and are new when an entry changes."""
    library = tmp_path / "config" / "direnv" / "lib"
    library.mkdir(parents=True)
    (library / "clave.sh").write_bytes(me.ok("env", "--direnv-lib").out)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "clave").write_text(f'#!/bin/sh\nexec {sys.executable} -m clave "$@"\n')
    (programs / "clave").chmod(0o755)
    (app / ".envrc").write_text("use clave\n")
    env = me.person.env(
        me.store,
        PATH=f"{programs}:{os.environ['PATH']}",
        XDG_CONFIG_HOME=str(tmp_path / "config"),
        XDG_DATA_HOME=str(tmp_path / "data"),
        XDG_STATE_HOME=str(tmp_path / "state"),
    )

    def direnv(script: str) -> bytes:
        argv = ["bash", "--norc", "-c", script]
        return subprocess.run(argv, cwd=app, env=env, capture_output=True, check=True, stdin=subprocess.DEVNULL).stdout

    hook = 'eval "$(direnv export bash 2>err)"; '
    direnv("direnv allow")
    assert direnv(hook + 'echo "$PASSWORD$LEVEL"') == b"\n"  # not allowed yet
    assert "has not been allowed" in (app / "err").read_text()
    subprocess.run([programs / "clave", "allow", "--sure"], cwd=app, env=env, check=True, capture_output=True)
    assert direnv(hook + 'echo "$PASSWORD $LEVEL"') == b"canary-pw info\n"
    change = "sleep 1.1; printf 'new-value\\nuser: me\\n' | clave insert -m -f web/site >/dev/null; "
    assert direnv(hook + change + hook + "echo $PASSWORD") == b"new-value\n"  # direnv compares whole seconds
    assert direnv(hook + f"cd /; {hook} echo ${{PASSWORD-gone}}") == b"gone\n"
