"""The tree beside the one that Debian's pass prints of the same folder."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from clave.store import layout
from clave.store.listing import HEADER, draw, matcher, prune, unicode_branches

if TYPE_CHECKING:
    from pathlib import Path

UTF8 = "C.UTF-8"


def make(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return root


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return make(
        tmp_path / "store",
        *(
            "web/github.gpg",
            "web/gitlab.gpg",
            "web/.gpg-id",
            "Web/x.gpg",
            "a.gpg",
            "B.gpg",
            "a b/c d.gpg",
            "é/ü.gpg",
        ),
        *(
            "🏠.gpg",
            "deep/er/still/bottom.gpg",
            "empty/",
            "zzz.gpg",
            "x.gpg.gpg",
            "UP.GPG",
            "notes.txt",
            ".git/HEAD.gpg",
        ),
        *(f"{'n' * 251}.gpg", ".gpg-id", "Fish.gpg", "Fishies/stuff.gpg", "Fishthings.gpg", "web-2/y.gpg"),
    )


def pass_prints(root: Path, *arguments: str, locale: str = UTF8) -> str:
    environment = {"PATH": os.environ["PATH"], "PASSWORD_STORE_DIR": str(root), "LC_ALL": locale, "TERM": "xterm"}
    done = subprocess.run(["pass", *arguments], env=environment, capture_output=True, check=True)
    return done.stdout.decode(errors="surrogateescape")


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def ours(root: Path, folder: str = "", *, locale: str = UTF8, colour: bool = False) -> str:
    unicode = unicode_branches({"LC_ALL": locale, "TERM": "xterm"})
    return f"{folder or HEADER}\n" + draw(layout.tree(str(root), folder), colour=colour, unicode=unicode)


@pytest.mark.parametrize("locale", [UTF8, "C"])
@pytest.mark.parametrize("folder", ["", "web", "deep", "a b", "é", "empty"])
def test_tree_is_the_one_of_pass(store: Path, folder: str, locale: str) -> None:
    assert ours(store, folder, locale=locale) == plain(pass_prints(store, "ls", folder, locale=locale))


def test_colours_are_those_of_pass(store: Path) -> None:
    (store / "alias.gpg").symlink_to("a.gpg")
    assert ours(store, colour=True) == pass_prints(store, "ls")


def test_links_are_shown_as_in_pass(store: Path) -> None:
    (store / "link.gpg").symlink_to("web/github.gpg")
    (store / "nowhere.gpg").symlink_to("gone.gpg")
    (store / "A-before-its-target").symlink_to("web")
    assert ours(store) == plain(pass_prints(store, "ls"))


def test_a_link_in_a_circle_ends(store: Path) -> None:
    (store / "deep/er/up").symlink_to("..")
    assert "up -> ..\n" in ours(store)


def test_a_link_out_of_the_store_is_not_followed(store: Path, tmp_path: Path) -> None:
    make(tmp_path / "elsewhere", "private.gpg")
    (store / "out").symlink_to(tmp_path / "elsewhere")
    assert "out -> " in ours(store)
    assert "private" not in ours(store)


def test_names_cannot_control_the_terminal(store: Path) -> None:
    make(store, "\x1b[31mred.gpg", "two\nlines.gpg", "\u202eltr.gpg", os.fsdecode(b"\xff.gpg"))
    (store / "l.gpg").symlink_to("\x1b[2J")
    text = ours(store)
    assert {r"├── \x1b[31mred", r"├── two\x0alines", r"├── l -> \x1b[2J"} <= set(text.splitlines())
    assert r"\u202eltr" in text
    assert r"\xff" in text
    assert text.replace("\n", "").replace("\u00a0", " ").isprintable()


FOUND_AS_PASS_DOES = [
    ["fish"], ["git"], ["bottom"], ["ü"], ["c d"], ["🏠"], ["nnnn"], ["FISHTHINGS"], ["nothing-like-it"],
    ["empty"], ["git", "x"], ["g*b"], ["f?sh"], ["[g]it"], ["[^x]ish"], [r"a\ b"], ["bottom", "zzz"],
    ["notes"], [""],
]  # fmt: skip


@pytest.mark.parametrize("terms", FOUND_AS_PASS_DOES, ids=" ".join)
def test_finds_what_pass_finds(store: Path, terms: list[str]) -> None:
    found = draw(prune(layout.tree(str(store)), matcher(terms)), colour=False, unicode=True)
    assert f"Search Terms: {','.join(terms)}\n{found}" == plain(pass_prints(store, "find", *terms))


def test_a_bar_separates_terms(store: Path) -> None:
    nodes = prune(layout.tree(str(store)), matcher(["zzz*|*notes"]))
    assert [name for name, _, _ in nodes] == ["notes.txt", "zzz"]


def test_everything_below_a_matching_folder_is_found(store: Path) -> None:
    # tree before 2.3, which Debian 12 has, leaves out what is in sub-folders of a matching folder
    assert prune(layout.tree(str(store)), matcher(["DEEP"])) == [
        ("deep", None, [("er", None, [("still", None, [("bottom", None, None)])])])
    ]


@pytest.mark.parametrize("term", ["er/still", "deep/", "EP/ER/ST*/b", "still/b"])
def test_a_term_with_a_slash_is_part_of_the_whole_name(store: Path, term: str) -> None:
    assert draw(prune(layout.tree(str(store)), matcher([term])), colour=False, unicode=True).endswith("── bottom\n")


def test_the_suffix_is_no_part_of_a_name(store: Path) -> None:
    # In pass `find gpg` finds everything.
    assert [name for name, _, _ in prune(layout.tree(str(store)), matcher(["gpg"]))] == ["UP.GPG", "x.gpg"]


@pytest.mark.parametrize("term", ["[", "a[", "[]", "[^", "\\", "a\\", "[z-a]"])
def test_an_unfinished_wildcard_is_itself(tmp_path: Path, term: str) -> None:
    assert matcher([term])(f"x{term}y", "")
    assert not matcher([term])("xy", "")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LC_ALL": "C.UTF-8"}, True),
        ({"LANG": "de_DE.utf8"}, True),
        ({"LC_CTYPE": "UTF-8"}, True),
        ({"LC_ALL": "C", "LANG": "C.UTF-8"}, False),
        ({"LC_ALL": "", "LC_CTYPE": "", "LANG": "en_US.UTF-8"}, True),
        ({"LANG": "en_US"}, False),
        ({}, False),
    ],
)
def test_the_locale_decides_the_branches(environment: dict[str, str], expected: bool) -> None:
    assert unicode_branches(environment) is expected
