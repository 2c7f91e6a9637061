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
    """A command: the function in `clave.cli.<module>` that does it, its flags, how many words it takes at most."""

    __slots__ = ("flags", "function", "module", "words")

    def __init__(self, module: str, function: str, words: int, flags: dict[str, str]) -> None:
        self.module = module
        self.function = function
        self.words = words
        self.flags = flags


_INSERT = Plain(
    "_insert",
    "insert",
    1,
    {
        "-e": "echo", "--echo": "echo",
        "-m": "multiline", "--multiline": "multiline",
        "-f": "force", "--force": "force",
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
    },
)  # fmt: skip
COMMANDS = {"insert": _INSERT, "add": _INSERT, "generate": _GENERATE}


def parse(argv: Sequence[str]) -> tuple[Plain, list[str], dict[str, bool]] | None:
    """Return command, words and flags of a command line, None where it is the full program's."""
    plain = COMMANDS.get(argv[0]) if argv else None
    if plain is None:
        return None
    words: list[str] = []
    flags: dict[str, bool] = {}
    for argument in argv[1:]:
        if argument in plain.flags:
            flags[plain.flags[argument]] = True
        elif argument[:1] in ("-", ""):
            return None
        else:
            words.append(argument)
    return (plain, words, flags) if 0 < len(words) <= plain.words else None


def run(plain: Plain, words: Sequence[str], flags: dict[str, bool]) -> int:
    """Run a command as the full program would and return the exit code."""
    from importlib import import_module

    from clave.cli._process import close_output, prepare, tell
    from clave.cli._state import App

    code = 0
    try:
        prepare()
        work: Callable[..., None] = getattr(import_module(f"clave.cli.{plain.module}"), plain.function)
        work(App(), *words, **flags)
    except BaseException as failure:  # noqa: BLE001 - told as the full program tells it
        code = tell(failure)
    return close_output(code)
