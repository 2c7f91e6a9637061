"""Command lines of flags and words alone, run without click.

Loading click takes as long as the gpg and half of the git of a write. So the commands that are typed and scripted
most are run from here, if their command line holds nothing but the flags below and plain words; anything else (other
options, `--help`, a wrong number of words) is for the full program. A test compares the flags with the commands' own.

Imported by the fast path: nothing heavy may be imported here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Plain:
    """A command: the function in `clave.cli.<module>` that does it, its flags, how many words it takes at most.

    `values` are options with an argument, `once` those of them that are given once. Where there are any, the words are
    a command line of their own: they begin with the first word, or behind `--`.
    """

    __slots__ = ("flags", "function", "module", "once", "values", "words")

    def __init__(
        self,
        module: str,
        function: str,
        words: int,
        flags: dict[str, str],
        values: dict[str, str] | None = None,
        once: tuple[str, ...] = (),
    ) -> None:
        self.module = module
        self.function = function
        self.words = words
        self.flags = flags
        self.values = values or {}
        self.once = once


_INSERT = Plain(
    "_insert",
    "insert",
    1,
    {
        "-e": "echo", "--echo": "echo",
        "-m": "multiline", "--multiline": "multiline",
        "-f": "force", "--force": "force",
        "--allow-weak": "allow_weak",
    },
)  # fmt: skip
_GENERATE = Plain(
    "_generate",
    "generate",
    2,
    {
        "-n": "no_symbols", "--no-symbols": "no_symbols",
        "-i": "in_place", "--in-place": "in_place",
        "-f": "force", "--force": "force",
        "--exclude-similar": "exclude_similar",
        "--allow-weak": "allow_weak",
    },
)  # fmt: skip
_EXEC = Plain(
    "_exec",
    "plain",
    1 << 20,
    {"--pristine": "pristine", "--allow": "allow"},
    {
        "-p": "profile", "--profile": "profile",
        "--manifest": "manifest",
        "-e": "entries", "--env": "entries",
        "--env-file": "env_files",
        "--all": "folders",
        "--only": "only",
        "--except": "without",
        "--allow-env": "allow_names",
    },
    ("profile", "manifest"),
)  # fmt: skip
COMMANDS = {"insert": _INSERT, "add": _INSERT, "generate": _GENERATE, "exec": _EXEC, "run": _EXEC}


def parse(argv: Sequence[str]) -> tuple[Plain, list[str], dict[str, object]] | None:
    """Return command, words and options of a command line, None where it is the full program's."""
    plain = COMMANDS.get(argv[0]) if argv else None
    if plain is None:
        return None
    words: list[str] = []
    options: dict[str, object] = {}
    rest = list(argv[1:])
    while rest:
        argument = rest.pop(0)
        if argument in plain.flags:
            options[plain.flags[argument]] = True
        elif argument in plain.values:
            if not (rest and _take(plain, plain.values[argument], rest.pop(0), options)):
                return None
        elif plain.values and (argument == "--" or argument[:1] not in ("-", "")):
            words, rest = (rest if argument == "--" else [argument, *rest]), []
        elif argument[:1] in ("-", ""):
            return None
        else:
            words.append(argument)
    return (plain, words, options) if 0 < len(words) <= plain.words else None


def _take(plain: Plain, name: str, value: str, options: dict[str, object]) -> bool:
    """Take an option's argument; false for a second one of an option that is given once."""
    if name in plain.once:
        taken = options.setdefault(name, value) is value
    else:
        given = options.setdefault(name, [])
        assert isinstance(given, list)
        given.append(value)
        taken = True
    return taken


def run(plain: Plain, words: Sequence[str], options: dict[str, object]) -> int:
    """Run a command as the full program would and return the exit code."""
    from importlib import import_module

    from clave.cli._process import close_output, prepare, tell
    from clave.cli._state import App

    code = 0
    try:
        prepare()
        work: Callable[..., int | None] = getattr(import_module(f"clave.cli.{plain.module}"), plain.function)
        code = work(App(), *words, **options) or 0
    except BaseException as failure:  # noqa: BLE001 - told as the full program tells it
        code = tell(failure)
    return close_output(code)
