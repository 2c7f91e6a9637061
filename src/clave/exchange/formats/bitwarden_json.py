"""Bitwarden's JSON: of a person, and of an organisation. Written is that of a person.

1. The parts of a card, an identity and an SSH key are fields `card.number`, `identity.city`, `sshKey.privateKey`; of
   kinds that we do not know too. Own fields keep their names; a passkey is a field `passkey` that holds its JSON.
2. How the address N is compared is the field `url N match`. An item of an organisation lies in the folder of its first
   collection; others are fields `collection`.
3. What kind an item is follows from what is in it, and is a field `item type` where it does not. Writing, an item with
   a user, a password, an address or a seed is a login: in Bitwarden only these have such.
4. A second seed is an own field `totp`.
5. What was once the password is an older version with that password.
6. Ids, and what the program derives, are left out; what is in the archive or deleted too, unless it is asked for.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from clave.exchange.format import BadFile, Format
from clave.exchange.formats._objects import Node, shallow
from clave.exchange.formats._parts import ARCHIVED, DELETED, seed, split_path, told
from clave.exchange.item import Field, Item, Lost, Parsed, Past
from clave.exchange.shape import moment, moment_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from clave.exchange.format import Source, WriteOptions
    from clave.exchange.item import Attachment

_KINDS = {1: "login", 2: "note", 3: "card", 4: "identity", 5: "ssh key"}
_NUMBERS = {name: number for number, name in _KINDS.items()}
_PARTS = {  # of the kinds that have an object of their own
    "card": ("cardholderName", "brand", "number", "expMonth", "expYear", "code"),
    "identity": (
        *("title", "firstName", "middleName", "lastName", "address1", "address2", "address3", "city", "state"),
        *("postalCode", "country", "company", "email", "phone", "ssn", "username", "passportNumber", "licenseNumber"),
    ),
    "sshKey": ("privateKey", "publicKey", "keyFingerprint"),
}
_OBJECTS = {"card": "card", "identity": "identity", "ssh key": "sshKey"}
_MATCHES = ("domain", "host", "starts with", "exact", "regular expression", "never")
_WORDS = {str(number): word for number, word in enumerate(_MATCHES)}
_PUBLIC = frozenset(("cardholderName", "brand", "publicKey", "keyFingerprint"))
_IDS = ("organizationId", "folderId", "collectionIds", "key", "object", "secureNote")
_TEXT, _HIDDEN, _BOOLEAN, _LINKED = range(4)
_BEGIN = re.compile(
    rb'\s*\{\s*"encrypted"\s*:\s*(true|false)\s*,\s*'
    rb'"(folders|collections|items|passwordProtected|encKeyValidation_DO_NOT_EDIT)"'
)
_LEFT_OUT = Lost("the file", "ids, and what is derived", "they mean nothing outside of Bitwarden")


class BitwardenJson(Format):
    """Bitwarden's JSON without encryption."""

    name = "bitwarden-json"
    title = "Bitwarden (JSON)"
    writes = True

    def recognise(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - the content says it
        """Tell by the first members."""
        return is_bitwarden(head) and b'"passwordProtected"' not in head

    def read(self, source: Source) -> Parsed:
        """Return the items."""
        from clave.exchange.limits import MAX_TEXT, load_json

        return read_document(load_json(source.read(MAX_TEXT)), deleted=source.options.include_deleted)

    def losses(self, items: Sequence[Item]) -> list[Lost]:
        """Return what of the items is not in what is read again."""
        return [each for item in items for each in told(item, _again(item))]

    def write(self, items: Sequence[Item], options: WriteOptions) -> bytes:  # noqa: ARG002 - none of them mean anything
        """Return the document."""
        return json.dumps(document(items), indent=2, ensure_ascii=False).encode()


def is_bitwarden(head: bytes) -> bool:
    """Tell whether a file that begins so is JSON of Bitwarden's."""
    return bool(_BEGIN.match(head.removeprefix(b"\xef\xbb\xbf")))


def read_document(value: Any, files: Mapping[str, Sequence[Attachment]] | None = None, *, deleted: bool) -> Parsed:
    """Return what a document holds; `files` by the ids of their items. Raises BadFile."""
    top = Node(value, "the document")
    if top.flag("encrypted"):
        raise BadFile(
            "this export is encrypted for one account, and only Bitwarden can read it",
            "Export it again as .json, or as .json (Encrypted) with 'Password protected' chosen.",
        )
    with shallow():
        return _Reader(top, files or {}, deleted=deleted).parsed()


class _Reader:
    def __init__(self, top: Node, files: Mapping[str, Sequence[Attachment]], *, deleted: bool) -> None:
        self._deleted = deleted
        self._files = dict(files)
        self._skipped: list[Lost] = [_LEFT_OUT]
        self._lost: list[Lost] = []
        self._used: set[str] = set()
        self._places = {"": ""}
        for key in ("folders", "collections"):
            for each in top.nodes(key):
                self._places[each.text("id")] = each.text("name")
        self._items = top.nodes("items")
        top.drop(("passwordProtected",))
        self._lost += [Lost("the file", f"'{each.name}'", "it belongs to no item") for each in top.rest()]

    def parsed(self) -> Parsed:
        items = [found for found in map(self._item, self._items) if found]
        for place, name in self._places.items():
            if place and place not in self._used:
                self._skipped.append(Lost(f"folder '{name}'", "the folder", "nothing is in it"))
        for files in self._files.values():
            self._lost += [Lost("the archive", f"file '{each.name}'", "no item refers to it") for each in files]
        return Parsed(tuple(items), tuple(self._lost), tuple(self._skipped))

    def _item(self, node: Node) -> Item | None:
        title = node.text("name")
        node.where = origin = f"item '{title}'"
        number = int(node.number("type"))
        attachments = self._files.pop(node.text("id"), ())
        folder, collections = self._place(node, origin)
        fields: list[Field] = []
        removed, archived = node.text("deletedDate"), node.text("archivedDate")
        if (removed or archived) and not self._deleted:
            self._skipped.append(Lost(origin, "the whole item", DELETED if removed else ARCHIVED))
            return None
        login = node.node("login")
        user, password, totp = login.text("username"), login.text("password"), login.text("totp")
        urls, matches = self._urls(login)
        uri = seed(totp, title, user) if totp else None
        created, modified = self._moment(node, "creationDate", fields), self._moment(node, "revisionDate", fields)
        notes, favourite, reprompt = node.text("notes"), node.flag("favorite"), int(node.number("reprompt"))
        past = node.nodes("passwordHistory")
        for key in _PARTS:
            fields += _of_object(node.node(key), key)
        fields += [Field("totp", totp)] if totp and not uri else []
        fields += matches
        fields += [Field("passkey", json.dumps(each)) for each in login.array("fido2Credentials")]
        flags = {"favorite": "true" if favourite else "", "reprompt": str(reprompt or "")}
        flags |= {"deletedDate": removed, "archivedDate": archived}
        fields += [Field(key, value, protected=False) for key, value in flags.items() if value]
        own = self._own(node, origin)
        seeds = [each.value for each in own if _is_seed(each)]
        node.drop(_IDS)
        rest = [*login.rest("login"), *node.rest(), *collections]
        item = Item(
            title=title,
            folder=folder,
            password=password,
            user=user,
            urls=urls,
            notes=notes,
            otp=(*((uri,) if uri else ()), *seeds),
            fields=tuple(fields),
            attachments=tuple(attachments),
            created=created,
            modified=modified,
            origin=origin,
        )
        kind = _KINDS.get(number, str(number))
        if number and kind != _kind(item):  # behind it stands what is written as own fields
            fields.append(Field("item type", kind, protected=False))
        fields += [*rest, *(each for each in own if not _is_seed(each))]
        return replace(item, fields=tuple(fields), history=self._history(past, item))

    def _place(self, node: Node, origin: str) -> tuple[tuple[str, ...], list[Field]]:
        """Return the folder, and a field for each further collection."""
        ids = list(filter(None, (node.text("folderId"), *node.texts("collectionIds"))))
        self._used.update(ids)
        self._lost += [
            Lost(origin, "its folder", "the file does not hold that folder") for each in ids if each not in self._places
        ]
        first, *others = [self._places[each] for each in ids if each in self._places] or [""]
        return split_path(first), [Field("collection", each, protected=False) for each in others]

    def _urls(self, login: Node) -> tuple[tuple[str, ...], list[Field]]:
        urls: list[str] = []
        fields: list[Field] = []
        for each in login.nodes("uris"):
            uri, match = each.text("uri"), each.text("match")
            each.drop(("uriChecksum",))
            if uri:
                urls.append(uri)
            name = f"url {len(urls)} match"
            if match:
                fields.append(Field(name, _WORDS.get(match, match), protected=False))
            fields += each.rest(f"url {len(urls)}")
        return tuple(urls), fields

    def _moment(self, node: Node, key: str, fields: list[Field]) -> datetime | None:
        text = node.text(key)
        found = moment(text)
        if text and not found:
            fields.append(Field(key, text, protected=False))
        return found

    def _own(self, node: Node, origin: str) -> list[Field]:
        found: list[Field] = []
        for each in node.nodes("fields"):
            name, value, kind = each.text("name"), each.text("value"), int(each.number("type"))
            if kind == _LINKED:
                self._skipped.append(Lost(origin, f"linked field '{name}'", "it has no value of its own"))
            else:
                found.append(Field(name, value, kind == _HIDDEN))
            each.drop(("linkedId",))
            found += each.rest(name)
        return found

    def _history(self, past: list[Node], item: Item) -> tuple[Past, ...]:
        found: list[Past] = []
        for each in past:
            when, password = moment(each.text("lastUsedDate")), each.text("password")
            fields = tuple(each.rest())
            old = Item(item.title, item.folder, password=password, fields=fields, origin=item.origin)
            found.append(Past(when, old))
        return tuple(sorted(found, key=lambda each: each.when.timestamp() if each.when else 0, reverse=True))


def _is_seed(field: Field) -> bool:
    """Tell whether an own field is a further seed; Bitwarden has a place for one alone."""
    return field.name == "totp" and seed(field.value) == field.value


def _of_object(node: Node, key: str) -> list[Field]:
    """Return the fields of a card, an identity, a key: the known parts first, in their order."""
    texts = {name: node.text(name) for name in _PARTS[key]}
    known = [Field(f"{key}.{name}", text, name not in _PUBLIC) for name, text in texts.items() if text]
    return [*known, *node.rest(key)]


def _kind(item: Item) -> str:
    """Return what kind an item is, by what is in it."""
    if item.user or item.password or item.urls or item.otp or any(each.name == "passkey" for each in item.fields):
        return "login"
    names = {each.name for each in item.fields}
    kinds = (kind for kind, key in _OBJECTS.items() if any(f"{key}.{part}" in names for part in _PARTS[key]))
    return next(kinds, "note")


# Writing


def document(items: Sequence[Item]) -> dict[str, Any]:
    """Return the document of a person's export."""
    from uuid import NAMESPACE_URL, uuid5

    names = sorted({path for item in items if (path := "/".join(item.folder))})
    folders = {name: str(uuid5(NAMESPACE_URL, f"folder {name}")) for name in names}
    return {
        "encrypted": False,
        "folders": [{"id": folders[name], "name": name} for name in names],
        "items": [{"id": item_id(number), **_Writer(item, folders).shape()} for number, item in enumerate(items)],
    }


def item_id(number: int) -> str:
    """Return the id of the item that is written as this one, from 0 on."""
    from uuid import NAMESPACE_URL, uuid5

    return str(uuid5(NAMESPACE_URL, f"item {number}"))


def _again(item: Item) -> Item:
    """Return what is read of an item as it is written."""
    (found,) = read_document(document([item]), deleted=True).items
    return found


class _Writer:
    def __init__(self, item: Item, folders: dict[str, str]) -> None:
        self._item = item
        self._left = list(item.fields)
        self._folder = folders.get("/".join(item.folder))

    def shape(self) -> dict[str, Any]:
        item = self._item
        kind = _kind(item)
        if kind == "note":  # a login or a card without anything that says so
            named = next(
                (each for each in self._left if each.name == "item type" and each.value in _KINDS.values()), None
            )
            kind = self._take("item type", named.value) if named else kind
        found: dict[str, Any] = {
            "folderId": self._folder,
            "type": _NUMBERS[kind],
            "reprompt": int(self._take("reprompt", "1") or 0),
            "name": item.title,
            "notes": item.notes or None,
            "favorite": bool(self._take("favorite", "true")),
        }
        dates = {key: self._date(key) for key in ("deletedDate", "archivedDate")}
        if kind == "login":
            found["login"] = self._login()
        elif kind == "note":
            found["secureNote"] = {"type": 0}
        else:
            found[_OBJECTS[kind]] = self._object(_OBJECTS[kind])
        past = [each for each in item.history if each.item.password]
        return {
            **found,
            "fields": list(self._own()),
            "passwordHistory": [{"lastUsedDate": _date(each.when), "password": each.item.password} for each in past],
            "creationDate": _date(item.created),
            "revisionDate": _date(item.modified),
            **{key: value for key, value in dates.items() if value},
        }

    def _take(self, name: str, value: str) -> str:
        """Take the field of a name and a value, if there is one."""
        for each in self._left:
            if each[:2] == (name, value):
                self._left.remove(each)
                return value
        return ""

    def _first(self, name: str) -> str:
        """Take the first field of a name that is not empty, if there is one."""
        return next((self._take(name, each.value) for each in self._left if each.name == name and each.value), "")

    def _date(self, name: str) -> str:
        value = next((each.value for each in self._left if each.name == name), "")
        return self._take(name, value) if moment(value) else ""

    def _login(self) -> dict[str, Any]:
        item = self._item
        uris: list[dict[str, Any]] = []
        for number, url in enumerate(item.urls, 1):
            taken = (index for index, word in enumerate(_MATCHES) if self._take(f"url {number} match", word))
            uris.append({"match": next(taken, None), "uri": url})
        return {
            "uris": uris,
            "username": item.user or None,
            "password": item.password or None,
            "totp": item.otp[0] if item.otp else None,
            "fido2Credentials": list(self._passkeys()),
        }

    def _passkeys(self) -> Iterator[dict[str, Any]]:
        for each in [each for each in self._left if each.name == "passkey"]:
            try:
                value = json.loads(each.value)
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict) and json.dumps(value) == each.value:
                self._left.remove(each)
                yield value

    def _object(self, key: str) -> dict[str, Any]:
        return {name: self._first(f"{key}.{name}") or None for name in _PARTS[key]}

    def _own(self) -> Iterator[dict[str, Any]]:
        for uri in self._item.otp[1:]:
            yield {"name": "totp", "value": uri, "type": _HIDDEN}
        for each in self._left:
            plain = _BOOLEAN if each.value in ("true", "false") else _TEXT
            yield {"name": each.name, "value": each.value, "type": _HIDDEN if each.protected else plain}


def _date(when: datetime | None) -> str | None:
    """Return a moment as Bitwarden writes it, to the millisecond where that is exact."""
    if when is None:
        return None
    text = moment_text(when)
    return f"{text}T00:00:00.000Z" if "T" not in text else text


FORMATS = (BitwardenJson(),)
