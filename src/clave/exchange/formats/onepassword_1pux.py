"""1Password's own archive, 1PUX: a zip of `export.data` (JSON) and `files/`.

1. A vault is a folder; `/` in its name separates folders. With several accounts the account stands above.
2. A field of a section with a title is `section.field`. What has parts (an address, an SSH key) is a field a part.
   Dates are `YYYY-MM-DD`, months `YYYY-MM`. What an address or a seed is called, if not as usual, is a field
   `url N label`, `seed N name`.
3. A document, and a field that is a file, is an attachment: the member of `files/` that begins with its id. A member
   that nothing refers to is told as lost.
4. What kind an item is follows from what is in it (a login, or a note), and is a field `category` where it does not.
5. Ids, ratings and what the account says about its owner are left out; what is in the archive too, unless it is asked
   for.

Written are fields in one section without a title, which read again are the same.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clave.exchange.format import Format
from clave.exchange.formats._objects import Node, as_text, leaves, shallow
from clave.exchange.formats._parts import ARCHIVED, DELETED, at, seed, since, split_path, told
from clave.exchange.item import Attachment, Field, Item, Lost, Parsed, Past
from clave.exchange.shape import moment_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from clave.exchange.format import Source, WriteOptions
    from clave.exchange.limits import Zip

_DATA, _ATTRIBUTES, _FILES = "export.data", "export.attributes", "files/"
_LOGIN, _NOTE = "001", "003"
_CATEGORIES = {
    _LOGIN: "login",
    "002": "credit card",
    _NOTE: "note",
    "004": "identity",
    "005": "password",
    "006": "document",
    "100": "software license",
    "101": "bank account",
    "102": "database",
    "103": "driver license",
    "104": "outdoor license",
    "105": "membership",
    "106": "passport",
    "107": "rewards program",
    "108": "social security number",
    "109": "wireless router",
    "110": "server",
    "111": "email account",
    "112": "api credential",
    "113": "medical record",
    "114": "ssh key",
}
_NUMBERS = {name: number for number, name in _CATEGORIES.items()}
_HIDDEN = frozenset(("concealed", "creditCardNumber", "reference"))
_TOTP_NAMES = frozenset(("", "one-time password", "totp"))
_URL_LABELS = frozenset(("", "website", "url"))
_ROOT = "a" * 26  # the id of the vault for what lies in no folder, as we write it
_LEFT_OUT = Lost("the file", "ids, ratings, and what belongs to the account", "they mean nothing outside of 1Password")
_DAY = 86_400


class OnePux(Format):
    """1Password's archive."""

    name = "1pux"
    title = "1Password (1PUX)"
    writes = True

    def recognise(self, head: bytes, name: str) -> bool:
        """Tell by the first members, or by the name."""
        named = name.lower().endswith(".1pux") and b"data.json" not in head
        members = (_ATTRIBUTES.encode(), _DATA.encode())
        return head.startswith(b"PK\x03\x04") and (named or any(each in head for each in members))

    def read(self, source: Source) -> Parsed:
        """Return the items."""
        from clave.exchange.limits import Zip

        archive = Zip(source.read())
        with shallow():
            return _Reader(archive, deleted=source.options.include_deleted).parsed()

    def losses(self, items: Sequence[Item]) -> list[Lost]:
        """Return what of the items is not in what is read again."""
        return [each for item in items for each in told(item, _again(item))]

    def write(self, items: Sequence[Item], options: WriteOptions) -> bytes:  # noqa: ARG002 - none of them mean anything
        """Return the archive."""
        import io
        from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

        data, files = _document(items)
        attributes = {"version": 3, "description": "1Password Unencrypted Export", "createdAt": 0}
        members = {_ATTRIBUTES: json.dumps(attributes).encode(), _DATA: json.dumps(data).encode(), **files}
        out = io.BytesIO()
        with ZipFile(out, "w") as archive:
            for name, content in members.items():
                archive.writestr(ZipInfo(name), content, ZIP_DEFLATED)
        return out.getvalue()


class _Files:
    """The files of an archive by the ids that members refer to them with."""

    def __init__(self, archive: Zip | None, files: dict[str, bytes] | None = None) -> None:
        self._zip = archive
        self._files = files or {}
        names = archive.names() if archive else list(self._files)
        self._paths = {each.removeprefix(_FILES).partition("__")[0]: each for each in names if each.startswith(_FILES)}
        self.left = dict.fromkeys(each for each in names if each not in (_DATA, _ATTRIBUTES))

    def take(self, key: str) -> bytes | None:
        """Return the file with an id, or at a path; None if there is none."""
        path = key if key in self.left or key in self._paths.values() else self._paths.get(key)
        if path is None:
            return None
        self.left.pop(path, None)
        return self._zip.read(path) if self._zip else self._files[path]


class _Reader:
    def __init__(self, archive: Zip, *, deleted: bool) -> None:
        from clave.exchange.limits import MAX_TEXT, load_json

        self._files = _Files(archive)
        self._deleted = deleted
        self._skipped: list[Lost] = [_LEFT_OUT]
        self._lost: list[Lost] = []
        self._items: list[Item] = []
        top = Node(load_json(archive.read(_DATA, MAX_TEXT)), "the document")
        self._accounts = top.nodes("accounts")
        self._lost += [Lost("the file", f"'{each.name}'", "it belongs to no item") for each in top.rest()]

    def parsed(self) -> Parsed:
        for account in self._accounts:
            attributes = account.node("attrs")
            above = split_path(attributes.text("accountName") or attributes.text("name"))
            for vault in account.nodes("vaults"):
                self._vault(vault, above if len(self._accounts) > 1 else ())
        self._lost += [Lost("the archive", f"file '{each}'", "no item refers to it") for each in self._files.left]
        return Parsed(tuple(self._items), tuple(self._lost), tuple(self._skipped))

    def _vault(self, vault: Node, above: tuple[str, ...]) -> None:
        attributes = vault.node("attrs")
        is_root = attributes.text("uuid") == _ROOT
        name = attributes.text("name")
        if attributes.text("desc"):
            self._lost.append(Lost(f"vault '{name}'", "its description", "a folder has none"))
        for outer in vault.nodes("items"):
            wrapped = isinstance(outer.peek("item"), dict)
            node = outer.node("item") if wrapped else outer
            file = outer.node("file") if wrapped else Node({}, "")
            reader = _ItemReader(node, file, (*above, *(() if is_root else split_path(name))), self._files)
            why = reader.left_out()
            if why and not self._deleted:
                self._skipped.append(Lost(reader.origin, "the whole item", why))
                reader.item()  # so that its files are not told as nobody's
                continue
            self._items.append(reader.item())
            self._lost += reader.lost


class _ItemReader:
    def __init__(self, node: Node, file: Node, folder: tuple[str, ...], files: _Files) -> None:
        self._node, self._file, self._folder, self._files = node, file, folder, files
        self._overview = node.node("overview")
        self._details = node.node("details")
        self._title = self._overview.text("title")
        self.origin = f"item '{self._title}'"
        self._state = node.text("state")
        self._trashed = node.flag("trashed")
        for each in (node, self._overview, self._details):
            each.where = self.origin
        self.lost: list[Lost] = []
        self._fields: list[Field] = []
        self._otp: list[str] = []
        self._names: list[Field] = []  # of seeds
        self._attachments: list[Attachment] = []
        self._user = self._password = ""

    def left_out(self) -> str | None:
        return DELETED if self._trashed else ARCHIVED if self._state == "archived" else None

    def item(self) -> Item:
        node, overview, details = self._node, self._overview, self._details
        urls = self._urls()
        for each in details.nodes("loginFields"):
            self._login_field(each)
        password = details.text("password")
        if password and not self._password:
            self._password = password
        elif password and password != self._password:
            self._fields.append(Field("password", password))
        for number, section in enumerate(details.nodes("sections"), 1):
            self._section(section, number)
        self._document(details.node("documentAttributes"))
        self._old_file()
        dates = [self._moment(key) for key in ("createdAt", "updatedAt")]
        notes, tags = details.text("notesPlain"), overview.texts("tags")
        self._fields += self._names
        favourite = node.text("favIndex")
        if favourite not in ("", "0"):
            self._fields.append(Field("favIndex", favourite, protected=False))
        if self._state not in ("", "active"):
            self._fields.append(Field("state", self._state, protected=False))
        category, past = node.text("categoryUuid"), details.nodes("passwordHistory")
        self._rest()
        item = Item(
            title=self._title,
            folder=self._folder,
            password=self._password,
            user=self._user,
            urls=urls,
            notes=notes,
            otp=tuple(self._otp),
            fields=tuple(self._fields),
            tags=tuple(tags),
            attachments=tuple(self._attachments),
            created=dates[0],
            modified=dates[1],
            origin=self.origin,
        )
        if category and category != _category(item):
            kind = Field("category", _CATEGORIES.get(category, category), protected=False)
            item = replace(item, fields=(kind, *item.fields))
        return replace(item, history=_history(past, item))

    def _urls(self) -> tuple[str, ...]:
        first = self._overview.text("url")
        urls: list[str] = []
        for each in self._overview.nodes("urls"):
            url, label = each.text("url"), each.text("label")
            if url:
                urls.append(url)
            if label.casefold() not in _URL_LABELS:
                self._fields.append(Field(f"url {len(urls)} label", label, protected=False))
            each.drop(("mode",))
            self._fields += each.rest(f"url {len(urls)}")
        return tuple(urls if first in urls or not first else [first, *urls])

    def _login_field(self, node: Node) -> None:
        value, designation, kind = node.raw("value"), node.text("designation"), node.text("fieldType")
        identifier, name = node.text("id"), node.text("name")
        parts = list(leaves(value))
        text = parts[0][1] if len(parts) == 1 and not isinstance(value, list) else ""
        if text and designation == "username" and not self._user:
            self._user = text
        elif text and designation == "password" and not self._password:
            self._password = text
        else:
            called = name or identifier or designation or "field"
            secret = kind == "P"
            self._fields += [Field(".".join(filter(None, (called, part))), each, secret) for part, each in parts]
        self._fields += node.rest(name or identifier)

    def _section(self, node: Node, number: int) -> None:
        title, _ = node.text("title"), node.text("name")
        node.drop(("hideAddAnotherField",))
        for each in node.nodes("fields"):
            name = each.text("title") or each.text("id")
            each.drop(("id", "inputTraits", "dontGenerate", "placeholder", "clipboardFilter", "indexAtSource"))
            each.drop(("guarded", "multiline"))
            called = f"{title}.{name}" if title and name else title or name
            value = each.raw("value")
            if isinstance(value, dict):
                for kind, content in value.items():
                    self._value(name if kind == "totp" else called, kind, content)
            else:
                self._fields += [Field(part, text) for part, text in leaves(value, called)]
            self._fields += each.rest(called)
        self._fields += node.rest(title or f"section {number}")

    def _value(self, name: str, kind: str, content: Any) -> None:
        if content in (None, "", [], {}):
            return
        if kind == "totp":
            self._seed(name, as_text(content) if not isinstance(content, dict | list) else json.dumps(content))
        elif kind == "file":
            self._document(Node(content, f"'{name}' of {self.origin}"))
        elif kind in ("date", "monthYear") and isinstance(content, int) and not isinstance(content, bool):
            self._fields.append(Field(name, _day(content) if kind == "date" else _month(content), protected=False))
        elif kind == "email" and isinstance(content, dict):
            node = Node(content, f"'{name}' of {self.origin}")
            address = node.text("email_address")
            self._fields += [Field(name, address, protected=False)] if address else []
            self._fields += node.rest(name)
        elif kind == "sshKey" and isinstance(content, dict):
            self._key(name, Node(content, f"'{name}' of {self.origin}"))
        else:
            parts = leaves(content, name)
            self._fields += [Field(part, text, kind in _HIDDEN) for part, text in parts]

    def _seed(self, name: str, text: str) -> None:
        found = seed(text, self._title, self._user)
        if found is None:
            self._fields.append(Field(name or "totp", text))
            return
        self._otp.append(found)
        if name.casefold() not in _TOTP_NAMES:
            self._names.append(Field(f"seed {len(self._otp)} name", name, protected=False))

    def _key(self, name: str, node: Node) -> None:
        private, metadata = node.text("privateKey"), node.node("metadata")
        again = metadata.text("privateKey")
        pairs = [("privateKey", private), *([("metadata.privateKey", again)] if again != private else [])]
        self._fields += [Field(f"{name}.{part}", text) for part, text in pairs if text]
        self._fields += [each._replace(protected=False) for each in metadata.rest(name)]
        self._fields += node.rest(name)

    def _document(self, node: Node) -> None:
        name, identifier = node.text("fileName"), node.text("documentId")
        node.drop(("decryptedSize",))
        if name or identifier:
            self._attach(name or identifier, identifier)
        self._fields += node.rest("file")

    def _old_file(self) -> None:
        """Take the file of an item as older archives have it beside the item."""
        attributes, path = self._file.node("attrs"), self._file.text("path")
        name = attributes.text("name")
        attributes.drop(("uuid", "type"))
        if name or path:
            self._attach(name or path.rpartition("/")[2], path)

    def _attach(self, name: str, key: str) -> None:
        content = self._files.take(key)
        if content is None:
            self.lost.append(Lost(self.origin, f"file '{name}'", "it is not in the archive"))
        elif Attachment(name, content) not in self._attachments:
            self._attachments.append(Attachment(name, content))

    def _moment(self, key: str) -> Any:
        number = self._node.number(key)
        found = at(number) if number else None
        if number and found is None:
            self._fields.append(Field(key, f"{number}", protected=False))
        return found

    def _rest(self) -> None:
        """Take what is left; the second line of 1Password's list only if it says something new."""
        subtitle = self._overview.text("subtitle")
        known = {self._user, self._title, *(each.value for each in self._fields)}
        self._fields += [Field("subtitle", subtitle)] if subtitle and subtitle not in known else []
        self._overview.drop(("ps", "pbe", "pgrng", "icons", "watchtowerExclusions"))
        self._node.drop(("uuid",))
        self._fields += [*self._overview.rest(), *self._details.rest(), *self._node.rest()]


def _history(past: Iterable[Node], item: Item) -> tuple[Past, ...]:
    found: list[Past] = []
    for each in past:
        number = each.number("time")
        old = Item(item.title, item.folder, password=each.text("value"), fields=tuple(each.rest()), origin=item.origin)
        found.append(Past(at(number) if number else None, old))
    return tuple(sorted(found, key=lambda each: each.when.timestamp() if each.when else 0, reverse=True))


def _category(item: Item) -> str:
    return _LOGIN if item.user or item.password or item.urls or item.otp else _NOTE


def _day(number: int) -> str:
    """Return a date; 1Password puts those without a time at noon."""
    found = at(number // _DAY * _DAY if number % _DAY in (0, _DAY // 2) else number)
    return moment_text(found) if found else str(number)


def _month(number: int) -> str:
    return (
        f"{number // 100:04}-{number % 100:02}"
        if 1 <= number % 100 <= 12 and 1000 <= number // 100 <= 9999
        else str(number)
    )


# Writing


def _document(items: Sequence[Item]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the document, and the files beside it."""
    vaults: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    files: dict[str, bytes] = {}
    for number, item in enumerate(items):
        vaults.setdefault(item.folder, []).append(_shape(item, number, files))
    shapes = [
        {"attrs": _vault_of(folder, number), "items": each} for number, (folder, each) in enumerate(vaults.items())
    ]
    owner = {"accountName": "clave", "name": "clave", "avatar": "", "email": "", "uuid": "", "domain": ""}
    return {"accounts": [{"attrs": owner, "vaults": shapes}]}, files


def _vault_of(folder: tuple[str, ...], number: int) -> dict[str, str]:
    name, uuid = ("/".join(folder), _uuid("v", number)) if folder else ("Imported", _ROOT)
    return {"uuid": uuid, "desc": "", "avatar": "", "name": name, "type": "U"}


def _uuid(kind: str, number: int) -> str:
    """Return an id of 26 letters and digits."""
    return f"{kind}{number:025}"


def _shape(item: Item, number: int, files: dict[str, bytes]) -> dict[str, Any]:
    left = list(item.fields)
    category = _take(left, lambda each: each.name == "category" and each.value in _NUMBERS)
    favourite = _take(left, lambda each: each.name == "favIndex" and len(each.value) < 9 and each.value.isdecimal())
    state = _take(left, lambda each: each[:2] == ("state", "archived"))
    labels = [_named(left, f"url {index} label") or "website" for index, _ in enumerate(item.urls, 1)]
    seeds = [_named(left, f"seed {index} name") or "one-time password" for index, _ in enumerate(item.otp, 1)]
    logins = [("username", "T", item.user), ("password", "P", item.password)]
    return {
        "uuid": _uuid("i", number),
        "favIndex": int(favourite or 0),
        "createdAt": since(item.created) if item.created else 0,
        "updatedAt": since(item.modified) if item.modified else 0,
        "state": "archived" if state else "active",
        "categoryUuid": _NUMBERS[category] if category else _category(item),
        "details": {
            "loginFields": [
                {"value": value, "id": "", "name": name, "fieldType": kind, "designation": name}
                for name, kind, value in logins
                if value
            ],
            "notesPlain": item.notes or "",
            "sections": [{"title": "", "name": "fields", "fields": _section(item, left, seeds, number, files)}],
            "passwordHistory": [
                {"value": past.item.password, "time": since(past.when) if past.when else 0}
                for past in item.history
                if past.item.password
            ],
        },
        "overview": {
            "subtitle": item.user or "",
            "title": item.title,
            "url": item.urls[0] if item.urls else "",
            "urls": [{"label": label, "url": url} for url, label in zip(item.urls, labels, strict=True)],
            "tags": list(item.tags),
        },
    }


def _take(fields: list[Field], wanted: Callable[[Field], bool]) -> str:
    """Take the first field that is wanted out of a list; return its value, `""` for none."""
    found = next((each for each in fields if each.value and wanted(each)), None)
    if found is None:
        return ""
    fields.remove(found)
    return found.value


def _named(fields: list[Field], name: str) -> str:
    return _take(fields, lambda each: each.name == name)


def _section(
    item: Item, fields: Sequence[Field], seeds: Sequence[str], number: int, files: dict[str, bytes]
) -> list[dict[str, Any]]:
    found: list[tuple[str, dict[str, Any]]] = [
        (each.name, {"concealed" if each.protected else "string": each.value}) for each in fields
    ]
    found += [(name, {"totp": each}) for name, each in zip(seeds, item.otp, strict=True)]
    for index, each in enumerate(item.attachments):
        identifier = f"f{number:012}{index:013}"
        safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in each.name)[:80]
        files[f"{_FILES}{identifier}__{safe}"] = each.content
        attributes = {"fileName": each.name, "documentId": identifier, "decryptedSize": len(each.content)}
        found.append((each.name, {"file": attributes}))
    return [
        {"title": title, "id": f"field{index}", "value": value, "guarded": False, "multiline": False}
        for index, (title, value) in enumerate(found)
    ]


def _again(item: Item) -> Item:
    """Return what is read of an item as it is written."""
    data, files = _document([item])
    (account,) = Node(data, "").nodes("accounts")
    (vault,) = account.nodes("vaults")
    is_root = vault.node("attrs").text("uuid") == _ROOT
    folder = () if is_root else split_path("/".join(item.folder))
    (node,) = vault.nodes("items")
    return _ItemReader(node, Node({}, ""), folder, _Files(None, files)).item()


FORMATS = (OnePux(),)
