"""The client of gpg-agent's socket: the real agent, and ones that are dead, hostile, or not there."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clave.openpgp import agent
from clave.openpgp.agent import Agent, AgentFailed, AgentMissing, AgentRefused, connect
from clave.openpgp.command import start_listing
from clave.openpgp.packets import inspect
from clave.openpgp.session import OwnKey, own_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.openpgp.own import Owner

GRIP = "0123456789ABCDEF0123456789ABCDEF01234567"
VALUE = b"(5:value3:%25%0A%0D)"  # as it stands on a line: percent, LF, CR


def question(owner: Owner, kind: str = "cv25519") -> tuple[OwnKey, bytes, bytes]:
    """Return a key, the body of a PKESK for it, and what to ask."""
    message = owner.seal(b"x", key=kind)
    start, end = inspect(message).bodies[0]
    with start_listing() as listing:
        keys = own_keys(listing)
    key = keys[owner.keys[kind][-16:]]
    assert key
    request = key.request(message[start:end])
    assert request
    return key, message[start:end], request


# The real one


def test_the_session_key(as_olga: Owner) -> None:
    with connect() as real:
        for kind in ("cv25519", "rsa2048", "nistp521", "cv25519"):
            key, body, request = question(as_olga, kind)
            real.ask(key.keygrip, key.purpose, request)
            value, padded = real.answer()
            session = key.session_key(body, value, padded=padded)
            assert session
            assert session.algorithm in (7, 8, 9)
            for at in (1, 20, -1) if kind == "cv25519" else (1, 20) if kind == "nistp521" else (0, -1):
                changed = bytearray(value)
                changed[at] ^= 1
                assert key.session_key(body, bytes(changed), padded=padded) is None


def test_a_refusal_leaves_the_connection_usable(as_olga: Owner) -> None:
    key, body, request = question(as_olga)
    with connect() as real:
        for grip, asked in ((GRIP, request), (key.keygrip, b"(no expression"), (key.keygrip, b"x" * 5000)):
            real.ask(grip, "because", asked)
            with pytest.raises(AgentRefused):
                real.answer()
            real.ask(key.keygrip, key.purpose, request)
            value, padded = real.answer()
            assert key.session_key(body, value, padded=padded)


def test_an_agent_that_is_not_running_is_started(as_olga: Owner) -> None:
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=True)
    key, _, request = question(as_olga)
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=True)
    with connect() as real:
        real.ask(key.keygrip, key.purpose, request)
        assert real.answer()


def test_an_agent_that_ends(as_olga: Owner) -> None:
    key, _, request = question(as_olga)
    with connect() as real:
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=True)
        for _ in range(2):
            real.ask(key.keygrip, key.purpose, request)
            with pytest.raises(AgentFailed, match="has ended"):
                real.answer()


def test_a_restricted_socket(as_olga: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that ssh forwards: it forbids options and the purpose of a question."""
    key, body, request = question(as_olga)
    extra = as_olga.person.gnupg / "S.gpg-agent.extra"
    assert extra.is_socket()
    monkeypatch.setenv("GPG_TTY", "/dev/null")
    monkeypatch.setattr(agent, "_socket_path", lambda: str(extra))
    with connect() as real:
        real.ask(key.keygrip, key.purpose, request)
        value, padded = real.answer()
        assert key.session_key(body, value, padded=padded)


def test_a_socket_elsewhere(as_olga: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, _, request = question(as_olga)
    redirection = tmp_path / "socket"
    monkeypatch.setenv("PLACE", str(as_olga.person.gnupg))
    monkeypatch.setattr(agent, "_socket_path", lambda: str(redirection))
    for text in ("%Assuan%\nsocket=${PLACE}/S.gpg-agent\n", "%Assuan%\r\nsocket=${PLACE}/S.gpg-agent\r\n"):
        redirection.write_text(text)
        with connect() as real:
            real.ask(key.keygrip, key.purpose, request)
            assert real.answer()


@pytest.mark.parametrize("content", ["", "%Assuan%\n", "socket=/tmp/x\n", "%Assuan%\nsocket=/nonexistent\n"])
def test_a_file_that_leads_to_no_socket(
    as_olga: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    (tmp_path / "socket").write_text(content)
    monkeypatch.setattr(agent, "_socket_path", lambda: str(tmp_path / "socket"))
    with pytest.raises(AgentMissing):
        connect()


def test_no_gnupg_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AgentMissing):
        connect()


# Others


@contextmanager
def pretended(serve: Callable[[socket.socket], None]) -> Iterator[Agent]:
    """Connect to an agent that is a function."""
    ours, theirs = socket.socketpair()
    ours.settimeout(0.3)
    thread = threading.Thread(target=_served, args=(serve, theirs))
    thread.start()
    try:
        with Agent(ours) as connected:
            yield connected
    finally:
        ours.close()
        thread.join()


def _served(serve: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with connection:
        try:
            serve(connection)
        except OSError:
            return


def answering(*answers: bytes) -> Callable[[socket.socket], None]:
    """Return an agent that greets, accepts key and purpose, inquires, and then says `answers`."""

    def serve(connection: socket.socket) -> None:
        with connection.makefile("rwb") as file:
            for line in file:
                if line.startswith((b"SETKEY", b"OPTION")):
                    file.write(b"OK\n")
                elif line.startswith(b"PKDECRYPT"):
                    file.write(b"S INQUIRE_MAXLEN 4096\nINQUIRE CIPHERTEXT\n")
                elif line.startswith(b"END"):
                    file.write(b"".join(answers))
                file.flush()

    return serve


def asked(connected: Agent) -> tuple[bytes, bool]:
    connected.ask(GRIP, "because", b"%\r\n" * 500)
    return connected.answer()


@pytest.mark.parametrize(
    ("answers", "padded"),
    [
        ([b"D " + VALUE + b"\nOK\n"], True),
        ([b"D " + VALUE[:9] + b"\nD " + VALUE[9:] + b"\nOK closing\n"], True),
        ([b"S PADDING 0\nD " + VALUE + b"\nOK\n"], False),
        ([b"# a comment\nS PROGRESS x\nD " + VALUE + b"\nOK\n"], True),
        ([b"D ", VALUE, b"%00\n", b"OK\n"], True),
    ],
)
def test_answers(answers: list[bytes], padded: bool) -> None:
    with pretended(answering(*answers)) as connected:
        for _ in range(2):
            assert asked(connected) == (b"%\n\r", padded)


def test_what_the_agent_gets() -> None:
    """Lines are no longer than Assuan allows, and what they say is what was asked."""
    lines: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        with connection.makefile("rwb") as file:
            for line in file:
                lines.append(line)
                file.write(
                    b"INQUIRE CIPHERTEXT\n"
                    if line == b"PKDECRYPT\n"
                    else b"D " + VALUE + b"\nOK\n"
                    if line == b"END\n"
                    else b""
                    if line.startswith(b"D ")
                    else b"OK\n"
                )
                file.flush()

    with pretended(serve) as connected:
        asked(connected)
        connected.ask(GRIP, "Ünlock\nme %", b"second")
        connected.answer()
    assert max(len(line) for line in lines) <= 1000
    data = b"".join(line[2:-1] for line in lines if line.startswith(b"D "))
    assert data == b"%25%0D%0A" * 500 + b"second"
    assert [line for line in lines if line.startswith(b"SETKEY ")] == [f"SETKEY {GRIP}\n".encode()]
    assert b"SETKEYDESC %C3%9Cnlock%0Ame%20%25\n" in lines


def test_a_refusal_and_its_number() -> None:
    with pretended(answering(b"ERR 67108963 Operation cancelled <Pinentry>\n")) as connected:
        with pytest.raises(AgentRefused) as refusal:
            asked(connected)
        assert refusal.value.number == 67108963


def test_another_inquiry_is_cancelled() -> None:
    said: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        with connection.makefile("rwb") as file:
            for line in file:
                said.append(line)
                if line == b"PKDECRYPT\n":
                    file.write(b"INQUIRE CIPHERTEXT\n")
                elif line == b"END\n":
                    file.write(b"INQUIRE PASSPHRASE\n")
                elif line == b"CAN\n":
                    file.write(b"ERR 99 cancelled\n")
                elif not line.startswith(b"D "):
                    file.write(b"OK\n")
                file.flush()

    with pretended(serve) as connected, pytest.raises(AgentRefused):
        asked(connected)
    assert said[-1] == b"CAN\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"x" * 3000,
        b"D " + b"x" * 2000 + b"\nOK\n",
        b"D " + b"x" * 900 + b"\n",
        b"S PROGRESS\n",
        b"#\n",
        b"\n",
        b"D (5:value9:x)\nOK\n",
        b"D (5:value99999999999999999:x)\nOK\n",
        b"D (5:value-1:x)\nOK\n",
        b"OK\n",
        b"ERR\n",
        b"ERR x\n",
        b"HELLO\n",
        b"\x00\xff\n",
    ],
)
def test_a_hostile_agent(answer: bytes) -> None:
    """Whatever it says, and however often, there is one error, and soon."""

    def serve(connection: socket.socket) -> None:
        with connection.makefile("rwb") as file:
            for line in file:
                if line == b"END\n":
                    break
                file.write(b"INQUIRE CIPHERTEXT\n" if line == b"PKDECRYPT\n" else b"OK\n" if b"KEY" in line else b"")
                file.flush()
        while True:
            connection.sendall(answer)

    with pretended(serve) as connected, pytest.raises(AgentFailed, match="makes no sense"):
        asked(connected)


@given(st.lists(st.sampled_from([b"OK", b"ERR 99", b"D x", b"S y", b"INQUIRE CIPHERTEXT", b"#", b"\xff"]), max_size=12))
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_lines_in_any_order(lines: list[bytes]) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(b"".join(line + b"\n" for line in lines))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass

    with pretended(serve) as connected, pytest.raises((AgentFailed, AgentRefused)):
        asked(connected)


def test_a_silent_agent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "s"
    monkeypatch.setattr(agent, "_socket_path", lambda: str(path))
    monkeypatch.setattr(agent, "_PATIENCE", 0.2)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        dead.listen()
        with pytest.raises(AgentFailed, match="does not answer"):
            connect()


def test_a_user_may_take_longer_than_the_agent() -> None:
    def slowly(connection: socket.socket) -> None:
        with connection.makefile("rwb") as file:
            for line in file:
                if line == b"END\n":
                    time.sleep(0.6)  # twice as long as anything else may take
                    file.write(b"D " + VALUE + b"\nOK\n")
                else:
                    file.write(
                        b"INQUIRE CIPHERTEXT\n" if line == b"PKDECRYPT\n" else b"OK\n" if b"KEY" in line else b""
                    )
                file.flush()

    with pretended(slowly) as connected:
        assert asked(connected) == (b"%\n\r", True)
