"""The driver that is a program of the user's own.

- Which program, says the user's own configuration: `[drivers]`, `NAME = "/path"`. A store's policy can only say NAME,
  as `command:NAME`. So a store never names a program.
- It is called with the step as its only argument (create, set, test, finish, abort), and gets one JSON object on its
  stdin: id, name, step, current, pending, options; in `create` also `new`, a password by the policy. `current` and
  `pending` are whole plaintexts. No value is in its arguments or its environment.
- Exit code 0 is success, 75 says that the place cannot be reached, any other that the step has failed; the last line
  of its stderr says why. What it writes to stdout in `create` is the new plaintext, whole (nothing: `new` takes the
  place of the password). Else its stdout is for the user.
- What it says is shown without control characters and without the values, and no more of it than a screen.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from clave.errors import Busy, OutputTooLarge, ProgramMissing, UsageError
from clave.model.secret import Secret, is_secret_field
from clave.model.text import printable
from clave.rotation.drivers import DriverFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from clave.process import Result
    from clave.rotation.drivers import Rotation

_UNREACHABLE = 75
_LIMIT = 1 << 20  # bytes of stdout, and of stderr
_SHOWN = 20  # lines of what it says
_LONGEST = 300  # characters of such a line
_SHORTEST = 4  # characters of a value that is looked for in what it says


class Command:
    """Calls the program that the user's configuration has for a name."""

    def __init__(self, name: str = "") -> None:
        if not name:
            raise UsageError("which command?", "Name it as your configuration does: --driver command:NAME.")
        self._name = name

    def create(self, rotation: Rotation, new: Callable[[], bytes]) -> Secret:
        """Return the new plaintext that the program writes, or the entry with another password."""
        password = new()
        done = self._call("create", rotation, password)
        return Secret(done.out) if done.out else rotation.current.with_password(password)

    def set(self, rotation: Rotation) -> None:
        """Have the program make the pending value work."""
        self._tell(rotation, self._call("set", rotation))

    def test(self, rotation: Rotation) -> None:
        """Have the program log in with the pending value."""
        self._tell(rotation, self._call("test", rotation))

    def finish(self, rotation: Rotation) -> None:
        """Have the program clean up."""
        self._tell(rotation, self._call("finish", rotation))

    def abort(self, rotation: Rotation) -> None:
        """Have the program make the current value work."""
        self._tell(rotation, self._call("abort", rotation))

    def _call(self, step: str, rotation: Rotation, new: bytes | None = None) -> Result:
        from clave.process import run

        program = self._program()
        size = 0

        def counted(piece: bytes) -> None:
            nonlocal size
            size += len(piece)
            if size > _LIMIT:
                raise OutputTooLarge("the output is larger than allowed")

        try:
            done = run([program, step], input=_document(step, rotation, new), limit=_LIMIT, watch=counted)
        except ProgramMissing:
            raise UsageError(
                f"the command '{self._name}' of your configuration, {program}, cannot be run",
                "See that it is there and executable.",
            ) from None
        except OutputTooLarge:
            raise DriverFailed(f"the command '{self._name}' wrote more than 1 MiB in {step}") from None
        if done.code == 0:
            return done
        said = _lines(done.err, _values(rotation, new))
        why = f": {said[-1]}" if said else f" (exit code {done.code})"
        if done.code == _UNREACHABLE:
            raise Busy(f"{rotation.name} cannot be reached, says '{self._name}' in {step}{why}")
        raise DriverFailed(f"the command '{self._name}' failed in {step}{why}")

    def _program(self) -> str:
        from clave import config

        settings = config.load()
        program = settings.drivers.get(self._name)
        if program is None:
            raise UsageError(
                f"your configuration knows no command '{printable(self._name)}'",
                f"Say which program it is: clave config set drivers.{printable(self._name)} /PATH",
            )
        return os.path.expanduser(program)

    def _tell(self, rotation: Rotation, done: Result) -> None:
        for line in _lines(done.out + done.err, _values(rotation))[:_SHOWN]:
            rotation.told(line)


def _document(step: str, rotation: Rotation, new: bytes | None) -> bytes:
    values = {"current": rotation.current.plaintext}
    if rotation.pending is not None:
        values["pending"] = rotation.pending.plaintext
    if new is not None:
        values["new"] = new
    try:
        texts = {key: value.decode() for key, value in values.items()}
    except UnicodeDecodeError:
        raise UsageError(f"{rotation.name} is no text, and a command gets texts", "Use another driver.") from None
    about = {"id": rotation.id, "name": rotation.name, "step": step, "options": dict(rotation.options)}
    return json.dumps({"pending": None, **about, **texts}, default=str).encode()


def _values(rotation: Rotation, new: bytes | None = None) -> list[str]:
    """Return what is not shown: every line and every secret field of both plaintexts, the longest first."""
    found = {new} if new else set()
    for secret in filter(None, (rotation.current, rotation.pending)):
        found |= {secret.password, *(value for name, value in secret.fields if is_secret_field(name))}
    texts = {value.decode("utf-8", "replace") for value in found}
    return sorted((text for text in texts if len(text) >= _SHORTEST), key=len, reverse=True)


def _lines(said: bytes, values: list[str]) -> list[str]:
    text = said.decode("utf-8", "replace")
    for value in values:
        text = text.replace(value, "****")
    return [printable(line[:_LONGEST]) for line in text.splitlines() if line.strip()]
