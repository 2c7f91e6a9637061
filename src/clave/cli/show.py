"""`clave show NAME`, and `clave NAME`: an entry, or what is in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _field, _output
from clave.cli._app import pass_app
from clave.cli._checks import exclusive
from clave.cli._deliver import deliver
from clave.cli._options import OptionalValues, delivery
from clave.cli._target import Target, resolve
from clave.cli._tree import show_folder
from clave.errors import NotFound, UsageError
from clave.model.name import split_field
from clave.model.secret import OTP
from clave.store import layout
from clave.store.reading import read
from clave.store.search import missing

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.store.store import Store


# Besides the revisions that `--at` takes: no commit has such a name.
PENDING, PREVIOUS = ":pending", ":previous"


@click.command(name="show", cls=OptionalValues)
@delivery(line=True)
@click.option("--at", "revision", metavar="REV", help="As it was: -N (versions earlier), a date or a commit.")
@click.option("--pending", is_flag=True, help="What is to be in force: of a rotation that is under way.")
@click.option("--previous", is_flag=True, help="As it was before its value last changed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, the entry taken apart into fields.")
@click.argument("name", metavar="[NAME[#FIELD]]", default="")
@pass_app
def command(
    app: App,
    name: str,
    clip: str | None,
    qrcode: str | None,
    revision: str | None,
    pending: bool,
    previous: bool,
    as_json: bool,
) -> None:
    """Show an entry, or list a folder.

    The entry is written to stdout byte for byte; NAME#FIELD is one field of it, `password` its first line, `otp`
    the one-time code of now. Without NAME all of the store is listed.

    \b
    clave show work/db             the entry
    clave show 'work/db#user'      one field
    clave show -c2 work/db         its second line, to the clipboard
    clave show --at -1 work/db     what it was before its last change
    """
    exclusive(clip=clip, qrcode=qrcode, json=as_json)
    exclusive(at=revision, pending=pending, previous=previous)
    revision = PENDING if pending else PREVIOUS if previous else revision
    store, name = app.look(name, strict=bool(clip))
    if not name.strip("/") or _is_folder(store, name):
        if clip or qrcode or revision:
            raise UsageError(f"{name or 'the store'} is a folder, not an entry", "Name one of its entries.")
        show_folder(store, name, as_json=as_json)
        return
    target = resolve(store, name)
    plaintext = _plaintext(target, name, revision)
    if as_json:
        _output.json(_document(target, plaintext))
    elif target.field:
        label = f"{target.name}#{target.field}"
        _first_line(clip or qrcode, label)
        deliver(app, _value(target, plaintext, revision), label, clip=bool(clip), qrcode=bool(qrcode))
    elif clip or qrcode:
        line = _line(plaintext, clip or qrcode or "")
        deliver(app, line, target.name, clip=bool(clip), qrcode=bool(qrcode))
    else:
        _output.value(plaintext)


def _is_folder(store: Store, name: str) -> bool:
    """Tell whether a name is a folder alone; where it is both it is the entry, with a final slash the folder."""
    return layout.is_folder(store.root, name) and (name.endswith("/") or not layout.is_entry(store.root, name))


def _plaintext(target: Target, name: str, revision: str | None) -> bytes:
    if revision in (PENDING, PREVIOUS):
        return _of_rotation(target, revision)
    if revision is not None:
        from clave.store import history

        return history.at(target.store, target.name, revision)
    if not layout.is_entry(target.store.root, target.name):
        raise missing(target.store, split_field(name)[0] if target.field else name)
    return read(target.store.root, target.name, options=target.store.options)


def _of_rotation(target: Target, revision: str) -> bytes:
    """Return the value that is to be in force, or the one before. Raises NotFound where there is none."""
    from clave.store.lifecycle import pending, rotating

    if revision == PREVIOUS:
        return rotating.previous(target.store, target.name)
    found = pending.read(target.store, target.name)
    if found is None:
        raise NotFound(f"no rotation of {target.name} is under way", "See which are: clave rotate --list.")
    return found.plaintext


def _value(target: Target, plaintext: bytes, revision: str | None) -> bytes:
    if revision is not None and (target.field or "").casefold() == OTP:
        raise UsageError("a code is made of the entry as it is now", "Leave out --at, --pending or --previous.")
    return _field.value(target, plaintext, target.field or "")


def _first_line(line: str | None, label: str) -> None:
    if line not in (None, "1"):
        raise UsageError(f"{label} is a field, and line {line} another choice", "Give one of them.")


def _line(plaintext: bytes, number: str) -> bytes:
    """Return a line by its number from 1, in pass's words where there is none."""
    if not (number.isascii() and number.isdigit()):
        raise UsageError(f"Clip location '{number}' is not a number", "Count lines from 1.")
    lines = plaintext.split(b"\n")
    at = int(number[:10]) - 1
    if not 0 <= at < len(lines) or not lines[at]:
        raise NotFound(f"There is no password to put on the clipboard at line {number}")
    return lines[at]


def _document(target: Target, plaintext: bytes) -> dict[str, object]:
    from base64 import b64encode

    from clave.model.secret import Secret

    secret = Secret(plaintext)
    if not secret.is_text:
        return {"name": target.name, "base64": b64encode(plaintext).decode()}
    if target.field:
        return {
            "name": target.name,
            "field": target.field,
            "value": _field.value(target, plaintext, target.field).decode(),
        }
    return {
        "name": target.name,
        "password": secret.password.decode(),
        "fields": [{"name": name, "value": value.decode()} for name, value in secret.fields],
        "otpauth": secret.otp_uris,
        "notes": secret.notes.decode(),
    }
