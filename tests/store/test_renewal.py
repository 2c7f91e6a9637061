"""What a re-encryption keeps: whatever becomes of the file, only what was made of this very work comes out of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from clave.openpgp.keys import Recipient
from clave.store.renewal import Due, Kept

KEY_IDS = ("1111111111111111", "2222222222222222")


def recipient(key_id: str) -> Recipient:
    return Recipient("id", f"{key_id:0>40}", f"{key_id:0>40}", key_id, "somebody", None)


def message(text: bytes, *key_ids: str) -> bytes:
    """Return packets of the right form for these keys; nobody could open them."""
    named = b"".join(b"\x84\x0d\x03" + bytes.fromhex(key_id) + b"\x12\0\0\0" for key_id in key_ids)
    return named + b"\xd2" + bytes([len(text) + 1]) + b"\x01" + text


def work(number: int) -> Due:
    return Due(f"entry-{number}", message(b"old %d" % number, KEY_IDS[0]), [recipient(each) for each in KEY_IDS])


def made(number: int) -> bytes:
    return message(b"new %d" % number, *KEY_IDS)


def keep(path: Path, *numbers: int) -> None:
    kept = Kept(str(path))
    kept.fitting([work(number) for number in numbers])
    for number in numbers:
        kept.add(work(number).mark, made(number))
    kept.close()


def fitting(path: Path, wanted: list[Due]) -> dict[str, bytes]:
    kept = Kept(str(path))
    found = kept.fitting(wanted)
    kept.close()
    return found


def test_what_was_kept_is_found_in_a_later_run_and_added_to(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    keep(path, 0, 1)
    kept = Kept(str(path))
    assert kept.fitting([work(1), work(2)]) == {"entry-1": made(1)}
    kept.add(work(2).mark, made(2))
    kept.close()
    assert fitting(path, [work(number) for number in range(4)]) == {f"entry-{n}": made(n) for n in range(3)}


def test_another_file_name_or_reader_is_other_work(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    others = (
        work(0)._replace(name="entry-1"),
        work(0)._replace(ciphertext=work(1).ciphertext),
        work(0)._replace(recipients=[recipient(KEY_IDS[0])]),
        work(0)._replace(recipients=[recipient(KEY_IDS[0]), recipient("3" * 16)]),
    )
    for other in others:
        keep(path, 0)
        assert fitting(path, [other]) == {}
        assert not path.exists()  # nothing in it is of use


def test_what_is_for_others_is_not_taken_whatever_its_mark(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    for planted in (message(b"x", *KEY_IDS, "3" * 16), message(b"x", KEY_IDS[0]), b"text", b""):
        keep(path, 1)
        kept = Kept(str(path))
        kept.fitting([work(1)])
        kept.add(work(0).mark, planted)
        kept.close()
        assert fitting(path, [work(0), work(1)]) == {"entry-1": made(1)}


def test_a_symlink_in_its_place_is_not_followed(tmp_path: Path) -> None:
    target, path = tmp_path / "target", tmp_path / "kept"
    keep(target, 0)
    content = target.read_bytes()
    path.symlink_to(target)
    keep(path, 0, 1)
    assert fitting(path, [work(0)]) == {}
    assert target.read_bytes() == content


@given(st.data())
def test_a_file_that_is_cut_off_or_changed(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "kept")
        keep(path, *range(4))
        content = bytearray(path.read_bytes())
        at = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            del content[at:]
        else:
            content[at] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
        found = fitting(path, [work(number) for number in range(4)])
        assert found.items() < {f"entry-{number}": made(number) for number in range(4)}.items()
        # What is added now is found again, beside what was whole.
        keep(path, *range(4))
        assert fitting(path, [work(number) for number in range(4)]).keys() == {f"entry-{n}" for n in range(4)}


@given(st.binary(max_size=300))
def test_any_file(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "kept")
        path.write_bytes(b"clave-rekey 1\n" + content)
        assert fitting(path, [work(0)]) == {}
