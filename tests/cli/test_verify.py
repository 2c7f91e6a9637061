"""Whether a team store is what its team wrote: here, and where a push arrives."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Person
from tests.teams import crew, founded, team  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.teams import Team

# Grants bob the folder prod, and leaves the entries in it as they are.
GRANT = """
from clave.config import load
from clave.store.operation import begin
from clave.store.stores import open_store
from clave.team import editing
with begin(open_store(load())) as change:
    change.set_roster(editing.grant(change.team.roster, "bob", "prod"))
    change.commit("Grant.", "team")
"""


def words(team: Team) -> str:  # noqa: F811
    return team.clave("alice", "pin", "--words").out.decode().strip()


def evil(team: Team, who: str = "bob") -> str:  # noqa: F811
    """Let somebody add mallory to the readers and sign that; return the commit."""
    team.sign_as(who)
    (team.stores[who] / ".gpg-id").write_text(team.people["mallory"].fingerprint + "\n")
    team.git(who, "commit", "-q", "-a", "-m", "more readers")
    return team.head(who)


def unsigned(team: Team, who: str = "bob") -> str:  # noqa: F811
    team.run(who, "pass", "insert", "-m", "by-pass", input=b"x\n")
    return team.head(who)


# Here


def test_it_says_up_to_where_and_by_whom(team: Team) -> None:  # noqa: F811
    team.clave("carol", "insert", "-m", "prod/x", input=b"x\n")
    said = team.clave("carol", "verify").out.decode()
    assert team.head("carol")[:12] in said
    assert "signed by carol" in said
    assert "roster 1" in said
    found = json.loads(team.clave("carol", "verify", "--all", "--json").out)
    assert (found["verified"], found["signer"], found["roster"]) == (team.head("carol"), "carol", 1)
    assert found["refused"] == found["waiting"] == found["rekey_due"] == found["warnings"] == []
    team.clave("carol", "verify", "--strict")


def test_it_moves_the_pin_to_what_is_good(team: Team) -> None:  # noqa: F811
    team.clave("alice", "insert", "-m", "x", input=b"x\n")
    team.git("alice", "push", "-q")
    team.git("bob", "pull", "-q")
    team.clave("bob", "verify")
    assert team.pin("bob")["local"] == team.pin("bob")["upstream"] == team.tip()


@pytest.mark.parametrize("how", [[], ["--all"], ["--strict"], ["--json"]])
def test_it_names_commit_signer_rule_and_what_to_do(team: Team, how: list[str]) -> None:  # noqa: F811
    good = team.tip()
    bad = evil(team)
    done = team.clave("bob", "verify", *how, code=6)
    said = done.err.decode()
    for each in (bad[:12], "bob", "right", ".gpg-id", "Ask an admin"):
        assert each in said
    assert good[:12] in done.out.decode()
    assert team.pin("bob")["local"] == good
    if how == ["--json"]:
        (refused,) = json.loads(done.out)["refused"]
        assert (refused["commit"], refused["signer"], refused["rule"]) == (bad, "bob", "right")


@pytest.mark.parametrize("how", [[], ["--all"]])
def test_a_head_that_was_set_back_is_refused(team: Team, how: list[str]) -> None:  # noqa: F811
    """Also with --all, although everything up to it is as it should be."""
    team.clave("alice", "insert", "-m", "x", input=b"x\n")
    team.git("alice", "push", "-q")
    team.clave("bob", "sync")
    team.git("bob", "reset", "-q", "--hard", "HEAD~1")
    assert b"does not come after" in team.clave("bob", "verify", *how, code=6).err
    assert team.pin("bob")["local"] == team.tip()


def test_what_waits_is_a_warning_and_strictly_none(team: Team) -> None:  # noqa: F811
    good, waits = team.tip(), unsigned(team)
    done = team.clave("bob", "verify")
    assert waits[:12] in done.err.decode()
    assert good[:12] in done.out.decode()
    assert team.pin("bob")["local"] == good
    found = json.loads(team.clave("bob", "verify", "--json").out)
    assert found["waiting"][0]["commit"] == waits
    assert set(found["waiting"][0]["endorsers"]) == {"alice", "bob", "carol"}
    assert waits[:12] in team.clave("bob", "verify", "--strict", code=6).err.decode()


def test_entries_to_be_encrypted_anew(team: Team) -> None:  # noqa: F811
    team.run("alice", sys.executable, "-c", GRANT)
    done = team.clave("alice", "verify")
    assert b"roster 2" in done.out
    assert b"clave rekey" in done.err
    found = json.loads(team.clave("alice", "verify", "--json").out)
    assert [each["path"] for each in found["rekey_due"]] == ["prod/db.gpg"]
    assert "bob" in found["rekey_due"][0]["problem"]
    team.clave("alice", "verify", "--strict", code=6)


def test_what_is_not_committed(team: Team) -> None:  # noqa: F811
    (team.stores["alice"] / "web.gpg").write_bytes(b"other")
    assert b"web.gpg" in team.clave("alice", "verify").err
    assert b"web.gpg" in team.clave("alice", "verify", "--strict", code=6).err


@pytest.mark.parametrize(
    ("policy", "code"), [('max_age = "30d"\n', 0), ('max_age = "0h"\n', 6), ("max_age = 3\n", 6), ("max_age =", 6)]
)
def test_the_newest_commit_may_be_as_old_as_the_policy_says(team: Team, policy: str, code: int) -> None:  # noqa: F811
    team.sign_as("alice")
    (team.stores["alice"] / ".clave/policy.toml").write_text(policy)
    team.git("alice", "add", ".clave")
    date = "2026-01-01T00:00:00 +0000" if code else ""
    team.git("alice", "commit", "-q", "-m", "policy", **({"GIT_COMMITTER_DATE": date} if date else {}))
    done = team.clave("alice", "verify")
    assert bool(done.err) == bool(code)
    team.clave("alice", "verify", "--strict", code=code)


def test_arguments_are_for_a_push_alone(team: Team) -> None:  # noqa: F811
    assert b"--incoming" in team.clave("alice", "verify", "a", "b", code=2).err
    assert b"bare" in team.clave("alice", "verify", "--incoming", "a", "b", code=7).err


# Where a push arrives


@pytest.fixture(scope="module")
def server() -> Iterator[Person]:
    """Whoever runs the remote: no key, no store, a configuration of their own."""
    home = Path(tempfile.mkdtemp(prefix="cl-"))
    yield Person("server", home, home / "no-gnupg", "")
    shutil.rmtree(home)


@pytest.fixture
def guarded(team: Team, server: Person) -> Team:  # noqa: F811
    """The team, whose remote refuses what every clave would refuse."""
    shutil.rmtree(server.home / ".local", ignore_errors=True)
    source = Path(__file__).parents[2] / "src"
    environment = {**server.env(), "PYTHONPATH": str(source)}
    hook = team.remote / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    exports = "".join(
        f"export {name}='{value}'\n" for name, value in environment.items() if not name.startswith("GIT_")
    )
    hook.write_text(f"#!/bin/sh\n{exports}exec '{sys.executable}' -m clave verify --incoming\n")
    hook.chmod(0o755)
    subprocess.run(["git", "-C", str(team.remote), "config", "clave.root", words(team)], check=True)
    return team


def push(team: Team, who: str, *refspecs: str) -> str:  # noqa: F811
    """Push as somebody; return what they are told, "" if it was taken."""
    done = team.git(who, "push", "-f", "origin", *refspecs, check=False)
    return done.err.decode() if done.code else ""


def test_honest_work_is_taken(guarded: Team, server: Person) -> None:
    for name in ("one", "two"):
        guarded.clave("alice", "insert", "-m", name, input=b"x\n")
        assert push(guarded, "alice", "main") == ""
        assert guarded.tip() == guarded.head("alice")
    pins = list((server.home / ".local/state/clave/pins").iterdir())
    assert len(pins) == 1
    assert guarded.git("alice", "rev-parse", "HEAD~1").out.strip() in pins[0].read_bytes()


def test_what_every_clave_refuses_is_not_taken(guarded: Team) -> None:
    before = guarded.tip()
    bad = evil(guarded)
    said = push(guarded, "bob", "main")
    for each in (bad[:12], "by bob", "(right)", ".gpg-id"):
        assert each in said
    assert guarded.tip() == before
    # Neither with honest work on top, nor beside it on a branch of its own.
    guarded.git("bob", "revert", "--no-edit", "HEAD")
    assert bad[:12] in push(guarded, "bob", "main")
    assert bad[:12] in push(guarded, "bob", "main:refs/heads/other")
    guarded.git("bob", "tag", "-a", "-m", "x", "tagged")
    assert bad[:12] in push(guarded, "bob", "tagged")
    guarded.git("bob", "tag", "blob", "HEAD:web.gpg")
    assert "would be no commit" in push(guarded, "bob", "blob")
    assert guarded.tip() == before
    objects = subprocess.run(
        ["git", "-C", str(guarded.remote), "cat-file", "-e", bad], capture_output=True, check=False
    )
    assert objects.returncode != 0


def test_an_outsider_is_not_taken(guarded: Team) -> None:
    guarded.clone("mallory")
    guarded.sign_as("mallory")
    (guarded.stores["mallory"] / "x.gpg").write_bytes(guarded.people["mallory"].gpg("-e", "-r", "mallory", input=b"x"))
    guarded.git("mallory", "add", ".")
    guarded.git("mallory", "commit", "-q", "-m", "x")
    assert "is no member" in push(guarded, "mallory", "main")


def test_it_only_goes_forward(guarded: Team) -> None:
    guarded.clave("alice", "insert", "-m", "one", input=b"x\n")
    assert push(guarded, "alice", "main") == ""
    before = guarded.tip()
    assert "may not go back" in push(guarded, "alice", "HEAD~1:main")
    subprocess.run(["git", "-C", str(guarded.remote), "config", "receive.denyDeleteCurrent", "false"], check=True)
    assert "may not be removed" in push(guarded, "alice", ":main")
    guarded.clave("bob", "insert", "-m", "two", input=b"x\n")
    assert "may not go back, or aside" in push(guarded, "bob", "main")
    assert guarded.tip() == before


def test_unsigned_commits_wait_there_unless_it_is_strict(guarded: Team) -> None:
    waits = unsigned(guarded)
    hook = guarded.remote / "hooks/pre-receive"
    text = hook.read_text()
    hook.write_text(text.rstrip() + " --strict\n")
    assert waits[:12] in push(guarded, "bob", "main")
    hook.write_text(text)
    assert push(guarded, "bob", "main") == ""


def test_requests_to_join_come_in_and_nothing_else_by_their_name(guarded: Team) -> None:
    mallory = guarded.people["mallory"]
    guarded.stores["mallory"] = guarded.folder / "mallory-store"
    root = words(guarded)
    remote = str(guarded.remote)
    guarded.clave("mallory", "join", remote, "--root", root, "--key", mallory.fingerprint)
    ref = f"refs/heads/clave-join/{mallory.fingerprint}"
    assert guarded.tip(ref)
    assert "is refused" in push(guarded, "mallory", f"main:refs/heads/clave-join/{'A' * 40}")
    guarded.git("mallory", "fetch", "-q", "origin", ref)
    assert "is refused" in push(guarded, "mallory", f"FETCH_HEAD:refs/heads/clave-join/{'A' * 40}")
    assert push(guarded, "mallory", f":{ref}") == ""


def test_without_words_nothing_is_taken(guarded: Team) -> None:
    guarded.clave("alice", "insert", "-m", "one", input=b"x\n")
    subprocess.run(["git", "-C", str(guarded.remote), "config", "clave.root", "other-words"], check=True)
    assert "words of this store are others" in push(guarded, "alice", "main")
    subprocess.run(["git", "-C", str(guarded.remote), "config", "--unset", "clave.root"], check=True)
    assert "clave.root" in push(guarded, "alice", "main")


def test_a_new_server_takes_the_first_push(guarded: Team) -> None:
    subprocess.run(["git", "-C", str(guarded.remote), "update-ref", "-d", "refs/heads/main"], check=True)
    mallory = guarded.people["mallory"]
    assert "no store here yet" in push(guarded, "alice", f"main:refs/heads/clave-join/{mallory.fingerprint}")
    plain = guarded.git("alice", "rev-parse", "HEAD~1").out.decode().strip()
    assert "no team" in push(guarded, "alice", f"{plain}:refs/heads/main")
    assert push(guarded, "alice", "main") == ""


def test_by_hand_the_same_is_said(guarded: Team) -> None:
    bad = evil(guarded)
    before = guarded.tip()
    guarded.git("bob", "push", "-q", "--no-verify", "origin", "main", check=False)
    (guarded.remote / "hooks/pre-receive").unlink()
    guarded.git("bob", "push", "-q", "origin", "main")
    root = words(guarded)
    argv = [sys.executable, "-m", "clave", "verify", "--incoming"]
    env = {**guarded.people["carol"].env(), "CLAVE_ROOT": root, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}

    def by_hand(*more: str, input: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*argv, *more], cwd=guarded.remote, env=env, input=input, capture_output=True, text=True, check=False
        )

    assert by_hand(before, before).returncode == 0
    assert by_hand(before, bad).returncode == 6
    assert by_hand("0" * 40, bad, "refs/heads/other").returncode == 6
    assert by_hand(input=f"{before} {bad} refs/heads/main\n").returncode == 6
    assert by_hand(input=f"{before} {before} refs/heads/main\n").returncode == 0
    assert by_hand(input="nonsense\n").returncode == 2
    # What would lead git elsewhere counts for nothing.
    env["GIT_NAMESPACE"] = "x"
    env["GIT_CONFIG_COUNT"] = "nonsense"
    assert by_hand(before, before).returncode == 0
    assert os.path.isdir(guarded.remote / "refs")
