"""What is not an attack, or only looks like one: how each case of SECURITY.md ends that is not refused by a rule.

Fine: armored entries, a rotated subkey, somebody who was offline, keys that were extended, replaced and revoked. Advice
and exit 7: a branch that is gone. Warnings, 6 under --strict: a remote that shows nothing new for too long. Usage:
what would leave a team without admin, a folder without reader, or run what a URL says.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from clave.team.roster import REPLACED, Grant, Key, Member, Removed
from tests.conftest import Person, forget, make_person
from tests.security.forge import FILE, Forge, double
from tests.security.test_team_attacks import assert_safe, judged, state
from tests.teams import ENTRIES, Team, crew, founded, team

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["crew", "founded", "team"]


@pytest.fixture(scope="module")
def dave() -> Iterator[Person]:
    person = make_person("dave")
    yield person
    forget(person)


@pytest.fixture
def carol(team: Team) -> Iterator[Person]:
    """Carol with a key ring of her own, whose keys may be changed."""
    person = double(team.people["carol"])
    yield person
    forget(person)


def subkeys(person: Person) -> list[str]:
    """Return the ids of somebody's encryption subkeys, the newest last."""
    rows = [row.split(":") for row in person.gpg("--with-colons", "--list-keys", person.fingerprint).decode().split()]
    return [row[4] for row in rows if row[0] == "sub" and "e" in row[11]]


def assert_good(team: Team, who: str, tip: str) -> None:
    """Somebody syncs, has it, and reads what is there."""
    assert (judged(team, who, tip).good, judged(team, who, tip).refusals) == (tip, ())
    done = team.clave(who, "sync")
    assert_safe(done.out + done.err)
    assert team.head(who) == team.pin(who)["local"] == team.pin(who)["upstream"] == tip
    assert team.git(who, "status", "--porcelain").out == b""


def certificate(person: Person) -> dict[str, bytes]:
    data = person.gpg("--armor", "--export-options", "export-minimal", "--export", person.fingerprint)
    return {f".public-keys/{person.fingerprint}": data}


# Fine.


def test_an_armored_entry_is_as_good(team: Team) -> None:
    forge = Forge.of(team)
    armored = forge.encrypt(b"armored\n", "alice", "bob", "carol", options=["--armor"])
    tip = forge.push(forge.commit("bob", {"a.gpg": armored}, message="honest\n"))
    team.git("carol", "fetch", "-q")
    assert_good(team, "carol", tip)
    assert team.clave("carol", "show", "a").out == b"armored\n"
    assert team.run("carol", "pass", "show", "a").out == b"armored\n"


def test_carol_rotated_her_subkey(team: Team, carol: Person) -> None:
    """Old entries are due, and whoever still writes to the retired subkey is refused."""
    old = subkeys(carol)[-1]
    carol.gpg("--passphrase", "", "--quick-add-key", carol.fingerprint, "cv25519", "encr", "never")
    new = next(each for each in subkeys(carol) if each != old)
    forge = Forge.of(team, carol=carol)
    members = tuple(
        m._replace(keys=(Key(carol.fingerprint, (new,), (old,)),)) if m.name == "carol" else m
        for m in forge.roster().members
    )
    roster = forge.next_roster(members=members)
    files = forge.with_roster(roster, "alice") | certificate(carol)
    tip = forge.push(forge.advance(forge.commit("alice", files, message="honest\n")))
    team.git("bob", "fetch", "-q")
    assert_good(team, "bob", tip)
    assert b"web" in team.clave("bob", "verify").err + team.clave("bob", "verify", "--json").out
    assert b'"rekey_due"' in team.clave("bob", "verify", "--json").out
    assert team.clave("bob", "verify", "--strict", code=6).err
    team.people = {**team.people, "carol": carol}
    team.clone("carol", "again")
    team.set_pin("carol", team.pin("bob"))
    assert team.clave("carol", "show", "web").out == ENTRIES["web"]
    # To the retired one, on purpose.
    evil = _encrypt_to(forge, [*(subkeys(forge.people[name])[0] for name in ("alice", "bob")), old])
    forge.push(forge.commit("bob", {"a.gpg": evil}))
    team.git("carol", "fetch", "-q")
    before = state(team, "carol")
    line = team.clave("carol", "sync", code=6).err.decode()
    assert "a.gpg: it is not encrypted to a current subkey of carol" in line
    assert state(team, "carol") == before


def _encrypt_to(forge: Forge, ids: list[str]) -> bytes:
    """Encrypt to these very subkeys, as mallory, who gets all certificates."""
    mallory = double(forge.people["mallory"])
    try:
        for name in ("alice", "bob", "carol"):
            mallory.gpg("--import", input=forge.certificate(name))
        argv = [word for each in ids for word in ("--recipient", f"{each}!")]
        return mallory.gpg("--trust-model", "always", *argv, "--encrypt", input=b"stale\n")
    finally:
        forget(mallory)


def _with_dave(forge: Forge, dave: Person) -> str:
    """Alice lets dave in, and gives him what is in the store's folder."""
    forge.people["dave"] = dave
    before = forge.roster()
    root = next(folder for folder in before.folders if not folder.path)
    root = root._replace(read=(*root.read, Grant("dave")), write=(*root.write, Grant("dave")))
    folders = tuple(root if not folder.path else folder for folder in before.folders)
    member = Member("dave", "member", (Key(dave.fingerprint, tuple(subkeys(dave))),))
    roster = forge.next_roster(members=(*before.members, member), folders=folders)
    entry = forge.encrypt(ENTRIES["web"], "alice", "bob", "carol", "dave")
    files = forge.with_roster(roster, "alice") | certificate(dave) | {"web.gpg": entry}
    return forge.advance(forge.commit("alice", files, message="honest\n"))


def test_carol_was_offline_while_dave_joined(team: Team, dave: Person) -> None:
    forge = Forge.of(team)
    tip = forge.push(_with_dave(forge, dave))
    team.clave("carol", "insert", "-m", "mine", input=b"mine\n")
    team.clave("carol", "insert", "-m", "prod/mine", input=b"mine\n")
    mine = team.head("carol")
    done = team.clave("carol", "sync")
    assert_safe(done.out + done.err)
    head = team.head("carol")
    assert team.git("carol", "rev-list", "--parents", "-1", head).out.decode().split()[1:] in ([mine, tip], [tip, mine])
    assert head == team.tip() == team.pin("carol")["local"]
    team.git("bob", "fetch", "-q")
    assert_good(team, "bob", head)
    for name, content in (("web", ENTRIES["web"]), ("mine", b"mine\n")):
        assert team.clave("bob", "show", name).out == content
    # What she wrote is for dave, too: a merge encrypts anew.
    team.people = {**team.people, "dave": dave}
    team.clone("dave")
    assert team.run("dave", "pass", "show", "mine").out == b"mine\n"


def test_a_key_is_extended_replaced_and_revoked(team: Team, carol: Person, dave: Person) -> None:
    forge = Forge.of(team, carol=carol)
    forge.advance(forge.commit("carol", {"c.gpg": forge.secret()}, message="honest\n"))
    carol.gpg("--quick-set-expire", carol.fingerprint, "2y")
    forge.advance(forge.commit("carol", certificate(carol), message="honest\n"))
    forge.advance(forge.commit("carol", {"c.gpg": forge.secret()}, message="honest\n"))
    # Another key in its place (dave's hands are carol's new ones), then the old one revoked, by herself, for ever.
    before = forge.roster()
    old = before.member("carol")
    assert old
    new = Key(dave.fingerprint, tuple(subkeys(dave)))
    roster = forge.next_roster(
        members=tuple(m._replace(keys=(new,)) if m.name == "carol" else m for m in before.members),
        removed=(Removed("carol", old.keys, REPLACED),),
    )
    forge.people["new carol"] = dave
    forge.advance(forge.commit("alice", forge.with_roster(roster, "alice") | certificate(dave), message="honest\n"))
    words = b"y\n1\n\ny\n"  # compromised: of the kind that takes old signatures back
    interactive = ["--no-batch", "--no-tty", "--command-fd", "0", "--gen-revoke", carol.fingerprint]
    carol.gpg("--import", input=carol.gpg("--pinentry-mode", "loopback", *interactive, input=words))
    forge.advance(forge.commit("alice", certificate(carol), message="honest\n"))
    entry = forge.encrypt(b"new\n", "alice", "bob", "new carol")
    tip = forge.push(forge.commit("new carol", {"c.gpg": entry}, message="honest\n"))
    team.git("bob", "fetch", "-q")
    assert_good(team, "bob", tip)
    assert b"verified up to" in team.clave("bob", "verify", "--all").out
    assert team.clave("bob", "show", "c").out == b"new\n"


# Keys that are not good any more.


def test_the_key_of_carol_had_expired(team: Team, carol: Person) -> None:
    """She publishes it with an end, and goes on signing by another copy."""
    forge = Forge.of(team, carol=carol)
    brief = double(carol)
    try:
        brief.gpg("--quick-set-expire", brief.fingerprint, "seconds=1")
        forge.advance(forge.commit("carol", certificate(brief), message="honest\n"))
    finally:
        forget(brief)
    time.sleep(2)  # until the end has come
    forge.push(forge.commit("carol", {"c.gpg": forge.secret()}))
    team.git("bob", "fetch", "-q")
    line = team.clave("bob", "sync", code=6).err.decode()
    assert "by carol is refused (signature): its signature is by a key that had expired" in line


# Remotes that tell nothing, or too little.


def test_a_shallow_remote(team: Team) -> None:
    forge = Forge.of(team)
    for name in "ab":
        forge.advance(forge.commit("bob", {f"{name}.gpg": forge.secret()}, message="honest\n"))
    forge.push(forge.tip)
    whole = team.remote.rename(team.folder / "whole.git")
    subprocess.run(["git", "clone", "-q", "--bare", "--depth=1", f"file://{whole}", str(team.remote)], check=True)
    before = state(team, "carol")
    line = team.clave("carol", "sync", code=6).err.decode()
    assert "is cut off (a shallow clone), so it cannot be verified" in line
    assert state(team, "carol") == before


def test_what_plain_git_believes_of_the_remote_moves_no_pin_back(team: Team) -> None:
    """The remote goes back; git takes that over into its own branch of the remote, and she works on, and verifies."""
    forge = Forge.of(team)
    older = team.tip()
    newest = forge.push(forge.commit("bob", {"web.gpg": forge.secret()}, message="honest\n"))
    team.clave("carol", "sync")
    assert team.pin("carol")["upstream"] == newest
    forge.push(older)
    team.git("carol", "fetch", "-q")
    team.sign_as("carol")
    team.run("carol", "pass", "insert", "-m", "mine", input=b"x\n")
    team.clave("carol", "verify")
    assert team.pin("carol")["upstream"] == newest
    team.git("carol", "reset", "-q", "--hard", "origin/main")
    assert b"it does not come after the commit that was verified last" in team.clave("carol", "verify", code=6).err
    assert b"may not be what the team wrote" in team.clave("carol", "show", "web").err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["branch", "-m", "main", "other"], "does not have the branch main any more; it has other"),
        (["update-ref", "-d", "refs/heads/main"], "is empty, and had the branch main when it was seen last"),
    ],
)
def test_the_branch_is_gone(team: Team, change: list[str], words: str) -> None:
    subprocess.run(["git", "-C", str(team.remote), *change], check=True)
    before = state(team, "carol")
    done = team.clave("carol", "sync", code=7)
    assert words in done.err.decode()
    assert state(team, "carol") == before
    refs = subprocess.run(["git", "-C", str(team.remote), "for-each-ref"], capture_output=True, check=True).stdout
    assert refs.count(b"\n") == (1 if change[0] == "branch" else 0)


def test_an_empty_remote_in_its_place(team: Team) -> None:
    shutil.rmtree(team.remote)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(team.remote)], check=True)
    before = state(team, "carol")
    done = team.clave("carol", "sync", code=7)
    assert b"is empty, and had the branch main when it was seen last" in done.err
    assert b"clave git push" in done.err
    assert state(team, "carol") == before


def test_nothing_new_for_too_long(team: Team) -> None:
    """A remote that is frozen looks like a quiet team: only the policy can tell."""
    forge = Forge.of(team)
    old = forge.payload(
        forge.tree({**forge.files(), ".clave/policy.toml": (FILE, forge.blob(b'max_age = "30d"\n'))}),
        (forge.tip,),
        "alice",
    )
    now = str(int(time.time()))
    old = old.replace(now.encode(), str(int(now) - 31 * 86_400).encode())  # dates are claims
    tip = forge.push(forge.store(forge.signed("alice", old)))
    team.git("carol", "fetch", "-q")
    assert_good(team, "carol", tip)
    words = b"older than the policy's max_age of 30d: is something held back?"
    assert words in team.clave("carol", "verify").err
    assert words in team.clave("carol", "verify", "--strict", code=6).err


# Usage.


@pytest.mark.parametrize(
    "words",
    [
        ["team", "role", "alice", "member", "--sure"],
        ["team", "remove", "alice", "--sure"],
        ["revoke", "@all", "prod", "--sure"],
        ["insert", "-m", "../x"],
        ["insert", "-m", "/etc/passwd"],
        ["insert", "-m", ""],
        ["insert", "-m", "."],
        ["insert", "-m", "-x"],
        ["insert", "-m", ".git/config"],
        ["insert", "-m", ".gpg-id"],
        ["insert", "-m", "x" * 5000],
        ["insert", "-m", ".clave/roster/00002.toml"],
        ["insert", "-m", "esc\x1b[31m"],
    ],
)
def test_what_is_refused_before_anything_happens(team: Team, words: list[str]) -> None:
    before = state(team, "alice")
    done = team.clave("alice", *words, input=b"x\n", code=2)
    assert_safe(done.out + done.err)
    assert done.err.strip()
    assert state(team, "alice") == before


def test_the_last_reader_of_a_folder_stays(team: Team) -> None:
    team.clave("alice", "revoke", "carol", "prod", "--sure")
    before = state(team, "alice")
    done = team.clave("alice", "revoke", "alice", "prod", "--sure", code=2)
    assert b"nobody could read the folder prod" in done.err
    assert state(team, "alice") == before


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c 'touch {sentinel}'",
        "--upload-pack=touch {sentinel}",
        "ssh://-oProxyCommand=touch%20{sentinel}/x",
        "https://bob:hunter2@example.org/store.git",
        "git://example.org/store.git",
        "http://example.org/store.git",
    ],
)
def test_a_url_that_is_refused_before_git_runs(team: Team, url: str) -> None:
    sentinel = team.folder / "sentinel"
    team.git("carol", "config", "remote.origin.url", url.format(sentinel=sentinel))
    before = state(team, "carol")
    done = team.clave("carol", "sync", code=2)
    assert b"hunter2" not in done.out + done.err
    assert not sentinel.exists()
    assert state(team, "carol") == before


# Configuration and environment of the user's.


def test_nothing_that_is_configured_runs_while_a_team_shares(team: Team) -> None:
    """Hooks, monitors, pagers and external programs: of the repository and of the environment."""
    sentinel = team.folder / "sentinel"
    program = team.folder / "program"
    program.write_text(f"#!/bin/sh\ntouch {sentinel}\nexit 1\n")
    program.chmod(0o755)
    for name in ("reference-transaction", "post-merge", "pre-push", "post-checkout", "pre-commit", "post-index-change"):
        hook = team.stores["carol"] / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.symlink_to(program)
    for setting in (
        "core.fsmonitor",
        "core.pager",
        "diff.external",
        "core.alternateRefsCommand",
        "uploadpack.packObjectsHook",
    ):
        team.git("carol", "config", setting, str(program))
    forge = Forge.of(team)
    tip = forge.push(forge.commit("bob", {"a.gpg": forge.secret()}, message="honest\n"))
    other = {"GIT_DIR": str(team.stores["bob"] / ".git"), "GIT_INDEX_FILE": "/nowhere", "GIT_WORK_TREE": "/nowhere"}
    config = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.fsmonitor", "GIT_CONFIG_VALUE_0": str(program)}
    bobs = state(team, "bob")
    team.clave("carol", "sync", **other, **config)
    team.clave("carol", "insert", "-m", "mine", input=b"x\n", **other, **config)
    team.clave("carol", "sync", **other, **config)
    team.clave("carol", "verify", "--all", **other, **config)
    assert team.clave("carol", "show", "a", **other, **config).out == b"planted\n"
    assert not sentinel.exists()
    assert state(team, "bob") == bobs
    assert team.tip() != tip


def test_another_beginning_than_the_words_say(team: Team) -> None:
    before = state(team, "carol")
    words = team.clave("carol", "pin", "--words").out.decode().strip()
    wrong = "-".join([*words.split("-")[1:], words.split("-")[0]])
    for command in (["show", "web"], ["clip", "web"], ["insert", "-m", "x"], ["sync"], ["verify"]):
        done = team.clave("carol", *command, input=b"x\n", code=6, CLAVE_ROOT=wrong)
        assert done.out == b""
        assert_safe(done.err)
    assert state(team, "carol") == before
    assert team.clave("carol", "show", "web", CLAVE_ROOT=words).out == ENTRIES["web"]
    team.clone("carol", "second")
    assert b"the words of this store are others" in team.clave("carol", "pin", "--root", wrong, code=6).err
    assert team.pin("carol") == {}
