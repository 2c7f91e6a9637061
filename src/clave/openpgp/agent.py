"""gpg-agent, asked directly: the one thing that needs a secret key is done by it, over its socket.

The protocol is Assuan (lines; https://www.gnupg.org/documentation/manuals/assuan/), the commands are gpg's own
when it decrypts: OPTION, SETKEY, SETKEYDESC, PKDECRYPT. The rules:

- Passphrases and PINs are between the agent, its pinentry and the user: we say on which terminal to ask, and why.
- One question at a time. `ask` returns when the agent is at work, so that we can work too until the `answer`.
- A restricted socket (one that ssh forwards) forbids most options; only the answer to a question counts.
- What comes from the socket is limited in length, and nothing but the answer to a question may take long.
- An agent that is not there is one thing (`AgentMissing`: gpg may still find a way), one that breaks the protocol,
  is silent or ends another (`AgentFailed`).
"""

from __future__ import annotations

import os
import re
import socket
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from clave.errors import ClaveError, ProgramMissing
from clave.openpgp.command import environment
from clave.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

_LINE = 1000  # bytes of an Assuan line, its end not counted
_PIECE = 300  # bytes in a line of data: each may become three
_ANSWER = 1 << 16  # bytes that the agent may send until a question is answered
_PATIENCE = 10.0  # seconds for anything but a decryption, in which a user may be asked
_REDIRECTION = b"%Assuan%"

# What gpg tells its agent of where the user sits: option, environment variable.
_PLACE = (
    ("ttyname", "GPG_TTY"),
    ("ttytype", "TERM"),
    ("display", "DISPLAY"),
    ("xauthority", "XAUTHORITY"),
    ("putenv=WAYLAND_DISPLAY", "WAYLAND_DISPLAY"),
    ("putenv=XDG_SESSION_TYPE", "XDG_SESSION_TYPE"),
    ("putenv=DBUS_SESSION_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS"),
    ("putenv=PINENTRY_USER_DATA", "PINENTRY_USER_DATA"),
)


class AgentMissing(ClaveError):
    """There is no gpg-agent, and none can be started."""

    code = "no-agent"


class AgentFailed(ClaveError):
    """The agent ended, does not answer, or does not keep to the protocol."""

    code = "agent-failed"


class AgentRefused(ClaveError):
    """The agent answered with an error: `number` is its code of libgpg-error."""

    code = "agent-refused"

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number


class Agent:
    """A connection to gpg-agent. Made by `connect`, for a `with` statement."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._received = bytearray()
        self._budget = _ANSWER
        self._key = ""
        self._selecting = False
        self._failure: AgentFailed | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; a question that has no answer yet is dropped."""
        self._socket.close()

    def ask(self, key: str, description: str, ciphertext: bytes) -> None:
        """Have `ciphertext` (an S-expression) decrypted by a secret key, which its keygrip names.

        `description` is what a pinentry shows. Returns at once; `answer` tells what has gone wrong.
        """
        self._budget, self._selecting = _ANSWER, key != self._key
        selection = f"SETKEY {key}\n".encode() if self._selecting else b""
        pieces = (_escaped(ciphertext[at : at + _PIECE]) for at in range(0, len(ciphertext), _PIECE))
        data = b"".join(b"D " + piece + b"\n" for piece in pieces)
        # All in one, the answer to its inquiry too: the agent reads line by line, and each time that one waits for
        # the other costs a tenth of what the agent then does.
        try:
            self._send(selection + _describing(description) + b"PKDECRYPT\n" + data + b"END\n")
        except AgentFailed as failure:
            self._failure = failure
        self._key = key

    def answer(self) -> tuple[bytes, bool]:
        """Wait for the answer to what was asked; return the value in it, and whether it may be padded.

        Raises AgentRefused, AgentFailed.
        """
        if self._failure:
            raise self._failure
        if self._selecting:
            self._ignored()  # without a key it refuses to decrypt
        self._ignored()
        self._expect_inquiry()
        data, padded = bytearray(), True
        self._socket.settimeout(None)
        try:
            while True:
                keyword, rest = self._next(b"D", b"S", b"INQUIRE")
                if keyword == b"OK":
                    return _value(bytes(data)), padded
                if keyword == b"INQUIRE":
                    self._send(b"CAN\n")
                elif keyword == b"D":
                    data += rest
                elif rest == b"PADDING 0":
                    padded = False
        finally:
            self._socket.settimeout(_PATIENCE)

    def _expect_inquiry(self) -> None:
        """Read the inquiry whose answer was sent already; with anything else we are out of step for good."""
        try:
            if self._next(b"INQUIRE") == (b"INQUIRE", b"CIPHERTEXT"):
                return
        except AgentRefused:
            pass
        self._failure = _broken()
        raise self._failure

    def _ignored(self) -> None:
        """Read the answer to a command that the agent may refuse: it then does without."""
        with suppress(AgentRefused):
            self._next()

    def _next(self, *wanted: bytes) -> tuple[bytes, bytes]:
        """Return the first line that is OK or one of the wanted, as keyword and unescaped rest.

        Raises AgentRefused for an ERR.
        """
        while True:
            line = self._line()
            self._budget -= len(line) + 1
            if self._budget < 0:
                raise _broken()
            keyword, _, rest = line.partition(b" ")
            if keyword == b"ERR":
                number = rest.split(b" ", 1)[0]
                if not number.isdigit() or len(number) > 10:
                    raise _broken()
                raise AgentRefused(int(number), "gpg-agent refused")
            if keyword == b"OK" or keyword in wanted:
                return keyword, _unescaped(rest)
            if keyword == b"INQUIRE":
                self._send(b"CAN\n")
            elif keyword not in (b"S", b"D", b"") and not keyword.startswith(b"#"):
                raise _broken()

    def greet(self) -> None:
        """Read the agent's greeting and tell it where a pinentry may ask."""
        self._next()
        for option in _options(environment()):
            self._send(b"OPTION " + os.fsencode(option)[: _LINE - 7] + b"\n")
            self._ignored()

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError:
            raise _ended() from None

    def _line(self) -> bytes:
        while True:
            end = self._received.find(b"\n")
            if end >= 0:
                line = bytes(self._received[:end])
                del self._received[: end + 1]
                return line
            if len(self._received) > _LINE:
                raise _broken()
            try:
                more = self._socket.recv(1 << 12)
            except TimeoutError:
                raise AgentFailed("gpg-agent does not answer", _RESTART) from None
            except OSError:
                more = b""
            if not more:
                raise _ended()
            self._received += more


def connect() -> Agent:
    """Connect to the user's agent, which is started if none runs. Raises AgentMissing, AgentFailed."""
    try:
        path = _socket_path()
        try:
            connection = _open(path)
        except OSError:
            run(["gpgconf", "--launch", "gpg-agent"])
            connection = _open(path)
    except (OSError, ProgramMissing):
        raise AgentMissing("there is no gpg-agent", _RESTART) from None
    agent = Agent(connection)
    try:
        agent.greet()
    except BaseException as failure:
        agent.close()
        if isinstance(failure, AgentRefused):
            raise AgentFailed("gpg-agent refuses every connection", _RESTART) from None
        raise
    return agent


_RESTART = "Stop it, it is started again when needed: gpgconf --kill gpg-agent"


def _ended() -> AgentFailed:
    return AgentFailed("gpg-agent has ended", "Try again.")


def _broken() -> AgentFailed:
    return AgentFailed("gpg-agent answers what makes no sense", _RESTART)


def _socket_path() -> str:
    """Return the path of the agent's socket. Raises AgentMissing, ProgramMissing."""
    answer = run(["gpgconf", "--list-dirs", "agent-socket"])
    path = os.fsdecode(_unescaped(answer.out.strip()))
    if answer.code != 0 or not path:
        raise AgentMissing("gpgconf knows of no gpg-agent", _RESTART)
    return path


def _open(path: str) -> socket.socket:
    """Connect to a socket, or to the one that a file in its place names (gpg-agent(1): a redirection)."""
    if os.path.isfile(path):
        path = _redirected(path)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(_PATIENCE)
    try:
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection


def _redirected(path: str) -> str:
    with open(path, "rb") as file:
        lines = file.read(_LINE).split(b"\n")
    if lines[0].rstrip(b"\r") == _REDIRECTION:
        for line in lines[1:]:
            key, _, target = line.rstrip(b"\r").partition(b"=")
            if key == b"socket":
                return re.sub(r"\$\{(\w+)\}", lambda name: os.environ.get(name[1], ""), os.fsdecode(target))
    raise OSError(f"{path} is neither a socket nor says where one is")


def _options(env: Mapping[str, str]) -> Iterator[str]:
    for option, variable in _PLACE:
        value = env.get(variable)
        if value and value.isprintable():
            yield f"{option}={value}"
    locale = env.get("LC_ALL") or env.get("LANG")
    for name in ("lc-ctype", "lc-messages"):
        value = env.get("LC_ALL") or env.get(name.replace("-", "_").upper()) or locale
        if value and value.isprintable():
            yield f"{name}={value}"


@cache
def _describing(description: str) -> bytes:
    quoted = (
        chr(octet) if octet < 0x80 and chr(octet).isalnum() else f"%{octet:02X}" for octet in description.encode()
    )
    return f"SETKEYDESC {''.join(quoted)}\n".encode()


def _escaped(data: bytes) -> bytes:
    return data.replace(b"%", b"%25").replace(b"\r", b"%0D").replace(b"\n", b"%0A")


def _unescaped(data: bytes) -> bytes:
    if b"%" not in data:
        return data
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes((int(found[1], 16),)), data)


def _value(expression: bytes) -> bytes:
    """Return the octets in `(5:value<length>:<octets>)`. Raises AgentFailed."""
    start = re.match(rb"\(5:value(\d{1,5}):", expression)
    if not start or len(expression) <= start.end() + int(start[1]):
        raise _broken()
    return expression[start.end() : start.end() + int(start[1])]
