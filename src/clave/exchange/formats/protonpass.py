"""Proton Pass's JSON, also in its zip. Read only.

A vault is a folder. What a login, a card or a person consists of are fields by the source's names, if they are no
part of their own; extra fields keep their names, with that of their section before it; what a second seed is called
is a field `seed N name`. What is in the trash is left out, unless it is asked for.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clave.exchange.format import BadFile, Format
from clave.exchange.formats._objects import Node, shallow
from clave.exchange.formats._parts import DELETED, at, seed, split_path
from clave.exchange.item import Field, Item, Lost, Parsed

if TYPE_CHECKING:
    from clave.exchange.format import Source

_TRASHED = 2
_EXTRA = ("extraPersonalDetails", "extraAddressDetails", "extraContactDetails", "extraWorkDetails")
_LEFT_OUT = Lost("the file", "ids, and how vaults look", "they mean nothing outside of Proton Pass")


class ProtonPass(Format):
    """Proton Pass's export."""

    name = "protonpass"
    title = "Proton Pass (JSON or zip)"

    def recognise(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - the content says it
        """Tell by the first members, or by the folder in the zip."""
        if head.startswith(b"PK\x03\x04"):
            return head[30:42] == b"Proton Pass/"
        return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and b'"vaults"' in head and b'"userId"' in head

    def read(self, source: Source) -> Parsed:
        """Return the items."""
        from clave.exchange.limits import MAX_TEXT, Zip, load_json

        data = source.read()
        lost: list[Lost] = []
        if data.startswith(b"PK\x03\x04"):
            archive = Zip(data)
            documents = [each for each in archive.names() if each.endswith("data.json")]
            if not documents:
                encrypted = any(each.endswith(".pgp") for each in archive.names())
                hint = "Decrypt data.pgp in it with gpg, then import data.json." if encrypted else "Export it again."
                raise BadFile("the archive holds no data.json", hint)
            others = [each for each in archive.names() if each != documents[0]]
            lost = [Lost("the archive", f"file '{each}'", "no item refers to it") for each in others]
            data = archive.read(documents[0], MAX_TEXT)
        top = Node(load_json(data), "the document")
        if top.flag("encrypted"):
            raise BadFile("this export is encrypted", "Decrypt it with gpg, or export it again without.")
        with shallow():
            return _read(top, lost, deleted=source.options.include_deleted)


def _read(top: Node, lost: list[Lost], *, deleted: bool) -> Parsed:
    top.drop(("version", "userId"))
    items: list[Item] = []
    skipped = [_LEFT_OUT]
    vaults = top.node("vaults")
    for key in vaults.left():
        vault = vaults.node(key)
        name = vault.text("name")
        vault.drop(("display",))
        if vault.text("description"):
            lost.append(Lost(f"vault '{name}'", "its description", "a folder has none"))
        for node in vault.nodes("items"):
            reader = _ItemReader(node, split_path(name))
            if reader.trashed and not deleted:
                skipped.append(Lost(reader.origin, "the whole item", DELETED))
            else:
                items.append(reader.item())
    lost += [Lost("the file", f"'{each.name}'", "it belongs to no item") for each in top.rest()]
    return Parsed(tuple(items), tuple(lost), tuple(skipped))


class _ItemReader:
    def __init__(self, node: Node, folder: tuple[str, ...]) -> None:
        self._node, self._folder = node, folder
        self._data = node.node("data")
        self._metadata = self._data.node("metadata")
        self._title = self._metadata.text("name")
        node.where = self.origin = f"item '{self._title}'"
        self.trashed = node.number("state") == _TRASHED
        self._fields: list[Field] = []
        self._otp: list[str] = []

    def item(self) -> Item:
        node, data = self._node, self._data
        content = data.node("content")
        mail, user = content.text("itemEmail"), content.text("itemUsername") or content.text("username")
        if user and mail:
            self._fields.append(Field("email", mail, protected=False))
        password, urls = content.text("password"), content.texts("urls")
        self._seed("totpUri", content.text("totpUri"), user or mail, own=True)
        self._fields += [Field("passkey", json.dumps(each)) for each in content.array("passkeys")]
        for key in _EXTRA:
            self._extra(content.nodes(key), "")
        for section in content.nodes("extraSections"):
            self._extra(section.nodes("sectionFields"), section.text("sectionName"))
            self._fields += section.rest("section")
        self._fields += content.rest()
        self._extra(data.nodes("extraFields"), "")
        alias, kind = node.text("aliasEmail"), data.text("type")
        flags = {"aliasEmail": alias, "item type": "" if kind in ("login", "note") else kind}
        flags |= {"pinned": "true" if node.flag("pinned") else "", "state": "trashed" if self.trashed else ""}
        self._fields += [Field(name, value, protected=False) for name, value in flags.items() if value]
        created, modified = (node.number(key) for key in ("createTime", "modifyTime"))
        notes = self._metadata.text("note")
        node.drop(("itemId", "shareId", "contentFormatVersion"))
        self._metadata.drop(("itemUuid",))
        self._fields += [*self._metadata.rest(), *data.rest(), *node.rest()]
        return Item(
            title=self._title,
            folder=self._folder,
            password=password,
            user=user or mail,
            urls=tuple(urls),
            notes=notes,
            otp=tuple(self._otp),
            fields=tuple(self._fields),
            created=at(created) if created else None,
            modified=at(modified) if modified else None,
            origin=self.origin,
        )

    def _extra(self, nodes: list[Node], section: str) -> None:
        for each in nodes:
            name, kind, data = each.text("fieldName"), each.text("type"), each.node("data")
            called = f"{section}.{name}" if section else name
            self._seed(called, data.text("totpUri"))
            content = data.text("content")
            self._fields += [Field(called, content, kind == "hidden")] if content else []
            self._fields += [*data.rest(called), *each.rest(called)]

    def _seed(self, name: str, text: str, user: str = "", *, own: bool = False) -> None:
        """Take a seed; one of an extra field has a name of its own."""
        found = seed(text, self._title, user) if text else None
        if found:
            self._otp.append(found)
            self._fields += [] if own else [Field(f"seed {len(self._otp)} name", name, protected=False)]
        elif text:
            self._fields.append(Field(name, text))


FORMATS = (ProtonPass(),)
