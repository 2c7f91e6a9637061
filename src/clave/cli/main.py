"""The root of the command line: global options, the first word, and how a failure is told.

A first word that is no command is the name of an entry, as with pass: `clave NAME` and `clave -c NAME`
are `clave show …`. Every failure ends here as one line on stderr and an exit code; nothing else in the
program prints an error or exits.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import App
from clave.cli._commands import ALIASES, COMMANDS, SECTIONS
from clave.cli._lazy import LazyGroup
from clave.cli._process import close_output, prepare, print_error, tell
from clave.errors import ClaveError, Interrupted, NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_FLAGS = frozenset(("-h", "--help", "--version", "--yes"))


class Root(LazyGroup):
    """The root group: puts `show` before a first word that is no command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the global options, having found where they end."""
        end = _end_of_options(args)
        if end > len(args):  # `-s` without its argument
            return super().parse_args(ctx, args)
        words = args[end:]
        ctx.meta["clave.bare"] = not words
        if not words or words[0] not in {**COMMANDS, **ALIASES}:
            ctx.meta["clave.entry"] = words[0] if words else None
            args = [*args[:end], "show", *words]
        return super().parse_args(ctx, args)


def _end_of_options(args: Sequence[str]) -> int:
    """Return the index of the first argument that is no global option; one too many if an option lacks its own."""
    at = 0
    while at < len(args):
        argument = args[at]
        if argument in ("-s", "--store"):
            at += 2
        elif argument in _FLAGS or argument.startswith(("--store=", "-s")):
            at += 1
        else:
            break
    return at


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from clave.cli.version import text

        _output.line(text())
        ctx.exit()


@click.group(
    name="clave",
    cls=Root,
    package="clave.cli",
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    subcommand_metavar="[COMMAND | NAME] …",
    help="""A password store for teams who live in a shell.

    It works on every store of "pass: the standard unix password manager", and as that does: `clave NAME`
    shows an entry, `clave` alone lists them all.

    A store is a folder of OpenPGP files, usually a git repository. Each file is an entry; the nearest .gpg-id
    upwards says who can read it. The first line of an entry is the password, the lines `name: value` below it
    are its fields. NAME#FIELD is one field, STORE:NAME an entry of another store.
    """,
)
@click.option("-s", "--store", "store", metavar="STORE", help="Use the store of this name.")
@click.option("--yes", is_flag=True, help="Answer yes to “overwrite?” and “delete?”.")
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version,
              help="Show the version.")  # fmt: skip
@click.pass_context
def root(ctx: click.Context, store: str | None, yes: bool) -> None:
    """Take the global options."""
    if yes:
        os.environ["CLAVE_YES"] = "1"
    ctx.obj = App(store)


def main(argv: list[str] | None = None) -> int:
    """Run one command line (without the program's name) and return its exit code."""
    try:
        prepare()
        code = _run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except click.ClickException as failure:
        print_error(_usage_line(failure))
        code = 2
    except click.Abort:
        code = tell(Interrupted("interrupted"))
    except BaseException as failure:  # noqa: BLE001 - the one place where every failure ends
        code = tell(failure)
    return close_output(code)


def _run(argv: list[str]) -> int:
    """Run one command line; return the code of a command that ended with one of its own (`git`)."""
    try:
        ctx = root.make_context("clave", argv)
    except click.exceptions.Exit as end:
        return end.exit_code
    with ctx:
        try:
            root.invoke(ctx)
        except click.exceptions.Exit as end:
            return end.exit_code
        except (NotFound, UsageError, click.UsageError) as failure:
            if ctx.meta["clave.bare"] and _no_store(failure):
                return NotFound.exit_code
            question = _other_command(ctx.meta.get("clave.entry"))
            if question and isinstance(failure, ClaveError):
                failure.hint = f"{failure.hint} {question}" if failure.hint else question
            elif question and isinstance(failure, click.UsageError):
                raise click.UsageError(f"{failure}. {question}", failure.ctx) from None
            raise
    return 0


def _no_store(failure: Exception) -> bool:
    """Say how to get a store, if that is what is missing for `clave` alone."""
    from clave.store.stores import NoStore

    if not isinstance(failure, NoStore):
        return False
    _output.note(
        f"There is no password store at {failure.path} yet.\n"
        f"  Make one:      clave init\n"
        f"  Join one:      git clone URL {failure.path}\n"
        f"  Point at one:  export PASSWORD_STORE_DIR=PATH, or: clave store add NAME PATH"
    )
    return True


def _other_command(word: str | None) -> str | None:
    """Ask whether a word that was taken for an entry's name is a command mistyped."""
    from difflib import get_close_matches

    close = get_close_matches(word or "", [*COMMANDS, *ALIASES], n=1, cutoff=0.75)
    return f"Or did you mean the command '{close[0]}'?" if close else None


def _usage_line(failure: click.ClickException) -> str:
    """Return click's message in our form: one line, lower case, then where to read more."""
    ctx = failure.ctx if isinstance(failure, click.UsageError) else None
    path = ctx.command_path if ctx else "clave"
    if isinstance(failure, click.exceptions.NoArgsIsHelpError):
        assert isinstance(failure.ctx.command, LazyGroup)
        message = f"which command? '{path}' has {', '.join(failure.ctx.command.rows)}."
    else:
        message = failure.format_message()
        message = message[:1].lower() + message[1:]
        message = message if message.endswith((".", "?", "!")) else message + "."
    return f"{message} Try '{path} --help'."
