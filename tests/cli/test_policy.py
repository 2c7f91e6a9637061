"""`clave policy`, and what it does to the commands that make and take passwords."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import User

FILE = ".clave/policy.toml"


def policy(me: User, text: str) -> None:
    """Commit a policy with plain git, as another program would."""
    (me.store / ".clave").mkdir(exist_ok=True)
    (me.store / FILE).write_text(text)
    me.git("add", FILE)
    me.git("commit", "-qm", "policy")


def test_set_is_one_commit_and_keeps_what_stands_there(me: User) -> None:
    policy(me, '# by the ops\n[paths."prod/"] # ours\nrotate = "1y"  # a year\n')
    me.ok("policy", "set", "prod", "owner=alice", "generate.length=40", "on=leaver", "expires=2027-01-31")
    assert me.git("show", f"HEAD:{FILE}") == (
        '# by the ops\n[paths."prod/"] # ours\nrotate = "1y"  # a year\nowner = "alice"\n'
        'generate = {length = 40}\non = ["leaver"]\nexpires = 2027-01-31\n'
    )
    assert me.git("log", "-1", "--format=%s|%(trailers)").strip() == "Set policy of prod.|Clave-Op: policy"
    assert me.git("status", "--porcelain") == ""
    me.ok("policy", "set", "prod", "--unset", "generate.length", "--unset", "expires")
    assert "generate" not in (me.store / FILE).read_text()
    assert me.ok("policy", "set", "prod", "rotate=1y").err == b"Nothing to do: it is so already.\n"
    me.ok("policy", "set", "--max-age", "30d")
    for key in ("rotate", "owner", "on"):
        me.ok("policy", "set", "prod", "--unset", key)
    assert "prod" not in (me.store / FILE).read_text()


@pytest.mark.parametrize(
    "words",
    [
        ("prod", "rotate=soon"),
        ("prod", "rotat=90d"),
        ("prod", "on=birthday"),
        ("../prod", "rotate=90d"),
        ("prod", "generate.length=0"),
        ("prod", "min_entropy=[1"),
        ("prod", "rotate.x=1"),
        ("prod", "owner=a\nb"),
        ("prod",),
        (),
        ("prod", "rotate"),
        ("--max-age", "soon"),
    ],
)
def test_what_is_no_policy_is_not_set(me: User, words: tuple[str, ...]) -> None:
    me.ok("policy", "set", "prod", "rotate=90d")
    me.refused(2, "policy", "set", *words)


def test_show_tells_which_line_holds(me: User) -> None:
    policy(me, '[paths."**"]\nrotate = "1y"\n[paths."web"]\nowner = "alice"\n')
    assert me.ok("policy", "show", "web/site").out.decode() == (
        f"rotate: 1y  ({FILE}, line 2, '**')\nowner: alice  ({FILE}, line 4, 'web')\n"
    )
    assert me.ok("policy").out.decode() == f"**: rotate 1y  ({FILE}, line 1)\nweb: owner alice  ({FILE}, line 3)\n"
    document = json.loads(me.ok("policy", "show", "--json", "web/new").out)
    assert document["rule"]["rotate_hours"] == 8760
    assert document["rule"]["owner"] == "alice"
    assert [each["key"] for each in document["reasons"]] == ["rotate", "owner"]


def test_check(me: User) -> None:
    assert me.ok("policy", "check").err == b"The policy is good.\n"
    policy(
        me,
        '[paths."nowhere"]\nrotate = "1d"\n[paths."web"]\ndriver = "nonesuch"\nmin_entropy = 90\n'
        'generate = { length = 5 }\n[paths."plain"]\ngenerate = { charset = "z-a" }\n',
    )
    done = me.run("policy", "check")
    lines = done.out.decode().splitlines()
    assert done.code == 1
    assert lines[0] == f"{FILE}, line 1: 'nowhere' holds for no entry"
    assert "there is no driver 'nonesuch'" in lines[1]
    assert any("makes 33 bits" in line for line in lines)
    assert any("the range 'z-a' is the wrong way round" in line for line in lines)
    policy(me, "[paths.a]\nrotate = 3\n")
    assert f"{FILE}, line 2" in me.refused(2, "policy", "check")


@pytest.mark.parametrize(
    ("words", "length", "characters"),
    [
        ([], 31, "abc"),
        (["12"], 12, "abc"),
        (["-n"], 31, None),
        (["--charset", "xy"], 31, "xy"),
    ],
)
def test_generate_by_the_policy_and_the_user_wins(
    me: User, words: list[str], length: int, characters: str | None
) -> None:
    policy(me, '[paths.new]\ngenerate = { length = 31, charset = "a-c" }\n')
    password = me.ok("generate", "new", *words).out.decode().strip()
    assert len(password) == length
    assert password.isalnum()
    if characters:
        assert set(password) <= set(characters)


def test_generate_words_by_the_policy(me: User) -> None:
    policy(me, "[paths.new]\ngenerate = { words = 5 }\n")
    assert "65 bits" in me.ok("generate", "new").err.decode()
    assert len(me.ok("generate", "-f", "new", "12").out) == 13
    assert "39 bits" in me.ok("generate", "-f", "--words", "3", "new").err.decode()
    assert len(me.ok("generate", "other").out) == 26


def test_what_is_weaker_than_the_policy_wants_is_refused(me: User) -> None:
    policy(me, "[paths.new]\nmin_entropy = 50\n")
    assert "has 33 bits" in me.refused(1, "generate", "new", "5")
    assert "is estimated at" in me.refused(1, "insert", "new", input=b"hunter2\n")
    assert "is estimated at" in me.refused(1, "set", "new", "password", input=b"hunter2\n")
    me.ok("insert", "other", input=b"hunter2\n")
    me.ok("insert", "--allow-weak", "new", input=b"hunter2\n")
    me.ok("set", "new", "user", input=b"alice\n")  # the password stays as weak as it was
    assert "is estimated at" in me.refused(1, "set", "new", "password", input=b"hunter3\n")
    me.ok("set", "--allow-weak", "new", "password", input=b"hunter3\n")
    me.ok("generate", "-f", "--allow-weak", "new", "5")
    me.ok("generate", "-f", "new", "25")
    me.ok("insert", "-f", "new", input=b"kV!4zQ#9wL@2rT\n")
    me.ok("insert", "-f", "--file", "-", "new", input=b"-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n")


def test_an_edit_is_told_and_not_lost(me: User) -> None:
    policy(me, "[paths.plain]\nmin_entropy = 50\n")
    editor = me.store.parent / "editor"
    editor.write_text("#!/bin/sh\necho hunter2 >$1\n")
    editor.chmod(0o755)
    done = me.ok("edit", "--on-disk", "plain", EDITOR=str(editor))
    assert b"Warning: the password is estimated at" in done.err
    assert me.read("plain") == b"hunter2\n"


def test_a_broken_policy_refuses_what_would_obey_it(me: User) -> None:
    policy(me, "\n[paths.new]\nlenght = 3\n")
    for words in (("generate", "new"), ("insert", "new"), ("due",), ("policy", "show", "new")):
        assert f"{FILE}, line 3" in me.refused(2, *words, input=b"x\n")
    assert me.ok("show", "plain").out == b"canary-plain\n"


@pytest.mark.parametrize("target", ["outside", "nowhere"])
def test_a_policy_that_is_a_link_is_none(me: User, target: str) -> None:
    (me.store / ".clave").mkdir()
    outside = me.store.parent / "outside"
    outside.write_text("[paths.new]\nmin_entropy = 1\n")
    os.symlink(me.store.parent / target, me.store / FILE)
    me.refused(8, "generate", "new")
    me.refused(8, "policy", "set", "a", "rotate=1d")


def test_a_store_with_a_policy_is_no_team(me: User) -> None:
    me.ok("policy", "set", "web", "rotate=90d")
    assert "has no team" in me.refused(2, "team", "add", "x", "y")
    assert me.ok("ls", "web").code == 0
    me.ok("mv", "plain", "web/plain")
    assert me.ok("show", "web/plain").out == b"canary-plain\n"
    me.ok("insert", "x/y", input=b"1\n")
    assert me.run("verify").code != 0
