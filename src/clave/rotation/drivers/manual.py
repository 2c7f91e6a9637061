"""The driver for what a person does: it says what to do, and asks whether it is done and works.

Where the entry has a `url`, it is told. Without a terminal every answer is no: nothing is believed that nobody said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.model.text import printable
from clave.rotation.drivers import DriverFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from clave.model.secret import Secret
    from clave.rotation.drivers import Rotation


class Manual:
    """Has the user change the value where it is in force."""

    def create(self, rotation: Rotation, new: Callable[[], bytes]) -> Secret:
        """Return the entry with another password."""
        return rotation.current.with_password(new())

    def set(self, rotation: Rotation) -> None:
        """Say what to change where, and ask whether it is."""
        name = rotation.name
        rotation.told(f"Change the password of {name}{_where(rotation)}.")
        rotation.told(f"  the new one:  clave show --pending {name}   (-c copies it)")
        rotation.told(f"  the old one:  clave show {name}")
        if not rotation.ask("Is it changed there?"):
            raise DriverFailed(f"{name} is not changed yet where it is in force")

    def test(self, rotation: Rotation) -> None:
        """Ask whether the new value works."""
        if not rotation.ask(f"Does the new password of {rotation.name} work{_where(rotation)}?"):
            raise DriverFailed(f"the new value of {rotation.name} does not work yet")

    def finish(self, rotation: Rotation) -> None:
        """Do nothing: the place has one password."""

    def abort(self, rotation: Rotation) -> None:
        """Ask whether the old value is in force."""
        rotation.told(f"The password of {rotation.name} must be the old one again{_where(rotation)}.")
        if not rotation.ask("Is it?"):
            raise DriverFailed(f"the old value of {rotation.name} is not in force again")


def _where(rotation: Rotation) -> str:
    url = rotation.current.field("url")
    return f" at {printable(url.decode('utf-8', 'surrogateescape'))}" if url else ""
