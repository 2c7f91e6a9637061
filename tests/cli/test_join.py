"""Coming to a store that others have, and being let in: two people, a bare remote, and whoever is in between."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.cli.reading import on_terminal
from tests.conftest import Person, fingerprints, forget, make_person
from tests.teams import crew, founded, team  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.teams import Team


@pytest.fixture(scope="module")
def newcomer() -> Iterator[Person]:
    """Somebody of whom nobody has heard."""
    person = make_person("dave")
    yield person
    forget(person)


@pytest.fixture
def dave(team: Team, newcomer: Person) -> Person:  # noqa: F811
    """The newcomer, who will have their store in the folder of the team."""
    team.people = {**team.people, "dave": newcomer}
    team.stores["dave"] = team.folder / "dave-store"
    for folder in (".config", ".local"):
        shutil.rmtree(newcomer.home / folder, ignore_errors=True)
    return newcomer


def words(team: Team) -> str:  # noqa: F811
    return team.clave("alice", "pin", "--words").out.decode().strip()


def url(team: Team) -> str:  # noqa: F811
    return str(team.remote)


def join(team: Team, *more: str, code: int = 0, **env: str) -> str:  # noqa: F811
    """Let dave join with the right words; return what clave said."""
    key = team.people["dave"].fingerprint
    done = team.clave("dave", "join", url(team), "--root", words(team), "--key", key, *more, code=code, **env)
    return (done.out + done.err).decode()


def approve(team: Team, *more: str, code: int = 0) -> str:  # noqa: F811
    """Let alice let dave in."""
    key = team.people["dave"].fingerprint
    done = team.clave("alice", "team", "approve", "dave", "--request", key, "--sure", *more, code=code)
    return (done.out + done.err).decode()


def update(team: Team, who: str) -> None:  # noqa: F811
    team.clave(who, "sync")


def branches(team: Team) -> dict[str, str]:  # noqa: F811
    """The branches of the remote."""
    out = team.git("alice", "ls-remote", "--heads", "origin").out.decode()
    return {ref: commit for commit, ref in (line.split("\t") for line in out.splitlines())}


def push(team: Team, who: str, ref: str, commit: str) -> None:  # noqa: F811
    """Push as somebody who may, by plain git."""
    team.git(who, "push", "-q", "-f", "origin", f"{commit}:{ref}")


def left(team: Team) -> list[str]:  # noqa: F811
    """What is in the folder of the team beside the stores of the others, and dave's pins."""
    pins = team.people["dave"].home / ".local/state/clave/pins"
    others = {"alice-store", "bob-store", "carol-store", "remote.git"}
    return sorted({each.name for each in team.folder.iterdir()} - others) + (
        sorted(each.name for each in pins.iterdir()) if pins.exists() else []
    )


# From nothing to two people reading one secret


def test_somebody_new_is_let_in_and_reads_what_they_may(team: Team, dave: Person) -> None:  # noqa: F811
    said = join(team)
    ref = f"refs/heads/clave-join/{dave.fingerprint}"
    assert ref in branches(team)
    assert "clave team approve dave" in said
    theirs = re.search(r"^  ([a-z]+(?:-[a-z]+){7,})$", said, re.MULTILINE)
    assert theirs
    assert team.pin("dave")["local"] == team.tip()
    shown = team.clave("alice", "team", "approve").out.decode() + team.clave("alice", "team", "approve").err.decode()
    assert theirs[1] in shown
    assert dave.fingerprint in shown
    team.clave("dave", "show", "web", code=4)

    head_words = approve(team, "--read", ".", "--write", "team").splitlines()[0]
    assert ref not in branches(team)
    assert team.tip() == team.head("alice")
    update(team, "dave")
    assert team.clave("dave", "show", "web").out == b"web-secret\nuser: shop\n"
    assert team.clave("dave", "show", "team/wifi").out == b"wifi\n"
    team.clave("dave", "show", "prod/db", code=4)
    team.clave("dave", "verify", "--all", "--strict")
    assert json.loads(team.clave("dave", "pin", "--json").out)["head_words"] == head_words
    # One commit did all of it, and pass and gpg alone read what came out.
    assert team.git("alice", "rev-list", "--count", "HEAD^..HEAD").out.strip() == b"1"
    assert dave.gpg("-d", input=(team.stores["dave"] / "web.gpg").read_bytes()) == b"web-secret\nuser: shop\n"
    again = team.clave("dave", "join", url(team))
    assert b"You are dave" in again.err


def test_the_words_are_compared_on_a_terminal(team: Team, dave: Person) -> None:  # noqa: F811
    shown = on_terminal(dave, team.stores["dave"], "join", url(team))
    shown.expect_exact(words(team))
    shown.expect_exact("clave pin --words? [y/N]")
    shown.sendline("n")
    shown.expect_exact("not their store")
    shown.wait()
    assert shown.exitstatus == 6
    assert left(team) == []

    shown = on_terminal(dave, team.stores["dave"], "join", url(team))
    shown.expect_exact("[y/N]")
    shown.sendline("y")
    shown.expect_exact("Which key?")
    shown.sendline("1")
    shown.expect_exact("Your name in the team? [dave]")
    shown.sendline("")
    shown.expect_exact("is published")
    shown.wait()
    assert shown.exitstatus == 0
    assert f"refs/heads/clave-join/{dave.fingerprint}" in branches(team)

    asked = on_terminal(team.people["alice"], team.stores["alice"], "team", "approve", "dave", "--read", "team")
    asked.expect_exact(dave.fingerprint)
    asked.expect_exact("[y/N]")
    asked.sendline("n")
    asked.wait()
    assert asked.exitstatus == 1
    assert team.tip() == team.head("alice") == team.pin("dave")["local"]
    asked = on_terminal(team.people["alice"], team.stores["alice"], "team", "approve", "dave", "--read", "team")
    asked.expect_exact("[y/N]")
    asked.sendline("y")
    asked.expect_exact("dave is in, by roster 2")
    asked.wait()
    assert asked.exitstatus == 0


def test_a_key_is_made_for_somebody_who_has_none(team: Team) -> None:  # noqa: F811
    erin = make_person("erin")
    try:
        team.people = {**team.people, "erin": erin}
        team.stores["erin"] = team.folder / "erin-store"
        empty = erin.home / "empty"
        empty.mkdir(mode=0o700)
        (empty / "gpg-agent.conf").write_text("allow-preset-passphrase\n")
        done = team.clave("erin", "join", url(team), "--root", words(team), code=2, GNUPGHOME=str(empty))
        assert b"--key FINGERPRINT" in done.err
        subprocess.run(["gpgconf", "--kill", "all"], env=erin.env(GNUPGHOME=str(empty)), check=False)
    finally:
        forget(erin)


# What is refused, and leaves nothing


@pytest.mark.parametrize("root", ["abacus-abdomen", "0" * 40 + ":" + "0" * 64])
def test_wrong_words_leave_nothing(team: Team, dave: Person, root: str) -> None:  # noqa: F811
    done = team.clave("dave", "join", url(team), "--root", root, "--key", dave.fingerprint, code=6)
    assert done.out == b""
    assert left(team) == []
    assert list(branches(team)) == ["refs/heads/main"]


def test_without_a_terminal_the_words_have_to_be_given(team: Team, dave: Person) -> None:  # noqa: F811
    done = team.clave("dave", "join", url(team), code=6)
    assert b"--root WORDS" in done.err
    assert left(team) == []
    root = f"{team.pin('alice')['genesis']}:{team.pin('alice')['roster']}"
    team.clave("dave", "join", url(team), "--key", dave.fingerprint, CLAVE_ROOT=root)
    assert team.pin("dave")["genesis"] == team.pin("alice")["genesis"]


@pytest.mark.parametrize(
    "bad", ["ext::sh -c 'touch %s/gone'", "ssh://-oProxyCommand=x/y", "--upload-pack=x", "https://me:secret@h/x"]
)
def test_an_url_that_is_more_than_one_is_refused(team: Team, dave: Person, bad: str) -> None:  # noqa: F811
    done = team.clave("dave", "join", "--root", words(team), "--", bad, code=2)
    assert b"secret" not in done.err
    assert left(team) == []


def test_a_remote_that_is_not_there(team: Team, dave: Person) -> None:  # noqa: F811
    done = team.clave("dave", "join", str(team.folder / "nowhere.git"), "--root", words(team), code=None)
    assert done.code in (7, 75)
    assert left(team) == []


def test_a_remote_whose_head_is_of_no_branch(team: Team, dave: Person) -> None:  # noqa: F811
    """As `git init --bare` leaves it where people then push main."""
    team.git("alice", "--git-dir", str(team.remote), "symbolic-ref", "HEAD", "refs/heads/master")
    join(team)
    assert team.head("dave") == team.tip() == team.pin("dave")["upstream"]
    assert team.git("dave", "rev-parse", "--abbrev-ref", "@{upstream}").out == b"origin/main\n"
    assert team.git("dave", "status", "--porcelain").out == b""
    team.clave("dave", "sync")
    shutil.rmtree(team.stores["dave"])
    shutil.rmtree(dave.home / ".local")
    push(team, "alice", "refs/heads/other", team.tip())
    done = team.clave("dave", "join", url(team), "--root", words(team), code=7)
    assert b"refs/heads/other" in done.err
    assert left(team) == []


def test_a_remote_that_is_empty(team: Team, dave: Person) -> None:  # noqa: F811
    empty = team.folder / "empty.git"
    team.run("alice", "git", "init", "-q", "--bare", str(empty))
    done = team.clave("dave", "join", str(empty), "--root", words(team), code=7)
    assert b"no commit" in done.err
    empty.rename(team.remote.parent / "remote.git/empty")
    assert left(team) == []


def test_requests_and_other_branches_are_not_fetched(team: Team, dave: Person) -> None:  # noqa: F811
    push(team, "alice", "refs/heads/other", team.tip())
    push(team, "alice", f"refs/heads/clave-join/{'A' * 40}", team.tip())
    join(team)
    refs = team.git("dave", "for-each-ref", "--format=%(refname)").out.decode().split()
    assert refs == ["refs/heads/main", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]


def test_a_history_that_is_cut_off(team: Team, dave: Person) -> None:  # noqa: F811
    shallow = team.folder / "shallow.git"
    team.run("alice", "git", "clone", "-q", "--bare", "--depth=1", f"file://{team.remote}", str(shallow))
    team.clave("dave", "join", f"file://{shallow}", "--root", words(team), code=6)
    shutil.rmtree(shallow)
    assert left(team) == []


def test_a_store_whose_team_was_taken_out(team: Team, dave: Person) -> None:  # noqa: F811
    """The commit before is the last good one, and what comes after it is not checked out."""
    good = team.tip()
    team.sign_as("bob")
    team.git("bob", "rm", "-q", "-r", ".clave", ".public-keys")
    team.git("bob", "commit", "-q", "-m", "a plain store")
    team.git("bob", "push", "-q")
    said = join(team, code=6)
    assert "is refused" in said
    assert team.head("dave") == good == team.pin("dave")["local"]
    assert (team.stores["dave"] / ".clave/roster/00001.toml").exists()


def test_a_history_with_two_beginnings(team: Team, dave: Person) -> None:  # noqa: F811
    """Somebody who can push merges another team's history, older or newer, into this one."""
    tip = team.tip()
    base = team.git("bob", "rev-parse", "HEAD~1").out.decode().strip()
    tree = team.git("bob", "rev-parse", f"{tip}^{{tree}}").out.decode().strip()
    other = team.git("bob", "commit-tree", tree, "-p", base, "-m", "other").out.decode().strip()
    merge = team.git("bob", "commit-tree", tree, "-p", tip, "-p", other, "-m", "both").out.decode().strip()
    push(team, "bob", "main", merge)
    done = team.clave("dave", "join", url(team), "--root", words(team), "--key", dave.fingerprint, code=6)
    assert b"2 beginnings" in done.err
    assert left(team) == []


def test_a_plain_store_is_said_to_be_one(team: Team, dave: Person) -> None:  # noqa: F811
    plain = team.folder / "plain.git"
    base = team.git("alice", "rev-parse", "HEAD~1").out.decode().strip()
    team.run("alice", "git", "init", "-q", "--bare", "-b", "main", str(plain))
    team.git("alice", "push", "-q", str(plain), f"{base}:refs/heads/main")
    done = team.clave("dave", "join", str(plain), "--root", words(team), code=6)
    assert b"no team" in done.err
    assert not team.stores["dave"].exists()
    done = team.clave("dave", "join", str(plain))
    assert b"plain store" in done.err
    assert (team.stores["dave"] / "web.gpg").exists()
    assert team.pin("dave") == {}


def test_what_is_in_the_way_stays(team: Team, dave: Person) -> None:  # noqa: F811
    store = team.stores["dave"]
    store.mkdir()
    (store / "mine").write_text("mine")
    done = team.clave("dave", "join", url(team), "--root", words(team), code=2)
    assert b"--as STORE" in done.err
    done = team.clave("dave", "join", url(team), "--root", words(team), "--into", str(store), code=2)
    assert [each.name for each in store.iterdir()] == ["mine"]
    assert left(team) == ["dave-store"]


def test_what_cannot_be_written_leaves_nothing(team: Team, dave: Person) -> None:  # noqa: F811
    args = ("join", url(team), "--root", words(team), "--key", dave.fingerprint)
    team.clave("dave", *args, XDG_STATE_HOME="/dev/null/x", code=73)
    assert left(team) == []
    team.clave("dave", *args, "--as", "work", XDG_CONFIG_HOME="/dev/null/x", code=None)
    assert left(team) == []
    assert not (dave.home / ".local/share/clave/work").exists()
    (team.folder / "file").write_text("")
    team.clave("dave", *args, "--into", str(team.folder / "file/x"), code=73)
    (team.folder / "file").unlink()
    assert left(team) == []


def test_a_second_store_gets_a_name(team: Team, dave: Person) -> None:  # noqa: F811
    team.clave("dave", "join", url(team), "--as", "work", "--root", words(team), "--key", dave.fingerprint)
    assert (dave.home / ".local/share/clave/work/.clave").is_dir()
    assert b"work" in team.clave("dave", "store", "list").out
    shown = json.loads(team.clave("dave", "-s", "work", "pin", "--json", PASSWORD_STORE_DIR="").out)
    assert shown["verified"] == team.tip()


# Going on


def test_a_join_that_was_killed_goes_on(team: Team, dave: Person) -> None:  # noqa: F811
    """Killed at many moments, from the clone to the push, the same command ends well."""
    import sys

    argv = [sys.executable, "-m", "clave", "join", url(team), "--root", words(team), "--key", dave.fingerprint]
    store = team.stores["dave"]
    begun = time.monotonic()
    subprocess.run(argv, env=dave.env(store), capture_output=True, check=True)
    whole = time.monotonic() - begun
    for part in (0.3, 0.5, 0.6, 0.7, 0.8, 0.9):
        shutil.rmtree(store)
        shutil.rmtree(dave.home / ".local")
        team.git("alice", "push", "-q", "origin", f":refs/heads/clave-join/{dave.fingerprint}", check=False)
        with subprocess.Popen(
            argv, env=dave.env(store), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        ) as killed:
            time.sleep(whole * part)
            os.killpg(killed.pid, signal.SIGKILL)
        if store.exists() and not team.pin("dave"):
            team.clave("dave", "clip", "web", code=6)
        join(team)
        assert left(team) == ["dave-store", team.pin_file("dave").name]
        assert team.pin("dave")["local"] == team.head("dave") == team.tip()
        assert f"refs/heads/clave-join/{dave.fingerprint}" in branches(team)
        assert team.git("dave", "status", "--porcelain").out == b""


def test_without_a_pin_the_words_are_compared_again(team: Team, dave: Person) -> None:  # noqa: F811
    """As after a kill between the store and its pin."""
    join(team)
    team.pin_file("dave").unlink()
    team.clave("dave", "join", url(team), "--key", dave.fingerprint, code=6)
    team.clave("dave", "join", url(team), "--key", dave.fingerprint, "--root", "wrong-words", code=6)
    assert team.pin("dave") == {}
    join(team)
    assert team.pin("dave")["local"] == team.tip()


def test_a_request_that_is_there_is_not_made_again(team: Team, dave: Person) -> None:  # noqa: F811
    join(team)
    before = branches(team)
    join(team)
    assert branches(team) == before
    join(team, "--name", "david")
    assert branches(team) != before


def test_a_place_remembers_what_was_there(team: Team, dave: Person) -> None:  # noqa: F811
    """Whoever removes their store and joins again is not given an older one, or a plain one."""
    before = team.tip()
    team.clave("alice", "insert", "-m", "new", input=b"new\n")
    team.clave("alice", "sync")
    join(team)
    pin = team.pin("dave")
    shutil.rmtree(team.stores["dave"])
    push(team, "alice", "main", before)
    assert "has it no more" in join(team, code=6)
    assert not team.stores["dave"].exists()
    assert team.pin("dave") == pin
    push(team, "alice", "main", f"{before}~1")
    done = team.clave("dave", "join", url(team), code=6)
    assert b"this one is plain" in done.err
    assert not team.stores["dave"].exists()
    push(team, "alice", "main", team.head("alice"))
    join(team)
    assert {**team.pin("dave"), "when": ""} == {**pin, "when": ""}


def test_a_second_laptop(team: Team) -> None:  # noqa: F811
    team.stores["bob"] = team.folder / "laptop"
    done = team.clave("bob", "join", url(team), "--root", words(team))
    assert b"You are bob; this is another machine of yours" in done.err
    assert list(branches(team)) == ["refs/heads/main"]
    assert team.clave("bob", "show", "web").out == b"web-secret\nuser: shop\n"
    upstream = team.git("bob", "rev-parse", "--abbrev-ref", "@{upstream}").out
    assert upstream == b"origin/main\n"


# Without the right to push


def test_without_the_right_to_push_there_is_a_file_to_send(team: Team, dave: Person) -> None:  # noqa: F811
    hook = team.remote / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    root, folder = words(team), dave.home / "here"
    folder.mkdir()
    argv = ["clave", "join", url(team), "--root", root, "--key", dave.fingerprint]
    import sys

    env = {**dave.env(team.stores["dave"]), "PYTHONPATH": os.getcwd() + "/src"}
    done = subprocess.run([sys.executable, "-m", *argv], env=env, cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    file = folder / "clave-join-dave.asc"
    assert str(file) in done.stderr.decode()
    assert "alice" in done.stderr.decode()
    hook.unlink()
    carol = team.people["carol"].fingerprint
    args = ("team", "approve", "dave", str(file), "--read", "team", "--sure")
    team.clave("alice", *args, "--request", carol, code=6)
    team.clave("alice", *args, "--request", dave.fingerprint)
    update(team, "dave")
    assert team.clave("dave", "show", "team/wifi").out == b"wifi\n"


# What an admin is shown, and what not


def test_a_request_that_was_swapped_after_it_was_shown(team: Team, dave: Person) -> None:  # noqa: F811
    join(team)
    before = team.tip()
    asked = on_terminal(team.people["alice"], team.stores["alice"], "team", "approve", "dave", "--read", ".")
    asked.expect_exact("[y/N]")
    team.git("dave", "push", "-q", "origin", f":refs/heads/clave-join/{dave.fingerprint}")
    join(team, "--name", "other")  # the same key makes another request
    asked.sendline("y")
    asked.expect_exact("the request is another one than was shown")
    asked.wait()
    assert asked.exitstatus == 6
    assert team.tip() == before == team.head("alice")


def test_a_request_goes_with_what_answers_it_or_neither_does(team: Team, dave: Person) -> None:  # noqa: F811
    """The remote swaps it in the moment of the push: the commit is taken back, and nobody is let in."""
    join(team)
    ref = f"refs/heads/clave-join/{dave.fingerprint}"
    before = team.tip()
    asked = branches(team)[ref]
    other = team.git("dave", "commit-tree", "HEAD^{tree}", "-m", "x").out.decode().strip()
    push(team, "dave", "refs/heads/x", other)
    count = team.folder / "count"
    wrapper = team.folder / "receive"
    swap = f"git --git-dir '{team.remote}' update-ref {ref} {other}"
    wrapper.write_text(f"#!/bin/sh\necho x >>'{count}'\n{swap}\nexec git-receive-pack \"$@\"\n")
    wrapper.chmod(0o755)
    team.git("alice", "config", "remote.origin.receivepack", str(wrapper))
    said = approve(team, "--read", "team", code=6)
    assert "another one than was shown" in said
    assert count.exists()
    assert team.tip() == before == team.head("alice") == team.pin("alice")["local"]
    assert branches(team)[ref] == other != asked
    assert team.git("alice", "status", "--porcelain").out == b""


def test_a_request_that_was_taken_back_after_it_was_shown(team: Team, dave: Person) -> None:  # noqa: F811
    join(team)
    asked = on_terminal(team.people["alice"], team.stores["alice"], "team", "approve", "dave", "--read", ".")
    asked.expect_exact("[y/N]")
    team.git("dave", "push", "-q", "origin", f":refs/heads/clave-join/{dave.fingerprint}")
    asked.sendline("y")
    asked.expect_exact("taken back")
    asked.wait()
    assert asked.exitstatus == 6


def test_another_key_for_the_same_name_is_not_let_in(team: Team, dave: Person) -> None:  # noqa: F811
    """mallory swaps dave's request for one of their own, of the same name."""
    join(team)
    team.git("alice", "push", "-q", "origin", f":refs/heads/clave-join/{dave.fingerprint}")
    mallory = team.people["mallory"]
    team.stores["mallory"] = team.folder / "mallory-store"
    args = ("join", url(team), "--root", words(team), "--key", mallory.fingerprint, "--name", "dave")
    team.clave("mallory", *args)
    said = approve(team, "--read", ".", code=6)
    assert mallory.fingerprint in said
    assert team.head("alice") == team.tip() == team.pin("dave")["local"]
    join(team)
    done = team.clave("alice", "team", "approve", "dave", "--read", ".", code=6)
    assert b"several keys" in done.err


def test_somebody_who_wished_for_another_name_is_chosen_from_a_list(team: Team, dave: Person) -> None:  # noqa: F811
    join(team, "--name", "davie")
    team.clave("alice", "team", "approve", "dave", "--read", "team", code=3)
    asked = on_terminal(team.people["alice"], team.stores["alice"], "team", "approve", "dave", "--read", "team")
    asked.expect_exact("davie")
    asked.sendline("1")
    asked.expect_exact("[y/N]")
    asked.sendline("y")
    asked.expect_exact("dave is in")
    asked.wait()
    assert asked.exitstatus == 0
    update(team, "dave")
    assert team.clave("dave", "show", "team/wifi").out == b"wifi\n"


@pytest.mark.parametrize("name", ["../../x", "-x", "a b", ""])
def test_a_store_has_a_plain_name(team: Team, dave: Person, name: str) -> None:  # noqa: F811
    team.clave("dave", "join", url(team), "--as", name, "--root", words(team), code=2)
    assert left(team) == []


def test_a_name_that_somebody_has_is_not_given_again(team: Team, dave: Person) -> None:  # noqa: F811
    done = join(team, "--name", "bob", code=2)
    assert "bob already" in done
    # Asked for by hand, it is refused where it would be given.
    from clave.store.people import requests
    from clave.vcs.git import Repository

    before = dict(os.environ)
    os.environ.update(dave.env())
    try:
        repository = Repository.find(str(team.stores["dave"]))
        assert repository
        pin = team.pin("dave")
        made = requests.make(
            repository, requests.Place(pin["store"], pin["genesis"]), fingerprint=dave.fingerprint, name="bob"
        )
    finally:
        os.environ.clear()
        os.environ.update(before)
    push(team, "dave", made.branch, made.commit)
    key = ("--request", dave.fingerprint, "--sure")
    done = team.clave("alice", "team", "approve", "bob", "--read", ".", *key, code=2).err.decode()
    assert "bob is a member already" in done
    assert team.head("alice") == team.tip()


def test_hostile_branches_are_listed_as_refused_and_let_nobody_in(team: Team, dave: Person) -> None:  # noqa: F811
    join(team)
    mallory = team.people["mallory"]
    theirs = f"refs/heads/clave-join/{mallory.fingerprint}"
    push(team, "dave", theirs, branches(team)[f"refs/heads/clave-join/{dave.fingerprint}"])
    push(team, "dave", "refs/heads/clave-join/x", team.tip())
    push(team, "dave", f"refs/heads/clave-join/{'A' * 40}", team.tip())
    blob = team.git("dave", "hash-object", "-w", "--stdin", input=b"x").out.decode().strip()
    tree = team.git("dave", "mktree", input=f"100644 blob {blob}\t.git\n".encode()).out.decode().strip()
    what_git_refuses = team.git("dave", "commit-tree", tree, "-m", "x").out.decode().strip()
    push(team, "dave", f"refs/heads/clave-join/{'B' * 40}", what_git_refuses)
    found = json.loads(team.clave("alice", "team", "approve", "--json").out)
    assert [each["fingerprint"] for each in found["requests"]] == [dave.fingerprint]
    assert len(found["refused"]) == 4
    key = ("--request", mallory.fingerprint, "--sure")
    team.clave("alice", "team", "approve", "mallory", "--read", ".", *key, code=6)
    assert team.git("alice", "for-each-ref", "refs/clave/join").out == b""
    approve(team, "--read", "team")


def test_a_file_with_two_keys_lets_nobody_in(team: Team, dave: Person) -> None:  # noqa: F811
    both = team.folder / "both.asc"
    mallory = team.people["mallory"]
    both.write_bytes(dave.gpg("--export", dave.fingerprint) + mallory.gpg("--export", mallory.fingerprint))
    args = ("team", "approve", "dave", str(both), "--read", ".", "--request", dave.fingerprint, "--sure")
    team.clave("alice", *args, code=2)
    assert team.head("alice") == team.tip()


def test_only_an_admin_lets_somebody_in(team: Team, dave: Person) -> None:  # noqa: F811
    join(team)
    key = ("--request", dave.fingerprint, "--sure")
    done = team.clave("bob", "team", "approve", "dave", "--read", ".", *key, code=6)
    assert b"Ask alice" in done.err
    done = team.clave("alice", "team", "approve", "dave", *key, code=2)
    assert b"--read" in done.err
    done = team.clave("alice", "team", "approve", "dave", "--read", ".", "--sure", code=2)
    assert b"--request" in done.err
    done = team.clave("alice", "team", "approve", "dave", "--read", ".", code=2)
    assert b"terminal" in done.err
    assert team.head("alice") == team.tip()


def test_a_key_that_cannot_be_encrypted_to_does_not_ask(team: Team) -> None:  # noqa: F811
    erin = make_person("erin", expire="seconds=2")
    try:
        team.people = {**team.people, "erin": erin}
        team.stores["erin"] = team.folder / "erin-store"
        time.sleep(2)
        args = ("join", url(team), "--root", words(team), "--key", fingerprints(erin)[0])
        done = team.clave("erin", *args, code=5)
        assert b"expired" in done.err
        assert list(branches(team)) == ["refs/heads/main"]
    finally:
        forget(erin)
