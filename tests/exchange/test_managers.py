"""The files of other managers: nothing is missing, the way back is exact or told, hostile ones end well."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clave.errors import ClaveError, UsageError
from clave.exchange import limits
from clave.exchange.format import BadFile, ReadOptions, WriteOptions, all_formats, detect
from clave.exchange.formats import bitwarden_encrypted
from clave.exchange.formats._parts import at
from clave.exchange.item import Attachment, Field, Item, Lost, Parsed, Past
from tests.exchange.items import items as nasty

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = Path(__file__).parent / "samples"
PASSWORD = "an export's password"
MINE = (
    *("1password-csv", "1pux", "bitwarden-csv", "bitwarden-encrypted", "bitwarden-json", "bitwarden-zip", "chrome"),
    *("dashlane", "firefox", "keepass1-csv", "lastpass", "nordpass", "protonpass", "roboform", "safari"),
)
WRITTEN = [name for name in MINE if name != "protonpass"]
PLAIN = [name for name in WRITTEN if name != "bitwarden-encrypted"]  # whose key derivation would take the time


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file for each sample."""
    folder = tmp_path_factory.mktemp("samples")
    for sample in SAMPLES.iterdir():
        if sample.is_file():
            (folder / sample.name).write_bytes(sample.read_bytes())
    (folder / "1pux.1pux").write_bytes(archive())
    (folder / "bitwarden-zip.zip").write_bytes(archive("bitwarden-zip"))
    return folder


def archive(sample: str = "1pux", data: bytes | None = None) -> bytes:
    """Return a sample that is a folder as the archive that it stands for; `data` in place of 1PUX's document."""
    out = io.BytesIO()
    root = SAMPLES / sample
    with zipfile.ZipFile(out, "w") as file:
        for path in sorted((each for each in root.rglob("*") if each.is_file()), key=lambda each: len(each.parts)):
            replaced = data if path.name == "export.data" else None
            file.writestr(str(path.relative_to(root)), path.read_bytes() if replaced is None else replaced)
    return out.getvalue()


class Memory(limits.FileSource):
    """Bytes in the place of a file."""

    def __init__(self, data: bytes, name: str = "file", options: ReadOptions | None = None) -> None:
        super().__init__(name, options, password=lambda: PASSWORD)
        self._data, self._ended = data, True


def read(name: str, data: bytes, *, deleted: bool = True) -> Parsed:
    return all_formats()[name].read(Memory(data, options=ReadOptions(include_deleted=deleted)))


def texts(value: Any) -> Iterator[str]:
    """Yield every text, attachment and moment in an item."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode(errors="replace")
    elif isinstance(value, datetime):
        yield value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        yield str(int(value.timestamp()))
        yield str(int(value.timestamp() * 1000))
    elif is_dataclass(value):
        for each in fields(value):
            yield from texts(getattr(value, each.name))
    elif isinstance(value, tuple):
        for each in value:
            yield from texts(each)


def leaves(value: Any) -> Iterator[str]:
    """Yield what is not empty in a document."""
    if isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    elif value not in (None, "", False, 0):
        yield value if isinstance(value, str) else json.dumps(value)


def bare(item: Item) -> Item:
    """Return an item without where it comes from."""
    history = tuple(Past(when, replace(old, origin="")) for when, old in item.history)
    return replace(
        item,
        origin="",
        history=history,
        password=item.password or None,
        user=item.user or None,
        notes=item.notes or None,
    )


def said(lost: tuple[Lost, ...]) -> str:
    return "\n".join(" ".join(each) for each in lost)


# What is in no item, and why that is right; everything else that a sample holds must be found.
ELSEWHERE = {
    "1password-csv.csv": {"false", "work;git"},  # flags that are off; tags are two
    "bitwarden-csv.csv": {
        *("0", "login", "note", "Work/Servers", "pin: 1234\nrecovery: one\ntwo\nempty: ", "a.example,b.example"),
        "https://forge.example/?a=1,2,https://www.forge.example",
    },
    "bitwarden-csv-old.csv": {"login"},
    "bitwarden-csv-organisation.csv": {"0", "login", "Ops/Servers,Everybody", "pin: 1234"},
    "lastpass.csv": {"0", "http://sn", "JBSW Y3DP EHPK 3PXP", "Work\\Servers"},
    "lastpass-old.csv": {"0", "http://sn", "Work\\Servers"},
    "roboform.csv": {"/Work/Servers"},
    "bitwarden-json.json": {  # ids; numbers of kinds, matches and fields; the name of a folder that is two
        *(f"10000000-0000-4000-8000-00000000000{number}" for number in range(1, 8)),
        *("f0000000-0000-4000-8000-000000000001", "f0000000-0000-4000-8000-000000000002"),
        *("Work/Servers", "true", "1", "2", "3", "4", "5", "6", "100", "Nothing in it", "the user"),
    },
    "bitwarden-json-organisation.json": {
        *(f"c0000000-0000-4000-8000-00000000000{number}" for number in (1, 2)),
        *("20000000-0000-4000-8000-000000000001", "o1", "Ops/Servers", "1", "jbsw y3dp ehpk 3pxp"),
    },
    "protonpass.json": {
        *("1.21.2", "user-id", "share-id-1", "share-id-2", "true", "login", "hidden", "totp", "text", "note", "1", "2"),
        *(f"item-{number}" for number in range(1, 6)),
        *(f"u{number}" for number in range(1, 6)),
        *("at home", "Club"),  # which is `Club.number`
    },
}


@pytest.mark.parametrize(
    "sample", sorted(each.name for each in SAMPLES.iterdir() if each.is_file() and each.name.startswith(MINE))
)
def test_each_leaf_of_a_sample_is_found(folder: Path, sample: str) -> None:
    source = limits.FileSource(str(folder / sample), ReadOptions(include_deleted=True))
    form = detect(source)
    assert sample.startswith(form.name)
    data = (folder / sample).read_bytes().decode()
    if form.name == "keepass1-csv":
        data = data.replace(r"\"", '""').replace("\\\\", "\\")
    rows = csv.DictReader(io.StringIO(data, newline=""))
    there = (
        set(leaves(json.loads(data))) if sample.endswith(".json") else {cell for row in rows for cell in leaves(row)}
    )
    parsed = form.read(source)
    found = set(texts(parsed.items))
    parts = {line for text in found if text.startswith('{"') for line in leaves(json.loads(text))}  # of passkeys
    missing = {
        leaf for leaf in there if leaf not in found | parts and not any(f"secret={leaf}" in text for text in found)
    }
    skipped = said(parsed.skipped)
    if sample in ("firefox.csv", "nordpass-new.csv"):  # a row each that is no item
        assert skipped.count("the whole item") == 1
        gone = {"chrome://FirefoxAccounts", "0123abcd", '{"version":1}', "Firefox Accounts credentials", "folder"}
        missing -= {*gone, "{5a1c3f0e-0000-4000-8000-000000000003}"}
    assert missing == {leaf for leaf in ELSEWHERE.get(sample, ()) if leaf not in found}
    assert all(leaf in said(parsed.lost) + skipped for leaf in missing & {"Nothing in it", "the user"})


def test_each_leaf_of_an_archive_is_found(folder: Path) -> None:
    path = folder / "1pux.1pux"
    parsed = all_formats()["1pux"].read(limits.FileSource(str(path), ReadOptions(include_deleted=True)))
    found = set(texts(parsed.items))
    document = json.loads((SAMPLES / "1pux/export.data").read_text())
    items = [each for vault in document["accounts"][0]["vaults"] for each in vault["items"]]
    missing = {leaf for leaf in leaves(items) if leaf not in found}
    assert missing == {
        *(f"i{number}" for number in (1, 3, 4, 5, 6)),  # i2 is what a field refers to
        *("u", "p", "r", "m", "k", *(f"f{number}" for number in range(1, 16)), "TOTP_1", "TOTP_2", "default"),  # ids
        *("s1", "s2", "s3", "add more", "Empty", "Security", "true", "website", "80", "77.3"),
        *("username", "password", "T", "C", "E", "P", "001", "003", "005", "006", "114", "active", "doc1", "att1"),
        *("13", "20", "PIN", "valid until", "contact"),
    } - {"password"} | {leaf for leaf in missing if leaf in ("1767268800", "203011")} | (missing & NAMES)
    assert {attachment.name: attachment.content for item in parsed.items for attachment in item.attachments} == {
        "contract.pdf": b"PDF bytes \x00\xff\n",
        "notes.txt": b"attached to a login\n",
    }
    assert said(parsed.lost) == "vault 'Team' its description a folder has none"


NAMES = {
    *("PIN", "valid until", "card until", "contact", "call", "plan", "page", "where", "card", "brand", "who", "see"),
    *("text", "no section", "one-time password", "mail", "remember", "private key"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_sample_goes_out_and_comes_in_again_as_it_was(folder: Path, name: str) -> None:
    form = all_formats()[name]
    own = "bitwarden-json" if name == "bitwarden-encrypted" else name
    (path,) = (each for each in folder.iterdir() if each.stem == own)
    source = limits.FileSource(str(path), ReadOptions(include_deleted=True))
    parsed = detect(source).read(source)
    assert form.losses(parsed.items) == []
    data = form.write(parsed.items, WriteOptions(password=lambda: PASSWORD))
    assert detect(Memory(data)).name == name
    again = read(name, data)
    assert list(map(bare, again.items)) == list(map(bare, parsed.items))
    assert not again.lost


_easy = st.text("abc é,;:/\\\"'=+\n\t%", max_size=8)
_word = _easy.map(str.strip)
_moments = st.none() | st.integers(1, 4 * 10**12).map(lambda number: at(number, 1000))
_names = _word | st.sampled_from(
    (
        *("favorite", "fav", "type", "item type", "card.number", "identity.city", "sshKey.privateKey", "passkey"),
        *("url 1 match", "url 1 label", "seed 1 name", "category", "collection", "httpRealm", "note", "totp"),
        *("reprompt", "favIndex", "state", "username2", "cardnumber", "deletedDate", "archivedDate"),
    )
)
_values = _easy | st.sampled_from(
    ["true", "false", "1", "0", "exact", "note", "card", "{}", '{"a": 1}', "archived", "login"]
)
_easier = st.builds(
    Item,
    title=_word,
    folder=st.lists(_word, max_size=2).map(tuple),
    password=_easy,
    user=_easy,
    urls=st.lists(st.sampled_from(["https://a.example/?a=1,2", "b.example", "http://sn", "x"]), max_size=2).map(tuple),
    notes=_easy,
    otp=st.lists(st.just("otpauth://totp/a?secret=JBSWY3DPEHPK3PXP"), max_size=1).map(tuple),
    fields=st.lists(st.builds(Field, _names, _values, st.booleans()), max_size=4).map(tuple),
    tags=st.lists(_word, max_size=2).map(tuple),
    created=_moments,
    modified=_moments,
)


@pytest.mark.parametrize("name", PLAIN)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(items=st.lists(nasty | _easier, max_size=3))
def test_what_is_not_carried_is_told(name: str, items: list[Item]) -> None:
    form = all_formats()[name]
    told = form.losses(items)
    again = read(name, form.write(items, WriteOptions()))
    gone = [each for each in told if each.what == "the whole item"]
    assert len(again.items) == len(items) - len(gone)
    assert not again.lost
    if not told and name != "1pux":  # where items lie by their vaults
        assert list(map(bare, again.items)) == list(map(bare, items))
    for item in items:
        if not form.losses([item]):
            assert bare(item) in map(bare, again.items)
    assert all(each.what and each.why for each in told)


def test_each_format_tells_what_it_has_no_place_for() -> None:
    item = Item(
        "Forge",
        ("Work", "a/b"),
        "pw",
        "ada",
        ("https://a.example", "https://b.example"),
        "notes",
        fields=(Field("pin", "1"), Field("two", "a\nb: c")),
        tags=("t",),
        attachments=(Attachment("a.txt", b"x"),),
        history=(Past(None, Item("Forge", password="old")),),
        expires=datetime(2030, 1, 1, tzinfo=UTC),
    )
    told = {name: {each.what for each in all_formats()[name].losses([item])} for name in PLAIN}
    common = {"file 'a.txt'", "older version", "date of expiry"}
    assert told["chrome"] == common | {"folder", "address", "field 'pin'", "field 'two'", "tag"}
    assert told["firefox"] == told["chrome"] | {"title", "notes"}
    assert told["bitwarden-csv"] == common | {"folder", "tag", "field 'two'"}
    assert told["bitwarden-json"] == {"file 'a.txt'", "older version", "date of expiry", "folder", "tag"}
    assert told["1pux"] == {"date of expiry", "folder", "older version"}  # of which title and folder are others


# Encrypted


def sealed(document: bytes, *, kind: int = 0, **changed: Any) -> bytes:
    """Encrypt as Bitwarden does, with other libraries than ours."""
    import base64
    import hashlib
    import hmac as mac

    from argon2.low_level import Type, hash_secret_raw
    from Cryptodome.Cipher import AES
    from Cryptodome.Hash import SHA256
    from Cryptodome.Protocol.KDF import HKDF, PBKDF2
    from Cryptodome.Util.Padding import pad

    salt = base64.b64encode(b"0123456789abcdef").decode()
    shape: dict[str, Any] = {"encrypted": True, "passwordProtected": True, "salt": salt, "kdfType": kind}
    if kind == 0:
        shape |= {"kdfIterations": 1000, "kdfMemory": None, "kdfParallelism": None}
        key = PBKDF2(PASSWORD, salt.encode(), 32, 1000, hmac_hash_module=SHA256)
    else:
        shape |= {"kdfIterations": 1, "kdfMemory": 16, "kdfParallelism": 2}
        key = hash_secret_raw(PASSWORD.encode(), hashlib.sha256(salt.encode()).digest(), 1, 16 * 1024, 2, 32, Type.ID)

    def expand(info: bytes) -> bytes:
        return mac.new(key, info + b"\1", "sha256").digest()

    def text(plain: bytes) -> str:
        iv = b"i" * 16
        ciphertext = AES.new(expand(b"enc"), AES.MODE_CBC, iv).encrypt(pad(plain, 16))
        code = mac.new(expand(b"mac"), iv + ciphertext, "sha256").digest()
        return "2." + "|".join(base64.b64encode(each).decode() for each in (iv, ciphertext, code))

    assert HKDF  # its extract step is what Bitwarden leaves out, so that it cannot be used here
    shape |= {"encKeyValidation_DO_NOT_EDIT": text(b"anything"), "data": text(document)}
    return json.dumps(shape | changed).encode()


@pytest.mark.parametrize("kind", [0, 1], ids=["pbkdf2", "argon2id"])
def test_an_encrypted_export_is_read(kind: int) -> None:
    document = (SAMPLES / "bitwarden-json.json").read_bytes()
    assert read("bitwarden-encrypted", sealed(document, kind=kind)) == read("bitwarden-json", document)


def test_a_wrong_password_cannot_decrypt() -> None:
    source = Memory(sealed(b"{}"))
    source._password = "another"
    with pytest.raises(ClaveError, match="the password is wrong") as raised:
        all_formats()["bitwarden-encrypted"].read(source)
    assert raised.value.exit_code == 4


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        (0, {"kdfIterations": 2_000_001}),
        (0, {"kdfIterations": 0}),
        (0, {"kdfIterations": 1.5}),
        (0, {"kdfIterations": "1000"}),
        (1, {"kdfMemory": 1025}),
        (1, {"kdfMemory": None}),
        (1, {"kdfIterations": 11}),
        (1, {"kdfParallelism": 10**9}),
        (0, {"kdfType": 2}),
        (0, {"data": "2.AAAA|AAAA"}),
        (0, {"data": "0.AAAA|AAAA|AAAA"}),
        (0, {"data": None}),
        (0, {"salt": []}),
    ],
)
def test_hostile_numbers_are_refused(kind: int, changed: dict[str, Any]) -> None:
    with pytest.raises(BadFile):
        read("bitwarden-encrypted", sealed(b"{}", kind=kind, **changed))


def test_a_changed_byte_cannot_decrypt() -> None:
    shape = json.loads(sealed(b'{"encrypted": false, "items": []}'))
    head, middle, code = shape["data"].split("|")
    shape["data"] = "|".join((head, ("B" if middle[0] == "A" else "A") + middle[1:], code))
    with pytest.raises(ClaveError, match="the file was changed") as raised:
        read("bitwarden-encrypted", json.dumps(shape).encode())
    assert raised.value.exit_code == 4


@pytest.mark.parametrize(
    "shape",
    [
        {"encrypted": True, "encKeyValidation_DO_NOT_EDIT": "2.a|b|c", "folders": [], "items": [{"name": "2.a|b|c"}]},
        {"encrypted": True, "passwordProtected": False, "items": []},
    ],
)
def test_an_export_for_one_account_says_what_to_do(shape: dict[str, Any]) -> None:
    data = json.dumps(shape).encode()
    with pytest.raises(BadFile, match="only Bitwarden can read it") as raised:
        detect(Memory(data)).read(Memory(data))
    assert "Password protected" in raised.value.line()


def test_an_encrypted_export_wants_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bitwarden_encrypted, "ITERATIONS", 1000)
    form = all_formats()["bitwarden-encrypted"]
    with pytest.raises(UsageError, match="wants a password"):
        form.write([], WriteOptions())
    item = Item("Forge", password="a canary")
    data = form.write([item], WriteOptions(password=lambda: PASSWORD))
    assert b"canary" not in data
    assert b"Forge" not in data
    assert list(map(bare, read("bitwarden-encrypted", data).items)) == [item]


# Hostile


TABLES = [name for name in MINE if (SAMPLES / f"{name}.csv").exists()]


@pytest.mark.parametrize("name", TABLES)
def test_tables_with_marks_line_ends_and_utf_16(name: str) -> None:
    data = (SAMPLES / f"{name}.csv").read_bytes()
    expected = read(name, data).items
    with_mark = b"\xef\xbb\xbf" + data
    assert detect(Memory(with_mark)).name == name
    assert read(name, with_mark).items == expected
    utf16 = data.decode().encode("utf-16")
    assert detect(Memory(utf16)).name == name
    assert read(name, utf16).items == expected
    crlf = data.replace(b"\n", b"\r\n")
    assert detect(Memory(crlf)).name == name
    assert [item.password for item in read(name, crlf).items] == [item.password for item in expected]


@pytest.mark.parametrize("name", TABLES)
def test_hostile_tables_are_refused(name: str) -> None:
    data = (SAMPLES / f"{name}.csv").read_bytes()
    header = data.partition(b"\n")[0]
    first = header.split(b",")[0]
    for bad in (
        b"",
        data + b"\0",
        data + b'"' + b"x" * (10 << 20),
        header + b"," + first + b"\n",
        header + b"," + first.swapcase() + b"\n",
        header + b"\n" + b"x," * 100 + b"\n",
        data + b'"not ended',
        b"\xff" + data,
        b"title,secret\na,b\n",
    ):
        with pytest.raises(BadFile):
            read(name, bad)


@pytest.mark.parametrize(
    "damage",
    [
        b"[]",
        b"null",
        b'{"items": 1}',
        b'{"items": [1]}',
        b'{"items": [{"name": {}}]}',
        b'{"items": [{"login": []}]}',
        b'{"items": [{"login": {"uris": [[]]}}]}',
        b'{"items": [{"fields": [{"name": ["x"]}]}]}',
        b'{"items": [{"type": "one"}]}',
        b'{"items": [{"collectionIds": [{}]}]}',
        b'{"folders": {}}',
        b'{"encrypted": "no"}',
        b'{"items": [' + b"[" * 200_000 + b"]" * 200_000 + b"]}",
    ],
)
def test_hostile_documents_are_refused(damage: bytes) -> None:
    with pytest.raises(BadFile):
        read("bitwarden-json", damage)


@pytest.mark.parametrize(
    "damage",
    [
        b"[]",
        b'{"accounts": 1}',
        b'{"accounts": [{"vaults": [{"items": [7]}]}]}',
        b'{"accounts": [{"vaults": [{"items": [{"details": {"sections": [{"fields": [1]}]}}]}]}]}',
        b'{"accounts": [{"vaults": [{"items": [{"createdAt": "x"}]}]}]}',
        b'{"accounts": [{"vaults": [{"items": [{"overview": {"tags": [{}]}}]}]}]}',
    ],
)
def test_hostile_archives_are_refused(damage: bytes) -> None:
    with pytest.raises(BadFile):
        read("1pux", archive(data=damage))


def test_an_archive_without_a_document_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("export.attributes", b"{}")
    for data in (out.getvalue(), out.getvalue()[:-10], b"PK\x03\x04"):
        with pytest.raises(BadFile):
            read("1pux", data)


def test_a_file_of_an_archive_that_is_missing_or_nobodys_is_told() -> None:
    out = io.BytesIO()
    document = json.loads((SAMPLES / "1pux/export.data").read_text())
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("export.data", json.dumps(document))
        file.writestr("files/xyz__nobody.txt", b"x")
    lost = said(read("1pux", out.getvalue()).lost)
    assert "item 'Contract' file 'contract.pdf' it is not in the archive" in lost
    assert "the archive file 'files/xyz__nobody.txt' no item refers to it" in lost


def test_a_file_beside_an_item_as_older_archives_have_it() -> None:
    out = io.BytesIO()
    item = {
        "item": {"overview": {"title": "Old"}},
        "file": {"attrs": {"uuid": "u", "name": "a.txt"}, "path": "files/a.txt"},
    }
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("export.data", json.dumps({"accounts": [{"vaults": [{"attrs": {}, "items": [item]}]}]}))
        file.writestr("files/a.txt", b"old")
    parsed = read("1pux", out.getvalue())
    assert parsed.items[0].attachments == (Attachment("a.txt", b"old"),)
    assert not parsed.lost


_members = (
    *(
        "name",
        "login",
        "uris",
        "uri",
        "fields",
        "value",
        "type",
        "card",
        "number",
        "totp",
        "accounts",
        "vaults",
        "items",
    ),
    *("details", "sections", "id"),
)
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("ab1-é\n", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_members), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=40, deadline=None)
@given(value=_json)
def test_any_document_ends_in_items_or_one_line(value: Any) -> None:
    nested = {"accounts": [{"vaults": [{"items": [value]}]}]}
    for name, shape in (
        ("bitwarden-json", {"items": [value]}),
        ("bitwarden-json", value),
        ("protonpass", {"vaults": {"v": {"items": [{"data": value}]}}}),
        ("protonpass", {"vaults": {"v": {"items": [{"data": {"content": value}}]}}}),
    ):
        data = json.dumps(shape).encode()
        try:
            parsed = read(name, data)
        except BadFile:
            continue
        found = set(texts(parsed.items))
        wanted = {leaf for leaf in leaves(shape) if leaf not in ("true", "1", "2", "3", "4", "5")}
        assert all(isinstance(each, str) for each in found)
        assert parsed.items or parsed.skipped or not wanted
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("export.data", json.dumps(nested))
    with suppress(BadFile):
        read("1pux", out.getvalue())


@pytest.mark.parametrize("name", ["chrome", "bitwarden-csv", "1password-csv"])
def test_formulas_are_written_as_they_are(name: str) -> None:
    item = Item("=1+1", password='=HYPERLINK("x")', user="@SUM(A1)", notes="-1+1")
    data = all_formats()[name].write([item], WriteOptions())
    assert bare(read(name, data).items[0]) == bare(item)
    assert b'"=HYPERLINK(""x"")"' in data


def test_a_zip_of_bitwarden_with_attachments() -> None:
    root = SAMPLES / "bitwarden-zip"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for path in sorted(root.rglob("*"), reverse=True):
            if path.is_file():
                file.write(path, str(path.relative_to(root)))
        file.writestr("attachments/nobody/x.txt", b"x")
        file.writestr("other.txt", b"x")
    assert detect(Memory(out.getvalue())).name == "bitwarden-zip"
    parsed = read("bitwarden-zip", out.getvalue())
    assert [item.attachments for item in parsed.items] == [(Attachment("recovery codes.txt", b"leaf-content\n"),)]
    assert [each.what for each in parsed.lost] == ["file 'x.txt'", "file 'other.txt'"]


def test_a_file_whose_name_no_archive_can_hold_is_told() -> None:
    names = ("../x", "a/b", "a\\b", "", "..", "C:", "é", "twice", "twice")
    item = Item("t", attachments=tuple(Attachment(name, name.encode()) for name in names))
    form = all_formats()["bitwarden-zip"]
    back = read("bitwarden-zip", form.write([item], WriteOptions())).items[0]
    assert [each.name for each in back.attachments] == ["C:", "é", "twice"]
    assert sorted(each.what for each in form.losses([item])) == sorted(
        f"file '{name}'" for name in ("../x", "a/b", "a\\b", "", "..", "twice")
    )


@pytest.mark.parametrize("depth", [30, 300, 800, 850, 900, 930, 950, 970, 985])
def test_what_is_nested_just_not_too_deeply(depth: int) -> None:
    nest = "[" * depth + '"leaf"' + "]" * depth
    documents = {
        "bitwarden-json": [
            f'{{"items": [{{"x": {nest}}}]}}',
            f'{{"items": [{{"login": {{"fido2Credentials": {nest}}}}}]}}',
        ],
        "protonpass": [f'{{"vaults": {{"v": {{"items": [{{"x": {nest}}}]}}}}}}'],
        "1pux": [f'{{"accounts": [{{"vaults": [{{"items": [{{"x": {nest}}}]}}]}}]}}'],
    }
    for name, texts_ in documents.items():
        for text in texts_:
            data = archive(data=text.encode()) if name == "1pux" else text.encode()
            try:
                items = read(name, data).items
            except BadFile:
                assert depth > 300
            else:
                assert any("leaf" in found for found in texts(items))


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 400, "0.5", "-1", "9" * 18])
def test_numbers_beyond_all_calendars(number: str) -> None:
    details = '{"sections": [{"fields": [{"value": {"date": N, "monthYear": N}}]}], "passwordHistory": [{"time": N}]}'
    documents = {
        "bitwarden-json": '{"items": [{"type": N, "reprompt": N}]}',
        "bitwarden-encrypted": '{"passwordProtected": true, "kdfType": 0, "kdfIterations": N}',
        "protonpass": '{"vaults": {"v": {"items": [{"createTime": N, "state": N}]}}}',
        "1pux": '{"accounts": [{"vaults": [{"items": [{"createdAt": N, "details": D}]}]}]}'.replace("D", details),
    }
    documents = {name: text.replace("N", number) for name, text in documents.items()}
    for name, text in documents.items():
        with suppress(BadFile):
            assert read(name, archive(data=text.encode()) if name == "1pux" else text.encode()).items


def test_digits_that_are_none() -> None:
    item = Item("t", urls=("https://a.example",), fields=(Field("favIndex", "²"), Field("favIndex", "9" * 5000)))
    assert all_formats()["1pux"].losses([item]) == []
    uris = [{"uri": "https://a.example", "match": match} for match in ("²", "9" * 5000)]
    found = read("bitwarden-json", json.dumps({"items": [{"name": "t", "login": {"uris": uris}}]}).encode())
    assert [each.value for each in found.items[0].fields] == ["²", "9" * 5000]
