"""What `import` and `export` have in common: passwords of files, and the list of what is not carried."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from clave.cli import _ask, _output
from clave.errors import NotFound, UsageError
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from clave.exchange.item import Lost

_LONGEST = 1 << 16  # bytes of a password
_LARGEST_KEY = 16 << 20  # bytes of a key file


def password(
    file: str | None,
    descriptor: int | None,
    prompt: str,
    *,
    again: bool = False,
    from_input: bool = False,
    key_file: bool = False,
) -> Callable[[], str]:
    """Return what gives a file's password when it is wanted: from a file, a descriptor, or a question (`again`: twice).

    `from_input`: standard input is the file itself, and no place to answer. `key_file`: there is one, and an empty
    password means that it is all there is.
    """
    if file is not None and descriptor is not None:
        raise UsageError("--password-file and --password-fd are two ways for one thing", "Give one of them.")
    asked: list[str] = []

    def get() -> str:
        if not asked:
            is_given = file is not None or descriptor is not None
            asked.append(_given(file, descriptor) if is_given else _asked(prompt, again, from_input))
            if is_given and not asked[0] and not key_file:
                what = f"descriptor {descriptor}" if file is None else printable(file)
                raise UsageError(f"{what} holds no password", "It is the first line.")
        return asked[0]

    return get


def _asked(prompt: str, again: bool, from_input: bool) -> str:
    if from_input or not _ask.interactive():
        raise UsageError(
            "the file has a password, and there is no terminal to ask on", "Use --password-file or --password-fd."
        )
    found = _ask.hidden(f"{prompt}: ")
    if again and _ask.hidden(f"{prompt} again: ") != found:
        raise UsageError("the two passwords are not the same", "Try again.")
    return found


def _given(file: str | None, descriptor: int | None) -> str:
    """Return the first line of a file, or of what a descriptor gives."""
    what = f"descriptor {descriptor}" if file is None else printable(file)
    try:
        opened = os.open(file, os.O_RDONLY | os.O_CLOEXEC) if file is not None else os.dup(descriptor or 0)
        with open(opened, "rb") as stream:
            line = stream.readline(_LONGEST)
    except FileNotFoundError:
        raise NotFound(f"{what} is not there") from None
    except OSError as error:
        raise UsageError(f"{what} cannot be read: {error.strerror}") from None
    try:
        return line.removesuffix(b"\n").removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        raise UsageError(f"the password in {what} is not UTF-8") from None


def list_formats(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """List the formats, and end."""
    if not wanted:
        return
    from clave.exchange.format import all_formats

    found = all_formats().values()
    width = max(len(each.name) for each in found)
    for each in found:
        ways = " and ".join(["in"] * each.reads + ["out"] * each.writes)
        _output.line(f"{each.name:<{width}}  {ways:<10}  {printable(each.title)}")
    ctx.exit()


formats = click.option(
    "--formats", is_flag=True, is_eager=True, expose_value=False, callback=list_formats, help="List the formats."
)


def lines(lost: Iterable[Lost], heading: str) -> list[str]:
    """Return lines of a listing: each thing, where it is from, and why."""
    return [f"{heading}  {printable(each.origin)}: {printable(each.what)} ({printable(each.why)})" for each in lost]


def documents(lost: Iterable[Lost]) -> list[dict[str, str]]:
    """Return the same for JSON."""
    return [each._asdict() for each in lost]


def require_losses_accepted(lost: list[Lost], *, lossy: bool) -> None:
    """Raise UsageError if something is not carried, and nobody has said or says now that this is as it shall be."""
    if not lost or lossy:
        return
    count = "1 thing is" if len(lost) == 1 else f"{len(lost)} things are"
    if not _ask.confirm(f"{count} not carried, as listed. Go on?"):
        raise UsageError(f"{count} not carried, as listed: nothing was done", "Accept that: --lossy.")


def plural(count: int, one: str = "entry", many: str = "entries") -> str:
    """Return `1 entry`, `2 entries`."""
    return f"{count} {one if count == 1 else many}"


def content(path: str) -> bytes:
    """Return what a key file holds. Raises NotFound, UsageError."""
    from clave.exchange.limits import FileSource

    return FileSource(path).read(_LARGEST_KEY)
