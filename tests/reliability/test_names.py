"""What is no name ends with 2 before anything happens, wherever a command takes one; long names work everywhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.conftest import run_as
from tests.reliability.battery import Battery
from tests.reliability.checks import assert_explained

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.reliability.conftest import Place

# No name at all: not even of something that is there already.
NEVER = {
    "up": "../x",
    "up in the middle": "a/../../x",
    "only up": "..",
    "absolute": "/etc/passwd",
    "empty": "",
    "dot": ".",
    "only slashes": "//",
    "option": "-x",
    "option below": "a/-x",
    "git": ".git/config",
    "git below": "team/.git/hooks/x",
    "recipients": ".gpg-id",
    "recipients below": "team/.gpg-id",
    "hidden": ".clave-journal/list",
    "long": "x" * 5000,
    "many": "x/" * 2500 + "x",
    "escape": "a\x1b[2Jb",
    "newline": "a\nb",
    "delete": "a\x7fb",
    "c1": "a\x9bb",
    "256 bytes": "x" * 252,
    "256 bytes in another script": "é" * 126,
}
# May be there, made by somebody else; clave makes none.
NEW = {
    "right to left": "a\u202eb",
    "isolate": "a\u2066b",
    "no-break": "a\u00a0b",
    "trailing dot": "a.",
    "trailing blank": "team /x",
    "leading blank": " a",
    "not UTF-8": os.fsdecode(b"a\xffb"),
    "not NFC": "e\u0301",
}


def commands(name: str) -> list[list[str]]:
    """Return the commands that would make something of this name; a name that looks like an option comes after --."""
    separator = ["--"] if name.startswith("-") else []
    return [
        ["insert", "-m", "-f", *separator, name],
        ["generate", "-f", *separator, name, "16"],
        ["edit", *separator, name],
        ["mv", "-f", *separator, "a", name],
        ["cp", "-f", *separator, "a", name],
        ["cp", *separator, "team/", name],
        ["otp", "insert", "-f", *separator, name],
    ]


def reading(name: str) -> list[list[str]]:
    separator = ["--"] if name.startswith("-") else []
    return [
        ["show", *separator, name],
        ["rm", "-r", "-f", *separator, name],
        ["mv", *separator, name, "b"],
        ["cp", *separator, name, "b"],
        ["set", *separator, name, "user"],
        ["init", "-p", name, "0123456789ABCDEF0123456789ABCDEF01234567"],
        ["log", *separator, name],
        ["restore", *separator, name, "HEAD"],
        ["diff", *separator, name],
        ["otp", "append", "-f", *separator, name],
    ]


def assert_refused(place: Place, clave: Run, words: list[str], code: int = 2) -> None:
    done = clave(place.person, place.store, *words, input=b"otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ\n", EDITOR="true")
    assert_explained(done, code)
    assert done.out == b""


@pytest.mark.parametrize("name", NEVER.values(), ids=NEVER)
def test_what_is_no_name(place: Place, clave: Run, name: str) -> None:
    head = place.head()
    words = [*commands(name)[:4], *reading(name)[:2], reading(name)[5]]
    # "" and "//" are the store itself where a folder is meant, as in pass: something can be moved into it.
    for each in words if name.strip("/") else words[:2]:
        assert_refused(place, clave, each)
    assert place.head() == head
    place.checker.assert_nothing_left()


def test_every_command_refuses_what_is_no_name(place: Place, clave: Run) -> None:
    head = place.head()
    for words in (*commands("../x"), *reading("../x"), *reading("team/.git/hooks/x")):
        assert_refused(place, clave, words)
    assert place.head() == head
    place.checker.assert_nothing_left()


@pytest.mark.parametrize("name", NEW.values(), ids=NEW)
def test_what_may_be_no_new_name(place: Place, clave: Run, name: str) -> None:
    head = place.head()
    for words in commands(name)[:4]:
        assert_refused(place, clave, words)
    assert place.head() == head
    place.checker.assert_nothing_left()


@pytest.mark.parametrize("name", NEW.values(), ids=NEW)
def test_what_pass_has_named_so_can_be_used(place: Place, clave: Run, name: str) -> None:
    """It can be read, changed and brought to a better name; no strange character reaches the terminal."""
    assert run_as(place.person, place.store, ["pass", "insert", "-m", name], input=b"by pass itself\n").code == 0
    assert clave(place.person, place.store, "show", name).out == b"by pass itself\n"
    for words in (["ls"], ["find", "a"], ["log"]):
        shown = clave(place.person, place.store, *words)
        assert shown.code in (0, 1)
        assert not set("\u202e\u2066\x1b") & set(shown.out.decode())
    assert clave(place.person, place.store, "insert", "-m", "-f", name, input=b"by clave now\n").code == 0
    assert clave(place.person, place.store, "mv", name, "better").code == 0
    place.state.entries["better"] = b"by clave now\n"
    place.whole()


@pytest.mark.parametrize(
    ("place", "name"),
    [("git", "n" * 250), ("git", "é" * 125), ("plain", "n" * 251), ("bigger", "n" * 251 + "/" + "m" * 251)],
    indirect=["place"],
    ids=["250", "250 in another script", "251", "251 twice"],
)
def test_long_names_work(place: Place, name: str) -> None:
    run = Battery(place)
    run("insert", "-m", name, input=b"of a long name\n")
    assert run("show", name).out == b"of a long name\n"
    run("cp", name, "b")
    run("mv", name, "team/" + name)
    run("edit", "team/" + name, code=1)  # nothing in it to change
    run("rm", "-f", "team/" + name)
    run("mv", "b", name)
    run("generate", "-i", name, "20")
    run("insert", "-m", "-f", name, input=b"again of a long name\n")
    place.state.entries[name] = b"again of a long name\n"
    place.whole()


@pytest.mark.parametrize("place", ["git", "plain"], indirect=True)
def test_case_twins_are_two_entries_where_the_disk_has_both(place: Place) -> None:
    run = Battery(place)
    run("insert", "-m", "A", input=b"the capital one\n")
    run("insert", "-m", "Team/X", input=b"the capital one\n")
    place.state.entries |= {"A": b"the capital one\n", "Team/X": b"the capital one\n"}
    place.whole()
