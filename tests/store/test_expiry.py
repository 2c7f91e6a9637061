"""How the keys of a team stand, at any time: what is told, and when it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clave.openpgp import certificates
from clave.openpgp.keys import Recipient
from clave.store.people import expiry
from clave.team.roster import ADMIN, Folder, Grant, Key, Member, Roster
from tests.conftest import forget, make_person
from tests.openpgp.smith import DAY, Smith

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def smith() -> Iterator[Smith]:
    person = make_person("smith")
    yield Smith(person)
    forget(person)


def state(smith: Smith, key: Key, days: float = 0) -> expiry.KeyState:
    return expiry.state("bob", key, smith.public(key.fpr), smith.now + days * DAY)


@pytest.fixture(scope="module")
def ending(smith: Smith) -> Key:
    """A key that ends in forty days, and its encryption subkey in fifty."""
    key = smith.key("rsa2048", "cert,sign", "50d", ago=10 * DAY)
    return Key(key, (smith.subkey(key, expire="59d", ago=9 * DAY)[-16:],))


def test_a_key_is_warned_of_for_thirty_days(smith: Smith, ending: Key) -> None:
    found = [state(smith, ending, days) for days in (0, 9.9, 10.1, 39.9, 40.1)]
    assert [(each.ends_soon, bool(each.problem)) for each in found] == [
        (False, False), (False, False), (True, False), (True, False), (False, True),
    ]  # fmt: skip
    assert {each.expires for each in found} == {smith.now + 40 * DAY}
    assert found[0].mend == ""
    day = expiry.day(smith.now + 40 * DAY)
    assert found[2].line() == (
        f"the key {ending.fpr} of bob expires on {day}. bob extends it, and then: clave key renew."
    )
    assert found[4].line() == (
        f"the key {ending.fpr} of bob expired on {day}. "
        f"bob extends it (gpg --quick-set-expire {ending.fpr} 1y), and an admin: clave key renew bob KEYFILE."
    )


def test_the_first_end_counts(smith: Smith) -> None:
    key = smith.key("rsa2048", ago=10 * DAY)
    subkey = smith.subkey(key, expire="20d", ago=9 * DAY)
    found = state(smith, Key(key, (subkey[-16:],)))
    assert (found.ends_soon, found.expires) == (True, smith.now + 11 * DAY)
    later = state(smith, Key(key, (subkey[-16:],)), 12)
    assert later.problem == f"has an encryption subkey that expired on {expiry.day(smith.now + 11 * DAY)}"
    assert later.mend == f"bob extends that (gpg --quick-set-expire {key} 1y '*'), and then: clave key renew."


def test_a_subkey_that_the_roster_does_not_know_is_not_encrypted_to(smith: Smith) -> None:
    key = smith.key("rsa2048", ago=10 * DAY)
    old, new = smith.subkey(key, ago=9 * DAY), smith.subkey(key, "nistp256", ago=8 * DAY)
    certificate = certificates.read(smith.public(key))
    assert certificate is not None
    for subkey in (old, new):
        current = expiry.current(Key(key, (subkey[-16:],)), certificate)
        assert current is not None
        assert current.fingerprint == subkey
    smith.revoke_subkey(key, 1, 2)
    found = state(smith, Key(key, (old[-16:],)))
    assert found.problem == "has no valid encryption subkey that the roster knows"
    assert found.mend.endswith("which an admin takes into the roster: clave key renew bob.")
    assert state(smith, Key(key, (new[-16:],), (old[-16:],))).problem == ""


def test_every_other_problem_has_a_next_step(smith: Smith) -> None:
    revoked, bare = smith.key("rsa2048", "cert,sign,encr", ago=10 * DAY), smith.key(ago=10 * DAY)
    key = Key(revoked, (revoked[-16:],))
    smith.revoke(revoked, 3)
    assert state(smith, key).problem == "is revoked"
    assert state(smith, key).mend == "An admin gives bob another: clave team key replace bob KEYFILE."
    found = state(smith, Key(bare, ("0" * 16,)))
    assert found.problem == "has no encryption subkey"
    assert "clave key renew" in found.mend
    missing = expiry.state("bob", key, b"")
    assert missing.problem == "has no certificate in the store"
    assert missing.mend == "An admin brings it back: clave key renew bob KEYFILE."


def test_all_keys_of_all_members(smith: Smith, ending: Key) -> None:
    good = Key(smith.person.fingerprint, (smith.keys_of(smith.person.fingerprint)[1][-16:],))
    members = (Member("alice", ADMIN, (good,)), Member("bob", "member", (ending,)))
    roster = Roster("0" * 32, 1, "", members, (Folder("", (Grant("alice"),)),))
    known = {key.fpr: smith.public(key.fpr) for key in (good, ending)}
    found = expiry.states(roster, known, smith.now + 20 * DAY)
    assert [(each.name, each.ends_soon, each.problem) for each in found] == [("alice", False, ""), ("bob", True, "")]
    assert [each.problem for each in expiry.states(roster, {})] == ["has no certificate in the store"] * 2


def test_a_write_warns_of_each_reader_once() -> None:
    def reader(name: str, expires: int | None) -> Recipient:
        return Recipient("id", "F" * 40, "F" * 40, "F" * 16, name, expires)

    readers = [reader("bob", 29 * DAY), reader("carol", 31 * DAY), reader("dave", None), reader("bob", 29 * DAY)]
    lines = expiry.warnings(readers, 0)
    assert len(lines) == 1
    assert lines[0].startswith("the key of bob expires on 1970-01-30")
    assert expiry.warnings([], 0) == []
