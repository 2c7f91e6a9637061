"""Import and export with real stores: all or nothing, nothing lost, nothing written where it should not be."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import run_as

if TYPE_CHECKING:
    from tests.conftest import Person, Run

KILLED = Path(__file__).parents[1] / "reliability" / "killed.py"
SECRET = "canary-9f3"


@pytest.fixture
def store(alice: Person, clave: Run, tmp_path: Path) -> Path:
    """A store in git with one entry."""
    place = tmp_path / "store"
    assert clave(alice, place, "init", alice.fingerprint).code == 0
    assert clave(alice, place, "git", "init").code == 0
    assert clave(alice, place, "insert", "-e", "there", input=b"mine\n").code == 0
    return place


def items(*found: dict[str, object]) -> bytes:
    return json.dumps({"format": "clave-items", "version": 1, "items": found}).replace(" ", "", 0).encode()


def head(alice: Person, store: Path) -> bytes:
    return run_as(alice, store, ["git", "-C", str(store), "rev-parse", "HEAD"]).out


def clean(alice: Person, store: Path) -> bool:
    status = run_as(alice, store, ["git", "-C", str(store), "status", "--porcelain"])
    return status.code == 0 and not status.out


def test_all_is_one_commit_and_again_is_nothing(alice, clave, store, tmp_path):
    file = tmp_path / "in.json"
    item = {"title": "a/b", "password": SECRET, "attachments": [{"name": "f", "base64": "/w=="}],
            "history": [{"item": {"title": "a/b", "password": "old"}}]}  # fmt: skip
    file.write_bytes(items(item, {"title": "A/B", "password": "x"}))
    before = head(alice, store)
    done = clave(alice, store, "import", str(file), "--into", "new")
    assert (done.code, SECRET in (done.out + done.err).decode()) == (0, False)
    log = run_as(alice, store, ["git", "-C", str(store), "log", "--format=%P%n%B", "-1"]).out
    assert log.startswith(before)
    assert b"Clave-Op: import" in log
    assert log.count(b"Clave-Change: value") == 4
    assert clean(alice, store)
    assert clave(alice, store, "show", "new/a_b").out == f"{SECRET}\ntitle: a/b\n".encode()
    assert clave(alice, store, "show", "new/A_B (2)").code == 0
    assert clave(alice, store, "show", "new/a_b.files/f").out == b"\xff"
    before = head(alice, store)
    again = clave(alice, store, "import", str(file), "--into", "new")
    assert again.code == 0
    assert again.out.count(b"equal") == 2
    assert head(alice, store) == before


@pytest.mark.parametrize(
    ("policy", "code", "there", "beside"),
    [
        (None, 2, b"mine\n", None),
        ("skip", 0, b"mine\n", None),
        ("replace", 0, b"theirs\ntitle: There\nurl: u\n", None),
        ("keep-both", 0, b"mine\n", b"theirs\ntitle: There\nurl: u\n"),
        ("merge", 0, b"mine\n", b"theirs\ntitle: There\nurl: u\n"),
    ],
)
def test_a_conflict_ends_as_the_user_says(alice, clave, store, policy, code, there, beside):
    data = items({"title": "There", "password": "theirs", "urls": ["u"]})
    arguments = ["--on-conflict", policy] if policy else []
    done = clave(alice, store, "import", "json", "-", *arguments, input=data)
    assert done.code == code
    assert clave(alice, store, "show", "there").out == there
    found = clave(alice, store, "show", "there (2)")
    assert (found.out if found.code == 0 else None) == beside


def test_a_merge_takes_what_one_of_both_has(alice, clave, store):
    data = items({"title": "there", "password": "mine", "user": "u", "tags": ["t"]})
    assert clave(alice, store, "import", "-", "--on-conflict", "merge", input=data).code == 0
    assert clave(alice, store, "show", "there").out == b"mine\nuser: u\ntags: t\n"


def test_what_is_lost_has_to_be_accepted(alice, clave, store):
    data = items({"title": "new", "password": "x", "colour": "red"})
    before = head(alice, store)
    refused = clave(alice, store, "import", "-", input=data)
    assert (refused.code, b"colour" in refused.out, head(alice, store)) == (2, True, before)
    assert clave(alice, store, "import", "-", "--lossy", input=data).code == 0


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", 2),
        (b"{", 2),
        (b'{"a":' * 200_000, 2),
        (items({"title": "x", "text": "a"}, {"title": "x", "password": "\\ud800"}).replace(b"\\\\ud", b"\\ud"), 2),
        (items({"title": "a", "attachments": [{"name": "b", "text": ""}]},
               {"title": "b", "folder": ["a.files"], "text": "other"}), 2),
    ],
    ids=["empty", "broken", "deep", "surrogate", "overlapping"],
)  # fmt: skip
def test_a_file_that_is_refused_changes_nothing(alice, clave, store, data, code):
    before = head(alice, store)
    done = clave(alice, store, "import", "json", "-", input=data)
    assert done.code == code
    assert done.err.startswith(b"Error: ")
    assert done.err.count(b"\n") == 1
    assert head(alice, store) == before
    assert clean(alice, store)


def test_names_that_lead_out_stay_inside(alice, clave, store, tmp_path):
    data = items(
        {"title": "../../evil", "folder": ["..", "/etc", ".git"], "password": "x"},
        {"title": ".gpg-id", "text": "mallory"},
        {"title": "hooks", "folder": [".git"], "text": "x"},
        {"title": "\x1b[2J", "password": "x"},
    )
    done = clave(alice, store, "import", "-", "--lossy", input=data)
    assert done.code == 0
    assert b"\x1b" not in done.out + done.err
    assert sorted(os.listdir(tmp_path)) == ["store"]
    assert (store / ".gpg-id").read_text().split() == [alice.fingerprint]
    assert clean(alice, store)


def test_killed_at_any_step_all_or_nothing_is_there(alice, clave, store, tmp_path):
    file = tmp_path / "many.json"
    file.write_bytes(items(*({"title": f"i{at}", "password": f"{at}"} for at in range(60))))
    before, ended = head(alice, store), set()
    for step in (3, 40, 130, 230):
        killed = run_as(alice, store, [sys.executable, str(KILLED), str(step), "import", str(file)])
        assert killed.code in (-signal.SIGKILL, 0)
        assert clave(alice, store, "show", "there").out == b"mine\n"
        after = head(alice, store)
        assert len(list(store.glob("i*.gpg"))) == (0 if after == before else 60)
        assert clean(alice, store)
        ended.add(after == before)
        if after != before:
            assert clave(alice, store, "undo").code == 0
            before = head(alice, store)
            assert not list(store.glob("i*.gpg"))
    assert ended == {True, False}


def test_an_export_is_a_new_file_for_its_owner(alice, clave, store, tmp_path):
    target = tmp_path / "out.json"
    assert clave(alice, store, "export", "json", "-o", str(target)).code == 2
    assert not target.exists()
    assert clave(alice, store, "export", "json", "--plaintext", "-o", str(target)).code == 0
    assert target.stat().st_mode & 0o777 == 0o600
    assert json.loads(target.read_text())["items"] == [{"title": "there", "password": "mine"}]
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    for place in (target, link, tmp_path / "missing" / "x", store / "x.json"):
        refused = clave(alice, store, "export", "json", "--plaintext", "-o", str(place))
        assert refused.code == 2
    assert sorted(os.listdir(tmp_path)) == ["link", "out.json", "store"]
    encrypted = tmp_path / "out.gpg"
    assert clave(alice, store, "export", "csv", "--encrypt-to", alice.fingerprint, "-o", str(encrypted)).code == 0
    assert b'"there"' in alice.gpg("--decrypt", str(encrypted))


def test_a_folder_of_pass_goes_round(alice, clave, run_pass, store, tmp_path):
    plaintexts = {"a/text": b"x\nuser:y", "bin": bytes(range(256)), "crlf": b"a\r\nb: c\r\n", "yaml": b"p\n---\na: b\n"}
    for name, plaintext in plaintexts.items():
        assert clave(alice, store, "insert", "-m", name, input=plaintext).code == 0
    out = tmp_path / "out"
    assert clave(alice, store, "export", "pass", "--encrypt-to", alice.fingerprint, "-o", str(out)).code == 0
    assert run_pass(alice, out, "show", "a/text").out == plaintexts["a/text"]
    (out / "alias.gpg").symlink_to("bin.gpg")
    (out / "passwd.gpg").symlink_to("/etc/passwd")
    refused = clave(alice, store, "import", "pass", str(out), "--into", "again")
    assert (refused.code, b"lost       passwd" in refused.out) == (2, True)
    assert clave(alice, store, "import", str(out), "--into", "again", "--lossy").code == 0
    for name, plaintext in {**plaintexts, "alias": plaintexts["bin"]}.items():
        assert clave(alice, store, "show", f"again/{name}").out == plaintext


def test_what_cannot_be_opened_is_not_left_out_silently(alice, clave, store, tmp_path):
    (store / "broken.gpg").write_bytes(b"no message")
    refused = clave(alice, store, "export", "json", "--plaintext", "-o", str(tmp_path / "x"))
    assert (refused.code, b"broken" in refused.err, (tmp_path / "x").exists()) == (4, True, False)
    lossy = ["--skip-unreadable", "--lossy", "--plaintext", "-o", str(tmp_path / "x")]
    assert clave(alice, store, "export", "json", *lossy).code == 0
    assert clave(alice, store, "import", "pass", str(store), "--into", "n").code == 4


def test_gopass_bodies_are_read_on_wish(alice, clave, store, tmp_path):
    source = tmp_path / "gopass"
    mime = b"GOPASS-SECRET-1.0\nPassword: pw\nUsername: bob\n\nnote\n"
    assert clave(alice, source, "init", alice.fingerprint).code == 0
    assert clave(alice, source, "insert", "-m", "mime", input=mime).code == 0
    (source / ".public-keys").mkdir()
    assert clave(alice, store, "import", str(source), "--into", "kept").code == 0
    assert clave(alice, store, "show", "kept/mime").out == mime
    assert clave(alice, store, "import", str(source), "--into", "read", "--convert").code == 0
    assert clave(alice, store, "show", "read/mime").out == b"pw\nuser: bob\nnote\n"
