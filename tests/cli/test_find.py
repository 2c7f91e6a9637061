"""`clave find` beside `pass find`; what matches is in tests/store/test_listing.py."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.reading import ENTRIES, plain, put

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Person, Run


@pytest.fixture(scope="module")
def store(alice: Person, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put(alice, tmp_path_factory.mktemp("find") / "store", ENTRIES)


@pytest.mark.parametrize("command", ["find", "search"])
@pytest.mark.parametrize("terms", [["git"], ["GIT", "c d"], ["ü"], ["g*b"], ["still"], ["nnnnn", "bin"]], ids=str)
def test_prints_what_pass_prints(
    alice: Person, store: Path, clave: Run, run_pass: Run, command: str, terms: list[str]
) -> None:
    ours, theirs = clave(alice, store, command, *terms), run_pass(alice, store, command, *terms)
    assert (ours.code, ours.out, ours.err) == (0, plain(theirs.out), b"")


def test_nothing_found_is_exit_code_1(alice: Person, store: Path, clave: Run) -> None:
    done = clave(alice, store, "find", "no-such", "thing")
    assert (done.code, done.out) == (1, b"Search Terms: no-such,thing\n")
    assert clave(alice, store, "find", "--flat", "no-such").code == 1
    done = clave(alice, store, "find", "--json", "no-such")
    assert (done.code, json.loads(done.out)) == (1, {"version": 1, "terms": ["no-such"], "entries": []})


def test_flat_and_json(alice: Person, store: Path, clave: Run) -> None:
    assert clave(alice, store, "find", "--flat", "git").out == b"web/github\nweb/gitlab\n"
    assert clave(alice, store, "find", "--flat", "DEEP").out == b"deep/er/still\n"
    found = json.loads(clave(alice, store, "find", "--json", "lab", "ü").out)
    assert found == {"version": 1, "terms": ["lab", "ü"], "entries": ["web/gitlab", "é/ü"]}


def test_terms_are_needed(alice: Person, store: Path, clave: Run) -> None:
    done = clave(alice, store, "find")
    assert done.code == 2
    assert b"clave find --help" in done.err


def test_spans_all_stores(alice: Person, store: Path, clave: Run, tmp_path: Path) -> None:
    put(alice, tmp_path / "work", {"ci/git": b"", "other": b""})
    (tmp_path / "clave").mkdir()
    file = tmp_path / "clave/config.toml"
    file.write_text(f'[stores]\nwork.path = "{tmp_path}/work"\nhere.path = "{store}"\ngone.path = "/nowhere"\n')
    config = {"XDG_CONFIG_HOME": str(tmp_path)}
    tree = "Search Terms: git\n└── web\n    ├── github\n    └── gitlab\nwork:ci/git\n"
    assert clave(alice, store, "find", "git", **config).out.decode() == tree
    assert clave(alice, store, "find", "--flat", "git", **config).out == b"web/github\nweb/gitlab\nwork:ci/git\n"
    done = clave(alice, store, "find", "ci", **config)
    assert (done.code, done.out) == (0, b"Search Terms: ci\nwork:ci/git\n")
    missing = clave(alice, tmp_path / "no-store", "find", "--flat", "ci", **config)
    assert (missing.code, missing.out) == (0, b"work:ci/git\n")
