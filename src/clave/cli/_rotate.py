"""What `clave rotate` needs besides its options: the driver, the new value, many entries."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from clave.cli import _ask, _output
from clave.cli._checks import exclusive
from clave.cli._remote import Waiting
from clave.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from clave.cli._app import App
    from clave.rotation.policy import Generate
    from clave.store.lifecycle.rotating import Choice, Talk
    from clave.store.passwords import Generated
    from clave.store.store import Store


class Making(NamedTuple):
    """How a new password is made, as the options say; nothing of it: by the policy, or the settings."""

    value_from: str | None
    length: str | None
    words: int | None
    charset: str | None
    no_symbols: bool
    exclude_similar: bool


@contextmanager
def talk() -> Iterator[Talk]:
    """Yield how a rotation speaks with the user."""
    from clave.store.lifecycle.rotating import Talk

    with Waiting() as remote:

        def told(line: str) -> None:
            remote.clear()
            _output.note(line)

        def ask(question: str) -> bool:
            remote.clear()
            return _ask.confirm(question)

        yield Talk(told, ask, remote)


def choice(
    store: Store, name: str, driver: str | None, options: Sequence[str], *, required: bool = True
) -> Choice | None:
    """Return driver and options: the command line's, else the policy's, else `manual` on a terminal.

    Options of the command line are added to those of the policy, if the driver is the same. Raises UsageError where
    there is no driver, unless it is not `required`.
    """
    from clave.rotation.drivers import MANUAL
    from clave.store.lifecycle import policies
    from clave.store.lifecycle.rotating import Choice

    given = dict(map(_option, options))
    rule = policies.rule(store, name)
    wanted = rule.driver if rule else None
    if rule and wanted and driver in (None, wanted):
        return Choice(wanted, {**rule.options, **given})
    if driver is not None:
        return Choice(driver, given)
    if given:
        raise UsageError("-o is an option of a driver", "Say which: -d DRIVER.")
    if not required:
        return None
    if not _ask.interactive():
        raise UsageError(
            f"no driver is known for {name}, and there is no terminal to do it by hand", "Say which: -d DRIVER."
        )
    return Choice(MANUAL)


def _option(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise UsageError(f"'{text}' is no option of a driver", "Write KEY=VALUE.")
    return key, value


def new_value(app: App, store: Store, name: str, making: Making) -> Callable[[], bytes]:
    """Return what makes the new password, as strong as the policy wants it.

    Raises UsageError for options that exclude each other, or an empty value, Finding for a value that is too weak.
    """
    from clave.store.lifecycle import policies

    exclusive(words=making.words, charset=making.charset, no_symbols=making.no_symbols)
    exclusive(words=making.words, length=making.length)
    exclusive(words=making.words, exclude_similar=making.exclude_similar)
    rule = policies.rule(store, name)
    if making.value_from:
        if any(making[1:]):
            raise UsageError("--value-from gives the value, and the other options make one", "Give one of them.")
        value = _given(name)
        policies.require_strength(rule, name, value)
        return lambda: value

    def make() -> bytes:
        made = _generated(app, rule.generate if rule and not any(making) else None, making)
        policies.require_strength(rule, name, made.text.encode(), bits=made.bits)
        return made.text.encode()

    return make


def _given(name: str) -> bytes:
    import os

    value = os.fsencode(_ask.hidden(f"The new password of {name}: "))
    if not value:
        raise UsageError("the new value is empty", "Write it to stdin, in one line.")
    return value


def _generated(app: App, wanted: Generate | None, making: Making) -> Generated:
    from clave.rotation.policy import Generate
    from clave.store import passwords
    from clave.store.lifecycle import policies

    settings = app.settings
    if wanted is None:
        length = None if making.length is None else passwords.parse_length(making.length)
        wanted = Generate(length, making.words, not making.no_symbols, making.charset, making.exclude_similar)
    return policies.make(
        wanted, settings.generate_length, settings.generate_charset, settings.generate_charset_no_symbols
    )


def each(
    app: App,
    store: Store,
    folder: str,
    *,
    who: str | None,
    driver: str | None,
    options: Sequence[str],
    making: Making,
) -> None:
    """Rotate many, one after the other."""
    raise UsageError("not yet", str((app, store, folder, who, driver, options, making, sys.argv)))
