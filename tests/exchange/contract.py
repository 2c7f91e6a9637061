"""What every format must keep: a format of somebody else's runs these too.

    from clave.exchange.format import find
    from tests.exchange import contract

    def test_mine(tmp_path): contract.check(find("mine"), Path("sample.mine"), tmp_path, password="…")

In a sample each value that has to be found in the store holds a word that begins with `leaf-`, another one for each.
"""

from __future__ import annotations

import io
import json
import re
import tracemalloc
import zipfile
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from clave.errors import CannotDecrypt, UsageError
from clave.exchange import mapping
from clave.exchange.format import Format, ReadOptions, WriteOptions, all_formats
from clave.exchange.item import Item, Lost, Parsed
from clave.exchange.limits import FileSource, FolderSource
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_LEAF = re.compile(r"leaf-[a-z0-9]+")
_MOST = 64 << 20  # bytes of memory that a file of a gigabyte may take


class PlainFolder(FolderSource):
    """A folder whose messages are not encrypted."""

    def decrypt(self, messages):
        return iter(messages)


def source(path: Path, password: str | None = None, **options: object) -> FileSource | FolderSource:
    if path.is_dir():
        return PlainFolder(str(path), ReadOptions(**options))
    return FileSource(str(path), ReadOptions(**options), password=None if password is None else lambda: password)


def check(form: Format, sample: Path, tmp_path: Path, *, password: str | None = None, **options: object) -> None:
    """Check all of it."""
    assert re.fullmatch(r"[a-z0-9-]+", form.name)
    check_recognised(form, sample)
    check_sample(form, sample, password, **options)
    if form.writes:
        parsed = form.read(source(sample, password, **options))
        check_written(form, parsed.items, tmp_path, password)
    if not form.folder:
        check_hostile(form, sample, tmp_path, password)


def check_recognised(form: Format, sample: Path) -> None:
    """A file of the format is taken for that and for no other; csv is the only one that is never recognised."""
    opened = source(sample)
    others = [each for each in all_formats().values() if each.folder == form.folder]
    found = [each.name for each in others if each.recognise(opened.head(), sample.name)]
    assert found == ([] if form.name == "csv" else [form.name])


def check_sample(form: Format, sample: Path, password: str | None, **options: object) -> None:
    """Nothing of a file is missing in the store, and it is the same each time."""
    parsed = form.read(source(sample, password, **options))
    assert parsed.items
    assert all(item.origin for item in parsed.items)
    assert form.read(source(sample, password, **options)) == parsed
    leaves = set(_LEAF.findall(_content(sample)))
    stored = "\n".join(_stored(parsed.items))
    assert {leaf for leaf in leaves if leaf not in stored} == set()
    told_of = "".join(f"{each}" for each in (*parsed.lost, *parsed.skipped))
    assert not _LEAF.search(told_of.replace("leaf-name", ""))
    for item in parsed.items:
        name = mapping.default_name(item)
        (back,) = mapping.items(mapping.entries(item, name)) if item.plain is None else [item]
        assert back == mapping.normal(item)


def check_written(form: Format, items: Sequence[Item], tmp_path: Path, password: str | None = None) -> None:
    """What is not the same after the way out and in has been told before."""
    losses = form.losses(items)
    assert all(isinstance(each, Lost) for each in losses)
    back = round_trip(form, items, tmp_path, password).items
    if form.name == "dotenv":  # its values have no more than a name
        assert (_values(items) - _values(back)).total() <= len(losses)
        return
    # The order may be another one: some keep their items by folder.
    by_origin = {each.origin for each in losses}
    unharmed = Counter(mapping.normal(item) for item in items if item.origin not in by_origin)
    assert unharmed - Counter(map(mapping.normal, back)) == Counter()
    assert by_origin or len(back) == len(items)


def _values(items: Sequence[Item]) -> Counter[str]:
    return Counter(value for item in items for value in (item.password, *(each.value for each in item.fields)) if value)


def round_trip(form: Format, items: Sequence[Item], tmp_path: Path, password: str | None = None) -> Parsed:
    """Return what is read of what is written; the same is written each time, but for salts."""
    options = WriteOptions(password=None if password is None else lambda: password)
    if form.folder:
        folder = tmp_path / "written"
        for name, plaintext in form.files(items, options):
            path = folder / f"{name}.gpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(plaintext)
        return form.read(source(folder))
    written = form.write(items, options)
    assert not form.plaintext or form.write(items, options) == written
    path = tmp_path / "written"
    path.write_bytes(written)
    return form.read(source(path, password))


def check_hostile(form: Format, sample: Path, tmp_path: Path, password: str | None = None) -> None:
    """Whatever a file holds, it is read, or refused in one line that has no value in it."""
    good = sample.read_bytes()
    path = tmp_path / "hostile"
    for data in _hostile(good):
        path.write_bytes(data)
        require_refused_or_read(form, source(path, password or "x"))
    with path.open("wb") as file:
        file.truncate(1 << 30)
    tracemalloc.start()
    try:
        require_refused_or_read(form, source(path, password or "x"), refused=True)
        assert tracemalloc.get_traced_memory()[1] < _MOST
    finally:
        tracemalloc.stop()


def require_refused_or_read(form: Format, opened: FileSource | FolderSource, *, refused: bool = False) -> None:
    try:
        parsed = form.read(opened)
    except (UsageError, CannotDecrypt) as failure:
        line = failure.line()
        assert printable(line) == line
        assert not _LEAF.search(line.replace("leaf-name", ""))
        return
    assert not refused
    assert isinstance(parsed, Parsed)


def _hostile(good: bytes) -> Iterator[bytes]:
    yield from (b"", b"\0", b"\xff" * 50, b"\xef\xbb\xbf", b"\xff\xfe", b"\n", b"null", b"[]", b"{}", b"PK\x03\x04")
    yield from (good[: len(good) // 3], good[: len(good) // 2], good[:-1], good[1:])
    yield good.replace(b"\n", b"\r\n")
    yield b"\xef\xbb\xbf" + good
    yield good[:40] + b"\0" + good[40:]
    yield good[: len(good) // 2] + b"\x80" + good[len(good) // 2 :]
    yield b'{"a":' * 200_000
    yield b"[" * 200_000
    yield good.splitlines()[0] + b'\n"' + b"x" * (10 << 20) + b'"\n' if good else b""
    yield b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><KeePassFile>&c;</KeePassFile>'
    yield b"<KeePassFile>" + b"<Group>" * 200_000
    yield from _archives()


@cache
def _archives() -> list[bytes]:
    """Zip archives with paths that lead out, a link, and far more inside than they are large."""
    link = zipfile.ZipInfo("export.data")
    link.external_attr = 0o120777 << 16
    outside = [_zip({name: b"{}"}) for name in ("../leaf", "/leaf", "export.data", "files/../../x")]
    return [
        *outside,
        _zip({link: b"/etc/passwd"}),
        _zip({"export.attributes": b"{}", "export.data": b" " * (20 << 20)}),
    ]


def _zip(members: dict[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _content(sample: Path) -> str:
    """Return the text of a sample, unpacked."""
    if sample.is_dir():
        return "\n".join(each.read_bytes().decode(errors="replace") for each in sample.rglob("*") if each.is_file())
    data = sample.read_bytes()
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "\n".join(archive.read(name).decode(errors="replace") for name in archive.namelist())
    return data.decode(errors="replace")


def _stored(items: Sequence[Item]) -> Iterator[str]:
    for item in items:
        for name, plaintext in mapping.entries(item, mapping.default_name(item)).items():
            yield name
            yield plaintext.decode(errors="replace")
            if name.endswith(".history"):
                yield from (json.dumps(json.loads(line), ensure_ascii=False) for line in plaintext.splitlines())
