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
    allow_weak: bool = False,
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
    from clave.store.lifecycle import policies

    store, name = app.split(name)
    rule = policies.rule(store, name)
    settings = app.settings
    default = settings.generate_charset_no_symbols if no_symbols else settings.generate_charset
    number = None if length is None else passwords.parse_length(length)
    wanted = rule.generate if rule else None
    if wanted and wanted.words and (number or charset or no_symbols or exclude_similar):
        wanted = None  # of characters, as the user says
    if words is not None:
        new = passwords.words(words)
    elif wanted:
        wanted = wanted._replace(
            length=number or wanted.length,
            charset=charset or (None if no_symbols else wanted.charset),
            symbols=wanted.symbols and not no_symbols,
            exclude_similar=wanted.exclude_similar or exclude_similar,
        )
        new = policies.make(wanted, settings)
    else:
        chosen = default if charset is None else charset
        new = passwords.characters(number or settings.generate_length, chosen, exclude_similar=exclude_similar)
    if not allow_weak:
        policies.require_strength(rule, name, new.text.encode(), bits=new.bits)
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
