r"""Items ↔ the plaintexts of a store, exact both ways.

An item is one entry, which people and programs read as any other, in this order:

    the password                          line 1; empty, if there is none
    title: Example / Mail                 if the entry's name is not the title itself
    folder: Work%2FHome/Mail              if the folder's name is not the source's; `/` between the levels
    user: alice
    url: https://example.com              a line each
    Recovery code: 1234                   the fields, in their order
    public: Branch, Account number        fields that are no secret, though their names do not say so
    protected: host                       and the reverse
    tags: bank, family
    expires: 2026-01-31                   with a time, if it has one: 2026-01-31T12:00:00Z
    created: 2024-02-29T10:00:00Z
    modified: 2025-05-05
    otpauth://totp/…                      a line each
    anything                              the notes, to the end

Rules that keep it exact:

1. What belongs to the item itself is the first line of that name (of `url`, `otp`, `attachment` the lines that follow
   one another); later ones are fields. So where a field bears such a name, the item's own line stands before it,
   empty if need be. `username` and `login` mean `user`.
2. In the name of a field `:`, control characters, blanks at an end, and `%` before two hex digits are written `%XX`;
   an empty name is `%`. In a list the comma too.
3. A value that no line can hold (several lines, a blank first, a NUL) is an entry of its own, `NAME.files/WHAT`, and
   its line says `(in files: WHAT)`. So are attachments; lines `attachment: WHAT/ORIGINAL NAME` give their order and
   names, if these are not the files' own.
4. A line of the notes that would be read as a field has a blank more in front, one that would be a seed a backslash.
   After a line `---` (YAML, as gopass writes it) all is notes as it stands.
5. Older versions are the entry `NAME.history`, a line of JSON each (see `shape`), newest first.
6. A binary file or a PEM key is an entry as it is: an item with one attachment of its title, and nothing else.
7. "" and None mean the same: nothing.

Reading knows no errors: what does not follow the rules (people write entries too) is read as fields and notes, so
nothing is missing; and as it would not be written so again, `items(…, exact=True)` gives it as it stands.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from clave.exchange import naming
from clave.exchange.format import BadFile
from clave.exchange.item import Attachment, Field, Item, Past
from clave.exchange.shape import Reader, dump, moment, moment_text
from clave.model.secret import Secret, is_secret_field, is_whole
from clave.team.paths import caseless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_NAMES = {
    "password": ("password", "pass"),
    "title": ("title",),
    "folder": ("folder",),
    "user": ("user", "username", "login"),
    "url": ("url",),
    "public": ("public",),
    "protected": ("protected",),
    "tags": ("tags",),
    "expires": ("expires",),
    "created": ("created",),
    "modified": ("modified",),
    "otp": ("otp",),
    "attachment": ("attachment",),
    "notes": ("notes",),
}
_SLOTS = {name: slot for slot, names in _NAMES.items() for name in names}
_SEVERAL = ("url", "otp", "attachment")
_BEFORE_FIELDS = ("password", "title", "folder", "user", "url")
_DATES = ("expires", "created", "modified")

_IN_FILES = re.compile(r"\(in files: (.+)\)", re.DOTALL)
_KEY_UNSAFE = re.compile(r"[:\x00-\x1f\x7f]|%(?=[0-9A-Fa-f]{2})|\A[ ]|[ ]\Z")
_LIST_UNSAFE = re.compile(r"[,\x00-\x1f\x7f]|%(?=[0-9A-Fa-f]{2})|\A[ ]|[ ]\Z")
_PART_UNSAFE = re.compile(r"[/\x00-\x1f\x7f]|%(?=[0-9A-Fa-f]{2})|\A[ ]|[ ]\Z")
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
_OTHER = "%%"  # before the name of a field: another one has this name, and is protected, or is not, unlike it
_SEED = re.compile(r"\\*\s*otpauth://", re.IGNORECASE)
_YAML = "---"


# Names


def default_name(item: Item) -> str:
    """Return the name that an item would have in an empty store."""
    if item.plain is not None:
        return "/".join(map(naming.kept, (*item.folder, item.title)))
    return "/".join((*naming.folder(item.folder), naming.component(item.title)))


def normal(item: Item) -> Item:
    """Return an item without parts that are there and empty."""
    return replace(
        item,
        password=item.password or None,
        user=item.user or None,
        notes=item.notes or None,
        urls=tuple(filter(None, item.urls)),
        history=tuple(Past(past.when, normal(past.item)) for past in item.history),
    )


# Writing


def entries(item: Item, name: str) -> dict[str, bytes]:
    """Return the plaintexts of an item by the names of their entries, its own at `name` first.

    Raises UnicodeEncodeError for an item whose text is none (half of a surrogate pair).
    """
    if item.plain is not None:
        return {name: item.plain}
    if _is_file(item, name):
        return {name: item.attachments[0].content}
    return _Writer(item, name).entries()


def _is_file(item: Item, name: str) -> bool:
    """Tell whether an item is nothing but one file, which the entry itself can be."""
    if len(item.attachments) != 1:
        return False
    (only,) = item.attachments
    bare = Item(item.title, item.folder, attachments=item.attachments, origin=item.origin)
    named = only.name == item.title == name.rpartition("/")[2] and not _must_tell(item.folder, name)
    return item == bare and named and is_whole(only.content)


class _Writer:
    def __init__(self, item: Item, name: str) -> None:
        self._item = item
        self._name = name
        self._files: dict[str, bytes] = {}
        self._disk = naming.Names()

    def entries(self) -> dict[str, bytes]:
        item = self._item
        attached = [self._file(each.name, each.content) for each in item.attachments]
        first = item.password or ""
        keys = _keys(item.fields)
        # Slots whose names fields bear: these come first, and the item's own is told even if it is empty.
        named = {_SLOTS.get(key.casefold()) for key in keys}
        own = self._own(named)
        own["attachment"] = self._attached(attached)
        if not _is_first(first):
            own["password"], first = [first], ""
        elif first:
            named.discard("password")
        own["public"] = _listed(_marked(keys, item.fields, protected=False))
        own["protected"] = _listed(_marked(keys, item.fields, protected=True))
        early = [slot for slot in _NAMES if slot in _BEFORE_FIELDS or slot in named]
        lines = [line for slot in early for line in self._slot(slot, own.get(slot, []), named=slot in named)]
        lines += [self._line(key, field.name, field.value) for key, field in zip(keys, item.fields, strict=True)]
        lines += [line for slot in _NAMES if slot not in early for line in self._slot(slot, own.get(slot, []))]
        lines += [] if "otp" in own else item.otp
        lines += [] if "notes" in own else _escaped(item.notes or "")
        text = _text(first, lines)
        if is_whole(text):  # a PEM block in the notes must not make a key file of it all
            text = _text(first, [self._line("title", "title", item.title), *lines])
        files = {f"{self._name}{naming.FILES}/{name}": content for name, content in self._files.items()}
        return {self._name: text, **files, **self._history()}

    def _own(self, named: set[str | None]) -> dict[str, list[str]]:
        """Return the values of the item's own lines, but for its fields."""
        item = self._item
        own = {"user": [item.user] if item.user else [], "url": [each for each in item.urls if each]}
        renamed = item.title != self._name.rpartition("/")[2] and _titled(item.title, self._name)
        if renamed or "title" in named:
            own["title"] = [item.title]
        if "folder" in named or _must_tell(item.folder, self._name):
            own["folder"] = ["/".join(_encoded(each, _PART_UNSAFE) for each in item.folder)]
        own["tags"] = _listed(item.tags)
        for slot in _DATES:
            moment_then = getattr(item, slot)
            own[slot] = [moment_text(moment_then)] if moment_then else []
        if not all(map(_is_seed, item.otp)):
            own["otp"] = list(item.otp)
        if item.notes and "\0" in item.notes:
            own["notes"] = [item.notes]
        return own

    def _slot(self, slot: str, values: Sequence[str], *, named: bool = False) -> list[str]:
        """Return the lines of an item's own values; `named`: fields of that name follow."""
        lines = [self._line(slot, slot, value) for value in values]
        return [*lines, f"{slot}:"] if named and (slot in _SEVERAL or not lines) else lines

    def _line(self, key: str, name: str, value: str) -> str:
        if not value:
            return f"{key}:"
        return f"{key}: {value if _fits(key, value) else f'(in files: {self._file(name, value.encode())})'}"

    def _file(self, name: str, content: bytes) -> str:
        found = self._disk.free(naming.component(name))
        self._files[found] = content
        return found

    def _attached(self, names: Sequence[str]) -> list[str]:
        """Return what tells the order and the names of the attachments, if they are not those of their files."""
        originals = [each.name for each in self._item.attachments]
        if originals == list(names) and list(names) == sorted(names):
            return []
        pairs = zip(names, originals, strict=True)
        return [name if name == original else f"{name}/{_encoded(original, _KEY_UNSAFE)}" for name, original in pairs]

    def _history(self) -> dict[str, bytes]:
        if not self._item.history:
            return {}
        lines = [json.dumps(_dump_past(past, self._item), ensure_ascii=False) + "\n" for past in self._item.history]
        return {self._name + naming.HISTORY: "".join(lines).encode()}


def _text(first: str, lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in (first, *lines)).encode()


def _titled(title: str, name: str) -> bool:
    """Tell whether an entry's name can come from a title, but for a number that makes it the only one."""
    last = name.rpartition("/")[2]
    plain, safe = naming.without_number(last), naming.component(title)
    return caseless(safe) == caseless(last) or (
        plain != last and caseless(naming.cut(safe, naming.MAX_BYTES - (len(last) - len(plain)))) == caseless(plain)
    )


def _above(folder: tuple[str, ...], name: str) -> tuple[str, ...] | None:
    """Return the folders of an entry above those that come from a folder of the source; None: it lies elsewhere."""
    safe, there = naming.folder(folder), tuple(name.split("/")[:-1])
    at = len(there) - len(safe)
    same = at >= 0 and list(map(caseless, there[at:])) == list(map(caseless, safe))
    return there[:at] if same else None


def _must_tell(folder: tuple[str, ...], name: str) -> bool:
    """Tell whether the folder of a source cannot be known by the entry's."""
    above = _above(folder, name)
    return above is not None and (*above, *folder) != tuple(name.split("/")[:-1])


def _encoded(text: str, unsafe: re.Pattern[str]) -> str:
    """Return a text without what is unsafe, for `_decoded`; an empty one is `%`."""
    found = unsafe.sub(lambda match: f"%{ord(match[0]):02X}", text)
    if found == "%" or found.startswith(_OTHER):
        found = f"%25{found[1:]}"
    return found or "%"


def _decoded(text: str) -> str:
    text = text.removeprefix(_OTHER)
    if text == "%":
        return ""
    if "%" not in text:
        return text
    data = _ESCAPED.sub(lambda match: bytes((int(match[1], 16),)), text.encode())
    try:
        return data.decode()
    except UnicodeDecodeError:
        return text


def _keys(fields: Iterable[Field]) -> list[str]:
    """Return how the name of each field is written: two of one name, one of them protected, in two ways."""
    found: list[str] = []
    protected: dict[str, bool] = {}
    for field in fields:
        key = _encoded(field.name, _KEY_UNSAFE)
        found.append(key if protected.setdefault(key, field.protected) == field.protected else _OTHER + key)
    return found


def _marked(keys: Iterable[str], fields: Iterable[Field], *, protected: bool) -> list[str]:
    """Return the fields which are protected, or are not, though their names do not say so."""
    pairs = zip(keys, fields, strict=True)
    return list(dict.fromkeys(key for key, each in pairs if each.protected == protected != is_secret_field(each.name)))


def _listed(names: Sequence[str]) -> list[str]:
    return [", ".join(_encoded(each, _LIST_UNSAFE) for each in names)] if names else []


def _fits(key: str, value: str) -> bool:
    """Tell whether a line holds a value, and is read as that."""
    if "\n" in value or "\0" in value or _IN_FILES.fullmatch(value):
        return False
    return _read_line(f"{key}: {value}") == (key, value)


def _escaped(notes: str) -> Iterator[str]:
    raw = False
    for line in notes.split("\n") if notes else ():
        raw = raw or line == _YAML
        if raw:
            yield line
        elif _SEED.match(line):
            yield f"\\{line}"
        else:
            yield f" {line}" if isinstance(_read_line(line.lstrip(" ")), tuple) else line


def _unescaped(lines: Sequence[str]) -> Iterator[str]:
    raw = False
    for line in lines:
        raw = raw or line == _YAML
        if raw:
            yield line
        else:
            seed = line.startswith("\\") and _SEED.match(line)
            field = line.startswith(" ") and isinstance(_read_line(line.lstrip(" ")), tuple)
            yield line[1:] if seed or field else line


def _read_line(line: str) -> tuple[str, str] | str | None:
    """Return key and value of a field's line, the URI of a seed's, None for any other."""
    secret = Secret(b"\n" + line.encode())
    if secret.fields:
        ((key, value),) = secret.fields
        return key, value.decode()
    return secret.otp_uris[0] if secret.otp_uris else None


def _is_first(password: str) -> bool:
    """Tell whether line 1 holds a password, and is read as that."""
    return not (
        "\n" in password or password.endswith("\r") or is_whole(password.encode()) or _is_seed(password.strip())
    )


def _is_seed(uri: str) -> bool:
    return "\n" not in uri and "\0" not in uri and _read_line(uri) == uri


def _dump_past(past: Past, item: Item) -> dict[str, object]:
    shape = dump(past.item)
    if past.item.title == item.title:
        del shape["title"]
    shape["folder"] = list(past.item.folder)
    if past.item.folder == item.folder:
        del shape["folder"]
    return {**({"when": moment_text(past.when)} if past.when else {}), "item": shape}


# Reading


class _Group(NamedTuple):
    """An entry, and those that belong to it."""

    name: str
    plaintext: bytes
    files: dict[str, bytes]
    history: bytes | None

    def members(self) -> dict[str, bytes]:
        """Return all of its entries by name."""
        files = {f"{self.name}{naming.FILES}/{each}": content for each, content in self.files.items()}
        history = {} if self.history is None else {self.name + naming.HISTORY: self.history}
        return {self.name: self.plaintext, **files, **history}


def items(plaintexts: Mapping[str, bytes], *, exact: bool = False) -> list[Item]:
    """Return the items that entries are, in the order of the entries.

    `exact` is for formats that carry `plain`: written again under their default names, these items are the same
    entries, byte for byte.
    """
    found: list[Item] = []
    for group in _groups(plaintexts):
        item = _read(group)
        if not exact or (default_name(item) == group.name and entries(item, group.name) == group.members()):
            found.append(item)
        else:
            found += [
                replace(_read(_Group(name, plaintext, {}, None)), **_place(name), plain=plaintext)
                for name, plaintext in group.members().items()
            ]
    return found


def _place(name: str) -> dict[str, Any]:
    *folder, title = name.split("/")
    return {"title": title, "folder": tuple(folder)}


def _groups(plaintexts: Mapping[str, bytes]) -> Iterator[_Group]:
    """Yield each entry with those that belong to it: its files, and its history if that is one."""
    files: dict[str, dict[str, bytes]] = {}
    belongs: set[str] = set()
    for name, plaintext in plaintexts.items():
        folder, _, last = name.rpartition("/")
        owner = folder.removesuffix(naming.FILES)
        if owner != folder and owner in plaintexts and not is_whole(plaintexts[owner]):
            files.setdefault(owner, {})[last] = plaintext
            belongs.add(name)
        owner = name.removesuffix(naming.HISTORY)
        if owner != name and owner in plaintexts and not is_whole(plaintexts[owner]) and _is_history(plaintext):
            belongs.add(name)
    for name, plaintext in plaintexts.items():
        if name not in belongs:
            history = name + naming.HISTORY
            own = plaintexts[history] if history in belongs else None
            yield _Group(name, plaintext, files.get(name, {}), own)


def _read(group: _Group) -> Item:
    *folder, last = group.name.split("/")
    if is_whole(group.plaintext):
        return Item(last, tuple(folder), attachments=(Attachment(last, group.plaintext),), origin=group.name)
    item = _TextReader(group).item()
    return replace(item, history=_read_history(group.history, item)) if group.history else item


class _TextReader:
    def __init__(self, group: _Group) -> None:
        self._name = group.name
        self._left = dict(sorted(group.files.items()))
        text = group.plaintext.decode()
        if text.count("\n") == text.count("\r\n"):
            text = text.replace("\r\n", "\n")
        self._first, *lines = text.removesuffix("\n").split("\n")
        self._rows: list[tuple[str, str]] = []
        self._seeds: list[str] = []
        self._texts: list[str] = []
        if _is_seed(self._first.strip()):
            self._seeds, self._first = [self._first.strip()], ""
        raw = False
        for line in lines:
            raw = raw or line == _YAML
            found = None if raw else _read_line(line)
            if isinstance(found, tuple):
                self._rows.append(found)
            elif found is not None:
                self._seeds.append(found)
            else:
                self._texts.append(line)

    def item(self) -> Item:
        own: dict[str, Any] = {}
        several: dict[str, list[Any]] = {slot: [] for slot in _SEVERAL}
        rows: list[tuple[str, str]] = []
        seen = {"password"} if self._first else set()
        running: str | None = None  # the slot of which more lines may follow
        for key, written in self._rows:
            slot, value = _SLOTS.get(key.casefold()), self._value(written)
            before, running = running, None
            if slot is None or (slot in seen and slot != before):
                rows.append((key, value))
                continue
            seen.add(slot)
            accepted = self._accept(slot, value)
            if accepted is None:
                rows += [(key, value)] if value else []
            elif slot in several:
                several[slot].append(accepted)
                running = slot
            else:
                own[slot] = accepted
        *folder, last = self._name.split("/")
        if "folder" in own:
            folder = [*(_above(own["folder"], self._name) or ()), *own["folder"]]
        return Item(
            title=own.get("title", last),
            folder=tuple(folder),
            password=self._first or own.get("password"),
            user=own.get("user"),
            urls=tuple(several["url"]),
            notes="\n".join(_unescaped(self._texts)) or own.get("notes"),
            otp=(*several["otp"], *self._seeds),
            fields=tuple(Field(_decoded(key), value, _protected(key, own)) for key, value in rows),
            tags=tuple(own.get("tags", ())),
            attachments=(*several["attachment"], *(Attachment(*each) for each in self._left.items())),
            created=own.get("created"),
            modified=own.get("modified"),
            expires=own.get("expires"),
            origin=self._name,
        )

    def _value(self, written: str) -> str:
        """Return the value of a line, which an entry of its own may hold."""
        match = _IN_FILES.fullmatch(written)
        content = self._left.get(match[1]) if match else None
        if match is None or content is None:
            return written
        try:
            value = content.decode()
        except UnicodeDecodeError:
            return written
        del self._left[match[1]]
        return value

    def _accept(self, slot: str, value: str) -> Any:
        """Return what an item's own line means, None for one that means nothing, or is none."""
        if slot == "title":
            return value if _titled(value, self._name) else None
        if not value:
            return None
        if slot == "folder":
            parts = tuple(map(_decoded, value.split("/")))
            return None if _above(parts, self._name) is None else parts
        if slot in _DATES:
            return moment(value)
        if slot in ("tags", "public", "protected"):
            names = [_decoded(each.strip(" ")) for each in value.split(",")]
            return names if slot == "tags" or {key for key, _ in self._rows}.issuperset(names) else None
        if slot == "attachment":
            disk, slash, original = value.partition("/")
            content = self._left.pop(disk, None)
            return None if content is None else Attachment(_decoded(original) if slash else disk, content)
        if (slot == "otp" and not value.lstrip().lower().startswith("otpauth://")) or (slot == "notes" and self._texts):
            return None
        return value


def _protected(key: str, own: Mapping[str, Sequence[str]]) -> bool:
    if key in own.get("public", ()):
        return False
    return key in own.get("protected", ()) or is_secret_field(_decoded(key))


def _is_history(plaintext: bytes) -> bool:
    """Tell whether an entry holds older versions of another one, and nothing besides."""
    try:
        return bool(_read_history(plaintext, Item("")))
    except ValueError:
        return False


def _read_history(plaintext: bytes, item: Item) -> tuple[Past, ...]:
    """Return the older versions of an item. Raises ValueError."""
    found: list[Past] = []
    reader = Reader()
    try:
        for line in plaintext.decode().removesuffix("\n").split("\n"):
            shape = json.loads(line)
            when = shape.get("when")
            old = {"title": item.title, "folder": list(item.folder), **shape["item"]}
            found.append(Past(moment(when) if when else None, reader.item(old, item.origin, past=True)))
            if reader.lost or shape.keys() - {"when", "item"}:
                raise ValueError("there is more in it than older versions")
    except (BadFile, AttributeError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("these are no older versions") from error
    return tuple(found)
