"""Which formats there are, how one is found, and what a file may be at most."""

from __future__ import annotations

import os
import threading
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clave.errors import NotFound, UsageError
from clave.exchange import exporting, limits
from clave.exchange import format as formats
from clave.exchange.format import BadFile, Format, ReadOptions, WriteOptions
from clave.exchange.formats.csv import Csv
from clave.exchange.formats.dotenv import Dotenv
from clave.exchange.item import Field, Item

if TYPE_CHECKING:
    from pathlib import Path


class Mine(Format):
    """Somebody else's format."""

    name = "mine"
    title = "mine"


MINE = Mine()
BROKEN = "no format"


@pytest.fixture
def others(monkeypatch):
    """Entry points of somebody else's package."""
    points = [
        EntryPoint("mine", f"{__name__}:MINE", formats.GROUP),
        EntryPoint("broken", "no_such_module_of_anybody:FORMAT", formats.GROUP),
        EntryPoint("wrong", f"{__name__}:BROKEN", formats.GROUP),
        EntryPoint("json", f"{__name__}:MINE", formats.GROUP),
    ]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)
    formats._others.cache_clear()
    yield
    formats._others.cache_clear()


def test_formats_of_other_packages(others):
    assert formats.find("mine") is MINE
    assert formats.find("json") is not MINE
    assert "broken" not in formats.all_formats()
    for name in ("broken", "wrong"):
        with pytest.raises(UsageError, match=f"'{name}'"):
            formats.find(name)
    with pytest.raises(UsageError) as refused:
        formats.find("jsno")
    assert refused.value.hint == "Did you mean json?"


def test_a_file_of_no_format_says_what_to_do(tmp_path):
    for name, hint in {"x.csv": "--map", "x.txt": "--formats"}.items():
        (tmp_path / name).write_text("a,b\n1,2\n")
        with pytest.raises(BadFile) as refused:
            formats.detect(limits.FileSource(str(tmp_path / name)))
        assert hint in refused.value.line()


def test_what_is_no_file(tmp_path):
    with pytest.raises(NotFound):
        limits.FileSource(str(tmp_path / "none")).read()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_bytes(b"x" * 5000))
    writer.start()
    source = limits.FileSource(str(fifo))
    assert (source.head(10), len(source.read())) == (b"x" * 10, 5000)
    writer.join()
    with pytest.raises(BadFile, match="larger"):
        limits.FileSource("/dev/zero").read(1 << 20)


def test_a_folder_within_limits(tmp_path: Path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.gpg").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("/etc/passwd")
    assert list(limits.FolderSource(str(tmp_path)).files()) == [("a/x.gpg", b"12345"), ("link", "/etc/passwd")]
    monkeypatch.setattr(limits, "MAX_INFLATED", 4)
    with pytest.raises(BadFile, match="too large"):
        list(limits.FolderSource(str(tmp_path)).files())
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(limits, "MAX_INFLATED", 100)
    with pytest.raises(BadFile, match="ordinary"):
        list(limits.FolderSource(str(tmp_path)).files())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=6),
                         min_size=2, max_size=2), max_size=5))  # fmt: skip
def test_a_table_is_read_as_it_was_written(rows):
    read = limits.table(limits.write_table(["a", "b"], rows))
    assert [list(row.cells.values()) for row in read.rows] == rows


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"a,a\n1,2\n", "twice"),
        (b"a,b\n1,2,3\n", "row 2 has 3 cells"),
        (b'a,b\n"1,2\n', "no CSV"),
        (b"a\n\xff\n", "line 2 is not UTF-8"),
        (b"a\nx\0y\n", "line 2 holds a NUL"),
        (b"", "empty"),
    ],
)
def test_a_table_that_is_none(data, problem):
    with pytest.raises(BadFile, match=problem):
        limits.table(data)


@pytest.mark.parametrize("data", [b"\xef\xbb\xbfa\r\n1\r\n", "\ufeffa\n1\n".encode("utf-16-le"), b"a\n\n1\n", b"a\r1"])
def test_marks_and_line_ends(data):
    assert [row.cells for row in limits.table(data).rows] == [{"a": "1"}]


@pytest.mark.parametrize(
    ("data", "problem"),
    [(b'{"a":1,"a":2}', "twice"), (b"[NaN]", "NaN"), (b"[1" + b"0" * 5000 + b"]", "digits"), (b'["\\ud800"]', "half")],
)
def test_json_that_is_none(data, problem):
    with pytest.raises(BadFile, match=problem):
        limits.load_json(data)


def _csv(tmp_path: Path, text: str, *mapping: tuple[str, str]):
    (tmp_path / "t.csv").write_text(text)
    return Csv().read(limits.FileSource(str(tmp_path / "t.csv"), ReadOptions(mapping=mapping)))


def test_columns_by_name_and_by_map(tmp_path):
    (item,) = _csv(tmp_path, "Name,Pwd,X\na,b,c\n").items
    assert (item.title, item.password, item.fields) == ("a", "b", (Field("X", "c"),))
    mapped = _csv(tmp_path, "N,P,X\na,b,c\n", ("title", "N"), ("password", "P"), ("skip", "X"))
    assert (mapped.items[0].title, mapped.items[0].fields, len(mapped.skipped)) == ("a", (), 1)
    for mapping in (("title", "none"), ("colour", "N")):
        with pytest.raises(UsageError):
            _csv(tmp_path, "N,P\na,b\n", mapping)
    with pytest.raises(BadFile, match="no column"):
        _csv(tmp_path, "N,P\na,b\n")


def test_a_formula_stays_as_it_is():
    written = Csv().write([Item("a", password="=HYPERLINK(1)")], WriteOptions())
    assert b'"=HYPERLINK(1)"' in written


def test_variables_one_entry_each(tmp_path):
    (tmp_path / ".env").write_text("A='1'\nB='x y'\n")
    source = limits.FileSource(str(tmp_path / ".env"), ReadOptions(split=True))
    assert Dotenv().read(source).items == (Item("A", password="1"), Item("B", password="x y"))
    told = Dotenv().losses([Item("A", user="u", password="${X}"), Item("no name", password="x")])
    assert [each.what for each in told] == ["user", "A", "no name"]


@pytest.mark.parametrize("nameless", [True, False])
@pytest.mark.parametrize("links", [True, False])
def test_an_export_makes_a_new_file(nameless, links, tmp_path, monkeypatch):
    def without_links(*_args, **_options):
        raise PermissionError(1, "no links here")

    if not nameless:
        monkeypatch.delattr(os, "O_TMPFILE")
        if not links:
            monkeypatch.setattr(os, "link", without_links)
    path = tmp_path / "x"
    exporting.write_file(str(path), b"secret")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"secret", 0o600)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("x", "link"):
        with pytest.raises(UsageError, match="already"):
            exporting.write_file(str(tmp_path / name), b"other")
    assert (path.read_bytes(), sorted(os.listdir(tmp_path))) == (b"secret", ["link", "x"])
