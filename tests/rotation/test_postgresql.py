"""The driver postgresql against Debian's server: what is set, proved, refused, told, and what never leaves."""

from __future__ import annotations

import itertools
import queue
import socket
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from clave.errors import Busy, NotFound, UsageError
from clave.model.secret import Secret
from clave.rotation import drivers
from clave.rotation.drivers import DriverFailed, Rotation, contract, postgresql
from tests.rotation.cluster import ADMIN, ADMIN_PASSWORD, cluster  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rotation.cluster import Cluster

OLD, NEW = "old-value-of-24-letters!", "new-value-of-24-letters!"
KEEPER = {"admin": "db/keeper", "users": ["app", "app_b"]}


@pytest.fixture(scope="module")
def server(cluster: Cluster) -> Cluster:  # noqa: F811 - the fixture
    cluster.sql("CREATE ROLE app LOGIN", "CREATE ROLE app_b LOGIN")
    return cluster


@pytest.fixture(autouse=True)
def roles(server: Cluster) -> None:
    server.sql(f"ALTER ROLE app PASSWORD '{OLD}'", "ALTER ROLE app_b PASSWORD NULL")


class Place:
    """An entry of the server, and rotations of it."""

    def __init__(self, server: Cluster) -> None:
        self.server = server
        self.told: list[str] = []
        where = f"host: 127.0.0.1\nport: {server.port}\n"
        self.entries = {"db/keeper": Secret(f"{ADMIN_PASSWORD}\nuser: {ADMIN}\n{where}".encode())}
        self.where = where

    def entry(self, password: str = OLD, user: str = "app") -> Secret:
        return Secret(f"{password}\nuser: {user}\n{self.where}".encode())

    def rotation(self, current: Secret | None = None, pending: Secret | None = None, /, **options: Any) -> Rotation:
        return Rotation(
            id="0" * 32,
            name="db/app",
            current=current or self.entry(),
            pending=pending or self.entry(NEW),
            options=options,
            secret=self._secret,
            told=self.told.append,
            ask=lambda _: False,
        )

    def _secret(self, name: str) -> Secret:
        if name not in self.entries:
            raise NotFound(f"{name} is not in the password store")
        return self.entries[name]


@pytest.fixture
def place(server: Cluster) -> Place:
    return Place(server)


@pytest.fixture
def driver() -> drivers.Driver:
    return drivers.driver("postgresql")


def test_a_role_changes_its_own_password_and_every_step_may_come_twice(
    server: Cluster, place: Place, driver: drivers.Driver
) -> None:
    made = driver.create(place.rotation(), NEW.encode)
    assert made.plaintext == place.entry(NEW).plaintext
    rotation = place.rotation(None, made)
    with pytest.raises(DriverFailed, match="refuses app of db/app: password authentication failed"):
        driver.test(rotation)
    assert server.lets_in("app", OLD)
    for _ in range(2):
        driver.set(rotation)
        driver.test(rotation)
    driver.finish(rotation)
    assert server.lets_in("app", NEW)
    assert not server.lets_in("app", OLD)
    for _ in range(2):
        driver.abort(rotation)
        assert server.lets_in("app", OLD)
        assert not server.lets_in("app", NEW)
    assert place.told == []


def test_an_administrator_changes_it_whatever_is_in_force(
    server: Cluster, place: Place, driver: drivers.Driver
) -> None:
    server.sql("ALTER ROLE app PASSWORD 'somebody else has changed it'")
    rotation = place.rotation(admin="db/keeper", users="app")
    driver.set(rotation)
    driver.test(rotation)
    assert server.lets_in("app", NEW)
    driver.abort(rotation)
    assert server.lets_in("app", OLD)
    assert not server.lets_in("app", NEW)


def test_two_users_take_turns_and_no_login_ends(server: Cluster, place: Place, driver: drivers.Driver) -> None:
    current = place.entry()
    for password in (NEW, "the-third-value-of-a-row"):
        made = driver.create(place.rotation(current, **KEEPER), password.encode)
        rotation = place.rotation(current, made, **KEEPER)
        users = [secret.field("user") or b"" for secret in (current, made)]
        assert sorted(users) == [b"app", b"app_b"]
        driver.set(rotation)
        driver.test(rotation)
        driver.finish(rotation)
        for secret, user in zip((current, made), users, strict=True):
            assert server.lets_in(user.decode(), secret.password.decode())
        current = made
    assert not server.lets_in("app", OLD)
    told = [f"{user} stays valid, with the old password, until the next rotation." for user in ("app", "app_b")]
    assert place.told == told


def test_the_old_user_of_a_turn_may_be_voided(server: Cluster, place: Place, driver: drivers.Driver) -> None:
    rotation = place.rotation(None, place.entry(NEW, "app_b"), **KEEPER, old="void")
    driver.set(rotation)
    assert server.lets_in("app", OLD), "not before the entry names the other one"
    for _ in range(2):
        driver.finish(rotation)
        assert not server.lets_in("app", OLD)
        assert server.lets_in("app_b", NEW)


def test_aborting_a_turn_leaves_the_user_of_the_entry_alone(
    server: Cluster, place: Place, driver: drivers.Driver
) -> None:
    server.sql("ALTER ROLE app_b PASSWORD 'of-the-time-before'")
    rotation = place.rotation(None, place.entry(NEW, "app_b"), **KEEPER)
    driver.abort(rotation)
    assert server.lets_in("app_b", "of-the-time-before"), "nothing was set yet: who still uses it may go on"
    driver.set(rotation)
    for _ in range(2):
        driver.abort(rotation)
        assert not server.lets_in("app_b", NEW)
        assert server.lets_in("app", OLD)


def test_the_server_gets_a_verifier_and_never_the_password(
    server: Cluster, place: Place, driver: drivers.Driver
) -> None:
    before = len(server.log)
    for options in ({}, KEEPER):
        driver.set(place.rotation(**options))
        driver.abort(place.rotation(**options))
        driver.set(place.rotation(**options))
    log = server.log[before:]
    assert log.count("ALTER ROLE") >= 6
    assert NEW not in log
    assert OLD not in log
    with server.connect(ADMIN, ADMIN_PASSWORD) as session:
        row = session.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'app'").fetchone()
    assert row is not None
    assert row[0].startswith("SCRAM-SHA-256$4096:")


@pytest.mark.parametrize("user", ['we"ird', "; DROP ROLE app; --", "Groß und klein", "a'b\\c", "%s {} $1"])
def test_a_name_is_a_name_whatever_is_in_it(server: Cluster, place: Place, driver: drivers.Driver, user: str) -> None:
    with server.connect(ADMIN, ADMIN_PASSWORD) as session:
        session.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(user), OLD))
    rotation = place.rotation(place.entry(user=user), place.entry(NEW, user))
    driver.set(rotation)
    driver.test(rotation)
    assert server.lets_in(user, NEW)
    assert server.lets_in("app", OLD)


_ODD = ["pass'word \\ \" with = all", "Ⅸ ﬁ ½ é", "a\u00ad\u2003b", "\u0221\u05d0a", "\x01\x7f"]


@pytest.mark.parametrize("password", _ODD)
def test_passwords_of_every_kind_log_in_as_with_any_client(
    server: Cluster, place: Place, driver: drivers.Driver, password: str
) -> None:
    """SASLprep maps some of these, and prohibits others, which are taken as they are; so it is in every login."""
    rotation = place.rotation(None, place.entry(password))
    driver.set(rotation)
    driver.test(rotation)
    assert server.lets_in("app", password)


_KINDS: dict[str, dict[str, Any]] = {
    "itself": {},
    "administrator": {**KEEPER, "users": ["app"]},
    "turns": {**KEEPER, "users": ["app", "app_b"]},
    "turns that end": {**KEEPER, "old": "void"},
}


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
def test_the_contract_of_drivers(
    server: Cluster, place: Place, driver: drivers.Driver, check: Callable[[contract.Target], None], kind: str
) -> None:
    def works(secret: Secret) -> bool:
        return server.lets_in((secret.field("user") or b"").decode(), secret.password.decode())

    target = contract.Target(
        driver,
        place.entry(),
        works,
        _KINDS[kind],
        place.entries,
        server.stop,
        server.start,
        overlaps=kind.startswith("turns"),
    )
    check(target)


# Who may be whom, and where


def test_an_entry_cannot_name_the_superuser_for_an_administrator_to_change(
    server: Cluster, place: Place, driver: drivers.Driver
) -> None:
    rotation = place.rotation(place.entry(user=ADMIN), place.entry(NEW, ADMIN), **KEEPER)
    create = partial(driver.create, new=NEW.encode)
    for step in (create, driver.set, driver.test, driver.abort):
        with pytest.raises(UsageError, match=f"the user of db/app is {ADMIN}, which the option 'users' does not name"):
            step(rotation)
    assert server.lets_in(ADMIN, ADMIN_PASSWORD)


def test_an_administrator_logs_in_where_their_own_entry_says_alone(place: Place, driver: drivers.Driver) -> None:
    place.entries["db/keeper"] = Secret(f"{ADMIN_PASSWORD}\nuser: {ADMIN}\n".encode())
    with pytest.raises(UsageError, match="db/keeper does not say the host of its login"):
        driver.set(place.rotation(**KEEPER))
    driver.set(place.rotation(**KEEPER, host="127.0.0.1", port=place.server.port))
    assert place.server.lets_in("app", NEW)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"admin": "db/keeper"}, "the option 'admin' for db/app needs the option 'users'"),
        ({"users": ["app", "app_b"]}, "two users that take turns need the option 'admin'"),
        ({"users": ["app", "b", "c"]}, "'users' for db/app must be one or two names"),
        ({"users": 7}, "'users' for db/app must be one or two names"),
        ({"users": ["other"]}, "which the option 'users' does not name"),
        ({"admin": "db/nobody", "users": "app"}, "db/nobody is not in the password store"),
        ({"admin": ["x"], "users": "app"}, "must be a text"),
        ({"old": "gone"}, "the option 'old' for db/app is neither valid nor void"),
        ({"port": 1}, "the option 'port' and db/app disagree"),
        ({"hsot": "db1"}, "the driver 'postgresql' has no option 'hsot'"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told_before_anything_is_kept(
    place: Place, driver: drivers.Driver, options: dict[str, Any], line: str
) -> None:
    with pytest.raises((UsageError, NotFound)) as caught:
        driver.create(place.rotation(**options), NEW.encode)
    assert line in caught.value.message


@pytest.mark.parametrize(
    ("plaintext", "line"),
    [
        (b"pw\nhost: db1\n", "db/app does not say the user of its login"),
        (b"pw\nuser: app\n", "db/app does not say the host of its login"),
        (b"\nuser: app\nhost: db1\n", "db/app has no password"),
        (b"pw\nuser: app\nhost: db1\nsslmode: none\n", "the sslmode of db/app is none that PostgreSQL knows"),
        (b"\xff\nuser: app\nhost: db1\n", "a value of db/app is no text"),
        (b"pw\nuser: a\x00b\nhost: db1\n", "a value of db/app is no text"),
        (b"pw\nuser: app\nhost: db1\nurl: postgresql://other@db1/\n", "the field 'user' of db/app disagree"),
        (b"pw\nuser: app\nurl: postgresql://app:canary@db1:x y/\n", "the url of db/app cannot be read"),
        (b"pw\nurl: postgres://app@db1/?password=canary\n", "the url of db/app has the password in its query"),
    ],
)  # fmt: skip
def test_an_entry_that_says_too_little_or_two_things(
    place: Place, driver: drivers.Driver, plaintext: bytes, line: str
) -> None:
    with pytest.raises(UsageError) as caught:
        driver.create(place.rotation(Secret(plaintext)), NEW.encode)
    assert line in caught.value.message
    assert "canary" not in caught.value.line()


def test_a_user_that_only_the_query_of_a_url_names_cannot_take_turns(place: Place, driver: drivers.Driver) -> None:
    url = f"postgresql://127.0.0.1:{place.server.port}/?user=app"
    with pytest.raises(UsageError, match="says its user in a way that cannot be changed"):
        driver.create(place.rotation(Secret(f"{OLD}\nurl: {url}\n".encode()), **KEEPER), NEW.encode)


def test_nothing_is_kept_for_a_login_that_could_not_change_anything(
    server: Cluster, place: Place, driver: drivers.Driver
) -> None:
    server.sql("ALTER ROLE app PASSWORD 'somebody else has changed it'")
    with pytest.raises(DriverFailed, match="refuses app of db/app: password authentication failed"):
        driver.create(place.rotation(), NEW.encode)
    driver.create(place.rotation(**KEEPER), NEW.encode)
    place.where = "host: 127.0.0.1\nport: 1\n"
    with pytest.raises(Busy):
        driver.create(place.rotation(), NEW.encode)


@pytest.mark.parametrize("value", ["short", "fünfzehn und mehr Zeichen"])
def test_a_value_that_could_be_guessed_from_its_verifier_is_refused(
    place: Place, driver: drivers.Driver, value: str
) -> None:
    with pytest.raises(UsageError, match="must have 16 characters of ASCII or more"):
        driver.create(place.rotation(), value.encode)


def test_a_url_says_all_and_gets_the_new_password(server: Cluster, place: Place, driver: drivers.Driver) -> None:
    url = f"postgresql://app:{OLD}@127.0.0.1:{server.port}/postgres?application_name=shop"
    current = Secret(f"{OLD}\nurl: {url}\nnote\n".encode())
    made = driver.create(place.rotation(current, **KEEPER), lambda: b"p@ss:w/rd?of#many%kinds")
    rotation = place.rotation(current, made, **KEEPER)
    driver.set(rotation)
    driver.test(rotation)
    with psycopg.connect((made.field("url") or b"").decode()) as session:
        assert session.execute("SELECT session_user").fetchone() == ("app_b",)
    assert b"application_name=shop\nnote\n" in made.plaintext


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=12)


@settings(max_examples=50)
@given(words, words, st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=16, max_size=30), words)
def test_a_new_url_says_what_the_old_one_said_but_for_user_and_password(
    user: str, other: str, password: str, database: str
) -> None:
    from urllib.parse import quote

    url = f"postgresql://{quote(user, safe='')}:old@[::1]:6543,db2/{quote(database, safe='')}?sslmode=require"
    rotation = Rotation("", "db/app", Secret(f"old\nurl: {url}\n".encode()), None, {}, Secret, print, bool)  # type: ignore[arg-type]
    made = postgresql._renewed(rotation, password.encode(), other)
    before, after = conninfo_to_dict(url), conninfo_to_dict((made.field("url") or b"").decode())
    assert after == {**before, "user": other, "password": password}


# What a server cannot do


def test_a_server_that_takes_any_password_has_proved_nothing(
    server: Cluster, place: Place, driver: drivers.Driver
) -> None:
    server.sql("CREATE ROLE trusted LOGIN")
    assert server.lets_in("trusted", "whatever")
    with pytest.raises(DriverFailed, match="server did not complete authentication"):
        driver.test(place.rotation(place.entry(user="trusted"), place.entry(NEW, "trusted")))


def test_a_server_that_asks_for_the_password_in_clear_does_not_get_it(
    server: Cluster, place: Place, driver: drivers.Driver
) -> None:
    server.sql(f"CREATE ROLE asked LOGIN PASSWORD '{NEW}'")
    assert server.lets_in("asked", NEW)
    with pytest.raises(DriverFailed, match="server requested a cleartext password"):
        driver.test(place.rotation(place.entry(user="asked"), place.entry(NEW, "asked")))


class Rogue:
    """A server that answers the start of each session with `answer`, and keeps what it hears."""

    def __init__(self) -> None:
        self.answer = b""
        self.heard: queue.Queue[bytes] = queue.Queue()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    @property
    def where(self) -> str:
        return f"host: 127.0.0.1\nport: {self.listening.getsockname()[1]}\n"

    def close(self) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listening.close()

    def _serve(self) -> None:
        while True:
            try:
                session, _ = self.listening.accept()
            except OSError:
                return
            with session:
                session.settimeout(3)
                data = session.recv(4096)
                if data[4:8] == _ASKS_FOR_TLS:
                    session.sendall(b"N")
                    data = session.recv(4096)
                self.heard.put(data)
                session.sendall(self.answer)
                self.heard.put(session.recv(4096))


_ASKS_FOR_TLS = (80877103).to_bytes(4, "big")


@pytest.fixture
def rogue(place: Place) -> Iterator[Rogue]:
    """A rogue server, where the entry now is."""
    made = Rogue()
    place.where = made.where
    yield made
    made.close()


def _error(text: str) -> bytes:
    body = b"SFATAL\0C28000\0M" + text.encode() + b"\0\0"
    return b"E" + (len(body) + 4).to_bytes(4, "big") + body


def test_what_a_rogue_server_says_is_shown_without_control_characters_and_without_values(
    rogue: Rogue, place: Place, driver: drivers.Driver
) -> None:
    words = f"\x1b]0;x\x07 \u202e{NEW} and {OLD} and SCRAM-SHA-256$4096:abc {'long ' * 200}\nnext"
    rogue.answer = _error(words)
    with pytest.raises(DriverFailed) as caught:
        driver.test(place.rotation())
    line = caught.value.line()
    assert "\\x1b]0;x\\x07 \\u202e… and … and …" in line
    assert line.isprintable()
    assert len(line) < 600


@pytest.mark.parametrize("method", [(3).to_bytes(4, "big"), (5).to_bytes(4, "big") + b"salt"], ids=["clear", "md5"])
def test_a_rogue_server_gets_no_password_and_no_hash_of_it(
    rogue: Rogue, place: Place, driver: drivers.Driver, method: bytes
) -> None:
    rogue.answer = b"R" + (len(method) + 4).to_bytes(4, "big") + method
    with pytest.raises(DriverFailed, match="refuses app of db/app: authentication method requirement"):
        driver.test(place.rotation())
    assert b"user\0app\0" in rogue.heard.get(timeout=10)
    assert rogue.heard.get(timeout=10) == b""


def test_a_certificate_is_checked_where_another_machine_answers(
    server: Cluster, place: Place, driver: drivers.Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # `127.1` is no address that we know as loopback, and resolves to the server all the same.
    monkeypatch.setattr(postgresql, "_AUTHORITIES", (str(server.authority),))
    place.where = f"host: 127.1\nport: {server.port}\n"
    for step in (partial(driver.create, new=NEW.encode), driver.set):
        with pytest.raises(DriverFailed, match=r'"localhost" .*does not match host name "127[.]1"'):
            step(place.rotation())
    place.where = f"host: localhost\nport: {server.port}\nsslmode: verify-full\n"
    driver.set(place.rotation())
    monkeypatch.setattr(postgresql, "_AUTHORITIES", ("/etc/ssl/certs/ca-certificates.crt",))
    with pytest.raises(DriverFailed, match="certificate verify failed"):
        driver.set(place.rotation())
    assert place.told == []


def test_an_entry_may_waive_the_check_of_a_certificate_and_that_is_told(
    server: Cluster, place: Place, driver: drivers.Driver
) -> None:
    place.where = f"host: 127.1\nport: {server.port}\nsslmode: require\n"
    driver.create(place.rotation(), NEW.encode)
    line = f"127.1:{server.port}: who answers there is not checked (db/app says sslmode=require)."
    assert place.told == [line]
    driver.set(place.rotation())
    assert server.lets_in("app", NEW)


def test_nothing_of_libpq_s_environment_has_a_say(
    server: Cluster, place: Place, driver: drivers.Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = {
        "PGHOSTADDR": "192.0.2.1", "PGSERVICE": "elsewhere", "PGSERVICEFILE": "/nowhere", "PGPASSFILE": "/dev/null",
        "PGSSLMODE": "verify-full", "PGREQUIREAUTH": "none", "PGOPTIONS": "-c role=nobody", "PGUSER": "nobody",
        "PGDATABASE": "nowhere", "PGTARGETSESSIONATTRS": "standby", "PGCHANNELBINDING": "require",
        "PGCLIENTENCODING": "x",
    }  # fmt: skip
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    driver.set(place.rotation())
    driver.test(place.rotation())
    monkeypatch.undo()
    assert server.lets_in("app", NEW)


# What goes wrong outside


def test_who_cannot_be_reached_is_another_matter_than_who_refuses(
    server: Cluster, place: Place, driver: drivers.Driver
) -> None:
    places = ["host: 127.0.0.1\nport: 1\n", f"host: {server.folder}/none\n", "host: nowhere.invalid\n"]
    for place.where, step in itertools.product(places, ("set", "test", "abort")):
        with pytest.raises(Busy) as caught:
            getattr(driver, step)(place.rotation())
        assert caught.value.exit_code == 75
        assert place.where.split()[1] in caught.value.line()


def test_a_socket_will_do(server: Cluster, place: Place, driver: drivers.Driver) -> None:
    place.where = f"host: {server.folder}\nport: {server.port}\n"
    driver.set(place.rotation())
    assert server.lets_in("app", NEW)


def test_the_password_in_force_is_neither(server: Cluster, place: Place, driver: drivers.Driver) -> None:
    server.sql("ALTER ROLE app PASSWORD 'somebody else has changed it'")
    with pytest.raises(DriverFailed, match="takes neither the old nor the new password of db/app") as caught:
        driver.set(place.rotation())
    assert "the option admin" in caught.value.line()
    with pytest.raises(DriverFailed, match="takes neither the old nor the new"):
        driver.abort(place.rotation())


def test_somebody_who_may_not_and_somebody_who_is_at_it(
    server: Cluster, place: Place, driver: drivers.Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, place.entries["db/keeper"] = place.entries["db/keeper"], place.entry()
    with pytest.raises(DriverFailed, match=r"refuses to do it as app: .*(must|permission)"):
        driver.set(place.rotation(place.entry(user="app_b"), place.entry(NEW, "app_b"), **KEEPER))
    place.entries["db/keeper"] = keeper
    monkeypatch.setattr(postgresql, "_SECONDS", 2)
    with server.connect(ADMIN, ADMIN_PASSWORD) as session, session.transaction():
        session.execute("ALTER ROLE app CONNECTION LIMIT 9")
        with pytest.raises(Busy, match="canceling statement due to statement timeout"):
            driver.set(place.rotation(**KEEPER))


def test_without_psycopg_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(UsageError, match="the driver 'postgresql' needs psycopg, which is not installed") as caught:
        drivers.driver("postgresql")
    assert "clave[postgresql]" in caught.value.line()


def test_an_old_libpq_cannot_keep_the_password_from_a_rogue_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psycopg.pq, "version", lambda: 150005)
    with pytest.raises(UsageError, match="needs libpq 16 or later, and psycopg here has 15"):
        drivers.driver("postgresql")
