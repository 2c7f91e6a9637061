"""Many messages opened and made in this process, without a gpg for each.

Opening: gpg-agent gives the session key (`agent`, `session`), Sequoia the plaintext (`bridge`). Whatever they do
not open is gpg's to open or to refuse, one by one. Two things are decided here:

- a message for none of our keys is refused without asking anybody;
- a key that the agent will not use (cancelled, wrong PIN, no card) ends the run, and so does an agent that ends:
  the next message would only ask the user again.

The agent is the slow part. It always has the next question before the last answer is worked on; it is never asked
two things at once, so a smartcard is used strictly in order.

Making: certificates are those that recipients bring along, or are exported by gpg, once for each set of recipients,
with the one subkey that was chosen. What Sequoia makes of them is looked at: any other recipients, or packets that
gpg 2.2 cannot read (it makes them for a key that asks for those), and that set is gpg's from then on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clave.errors import BadMessage, CannotDecrypt, KeyLocked, ProgramMissing
from clave.openpgp import agent, bridge, packets
from clave.openpgp.command import environment
from clave.openpgp.configuration import configuration
from clave.openpgp.message import lock_reason, locked, not_ours, untrusted
from clave.openpgp.session import SessionKey, own_keys
from clave.process import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pysequoia import Cert

    from clave.openpgp.agent import Agent
    from clave.openpgp.keys import Recipient
    from clave.openpgp.session import OwnKey
    from clave.process import Running

    # A plaintext, why there is none, or None: gpg has to say.
    Opened = bytes | CannotDecrypt | None

_LARGEST = 64 << 10  # bytes of a ciphertext that is opened here
_LARGEST_PLAINTEXT = 1 << 20  # bytes of a plaintext that is encrypted here

# Options of a gpg.conf that have no say in how a message is opened. With any other the run is gpg's.
_HARMLESS = frozenset(
    """
    armor ask-cert-level auto-key-locate auto-key-retrieve cert-digest-algo charset cipher-algo comment compress-algo
    default-cert-level default-key default-new-key-algo default-preference-list default-recipient
    default-recipient-self digest-algo display-charset encrypt-to export-options fixed-list-mode group
    hidden-encrypt-to import-options keyid-format keyserver keyserver-options list-options local-user
    no-auto-key-retrieve no-comments no-emit-version no-greeting no-secmem-warning no-symkey-cache no-version
    personal-cipher-preferences personal-compress-preferences personal-digest-preferences photo-viewer quiet
    require-cross-certification require-secmem s2k-cipher-algo s2k-count s2k-digest-algo s2k-mode throw-keyids
    trust-model use-agent utf8-strings verify-options weak-digest with-fingerprint with-keygrip
    """.split()  # noqa: SIM905
)


class _Question(NamedTuple):
    """What the agent has to be asked about a message: its PKESK for `key`, whose body is `body`."""

    key: OwnKey
    body: bytes
    request: bytes
    packet: bytes


class Opener:
    """Opens messages with our own keys and the agent. Made by `start`, used once."""

    def __init__(self, keys: dict[str, OwnKey | None], connection: Agent) -> None:
        self._keys = keys
        self._agent = connection
        self._used: set[str] = set()

    @classmethod
    def start(cls, listing: Running) -> Opener | None:
        """Return one that is ready, None where all is gpg's to open. Raises KeyLocked for an agent that is broken.

        `listing` is what `command.start_listing` has started.
        """
        if not _is_ordinary():
            return None
        try:
            keys = own_keys(listing)
            return cls(keys, agent.connect()) if any(keys.values()) else None
        except (agent.AgentMissing, ProgramMissing):
            return None
        except agent.AgentFailed as failure:
            raise KeyLocked(failure.message, failure.hint) from None

    def open(self, items: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes, Opened]]:
        """Yield name, ciphertext and what is in it, in order; KeyLocked is the last."""
        last: tuple[str, bytes, Opened | _Question] | None = None
        with self._agent:
            for name, ciphertext in items:
                question = self._question(name, ciphertext)
                session = self._answered(last) if last else None
                if isinstance(question, _Question) and not isinstance(session, KeyLocked):
                    self._agent.ask(question.key.keygrip, question.key.purpose, question.request)
                    self._used.add(question.key.keygrip)
                if last:
                    yield last[0], last[1], _opened(last[2], session)
                if isinstance(session, KeyLocked):
                    return
                last = (name, ciphertext, question)
            if last:
                yield last[0], last[1], _opened(last[2], self._answered(last))

    def _question(self, name: str, ciphertext: bytes) -> Opened | _Question:
        """Return what to ask the agent about a message, or what is known of it without."""
        about = name or "the message"
        try:
            binary = packets.dearmor(ciphertext)
            message = packets.inspect(binary)
        except BadMessage as reason:
            return untrusted(about, reason)
        ours = [at for at, each in enumerate(message.recipients) if each in self._keys]
        if not ours and packets.HIDDEN not in message.recipients:
            return not_ours(about, message.recipients)
        if len(binary) > _LARGEST or message.data_tag != packets.SEIPD:
            return None
        questions = []
        for at in ours:
            start, end = message.bodies[at]
            key, body = self._keys[message.recipients[at]], binary[start:end]
            request = key and key.request(body)
            if key and request:
                questions.append(_Question(key, body, request, binary[message.data_at :]))
        # A key that is in use asks for nothing any more; a card may ask for a touch.
        return min(questions, key=lambda each: (each.key.keygrip not in self._used, each.key.on_card), default=None)

    def _answered(self, last: tuple[str, bytes, Opened | _Question]) -> SessionKey | KeyLocked | None:
        """Wait for the agent, if it was asked; return the session key, None if gpg has to find out more."""
        name, _, question = last
        if not isinstance(question, _Question):
            return None
        about = name or "the message"
        try:
            value, padded = self._agent.answer()
        except agent.AgentRefused as refusal:
            reason = lock_reason(refusal.number)
            return locked(about, reason) if reason else None
        except agent.AgentFailed as failure:
            return locked(about, failure.message)
        return question.key.session_key(question.body, value, padded=padded)


def _opened(question: Opened | _Question, session: SessionKey | KeyLocked | None) -> Opened:
    if isinstance(question, _Question):
        return bridge.opened(session, question.packet) if isinstance(session, SessionKey) else session
    return question


def _is_ordinary() -> bool:
    """Tell whether nothing in a gpg.conf could change how a message is opened (a loopback pinentry, for example)."""
    lines = (line.split("#")[0].replace("=", " ").split() for text in configuration([]) for line in text.splitlines())
    return all(not words or words[0].removeprefix("--") in _HARMLESS for words in lines)


class Sealer:
    """Encrypts to recipients with the certificates that they bring along, or that gpg exports."""

    def __init__(self) -> None:
        self._certificates: dict[tuple[tuple[str, bytes | None], ...], list[Cert]] = {}

    def seal(self, plaintext: bytes, recipients: Sequence[Recipient]) -> bytes | None:
        """Return a binary message for exactly these recipients; None: gpg has to make it."""
        wanted = tuple((recipient.subkey, recipient.certificate) for recipient in recipients)
        if wanted not in self._certificates:
            self._certificates[wanted] = bridge.certificates(_given(recipients) + _exported(recipients))
        certificates = self._certificates[wanted]
        if not certificates or len(plaintext) > _LARGEST_PLAINTEXT:
            return None
        made = bridge.sealed(plaintext, certificates)
        if made is None or not _is_expected(made, recipients):
            self._certificates[wanted] = []
            return None
        return made


def _given(recipients: Sequence[Recipient]) -> bytes:
    """Return the certificates that recipients bring along, each with its one encryption subkey."""
    from clave.openpgp import certificates

    given = (certificates.only(each.certificate, each.key_id) for each in recipients if each.certificate is not None)
    return b"".join(given)


def _exported(recipients: Sequence[Recipient]) -> bytes:
    """Return the certificates of the others, each with the one subkey and only the signatures that bind it."""
    subkeys = [f"{each.subkey}!" for each in recipients if each.certificate is None]
    if not subkeys:
        return b""
    argv = ["gpg", "--batch", "--no-options", "--export-options", "export-minimal", "--export", "--", *subkeys]
    try:
        return run(argv, env=environment()).out
    except ProgramMissing:
        return b""


def _is_expected(made: bytes, recipients: Sequence[Recipient]) -> bool:
    """Tell whether a message is one that gpg 2.2 reads, for these recipients and nobody else."""
    try:
        message = packets.inspect(made)
        _, body = packets.content(made[message.data_at :])
    except BadMessage:
        return False
    old_form = (
        message.data_tag == packets.SEIPD and body[:1] == b"\1" and all(made[at] == 3 for at, _ in message.bodies)
    )
    return old_form and sorted(message.recipients) == sorted(recipient.key_id for recipient in recipients)
