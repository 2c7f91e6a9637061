"""The file of a rotation under way: what is written is read, and of another entry, or damaged, it is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave.errors import StoreDamaged
from clave.model.name import entry_folder, pending_name, pending_path
from clave.rotation import pending
from clave.rotation.pending import Pending, dump, load

NAMES = st.text(st.characters(blacklist_categories=("Cc",)), min_size=1, max_size=30)
OPTIONS = st.dictionaries(st.text(max_size=8), st.one_of(st.text(max_size=8), st.integers(), st.booleans()), max_size=3)
ROTATIONS = st.builds(
    Pending,
    id=st.from_regex(r"\A[0-9a-f]{32}\Z"),
    entry=NAMES,
    blob=st.from_regex(r"\A[0-9a-f]{40}\Z"),
    current=st.binary(max_size=8).map(pending.digest),
    driver=st.text(max_size=8),
    options=OPTIONS,
    plaintext=st.binary(max_size=60),
)
ONE = Pending("0" * 32, "prod/db", "1" * 40, pending.digest(b"old"), "manual", {}, b"new\nuser: app\n")


@given(ROTATIONS)
def test_what_is_written_is_read(each: Pending) -> None:
    assert load(each.entry, dump(each)) == each


@given(NAMES)
def test_the_path_says_the_name(name: str) -> None:
    assert pending_name(pending_path(name)) == name
    assert entry_folder(pending_path(name)) == entry_folder(f"{name}.gpg") == name.rpartition("/")[0]
    assert pending_name(f"{name}.gpg") is None or name.startswith(".clave/pending/")


@pytest.mark.parametrize("name", ["prod/db2", "db", "prod/db.conflict-12", "prod/db.conflict-1234567x", "x"])
def test_that_of_another_entry_is_refused(name: str) -> None:
    with pytest.raises(StoreDamaged, match="belongs to prod/db"):
        load(name, dump(ONE))


@pytest.mark.parametrize("name", ["prod/db.conflict-0a1b2c3", "prod/db.conflict-0a1b2c3-2"])
def test_what_a_merge_put_aside_is_read(name: str) -> None:
    assert load(name, dump(ONE)) == ONE


def _with(**fields: object) -> bytes:
    magic, head, rest = dump(ONE).split(b"\n", 2)
    document = {key: value for key, value in {**json.loads(head), **fields}.items() if value is not None}
    return b"\n".join((magic, json.dumps(document).encode(), rest))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"new\nuser: app\n",
        dump(ONE).replace(b"clave-pending 1", b"clave-pending 2"),
        b"clave-pending 1\n{}",
        b"clave-pending 1\n[]\nx",
        b"clave-pending 1\n" + b"[" * 100_000 + b"\nx",
        b"clave-pending 1\n\xff\nx",
        _with(id="x" * 32),
        _with(id=5),
        _with(blob="1" * 39),
        _with(current=None),
        _with(options=[]),
        _with(entry="a b"),
        _with(more=1),
    ],
)
def test_what_is_no_rotation_is_refused(data: bytes) -> None:
    with pytest.raises(StoreDamaged, match="is not what clave writes there"):
        load("prod/db", data)


def test_the_mark_tells_driver_and_options_apart() -> None:
    others = [ONE._replace(id="1" * 32), ONE._replace(driver="x"), ONE._replace(options={"host": "evil"})]
    assert len({each.mark for each in (ONE, *others)}) == 4
    assert ONE._replace(plaintext=b"other", blob="2" * 40).mark == ONE.mark
