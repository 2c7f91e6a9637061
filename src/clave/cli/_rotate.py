"""What `clave rotate` needs besides its options: the driver, the new value, many entries."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from clave.cli import _ask, _output
from clave.cli._checks import exclusive
from clave.cli._remote import Waiting
from clave.errors import ClaveError, Finding, Interrupted, KeyLocked, UsageError, VerificationFailed
from clave.model.name import is_below
from clave.vcs.remote import Unreachable

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

    if wanted is None:
        length = None if making.length is None else passwords.parse_length(making.length)
        wanted = Generate(length, making.words, not making.no_symbols, making.charset, making.exclude_similar)
    return policies.make(wanted, app.settings)


def many(
    app: App,
    store: Store,
    names: Sequence[str],
    *,
    driver: str | None,
    options: Sequence[str],
    making: Making,
) -> None:
    """Rotate entries, one after the other. One that fails is told, and the next one begun.

    Raises Finding at the end if not all are rotated; at once what would stop the next one as well.
    """
    from clave.store.lifecycle import rotating

    if making.value_from:
        raise UsageError("--value-from is one value, and these are many", "Leave it out: one is made for each.")
    failed: list[str] = []
    for number, name in enumerate(names, 1):
        _output.note(f"{number} of {len(names)}: {name}")
        try:
            with talk() as say:
                chosen = choice(store, name, driver, options)
                assert chosen is not None
                rotating.rotate(store, name, chosen, new_value(app, store, name, making), say)
        except (Interrupted, KeyLocked, Unreachable, VerificationFailed):
            raise
        except ClaveError as failure:
            _output.warn(failure.line())
            failed.append(name)
    done = len(names) - len(failed)
    _output.note(f"{done} of {len(names)} {'entry is' if len(names) == 1 else 'entries are'} rotated")
    if failed:
        raise Finding(f"not rotated: {', '.join(failed)}", "See what is under way: clave rotate --list.")


def due(store: Store, folder: str) -> list[str]:
    """Return the entries at and below a name whose time has come, the most pressing first."""
    from datetime import date, timedelta

    from clave.rotation.duties import Kind, State
    from clave.store.lifecycle import duties

    found = duties.look(store, folder, date.today(), timedelta())  # noqa: DTZ011 - a day of the user's calendar
    pressing = (duty for duty in found.all if duty.state in (State.OVERDUE, State.EXPOSED))
    return list(
        dict.fromkeys(duty.name for duty in pressing if duty.kind in (Kind.ROTATE, Kind.EXPIRES, Kind.EXPOSURE))
    )


def exposed(store: Store, who: str, folder: str) -> list[str]:
    """Return the entries at and below a name whose value somebody knows, but for those that are accepted."""
    from clave.store.lifecycle.exposing import exposures

    found = dict.fromkeys(each.name for each in exposures(store, who).values if not each.accepted)
    return [name for name in found if is_below(name, folder)]
