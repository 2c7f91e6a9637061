"""KeePass 2 XML, which is also what lies in a KDBX file, read into items and written from items.

Reading:

1. The XML is taken apart by expat: no DTD (so no entities of the file's own), at most 250 elements deep,
   `limits.MAX_VALUES` elements and 250,000 entries, older versions among them.
2. A group is a folder; the root group is none. The recycle bin is left out unless it is asked for.
3. Title, UserName, Password, URL and Notes are the item's own; `KP2A_URL…` (KeePassXC's further addresses) are
   addresses; one-time codes in any of their forms (`_keepass_otp`) are seeds; every other string is a field.
4. `{REF:…}` is replaced by what it refers to, the first entry in the file's order that fits exactly, or but for upper
   and lower case. One that fits nothing, or leads in a circle, stays as it is and is told.
5. All else that is not empty (icons, colours, auto-type, data of plugins, notes of groups …) is told as lost, but for
   what a program counts for itself: UUIDs, when an entry was last looked at and how often, which groups are unfolded.

Writing: the same in reverse. Names are unique in an entry, so further ones get a number; what KeePass cannot hold
(characters that XML has not, parts of a second, a comma in a tag) is found by reading what was written.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from clave.exchange import limits
from clave.exchange.format import BadFile
from clave.exchange.formats import _keepass_otp
from clave.exchange.formats._kdbx import gunzip
from clave.exchange.item import Attachment, Field, Item, Lost, Parsed, Past

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from xml.etree.ElementTree import Element

MAX_DEPTH = 250  # elements in each other
MAX_ENTRIES = 250_000  # with older versions
MAX_RESOLVED = 16 << 20  # characters that references may be replaced by, all together
MAX_CHAIN = 30  # references that lead to each other

_OWN = {"T": "Title", "U": "UserName", "P": "Password", "A": "URL", "N": "Notes"}
_REFERENCE = re.compile(r"\{REF:([TUPANI])@([TUPANIO]):([^}]*)\}", re.IGNORECASE)
_FURTHER_URL = re.compile(r"KP2A_URL(?:_(\d{1,6}))?")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_YEAR_1 = datetime(1, 1, 1, tzinfo=UTC)
_KNOWN = frozenset(("UUID", "Times", "Tags", "String", "Binary", "History", "AutoType", "CustomData"))
# What other programs need for themselves, whose loss nobody can notice.
_BOOKKEEPING = frozenset(
    ("UUID", "Times", "IsExpanded", "LastTopVisibleEntry", "EnableAutoType", "EnableSearching", "PreviousParentGroup")
)
_NOTHING = frozenset(("", "0", "true", "null"))
_NO_UUID = base64.b64encode(bytes(16)).decode()


# XML


def parse(xml: bytes) -> Element:
    """Return the root of a document. Raises BadFile."""
    from xml.etree.ElementTree import TreeBuilder
    from xml.parsers import expat

    builder = TreeBuilder()
    depth = count = entries = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count, entries
        depth, count, entries = depth + 1, count + 1, entries + (tag == "Entry")
        if depth > MAX_DEPTH:
            raise BadFile(f"the XML is nested deeper than {MAX_DEPTH} elements", "Export it again.")
        if count > limits.MAX_VALUES:
            raise BadFile(f"the XML holds more than {limits.MAX_VALUES} elements", "Export it in parts.")
        if entries > MAX_ENTRIES:
            raise BadFile(f"the XML holds more than {MAX_ENTRIES} entries", "Export it in parts.")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def doctype(*_: object) -> None:
        raise BadFile("the XML has a DTD, which no manager writes", "It is not to be trusted.")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(xml, True)  # noqa: FBT003 - it takes no keyword
    except expat.ExpatError as error:
        why = expat.ErrorString(error.code)
        raise BadFile(f"line {error.lineno} is no XML: {why}", "Export the file again.") from None
    except (ValueError, LookupError):
        raise BadFile("the XML is in an encoding that is not read", "Export it as UTF-8.") from None
    root = builder.close()
    if root.tag != "KeePassFile":
        raise BadFile("the XML is not KeePass's", "Export it from KeePass 2 or KeePassXC as XML.")
    return root


def unprotect(root: Element, decrypt: Callable[[bytes], bytes]) -> None:
    """Decrypt the protected values, one stream in the document's order. Raises BadFile."""
    files = {value for each in root.iter("Binary") for value in (each, *each)}
    for each in root.iter():
        if each.text and _true(each.get("Protected")):
            clear = decrypt(_base64(each.text))
            try:
                each.text = base64.b64encode(clear).decode() if each in files else clear.decode()
            except UnicodeDecodeError:
                raise BadFile("a protected value of the database is no text", "Take it from a backup.") from None


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise BadFile("the database holds base64 that is none", "Take it from a backup.") from None


def _true(text: str | None) -> bool:
    return (text or "").lower() == "true"


def _text(element: Element | None, path: str) -> str:
    found = None if element is None else element.findtext(path)
    return found or ""


def moment(text: str) -> datetime | None:
    """Return a time: ISO 8601, or base64 of the seconds since year 1; None for what is neither."""
    text = text.strip()
    try:
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        (seconds,) = struct.unpack("<q", base64.b64decode(text, validate=True))
        return _YEAR_1 + timedelta(seconds=seconds)
    except (binascii.Error, ValueError, struct.error, OverflowError):
        return None


# Reading


def read(root: Element, binaries: Sequence[bytes] = (), *, include_deleted: bool = False) -> Parsed:
    """Return what a document holds; `binaries` are the attachments that lie outside of it (KDBX 4)."""
    return _Reader(root, binaries, include_deleted=include_deleted).parsed()


class _Entry(NamedTuple):
    """An entry, where it lies, what it is called for the user, and whether it lies in the recycle bin."""

    element: Element
    folder: tuple[str, ...]
    origin: str
    deleted: bool


class _Reader:
    def __init__(self, root: Element, binaries: Sequence[bytes], *, include_deleted: bool) -> None:
        self._include_deleted = include_deleted
        self._meta = root.find("Meta")
        self._root = root.find("Root")
        self._top = root.find("Root/Group")
        found = _text(self._meta, "RecycleBinUUID").strip()
        is_used = found != _NO_UUID and _text(self._meta, "RecycleBinEnabled").lower() != "false"
        self._bin = found if is_used else ""
        self._budget = limits.MAX_INFLATED  # bytes of attachments: of the file's, and then of all items together
        self._binaries = dict(enumerate(binaries)) if binaries else self._pool()
        self._lost: list[Lost] = []
        self._entries: list[_Entry] = []
        self._walk()
        self._references = _References(each.element for each in self._entries)
        self._budget = limits.MAX_INFLATED

    def parsed(self) -> Parsed:
        self._database()
        items: list[Item] = []
        skipped: list[Lost] = []
        for entry in self._entries:
            if entry.deleted and not self._include_deleted:
                skipped.append(Lost(entry.origin, "the item", "it is in the recycle bin"))
            else:
                items.append(self._item(entry.element, entry))
        return Parsed(tuple(items), tuple(self._lost), tuple(skipped))

    def _walk(self) -> None:
        """Collect the entries, in the document's order. A second root group, which no program writes, is a folder."""
        groups = [] if self._root is None else self._root.findall("Group")
        stack: list[tuple[Element, tuple[str, ...], bool]] = [(each, (), False) for each in reversed(groups)]
        while stack:
            element, folder, deleted = stack.pop()
            if element.tag == "Entry":
                path = "/".join((*folder, _string(element, "Title")))
                self._entries.append(_Entry(element, folder, f"item '{path}'", deleted))
                continue
            if element is not self._top:
                folder = (*folder, _text(element, "Name"))
            deleted = deleted or bool(self._bin and _text(element, "UUID").strip() == self._bin)
            children = [each for each in element if each.tag in ("Group", "Entry")]
            if element is not self._top and (not deleted or self._include_deleted):
                self._group(element, f"folder '{'/'.join(folder)}'", empty=not children)
            stack += [(each, folder, deleted) for each in reversed(children)]

    def _pool(self) -> dict[int, bytes]:
        """Return the attachments that lie in the document, by number."""
        found: dict[int, bytes] = {}
        for each in [] if self._meta is None else self._meta.iterfind("Binaries/Binary"):
            number = each.get("ID", "")
            if not number.isdecimal() or len(number) > 9:
                raise BadFile("an attachment of the file has no number", "Export the file again.")
            found[int(number)] = self._content(each)
        return found

    def _content(self, element: Element) -> bytes:
        content = _base64(element.text or "")
        if _true(element.get("Compressed")) and content:
            content = gunzip(content, self._budget)
        self._spend(len(content))
        return content

    def _spend(self, size: int) -> None:
        self._budget -= size
        if self._budget < 0:
            raise BadFile(
                f"the attachments take more than {limits.MAX_INFLATED >> 20} MiB", "Take the largest ones out first."
            )

    # What is not carried

    def _database(self) -> None:
        """Tell what is the database's own: its name, description, icons …"""
        told = (
            ("DatabaseName", "its name"),
            ("DatabaseDescription", "its description"),
            ("DefaultUserName", "its default user name"),
            ("Color", "its colour"),
        )
        for path, what in told:
            if _text(self._meta, path).strip():
                self._lose("the database", what)
        if self._meta is not None and self._meta.find("CustomIcons/Icon") is not None:
            self._lose("the database", "its icons")
        self._custom_data(self._meta, "the database")
        if self._top is not None:
            self._group(self._top, "the root folder")

    def _group(self, group: Element, origin: str, *, empty: bool = False) -> None:
        if empty:
            self._lose(origin, "an empty folder", "a store has no folders without entries")
        for each in group:
            text = (each.text or "").strip()
            if each.tag in ("Group", "Entry", "Name", "CustomData") or each.tag in _BOOKKEEPING:
                continue
            usual = each.tag == "IconID" and text in ("48", "49", "43", "0")
            if len(each) or (text and not usual and text != _NO_UUID):
                self._lose(origin, _what(each.tag))
        if _true(_text(group, "Times/Expires")):
            self._lose(origin, "its expiry")
        self._custom_data(group, origin)

    def _custom_data(self, element: Element | None, origin: str) -> None:
        for each in [] if element is None else element.iterfind("CustomData/Item"):
            key = _text(each, "Key")
            if _text(each, "Value") and not key.startswith(("_LAST_MODIFIED", "KPXC_DECRYPTION_TIME")):
                self._lose(origin, f"data of a plugin: '{key}'")

    def _lose(self, origin: str, what: str, why: str = "clave has no place for it") -> None:
        self._lost.append(Lost(origin, what, why))

    def _lose_rest(self, element: Element, origin: str) -> None:
        for each in element:
            if each.tag not in _KNOWN and each.tag not in _BOOKKEEPING and each.tag != "OverrideURL":
                text = (each.text or "").strip()
                if len(each) or (text.lower() not in _NOTHING and text != _NO_UUID):
                    self._lose(origin, _what(each.tag))
        auto = element.find("AutoType")
        if auto is not None and (
            _text(auto, "Enabled").lower() == "false"
            or any(each.text for each in (*auto.iterfind("DefaultSequence"), *auto.iterfind("Association/*")))
        ):
            self._lose(origin, "its auto-type")
        self._custom_data(element, origin)

    # An entry

    def _item(self, element: Element, entry: _Entry, *, past: bool = False) -> Item:
        origin = entry.origin
        strings = [self._resolved(each, origin) for each in _strings(element)]
        own, urls, others = _sorted(strings)
        title, user = own.get("Title", ""), own.get("UserName", "")
        otp, others = _keepass_otp.take(others, title, user)
        override = _text(element, "OverrideURL")
        if override:
            others.append(Field("OverrideURL", override, protected=False))
        times = element.find("Times")
        if past and element.find("History/Entry") is not None:
            self._lose(origin, "older versions of an older version")
        self._lose_rest(element, f"an older version of {origin}" if past else origin)
        return Item(
            title=title,
            folder=entry.folder,
            password=own.get("Password") or None,
            user=user or None,
            urls=tuple(urls),
            notes=own.get("Notes") or None,
            otp=tuple(otp),
            fields=tuple(others),
            tags=_tags(_text(element, "Tags")),
            attachments=tuple(self._attachments(element, origin)),
            history=() if past else tuple(self._history(element, entry)),
            created=self._moment(times, "CreationTime", origin),
            modified=self._moment(times, "LastModificationTime", origin),
            expires=self._moment(times, "ExpiryTime", origin) if _true(_text(times, "Expires")) else None,
            origin=origin,
        )

    def _history(self, element: Element, entry: _Entry) -> Iterator[Past]:
        for each in reversed(element.findall("History/Entry")):
            item = self._item(each, entry, past=True)
            yield Past(item.modified, item)

    def _moment(self, times: Element | None, name: str, origin: str) -> datetime | None:
        text = _text(times, name)
        found = moment(text) if text.strip() else None
        if text.strip() and found is None:
            self._lose(origin, _what(name), "it is no date")
        return found

    def _attachments(self, element: Element, origin: str) -> Iterator[Attachment]:
        for each in element.iterfind("Binary"):
            name, value = _text(each, "Key"), each.find("Value")
            reference = None if value is None else value.get("Ref")
            if value is None:
                self._lose(origin, f"the attachment '{name}'", "it has no content")
            elif reference is None:
                yield Attachment(name, self._content(value))
            elif reference.isdecimal() and len(reference) < 10 and int(reference) in self._binaries:
                content = self._binaries[int(reference)]
                self._spend(len(content))
                yield Attachment(name, content)
            else:
                self._lose(origin, f"the attachment '{name}'", "the file does not hold its content")

    def _resolved(self, field: Field, origin: str) -> Field:
        value, missing = self._references.resolve(field.value)
        if missing:
            why = "it refers to nothing in the file, or to itself: it stays as it is"
            self._lose(origin, f"what '{field.name}' refers to", why)
        return field._replace(value=value)


def _what(tag: str) -> str:
    """Return the words for an element that is not carried."""
    words = {
        "IconID": "its icon",
        "CustomIconUUID": "its icon",
        "ForegroundColor": "its colour",
        "BackgroundColor": "its background colour",
        "Notes": "its notes",
        "QualityCheck": "that its password is not to be judged",
        "DefaultAutoTypeSequence": "its auto-type",
    }
    return words.get(tag, f"its '{tag}'")


def _strings(element: Element) -> Iterator[Field]:
    for each in element.iterfind("String"):
        value = each.find("Value")
        if value is not None:
            protected = _true(value.get("Protected")) or _true(value.get("ProtectInMemory"))
            yield Field(_text(each, "Key"), value.text or "", protected)


def _string(element: Element, name: str) -> str:
    return next((each.value for each in _strings(element) if each.name == name), "")


def _sorted(strings: Iterable[Field]) -> tuple[dict[str, str], list[str], list[Field]]:
    """Return an entry's own strings by name, its addresses, and the others."""
    own: dict[str, str] = {}
    further: list[tuple[int, str]] = []
    others: list[Field] = []
    for each in strings:
        url = _FURTHER_URL.fullmatch(each.name)
        if each.name in _OWN.values() and each.name not in own:
            own[each.name] = each.value
        elif url and not each.protected:
            if each.value:  # an address that is empty is none
                further.append((int(url[1] or 0), each.value))
        else:
            others.append(each)
    urls = [own.get("URL", ""), *(value for _, value in sorted(further, key=lambda each: each[0]))]
    return own, [each for each in urls if each], others


def _tags(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in re.split("[;,]", text) if each.strip())


class _References:
    """The entries that `{REF:…}` can mean, and what the references mean."""

    def __init__(self, entries: Iterable[Element]) -> None:
        self._entries = list(entries)
        self._index: dict[tuple[str, str], Element] = {}
        self._folded: dict[tuple[str, str], Element] = {}
        self._known: dict[tuple[Element, str], str | None] = {}
        self._under_way: set[tuple[Element, str]] = set()
        self._budget = MAX_RESOLVED

    def resolve(self, text: str) -> tuple[str, bool]:
        """Return a text with its references replaced, and whether one of them could not be."""
        if "{" not in text:
            return text, False
        missing = False

        def replaced(match: re.Match[str]) -> str:
            nonlocal missing
            found = self._target(match[1].upper(), match[2].upper(), match[3])
            if found is None:
                missing = True
                return match[0]
            self._budget -= len(found)
            if self._budget < 0:
                raise BadFile("the references in the file make too much text", "It is not to be trusted.")
            return found

        return _REFERENCE.sub(replaced, text), missing

    def _target(self, wanted: str, where: str, value: str) -> str | None:
        if not self._index:
            self._build()
        key = value.replace("-", "").upper() if where == "I" else value
        element = self._index.get((where, key))
        if element is None:
            element = self._folded.get((where, key.casefold()))
        if element is None:
            return None
        if wanted == "I":
            return _uuid(element)
        name = _OWN[wanted]
        if (element, name) in self._under_way or len(self._under_way) >= MAX_CHAIN:
            return None
        if (element, name) not in self._known:
            self._under_way.add((element, name))
            found, missing = self.resolve(_string(element, name))
            self._under_way.discard((element, name))
            self._known[element, name] = None if missing else found
        return self._known[element, name]

    def _build(self) -> None:
        letters = {name: letter for letter, name in _OWN.items()}
        for each in self._entries:
            self._index.setdefault(("I", _uuid(each)), each)
            for field in _strings(each):
                self._index.setdefault((letters.get(field.name, "O"), field.value), each)
        for (where, value), each in self._index.items():
            self._folded.setdefault((where, value.casefold()), each)


def _uuid(element: Element) -> str:
    try:
        return base64.b64decode(_text(element, "UUID")).hex().upper()
    except (binascii.Error, ValueError):
        return ""


# Writing


class Written(NamedTuple):
    """A document, and the attachments that it refers to, if they were to be outside of it."""

    xml: bytes
    binaries: tuple[bytes, ...]


def write(items: Sequence[Item], *, inner: bool) -> Written:
    """Return items as a document: `inner` is the one in a KDBX 4 file, with times and attachments in its ways."""
    return _Writer(inner=inner).written(items)


class _Folder:
    """A group: its items and groups in the order in which the first of each came, a group by its name."""

    def __init__(self) -> None:
        self.children: list[Item | str] = []
        self.folders: dict[str, _Folder] = {}

    def below(self, name: str) -> _Folder:
        if name not in self.folders:
            self.folders[name] = _Folder()
            self.children.append(name)
        return self.folders[name]


def _tree(items: Iterable[Item]) -> _Folder:
    root = _Folder()
    for item in items:
        folder = root
        for name in item.folder[: MAX_DEPTH // 2]:
            folder = folder.below(clean(name))
        folder.children.append(item)
    return root


def _in_order(folder: _Folder) -> Iterator[Item]:
    for child in folder.children:
        if isinstance(child, str):
            yield from _in_order(folder.folders[child])
        else:
            yield child


def losses(items: Sequence[Item], back: Sequence[Item]) -> list[Lost]:
    """Return what is not in `back`, which was read of what was written of `items`."""
    from clave.exchange.formats._parts import told

    found: list[Lost] = []
    for item, written, other in zip(items, _in_order(_tree(items)), back, strict=True):
        found += told(written, other)
        if item is not written:
            found.append(Lost(item.origin, "place among the others", "what is in a folder stands together"))
    return found


class _Writer:
    def __init__(self, *, inner: bool) -> None:
        self._inner = inner
        self._out: list[str] = []
        self._pool: dict[bytes, int] = {}

    def written(self, items: Sequence[Item]) -> Written:
        self._group("Root", _tree(items), path="")
        groups, self._out = self._out, []
        self._meta()
        meta = "".join(self._out)
        text = f'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<KeePassFile>{meta}<Root>'
        xml = f"{text}{''.join(groups)}<DeletedObjects/></Root></KeePassFile>\n".encode()
        return Written(xml, tuple(self._pool) if self._inner else ())

    def _meta(self) -> None:
        self._out.append("<Meta>")
        self._leaf("Generator", "clave")
        self._out.append("<MemoryProtection><ProtectPassword>True</ProtectPassword></MemoryProtection>")
        self._leaf("RecycleBinEnabled", "True")
        self._leaf("RecycleBinUUID", _NO_UUID)
        # Without these a program that saves the file may cut older versions off.
        self._leaf("HistoryMaxItems", "-1")
        self._leaf("HistoryMaxSize", "-1")
        if self._pool and not self._inner:
            self._out.append("<Binaries>")
            for content, number in self._pool.items():
                self._leaf("Binary", base64.b64encode(content).decode(), f' ID="{number}" Compressed="False"')
            self._out.append("</Binaries>")
        self._out.append("</Meta>")

    def _group(self, name: str, folder: _Folder, *, path: str) -> None:
        self._out.append("<Group>")
        self._leaf("UUID", _identity("group", path))
        self._leaf("Name", name)
        titles: Counter[str] = Counter()
        for child in folder.children:
            if isinstance(child, str):
                self._group(child, folder.folders[child], path=f"{path}/{child}")
            else:
                title = clean(child.title)
                titles[title] += 1
                self._entry(child, _identity("entry", f"{path}\0{title}\0{titles[title]}"))
        self._out.append("</Group>")

    def _entry(self, item: Item, uuid: str, when: datetime | None = None) -> None:
        self._out.append("<Entry>")
        self._leaf("UUID", uuid)
        if item.tags:
            self._leaf("Tags", ";".join(item.tags))
        self._out.append("<Times>")
        modified = item.modified or when
        for name, moment_then in (("CreationTime", item.created), ("LastModificationTime", modified)):
            if moment_then:
                self._leaf(name, self._moment(moment_then))
        if item.expires:
            self._leaf("ExpiryTime", self._moment(item.expires))
        self._leaf("Expires", "True" if item.expires else "False")
        self._out.append("</Times>")
        for each in _fields(item):
            self._string(each)
        for name, attachment in zip(_unique(each.name for each in item.attachments), item.attachments, strict=True):
            number = self._pool.setdefault(attachment.content, len(self._pool))
            self._out.append("<Binary>")
            self._leaf("Key", name)
            self._out.append(f'<Value Ref="{number}"/></Binary>')
        if item.history:
            self._out.append("<History>")
            for past in reversed(item.history):
                self._entry(past.item, uuid, past.when)
            self._out.append("</History>")
        self._out.append("</Entry>")

    def _string(self, field: Field) -> None:
        mark = "Protected" if self._inner else "ProtectInMemory"
        self._out.append("<String>")
        self._leaf("Key", field.name)
        self._leaf("Value", field.value, f' {mark}="True"' if field.protected else "")
        self._out.append("</String>")

    def _leaf(self, tag: str, text: str, attributes: str = "") -> None:
        safe = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
        self._out.append(f"<{tag}{attributes}>{safe}</{tag}>")

    def _moment(self, value: datetime) -> str:
        seconds = (value - _YEAR_1) // timedelta(seconds=1)
        if self._inner:
            return base64.b64encode(struct.pack("<q", seconds)).decode()
        try:
            return (_YEAR_1 + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
        except OverflowError:
            return ""


def clean(text: str) -> str:
    """Return a text without the characters that XML cannot hold."""
    return _NO_XML.sub("", text)


def _identity(kind: str, path: str) -> str:
    """Return the UUID of what lies at a place: the same items give the same one, so that programs can merge files."""
    from uuid import NAMESPACE_URL, uuid5

    return base64.b64encode(uuid5(NAMESPACE_URL, f"clave:{kind}:{path}").bytes).decode()


def _fields(item: Item) -> Iterator[Field]:
    """Yield all strings of an entry; no name twice, and no one of the item's own for what is not."""
    first, *further = item.urls or ("",)
    yield Field("Title", item.title, protected=False)
    yield Field("UserName", item.user or "", protected=False)
    yield Field("Password", item.password or "", protected=True)
    yield Field("URL", first, protected=False)
    yield Field("Notes", item.notes or "", protected=False)
    for number, url in enumerate(further):
        yield Field(f"KP2A_URL_{number}" if number else "KP2A_URL", url, protected=False)
    seeds = [Field(name, uri) for name, uri in zip(_keepass_otp.names(item.otp), item.otp, strict=True)]
    yield from seeds
    taken = {*_OWN.values(), *(each.name for each in seeds)}
    for name, each in zip(_unique((each.name for each in item.fields), taken), item.fields, strict=True):
        yield Field(name, each.value, each.protected)


def _unique(names: Iterable[str], taken: Iterable[str] = ()) -> Iterator[str]:
    seen = set(taken)
    numbers: Counter[str] = Counter()
    for original in names:
        found = name = clean(original) or "unnamed"
        numbers[name] += 1
        while found in seen or _reserved(found):
            numbers[name] += 1
            found = f"{name} ({numbers[name]})"
        seen.add(found)
        yield found


def _reserved(name: str) -> bool:
    return _FURTHER_URL.fullmatch(name) is not None or _keepass_otp.is_name(name)
