"""`clave ci`: run a program with a machine's key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli._checks import exclusive
from clave.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command(name="ci", context_settings={"allow_interspersed_args": False})
@click.option("--key-file", metavar="FILE", help="The file with the machine's secret key.")
@click.option("--key-fd", type=click.IntRange(min=0), metavar="N", help="The descriptor that gives it.")
@click.argument("argv", metavar="-- CMD…", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def command(ctx: click.Context, key_file: str | None, key_fd: int | None, argv: Sequence[str]) -> None:
    """Run a program with a machine's key, which is gone afterwards.

    The key is the one that `clave team machine` printed. It is put into a keyring of its own, in RAM, for the clave
    that CMD runs; when CMD ends the keyring is removed and its agent stopped. CLAVE_ROOT has to hold the words of the
    store (clave pin --words), and PASSWORD_STORE_DIR where it was cloned to.

    \b
    git clone --filter=blob:none "$URL" "$PASSWORD_STORE_DIR"
    clave ci --key-fd 3 -- clave exec --allow -- make deploy 3<<<"$MACHINE_KEY"
    """
    from clave.delivery import ci

    exclusive(key_file=key_file, key_fd=key_fd is not None)
    if not argv:
        raise UsageError("ci needs a program to run", "It stands at the end: clave ci --key-file FILE -- CMD.")
    if key_file is None and key_fd is None:
        raise UsageError("ci needs the key of the machine", "Say where it is: --key-file FILE, or --key-fd N.")
    ci.require_root()
    key = ci.read_key(key_file) if key_file is not None else ci.read_key_from(key_fd or 0)
    ctx.exit(ci.run(argv, key))
