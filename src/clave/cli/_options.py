"""Options that more than one command has.

pass writes `-c[N]` and `--clip[=N]`: the value is optional and never the next argument. click would take
the next argument for it, so a command that has such options is an `OptionalValues` command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class OptionalValue(click.Option):
    """An option whose value may follow only attached (`-c3`, `--clip=3`); bare, it has the value `bare`."""

    def __init__(self, *args: Any, bare: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bare = bare

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Write `-c, --clip[=LINE]` in the help."""
        record = super().get_help_record(ctx)
        if record is None:
            return None
        names, text = record
        return names.removesuffix(f" {self.metavar}") + f"[={self.metavar}]", text


class OptionalValues(click.Command):
    """A command that understands its `OptionalValue` options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments, each optional value written out first."""
        return super().parse_args(ctx, [*_written_out(args, self.params)])


def _written_out(args: Sequence[str], params: Sequence[click.Parameter]) -> list[str]:
    """Return `args` with every OptionalValue in the form `--clip=N`, which click reads as getopt does."""
    options = {name: param for param in params if isinstance(param, click.Option) for name in param.opts}
    written: list[str] = []
    rest = list(args)
    while rest:
        argument = rest.pop(0)
        option = options.get(argument)
        if argument == "--":
            return [*written, argument, *rest]
        if isinstance(option, OptionalValue):
            written.append(_long(option, option.bare))
        elif argument.endswith("=") and isinstance(options.get(argument[:-1]), OptionalValue):
            rest.insert(0, argument[:-1])  # `--clip=` is `--clip`, as in pass
        elif option and not option.is_flag:
            written += [argument, *rest[: option.nargs]]
            del rest[: option.nargs]
        elif argument.startswith("-") and not argument.startswith("--"):
            written += _cluster(argument, options)
        else:
            written.append(argument)
    return written


def _cluster(argument: str, options: dict[str, click.Option]) -> list[str]:
    """Return short options written together (`-fc3`) with an OptionalValue among them taken out."""
    for at in range(1, len(argument)):
        option = options.get(f"-{argument[at]}")
        if isinstance(option, OptionalValue):
            flags = [argument[:at]] if at > 1 else []
            return [*flags, _long(option, argument[at + 1 :] or option.bare)]
        if option is None or not option.is_flag:
            break  # what follows is that option's value, or click's to refuse
    return [argument]


def _long(option: OptionalValue, value: str) -> str:
    return f"{option.opts[-1]}={value}"


def delivery(*, line: bool = False, qrcode: bool = True) -> Decorator:
    """Give a command `-c/--clip` and `-q/--qrcode`: flags, or with `line` options that may name a line.

    The command gets `clip` and `qrcode` (with `line`: a str or None). With `line` it must be an `OptionalValues`.
    """

    def option(short: str, long: str, text: str) -> Decorator:
        if not line:
            return click.option(short, long, is_flag=True, help=f"{text}.")
        text = f"{text}; LINE is the first if not given."
        return click.option(short, long, cls=OptionalValue, bare="1", metavar="LINE", help=text)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        if qrcode:
            function = option("-q", "--qrcode", "Show it as a QR code")(function)
        return option("-c", "--clip", "Copy it to the clipboard, which is cleared after a while")(function)

    return decorate
