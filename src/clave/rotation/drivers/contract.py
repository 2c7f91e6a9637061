"""What every driver must do: a test for the author of one, against a target that is real, or as real as can be had.

    import pytest
    from clave.rotation.drivers import contract

    @pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
    def test_contract(check):
        check(my_target())

`my_target()` returns a `contract.Target` whose current value works, a fresh one for each check. A check that fails
raises AssertionError, which says what the driver did.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from clave.errors import Busy, ClaveError
from clave.rotation.drivers import STEPS, DriverFailed, Rotation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clave.model.secret import Secret
    from clave.rotation.drivers import Driver


class Target(NamedTuple):
    """A place where a secret is in force, and the driver for it.

    `works` tells whether somebody can log in with a secret now, in another way than the driver's `test` if there is
    one. `others` are entries that the driver asks for. `break_off` makes the target unreachable, `mend` reachable
    again; None: it cannot be away. `overlaps`: the current value goes on working until `finish` (two users, two keys).
    `answer` is what a user says to each question.
    """

    driver: Driver
    current: Secret
    works: Callable[[Secret], bool]
    options: Mapping[str, Any] = {}
    others: Mapping[str, Secret] = {}
    break_off: Callable[[], None] | None = None
    mend: Callable[[], None] | None = None
    overlaps: bool = False
    answer: Callable[[str], bool] = lambda _question: True


def the_current_value_works_at_first(target: Target) -> None:
    """The target is as it should be, or no other check says anything."""
    assert target.works(target.current), "the current value of the target does not work before anything was done"


def create_touches_nothing(target: Target) -> None:
    """A new secret, another one, with the password that was made for it; nothing outside knows of it."""
    rotation, made = _begun(target)
    new = rotation.require_pending()
    assert new.plaintext != target.current.plaintext, "create returned the current value"
    assert made, "create did not ask for a new password"
    assert any(each in new.plaintext for each in made), "create did not use the password that was made"
    assert target.works(target.current), "create has made the current value void"
    assert not target.works(new), "create has made the new value work"


def it_goes_to_the_end(target: Target) -> None:
    """After set and test the new value works, and after finish still."""
    rotation, _ = _begun(target)
    target.driver.set(rotation)
    assert target.works(rotation.require_pending()), "the new value does not work after set"
    if target.overlaps:
        assert target.works(target.current), "the current value does not work any more after set"
    target.driver.test(rotation)
    target.driver.finish(rotation)
    assert target.works(rotation.require_pending()), "the new value does not work after finish"


def every_step_may_come_twice(target: Target) -> None:
    """A crash after a step is followed by the same step again."""
    rotation, _ = _begun(target)
    for step in (target.driver.set, target.driver.test, target.driver.finish):
        step(rotation)
        step(rotation)
    assert target.works(rotation.require_pending()), "the new value does not work after all steps, each twice"
    target.driver.test(rotation)


def a_value_that_is_not_set_fails_the_test(target: Target) -> None:
    """`test` raises DriverFailed for a value that does not work."""
    rotation, _ = _begun(target)
    try:
        target.driver.test(rotation)
    except DriverFailed:
        pass
    else:
        raise AssertionError("test passes a value that was never set")
    assert target.works(target.current), "a test that failed has made the current value void"


def abort_takes_set_back(target: Target) -> None:
    """After set and abort, each once or twice, the current value works and the new one does not."""
    rotation, _ = _begun(target)
    target.driver.set(rotation)
    for _ in range(2):
        target.driver.abort(rotation)
        assert target.works(target.current), "the current value does not work after abort"
        assert not target.works(rotation.require_pending()), "the new value works after abort"


def abort_before_set_does_no_harm(target: Target) -> None:
    """What was begun and never set can be aborted."""
    rotation, _ = _begun(target)
    target.driver.abort(rotation)
    assert target.works(target.current), "the current value does not work after abort"


def it_can_begin_again_after_abort(target: Target) -> None:
    """A second rotation goes to its end."""
    rotation, _ = _begun(target)
    target.driver.set(rotation)
    target.driver.abort(rotation)
    it_goes_to_the_end(target)


def it_can_be_rolled_back(target: Target) -> None:
    """The value before becomes the new one of another rotation, by the same steps."""
    rotation, _ = _begun(target)
    for step in (target.driver.set, target.driver.test, target.driver.finish):
        step(rotation)
    back = _rotation(target, rotation.require_pending())._replace(pending=target.current)
    for step in (target.driver.set, target.driver.test, target.driver.finish):
        step(back)
    assert target.works(target.current), "the value before does not work after it was rolled back to"


def a_target_that_is_away_is_busy(target: Target) -> None:
    """What cannot be reached is Busy in every step that needs it, and works again when it is back."""
    if target.break_off is None or target.mend is None:
        return
    rotation, _ = _begun(target)
    target.break_off()
    for step in ("set", "test", "abort"):
        try:
            getattr(target.driver, step)(rotation)
        except Busy:
            continue
        except ClaveError as failure:
            raise AssertionError(f"{step} raised {type(failure).__name__}, not Busy, with the target away") from None
        raise AssertionError(f"{step} succeeded with the target away")
    target.mend()
    target.driver.set(rotation)
    target.driver.test(rotation)


def it_tells_no_value(target: Target) -> None:
    """No line for the user, and no failure, holds a password."""
    said: list[str] = []
    rotation, made = _begun(target)
    rotation = rotation._replace(told=said.append)
    for step in ("test", *STEPS[1:], "set", "test"):
        try:
            getattr(target.driver, step)(rotation)
        except ClaveError as failure:
            said.append(failure.line())
    values = {target.current.password, *made}
    for line in said:
        assert not any(value.decode("utf-8", "replace") in line for value in values if value), "a value was told"


CHECKS = (
    the_current_value_works_at_first,
    create_touches_nothing,
    it_goes_to_the_end,
    every_step_may_come_twice,
    a_value_that_is_not_set_fails_the_test,
    abort_takes_set_back,
    abort_before_set_does_no_harm,
    it_can_begin_again_after_abort,
    it_can_be_rolled_back,
    a_target_that_is_away_is_busy,
    it_tells_no_value,
)


def _begun(target: Target) -> tuple[Rotation, list[bytes]]:
    """Return a rotation behind `create`, and the passwords that were made for it."""
    made: list[bytes] = []

    def new() -> bytes:
        made.append(f"contract-{os.urandom(8).hex()}".encode())
        return made[-1]

    rotation = _rotation(target, target.current)
    return rotation._replace(pending=target.driver.create(rotation, new)), made


def _rotation(target: Target, current: Secret) -> Rotation:
    return Rotation(
        id=os.urandom(16).hex(),
        name="contract/entry",
        current=current,
        pending=None,
        options=target.options,
        secret=target.others.__getitem__,
        told=lambda _line: None,
        ask=target.answer,
    )
