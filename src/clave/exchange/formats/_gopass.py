r"""gopass's own bodies, read where the user wishes it; what is not clearly one of these stays as it is.

GOPASS-SECRET-1.0          its MIME: a header, an empty line, the text; the password is in the header
pw / --- / key: value      YAML, if it is nothing but lines of a key and a text or number
content-disposition: …     a binary file in base64
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import replace

from clave.exchange import mapping
from clave.exchange.item import Attachment, Item

_MIME = "GOPASS-SECRET-1.0\n"
_HEADER = re.compile(r"([A-Za-z0-9_.-][^:\n]*):[ \t]*(.*)")
_YAML = "---"
# A key, and a scalar that means the text that stands there: no indentation, list, reference, escape or comment.
_LINE = re.compile(
    r"(?P<key>[A-Za-z0-9_][^:#'\"]*?):[ ]+"
    r"(?:'(?P<single>(?:[^']|'')*)'|\"(?P<double>[^\"\\]*)\""
    r"|(?P<plain>[A-Za-z0-9_./+(<=$~^](?:(?!:[ ]|[ ]\#|:\Z).)*))[ ]*"
)


def convert(item: Item) -> Item:
    """Return an item whose plaintext is read; one with nothing of gopass in it as it is."""
    try:
        text = (item.plain or b"").decode()
    except UnicodeDecodeError:
        return item
    converted = _from_yaml(_from_mime(text))
    name = "/".join((*item.folder, item.title))
    (read,) = mapping.items({name: converted.encode()})
    read = replace(read, title=item.title, folder=item.folder, origin=item.origin)
    encoding = next((each.value for each in read.fields if each.name.lower() == "content-transfer-encoding"), "")
    if encoding.lower() == "base64":
        return _from_base64(read) or item
    return item if converted == text else read


def _from_mime(text: str) -> str:
    """Return a body of MIME as gopass writes it today: the password, the keys in lower case, the text."""
    if not text.startswith(_MIME):
        return text
    head, _, body = text.removeprefix(_MIME).partition("\n\n")
    password, lines, yaml = "", [], False
    for line in head.split("\n"):
        match = _HEADER.fullmatch(line)
        if match is None:
            return text
        key, value = match[1].lower(), match[2]
        if key == "password" and not password:
            password = value
        elif key == "content-type" and value.startswith("text/yaml"):
            yaml = True
        else:
            lines.append(f"{key}: {value}")
    rest = [_YAML, body] if yaml else [body]
    return "\n".join([password, *lines, *(rest if body.strip("\n") else [])]).rstrip("\n") + "\n"


def _from_yaml(text: str) -> str:
    """Return a body with `---` and simple lines behind it without that."""
    lines = text.rstrip("\n").split("\n")
    if _YAML not in lines[1:]:
        return text
    at = lines.index(_YAML, 1)
    fields = [_LINE.fullmatch(line) for line in lines[at + 1 :]]
    if not all(fields) or len({match["key"] for match in fields if match}) != len(fields):
        return text
    found = [
        f"{match['key']}: "
        + next(
            value
            for value in (match["plain"], match["double"], (match["single"] or "").replace("''", "'"))
            if value is not None
        )
        for match in fields
        if match
    ]
    return "\n".join([*lines[:at], *found]) + "\n"


def _from_base64(item: Item) -> Item | None:
    """Return the item with the file that its text is, None if it is none."""
    kept = tuple(
        each for each in item.fields if each.name.lower() not in ("content-transfer-encoding", "content-disposition")
    )
    disposition = next((each.value for each in item.fields if each.name.lower() == "content-disposition"), "")
    named = re.search(r'filename="?([^";]+)"?', disposition)
    try:
        content = base64.b64decode("".join((item.notes or "").split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    return replace(item, fields=kept, notes=None, attachments=(Attachment(named[1] if named else item.title, content),))
