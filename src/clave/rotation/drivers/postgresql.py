"""The driver `postgresql`: the password of a role, by psycopg.

Where and who. A login is an entry: line 1 is its password; its fields `host`, `port`, `database` (or `dbname`), `user`,
`sslmode` and `sslrootcert`, and a `url: postgresql://…`, say the rest. What it does not say, the options of the same
names do. Two that disagree are refused (but an administrator's entry may say another place than the options). A host
must be named, be it a folder with a socket.

Whose password is changed:

- No option: the role of the entry changes its own. From `set` on new sessions want the new value; readers have it with
  the commit of `finish`, one login later.
- `admin = "ENTRY"`: that login changes it. The roles that it may change are named by `users`, never by the entry:
  whoever may write the entry could name the superuser in it.
- `users = ["app_a", "app_b"]`, with `admin`: two roles with the same rights take turns. The one that is not in use gets
  the new value, and then the entry names it; the other one stays valid until the next rotation. So no login fails.
  `abort` takes the password of the one that was to be away: the entry does not name it, so nobody uses it.
- `old = "void"`, with two: `finish` takes the password of the one that was in use away, because somebody knows it who
  should not. The default is "valid", and that is told.

What is never risked:

- A login is used at the place alone that its own entry, or an option, names: SCRAM through a server in the middle
  would open a session for it.
- The password is proved, never sent (`require_auth`): a server that asks for it in clear, or asks for none, is refused.
  So a test that succeeds has proved the password.
- What is set is a SCRAM-SHA-256 verifier that libpq makes here (RFC 5802, RFC 7677; SASLprep as in its logins). A log
  of the server may hold it; values by chance cannot be guessed from it, so short ones are refused.
- The certificate and the name of a server are checked, except for a socket or loopback, or where the entry says
  another `sslmode`; that is told. The user's `~/.postgresql/root.crt` says whom to trust, without it the system does.
- Nothing of the environment (PGPASSFILE, PGSERVICE, PGHOST …) has a say, and no client certificate is sent.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

from clave.errors import Busy, ClaveError, UsageError
from clave.model.secret import Secret, find_field
from clave.model.text import printable
from clave.rotation.drivers import DriverFailed, Rotation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

_PLACE = ("host", "port", "database", "sslmode", "sslrootcert")  # options, and fields of an entry
_OPTIONS = frozenset((*_PLACE, "admin", "users", "old"))
_VALID, _VOID = "valid", "void"
_USER = ("user", "username", "login")
_SCHEMES = ("postgresql", "postgres")
_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_AUTHORITIES = (
    "~/.postgresql/root.crt",
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # macOS, the BSDs
)
_SHORTEST = 16  # characters of a new password
_SECONDS = 10  # for a connection, and for a statement
_LIBPQ = 160000  # the first that knows require_auth
_LONGEST = 300  # characters of what a server says
# libpq's own words, which are English in a program that sets no locale for messages, then a server's. What is not
# here is a refusal.
_UNREACHABLE = (
    "connection refused", "no such file or directory", "timeout expired", "timed out", "failed to resolve",
    "could not translate host name", "unreachable", "no route to host", "server closed the connection",
    "ssl connection has been closed", "could not receive data", "could not send", "connection reset", "broken pipe",
    "starting up", "shutting down", "recovery mode", "too many clients", "too many connections", "slots are reserved",
)  # fmt: skip
_NOT_THE_PASSWORD = "password authentication failed"  # noqa: S105 - a message, no password
_LOOK_AT_TLS = "Look at host and sslmode of the entry; whom to trust, says its sslrootcert, or ~/.postgresql/root.crt."
_UNREACHABLE_STATES = ("08", "53", "57")  # classes of SQLSTATE: connection, resources, an operator's doing
_PREFIXES = re.compile(r"(?:connection (?:failed|is bad): |connection to server (?:at|on) .*? failed: |FATAL: +)+")
_VERIFIER = re.compile(r"SCRAM-SHA-256\$\S*")


class _Refused(DriverFailed):
    """The server does not let a login in; `password` tells whether it said that it is because of the password."""

    def __init__(self, message: str, hint: str, *, password: bool) -> None:
        super().__init__(message, hint)
        self.password = password


class _Login(NamedTuple):
    """Who logs in where: `entry` says so, `place` is what libpq gets of it."""

    entry: str
    user: str
    password: str
    place: dict[str, str]

    @property
    def where(self) -> str:
        return printable(f"{self.place['host']}:{self.place.get('port', '5432')}")


class PostgreSQL:
    """The driver. Raises UsageError without psycopg."""

    def __init__(self) -> None:
        try:
            from psycopg import pq
        except ImportError:
            raise UsageError(
                "the driver 'postgresql' needs psycopg, which is not installed",
                "Install clave with it: pip install 'clave[postgresql]', or pipx inject clave 'psycopg[binary]'.",
            ) from None
        if pq.version() < _LIBPQ:
            raise UsageError(
                f"the driver 'postgresql' needs libpq {_LIBPQ // 10000} or later, and psycopg here has "
                f"{pq.version() // 10000}",
                "Install the one that psycopg brings: pip install 'psycopg[binary]'.",
            )

    def create(self, rotation: Rotation, new: Callable[[], bytes]) -> Secret:
        """Return the entry with a new password, and with the other user where two take turns.

        Whatever would stop a later step is raised here, before anything is kept: UsageError for options, fields and an
        administrator's entry; for the login that is to change the password it is seen whether it is let in.
        """
        login = _login(rotation, rotation.name, rotation.current)
        users = _users(rotation, login.user)
        admin = _admin(rotation)
        for each in (login, admin):
            if each and not _local(each.place["host"]) and not each.place["sslmode"].startswith("verify"):
                mode = each.place["sslmode"]
                rotation.told(f"{each.where}: who answers there is not checked ({each.entry} says sslmode={mode}).")
        password = new()
        if len(password) < _SHORTEST or not password.isascii():
            raise UsageError(
                f"a password of PostgreSQL for {rotation.name} must have {_SHORTEST} characters of ASCII or more",
                "Let clave make it: the server keeps a value from which a short one can be guessed.",
            )
        user = next((each for each in users if each != login.user), None)
        made = _renewed(rotation, password, user)
        if _login(rotation, rotation.name, made)[1:3] != (user or login.user, password.decode()):
            raise UsageError(f"{rotation.name} says its user in a way that cannot be changed", "Use the field user.")
        with _session(rotation, admin or login):
            return made

    def set(self, rotation: Rotation) -> None:
        """Give the role of the pending value its password."""
        now, then = _logins(rotation)
        admin = _admin(rotation)
        by = admin or _in_force(rotation, now, then)
        if by is not then:
            _alter(rotation, by, then.user, then.password)

    def test(self, rotation: Rotation) -> None:
        """Log in with the pending value."""
        _, then = _logins(rotation)
        with _session(rotation, then) as session:
            session.execute("SELECT 1")

    def finish(self, rotation: Rotation) -> None:
        """Leave the old user, where there is one, as it is until the next turn, or take its password away."""
        now, then = _logins(rotation)
        if now.user == then.user:
            return
        admin = _admin(rotation)
        if admin and _old(rotation) == _VOID:
            _alter(rotation, admin, now.user, None)
        else:
            rotation.told(f"{printable(now.user)} stays valid, with the old password, until the next rotation.")

    def abort(self, rotation: Rotation) -> None:
        """Make the current password work, and the pending one void."""
        now, then = _logins(rotation)
        admin = _admin(rotation)
        if now.user != then.user:
            refused = _try(rotation, then)
            if admin and (refused is None or not refused.password):
                _alter(rotation, admin, then.user, None)
            return
        by = admin or _in_force(rotation, now, then)
        if by is not now:
            _alter(rotation, by, now.user, now.password)


def _logins(rotation: Rotation) -> tuple[_Login, _Login]:
    """Return the login in force and the one that is to be."""
    now = _login(rotation, rotation.name, rotation.current)
    then = _login(rotation, rotation.name, rotation.require_pending())
    _users(rotation, now.user)
    _users(rotation, then.user)
    if now.user != then.user and "admin" not in rotation.options:
        raise UsageError(
            f"the old and the new value of {rotation.name} have different users",
            "Only a login that may change both can do that: the option admin.",
        )
    return now, then


def _users(rotation: Rotation, user: str) -> list[str]:
    """Return the roles that may be changed. Raises UsageError where that of the entry is none of them."""
    unknown = sorted(rotation.options.keys() - _OPTIONS)
    if unknown:
        raise UsageError(
            f"the driver 'postgresql' has no option '{printable(unknown[0])}'", f"It has {', '.join(sorted(_OPTIONS))}."
        )
    found = rotation.options.get("users", [])
    users = re.split(r"[,\s]+", found.strip()) if isinstance(found, str) else found
    if not isinstance(users, list) or not all(isinstance(each, str) and each for each in users) or len(users) > 2:
        raise UsageError(f"the option 'users' for {rotation.name} must be one or two names", "Correct the policy.")
    admin = "admin" in rotation.options
    if admin and not users:
        raise UsageError(
            f"the option 'admin' for {rotation.name} needs the option 'users'",
            "Name the roles whose password that login may change.",
        )
    if len(users) == 2 and not admin:
        raise UsageError(
            f"two users that take turns need the option 'admin' for {rotation.name}",
            "Name the entry of a login that may change both.",
        )
    _old(rotation)
    if users and user not in users:
        raise UsageError(
            f"the user of {rotation.name} is {printable(user)}, which the option 'users' does not name",
            "Correct the entry, or the policy.",
        )
    return users


def _old(rotation: Rotation) -> str:
    """Return what becomes of the user whose turn has ended."""
    found = rotation.text("old", _VALID)
    if found not in (_VALID, _VOID):
        raise UsageError(f"the option 'old' for {rotation.name} is neither {_VALID} nor {_VOID}", "Correct it.")
    return found


def _admin(rotation: Rotation) -> _Login | None:
    """Return the login that may change passwords, where an option names one."""
    if "admin" not in rotation.options:
        return None
    entry = rotation.text("admin")
    return _login(rotation, entry, rotation.secret(entry))


def _login(rotation: Rotation, entry: str, secret: Secret) -> _Login:
    """Return whom and where an entry means. Raises UsageError where it does not say, or says two things."""
    said = _of_url(entry, secret)
    for name, names in (("user", _USER), ("database", ("database", "dbname")), *((each, (each,)) for each in _PLACE)):
        field = next((text for text in map(secret.field, names) if text), None)
        if field is not None and said.setdefault(name, _text(entry, field)) != _text(entry, field):
            raise UsageError(f"the url and the field '{name}' of {entry} disagree", "Correct one of them.")
    for name in rotation.options.keys() & set(_PLACE):
        option = rotation.options[name]
        value = str(option) if type(option) is int else rotation.text(name)
        if said.setdefault(name, value) != value and entry == rotation.name:
            raise UsageError(f"the option '{name}' and {entry} disagree", f"It says {printable(said[name])}.")
    for name in ("host", "user"):
        if not said.get(name):
            raise UsageError(f"{entry} does not say the {name} of its login", f"clave set {entry} {name}")
    if said.setdefault("sslmode", "prefer" if _local(said["host"]) else "verify-full") not in _MODES:
        raise UsageError(f"the sslmode of {entry} is none that PostgreSQL knows", f"There are: {', '.join(_MODES)}.")
    if not secret.password:
        raise UsageError(f"{entry} has no password", "Put the one in force on its first line.")
    place = {"dbname" if name == "database" else name: said[name] for name in _PLACE if name in said}
    return _Login(entry, said["user"], _text(entry, secret.password), {"dbname": "postgres", **place})


def _of_url(entry: str, secret: Secret) -> dict[str, str]:
    """Return what the url of an entry says, {} where it has none of PostgreSQL."""
    url = _url(entry, secret)
    if not url:
        return {}
    from psycopg import Error
    from psycopg.conninfo import conninfo_to_dict

    try:
        found = conninfo_to_dict(url)
    except Error:  # its text has the url, and the url may have the password
        raise UsageError(f"the url of {entry} cannot be read as one of PostgreSQL", "Correct it.") from None
    if "password" in found and ":" not in urlsplit(url).netloc.rpartition("@")[0]:
        raise UsageError(f"the url of {entry} has the password in its query", "Write it before the host: USER:…@HOST.")
    names = {**{each: each for each in _PLACE}, "user": "user", "dbname": "database"}
    return {names[key]: str(value) for key, value in found.items() if key in names and value}


def _url(entry: str, secret: Secret) -> str:
    url = secret.field("url") or b""
    return _text(entry, url) if url.split(b":")[0].lower().decode("latin-1") in _SCHEMES else ""


def _renewed(rotation: Rotation, password: bytes, user: str | None) -> Secret:
    """Return the current plaintext with another password, and another user where one is given."""
    made = rotation.current.with_password(password)
    url = _url(rotation.name, made)
    if url:
        parts = urlsplit(url)
        login, at, hosts = parts.netloc.rpartition("@")
        name, colon, _ = login.partition(":")
        name = quote(user, safe="") if user and name else name
        netloc = f"{name}{colon}{quote(password, safe='') if colon else ''}{at}{hosts}"
        made = made.with_field("url", urlunsplit(parts._replace(netloc=netloc)).encode())
    if user and find_field(made, "user") is not None:
        for field in _USER:
            made = made.with_field(field, user.encode()) if made.field(field) is not None else made
    return made


def _text(entry: str, value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise UsageError(f"a value of {entry} is no text, and PostgreSQL takes nothing else", "Look at the entry.")
    return text


def _local(hosts: str) -> bool:
    """Tell whether all hosts are a folder with a socket, or loopback."""

    def local(host: str) -> bool:
        try:
            return host.startswith(("/", "@")) or host == "localhost" or ip_address(host).is_loopback
        except ValueError:
            return False

    return all(local(host) for host in hosts.split(","))


def _try(rotation: Rotation, login: _Login) -> _Refused | None:
    """Return why a login is refused, None where it is let in. Raises Busy where nobody answers."""
    try:
        with _session(rotation, login):
            return None
    except _Refused as refused:
        return refused


def _in_force(rotation: Rotation, now: _Login, then: _Login) -> _Login:
    """Return which of the two logins is let in. Raises DriverFailed where none is, Busy where nobody answers."""
    refused = _try(rotation, now)
    if refused is None:
        return now
    if _try(rotation, then) is None:
        return then
    if not refused.password:
        raise refused
    raise DriverFailed(
        f"PostgreSQL at {now.where} takes neither the old nor the new password of {rotation.name}",
        "Name a login that may change it: the option admin.",
    )


def _alter(rotation: Rotation, by: _Login, user: str, password: str | None) -> None:
    """Give a role another password, or none, as somebody who may. The server gets its verifier alone."""
    from psycopg.sql import NULL, SQL, Identifier, Literal

    with _session(rotation, by) as session, session.transaction():
        value: Literal | SQL = NULL
        if password is not None:
            verifier = session.pgconn.encrypt_password(password.encode(), user.encode(), b"scram-sha-256")
            value = Literal(verifier.decode())
        session.execute(SQL("SET LOCAL statement_timeout = {}").format(Literal(_SECONDS * 1000)))
        session.execute(SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(user), value))


@contextmanager
def _session(rotation: Rotation, login: _Login) -> Iterator[psycopg.Connection[Any]]:
    """Log in. Raises _Refused, Busy where nobody answers, DriverFailed for what goes wrong within."""
    import psycopg

    try:
        with _without_environment():
            session = psycopg.connect(**_parameters(login), autocommit=True)
    except psycopg.Error as error:
        raise _failure(rotation, login, error, connecting=True) from None
    try:
        with session:
            yield session
    except psycopg.Error as error:
        raise _failure(rotation, login, error, connecting=False) from None


def _parameters(login: _Login) -> dict[str, Any]:
    """Return all that libpq gets: what it would otherwise take from the environment or a file among it."""
    place: dict[str, Any] = {**login.place, "user": login.user, "password": login.password}
    if place["sslmode"].startswith("verify") and "sslrootcert" not in place:
        files = map(os.path.expanduser, _AUTHORITIES)
        place["sslrootcert"] = next((file for file in files if os.path.exists(file)), "system")
    if "," in place["host"]:
        place["target_session_attrs"] = "read-write"
    return {
        **place,
        "require_auth": "scram-sha-256",
        "sslcertmode": "disable",
        "gssencmode": "disable",
        "connect_timeout": _SECONDS,
        "tcp_user_timeout": _SECONDS * 1000,
        "keepalives_idle": _SECONDS // 2,
        "keepalives_interval": _SECONDS // 2,
        "keepalives_count": 2,
        "application_name": "clave",
        "client_encoding": "UTF8",
    }


@contextmanager
def _without_environment() -> Iterator[None]:
    """Take libpq's variables out of the environment meanwhile: of some, an empty value is not the same as none."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("PG")}
    for name in kept:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(kept)


def _failure(rotation: Rotation, login: _Login, error: psycopg.Error, *, connecting: bool) -> ClaveError:
    """Return what a failure of psycopg is to the user: nobody answers, the login is refused, or it went wrong."""
    said = _said(rotation, login, error)
    lower, state = said.lower(), error.sqlstate or ""
    if state.startswith(_UNREACHABLE_STATES) or (not state and any(words in lower for words in _UNREACHABLE)):
        return Busy(f"PostgreSQL at {login.where} cannot be used now: {said}", "Try again later.")
    if connecting:
        tls = "ssl" in lower or "certificate" in lower
        return _Refused(
            f"PostgreSQL at {login.where} refuses {printable(login.user)} of {login.entry}: {said}",
            _LOOK_AT_TLS if tls else "Look at the entry, and at pg_hba.conf of the server.",
            password=_NOT_THE_PASSWORD in lower,
        )
    return DriverFailed(f"PostgreSQL at {login.where} refuses to do it as {printable(login.user)}: {said}")


def _said(rotation: Rotation, login: _Login, error: psycopg.Error) -> str:
    """Return the first line of an error, safe to show: no control characters, none of the values."""
    text = error.diag.message_primary or str(error)
    line = next(iter(text.strip().splitlines()), type(error).__name__)
    line = line[found.end() :] if (found := _PREFIXES.match(line)) else line
    values = {login.password, *(_text("", each.password) for each in (rotation.current, rotation.pending) if each)}
    for value in sorted(values, key=len, reverse=True):
        line = line.replace(value, "…") if value else line
    return printable(_VERIFIER.sub("…", line))[:_LONGEST]
