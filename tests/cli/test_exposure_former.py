"""Leavers whose keys nobody has: what an old `.gpg-id` says of them, and who was there before a team was one."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import one_line
from tests.conftest import fingerprints

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Person, Run


@pytest.fixture(scope="module")
def past(
    people: Callable[..., list[Person]], clave: Run, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Person, Person, Path]:
    """A plain store that bob and carol have left: alice deleted bob's key, and has carol's without her first subkey."""
    alice, bob, carol = people("alice", "bob", "carol")
    store = tmp_path_factory.mktemp("past") / "store"
    assert clave(alice, store, "init", alice.fingerprint, bob.fingerprint).code == 0
    assert clave(alice, store, "insert", "-m", "bobs", input=b"secret\n").code == 0
    assert clave(alice, store, "init", "-p", "sub", alice.fingerprint, carol.fingerprint).code == 0
    assert clave(alice, store, "insert", "-m", "sub/carols", input=b"secret\n").code == 0
    carol.gpg("--passphrase", "", "--quick-add-key", carol.fingerprint, "cv25519", "encr", "never")
    alice.gpg("--yes", "--delete-keys", bob.fingerprint, carol.fingerprint)
    alice.gpg("--import", input=_without_first_subkey(carol))
    alice.gpg("--yes", "--quick-lsign-key", carol.fingerprint)
    assert clave(alice, store, "insert", "-m", "sub/second", input=b"secret\n").code == 0
    assert clave(alice, store, "init", "-p", "sub", alice.fingerprint).code == 0
    assert clave(alice, store, "init", alice.fingerprint).code == 0
    assert clave(alice, store, "insert", "-m", "later", input=b"secret\n").code == 0
    return alice, bob, store


def _without_first_subkey(person: Person) -> bytes:
    first = fingerprints(person)[1]
    return person.gpg("--export-filter", f"drop-subkey=fpr = {first}", "--export", person.fingerprint)


def _known(clave: Run, alice: Person, store: Path, *who: str) -> set[str]:
    done = clave(alice, store, "exposure", *who, "--json")
    return {each["name"] for each in json.loads(done.out)["values"]}


def test_somebody_whose_key_is_gone_is_found_by_an_old_gpg_id(past: tuple[Person, Person, Path], clave: Run) -> None:
    alice, bob, store = past
    assert _known(clave, alice, store, bob.fingerprint) == {"bobs"}
    assert _known(clave, alice, store, f"0x{bob.fingerprint[-16:]}") == {"bobs"}
    done = clave(alice, store, "exposure", bob.fingerprint)
    assert done.code == 1
    assert b"by old .gpg-id files" in done.err
    assert _known(clave, alice, store, "--former") == {"bobs", "sub/carols", "sub/second"}
    # The key alone, in the keyring, says whose name a fingerprint has.
    alice.gpg("--import", input=_without_first_subkey(bob))
    assert _known(clave, alice, store, "bob@example.org") == {"bobs"}


def test_a_subkey_that_is_in_no_certificate_any_more_is_found_too(
    past: tuple[Person, Person, Path], clave: Run
) -> None:
    alice, _, store = past
    assert _known(clave, alice, store, "carol@example.org") == {"sub/carols", "sub/second"}


def test_nobody_is_not_said_to_know_nothing(past: tuple[Person, Person, Path], clave: Run) -> None:
    alice, _, store = past
    for who in ("0123456789ABCDEF", "F" * 40, "nobody@example.org"):
        assert "nobody is known" in one_line(clave(alice, store, "exposure", who), 3)


def test_who_left_before_the_store_was_a_team_s(
    people: Callable[..., list[Person]], clave: Run, tmp_path: Path
) -> None:
    alice, dave = people("alice", "dave")
    store = tmp_path / "store"
    subprocess.run(["git", "config", "--global", "init.defaultBranch", "main"], check=True, env=alice.env())
    for args in (
        ("init", alice.fingerprint, dave.fingerprint),
        ("insert", "-m", "old"),
        ("init", alice.fingerprint),
        ("insert", "-m", "later"),
        ("team", "init", "--sure"),
    ):
        done = clave(alice, store, *args, input=b"secret\n")
        assert done.code == 0, done
    for who in ("--former", "dave@example.org", dave.fingerprint):
        assert _known(clave, alice, store, who) == {"old"}, who
    alice.gpg("--yes", "--delete-keys", dave.fingerprint)
    for who in ("--former", dave.fingerprint):
        assert _known(clave, alice, store, who) == {"old"}, who
