#!/usr/bin/env python3
"""Write the completion scripts in `completions/` from the commands and from the templates in `tools/shells/`.

tools/completions.py            write them
tools/completions.py --check    only tell which are not up to date; exit 1 if any

A template says how its shell completes; it has a line `@COMMANDS@` where what there is to complete is written. What a
word can be is its kind, said here once for all shells. For these kinds the scripts have the words themselves:

    command     a command, of the command before it
    path, file  a folder, or a file, of this machine
    =A,B        one of these words
    -           anything

All others are a KIND of `clave --complete`, see `clave/cli/_complete.py`.
"""

from __future__ import annotations

import re
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clave.cli._lazy import LazyGroup
from clave.cli._options import OptionalValue
from clave.cli.main import root
from clave.config import KEYS
from clave.exchange.format import all_formats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROOT = Path(__file__).parents[1]
COMPLETIONS = ROOT / "completions"
TEMPLATES = Path(__file__).parent / "shells"
SCRIPTS = {"bash": "clave.bash", "zsh": "_clave", "fish": "clave.fish"}

GIT = "add,branch,commit,config,diff,fetch,init,log,merge,pull,push,rebase,reflog,remote,reset,restore,show,status"

# The kind of an argument or of an option's value, by its name: in one command, or in all others.
KINDS = {
    "ACCOUNT": "-",
    "COMMIT": "-",
    "DATE": "-",
    "FINGERPRINT": "-",
    "GROUP": "-",
    "MEMBER": "member",
    "WHO": "member",
    "-- CMD": "-",
    "access NAME": "entry",
    "manifest add REFERENCE": "value",
    "manifest add VARIABLE": "-",
    "key add FINGERPRINT": "key",
    "team machine MEMBER": "-",
    "team add KEY": "key",
    "team add MEMBER": "-",
    "ARGUMENTS": "=" + GIT,
    "COMMAND": "command",
    "FIELD": "field",
    "FILE": "file",
    "FOLDER": "folder",
    "FORMAT] FILE": "file",
    "ISSUER": "-",
    "LENGTH": "-",
    "TEXT": "-",
    "policy set KEY=VALUE": "-",
    "policy set AGE": "-",
    "policy set KEY": "-",
    "due AGE": "-",
    "due PATH": "entry",
    "LINE": "-",
    "N": "-",
    "NAME=REF": "-",
    "NAMES": "-",
    "NAME": "entry",
    "NAME[#FIELD": "value",
    "NEW": "entry",
    "OLD": "entry",
    "OLD NEW REF": "-",
    "PART=COLUMN,": "-",
    "PATH": "path",
    "PATTERN": "-",
    "PATTERN [FOLDER": "- folder",
    "PROFILE": "-",
    "QUERY": "-",
    "REV": "-",
    "SECONDS": "-",
    "SET": "-",
    "STORE": "store",
    "TEMPLATE": "file",
    "TERM": "-",
    "URI": "-",
    "URL": "-",
    "VALUE": "-",
    "WORDS": "-",
    "config get KEY": "=" + ",".join(key.name for key in KEYS),
    "config set KEY": "=" + ",".join(key.name for key in KEYS if key.in_file),
    "env NAME": "-",
    "export FORMAT": "=" + ",".join(name for name, form in all_formats().items() if form.writes),
    "export KEY": "key",
    "export PATH": "entry",
    "exec NAME": "-",
    "rotate D": "=manual,command:,postgresql",
    "rotate KEY=VALUE": "-",
    "init FOLDER": "subfolder",
    "init KEY": "key",
    "store add NAME": "-",
    "store default NAME": "store",
    "store remove NAME": "store",
}

# Commands that may be left out: `clave NAME` is `clave show NAME`.
LEFT_OUT = {"": "show", "group": "list", "otp": "code"}


@dataclass(frozen=True)
class Option:
    """An option: its spellings, what `--help` says, and the kind of its value, None if none follows.

    With `optional`, a value may only be attached.
    """

    names: tuple[str, ...]
    help: str
    kind: str | None
    optional: bool


@dataclass(frozen=True)
class Command:
    """A command: the words that lead to it, its options, the kinds of its arguments: a `*` behind one that may repeat.

    `commands` has for each name, alias or not, of a command of it the name and the help; `left_out` is one of them.
    """

    path: tuple[str, ...]
    options: list[Option]
    kinds: list[str] = field(default_factory=list)
    commands: dict[str, tuple[str, str]] = field(default_factory=dict)
    left_out: str = ""

    @property
    def key(self) -> str:
        """Return the words that lead to it as one."""
        return " ".join(self.path)


def commands(ctx: click.Context | None = None) -> list[Command]:
    """Return all commands, each before those of it."""
    ctx = ctx or click.Context(root, info_name="clave", **root.context_settings)
    above = ctx.command
    here = _command(ctx)
    found = [here]
    if isinstance(above, LazyGroup):
        for name in above.rows:
            command = above.get_command(ctx, name)
            assert command is not None
            found += commands(click.Context(command, info_name=name, parent=ctx, **command.context_settings))
    if here.left_out:
        stands_in = next(each for each in found if each.path == (*here.path, here.left_out))
        known = {name for option in here.options for name in option.names}
        here.options.extend(option for option in stands_in.options if not known & {*option.names})
    return found


def _command(ctx: click.Context) -> Command:
    path = tuple(ctx.command_path.split()[1:])
    found = [param for param in ctx.command.get_params(ctx) if isinstance(param, click.Option) and not param.hidden]
    options = [_option(path, param, ctx) for param in found]
    if isinstance(ctx.command, LazyGroup):
        rows = ctx.command.rows.items()
        names = {each: (name, row.help) for name, row in rows for each in (name, *row.aliases)}
        return Command(path, options, commands=names, left_out=LEFT_OUT.get(" ".join(path), ""))
    arguments = [param for param in ctx.command.params if isinstance(param, click.Argument)]
    kinds = [_kind(path, param, ctx) + "*" * (param.nargs < 0) for param in arguments]
    return Command(path, options, " ".join(kinds).split())


def _option(path: tuple[str, ...], param: click.Option, ctx: click.Context) -> Option:
    kind = None if param.is_flag or param.count else _kind(path, param, ctx)
    text = (param.help or "").partition(";")[0].rstrip(".")
    return Option(tuple(param.opts), text, kind, isinstance(param, OptionalValue))


def _kind(path: tuple[str, ...], param: click.Parameter, ctx: click.Context) -> str:
    if isinstance(param.type, click.Choice):
        return "=" + ",".join(param.type.choices)
    name = param.make_metavar(ctx).strip("[].…")
    kind = KINDS.get(f"{' '.join(path)} {name}") or KINDS.get(name)
    assert kind, f"say in KINDS what '{' '.join(path)} {name}' is"
    return kind


def bash() -> str:
    """Return the cases of `_clave_takes`."""
    return "\n".join(_cases(_bash_words, "        {})\n            {}\n            ;;"))


def zsh() -> str:
    """Return the cases of `_clave_takes`."""
    return "\n".join(_cases(_zsh_words, "        ({})\n            {}\n            ;;"))


def fish() -> str:
    """Return the cases of `__clave_takes`."""
    return "\n".join(_cases(_fish_words, "        case {}\n            {}"))


def _cases(words: Callable[[str, list[str]], str], form: str) -> Iterator[str]:
    """Yield what each command takes, as a case of the shell's; `words` writes an assignment."""
    for command in commands():
        named = [(name, option) for option in command.options for name in option.names]
        given = {
            "options": [f"{name}:{option.help}" for name, option in named],
            "valued": [f"{name}={option.kind}" for name, option in named if option.kind and not option.optional],
            "attached": [f"{name}={option.kind}" for name, option in named if option.optional and option.kind != "-"],
            "kinds": command.kinds,
            "commands": [f"{name}:{text}" for name, (_, text) in command.commands.items()],
            "aliases": [f"{name}={of}" for name, (of, _) in command.commands.items() if name != of],
            "left_out": [command.left_out] if command.left_out else [],
        }
        assignments = [words(name, values) for name, values in given.items() if values]
        yield form.format(f"'{command.key}'", textwrap.indent("\n".join(assignments), " " * 12).lstrip())


def _bash_words(name: str, values: list[str]) -> str:
    """Assign words without what they mean: bash shows words alone."""
    words = " ".join(quoted(value.partition(":")[0]) for value in values)
    return "\n".join(textwrap.wrap(f"{name}=({words})", 105, break_long_words=False, break_on_hyphens=False))


def _zsh_words(name: str, values: list[str]) -> str:
    return f"{name}=({_lines(map(quoted, values), '')})"


def _fish_words(name: str, values: list[str]) -> str:
    return f"set {name} {_lines(map(fish_quoted, values), chr(92))}"


def _lines(words: Iterable[str], end: str) -> str:
    """Return words on a line if they are short, else each on one of its own."""
    found = list(words)
    if sum(map(len, found)) < 90:
        return " ".join(found)
    return f"{end}\n" + f"{' ' * bool(end)}{end}\n".join(f"    {word}" for word in found) + "\n" * (not end)


def quoted(text: str) -> str:
    """Return a word as bash and zsh read it."""
    return text if re.fullmatch(r"[\w./:-]+", text, re.ASCII) else "'" + text.replace("'", "'\\''") + "'"


def fish_quoted(text: str) -> str:
    """Return a word as fish reads it."""
    if re.fullmatch(r"[\w./:-]+", text, re.ASCII):
        return text
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def scripts() -> dict[str, str]:
    """Return every script by its file name."""
    made = {}
    for (shell, name), cases in zip(SCRIPTS.items(), (bash(), zsh(), fish()), strict=True):
        text = (TEMPLATES / f"completion.{shell}").read_text(encoding="utf-8")
        assert text.count("@COMMANDS@") == 1
        made[name] = text.replace("@COMMANDS@", cases)
    return made


def main(arguments: list[str]) -> int:
    """Write the scripts, or with `--check` compare them."""
    made = {COMPLETIONS / name: text for name, text in scripts().items()}
    stale = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)} is not up to date" if "--check" in arguments else path.relative_to(ROOT))
    if "--check" in arguments:
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(made[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
