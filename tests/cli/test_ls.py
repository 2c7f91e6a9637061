"""`clave ls` beside `pass ls`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.reading import ENTRIES, on_terminal, plain, put, terminal_output

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Person, Run


@pytest.fixture(scope="module")
def store(alice: Person, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put(alice, tmp_path_factory.mktemp("ls") / "store", ENTRIES)


@pytest.mark.parametrize("words", [["ls"], ["list"], ["show"], [], ["ls", "web"], ["web/"], ["list", "deep"]], ids=str)
@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_prints_what_pass_prints(
    alice: Person, store: Path, clave: Run, run_pass: Run, words: list[str], locale: str
) -> None:
    ours, theirs = (run(alice, store, *words, LC_ALL=locale) for run in (clave, run_pass))
    assert (ours.code, ours.out, ours.err) == (0, plain(theirs.out), b"")


def test_colours_on_a_terminal_are_those_of_pass(alice: Person, store: Path) -> None:
    ours, theirs = (terminal_output(on_terminal(alice, store, "ls", program=p)) for p in ("clave", "pass"))
    assert b"\x1b[01;34mweb\x1b[0m" in ours
    assert ours == theirs


def test_no_colour(alice: Person, store: Path) -> None:
    assert b"\x1b" not in terminal_output(on_terminal(alice, store, "ls", NO_COLOR="1"))
    assert b"\x1b" not in terminal_output(on_terminal(alice, store, "ls", TERM="dumb"))


def test_flat_and_json(alice: Person, store: Path, clave: Run) -> None:
    names = clave(alice, store, "ls", "--flat").out.decode().splitlines()
    assert sorted(names) == sorted(ENTRIES)
    assert json.loads(clave(alice, store, "ls", "--json").out) == {"version": 1, "folder": "", "entries": names}
    assert clave(alice, store, "ls", "--flat", "web").out == b"web/github\nweb/gitlab\n"
    assert json.loads(clave(alice, store, "ls", "--json", "web/").out)["entries"] == ["web/github", "web/gitlab"]


def test_what_is_no_folder(alice: Person, store: Path, clave: Run) -> None:
    missing = clave(alice, store, "ls", "wbe")
    assert missing.code == 3
    assert missing.err == b"Error: wbe is not in the password store. Did you mean 'web'?\n"
    entry = clave(alice, store, "ls", "plain")
    assert entry.code == 2
    assert entry.err == b"Error: plain is an entry, not a folder. Show it: clave show plain\n"
    assert clave(alice, store, "ls", "../store").code == 2
    assert clave(alice, store, "ls", "--flat", "--json").code == 2


def test_an_empty_store(alice: Person, clave: Run, run_pass: Run, tmp_path: Path) -> None:
    put(alice, tmp_path, {})
    assert clave(alice, tmp_path, "ls").out == run_pass(alice, tmp_path, "ls").out == b"Password Store\n"


def test_names_cannot_control_the_terminal(alice: Person, clave: Run, tmp_path: Path) -> None:
    store = put(alice, tmp_path, {"\x1b[2J\nx": b""})
    for words in (
        ["ls"],
        ["ls", "--flat"],
        ["find", "x"],
        ["find", "\x1b"],
        ["grep", "", "-v", "-c"],
        ["\x1b[2Jy"],
    ):
        done = clave(alice, store, *words)
        assert b"\x1b" not in done.out + done.err


def test_another_store(alice: Person, store: Path, clave: Run, tmp_path: Path) -> None:
    put(alice, tmp_path / "work", {"api": b"", "web/inner": b""})
    config = {"XDG_CONFIG_HOME": str(tmp_path)}
    (tmp_path / "clave").mkdir()
    (tmp_path / "clave/config.toml").write_text(f'[stores]\nwork.path = "{tmp_path}/work"\n')
    assert clave(alice, store, "ls", "--flat", "work:", **config).out == b"api\nweb/inner\n"
    assert clave(alice, store, "ls", "--flat", "work:web", **config).out == b"web/inner\n"
    assert clave(alice, store, "-s", "work", "ls", "--flat", **config).out == b"api\nweb/inner\n"
