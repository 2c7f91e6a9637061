"""KeePass with the real programs: keepassxc-cli and pykeepass make files that come in, and read those that go out."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clave.exchange import mapping
from clave.exchange.format import ReadOptions, WriteOptions, find
from clave.exchange.item import Attachment, Field, Item, Past
from clave.exchange.limits import FileSource
from clave.store import otp
from tests.exchange.items import items as any_items

KDBX, XML, CSV = find("kdbx"), find("keepass-xml"), find("keepassxc-csv")
DAY = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)
SEED = "otpauth://totp/Mail:al?secret=JBSWY3DPEHPK3PXP&issuer=Mail"


def keepassxc(*arguments: str, password: str = "pw", more: str = "") -> str:
    """Run keepassxc-cli. It wants a locale for what is not ASCII."""
    done = subprocess.run(
        ["keepassxc-cli", *arguments],
        input=f"{password}\n{more}".encode(),
        capture_output=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "LC_ALL": "C.UTF-8"},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def opened(path: Path, password: str = "pw", *, key_file: Path | None = None, **options: bool):
    source = FileSource(
        str(path), ReadOptions(**options), password=lambda: password, key_file=str(key_file) if key_file else None
    )
    form = {".kdbx": KDBX, ".xml": XML, ".csv": CSV}[path.suffix]
    return form.read(source)


def saved(path: Path, items: list[Item], password: str = "pw", key: bytes | None = None) -> Path:
    path.write_bytes(KDBX.write(items, WriteOptions(password=lambda: password, key_file=key)))
    return path


# Identity

_words = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\ufffe\uffff", min_codepoint=32), max_size=9
)
_texts = _words | st.sampled_from(
    ["a\nb", "a\r\nb\r\n", "\r", " x ", "\t", "]]>", "&amp;<b>", "é\U0001f511", "=1+1", "a{b}"]
)
_given = _texts.filter(bool)
_names = _given.filter(
    lambda name: name not in ("Title", "UserName", "Password", "URL", "Notes") and "otp" not in name.lower()
)
_tags = st.text("abcé -/", min_size=1, max_size=5).map(str.strip).filter(bool)
_moments = st.none() | st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0))
_optional = st.none() | _given


def _old(folder: st.SearchStrategy[tuple[str, ...]]) -> st.SearchStrategy[Item]:
    return st.builds(
        Item,
        title=_texts,
        folder=folder,
        password=_optional,
        user=_optional,
        urls=st.lists(_given, max_size=3).map(tuple),
        notes=_optional,
        otp=st.lists(st.just(SEED) | _words.map(lambda rest: "otpauth://totp/" + rest), max_size=2, unique=True).map(
            tuple
        ),
        fields=st.lists(
            st.builds(Field, _names, _texts, st.booleans()), max_size=3, unique_by=lambda each: each.name
        ).map(tuple),
        tags=st.lists(_tags, max_size=3).map(tuple),
        attachments=st.lists(
            st.builds(Attachment, _given, st.binary(max_size=20)), max_size=3, unique_by=lambda each: each.name
        ).map(tuple),
        created=_moments,
        modified=_moments,
        expires=_moments,
    )


_many = st.lists(_given, max_size=2).flatmap(
    lambda folder: st.lists(
        st.builds(
            lambda item, past: replace(item, history=tuple(Past(each.modified, each) for each in past)),
            _old(st.just(tuple(folder))),
            st.lists(_old(st.just(tuple(folder))), max_size=2),
        ),
        max_size=3,
    )
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=_many)
def test_what_a_database_can_hold_comes_back(items, tmp_path):
    """From the plaintexts of a store to a database and back to the same plaintexts; the same through XML."""
    assert KDBX.losses(items) == XML.losses(items) == []
    back = opened(saved(tmp_path / "a.kdbx", items))
    assert list(back.items) == items
    assert (back.lost, back.skipped) == ((), ())
    (tmp_path / "a.xml").write_bytes(XML.write(items, WriteOptions()))
    assert list(opened(tmp_path / "a.xml").items) == items
    for before, after in zip(items, back.items, strict=True):
        assert mapping.entries(before, "a/b") == mapping.entries(after, "a/b")


def test_losses_are_told_before():
    item = Item(
        "a\x01",
        password="p\x00w",
        fields=(Field("Title", "x"), Field("n", "1"), Field("n", "2")),
        tags=("a,b",),
        created=DAY.replace(microsecond=5),
        origin="the item",
    )
    for form in (KDBX, XML):
        found = form.losses([item, Item("fine")])
        assert {each.origin for each in found} == {"the item"}
        told = {each.what for each in found}
        assert {"title", "password", "field 'Title'", "field 'n'", "tag", "date of creation"} <= told
    assert {each.what for each in CSV.losses([Item("t", tags=("a",), expires=DAY)])} == {"tag", "date of expiry"}


def test_a_folder_that_comes_twice_stands_together(tmp_path):
    items = [Item("x", ("a",), origin="1"), Item("y", origin="2"), Item("z", ("a",), origin="3")]
    assert [each.origin for each in KDBX.losses(items)] == ["2", "3"]
    assert [each.title for each in opened(saved(tmp_path / "a.kdbx", items)).items] == ["x", "z", "y"]


# KeePassXC reads what we write


@pytest.fixture(scope="module")
def item() -> Item:
    old = Item("Mail", ("Work", "Süd"), password="old", modified=DAY)
    return Item(
        "Mail",
        ("Work", "Süd"),
        password="p<w> é",
        user="al",
        urls=("https://one.example", "https://two.example"),
        notes="first\nsecond",
        otp=(SEED, "otpauth://hotp/Mail?secret=JBSWY3DPEHPK3PXP&counter=3"),
        fields=(Field("PIN", "1234"), Field("host", "db", protected=False)),
        tags=("blue", "red"),
        attachments=(Attachment("all bytes.bin", bytes(range(256))), Attachment("nothing", b"")),
        history=(Past(DAY, old),),
        created=DAY,
        modified=DAY,
        expires=DAY,
    )


@pytest.mark.parametrize("key", [None, b"any file at all", bytes(range(32))])
def test_keepassxc_shows_an_export(item, tmp_path, key):
    path, extra = saved(tmp_path / "a.kdbx", [Item("Plain", password="x"), item], key=key), []
    if key:
        (tmp_path / "key").write_bytes(key)
        extra = ["-k", str(tmp_path / "key")]
    assert keepassxc("ls", "-q", "-R", "-f", *extra, str(path)).split("\n")[:-1] == [
        "Plain",
        "Work/",
        "Work/Süd/",
        "Work/Süd/Mail",
    ]
    if key:
        return
    wanted = {"Title": "Mail", "UserName": "al", "Password": "p<w> é", "URL": "https://one.example"}
    wanted |= {"Notes": "first\nsecond", "PIN": "1234", "host": "db", "otp": SEED, "KP2A_URL": "https://two.example"}
    for name, value in wanted.items():
        assert keepassxc("show", "-q", "-s", "-a", name, str(path), "Work/Süd/Mail") == f"{value}\n"
    shown = keepassxc("show", "-q", "--all", "--show-attachments", str(path), "Work/Süd/Mail")
    assert "Tags: blue,red\n" in shown
    assert "PIN: PROTECTED\n" in shown
    assert "host: db\n" in shown
    assert "all bytes.bin (256.0 B)" in shown
    keepassxc("attachment-export", "-q", str(path), "Work/Süd/Mail", "all bytes.bin", str(tmp_path / "out"))
    assert (tmp_path / "out").read_bytes() == bytes(range(256))
    before = otp.code(otp.parse(SEED), datetime.now(UTC).timestamp()).text
    code = keepassxc("show", "-q", "-t", str(path), "Work/Süd/Mail").strip()
    assert code in (before, otp.code(otp.parse(SEED), datetime.now(UTC).timestamp()).text)


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(found=st.lists(any_items, min_size=4, max_size=12))
def test_keepassxc_opens_an_export_of_anything(found, tmp_path):
    """KeePassXC refuses a file with two strings or attachments of one name; what it saves again is the same."""
    path = saved(tmp_path / "a.kdbx", found)
    ours = opened(path).items
    keepassxc("mkdir", "-q", str(path), "/made by keepassxc")
    theirs = opened(path).items
    assert len(ours) == len(theirs) == len(found)
    for one, other in zip(sorted(ours, key=_sorting), sorted(theirs, key=_sorting), strict=True):
        assert _sorting(one) == _sorting(other)


def test_an_address_that_keepassxc_empties_is_none(tmp_path):
    """It drops 0x7f to 0x9f as it saves."""
    path = saved(tmp_path / "a.kdbx", [Item("a", urls=("https://example.org", "\x8f"))])
    assert opened(path).items[0].urls == ("https://example.org", "\x8f")
    keepassxc("mkdir", "-q", str(path), "/made by keepassxc")
    (after,) = opened(path).items
    assert (after.urls, after.fields) == (("https://example.org",), ())


def _sorting(item: Item) -> list[object]:
    """Return an item's parts, but for what KeePassXC changes as it saves: line ends, 0x7f to 0x9f, tags told twice."""
    texts = (item.title, item.password, item.user, item.notes, *item.folder, *item.urls, *item.otp)
    fields = sorted((_plain(each.name), _plain(each.value), each.protected) for each in item.fields)
    files = sorted((_plain(each.name), each.content) for each in item.attachments)
    return [[text for each in texts if (text := _plain(each or ""))], fields, files, len(item.history)]


def _plain(text: str) -> str:
    return re.sub("[\x7f-\x9f]", "", text.replace("\r\n", "\n").replace("\r", "\n"))


def test_an_export_survives_edits_in_keepassxc(item, tmp_path):
    """It is saved by KeePassXC, whose history grows by the version that was; nothing else is missing."""
    path = saved(tmp_path / "a.kdbx", [item])
    keepassxc("edit", "-q", "-u", "zoe", "-p", str(path), "/Work/Süd/Mail", more="new\n")
    (after,) = opened(path).items
    assert (after.user, after.password) == ("zoe", "new")
    before = replace(item, history=())
    assert replace(after.history[0].item, attachments=()) == replace(before, attachments=())
    assert replace(after.history[1].item, created=None) == item.history[0].item
    kept = {
        name: getattr(item, name) for name in ("title", "folder", "urls", "notes", "otp", "tags", "created", "expires")
    }
    assert {name: getattr(after, name) for name in kept} == kept
    assert sorted(after.fields) == sorted(item.fields)
    assert sorted(after.attachments) == sorted(item.attachments)


def test_keepassxc_imports_our_xml_and_writes_the_same_table(item, tmp_path):
    (tmp_path / "a.xml").write_bytes(XML.write([item], WriteOptions()))
    keepassxc("import", "-q", "-p", "-t", "100", str(tmp_path / "a.xml"), str(tmp_path / "b.kdbx"), more="pw\n")
    (back,) = opened(tmp_path / "b.kdbx").items
    assert replace(back, fields=(), attachments=(), history=()) == replace(item, fields=(), attachments=(), history=())
    assert sorted(back.attachments) == sorted(item.attachments)
    (tmp_path / "c.csv").write_text(keepassxc("export", "-q", "-f", "csv", str(tmp_path / "b.kdbx")))
    (row,) = opened(tmp_path / "c.csv").items
    bare = Item("Mail", item.folder, "p<w> é", "al", item.urls[:1], item.notes, item.otp[:1], created=DAY, modified=DAY)
    assert otp.parse(row.otp[0]) == otp.parse(SEED)  # KeePassXC writes period and digits too
    assert replace(row, otp=(SEED,)) == bare
    assert (tmp_path / "c.csv").read_bytes().splitlines()[0] == CSV.write([], WriteOptions()).splitlines()[0]


# What they make comes in


def test_a_database_of_keepassxc_comes_in_with_its_history(tmp_path):
    path = str(tmp_path / "a.kdbx")
    keepassxc("db-create", "-q", "-p", "-t", "100", path, more="pw\n")
    assert Path(path).read_bytes()[8:12] == b"\1\0\3\0"  # 3.1
    keepassxc("mkdir", "-q", path, "/Work")
    keepassxc(
        "add", "-q", "-p", "-u", "al", "--url", "https://e.x", "--notes", "a\\nb", path, "/Work/Mail", more="one\n"
    )
    keepassxc("edit", "-q", "-p", "-u", "bob", path, "/Work/Mail", more="two\n")
    (tmp_path / "file").write_bytes(bytes(range(256)) * 50)
    keepassxc("attachment-import", "-q", path, "/Work/Mail", "f.bin", str(tmp_path / "file"))
    keepassxc("add", "-q", path, "/Work/Gone")
    keepassxc("rm", "-q", path, "/Work/Gone")
    parsed = opened(Path(path))
    (mail,) = parsed.items
    assert (mail.title, mail.folder, mail.user, mail.password) == ("Mail", ("Work",), "bob", "two")
    assert (mail.urls, mail.notes) == (("https://e.x",), "a\nb")
    assert mail.attachments == (Attachment("f.bin", bytes(range(256)) * 50),)
    assert [(past.item.user, past.item.password, past.when) for past in mail.history] == [
        ("bob", "two", mail.history[0].item.modified),
        ("al", "one", mail.created),
    ]
    assert [each.origin for each in parsed.skipped] == ["item 'Recycle Bin/Gone'"]
    assert parsed.lost == ()
    with_deleted = opened(Path(path), include_deleted=True)
    assert [(each.title, each.folder) for each in with_deleted.items][1:] == [("Gone", ("Recycle Bin",))]
    assert with_deleted.skipped == ()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A database that pykeepass made, with a key that is cheap to derive."""
    from pykeepass import create_database

    database = create_database(str(tmp_path_factory.mktemp("made") / "a.kdbx"), password="pw")
    parameters = database.kdbx.header.value.dynamic_header.kdf_parameters.data.dict
    parameters["M"].value, parameters["I"].value = 1 << 16, 1
    group = database.add_group(database.add_group(database.root_group, "Work"), "Sub")
    entry = database.add_entry(
        group, "Mail", "al", "one", url="https://e.x", notes="n", tags=["a", "b"], expiry_time=DAY, otp=SEED
    )
    entry.set_custom_property("PIN", "1234", protect=True)
    entry.set_custom_property("host", "db")
    entry.add_attachment(database.add_binary(b"\0\1\2"), "f.bin")
    entry.save_history()
    entry.password = "two"
    database.save()
    return database


@pytest.mark.parametrize("cipher", ["aes256", "chacha20", "twofish"])
@pytest.mark.parametrize("keyed", [False, True])
def test_a_database_of_pykeepass_comes_in(made, tmp_path, cipher, keyed):
    key = tmp_path / "key"
    key.write_text(
        '<?xml version="1.0"?><KeyFile><Meta><Version>2.0</Version></Meta><Key><Data Hash="630DCD29">'
        f"{bytes(range(32)).hex()}</Data></Key></KeyFile>"
    )
    made.kdbx.header.value.dynamic_header.cipher_id.data = cipher
    made._keyfile, made._password = (str(key), None) if keyed else (None, "pw")
    made.save(tmp_path / "a.kdbx")
    parsed = opened(tmp_path / "a.kdbx", "" if keyed else "pw", key_file=key if keyed else None)
    (mail,) = parsed.items
    assert (mail.title, mail.folder, mail.user, mail.password) == ("Mail", ("Work", "Sub"), "al", "two")
    assert (mail.urls, mail.notes, mail.tags, mail.otp) == (("https://e.x",), "n", ("a", "b"), (SEED,))
    assert mail.fields == (Field("PIN", "1234"), Field("host", "db", protected=False))
    assert mail.attachments == (Attachment("f.bin", b"\0\1\2"),)
    assert mail.expires == DAY
    (past,) = mail.history
    assert (past.item.password, past.item.attachments) == ("one", mail.attachments)
    assert [(each.origin, each.what) for each in parsed.lost] == [("the database", "its name")]


def test_pykeepass_reads_what_we_write(item, tmp_path):
    from pykeepass import PyKeePass

    database = PyKeePass(str(saved(tmp_path / "a.kdbx", [item])), "pw")
    (entry,) = database.entries
    assert database.version == (4, 0)
    assert database.kdf_algorithm == "argon2id"
    assert (entry.password, entry.expiry_time, entry.is_custom_property_protected("PIN")) == ("p<w> é", DAY, True)
    assert [each.binary for each in entry.attachments] == [bytes(range(256)), b""]
    assert [each.password for each in entry.history] == ["old"]


def test_two_exports_have_fresh_seeds(item):
    """Seed and initial vector are random, while the names of what is in it are not."""
    options = WriteOptions(password=lambda: "pw")
    one, other = (KDBX.write([item], options)[12:200] for _ in range(2))
    assert one != other


# The whole way: store, database, KeePassXC, store


def test_a_store_goes_out_and_into_another_one(item, alice, clave, run_pass, tmp_path):
    """By the commands: document → store → database → another store, which holds the same, byte for byte."""
    (tmp_path / "password").write_text("pw\n")
    from_file = ("--password-file", str(tmp_path / "password"))
    key = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    items = [Item("id", ("Keys",), attachments=(Attachment("id", key),)), Item("Plain/er", password="x"), item]
    (tmp_path / "a.xml").write_bytes(XML.write(items, WriteOptions()))
    first, second = tmp_path / "first", tmp_path / "second"

    def run(store: Path, *arguments: str) -> bytes:
        done = clave(alice, store, *arguments)
        assert done.code == 0, done.err
        return done.out

    for store in (first, second):
        run(store, "init", alice.fingerprint)
    run(first, "import", str(tmp_path / "a.xml"))
    run(first, "export", "kdbx", "-o", str(tmp_path / "a.kdbx"), *from_file)
    assert keepassxc("show", "-q", "-s", "-a", "PIN", str(tmp_path / "a.kdbx"), "Work/Süd/Mail") == "1234\n"
    run(second, "import", str(tmp_path / "a.kdbx"), *from_file)
    before, after = (run(store, "export", "json", "--plaintext") for store in (first, second))
    assert before == after
    assert b"1234" in before
    assert run_pass(alice, second, "show", "Keys/id").out == key
    assert run_pass(alice, second, "show", "Work/Süd/Mail.files/all bytes.bin").out == bytes(range(256))


def test_the_command_with_a_wrong_password_and_with_a_key_file_alone(alice, clave, tmp_path):
    store, path = tmp_path / "store", saved(tmp_path / "a.kdbx", [Item("a", password="CANARY")])
    assert clave(alice, store, "init", alice.fingerprint).code == 0
    (tmp_path / "password").write_text("wrong\n")
    done = clave(alice, store, "import", "kdbx", str(path), "--password-file", str(tmp_path / "password"))
    assert (done.code, done.out) == (4, b"")
    assert done.err.count(b"\n") == 1
    (tmp_path / "password").write_text("\n")
    with_key = ("--key-file", str(tmp_path / "key"), "--password-file", str(tmp_path / "password"))
    (tmp_path / "key").write_bytes(b"some file")
    path.write_bytes(KDBX.write([Item("a", password="CANARY")], WriteOptions(key_file=b"some file")))
    assert clave(alice, store, "import", "-n", str(path), *with_key).code == 0
    done = clave(alice, store, "import", "-n", str(path), *with_key[2:])
    assert (done.code, b"holds no password" in done.err) == (2, True)
    saved(path, [Item("a")]).write_bytes(path.read_bytes()[:-40])
    (tmp_path / "password").write_text("pw\n")
    done = clave(alice, store, "import", "kdbx", str(path), "--password-file", str(tmp_path / "password"))
    assert (done.code, done.out) == (2, b"")
    assert clave(alice, store, "find", "a").code == 1
