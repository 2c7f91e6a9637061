"""`clave rotate` of one user: the four steps, each of which may be the last, and everything that meets a rotation."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pexpect
import pytest

from tests.cli.conftest import User, one_line
from tests.rotation.target import Service

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Person, Run

OLD = b"canary-team\nlogin: us\n"
NEW = b"canary-brand-new"
NAME = "team/db"
PENDING = ".clave/pending/team/db.new"
DRIVER = ("-d", "command:shop")


@pytest.fixture
def service(me: User, tmp_path: Path) -> Service:
    """Where the password of the entry is in force."""
    found = Service(tmp_path / "service", "canary-team")
    me.ok("config", "set", "drivers.shop", str(found.program))
    return found


def rotated(me: User, *more: str, code: int = 0) -> bytes:
    done = me.run("rotate", *DRIVER, "--value-from", "stdin", *more, NAME, input=NEW + b"\n")
    assert done.code == code, done
    assert done.out == b""
    assert NEW not in done.err
    assert b"canary-team" not in done.err
    assert "Traceback" not in done.err.decode()
    return done.err


def in_agreement(me: User, service: Service) -> bytes:
    """Return the password: the entry has it, it works, nothing is under way, and the store is whole."""
    password = me.read(NAME).partition(b"\n")[0]
    assert service.lets_in(password)
    assert me.ok("rotate", "--list").out == b""
    assert me.git("status", "--porcelain") == ""
    me.git("fsck", "--strict")
    assert not list((me.store / ".git").rglob("*.lock"))
    assert not (me.store / ".clave").exists()
    return password


# To the end


def test_all_steps(me: User, service: Service) -> None:
    rotated(me)
    assert in_agreement(me, service) == NEW
    assert me.read(NAME) == OLD.replace(b"canary-team", NEW)
    assert service.steps() == ["create", "set", "test", "finish"]
    first, second = me.git("log", "-2", "--format=%B%x00").split("\0")[:2]
    assert first.split() == ["Rotate", "team/db.", "Clave-Op:", "rotate", "Clave-Change:", "value", "team/db.gpg"]
    assert second.split() == ["Begin", "to", "rotate", "team/db.", "Clave-Op:", "rotate"]
    assert me.ok("show", "--previous", NAME).out == OLD
    assert me.ok("log", NAME).out.count(b"rotate") == 1


def test_no_value_is_in_arguments_environments_or_files(me: User, service: Service) -> None:
    rotated(me)
    for call in service.calls():
        assert NEW.decode() not in json.dumps([call["argv"], call["environ"]])
    for path in (*me.person.home.rglob("*"), *me.store.rglob("*")):
        if path.is_file() and "private-keys-v1.d" not in path.parts:
            assert NEW not in path.read_bytes(), path


def test_the_value_goes_back_by_the_same_steps(me: User, service: Service) -> None:
    rotated(me)
    me.ok("set", f"{NAME}", "login", input=b"others\n")  # no secret field: not a value of its own
    me.ok("rotate", "--rollback", *DRIVER, NAME)
    assert in_agreement(me, service) == b"canary-team"
    assert me.read(NAME) == OLD


def test_a_password_is_made_as_the_options_or_the_policy_say(me: User, service: Service) -> None:
    me.ok("rotate", *DRIVER, "--words", "3", NAME)
    assert in_agreement(me, service).count(b"-") >= 2
    me.ok("rotate", *DRIVER, "--length", "40", "-n", NAME)
    assert len(in_agreement(me, service)) == 40
    (me.store / ".clave").mkdir()
    policy = '[paths."team"]\ndriver = "command:shop"\ngenerate = { length = 12, charset = "a-f" }\n'
    (me.store / ".clave/policy.toml").write_text(policy)
    me.ok("rotate", NAME)
    assert len(me.read(NAME).partition(b"\n")[0]) == 12
    service.calls()
    line = one_line(me.run("rotate", "--value-from", "stdin", NAME, input=b"\n"), 2)
    assert "the new value is empty" in line


def test_the_driver_may_give_another_user(me: User, service: Service) -> None:
    me.ok("rotate", *DRIVER, "-o", "user=app_b", NAME)
    assert me.read(NAME).partition(b"\n")[2] == b"user: app_b\n"
    in_agreement(me, service)


# What is refused before anything is touched


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("rotate", NAME), 2, "no driver is known for team/db, and there is no terminal"),
        (("rotate", "-d", "nothing", NAME), 2, "there is no driver 'nothing'"),
        (("rotate", *DRIVER), 2, "which entry?"),
        (("rotate", *DRIVER, "team/dx"), 3, "team/dx is not in the password store"),
        (("rotate", "-o", "a=b", NAME), 2, "-d DRIVER"),
        (("rotate", *DRIVER, "-o", "ab", NAME), 2, "KEY=VALUE"),
        (("rotate", "--resume", NAME), 1, "no rotation of team/db is under way"),
        (("rotate", "--abort", NAME), 1, "no rotation of team/db is under way"),
        (("rotate", "--abort", "-f", NAME), 1, "no rotation of team/db is under way"),
        (("rotate", "--resume", "--abort", NAME), 2, "exclude each other"),
        (("rotate", "-f", NAME), 2, "-f is for --abort"),
        (("rotate", "--rollback", *DRIVER, NAME), 3, "team/db has had one value alone"),
        (("show", "--pending", NAME), 3, "no rotation of team/db is under way"),
        (("show", "--pending", "--at", "-1", NAME), 2, "exclude each other"),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    me: User, service: Service, args: tuple[str, ...], code: int, words: str
) -> None:
    assert words in me.refused(code, *args)
    assert service.lets_in(b"canary-team")


def test_the_old_value_is_no_new_one(me: User, service: Service) -> None:
    line = me.refused(2, "rotate", *DRIVER, "--value-from", "stdin", NAME, input=b"canary-team\n")
    assert "the new value of team/db is the old one" in line
    assert service.steps() == ["create"]


# Stopped, and ended


@pytest.mark.parametrize("step", ["set", "test"])
@pytest.mark.parametrize(("fault", "code"), [("fail", 1), ("away", 75)])
def test_a_step_that_fails_leaves_the_entry_and_both_values(
    me: User, service: Service, step: str, fault: str, code: int
) -> None:
    service.faults(**{step: fault})
    line = rotated(me, code=code).decode().splitlines()[-1]
    assert "clave rotate --resume team/db" in line
    assert "clave rotate --abort team/db" in line
    assert me.read(NAME) == OLD
    assert me.ok("show", "--pending", NAME).out == OLD.replace(b"canary-team", NEW)
    assert me.ok("show", "--pending", f"{NAME}#login").out == b"us\n"
    listed = me.run("rotate", "--list")
    assert listed.code == 1
    assert listed.out.startswith(b"team/db: begun by alice since 20")
    again = one_line(me.run("rotate", *DRIVER, NAME), 1)
    assert "team/db is being rotated by alice since" in again
    service.mend()
    if step == "set":
        me.ok("rotate", "--resume", NAME)
        assert in_agreement(me, service) == NEW
    else:
        me.ok("rotate", "--abort", NAME)
        assert in_agreement(me, service) == b"canary-team"
        assert me.subjects()[0] == "Give up to rotate team/db."


@pytest.mark.parametrize(
    ("fault", "ending"),
    [
        ("create=kill:after", "--resume"),
        ("set=kill:before", "--resume"),
        ("set=kill:before", "--abort"),
        ("set=kill:after", "--resume"),
        ("set=kill:after", "--abort"),
        ("test=kill:after", "--resume"),
        ("test=kill:after", "--abort"),
        ("finish=kill:before", "--resume"),
        ("finish=kill:after", "--abort"),
    ],
)
def test_killed_around_every_step_of_the_driver(me: User, service: Service, fault: str, ending: str) -> None:
    step, _, when = fault.partition("=")
    service.faults(**{step: when})
    done = me.run("rotate", *DRIVER, "--value-from", "stdin", NAME, input=NEW + b"\n")
    assert done.code == -signal.SIGKILL
    service.mend()
    ended = me.run("rotate", ending, NAME)
    if step == "create":
        assert ended.code == 1
        assert in_agreement(me, service) == b"canary-team"
    elif step == "finish":
        assert ended.code == (0 if ending == "--resume" else 1)
        assert in_agreement(me, service) == NEW
    else:
        assert ended.code == 0, ended
        assert in_agreement(me, service) == (NEW if ending == "--resume" else b"canary-team")


# What meets a rotation that is under way


@pytest.fixture
def under_way(me: User, service: Service) -> User:
    """A rotation that stopped before the new value was set."""
    service.faults(set="fail")
    rotated(me, code=1)
    service.mend()
    return me


def test_an_edit_of_the_entry_stops_it_and_both_are_kept(under_way: User, service: Service) -> None:
    me = under_way
    me.ok("set", f"{NAME}", "password", input=b"by-hand\n")
    line = one_line(me.run("rotate", "--resume", NAME), 1)
    assert "team/db was changed since its rotation was begun, and both values are kept" in line
    assert me.ok("show", "--pending", NAME).out.startswith(NEW)
    me.ok("rotate", "--abort", NAME)
    assert in_agreement(me, service) == b"by-hand"


def test_it_goes_with_its_entry(under_way: User, service: Service) -> None:
    me = under_way
    me.ok("mv", NAME, "web/db")
    assert me.readers(NAME.replace("team", "web")) == {each for each in me.readers("web/site")}
    assert (me.store / ".clave/pending/web/db.new").exists()
    assert not (me.store / ".clave/pending/team").exists()
    me.ok("rotate", "--resume", "--as-begun", "web/db")
    assert me.read("web/db").startswith(NEW)
    assert service.lets_in(NEW)


def test_it_goes_with_its_folder_and_stays_where_that_is_copied(under_way: User, service: Service) -> None:
    me = under_way
    me.ok("cp", NAME, "web/copy")
    me.ok("mv", "team", "other")
    assert [line.partition(b":")[0] for line in me.run("rotate", "--list").out.splitlines()] == [b"other/db"]
    me.ok("rotate", "--abort", "other/db")
    assert service.lets_in(b"canary-team")


@pytest.mark.parametrize(
    "args",
    [("rm", "-f", NAME), ("rm", "-rf", "team"), ("mv", "-f", "plain", NAME), ("cp", "-f", "plain", NAME)],
)
def test_what_would_lose_it_is_refused(under_way: User, args: tuple[str, ...]) -> None:
    line = under_way.refused(2, *args)
    assert "team/db is being rotated by alice since" in line
    assert "clave rotate --resume team/db, or --abort team/db" in line


def test_a_folder_beside_an_entry_of_its_name_may_go(under_way: User) -> None:
    under_way.ok("insert", "-m", f"{NAME}/below", input=b"x\n")
    under_way.ok("rm", "-rf", f"{NAME}/")
    assert under_way.ok("show", "--pending", NAME).out.startswith(NEW)


def test_an_entry_and_one_below_its_name_are_rotated_at_once(under_way: User, service: Service) -> None:
    under_way.ok("insert", "-m", f"{NAME}/below", input=b"x\n")
    service.faults(set="fail")
    assert under_way.run("rotate", *DRIVER, f"{NAME}/below").code == 1
    service.mend()
    assert len(under_way.run("rotate", "--list").out.splitlines()) == 2


def test_who_reads_the_entry_reads_it_after_every_rekey(
    under_way: User, service: Service, team: tuple[Person, Person]
) -> None:
    me, (alice, bob) = under_way, team
    assert me.run("init", "-p", "team", alice.fingerprint).code == 0
    assert len(recipients(me)) == 1
    me.ok("init", "-p", "team", alice.fingerprint, bob.fingerprint)
    assert len(recipients(me)) == 2
    assert "Clave-Change: rekey team/db.gpg" in me.git("log", "-1", "--format=%B")
    assert ".clave" not in me.git("log", "-1", "--format=%B")
    shown = me.start(bob, me.store, "show", "--pending", NAME)
    assert shown.out.startswith(NEW)
    me.ok("rotate", "--resume", NAME)
    assert in_agreement(me, service) == NEW


def test_pass_beside_it(under_way: User, team: tuple[Person, Person], run_pass: Run) -> None:
    me, alice = under_way, team[0]
    assert b".clave" not in run_pass(alice, me.store, "ls").out
    found = run_pass(alice, me.store, "grep", "canary")
    assert NEW not in found.out
    assert found.out.count(b"canary") == 3
    assert b"rotation" in me.run("doctor").out
    assert b"not encrypted to those who read team/db now" not in me.run("doctor").out
    done = run_pass(alice, me.store, "init", "-p", "team", alice.fingerprint)
    assert done.code == 0, done
    assert len(recipients(me)) == 2  # pass re-encrypts only what ends with .gpg
    told = me.run("doctor")
    assert b"not encrypted to those who read team/db now: pass does not re-encrypt it" in told.out
    assert b"clave rekey team/db" in told.out
    assert b"pending" in me.run("rekey", "--check").out
    me.ok("rekey", NAME)
    assert len(recipients(me)) == 1
    assert run_pass(alice, me.store, "rm", "-f", NAME).code == 0
    told = me.run("doctor")
    assert b"the rotation of an entry that is not there any more" in told.out
    assert me.ok("show", "--pending", NAME).out.startswith(NEW)
    me.ok("rotate", "--abort", "-f", NAME)
    assert not (me.store / ".clave").exists()


def test_pass_rekeys_and_the_rotation_ends_all_the_same(
    under_way: User, service: Service, team: tuple[Person, Person], run_pass: Run
) -> None:
    me, (alice, _) = under_way, team
    assert run_pass(alice, me.store, "init", "-p", "team", alice.fingerprint).code == 0
    assert b"clave rekey team/db" in me.ok("rotate", "--resume", NAME).err
    assert in_agreement(me, service) == NEW
    assert len(me.readers(NAME)) == 1


def test_a_plain_store_stays_one(under_way: User) -> None:
    assert "this store has no team" in one_line(under_way.run("team"), 2)
    under_way.ok("insert", "-m", "another", input=b"x\n")


def test_one_that_is_of_another_entry_is_refused(under_way: User) -> None:
    me = under_way
    (me.store / ".clave/pending/plain.new").write_bytes((me.store / PENDING).read_bytes())
    me.git("add", "-A")
    me.git("commit", "-qm", "moved by hand")
    for args in (("show", "--pending", "plain"), ("rotate", "--resume", "plain")):
        line = one_line(me.run(*args), 8)
        assert "what is kept of a rotation of plain belongs to team/db: somebody has put it there" in line
    me.ok("rotate", "--abort", "-f", "plain")
    assert me.ok("show", "--pending", NAME).out.startswith(NEW)


def test_one_of_an_earlier_rotation_is_not_played_again(under_way: User, service: Service) -> None:
    me = under_way
    old = (me.store / PENDING).read_bytes()
    me.ok("rotate", "--resume", NAME)
    me.ok("rotate", *DRIVER, NAME)
    (me.store / PENDING).parent.mkdir(parents=True)
    (me.store / PENDING).write_bytes(old)
    me.git("add", "-A")
    me.git("commit", "-qm", "put back by hand")
    before = (service.folder / "works").read_bytes()
    assert "was changed since its rotation was begun" in one_line(me.run("rotate", "--resume", "--as-begun", NAME), 1)
    assert (service.folder / "works").read_bytes() == before


@pytest.mark.parametrize("kind", ["link", "fifo", "broken", "uncommitted"])
def test_what_is_no_file_of_ours_is_refused(under_way: User, kind: str) -> None:
    me, file = under_way, under_way.store / PENDING
    data = file.read_bytes()
    file.unlink()
    if kind == "link":
        file.symlink_to(me.person.home / "secret")
    elif kind == "fifo":
        os.mkfifo(file)
    else:
        file.write_bytes(
            data[:50] if kind == "broken" else me.person.gpg("-e", "-r", me.person.fingerprint, input=b"x")
        )
    code = {"link": (4, 7, 8), "fifo": (8,), "broken": (4,), "uncommitted": (8,)}[kind]
    done = me.run("show", "--pending", NAME)
    assert done.code in code
    one_line(done, done.code)
    assert me.run("rotate", "--resume", NAME).code in code


def test_a_rotation_that_somebody_else_began_asks_before_it_uses_their_driver(
    under_way: User, service: Service
) -> None:
    me = under_way
    memory = me.person.home / ".local/state/clave/rotations"
    (only,) = memory.iterdir()
    only.unlink()  # as on another machine
    service.calls()
    line = one_line(me.run("rotate", "--resume", NAME), 2)
    assert "with the driver command:shop, and no policy says that" in line
    one_line(me.run("rotate", "--resume", "-d", "command:shop", "-o", "host=evil", NAME), 2)
    assert service.steps() == []
    me.ok("rotate", "--resume", *DRIVER, NAME)
    assert in_agreement(me, service) == NEW
    assert list(memory.iterdir()) == []


def test_by_hand_on_a_terminal(me: User) -> None:
    child = me.tty("rotate", NAME)
    child.expect_exact("Change the password of team/db")
    child.expect_exact("Is it changed there? [y/N] ")
    child.sendline("y")
    child.expect_exact("work? [y/N] ")
    child.sendline("n")
    child.expect_exact("clave rotate --resume team/db")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    child = me.tty("rotate", "--resume", NAME)
    child.expect_exact("work? [y/N] ")
    child.sendline("y")
    child.expect_exact("team/db is rotated")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert me.read(NAME) != OLD


def test_without_git(team: tuple[Person, Person], clave: Run, tmp_path: Path) -> None:
    alice, _ = team
    me = User(alice, tmp_path / "nogit", clave)
    me.ok("init", "--no-git", alice.fingerprint)
    me.ok("insert", "-m", NAME, input=OLD)
    service = Service(tmp_path / "service", "canary-team")
    me.ok("config", "set", "drivers.shop", str(service.program))
    service.faults(test="fail")
    rotated(me, code=1)
    assert me.ok("show", "--pending", NAME).out.startswith(NEW)
    service.mend()
    me.ok("rotate", "--resume", NAME)
    assert me.read(NAME).startswith(NEW)
    assert not (me.store / ".clave").exists()


def recipients(me: User) -> set[str]:
    """Return the key ids that the pending value is encrypted to."""
    packets = me.person.gpg("--list-only", "--list-packets", str(me.store / PENDING), check=False)
    return {line.split()[-1] for line in packets.decode().splitlines() if line.startswith(":pubkey enc")}


def test_all_that_is_due(me: User, service: Service) -> None:
    long_ago = {"GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z"}
    for name, text in ((NAME, OLD), ("plain", b"canary-old\n")):
        me.ok("rm", "-f", name)
        me.ok("insert", "-m", name, input=text, **long_ago)
    (me.store / ".clave").mkdir()
    rule = '[paths.{}]\nrotate = "1y"\ndriver = "command:{}"\n'
    (me.store / ".clave/policy.toml").write_text(rule.format("team", "shop") + rule.format("plain", "unknown"))
    done = me.run("rotate", "--due")
    assert done.code == 1
    assert b"1 of 2 entries are rotated" in done.err
    assert b"your configuration knows no command 'unknown'" in done.err
    assert b"Error: not rotated: plain." in done.err
    assert service.lets_in(me.read(NAME).partition(b"\n")[0])
    assert me.read(NAME) != OLD
    assert b"--value-from is one value" in me.run("rotate", "--due", "--value-from", "stdin", input=b"x\n").err
    assert me.ok("rotate", "--due", "web").err == b"0 of 0 entries are rotated\n"


def test_all_that_somebody_knows(me: User, service: Service, team: tuple[Person, Person]) -> None:
    bob = team[1]
    me.ok("init", "-p", "team", me.person.fingerprint)
    assert NAME.encode() in me.run("exposure", bob.fingerprint).out
    done = me.ok("rotate", "--exposed-to", bob.fingerprint, *DRIVER)
    assert b"1 of 1: team/db" in done.err
    assert in_agreement(me, service) != b"canary-team"
    assert NAME.encode() not in me.run("exposure", bob.fingerprint).out
