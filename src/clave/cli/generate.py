"""`clave generate`: a new password."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli._app import pass_app
from clave.cli._generate import generate
from clave.cli._options import delivery

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command(name="generate")
@click.option("-n", "--no-symbols", is_flag=True, help="Letters and digits only.")
@click.option("-i", "--in-place", is_flag=True, help="Replace the first line, keep the others.")
@click.option("-f", "--force", is_flag=True, help="Overwrite without a question.")
@click.option("--words", type=click.IntRange(1, 1000), metavar="N", help="N words of the EFF's long list.")
@click.option("--charset", metavar="SET", help="Characters to choose from, as for tr: a-z, [:alnum:], …")
@click.option("--exclude-similar", is_flag=True, help="Leave out what is easily misread, such as 0 and O.")
@click.option("--allow-weak", is_flag=True, help="Also with less entropy than the policy of the store wants.")
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
    allow_weak: bool,
    clip: bool,
    qrcode: bool,
) -> None:
    """Generate a password.

    It is LENGTH characters long (25, or what generate.length says). The policy of the store may want another length,
    other characters, or words; options come before it. Its entropy is told on stderr. It is shown once it is stored. An
    entry that is there already is overwritten whole, after a question; -i keeps its other lines.
    """
    generate(
        app,
        name,
        length,
        no_symbols=no_symbols,
        in_place=in_place,
        force=force,
        words=words,
        charset=charset,
        exclude_similar=exclude_similar,
        allow_weak=allow_weak,
        clip=clip,
        qrcode=qrcode,
    )
