#!/usr/bin/env python3
"""Write the manual pages `man/clave.1` and `man/clave-COMMAND.1` from the commands' own help.

tools/man.py            write them
tools/man.py --check    only tell which are not up to date; exit 1 if any
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clave import __version__, errors
from clave.cli._commands import SECTIONS
from clave.cli._lazy import LazyGroup
from clave.cli.main import root
from clave.config import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "man"

# What an argument of that name is: in one command (`store add NAME`), or in every other that takes one.
ARGUMENTS = {
    "COMMAND": "The name of a command, and of a command of it.",
    "KEY": "The name of a setting.",
    "NAME": "The name of an entry: its path in the store, as in `mail/work`.",
    "PATH": "A folder on this machine.",
    "SHELL": "`bash`, `zsh` or `fish`.",
    "STORE": "The name of a store.",
    "VALUE": "The new value.",
}

# Variables that are no settings of `config.KEYS`. A test looks for those that the program reads.
VARIABLES = {
    "CLAVE_DEBUG": "With `1`, an error is shown with its traceback. It may hold names and paths.",
    "CLAVE_YES": "With `1`, “overwrite?” and “delete?” are answered with yes, and nothing else.",
    "DISPLAY, WAYLAND_DISPLAY": "The display whose clipboard is used.",
    "GNUPGHOME": "The folder of GnuPG's keys, where not `~/.gnupg`.",
    "GPG_TTY": "The terminal on which pinentry asks; found out if it is not set.",
    "NO_COLOR": "If set, nothing is coloured.",
    "VISUAL, EDITOR": "The editor of `clave edit`.",
    "XDG_CACHE_HOME": "The folder of caches, if not `~/.cache`.",
    "XDG_CONFIG_HOME": "The folder of config files, if not `~/.config`.",
}

FILES = {
    "~/.password-store": "The store, where none is named.",
    "NAME.gpg": "In the store: the entry NAME, an OpenPGP message.",
    ".gpg-id": "In the store: who can read this folder and those below it, a key a line.",
    ".gpg-id.sig": "The signature of that file, checked where PASSWORD_STORE_SIGNING_KEY is set.",
    "~/.config/clave/config.toml": "The settings; see clave-config(1).",
}

_CHARACTERS = {"\\": r"\(rs", "-": r"\-", "^": r"\(ha", "~": r"\(ti", "`": r"\(ga", "'": r"\(aq", '"': r"\(dq"}


def escape(text: str) -> str:
    """Return `text` so that roff prints it as it is."""
    return "".join(_CHARACTERS.get(c) or (c if c.isascii() else rf"\[u{ord(c):04X}]") for c in text)


def lines(text: str) -> str:
    """Return escaped `text` with nothing in it that roff takes for a request: a dot at the start of a line."""
    return re.sub(r"^(?=\.)", r"\\&", text, flags=re.MULTILINE)


def prose(text: str) -> str:
    """Return running text, with what stands between backquotes in bold."""
    parts = text.split("`")
    marked = "".join(bold(part) if at % 2 else escape(part) for at, part in enumerate(parts))
    return lines(textwrap.fill(marked, 78, break_long_words=False, break_on_hyphens=False))


def bold(text: str) -> str:
    """Return `text` in bold."""
    return rf"\fB{escape(text)}\fR"


def usage(text: str) -> str:
    """Return options and arguments as a synopsis sets them: options bold, what to replace in italics."""

    def style(word: re.Match[str]) -> str:
        return rf"\fI{escape(word[0])}\fR" if word[0][0].isupper() else bold(word[0])

    parts = re.split(r"(--?[A-Za-z][A-Za-z-]*|\b[A-Z][A-Z_]*\b)", text)
    return "".join(re.sub(".+", style, part) if at % 2 else escape(part) for at, part in enumerate(parts))


class Roff(click.HelpFormatter):
    """Takes what click writes into a help screen and makes it part of a manual page.

    In a page's own command a section is one of the page; a command of a group has no sections.
    """

    def __init__(self) -> None:
        super().__init__()
        self._nested = False

    @contextmanager
    def subsection(self, title: str) -> Iterator[None]:
        """Write what follows under a small heading, without sections."""
        self.write(f".SS {escape(title)}\n")
        self._nested = True
        yield
        self._nested = False

    def write_heading(self, heading: str) -> None:
        """Start a section."""
        if not self._nested:
            self.write(f".SH {escape(heading.upper())}\n")

    def write_paragraph(self) -> None:
        """Do nothing: `write_text` and the sections separate themselves."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:  # noqa: ARG002 - click's
        """Write a synopsis."""
        self.write(f"{bold(prog)} {usage(args)}\n")

    def write_text(self, text: str) -> None:
        """Write paragraphs; after a line with a backspace alone a paragraph keeps its lines, as in click."""
        for at, paragraph in enumerate(re.split(r"\n\s*\n", text.strip("\n"))):
            self.write(".PP\n" if at or self._nested else "")
            if paragraph.startswith("\b\n"):
                self.write(f".EX\n{lines(escape(textwrap.dedent(paragraph[2:])))}\n.EE\n")
            else:
                self.write(prose(paragraph) + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:  # noqa: ARG002 - click's
        """Write a list of options and what they do."""
        self.write_list([(usage(term), text) for term, text in rows])

    def write_list(self, rows: Iterable[tuple[str, str]]) -> None:
        """Write a list of terms, which are roff already, and their meaning."""
        for term, text in rows:
            self.write(f".TP\n{term}\n{prose(text)}\n")


def pages() -> dict[str, str]:
    """Return every page by its file name."""
    ctx = click.Context(root, info_name="clave", **root.context_settings)
    made = {"clave.1": page(ctx)}
    for name in root.list_commands(ctx):
        made[f"clave-{name}.1"] = page(_child(ctx, name))
    return made


def _child(ctx: click.Context, name: str) -> click.Context:
    assert isinstance(ctx.command, click.Group)
    command = ctx.command.get_command(ctx, name)
    assert command is not None
    return click.Context(command, info_name=name, parent=ctx)


def page(ctx: click.Context) -> str:
    """Return the manual page of a command."""
    command, title = ctx.command, ctx.command_path.replace(" ", "-")
    roff = Roff()
    roff.write('.\\" Made by tools/man.py from the help of the commands: change that.\n')
    roff.write(f'.TH {escape(title.upper())} 1 {released()} "clave {__version__}" "User Commands"\n')
    with roff.section("Name"):
        roff.write(f"{escape(title)} \\- {escape(_phrase(command))}\n")
    with roff.section("Synopsis"):
        command.format_usage(ctx, roff)
    with roff.section("Description"):
        command.format_help_text(ctx, roff)
        _write_aliases(ctx, roff)
    _write_parameters(ctx, roff)
    if isinstance(command, LazyGroup):
        roff.write_heading("Commands")
        _write_commands(ctx, command, roff)
    command.format_epilog(ctx, roff)
    with roff.section("Exit status"):
        roff.write_list([(bold(str(code)), text) for code, text in exit_codes().items()])
    with roff.section("Environment"):
        variables = {key.variable: key.description for key in KEYS if key.variable} | VARIABLES
        roff.write_list([(bold(name), text) for name, text in variables.items()])
    with roff.section("Files"):
        roff.write_list([(rf"\fI{escape(name)}\fR", text) for name, text in FILES.items()])
    with roff.section("See also"):
        others = [f"clave-{name}" for name in root.rows] if ctx.parent is None else ["clave"]
        references = [f"{bold(name)}(1)" for name in (*others, "pass", "gpg", "git")]
        roff.write(",\n".join(references) + "\n")
    return roff.getvalue()


def _phrase(command: click.Command) -> str:
    """Return the first line of a command's help as it stands after “clave-show -”."""
    assert command.help, f"{command.name} has no help"
    first = command.help.strip().splitlines()[0].removesuffix(".")
    return first[0].lower() + first[1:]


def _write_aliases(ctx: click.Context, roff: Roff) -> None:
    above = ctx.parent.command if ctx.parent else None
    aliases = above.rows[ctx.info_name or ""].aliases if isinstance(above, LazyGroup) else ()
    if aliases:
        names = " and ".join(f"`{alias}`" for alias in aliases)
        roff.write(f".PP\n{prose(names)} {'is' if len(aliases) == 1 else 'are'} the same command.\n")


def _write_parameters(ctx: click.Context, roff: Roff) -> None:
    arguments = [param for param in ctx.command.params if isinstance(param, click.Argument)]
    if arguments:
        with roff.section("Arguments"):
            roff.write_dl([(param.make_metavar(ctx), _argument(ctx, param)) for param in arguments])
    # A group's own would list its commands too.
    click.Command.format_options(ctx.command, ctx, roff)


def _argument(ctx: click.Context, param: click.Argument) -> str:
    name = param.make_metavar(ctx).strip("[].…")
    place = f"{ctx.command_path.removeprefix('clave ')} {name}"
    text = ARGUMENTS.get(place) or ARGUMENTS.get(name)
    assert text, f"say in ARGUMENTS what '{place}' is"
    return text


def _write_commands(ctx: click.Context, group: LazyGroup, roff: Roff) -> None:
    """Write the table of the program's commands, or everything about those of a smaller group."""
    if ctx.parent is None:
        for title, rows in SECTIONS.items():
            with roff.subsection(title):
                roff.write_list([(f"{bold(f'clave-{name}')}(1)", row.help) for name, row in rows.items()])
        return
    for name in group.rows:
        child = _child(ctx, name)
        with roff.subsection(child.command_path):
            child.command.format_usage(child, roff)
            child.command.format_help_text(child, roff)
            _write_aliases(child, roff)
            _write_parameters(child, roff)


def exit_codes() -> dict[int, str]:
    """Return what each exit code says: the words of the class that has it."""
    codes = {0: "Everything that was asked for was done."}
    for failure in vars(errors).values():
        if inspect.isclass(failure) and errors.ClaveError in failure.__bases__:
            assert issubclass(failure, errors.ClaveError)
            assert failure.__doc__
            codes.setdefault(failure.exit_code, failure.__doc__.strip().splitlines()[0])
    return dict(sorted(codes.items()))


def released() -> str:
    """Return the date of the newest release of the changelog (a page must not change by the day)."""
    dates = re.findall(r"^## \[.*\] - (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    return str(dates[0])


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` compare them."""
    made = {PAGES / name: text for name, text in pages().items()}
    stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    surplus = [path for path in PAGES.glob("*") if path not in made]
    for path in (*stale, *surplus):
        print(f"{path.relative_to(ROOT)} is not up to date" if "--check" in arguments else path.relative_to(ROOT))
    if "--check" in arguments:
        return 1 if stale or surplus else 0
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(made[path])
    for path in surplus:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
