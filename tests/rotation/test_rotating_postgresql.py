"""`clave rotate` of a team and a real server: whatever goes wrong when, it ends with a password that logs in.

`CLAVE_KILLS` is how many more kills there are, at steps of the program anywhere within the rotation.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clave.model.secret import Secret, find_field
from clave.rotation.drivers.postgresql import PostgreSQL
from tests.cli.conftest import clave  # noqa: F401 - a fixture
from tests.cli.forked import Forked
from tests.rotation.cluster import ADMIN, ADMIN_PASSWORD, cluster  # noqa: F401 - a fixture
from tests.teams import Team
from tests.vcs.dying import inject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Output, Person, Run
    from tests.rotation.cluster import Cluster

    At = Callable[[str, str, Callable[[], object]], None]

KILLS = int(os.environ.get("CLAVE_KILLS", "2"))
ALONE, TURNS = "prod/alone", "prod/turns"
OPTIONS = {
    ALONE: ("-d", "postgresql"),
    TURNS: ("-d", "postgresql", "-o", "admin=prod/keeper", "-o", "users=app_a,app_b"),
}
WITHIN = 160  # steps of the program, as tests/vcs/dying.py counts them, from `create` to the end
# After `set` is before `test`, and what comes between `test` and `finish` is the commit of the new value.
MOMENTS = [
    ("after", "create"),
    ("before", "set"),
    ("after", "set"),
    ("after", "test"),
    ("before", "finish"),
    ("after", "finish"),
]


@dataclass
class Site:
    """Alice and carol, who read two entries of a server: of one the role changes its own password, of the other two
    roles take turns."""

    team: Team
    server: Cluster

    def rotate(self, name: str, *more: str, who: str = "alice", code: int | None = 0) -> Output:
        return self.team.clave(who, "rotate", *OPTIONS[name], *more, name, code=code)

    def secret(self, name: str, *options: str, who: str = "alice") -> Secret:
        return Secret(self.team.clave(who, "show", *options, name).out)

    def lets_in(self, secret: Secret) -> bool:
        return self.server.lets_in((find_field(secret, "user") or b"").decode(), secret.password.decode())

    def known(self, name: str) -> list[Secret]:
        """Return the values of an entry that somebody may have to log in with: in force, and to be."""
        pending = ["--pending"] if self.is_under_way(name) else []
        return [self.secret(name), *(self.secret(name, option) for option in pending)]

    def is_under_way(self, name: str, who: str = "alice") -> bool:
        return name in self.team.clave(who, "rotate", "--list", code=None).out.decode()

    def settled(self, name: str, old: Secret) -> bool:
        """See that all is well, and return whether the entry has another value than `old`."""
        now = self.secret(name)
        self.team.clave("carol", "sync")
        assert self.secret(name, who="carol").plaintext == now.plaintext
        assert not self.is_under_way(name, "carol")
        assert self.team.git("alice", "status", "--porcelain", "--branch").out == b"## main...origin/main\n"
        assert self.lets_in(now)
        if now.plaintext != old.plaintext:
            assert self.secret(name, "--previous").plaintext == old.plaintext
        return now.plaintext != old.plaintext


def _found(folder: Path, people: dict[str, Person], clave: Run) -> Team:  # noqa: F811 - the fixture
    """Make a store of alice's that is shared, the store of a team with carol."""
    team = Forked(Team(folder, people), clave)
    team.stores["alice"] = folder / "alice-store"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(team.remote)], check=True)
    for person in people.values():
        subprocess.run(["git", "config", "--global", "init.defaultBranch", "main"], check=True, env=person.env())
    team.clave("alice", "init", *(person.fingerprint for person in people.values()))
    team.clave("alice", "team", "init", "--sure")
    team.git("alice", "remote", "add", "origin", str(team.remote))
    team.git("alice", "push", "-q", "--set-upstream", "origin", "main")
    team.set_pin("alice", {**team.pin("alice"), "upstream": team.head("alice")})
    team.join("carol")
    return team


@pytest.fixture(scope="module")
def site(people: Callable[..., list[Person]], clave: Run, cluster: Cluster) -> Iterator[Site]:  # noqa: F811 - fixtures
    with tempfile.TemporaryDirectory(prefix="cl-") as folder:
        team = _found(Path(folder), {person.name: person for person in people("alice", "carol")}, clave)
        cluster.sql(*(f"CREATE ROLE {role} LOGIN PASSWORD 'the first value'" for role in ("app", "app_a")))
        cluster.sql("CREATE ROLE app_b LOGIN")
        where = f"host: 127.0.0.1\nport: {cluster.port}\n"
        for name, password, user in (
            (ALONE, "the first value", "app"),
            (TURNS, "the first value", "app_a"),
            ("prod/keeper", ADMIN_PASSWORD, ADMIN),
        ):
            team.clave("alice", "insert", "-m", name, input=f"{password}\nuser: {user}\n{where}".encode())
        team.clave("alice", "sync")
        yield Site(team, cluster)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> At:
    """Return a function: `at("before", "set", kill)` has every clave from now on do that then."""

    def at(when: str, step: str, do: Callable[[], object]) -> None:
        original = getattr(PostgreSQL, step)

        def stopped(self: PostgreSQL, *arguments: Any) -> Any:
            if when == "before":
                do()
            done = original(self, *arguments)
            if when == "after":
                do()
            return done

        monkeypatch.setattr(PostgreSQL, step, stopped)

    return at


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


# Somebody uses it meanwhile


class Client:
    """A program that logs in over and over."""

    def __init__(self, site: Site, name: str) -> None:
        env = site.team.people["alice"].env(site.team.stores["alice"], PYTHONPATH=str(Path(__file__).parents[2]))
        argv = [sys.executable, str(Path(__file__).with_name("client.py")), name]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True)
        self.tries: list[tuple[float, float, str]] = []

    def next(self) -> None:
        """Wait for a login that has begun by reading the entry from now on."""
        now = time.time()
        while not self.tries or self.tries[-1][0] < now + 0.001:
            self._line()

    def end(self) -> list[tuple[float, float, str]]:
        rest, _ = self.process.communicate()
        self.tries += [self._parsed(line) for line in rest.splitlines()]
        assert self.process.returncode == 0
        return self.tries

    def _line(self) -> None:
        assert self.process.stdout
        self.tries.append(self._parsed(self.process.stdout.readline()))

    def _parsed(self, line: str) -> tuple[float, float, str]:
        read, tried, said = line.rstrip("\n").split(" ", 2)
        return float(read), float(tried), said


def _rotated(site: Site, name: str, times: int) -> tuple[list[tuple[float, float, str]], list[tuple[float, float]]]:
    """Rotate an entry under a client; return the client's logins, and when each rotation began and ended."""
    client = Client(site, name)
    spans = []
    try:
        client.next()
        for _ in range(times):
            begun = time.time()
            site.rotate(name)
            spans.append((begun, time.time()))
            client.next()
            client.next()
    finally:
        tries = client.end()
    return tries, spans


def test_no_login_fails_where_two_users_take_turns(site: Site) -> None:
    old = site.secret(TURNS)
    tries, spans = _rotated(site, TURNS, 3)
    assert {said for _, _, said in tries} == {"in"}
    assert any(begun < tried < ended for _, tried, _ in tries for begun, ended in spans)
    now = site.secret(TURNS)
    assert (find_field(old, "user"), find_field(now, "user")) == (b"app_a", b"app_b")


def test_without_turns_a_login_fails_at_most_from_set_until_the_entry_is_read_again(site: Site) -> None:
    """What the client read before the end of a rotation may fail, once that has begun; what it read after, never."""
    tries, spans = _rotated(site, ALONE, 2)
    failed = [(read, tried) for read, tried, said in tries if said != "in"]
    for read, tried in failed:
        assert any(read < ended and tried > begun for begun, ended in spans)
    assert len(tries) - len(failed) >= 5


# The rotator dies


@pytest.mark.parametrize(("when", "step"), MOMENTS)
def test_killed_before_and_after_each_step(
    site: Site, at: At, monkeypatch: pytest.MonkeyPatch, when: str, step: str
) -> None:
    name, who = (ALONE, "carol") if when == "after" else (TURNS, "alice")
    old = site.secret(name)
    at(when, step, kill)
    site.rotate(name, code=-signal.SIGKILL)
    monkeypatch.undo()
    begun = step != "create"
    assert site.is_under_way(name) == (begun and step != "finish")
    assert any(map(site.lets_in, site.known(name)))
    site.team.clave(who, "sync")
    site.rotate(name, "--resume", who=who, code=0 if begun else None)
    if who != "alice":
        site.team.clave("alice", "sync")
    assert site.settled(name, old) == begun


@pytest.mark.parametrize("number", range(1, KILLS + 1))
def test_killed_anywhere(site: Site, at: At, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    name = (ALONE, TURNS)[number % 2]
    old = site.secret(name)
    at("before", "create", lambda: inject("kill", WITHIN * number // KILLS))
    code = site.rotate(name, code=None).code
    monkeypatch.undo()
    assert code in (-signal.SIGKILL, 0)
    assert any(map(site.lets_in, site.known(name)))
    site.team.clave("alice", "sync")  # a commit that is not shared yet
    if site.is_under_way(name):
        site.rotate(name, "--abort" if number % 3 == 0 else "--resume")
    site.settled(name, old)


# The server, or the test, does not do


@pytest.mark.parametrize(
    ("name", "step", "end"),
    [(ALONE, "set", "--resume"), (TURNS, "test", "--resume"), (ALONE, "test", "--abort")],
)
def test_the_server_goes_down_before_a_step(
    site: Site, at: At, monkeypatch: pytest.MonkeyPatch, name: str, step: str, end: str
) -> None:
    old = site.secret(name)
    at("before", step, site.server.stop)
    try:
        failed = site.rotate(name, code=75)
        monkeypatch.undo()
        assert b"Connection refused" in failed.err
        assert f"clave rotate --resume {name}".encode() in failed.err
        for wish in ("--resume", "--abort"):
            assert b"Connection refused" in site.rotate(name, wish, code=75).err
        assert len(site.known(name)) == 2, "both values can still be read"
    finally:
        site.server.start()
    assert any(map(site.lets_in, site.known(name)))
    site.team.clave("carol", "sync")
    site.rotate(name, end, who="carol")
    site.team.clave("alice", "sync")
    assert site.settled(name, old) == (end == "--resume")


@pytest.mark.parametrize(("name", "end"), [(TURNS, "--resume"), (ALONE, "--abort")])
def test_a_test_that_fails_leaves_both_values(
    site: Site, at: At, monkeypatch: pytest.MonkeyPatch, name: str, end: str
) -> None:
    old = site.secret(name)
    user = {b"app": "app", b"app_a": "app_b", b"app_b": "app_a"}[find_field(old, "user") or b""]
    at("after", "set", lambda: site.server.sql(f"ALTER ROLE {user} NOLOGIN"))
    failed = site.rotate(name, code=1)
    assert f'role "{user}" is not permitted to log in. ' in failed.err.decode()
    assert f"clave rotate --resume {name}" in failed.err.decode()
    site.rotate(name, "--resume", code=1)
    monkeypatch.undo()
    assert len(site.known(name)) == 2, "both values can still be read"
    site.server.sql(f"ALTER ROLE {user} LOGIN")
    site.rotate(name, end)
    assert site.settled(name, old) == (end == "--resume")


def test_a_colleague_goes_on_when_all_that_the_rotator_had_is_gone(
    site: Site, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = site.secret(ALONE)
    at("after", "set", kill)
    site.rotate(ALONE, code=-signal.SIGKILL)
    monkeypatch.undo()
    gone = [site.team.people["alice"].home, site.team.stores["alice"]]
    for path in gone:
        path.rename(path.with_name(f"{path.name}-gone"))
    site.team.clave("carol", "sync")
    assert not site.lets_in(site.secret(ALONE, who="carol"))
    site.rotate(ALONE, "--resume", who="carol")
    assert site.lets_in(site.secret(ALONE, who="carol"))
    assert site.secret(ALONE, "--previous", who="carol").plaintext == old.plaintext
    for path in gone:  # the other tests want it back
        path.with_name(f"{path.name}-gone").rename(path)
    site.team.clave("alice", "sync")
    assert site.settled(ALONE, old)


def test_the_commands_of_the_document(site: Site) -> None:
    """docs/rotation.md, from its PostgreSQL on: what is in blocks `sql` and `sh` is run as it stands there."""
    document = (Path(__file__).parents[2] / "docs" / "rotation.md").read_text()
    part = document.partition("\n## PostgreSQL\n")[2]
    statements = re.findall(r"^```sql\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)
    commands = re.findall(r"^```sh\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)
    assert len(statements) == 1
    assert len(commands) == 2
    site.server.sql("DROP ROLE app_a, app_b", *statements)
    where = f"host: 127.0.0.1\nport: {site.server.port}\n"
    for name, password, user in (
        (TURNS, "the first value, to be rotated", "app_a"),
        ("prod/keeper", "another first value", "keeper"),
    ):
        text = f"{password}\nuser: {user}\n{where}".encode()
        site.team.clave("alice", "insert", "--force", "-m", name, input=text)
    names = [ALONE, TURNS, "prod/keeper"]
    old = [site.secret(name) for name in names]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    said = site.team.run("alice", "bash", "-euc", "".join(commands), PATH=path).err.decode()
    assert [line for line in said.splitlines() if line.endswith("is rotated.")] == [f"{n} is rotated." for n in names]
    for name, before in zip(names, old, strict=True):
        assert site.lets_in(site.secret(name))
        assert site.secret(name, "--previous").plaintext == before.plaintext
    for user in (b"app_a", b"app_b"):  # both work, and are the shop
        secret = site.secret(TURNS, *(["--previous"] if user == b"app_a" else []))
        assert find_field(secret, "user") == user
        with site.server.connect(user.decode(), secret.password.decode()) as session:
            assert session.execute("SELECT current_user").fetchone() == ("shop",)
