"""What `clave generate` does. Loaded also where click is not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from clave.cli import _deliver, _output
from clave.cli._checks import exclusive, replacing
from clave.errors import NotFound

if TYPE_CHECKING:
    from clave.cli._state import App
    from clave.store.passwords import Generated


def generate(
    app: App,
    name: str,
    length: str | None = None,
    *,
    no_symbols: bool = False,
    in_place: bool = False,
    force: bool = False,
    words: int | None = None,
    charset: str | None = None,
    exclude_similar: bool = False,
    clip: bool = False,
    qrcode: bool = False,
) -> None:
    """Store a new password and show it; the arguments are those of the command."""
    exclusive(words=words, charset=charset, no_symbols=no_symbols)
    exclusive(words=words, length=length)
    exclusive(words=words, exclude_similar=exclude_similar)
    exclusive(in_place=in_place, force=force)
    exclusive(clip=clip, qrcode=qrcode)
    from clave.model.secret import Secret
    from clave.store import passwords, writing

    store, name = app.split(name)
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
