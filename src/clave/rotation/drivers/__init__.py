"""What a driver of a rotation is, and which drivers there are. This is the published interface.

A driver knows one kind of place where a password is in force (a database, a web site, a person who types it). It is
called with the steps of a rotation, in this order, and each step may come again after a crash, from another machine:

- `create` returns the whole new plaintext. It touches nothing outside.
- `set` makes the new value work outside; the old one goes on working where the target can do that. Idempotent.
- `test` raises DriverFailed unless the new value works.
- `finish` comes once the new value is in force in the store: the old one may go. Idempotent.
- `abort` makes the old value work again, and the new one void. Idempotent.

A step that fails raises DriverFailed, Busy where the outside cannot be reached (the same command, later, goes on),
UsageError for options that make no sense. Nothing that a driver raises or tells may hold a value.

A driver is found by its name: ours by the table here, one of another package by its entry point in the group
`clave.drivers`, which names what returns the driver when it is called without arguments. `NAME:REST` calls it with
REST. A name of ours cannot be taken by another package. Which driver is used may be said by a store's policy; which
programs and packages there are, is said by the user's machine alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast, runtime_checkable

from clave.errors import ClaveError, UsageError
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clave.model.secret import Secret

GROUP = "clave.drivers"
MANUAL = "manual"

_OURS = {
    MANUAL: "clave.rotation.drivers.manual:Manual",
    "command": "clave.rotation.drivers.command:Command",
    "postgresql": "clave.rotation.drivers.postgresql:PostgreSQL",
}
STEPS = ("create", "set", "test", "finish", "abort")


class DriverFailed(ClaveError):
    """A step of a rotation did not succeed outside; both values are kept."""

    code = "rotation-failed"
    exit_code = 1


class Rotation(NamedTuple):
    """One rotation of one entry, the same over every resume.

    `id` is 32 hex digits by chance, for targets that want a token of the request; `name` the entry. `current` is in
    force; `pending` is to be, None in `create`. `options` are the driver's own, from the policy or the command line.
    `secret` returns another entry of the same store (an administrator's login); it raises as every read. `told` gets
    a line for the user. `ask` is a question to answer yes or no; without a terminal the answer is no.
    """

    id: str
    name: str
    current: Secret
    pending: Secret | None
    options: Mapping[str, Any]
    secret: Callable[[str], Secret]
    told: Callable[[str], None]
    ask: Callable[[str], bool]

    def require_pending(self) -> Secret:
        """Return what is to be in force. Raises DriverFailed where a step comes before there is a value."""
        if self.pending is None:
            raise DriverFailed(f"there is no new value of {self.name} yet")
        return self.pending

    def text(self, option: str, default: str | None = None) -> str:
        """Return an option that is a text. Raises UsageError where it is missing (and has no default) or is none."""
        found = self.options.get(option, default)
        if found is None:
            raise UsageError(f"the driver of {self.name} needs the option '{option}'", f"Say it: -o {option}=…")
        if not isinstance(found, str):
            raise UsageError(f"the option '{option}' for {self.name} must be a text", "Correct it in the policy.")
        return found


@runtime_checkable
class Driver(Protocol):
    """What knows one kind of place where a password is in force. See the top of this module."""

    def create(self, rotation: Rotation, new: Callable[[], bytes]) -> Secret:
        """Return the whole new plaintext; `new` makes a password as the policy wants it."""

    def set(self, rotation: Rotation) -> None:
        """Make the pending value work outside."""

    def test(self, rotation: Rotation) -> None:
        """Raise DriverFailed unless the pending value works."""

    def finish(self, rotation: Rotation) -> None:
        """Clean up outside, once the pending value is in force."""

    def abort(self, rotation: Rotation) -> None:
        """Make the current value work outside, and the pending one void."""


def driver(name: str) -> Driver:
    """Return the driver of that name (`manual`, `postgresql`, `command:NAME`, one of another package).

    Raises UsageError, in one line, where there is none or it is broken.
    """
    kind, colon, rest = name.partition(":")
    make = _ours(kind) if kind in _OURS else _of_others(kind)
    try:
        made = make(rest) if colon else make()
    except ClaveError:
        raise
    except Exception as failure:  # noqa: BLE001 - the code is another's: it may raise anything
        raise _broken(kind, failure) from None
    if not isinstance(made, Driver):
        raise _broken(kind, f"it has not all of {', '.join(STEPS)}")
    return made


def names() -> list[str]:
    """Return the names of all drivers that there are, ours first; nothing of them is loaded."""
    from importlib.metadata import entry_points

    others = {printable(each.name) for each in entry_points(group=GROUP)} - _OURS.keys()
    return [*_OURS, *sorted(others)]


def called(driver: Driver, step: str, rotation: Rotation, *arguments: Any) -> Any:
    """Call a step of a driver. Whatever the code of another package raises comes out as DriverFailed in one line.

    The text of an unexpected exception may hold a value, so only its kind is told.
    """
    try:
        return getattr(driver, step)(rotation, *arguments)
    except ClaveError:
        raise
    except Exception as failure:  # noqa: BLE001 - the code is another's: it may raise anything
        raise DriverFailed(
            f"the driver of {rotation.name} broke in {step}: {type(failure).__name__}", "Tell its author."
        ) from None


def _ours(kind: str) -> Callable[..., object]:
    module, _, name = _OURS[kind].partition(":")
    return cast("Callable[..., object]", getattr(import_module(module), name))


def _of_others(kind: str) -> Callable[..., object]:
    from importlib.metadata import entry_points

    found = entry_points(group=GROUP, name=kind)
    if not found:
        from difflib import get_close_matches

        close = get_close_matches(kind, names(), n=1)
        hint = f"Did you mean '{close[0]}'?" if close else f"There are: {', '.join(names())}."
        raise UsageError(f"there is no driver '{printable(kind)}'", hint)
    distributions = sorted({each.dist.name if each.dist else "?" for each in found})
    if len(found) > 1:
        raise UsageError(
            f"the driver '{kind}' is in several packages: {', '.join(distributions)}", "Remove all but one."
        )
    (entry,) = found
    try:
        return cast("Callable[..., object]", entry.load())
    except Exception as failure:  # noqa: BLE001 - the code is another's: it may raise anything
        raise _broken(kind, failure, distributions[0]) from None


def _broken(kind: str, failure: Exception | str, package: str = "") -> UsageError:
    why = failure if isinstance(failure, str) else printable(f"{type(failure).__name__}: {failure}".splitlines()[0])
    origin = f" of the package {package}" if package else ""
    return UsageError(f"the driver '{kind}'{origin} is broken: {why}", "Repair or remove the package that it is in.")
