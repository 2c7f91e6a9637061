"""Commit messages: what is written is read again, by us and by git, whatever names and authors hold."""

from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave.model.change import KINDS, OPERATIONS, Change, compose, decode, encode, parse

# Every byte string that can be a path in a git tree: no NUL.
paths = st.binary(min_size=1, max_size=60).filter(lambda b: 0 not in b).map(os.fsdecode)
blobs = st.sampled_from((40, 64)).flatmap(lambda n: st.text("0123456789abcdef", min_size=n, max_size=n))
changes = st.one_of(
    st.builds(Change, st.sampled_from(sorted(KINDS - {"same"})), paths, st.none()),
    st.builds(Change, st.just("same"), paths, blobs),
)
# Names in subjects: hostile text, and the words around names.
text = st.one_of(st.text(max_size=40), st.sampled_from(("a to b", "x from y.", "\x1b[2J", "\u202e", "Clave-Op: x")))


@given(path=paths)
def test_a_path_survives_its_encoding_and_has_one_spelling(path: str) -> None:
    encoded = encode(path)
    assert decode(encoded) == path
    assert encoded.isascii()
    assert encoded.isprintable()
    assert " " not in encoded


def test_the_encoding_is_readable_where_it_can_be() -> None:
    assert encode("work/db#1 (old) 100%.gpg") == "work/db#1%20(old)%20100%25.gpg"
    assert encode("é\n\x1b\udcff") == "%C3%A9%0A%1B%FF"


@pytest.mark.parametrize("text", ["", "a b", "%", "%4", "%zz", "%61", "%c3%a9", "a\n", "é", "\x1b"])
def test_what_encode_does_not_write_is_no_path(text: str) -> None:
    assert decode(text) is None


@given(
    subject=text,
    operation=st.sampled_from(sorted(OPERATIONS)),
    changed=st.lists(changes, max_size=5),
    endorsed=st.lists(blobs, max_size=2),
)
def test_a_message_is_read_as_it_was_composed(
    subject: str, operation: str, changed: list[Change], endorsed: list[str]
) -> None:
    message = compose(f"Remove {subject} from store.", operation, changed, endorses=endorsed)
    note = parse(message)
    assert note.endorses == tuple(endorsed)
    assert note.operation == operation
    assert note.changes == tuple(changed)
    assert message.split("\n")[0] == note.subject
    assert message.split("\n")[1] == ""


@given(subject=text, message=st.text())
def test_parse_takes_anything(subject: str, message: str) -> None:
    parse(message)
    parse(f"{subject}\n\nClave-Op: insert\n{message}")


def test_a_name_in_the_subject_cannot_forge_a_line_or_move_the_cursor() -> None:
    message = compose("Remove a\n\nClave-Op: rotate\x1b[2J\u202e from store.", "remove", [])
    assert message.count("Clave-Op: remove") == 1
    assert parse(message).operation == "remove"
    assert "\x1b" not in message
    assert "\u202e" not in message


def test_git_reads_the_trailers_that_we_write() -> None:
    message = compose(
        "Rename a to b.",
        "move",
        [Change("same", "b c.gpg", "0" * 40), Change("value", "ü.gpg")],
    )
    trailers = subprocess.run(
        ["git", "interpret-trailers", "--parse"], input=message, capture_output=True, text=True, check=True
    ).stdout
    assert trailers.splitlines() == [
        "Clave-Op: move",
        f"Clave-Change: same b%20c.gpg from {'0' * 40}",
        "Clave-Change: value %C3%BC.gpg",
    ]


def test_trailers_of_others_may_stand_beside_ours() -> None:
    note = parse("Subject\n\nbody\n\nClave-Op: edit\nClave-Change: meta a.gpg\nSigned-off-by: A <a@b>\n")
    assert (note.operation, note.changes) == ("edit", (Change("meta", "a.gpg"),))


@pytest.mark.parametrize(
    "message",
    [
        "Clave-Op: rotate\nClave-Change: value a.gpg",  # the first paragraph is the subject
        "x\n\nClave-Op: rotate\nClave-Change: value a.gpg\n\nmore text",  # not the last paragraph
        "x\n\nsome prose\nClave-Op: rotate\nClave-Change: value a.gpg",  # prose
    ],
)
def test_trailers_count_only_as_the_last_paragraph(message: str) -> None:
    assert parse(message)[1:3] == (None, ())


@pytest.mark.parametrize(
    "trailer",
    [
        "Clave-Op: steal",
        "Clave-Op: edit\nClave-Op: rotate",
        "Clave-Change: value",
        "Clave-Change: value a b.gpg",
        "Clave-Change: stolen a.gpg",
        "Clave-Change: value a.gpg from " + "0" * 40,
        "Clave-Change: same a.gpg",
        "Clave-Change: same a.gpg from HEAD",
        "Clave-Change: same a.gpg from " + "0" * 41,
    ],
)
def test_a_malformed_trailer_says_nothing(trailer: str) -> None:
    assert parse(f"x\n\n{trailer}\n")[1:3] == (None, ())


@pytest.mark.parametrize("bad", [("insert", "stolen", None), ("insert", "same", None), ("x", "value", None)])
def test_only_what_design_knows_is_written(bad: tuple[str, str, str | None]) -> None:
    with pytest.raises(ValueError, match="is no"):
        compose("s", bad[0], [Change(bad[1], "a.gpg", bad[2])])


@pytest.mark.parametrize(
    ("subject", "operation", "name"),
    [
        ("Add given password for a/b to store.", "insert", "a/b"),
        ("Add given password for a to store. to store.", "insert", "a to store."),
        ("Add password for a using vi.", "edit", "a"),
        ("Edit password for on using using emacs -nw.", "edit", "on using"),
        ("Add generated password for a.b.", "generate", "a.b"),
        ("Replace generated password for a.", "generate", "a"),
        ("Remove a/ from store.", "remove", "a"),
        ("Remove a.", "remove", "a"),
        ("Set GPG id to A, B.", "rekey", ""),
        ("Set GPG id to A, B (sub/x).", "rekey", "sub/x"),
        ("Reencrypt password store using new GPG id  (sub).", "rekey", "sub"),
        ("Deinitialize /home/u/.password-store/sub/.gpg-id (sub).", "rekey", "sub"),
        ("Deinitialize /home/u/.password-store/.gpg-id.", "rekey", ""),
        ("Signing new GPG id with 0123.", "rekey", None),
        ("Add current contents of password store.", "import", None),
        ("Configure git repository for gpg file diff.", None, None),
        ("Add OTP secret for a to store.", "edit", "a"),
        ("Append OTP secret for a.", "edit", "a"),
        ("Save secret a/b: Edited with vim", "edit", "a/b"),
        ("Save secret to a/b: Generated Password", "generate", "a/b"),
        ("Save secret a: Read secret from STDIN", "insert", "a"),
        ("Save secret a: Added Recipient 0123", "rekey", "a"),
        ("Removed Recipient 0123", "rekey", None),
        ("Merge branch 'master'", None, None),
        ("", None, None),
    ],
)
def test_subjects_of_pass_and_gopass_are_understood(subject: str, operation: str, name: str | None) -> None:
    note = parse(subject + "\n")
    assert (note.operation, note.name) == (operation, name)


@pytest.mark.parametrize(
    ("subject", "operation", "moves"),
    [
        ("Rename a to b.", "move", [("a", "b")]),
        ("Copy a/ to b/.", "copy", [("a", "b")]),
        ("Rename a to b to c.", "move", [("a", "b to c"), ("a to b", "c")]),
        ("Move from a to b", "move", [("a", "b")]),
        ("Save secret b: Move from a to b", "move", [("a", "b")]),
        ("Save secret b: Copied from a to b", "copy", [("a", "b")]),
    ],
)
def test_a_move_is_read_in_every_way_it_can_be(subject: str, operation: str, moves: list[tuple[str, str]]) -> None:
    note = parse(subject)
    assert (note.operation, list(note.moves)) == (operation, moves)


def test_a_huge_hostile_subject_costs_nothing() -> None:
    assert parse("Rename " + "a to " * 1_000_000 + "b.").moves == ()
    assert len(parse("Rename " + "a to " * 1_000 + "b.").moves) == 1_000


@pytest.mark.parametrize("commit", ["", "abc", "A" * 40, "a" * 39, "a" * 40 + "\n", "a" * 41, "a" * 40 + " x"])
def test_an_endorsement_names_a_whole_commit(commit: str) -> None:
    with pytest.raises(ValueError, match="is no id of a commit"):
        compose("Endorse.", "endorse", [], endorses=[commit])
    if commit.strip() == commit:
        assert parse(f"Endorse.\n\nClave-Endorse: {commit}\n").endorses == ()
