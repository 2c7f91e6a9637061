"""`clave export FORMAT`: entries written for another manager, or into a file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from clave.cli import _ask, _exchange, _output
from clave.cli._app import pass_app
from clave.cli._progress import Progress
from clave.errors import UsageError

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.exchange.format import Format
    from clave.openpgp.keys import Recipient
    from clave.store.store import Store


@click.command(name="export")
@click.argument("form", metavar="FORMAT")
@click.argument("paths", metavar="[PATH]…", nargs=-1)
@click.option("-o", "--output", metavar="FILE", help="Write this new file, for you alone to read (0600).")
@click.option("--plaintext", is_flag=True, help="Write a file that anybody who gets it can read.")
@click.option("--encrypt-to", "ids", multiple=True, metavar="KEY", help="Encrypt the file with gpg; may be repeated.")
@click.option("--lossy", is_flag=True, help="Go on although the format does not carry all of it.")
@click.option("--skip-unreadable", is_flag=True, help="Leave out what you cannot decrypt.")
@click.option("--password-file", metavar="FILE", help="Read the new file's password from the first line of FILE.")
@click.option("--password-fd", type=int, metavar="N", help="Read it from file descriptor N.")
@click.option(
    "--key-file", metavar="FILE", help="A key file for a KeePass database; with an empty password, all its key."
)
@_exchange.formats
@pass_app
def command(
    app: App,
    form: str,
    paths: tuple[str, ...],
    *,
    output: str | None,
    plaintext: bool,
    ids: tuple[str, ...],
    lossy: bool,
    skip_unreadable: bool,
    password_file: str | None,
    password_fd: int | None,
    key_file: str | None,
) -> None:
    """Write entries for another manager, or into a file.

    Without PATH all entries are written that you can read. What the format does not carry is listed before anything is
    written. The file is new and for you alone; without -o it goes to a pipe, never to a terminal. If anybody who gets
    the file could read it, you are asked; in a script say --plaintext, or have it encrypted: --encrypt-to.

    \b
    clave export kdbx -o team.kdbx            asks for the password of the new database
    clave export json work --encrypt-to alice@example.com -o work.json.gpg
    clave export csv --plaintext -o all.csv   cells are what they are: a spreadsheet may take some for formulas
    clave export pass shared --encrypt-to bob@example.com -o for-bob   a folder that pass reads
    """
    from clave.exchange import exporting
    from clave.exchange.format import WriteOptions, find

    writer = find(form)
    if not writer.writes:
        raise UsageError(f"clave does not write {writer.name}", "It only reads it.")
    store, names = _where(app, paths)
    recipients = _recipients(store, writer, ids)
    _require_place(store, writer, output, encrypted=bool(recipients))
    options = WriteOptions(
        password=_exchange.password(
            password_file, password_fd, "Password of the new file", again=True, key_file=key_file is not None
        ),
        key_file=_exchange.content(key_file) if key_file else None,
    )
    with Progress("decrypted") as progress:
        found = exporting.collect(store, names, writer, skip_unreadable=skip_unreadable, progress=progress)
    for line in _exchange.lines(found.skipped, "left out ") + _exchange.lines(found.lost, "lost     "):
        _output.note(line)
    _exchange.require_losses_accepted(found.lost, lossy=lossy)
    if writer.plaintext and not recipients:
        _require_plaintext(writer, len(found.items), plaintext=plaintext)
    if writer.folder:
        assert output is not None
        exporting.write_folder(output, writer, found.items, options, recipients, store)
    else:
        _write(store, writer.write(found.items, options), recipients, output)
    if output is not None:
        _output.note(f"{_exchange.plural(len(found.items))} written to {output}")


def _where(app: App, paths: tuple[str, ...]) -> tuple[Store, list[str]]:
    """Return the store, which is verified first, and the names in it."""
    looked = [app.look(path, strict=True, below=True) for path in paths or ("",)]
    stores = {store.root: store for store, _ in looked}
    if len(stores) > 1:
        raise UsageError("the paths are in several stores", "Export one store at a time.")
    return looked[0][0], [name for _, name in looked if name or len(looked) > 1]


def _recipients(store: Store, writer: Format, ids: tuple[str, ...]) -> list[Recipient]:
    if writer.folder and not ids:
        raise UsageError(f"{writer.name} is a folder of encrypted files", "Say for whom: --encrypt-to KEY.")
    if not ids:
        return []
    from clave.store import recipients

    return recipients.resolve(store, ids)


def _require_place(store: Store, writer: Format, output: str | None, *, encrypted: bool) -> None:
    from clave.exchange import exporting

    if output is not None:
        exporting.check_target(store, output)
    elif writer.folder:
        raise UsageError(f"{writer.name} is a folder", "Name a new one: -o FOLDER.")
    elif sys.stdout.isatty():
        what = "this is no text" if encrypted or not writer.plaintext else "these are secrets"
        raise UsageError(f"{what}, and this is a terminal", "Name a new file: -o FILE.")


def _require_plaintext(writer: Format, count: int, *, plaintext: bool) -> None:
    if plaintext:
        return
    entries = _exchange.plural(count)
    if not _ask.confirm(f"Anybody who gets the file can read {entries} in it. Write it?"):
        raise UsageError(
            f"{writer.name} is not encrypted: nothing was written", "Say --plaintext, or --encrypt-to KEY."
        )


def _write(store: Store, data: bytes, recipients: list[Recipient], output: str | None) -> None:
    from clave.exchange import exporting

    if recipients:
        data = exporting.encrypt(data, recipients, store)
    if output is None:
        _output.value(data)
    else:
        exporting.write_file(output, data)
