"""What KeePass files may hold: seeds in every form, references, protected attachments; and hostile ones."""

from __future__ import annotations

import base64
import gzip
import hashlib
import resource
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clave.errors import CannotDecrypt, UsageError
from clave.exchange import limits
from clave.exchange.format import BadFile, ReadOptions, WriteOptions, find
from clave.exchange.formats import _kdbx, _keepass, _keepass_otp
from clave.exchange.item import Attachment, Field, Item
from clave.exchange.limits import FileSource
from clave.model.text import printable
from clave.store import otp

KDBX, XML, CSV = find("kdbx"), find("keepass-xml"), find("keepassxc-csv")
SAMPLE = Path(__file__).parent / "samples" / "kdbx.kdbx"  # 3.1
PASSWORD = "correct horse"


def uuid(number: int) -> bytes:
    return bytes([number]) * 16


def string(key: str, value: str, *, attributes: str = "") -> str:
    return f"<String><Key>{key}</Key><Value{attributes}>{value}</Value></String>"


def entry(number: int, *parts: str, **strings: str) -> str:
    named = "".join(string(key, value) for key, value in strings.items())
    return f"<Entry><UUID>{base64.b64encode(uuid(number)).decode()}</UUID>{named}{''.join(parts)}</Entry>"


def document(*entries: str, meta: str = "") -> bytes:
    group = f"<Group><Name>Root</Name>{''.join(entries)}</Group>"
    return f"<KeePassFile><Meta>{meta}</Meta><Root>{group}</Root></KeePassFile>".encode()


def read(xml: bytes, **options):
    return _keepass.read(_keepass.parse(xml), **options)


def read_file(path: Path, password: str = PASSWORD, **options: bool):
    return KDBX.read(FileSource(str(path), ReadOptions(**options), password=lambda: password))


# Seeds


@pytest.mark.parametrize(
    ("strings", "uri"),
    [
        ({"otp": "otpauth://totp/a?secret=AA&encoder=steam"}, "otpauth://totp/a?secret=AA&encoder=steam"),
        ({"otp": "key=JBSWY3DPEHPK3PXP"}, "otpauth://totp/T:u?secret=JBSWY3DPEHPK3PXP&issuer=T"),
        (
            {"otp": "key=JBSWY3DPEHPK3PXP&step=60&size=8&otpHashMode=Sha256"},
            "otpauth://totp/T:u?secret=JBSWY3DPEHPK3PXP&issuer=T&algorithm=SHA256&digits=8&period=60",
        ),
        (
            {"otp": "key=48656c6c6f21deadbeef&type=hotp&counter=7&encoding=hex"},
            "otpauth://hotp/T:u?secret=JBSWY3DPEHPK3PXP&issuer=T&counter=7",
        ),
        ({"TOTP Seed": "jbsw y3dp ehpk 3pxp"}, "otpauth://totp/T:u?secret=JBSWY3DPEHPK3PXP&issuer=T"),
        (
            {"TOTP Seed": "JBSWY3DPEHPK3PXP", "TOTP Settings": "60;8"},
            "otpauth://totp/T:u?secret=JBSWY3DPEHPK3PXP&issuer=T&digits=8&period=60",
        ),
        (
            {"TOTP Seed": "JBSWY3DPEHPK3PXP", "TOTP Settings": "30;S"},
            "otpauth://totp/T:u?secret=JBSWY3DPEHPK3PXP&issuer=T&digits=5&encoder=steam",
        ),
        ({"TimeOtp-Secret": "Hello!"}, "otpauth://totp/T:u?secret=JBSWY3DPEE&issuer=T"),
        ({"TimeOtp-Secret-Base64": "SGVsbG8h3q2+7w=="}, "otpauth://totp/T:u?secret=JBSWY3DPEHPK3PXP&issuer=T"),
        (
            {
                "TimeOtp-Secret-Base32": "JBSWY3DPEHPK3PXP",
                "TimeOtp-Period": "60",
                "TimeOtp-Length": "8",
                "TimeOtp-Algorithm": "HMAC-SHA-512",
            },
            "otpauth://totp/T:u?secret=JBSWY3DPEHPK3PXP&issuer=T&algorithm=SHA512&digits=8&period=60",
        ),
        (
            {"HmacOtp-Secret-Hex": "48656c6c6f21deadbeef", "HmacOtp-Counter": "5"},
            "otpauth://hotp/T:u?secret=JBSWY3DPEHPK3PXP&issuer=T&counter=5",
        ),
    ],
)
def test_each_form_of_a_seed(strings, uri):
    fields = [Field(name, value) for name, value in strings.items()]
    assert _keepass_otp.take(fields, "T", "u") == ([uri], [])
    if "steam" not in uri:
        otp.parse(uri)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("otp", "not a seed"),
        ("otp", "key=1&step=x"),
        ("TOTP Seed", "!!"),
        ("TOTP Settings", "30;6"),
        ("TimeOtp-Secret-Hex", "xyz"),
        ("TimeOtp-Period", "60"),
    ],
)
def test_what_is_no_seed_stays_a_field(name, value):
    fields = [Field(name, value), Field("other", "x")]
    assert _keepass_otp.take(fields, "T", "u") == ([], fields)


def test_the_clock_of_tray_totp_stays():
    fields = [Field("TOTP Seed", "JBSWY3DPEHPK3PXP"), Field("TOTP Settings", "30;6;http://clock")]
    assert _keepass_otp.take(fields, "T", "") == (["otpauth://totp/T?secret=JBSWY3DPEHPK3PXP"], fields[1:])


def test_several_seeds_of_an_entry():
    fields = [Field("otp_3", "otpauth://c"), Field("TOTP Seed", "JBSWY3DPEHPK3PXP"), Field("otp", "otpauth://a")]
    uris = ["otpauth://a", "otpauth://c", "otpauth://totp/T?secret=JBSWY3DPEHPK3PXP"]
    assert _keepass_otp.take(fields, "T", "") == (uris, [])


# References


def test_references_of_every_letter():
    target = entry(
        1, string("Extra", "needle"), Title="Target", UserName="u", Password="p", URL="https://u", Notes="n\nn"
    )
    identity = uuid(1).hex().upper()
    values = {"T": "Target", "U": "u", "P": "p", "A": "https://u", "N": "n\nn", "I": identity}
    where = [f"I:{identity}", f"i:{identity.lower()}", "T:Target", "T:target", "O:needle"]
    where += [f"{letter}:{value}" for letter, value in values.items()]
    wanted = {f"{letter}@{place}": value for letter, value in values.items() for place in where}
    strings = [string(f"f{number}", f"[{{REF:{key}}}]") for number, key in enumerate(wanted)]
    parsed = read(document(target, entry(2, *strings, Title="Other")))
    assert [each.value for each in parsed.items[1].fields] == [f"[{value}]" for value in wanted.values()]
    assert parsed.lost == ()


def test_a_reference_to_a_reference():
    one = entry(1, Title="One", Password="end")
    two = entry(2, Title="Two", Password="{REF:P@T:One}")
    three = entry(3, Title="Three", Password="a{REF:P@T:Two}b{ref:u@t:Two}c")
    assert [each.password for each in read(document(one, two, three)).items] == ["end", "end", "aendbc"]


def test_references_to_nothing_and_circles_stay_and_are_told():
    entries = (
        entry(1, Title="One", Password="{REF:P@T:Two}"),
        entry(2, Title="Two", Password="{REF:P@T:One}"),
        entry(3, Title="Three", Password="x{REF:P@T:None}"),
        entry(4, Title="Four", Password="{REF:P@X:None} {REF:P} {TITLE}"),
        entry(5, Title="{REF:T@I:" + uuid(5).hex() + "}"),
    )
    parsed = read(document(*entries))
    assert [each.password for each in parsed.items][:4] == [
        "{REF:P@T:Two}",
        "{REF:P@T:One}",
        "x{REF:P@T:None}",
        "{REF:P@X:None} {REF:P} {TITLE}",
    ]
    told = [(each.origin, each.what) for each in parsed.lost]
    assert [what for _, what in told] == ["what 'Password' refers to"] * 3 + ["what 'Title' refers to"]
    assert [origin for origin, _ in told][:3] == ["item 'One'", "item 'Two'", "item 'Three'"]


def test_references_that_grow_without_end_are_refused():
    chain = [entry(n, Title=f"t{n}", Notes=f"{{REF:N@T:t{n + 1}}}" * 20) for n in range(1, 20)]
    with pytest.raises(BadFile, match="too much text"):
        read(document(*chain, entry(20, Title="t20", Notes="0123456789")))


def test_a_long_chain_of_references_is_told():
    chain = [entry(n % 250, Title=f"t{n}", Notes=f"{{REF:N@T:t{n + 1}}}") for n in range(5_000)]
    parsed = read(document(*chain, entry(0, Title="t5000", Notes="end")))
    assert len(parsed.lost) > 4_000
    assert parsed.items[-2].notes == "end"


# Attachments


def test_attachments_of_kdbx_3_protected_and_compressed():
    """The protected ones take their part of the stream, in the document's order."""
    key = b"stream key"
    encrypt = _kdbx._stream(2, key)
    protected = base64.b64encode(encrypt(b"first")).decode()
    password = base64.b64encode(encrypt("pässword".encode())).decode()
    inline = base64.b64encode(encrypt(b"\xff\xfe")).decode()
    squeezed = base64.b64encode(gzip.compress(b"second")).decode()
    mark = ' Protected="True"'
    xml = document(
        entry(
            1,
            string("Title", "t"),
            string("Password", password, attributes=mark),
            "<Binary><Key>a</Key><Value Ref='7'/></Binary><Binary><Key>b</Key><Value Ref='0'/></Binary>",
            f"<Binary><Key>c</Key><Value{mark}>{inline}</Value></Binary>",
            "<Binary><Key>d</Key><Value Ref='9'/></Binary><Binary><Key>e</Key></Binary>",
        ),
        meta=f"<Binaries><Binary ID='7'{mark}>{protected}</Binary>"
        f"<Binary ID='0' Compressed='True'>{squeezed}</Binary></Binaries>",
    )
    root = _keepass.parse(xml)
    _keepass.unprotect(root, _kdbx._stream(2, key))
    parsed = _keepass.read(root)
    (item,) = parsed.items
    assert item.password == "pässword"
    assert item.attachments == (Attachment("a", b"first"), Attachment("b", b"second"), Attachment("c", b"\xff\xfe"))
    assert [each.what for each in parsed.lost] == ["the attachment 'd'", "the attachment 'e'"]


# What is not carried is told


def test_everything_without_a_place_is_told():
    icon = "<IconID>12</IconID><CustomIconUUID>" + base64.b64encode(uuid(3)).decode() + "</CustomIconUUID>"
    auto = "<AutoType><Enabled>True</Enabled><DefaultSequence>{USERNAME}</DefaultSequence></AutoType>"
    data = "<CustomData><Item><Key>plugin</Key><Value>v</Value></Item></CustomData>"
    colours = "<ForegroundColor>#FF0000</ForegroundColor><BackgroundColor/><Unheard>of</Unheard>"
    times = "<Times><CreationTime>yesterday</CreationTime><UsageCount>5</UsageCount></Times>"
    override = "<OverrideURL>cmd://x</OverrideURL><QualityCheck>False</QualityCheck>"
    xml = document(
        entry(1, icon, auto, data, colours, times, override, Title="t"),
        "<Group><Name>Empty</Name><Notes>n</Notes></Group>",
        meta=f"<DatabaseName>n</DatabaseName><CustomIcons><Icon><Data>AA==</Data></Icon></CustomIcons>{data}",
    )
    parsed = read(xml)
    assert parsed.items[0].fields == (Field("OverrideURL", "cmd://x", protected=False),)
    assert {(each.origin, each.what) for each in parsed.lost} == {
        ("the database", "its name"),
        ("the database", "its icons"),
        ("the database", "data of a plugin: 'plugin'"),
        ("folder 'Empty'", "an empty folder"),
        ("folder 'Empty'", "its notes"),
        ("item 't'", "its icon"),
        ("item 't'", "its auto-type"),
        ("item 't'", "data of a plugin: 'plugin'"),
        ("item 't'", "its colour"),
        ("item 't'", "its 'Unheard'"),
        ("item 't'", "its 'CreationTime'"),
        ("item 't'", "that its password is not to be judged"),
    }


def test_what_no_program_writes_is_not_dropped():
    nested = f"<History>{entry(1, f'<History>{entry(1)}</History>')}</History>"
    xml = document(entry(1, nested, Title="t"), "</Group><Group><Name>Second</Name>", entry(2, Title="u"))
    parsed = read(xml)
    assert [(each.title, each.folder) for each in parsed.items] == [("t", ()), ("u", ("Second",))]
    assert [each.what for each in parsed.lost] == ["older versions of an older version"]


def test_a_bin_that_is_not_used_is_a_folder():
    bin_ = base64.b64encode(uuid(9)).decode()
    group = f"<Group><UUID>{bin_}</UUID><Name>B</Name>{entry(1, Title='t')}</Group>"
    for enabled, there in (("True", 0), ("False", 1)):
        meta = f"<RecycleBinEnabled>{enabled}</RecycleBinEnabled><RecycleBinUUID>{bin_}</RecycleBinUUID>"
        assert len(read(document(group, meta=meta)).items) == there


# Hostile XML

BILLION = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    "xml",
    [
        b'<!DOCTYPE KeePassFile SYSTEM "file:///etc/passwd"><KeePassFile/>',
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><KeePassFile>&e;</KeePassFile>',
        f'<!DOCTYPE x [<!ENTITY l0 "x">{BILLION}]><KeePassFile>&l11;</KeePassFile>'.encode(),
        b"<KeePassFile>" * 200_000,
        b"<KeePassFile>" + b"<Group>" * 200_000 + b"</Group>" * 200_000 + b"</KeePassFile>",
        b"<KeePassFile>&e;</KeePassFile>",
        b"<html/>",
        b'<?xml version="1.0" encoding="klingon"?><KeePassFile/>',
        document(meta="<Binaries><Binary ID='x'/></Binaries>"),
        document(meta="<Binaries><Binary ID='0'>A</Binary></Binaries>"),
        document(meta="<Binaries><Binary ID='0' Compressed='True'>AAAA</Binary></Binaries>"),
    ],
)
def test_hostile_xml_is_refused_in_one_line(xml, tmp_path):
    (tmp_path / "a.xml").write_bytes(xml)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadFile) as refused:
        XML.read(FileSource(str(tmp_path / "a.xml")))
    assert printable(refused.value.line()) == refused.value.line()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10  # KiB


def test_too_many_elements_or_entries_are_refused(monkeypatch):
    monkeypatch.setattr(_keepass, "MAX_ENTRIES", 2)
    older = f"<History>{entry(1)}</History>"
    assert len(read(document(entry(1, older))).items) == 1
    with pytest.raises(BadFile, match="more than 2 entries"):
        read(document(entry(1, older), entry(2)))
    monkeypatch.setattr(limits, "MAX_VALUES", 5)
    with pytest.raises(BadFile, match="more than 5 elements"):
        read(document(entry(1)))


def test_attachments_that_grow_are_refused(monkeypatch):
    monkeypatch.setattr(limits, "MAX_INFLATED", 1 << 20)
    bomb = base64.b64encode(gzip.compress(bytes(2 << 20))).decode()
    with pytest.raises(BadFile, match="inflates to more than"):
        read(document(meta=f"<Binaries><Binary ID='0' Compressed='True'>{bomb}</Binary></Binaries>"))
    refer = "<Binary><Key>a</Key><Value Ref='0'/></Binary>" * 3
    with pytest.raises(BadFile, match="attachments take more"):
        read(document(entry(1, refer), entry(2, refer)), binaries=[bytes(200_000)])


# Hostile databases


@pytest.fixture(scope="module")
def database() -> bytes:
    return KDBX.write([Item("a", password="CANARY", notes="x" * 2000)], WriteOptions(password=lambda: PASSWORD))


def with_kdf(data: bytes, **parameters: int) -> bytes:
    """Return a database whose header asks for something else, with the right hash."""
    fields, end = _kdbx._header(data, wide=True)
    kdf = fields[11]
    for name, value in parameters.items():
        kind, size = (4, 4) if name in "PV" else (5, 8)
        at = kdf.index(struct.pack("<BI", kind, 1) + name.encode()) + 6 + 4
        kdf = kdf[:at] + value.to_bytes(size, "little") + kdf[at + size :]
    header = data[:end].replace(fields[11], kdf)
    return header + hashlib.sha256(header).digest() + data[end + 32 :]


@pytest.mark.parametrize(
    "parameters",
    [{"M": 100 << 30}, {"I": 1 << 40}, {"M": 1 << 30, "I": 65}, {"P": 1 << 20}, {"I": 0}, {"M": 0}, {"V": 7}, {"P": 0}],
)
def test_a_costly_header_is_refused_before_a_password_is_asked_for(database, parameters, tmp_path):
    (tmp_path / "a.kdbx").write_bytes(with_kdf(database, **parameters))
    with pytest.raises(BadFile):
        KDBX.read(FileSource(str(tmp_path / "a.kdbx")))


def test_billions_of_rounds_are_refused(tmp_path):
    data = bytearray(SAMPLE.read_bytes())
    fields, _ = _kdbx._header(bytes(data), wide=False)
    at = data.index(struct.pack("<BH", 6, 8) + fields[6]) + 3
    data[at : at + 8] = (5_000_000_000).to_bytes(8, "little")
    (tmp_path / "a.kdbx").write_bytes(data)
    with pytest.raises(BadFile, match="5000000000 rounds of AES"):
        KDBX.read(FileSource(str(tmp_path / "a.kdbx")))


def test_aes_rounds_are_those_of_pykeepass():
    from pykeepass.kdbx_parsing.common import aes_kdf

    seed, key = bytes(range(32)), bytes(range(32, 64))
    for rounds in (0, 1, 1000, 70_000):
        assert _kdbx._aes_kdf(seed, rounds)(key) == aes_kdf(seed, rounds, key)


def test_twofish_in_pieces(monkeypatch):
    from pykeepass.kdbx_parsing.twofish import Twofish

    clear, key, iv = bytes(range(256)) * 150, bytes(range(32)), bytes(range(16))
    content = Twofish.new(key, mode=Twofish.MODE_CBC, IV=iv).encrypt(clear)
    assert _kdbx._twofish(key, iv, content) == clear
    monkeypatch.setattr(_kdbx, "MAX_TWOFISH", len(content) - 1)
    with pytest.raises(BadFile, match="Twofish"):
        _kdbx._twofish(key, iv, content)


def test_a_wrong_password_cannot_decrypt(database, tmp_path):
    (tmp_path / "4.kdbx").write_bytes(database)
    for path in (SAMPLE, tmp_path / "4.kdbx"):
        with pytest.raises(CannotDecrypt):
            read_file(path, "wrong")
        (tmp_path / "key").write_bytes(b"some file")
        source = FileSource(str(path), password=lambda: PASSWORD, key_file=str(tmp_path / "key"))
        with pytest.raises(CannotDecrypt):
            KDBX.read(source)


@pytest.mark.parametrize(
    "head", [b"03d9a29a65fb4bb5", b"03d9a29a66fb4bb5", b"03d9a29a67fb4bb500000200", b"", b"00" * 100]
)
def test_what_is_no_database_of_ours(head, tmp_path):
    (tmp_path / "a.kdbx").write_bytes(bytes.fromhex(head.decode()))
    with pytest.raises(BadFile):
        read_file(tmp_path / "a.kdbx")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_gets_through(database, data, tmp_path):
    """Cut off anywhere, or one byte changed anywhere: KDBX 4 authenticates all that it uses."""
    at = data.draw(st.integers(0, len(database) - 1))
    cut, flip = data.draw(st.booleans()), data.draw(st.integers(1, 255))
    bad = database[:at] if cut else database[:at] + bytes([database[at] ^ flip]) + database[at + 1 :]
    (tmp_path / "a.kdbx").write_bytes(bad)
    with pytest.raises((BadFile, CannotDecrypt)) as refused:
        read_file(tmp_path / "a.kdbx")
    assert printable(refused.value.line()) == refused.value.line()


def test_a_database_that_inflates_is_refused(database, tmp_path, monkeypatch):
    (tmp_path / "a.kdbx").write_bytes(database)
    monkeypatch.setattr(limits, "MAX_INFLATED", 1000)
    with pytest.raises(BadFile, match="inflates"):
        read_file(tmp_path / "a.kdbx")


@pytest.mark.parametrize(
    "content", ["<KeyFile><Meta><Version>2.0</Version></Meta><Key><Data Hash='00'>00</Data></Key></KeyFile>", ""]
)
def test_a_damaged_key_file_is_told(database, content, tmp_path):
    (tmp_path / "a.kdbx").write_bytes(database)
    (tmp_path / "key").write_text(content)
    with pytest.raises(UsageError, match="key file"):
        KDBX.read(FileSource(str(tmp_path / "a.kdbx"), password=lambda: "", key_file=str(tmp_path / "key")))


def test_writing_wants_a_password_or_a_key_file():
    for options in (WriteOptions(), WriteOptions(password=lambda: "")):
        with pytest.raises(UsageError, match="wants a password"):
            KDBX.write([Item("a")], options)


def test_a_cell_is_what_it_is(tmp_path):
    """A formula in a table stays, quotes and line ends too; NUL is told as lost."""
    item = Item('=cmd|"x"', ("a", "b"), password="+1,\r\n'", user="@", notes="-\n")
    (tmp_path / "a.csv").write_bytes(CSV.write([item], WriteOptions()))
    assert CSV.read(FileSource(str(tmp_path / "a.csv"))).items == (item,)
    assert [each.what for each in CSV.losses([Item("a\0")])] == ["title"]
