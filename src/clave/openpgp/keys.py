"""Which certificate an id of a `.gpg-id` means, and whether it may be encrypted to.

An id may be anything that gpg's `--recipient` takes: a fingerprint, a long or short key id, with or without
`0x`, a `SUBKEY!`, an address, a piece of a user id, or the name of a `group` line of gpg.conf. It is resolved
here, once, to an encryption subkey; gpg is then told that subkey and nothing else.

- Nothing is looked up on the network.
- The subkey is the one that gpg would take: the newest that is valid now; `SUBKEY!` is that one or none.
- A key that is expired, revoked, disabled, without encryption subkey, or not certified as far as gpg's own
  trust model demands is refused, and so is an id that several usable keys match: nobody is dropped in silence,
  and nobody is let in by a look-alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clave.errors import CannotEncrypt, ProgramMissing
from clave.openpgp.command import environment
from clave.openpgp.configuration import configuration
from clave.process import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import gnupg

PROBLEM = "cannot encrypt: "  # how the message begins that says who cannot be encrypted to
# What gpg accepts without a question (its do_we_trust_pre): marginal, full, ultimate.
_TRUSTED = frozenset("mfu")
_MANY = 200
_UNUSABLE = {"r": "is revoked", "e": "has expired", "i": "is invalid", "n": "is not valid", "d": "is disabled"}


class Recipient(NamedTuple):
    """Somebody to encrypt to.

    `id` is as written in the `.gpg-id`; `fingerprint` that of the primary key, `subkey` that of the encryption
    subkey, `key_id` the subkey's long id (16 hex digits), as it stands in a message; `expires` the earlier
    expiry of the two, in seconds since 1970, or None. With a `certificate` the key is taken from that, and no keyring
    is asked.
    """

    id: str
    fingerprint: str
    subkey: str
    key_id: str
    user_id: str
    expires: int | None
    certificate: bytes | None = None


def long_id(fingerprint: str) -> str:
    """Return the id of 16 digits of a key (RFC 4880 12.2; RFC 9580 5.5.4.3 for the longer fingerprints)."""
    return fingerprint[-16:] if len(fingerprint) == 40 else fingerprint[:16]


class _Subkey(NamedTuple):
    validity: str
    fingerprint: str
    created: int
    expires: int | None
    usage: str

    @property
    def key_id(self) -> str:
        """The long id."""
        return long_id(self.fingerprint)


class _Certificate:
    """A public key as `--with-colons` lists it; its primary key stands first among `keys`."""

    def __init__(self, validity: str, capabilities: str) -> None:
        self.validity = validity
        self.capabilities = capabilities
        self.user_ids: list[tuple[str, str]] = []
        self.keys: list[_Subkey] = []

    @property
    def fingerprint(self) -> str:
        return self.keys[0].fingerprint

    @property
    def user_id(self) -> str:
        """The first user id, a usable one before any other: an expired key has none, and yet is somebody's."""
        best_first = sorted(self.user_ids, key=lambda user_id: user_id[0] in _UNUSABLE)
        return best_first[0][1] if best_first else "no user id"

    def __str__(self) -> str:
        return f"{self.fingerprint} ({self.user_id})"


def resolve(ids: Sequence[str], *, options: Sequence[str] = ()) -> list[Recipient]:
    """Return the recipients behind `ids`, each once, in their order.

    Raises CannotEncrypt that names every id that cannot be encrypted to, whose it is, why, and what to do.
    """
    expanded = _expand_groups(ids, options)
    certificates = _list(expanded, options)
    found: dict[str, Recipient] = {}
    problems: list[str] = []
    hints: list[str] = []
    for each in expanded:
        try:
            recipient = _choose(each, certificates, options)
            found.setdefault(recipient.subkey, recipient)
        except CannotEncrypt as problem:
            problems.append(problem.message)
            hints.append(problem.hint or "")
    if problems:
        raise CannotEncrypt(PROBLEM + "; ".join(problems), hints[0] or None)
    return list(found.values())


class Signer(NamedTuple):
    """Who has made a signature, as gpg would tell it today.

    `state` is good, untrusted, expired or revoked; `fingerprint` that of the primary key.
    """

    state: str
    fingerprint: str
    user_id: str


def signers(fingerprints: Iterable[str]) -> dict[str, Signer]:
    """Return who signs with each of the keys or subkeys; a key that is not there, or is disabled, is left out."""
    wanted = set(fingerprints)
    found = {}
    for certificate in _list(sorted(wanted), ()) if wanted else ():
        primary = certificate.keys[0]
        for key in certificate.keys:
            if key.fingerprint in wanted and "D" not in certificate.capabilities:
                state = _state({primary.validity, key.validity})
                if state:
                    found[key.fingerprint] = Signer(state, primary.fingerprint, certificate.user_id)
    return found


class Owner(NamedTuple):
    """Whose a key or subkey is: the fingerprint of its primary key, and a user id."""

    fingerprint: str
    user_id: str


def owners(key_ids: Iterable[str], *, options: Sequence[str] = ()) -> dict[str, Owner]:
    """Return whose the keys with these long ids are, as far as the keyring has them."""
    wanted = set(key_ids)
    found: dict[str, Owner] = {}
    # Of hundreds it is cheaper, and no limit of a command line is in the way, to list all.
    for certificate in _list(sorted(wanted) if len(wanted) < _MANY else [], options) if wanted else ():
        for key in certificate.keys:
            if key.key_id in wanted:
                found.setdefault(key.key_id, Owner(certificate.fingerprint, certificate.user_id))
    return found


def matching(text: str) -> list[Owner]:
    """Return the keys of the keyring that gpg would take for a text, usable or not."""
    found = [certificate for certificate in _list([text], ()) if _matches(text, certificate)]
    return [Owner(certificate.fingerprint, certificate.user_id) for certificate in found]


def own_key_ids(*, options: Sequence[str] = ()) -> set[str]:
    """Return the long ids of all keys and subkeys whose secret part is here or on a smartcard."""
    rows = [line.split(":") for line in _gpg(["--with-colons", "--list-secret-keys"], options).splitlines()]
    return {row[4] for row in rows if row[0] in ("sec", "ssb") and row[14:15] != ["#"]}


def _state(validities: set[str]) -> str | None:
    """Return what gpg calls a signature by keys of these validities (field 2 of a listing)."""
    if "r" in validities:
        return "revoked"
    if "e" in validities:
        return "expired"
    if validities <= _TRUSTED or _trusts_always(()):
        return "good"
    return "untrusted" if validities <= _TRUSTED | {"q", "o", "-"} else None


def _choose(each: str, certificates: Sequence[_Certificate], options: Sequence[str]) -> Recipient:
    matching = [certificate for certificate in certificates if _matches(each, certificate)]
    if not matching:
        raise CannotEncrypt(f"no public key for '{each}'", "Import it: gpg --import FILE.")
    usable: list[Recipient] = []
    first_problem: CannotEncrypt | None = None
    for certificate in matching:
        try:
            usable.append(_recipient(each, certificate, options))
        except CannotEncrypt as problem:
            first_problem = first_problem or problem
    if len(usable) > 1:
        keys = ", ".join(recipient.fingerprint for recipient in usable)
        raise CannotEncrypt(f"'{each}' fits several keys: {keys}", "Write the fingerprint of the one you mean.")
    if usable:
        return usable[0]
    assert first_problem is not None
    raise first_problem


def _recipient(each: str, certificate: _Certificate, options: Sequence[str]) -> Recipient:
    """Return the recipient that a certificate makes for an id. Raises CannotEncrypt saying why it makes none."""
    primary = certificate.keys[0]
    if "D" in certificate.capabilities:
        raise CannotEncrypt(f"the key {certificate} is disabled", "Enable it: gpg --edit-key, then enable.")
    if certificate.validity in _UNUSABLE:
        raise CannotEncrypt(_unusable("the key", certificate, primary), _RENEW)
    subkey = _encryption_key(each, certificate)
    if certificate.validity not in _TRUSTED and not _trusts_always(options):
        raise CannotEncrypt(
            f"the key {certificate} is not certified to belong to its user id",
            f"If you have checked its fingerprint: gpg --quick-lsign-key {certificate.fingerprint}.",
        )
    expiries = [expires for expires in (primary.expires, subkey.expires) if expires is not None]
    return Recipient(
        id=each,
        fingerprint=certificate.fingerprint,
        subkey=subkey.fingerprint,
        key_id=subkey.key_id,
        user_id=certificate.user_id,
        expires=min(expiries, default=None),
    )


def _encryption_key(each: str, certificate: _Certificate) -> _Subkey:
    able = [key for key in certificate.keys if "e" in key.usage]
    if each.endswith("!"):
        able = [key for key in able if _is_key_id(each[:-1], key.fingerprint)]
    if not able:
        raise CannotEncrypt(f"the key {certificate} has no encryption subkey for '{each}'", _RENEW)
    valid = [key for key in able if key.validity not in _UNUSABLE]
    if not valid:
        newest = max(able, key=lambda key: key.created)
        raise CannotEncrypt(_unusable("the encryption subkey of", certificate, newest), _RENEW)
    subkeys = [key for key in valid if key is not certificate.keys[0]]
    return max(subkeys or valid, key=lambda key: key.created)


_RENEW = "Ask its owner for a renewed key and import it: gpg --import FILE."


def _unusable(what: str, certificate: _Certificate, key: _Subkey) -> str:
    reason = _UNUSABLE[key.validity]
    if key.validity == "e" and key.expires is not None:
        from datetime import UTC, datetime

        reason = f"expired on {datetime.fromtimestamp(key.expires, UTC):%Y-%m-%d}"
    return f"{what} {certificate} {reason}"


def _matches(each: str, certificate: _Certificate) -> bool:
    """Tell whether gpg would take the certificate for an id (gpg(1), How to specify a user ID)."""
    each = each.lstrip()
    wanted = each.removesuffix("!")
    if _looks_like_key_id(wanted):
        return any(_is_key_id(wanted, key.fingerprint) for key in certificate.keys)
    texts = [text for validity, text in certificate.user_ids if validity not in "r"]
    if each.startswith("="):
        return each[1:] in texts
    part, texts = each[each[:1] in ("<", "@", "*") :].lower(), [text.lower() for text in texts]
    if each.startswith("<"):
        return any(part.removesuffix(">") == _address(text) for text in texts)
    if each.startswith("@"):
        return any(part in _address(text) for text in texts)
    return any(part in text for text in texts)


def _address(user_id: str) -> str:
    return user_id.rpartition("<")[2].partition(">")[0]


def _looks_like_key_id(text: str) -> bool:
    digits = text.removeprefix("0x").removeprefix("0X")
    return len(digits) in (8, 16, 32, 40, 64) and all(c in "0123456789abcdefABCDEF" for c in digits)


def _is_key_id(text: str, fingerprint: str) -> bool:
    digits = text.removeprefix("0x").removeprefix("0X").upper()
    return fingerprint.startswith(digits) if len(fingerprint) == 64 else fingerprint.endswith(digits)


def _expand_groups(ids: Sequence[str], options: Sequence[str]) -> list[str]:
    """Return the ids with each group of gpg.conf replaced by its members, as gpg does (one level)."""
    if not any("group" in text for text in configuration(options)):
        return list(ids)
    listing = _gpg(["--list-config", "--with-colons", "group"], options)
    groups: dict[str, list[str]] = {}
    for line in listing.splitlines():
        fields = line.split(":", 3)
        if fields[:2] == ["cfg", "group"] and len(fields) == 4:
            groups[fields[2].lower()] = fields[3].split(";")
    return [member for each in ids for member in groups.get(each.lower(), [each])]


def _trusts_always(options: Sequence[str]) -> bool:
    """Tell whether the user has told gpg to ask for no certification of keys."""
    lines = [" ".join(options).replace("--", "\n").replace("=", " ")]
    lines += configuration(options)
    settings = [line.split("#")[0].split() for text in lines for line in text.splitlines()]
    return any(words[:2] == ["trust-model", "always"] or words[:1] == ["always-trust"] for words in settings)


def _list(ids: Sequence[str], options: Sequence[str]) -> list[_Certificate]:
    wanted = sorted({each.removesuffix("!") for each in ids})
    arguments = ["--with-colons", "--no-auto-key-locate", "--list-keys", "--", *wanted]
    certificates: list[_Certificate] = []
    listing = _gpg(arguments, options)
    if not listing:  # of a key that is not there gpg still tells the state of its trust database
        raise CannotEncrypt(
            "gpg does not list its keys", "See why: gpg --list-keys; check gpg.conf and PASSWORD_STORE_GPG_OPTS."
        )
    for line in listing.splitlines():
        fields = line.split(":")
        match fields[0]:
            case "pub":
                certificates.append(_Certificate(fields[1], fields[11]))
                certificates[-1].keys.append(_subkey(fields))
            case "sub":
                certificates[-1].keys.append(_subkey(fields))
            case "fpr" if certificates:
                keys = certificates[-1].keys
                if not keys[-1].fingerprint:
                    keys[-1] = keys[-1]._replace(fingerprint=fields[9])
            case "uid":
                certificates[-1].user_ids.append((fields[1], _unescape(fields[9])))
    unique = {certificate.fingerprint: certificate for certificate in certificates}
    return list(unique.values())


def _subkey(fields: Sequence[str]) -> _Subkey:
    usage = "".join(c for c in fields[11] if c.islower())
    return _Subkey(fields[1], "", _seconds(fields[5]) or 0, _seconds(fields[6]), usage)


def _seconds(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _unescape(text: str) -> str:
    r"""Undo the `\x3a` of gpg's colon listings."""
    if "\\" not in text:
        return text
    import re

    return re.sub(r"\\x([0-9a-fA-F]{2})", lambda match: chr(int(match[1], 16)), text)


def _gpg(arguments: Sequence[str], options: Sequence[str]) -> str:
    argv = [*options, "--batch", "--quiet", *arguments]
    try:
        result = run(["gpg", *argv], env=environment())
    except ProgramMissing:
        raise CannotEncrypt("gpg is not installed", "Install gnupg and try again.") from None
    return result.out.decode("utf-8", "surrogateescape")


class Key(NamedTuple):
    """A key of a keyring. `expires` is in seconds since 1970, or None for never."""

    fingerprint: str
    user_ids: tuple[str, ...]
    expires: int | None
    can_encrypt: bool
    usable: bool


def own_keys() -> list[Key]:
    """Return the keys whose secret part is here."""
    return _keys(secret=True)


def public_keys() -> list[Key]:
    """Return all keys of the keyring."""
    return _keys(secret=False)


def generate(name: str, email: str, passphrase: str | None = None) -> str:
    """Make a key (ed25519 and cv25519, no expiry) and return its fingerprint.

    Without `passphrase` gpg's pinentry asks for one; `""` makes an unprotected key. Raises CannotEncrypt.
    """
    program = _python_gnupg()
    parameters: dict[str, object] = {
        "key_type": "EDDSA",
        "key_curve": "ed25519",
        "key_usage": "cert,sign",
        "subkey_type": "ECDH",
        "subkey_curve": "cv25519",
        "subkey_usage": "encrypt",
        "name_real": name,
        "name_email": email,
        "expire_date": 0,
    }
    if passphrase == "":
        parameters["no_protection"] = True
    elif passphrase is not None:
        parameters["passphrase"] = passphrase
    made = program.gen_key(program.gen_key_input(**parameters))
    if not made.fingerprint:
        raise CannotEncrypt("gpg could not make the key", "See why: gpg --full-generate-key.")
    return str(made.fingerprint)


def _keys(*, secret: bool) -> list[Key]:
    found = []
    for listed in _python_gnupg().list_keys(secret):
        usage = listed["cap"]
        found.append(
            Key(
                fingerprint=listed["fingerprint"],
                user_ids=tuple(listed["uids"]),
                expires=_seconds(listed["expires"]),
                can_encrypt="E" in usage,
                usable=listed["trust"] not in _UNUSABLE and "D" not in usage,
            )
        )
    return found


def _python_gnupg() -> gnupg.GPG:
    import logging

    import gnupg

    # Its DEBUG log would hold the start of imported key data.
    logging.getLogger("gnupg").setLevel(logging.WARNING)
    try:
        program = gnupg.GPG(env=environment())
    except OSError:
        raise CannotEncrypt("gpg is not installed", "Install gnupg and try again.") from None
    program.encoding = "utf-8"
    return program
