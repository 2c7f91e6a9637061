"""`store`, `config` and `completion`: what a user sees of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Output

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def run(home: Path, *argv: str, **variables: str) -> Output:
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **variables}
    done = subprocess.run([sys.executable, "-m", "clave", *argv], env=env, capture_output=True, check=False)
    return Output(done.returncode, done.stdout, done.stderr)


def test_a_store_is_added_listed_chosen_and_forgotten(home: Path) -> None:
    (home / "work").mkdir()
    (home / ".password-store").mkdir()
    assert run(home, "store", "add", "work", str(home / "work")).code == 0
    missing = run(home, "store", "add", "new", str(home / "new"))
    assert missing.code == 0
    assert b"clave -s new init" in missing.err
    listed = run(home, "store", "list")
    assert listed.out.decode() == f"  work  {home}/work\n  new   {home}/new  (not there)\n"
    assert b".password-store (no default is chosen)" in listed.err
    assert run(home, "store", "default", "work").code == 0
    assert run(home, "store", "ls").out.startswith(b"* work")
    document = json.loads(run(home, "store", "list", "--json").out)
    assert document == {
        "version": 1,
        "current": f"{home}/work",
        "stores": [
            {"name": "work", "path": f"{home}/work", "default": True, "exists": True},
            {"name": "new", "path": f"{home}/new", "default": False, "exists": False},
        ],
    }
    removed = run(home, "store", "remove", "work")
    assert b"Its files are still in" in removed.err
    assert (home / "work").is_dir()
    assert run(home, "store", "remove", "work").code == 3


def test_a_store_of_the_environment_is_told_before_it_surprises(home: Path) -> None:
    (home / "work").mkdir()
    run(home, "store", "add", "work", str(home / "work"))
    chosen = run(home, "store", "default", "work", PASSWORD_STORE_DIR="/other")
    assert b"Warning: PASSWORD_STORE_DIR is set" in chosen.err
    assert b"/other (PASSWORD_STORE_DIR is set)" in run(home, "store", "list", PASSWORD_STORE_DIR="/other").err


def test_a_path_of_a_store_cannot_write_to_the_terminal(home: Path) -> None:
    (home / "a\x9b2J").mkdir()
    added = run(home, "store", "add", "odd", str(home / "a\x9b2J"))
    assert added.code == 2
    assert b"\\x9b" in added.err


def test_settings_are_read_set_and_unset(home: Path) -> None:
    assert run(home, "config", "get", "clip.seconds").out == b"45\n"
    assert run(home, "config", "set", "clip.seconds", "20").code == 0
    assert run(home, "config", "get", "clip.seconds").out == b"20\n"
    overridden = run(home, "config", "set", "clip.seconds", "30", PASSWORD_STORE_CLIP_TIME="5")
    assert b"PASSWORD_STORE_CLIP_TIME is set and comes before it" in overridden.err
    lines = run(home, "config", "list", PASSWORD_STORE_UMASK="027").out.decode().splitlines()
    assert "clip.seconds = 30  # file" in lines
    assert "generate.length = 25" in lines
    assert "PASSWORD_STORE_UMASK = 0027" in lines
    assert run(home, "config", "set", "--unset", "clip.seconds").code == 0
    document = json.loads(run(home, "config", "get", "--json", "clip.seconds", PASSWORD_STORE_CLIP_TIME="5").out)
    assert document == {"version": 1, "key": "clip.seconds", "value": "5", "origin": "PASSWORD_STORE_CLIP_TIME"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["get", "default-store"], 1),
        (["get", "clip.second"], 2),
        (["set", "clip.seconds"], 2),
        (["set", "--unset", "clip.seconds", "3"], 2),
        (["set", "clip.seconds", "x"], 2),
    ],
)
def test_what_config_cannot_do(home: Path, words: list[str], code: int) -> None:
    assert run(home, "config", *words).code == code


def test_every_setting_is_listed_and_in_the_help(home: Path) -> None:
    listed = json.loads(run(home, "config", "list", "--json").out)
    assert listed["file"] == f"{home}/.config/clave/config.toml"
    text = run(home, "config", "--help").out.decode()
    for row in listed["settings"]:
        assert row["key"] in text
        assert row["variable"] is None or row["variable"] in text
        assert run(home, "config", "get", row["key"]).code == (0 if row["value"] is not None else 1)


@pytest.mark.parametrize(("shell", "file"), [("bash", "clave.bash"), ("zsh", "_clave"), ("fish", "clave.fish")])
def test_the_completion_script_is_printed_as_it_is(home: Path, shell: str, file: str) -> None:
    done = run(home, "completion", shell)
    assert (done.code, done.err) == (0, b"")
    assert done.out == (ROOT / "completions" / file).read_bytes()
