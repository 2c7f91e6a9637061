"""`clave generate`: what is made, where it goes, what is told of it."""

from __future__ import annotations

import math
import re
import string
from importlib.resources import files

import pytest

from tests.cli.conftest import ENTRIES, User
from tests.cli.reading import terminal_output

PRINTED = string.ascii_letters + string.digits + string.punctuation


@pytest.mark.parametrize(
    ("words", "length", "characters"),
    [
        ([], 25, PRINTED),
        (["-n"], 25, string.ascii_letters + string.digits),
        (
            ["--no-symbols", "--exclude-similar"],
            25,
            sorted(set(string.ascii_letters + string.digits) - set("0O1lI5S8B2Z")),
        ),
        (["--charset", "a-f[:digit:]"], 25, "abcdef0123456789"),
        (["--charset", "ab"], 25, "ab"),
    ],
)
def test_characters(me: User, words: list[str], length: int, characters: str) -> None:
    done = me.ok("generate", *words, "new")
    password = done.out.decode().removesuffix("\n")
    assert len(password) == length
    assert set(password) <= set(characters)
    bits = round(length * math.log2(len(characters)))
    assert done.err.decode() == f"The generated password for new is:\n{bits} bits of entropy\n"
    assert me.read("new") == done.out
    assert me.subjects()[0] == "Add generated password for new."


def test_all_characters_are_used(me: User) -> None:
    assert set(me.ok("generate", "new", "4000").out.decode().strip()) == set(PRINTED)


def test_no_two_are_the_same(me: User) -> None:
    assert me.ok("generate", "-f", "new", "12").out != me.ok("generate", "-f", "new", "12").out


@pytest.mark.parametrize(("length", "env"), [("1", {}), ("64", {}), ("", {"PASSWORD_STORE_GENERATED_LENGTH": "7"})])
def test_length(me: User, length: str, env: dict[str, str]) -> None:
    words = [length] if length else []
    assert len(me.ok("generate", "new", *words, **env).out) == int(length or "7") + 1


def test_sets_of_the_environment(me: User) -> None:
    env = {"PASSWORD_STORE_CHARACTER_SET": "xy", "PASSWORD_STORE_CHARACTER_SET_NO_SYMBOLS": "[:digit:]"}
    assert set(me.ok("generate", "new", "60", **env).out) <= set(b"xy\n")
    assert set(me.ok("generate", "-fn", "new", "60", **env).out) <= set(b"0123456789\n")


def test_words(me: User) -> None:
    done = me.ok("generate", "--words", "6", "new")
    eff = set(files("xkcdpass").joinpath("static", "eff-long").read_text().split())
    assert len(eff) == 7776
    # A few of the words have a hyphen themselves.
    assert re.fullmatch(
        rf"({'|'.join(map(re.escape, eff))})(-({'|'.join(map(re.escape, eff))})){{5}}\n", done.out.decode()
    )
    assert b"78 bits of entropy" in done.err
    assert me.read("new") == done.out


def test_in_place_keeps_all_but_the_first_line(me: User) -> None:
    done = me.ok("generate", "-i", "web/site", "20")
    assert me.read("web/site") == ENTRIES["web/site"].replace(b"canary-pw\n", done.out)
    assert me.subjects()[0] == "Replace generated password for web/site."
    assert "Clave-Op: generate" in me.git("log", "-1", "--format=%B")


def test_without_it_all_of_the_entry_is_replaced(me: User) -> None:
    done = me.ok("generate", "-f", "web/site")
    assert me.read("web/site") == done.out


def test_before_something_is_overwritten(me: User) -> None:
    assert "An entry already exists for plain." in me.refused(2, "generate", "plain")
    child = me.tty("generate", "plain", "12")
    child.expect_exact("An entry already exists for plain. Overwrite it? [y/N] ")
    child.sendline("n")
    terminal_output(child)
    assert (child.exitstatus, me.read("plain")) == (1, ENTRIES["plain"])
    me.ok("generate", "plain", CLAVE_YES="1")
    assert me.read("plain") != ENTRIES["plain"]


def test_a_qr_code_instead(me: User) -> None:
    done = me.ok("generate", "-q", "new", "10")
    assert set(done.out.decode()) <= set(" ▀▄█\n")
    assert done.out == me.ok("show", "-q", "new").out
    assert me.read("new").strip() not in done.out + done.err


def test_on_a_terminal_the_password_has_a_colour(me: User) -> None:
    said = terminal_output(me.tty("generate", "new", "9"))
    assert b"\x1b[33m" + me.read("new").strip() + b"\x1b[0m" in said
    assert b"\x1b" not in terminal_output(me.tty("generate", "-f", "new", "9", NO_COLOR="1"))


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["new", "abc"], 2, 'pass-length "abc" must be a number'),
        (["new", "0"], 2, "pass-length must be greater than zero"),
        (["new", "1.5"], 2, 'pass-length "1.5" must be a number'),
        (["new", "²"], 2, 'pass-length "²" must be a number'),
        (["new", "--", "-3"], 2, 'pass-length "-3" must be a number'),
        (["new", "1000000000000"], 2, "is too large"),
        (["--words", "0", "new"], 2, "'--words'"),
        (["--words", "x", "new"], 2, "'--words'"),
        (["--words", "4", "new", "20"], 2, "--words and --length exclude each other"),
        (["--words", "4", "-n", "new"], 2, "--words and --no-symbols exclude each other"),
        (["--words", "4", "--exclude-similar", "new"], 2, "exclude each other"),
        (["--charset", "a-z", "-n", "new"], 2, "exclude each other"),
        (["--charset", "", "new"], 2, "the character set '' has no two characters"),
        (["--charset", "a", "new"], 2, "the character set 'a' has no two characters"),
        (["--charset", "01", "--exclude-similar", "new"], 2, "has no two characters"),
        (["--charset", "z-a", "new"], 2, "the range 'z-a' is the wrong way round"),
        (["--charset", "[:nope:]", "new"], 2, "there is no character class [:nope:]"),
        (["--charset", "\x1b\n", "new"], 2, "characters that can be typed"),
        (["-i", "-f", "plain"], 2, "--in-place and --force exclude each other"),
        (["-c", "-q", "new"], 2, "--clip and --qrcode exclude each other"),
        (["-i", "new"], 3, "new is not in the password store. Generate it without -i."),
        ([], 2, "missing argument 'NAME'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_made(me: User, words: list[str], code: int, message: str) -> None:
    assert message in me.refused(code, "generate", *words)
