"""What a write says, and does, about what is not shared yet; and the questions of `resolve`, on a terminal."""

from __future__ import annotations

import pytest

from tests.cli.reading import on_terminal, plain, terminal_output
from tests.cli.sharing import Group, group, shared_template, three

__all__ = ["group", "shared_template", "three"]


def on_a_terminal(group: Group, who: str, *args: str, answers: list[tuple[str, str]] | None = None) -> str:
    """Run clave as somebody on a terminal, answering its questions; return what is to be seen."""
    child = on_terminal(group.people[who], group.stores[who], *args)
    seen = b""
    for question, answer in answers or []:
        child.expect_exact(question)
        seen += child.before or b""
        child.sendline(answer)
    return plain(seen + terminal_output(child)).decode().replace("\r\n", "\n")


def settings(group: Group, who: str, text: str) -> None:
    folder = group.people[who].home / ".config" / "clave"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(text)


def test_how_much_there_is_to_share(group: Group) -> None:
    group.clave("alice", "sync")
    done = group.clave("alice", "insert", "-m", "one", input=b"x\n")
    assert b"share" not in done.err  # no terminal
    assert "2 commits to share: clave sync" in on_a_terminal(group, "alice", "generate", "two")
    assert "share" not in on_a_terminal(group, "alice", "show", "two")
    assert "share" not in on_a_terminal(group, "alice", "sync").replace("Nothing to share", "")
    assert "1 commit to share: clave sync" in on_a_terminal(group, "alice", "rm", "-f", "two")


def test_without_a_remote_there_is_nothing_to_share(group: Group) -> None:
    group.git("alice", "remote", "remove", "origin")
    assert "share" not in on_a_terminal(group, "alice", "rm", "-f", "web/site")


def test_each_write_is_shared_at_once(group: Group) -> None:
    group.join("bob")
    group.clave("alice", "insert", "-m", "of-alice", input=b"alice\n")
    group.clave("alice", "sync")
    settings(group, "bob", "sync.auto = true\n")
    try:
        done = group.clave("bob", "insert", "-m", "of-bob", input=b"bob\n")
        assert (done.out, done.err) == (b"", b"")
        assert group.head("bob") == group.tip()
        assert group.show("bob", "of-alice") == b"alice\n"
        group.remote.rename(group.folder / "away.git")
        done = group.clave("bob", "insert", "-m", "later", input=b"bob\n")
        assert "done here, not shared yet" in done.err.decode()
        assert group.show("bob", "later") == b"bob\n"
    finally:
        settings(group, "bob", "")


@pytest.mark.parametrize("text", ['sync.auto = "yes"\n', "sync.auto = 1\n"])
def test_the_setting_is_true_or_false(group: Group, text: str) -> None:
    settings(group, "bob", text)
    try:
        group.stores["bob"] = group.stores["alice"]
        assert "must be true or false" in group.clave("bob", "config", "list", code=2).err.decode()
    finally:
        settings(group, "bob", "")
    group.clave("bob", "config", "set", "sync.auto", "true")
    assert group.clave("bob", "config", "get", "sync.auto").out == b"true\n"
    group.clave("bob", "config", "set", "sync.auto", "maybe", code=2)
    settings(group, "bob", "")


# resolve


@pytest.fixture
def torn(group: Group) -> Group:
    """Bob's clone, where alice's and his web/site differ in password, user and notes."""
    group.join("bob")
    group.clave("alice", "insert", "-m", "-f", "web/site", input=b"pw-alice\nuser: alice\nnote of alice\n")
    group.clave("bob", "insert", "-m", "-f", "web/site", input=b"pw-bob\nuser: bob\nnote of bob\n")
    group.clave("alice", "sync")
    group.clave("bob", "sync", code=1)
    return group


QUESTION = "[q]uit: "


def test_choosing_field_by_field(torn: Group) -> None:
    seen = on_a_terminal(
        torn, "bob", "resolve", "web/site",
        answers=[
            (QUESTION, "f"),
            ("password: [o]urs or [t]heirs? ", "o"),
            ("user: [o]urs or [t]heirs? ", "what"),
            ("user: [o]urs or [t]heirs? ", "t"),
            ("notes: [o]urs or [t]heirs? ", "o"),
        ],
    )  # fmt: skip
    assert "pw-" not in seen  # masked
    assert "ours    bob" in seen
    assert "theirs  alice" in seen
    assert torn.show("bob", "web/site") == b"pw-bob\nuser: alice\nnote of bob\n"
    torn.clave("bob", "conflicts")


def test_secrets_are_shown_only_when_asked_for(torn: Group) -> None:
    seen = on_a_terminal(torn, "bob", "resolve", "web/site", answers=[(QUESTION, "s"), (QUESTION, "q")])
    assert seen.index("pw-alice") > seen.index("(secret)")
    assert "as it was" in seen
    assert "pw-bob" in on_a_terminal(torn, "bob", "resolve", "--show", "web/site", answers=[(QUESTION, "o")])
    assert torn.show("bob", "web/site") == b"pw-bob\nuser: bob\nnote of bob\n"


def test_both_in_the_editor(torn: Group) -> None:
    editor = torn.folder / "editor"
    editor.write_text('#!/bin/sh\ncp "$1" "$COPY"\nprintf "mine\\n" > "$1"\n')
    editor.chmod(0o755)
    child = on_terminal(
        torn.people["bob"], torn.stores["bob"], "resolve", "web/site",
        EDITOR=str(editor), COPY=str(torn.folder / "copy"),
    )  # fmt: skip
    child.expect_exact(QUESTION)
    child.sendline("e")
    terminal_output(child)
    text = (torn.folder / "copy").read_text()
    assert "<<<" not in text
    assert all(word in text for word in ("pw-alice", "pw-bob", "alice", "note of bob"))
    assert torn.show("bob", "web/site") == b"mine\n"
