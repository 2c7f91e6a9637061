"""`clave due`: what is due, by policy, by itself, by what was begun; for people, programs, calendars and prompts."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from icalendar import Calendar

from clave.store.lifecycle import prompt
from clave.store.lifecycle.duties import Duties
from tests.conftest import run_as

if TYPE_CHECKING:
    from tests.cli.conftest import User
    from tests.conftest import Run

TODAY = datetime.now(UTC).date()


def ago(days: int) -> dict[str, str]:
    """Return the environment of a commit that was made days ago."""
    when = f"{int(time.time()) - days * 86_400} +0000"
    return {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}


def rows(me: User, *words: str, code: int = 1) -> list[dict[str, object]]:
    done = me.run("due", "--json", *words)
    assert done.code == code, done
    return list(json.loads(done.out)["duties"])


def found(me: User, *words: str) -> dict[str, tuple[object, object]]:
    return {str(row["name"]): (row["state"], row["when"]) for row in rows(me, *words, code=1)}


def day(days: int) -> str:
    return (TODAY + timedelta(days=days)).isoformat()


def test_ages_are_those_of_values_whoever_wrote_them(me: User, run_pass: Run) -> None:
    me.ok("policy", "set", "**", "rotate=90d")
    me.ok("policy", "set", "web", "rotate=never")
    for name, days in (("old", 100), ("soon", 80), ("young", 3), ("moved", 200), ("typed", 200)):
        me.ok("insert", name, input=b"x\n", **ago(days))
    assert run_pass(me.person, me.store, "generate", "by/pass", "12", **ago(95)).code == 0
    me.ok("mv", "moved", "there")
    me.ok("set", "old", "user", input=b"me\n")
    me.ok("set", "typed", "password", input=b"new\n")
    assert run_pass(me.person, me.store, "mv", "old", "older").code == 0
    assert found(me) == {
        "older": ("overdue", day(-10)),
        "there": ("overdue", day(-110)),
        "by/pass": ("overdue", day(-5)),
        "soon": ("soon", day(10)),
    }
    assert set(found(me, "--within", "9d")) == {"older", "there", "by/pass"}
    assert set(found(me, "by")) == set(found(me, "by/pass")) == {"by/pass"}
    assert me.run("due", "web").code == 0
    assert "nonsense is not in the password store" in me.refused(3, "due", "nonsense")
    assert "'soon' is no time" in me.refused(2, "due", "--within", "soon")
    assert me.run("due", "-q").out == b""
    lines = me.run("due").out.decode().splitlines()
    assert lines[0].startswith("overdue   there: the value is of ")
    assert lines[1] == "          → clave rotate there"


def test_ends_of_their_own_go_where_the_plaintext_goes(me: User) -> None:
    end = day(5)
    text = f"x\nexpires: {end}\n".encode()
    me.ok("insert", "-m", "a", input=text)
    assert f"Clave-Due: {end} a.gpg" in me.git("log", "-1", "--format=%B")
    me.ok("cp", "a", "b")
    me.ok("mv", "a", "team/a")  # other readers: it is encrypted anew
    me.ok("insert", "-m", "c", input=text)
    me.ok("set", "c", "expires", input=f"{day(400)}\n".encode())
    me.ok("generate", "-i", "b")
    assert found(me) == {"b": ("soon", end), "team/a": ("soon", end)}
    me.ok("set", "--unset", "b", "expires")
    me.ok("restore", "c", "-1")
    assert found(me) == {"c": ("soon", end), "team/a": ("soon", end)}


def test_a_write_without_an_end_says_none(me: User) -> None:
    me.ok("insert", "-m", "a", input=b"expires: 2027-01-01\nuser: me\n")
    assert "Clave-Due" not in me.git("log", "-1", "--format=%B")


def test_scan_reads_once_what_others_wrote(me: User, run_pass: Run) -> None:
    text = f"x\nexpires: {day(3)}\n".encode()
    assert run_pass(me.person, me.store, "insert", "-m", "foreign", input=text).code == 0
    assert me.run("due").code == 0
    assert found(me, "--scan") == {"foreign": ("soon", day(3))}
    assert found(me) == {"foreign": ("soon", day(3))}
    nobody = {"GNUPGHOME": str(me.store.parent / "empty")}  # nothing is decrypted again
    os.mkdir(nobody["GNUPGHOME"], 0o700)
    done = me.run("due", "--scan", "--json", **nobody)
    assert [row["name"] for row in json.loads(done.out)["duties"]] == ["foreign"]
    cache = next((me.person.home / ".cache/clave/ends").iterdir())
    cache.write_bytes(b"\xff garbage\n" + b"x" * 100)
    assert me.run("due").code == 0
    assert found(me, "--scan") == {"foreign": ("soon", day(3))}
    (me.store / "broken.gpg").write_bytes(b"nonsense")
    me.git("add", "-A")
    me.git("commit", "-qm", "broken")
    assert b"broken could not be decrypted" in me.run("due", "--scan").err


def test_mine_are_those_that_i_own(me: User) -> None:
    me.ok("policy", "set", "web", f"expires={day(1)}", "owner=alice")
    me.ok("policy", "set", "plain", f"expires={day(1)}", "owner=bob")
    assert set(found(me)) == {"plain", "web/bin", "web/site"}
    assert set(found(me, "--mine")) == {"web/bin", "web/site"}
    assert rows(me, "--mine", "plain", code=0) == []


def test_a_calendar_holds_what_will_be(me: User) -> None:
    me.ok("policy", "set", "web", "rotate=300d", "owner=alice")
    file = me.store.parent / "due.ics"
    assert me.run("due", "--ics", str(file)).code == 0
    events = Calendar.from_ical(file.read_bytes()).walk("VEVENT")
    assert {str(event["SUMMARY"]) for event in events} == {
        "web/bin: rotate (alice)",
        "web/site: rotate (alice)",
    }
    assert {event.decoded("DTSTART") for event in events} == {TODAY + timedelta(days=300)}
    assert file.stat().st_mode & 0o077 == 0
    assert Calendar.from_ical(me.run("due", "--ics", "-", "--within", "1d").out).walk("VEVENT") == []


def test_a_store_without_git_has_ends_by_the_policy(me: User) -> None:
    me.ok("policy", "set", "web", f"expires={day(-1)}", "rotate=0d")
    (me.store / ".git").rename(me.store.parent / "git")
    assert found(me) == {"web/bin": ("overdue", day(-1)), "web/site": ("overdue", day(-1))}
    assert me.run("due", "--prompt").out == b""
    assert me.run("due", "--scan").code == 7


# The prompt.


def ask(me: User, *words: str) -> bytes:
    done = me.run("due", "--prompt", *words)
    assert (done.code, done.err) == (0, b"")
    return done.out


def test_the_prompt_knows_what_the_last_look_found(me: User, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = me.store.parent / "looks"
    monkeypatch.setattr("clave.process.leave", lambda argv: looks.write_text("\n".join(argv)))
    me.ok("policy", "set", "web", f"expires={day(1)}", "owner=alice")
    me.ok("policy", "set", "plain", f"expires={day(1)}")
    assert ask(me) == b""
    assert looks.read_text().split("\n")[-2:] == ["due", "--quiet"]
    looks.unlink()
    assert ask(me) == b""
    assert not looks.exists()  # one look a minute
    assert me.run("due", "-q").code == 1
    assert ask(me) == b"3 due\n"
    assert ask(me, "--mine") == b"2 due\n"
    assert me.run("due", "--within", "30d", "web").code == 1  # no look at the whole
    assert ask(me) == b"3 due\n"
    me.ok("insert", "more", input=b"x\n")
    assert ask(me) == b""
    assert me.run("due", "-q").code == 1
    assert ask(me) == b"3 due\n"
    (me.store / ".clave/policy.toml").write_text("# nothing\n")
    assert ask(me) == b""


@pytest.mark.parametrize("text", ["", "x", "99999999999\n", "0\n{state}\n3 3\n", "99999999999\n{state}\nx 3\n"])
def test_a_prompt_says_nothing_of_a_broken_or_old_file(me: User, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clave.process.leave", lambda _: None)
    assert me.run("due", "-q").code == 0
    file = next((me.person.home / ".cache/clave/prompt").iterdir())
    state = file.read_text().splitlines()[1]
    file.write_text(f"99999999999\n{state}\n3 3\n")
    assert ask(me) == b"3 due\n"
    file.write_text(text.replace("{state}", state))
    assert ask(me) == b""


def test_it_holds_until_midnight(me: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(me.store.parent / "cache"))
    prompt.remember(str(me.store), Duties((), frozenset()))
    (file,) = (me.store.parent / "cache/clave/prompt").iterdir()
    until = datetime.fromtimestamp(int(file.read_text().splitlines()[0]))  # noqa: DTZ006 - the user's midnight
    assert (until.hour, until.minute, until.date()) == (0, 0, date.today() + timedelta(days=1))  # noqa: DTZ011


def test_a_look_in_the_background_runs_nothing_of_the_folder(me: User, tmp_path: Path) -> None:
    evil = tmp_path / "evil" / "clave"
    evil.mkdir(parents=True)
    (evil / "__init__.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    me.ok("policy", "set", "web", f"expires={day(1)}")
    shell = f"cd {evil.parent} && exec {me.person.home}/clave due --prompt"
    link = me.person.home / "clave"
    link.symlink_to(Path(sys.executable).with_name("clave"))
    assert run_as(me.person, me.store, ["sh", "-c", shell]).out == b""
    for _ in range(100):
        if ask(me):
            break
        time.sleep(0.1)
    link.unlink()
    assert ask(me) == b"2 due\n"
    assert not (tmp_path / "ran").exists()


def test_a_notification(me: User) -> None:
    me.ok("policy", "set", "web/site", f"expires={day(1)}")
    tools = me.store.parent / "bin"
    tools.mkdir()
    told = me.store.parent / "told"
    (tools / "notify-send").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{told}\n')
    (tools / "notify-send").chmod(0o755)
    done = me.run("due", "--notify", "-q", PATH=f"{tools}:{os.environ['PATH']}")
    assert done.code == 1
    assert told.read_text().splitlines()[-2:] == [
        "clave: 1 due",
        f"web/site: the policy says that it ends (on {day(1)})",
    ]
    (tools / "notify-send").write_text("#!/bin/sh\nexit 1\n")
    assert b"found no desktop" in me.run("due", "--notify", "-q", PATH=f"{tools}:{os.environ['PATH']}").err
