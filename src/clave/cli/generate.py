"""`clave generate`: a new password."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from clave.cli import _deliver, _output
from clave.cli._app import pass_app
from clave.cli._options import delivery, exclusive, replacing
from clave.errors import NotFound
from clave.store.stores import split_store

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.store.passwords import Generated


@click.command(name="generate")
@click.option("-n", "--no-symbols", is_flag=True, help="Letters and digits only.")
@click.option("-i", "--in-place", is_flag=True, help="Replace the first line, keep the others.")
@click.option("-f", "--force", is_flag=True, help="Overwrite without a question.")
@click.option("--words", type=click.IntRange(1, 1000), metavar="N", help="N words of the EFF's long list.")
@click.option("--charset", metavar="SET", help="Characters to choose from, as for tr: a-z, [:alnum:], …")
@click.option("--exclude-similar", is_flag=True, help="Leave out what is easily misread, such as 0 and O.")
@delivery()
@click.argument("name")
@click.argument("length", required=False)
@pass_app
def command(
    app: App,
    name: str,
    length: str | None,
    no_symbols: bool,
    in_place: bool,
    force: bool,
    words: int | None,
    charset: str | None,
    exclude_similar: bool,
    clip: bool,
    qrcode: bool,
) -> None:
    """Generate a password.

    It is LENGTH characters long (25, or what generate.length says). Its entropy is told on stderr. It is shown
    once it is stored. An entry that is there already is overwritten whole, after a question; -i keeps its other
    lines.
    """
    exclusive(words=words, charset=charset, no_symbols=no_symbols)
    exclusive(words=words, length=length)
    exclusive(words=words, exclude_similar=exclude_similar)
    exclusive(in_place=in_place, force=force)
    exclusive(clip=clip, qrcode=qrcode)
    from clave.model.secret import Secret
    from clave.store import passwords, writing

    store, name = split_store(app.settings, name, app.store_name)
    if words is not None:
        new = passwords.words(words)
    else:
        default = app.settings.generate_charset_no_symbols if no_symbols else app.settings.generate_charset
        number = app.settings.generate_length if length is None else passwords.parse_length(length)
        chosen = default if charset is None else charset
        new = passwords.characters(number, chosen, exclude_similar=exclude_similar)
    password = new.text.encode()
    _deliver.require(app, password, clip=clip, qrcode=qrcode)
    if in_place:

        def renew(old: bytes | None) -> bytes:
            if old is None:
                raise NotFound(f"{name} is not in the password store", "Generate it without -i.")
            return Secret(old).with_password(password).plaintext

        writing.update(store, name, renew, subject=f"Replace generated password for {name}.", operation="generate")
    else:
        replacing(store, name, force=force)
        writing.insert(
            store, name, password + b"\n", subject=f"Add generated password for {name}.", operation="generate"
        )
    _show(app, name, new, clip=clip, qrcode=qrcode)


def _show(app: App, name: str, new: Generated, *, clip: bool, qrcode: bool) -> None:
    if clip or qrcode:
        _deliver.deliver(app, new.text.encode(), name, clip=clip, qrcode=qrcode)
    else:
        _output.note(f"The generated password for {name} is:")
        _output.line(_output.paint(new.text, "warning", sys.stdout))
    _output.note(f"{new.bits:.0f} bits of entropy")
