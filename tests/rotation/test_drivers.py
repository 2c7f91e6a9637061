"""Drivers: how one is found, what a broken one of another package says, and our own against the contract."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from clave.errors import Busy, UsageError
from clave.model.secret import Secret
from clave.rotation import drivers
from clave.rotation.drivers import DriverFailed, Rotation, contract
from clave.rotation.drivers.command import Command
from clave.rotation.drivers.manual import Manual
from tests.rotation.target import Service

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from clave.rotation.drivers.contract import Target

OLD = Secret(b"old-password\nuser: app\nurl: https://db.example.org/\x1b[2J\n")


def rotation(**fields: object) -> Rotation:
    said: list[str] = []
    known = Rotation(
        id="0" * 32, name="prod/db", current=OLD, pending=Secret(b"new-password\n"), options={},
        secret=lambda _: OLD, told=said.append, ask=lambda _: False,
    )  # fmt: skip
    return known._replace(**fields)  # type: ignore[arg-type]


# The registry


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], None]:
    """Return a function that installs a package: its name, its entry points, its module `others_NAME`."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(name: str, points: str, code: str) -> None:
        about = tmp_path / f"{name}-1.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (about / "entry_points.txt").write_text(f"[clave.drivers]\n{points}\n")
        (tmp_path / f"others_{name}.py").write_text(code)

    return install


GOOD = """
class Good:
    def __init__(self, rest=""): self.rest = rest
    def create(self, rotation, new): return rotation.current
    def set(self, rotation): raise ValueError("the value is old-password")
    test = finish = abort = set
"""


def test_ours_are_there_and_cannot_be_taken(packages: Callable[[str, str, str], None]) -> None:
    packages("one", "manual = others_one:Good\nldap = others_one:Good", GOOD)
    assert isinstance(drivers.driver("manual"), Manual)
    assert drivers.names() == ["manual", "command", "postgresql", "ldap"]


def test_one_of_another_package_is_found(packages: Callable[[str, str, str], None]) -> None:
    packages("two", "ldap = others_two:Good", GOOD)
    assert vars(drivers.driver("ldap:people"))["rest"] == "people"


def test_what_another_package_raises_is_one_line_without_its_text(packages: Callable[[str, str, str], None]) -> None:
    packages("three", "ldap3 = others_three:Good", GOOD)
    with pytest.raises(DriverFailed) as failed:
        drivers.called(drivers.driver("ldap3"), "set", rotation())
    assert failed.value.line() == "the driver of prod/db broke in set: ValueError. Tell its author."


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("raise RuntimeError('a\\x1b[2Jb\\nsecond line')", "RuntimeError: a\\x1b[2Jb"),
        ("class Good: pass", "it has not all of create, set, test, finish, abort"),
        ("def Good(): raise KeyError('x')", "KeyError"),
        ("Good = 5", "TypeError"),
    ],
)
def test_a_broken_one_is_one_clear_line(packages: Callable[[str, str, str], None], code: str, reason: str) -> None:
    packages("four", "ldap = others_four:Good", code)
    import sys

    sys.modules.pop("others_four", None)
    with pytest.raises(UsageError) as refused:
        drivers.driver("ldap")
    line = refused.value.line()
    assert line.startswith("the driver 'ldap'")
    assert "is broken: " + reason.partition(":")[0] in line
    assert reason in line
    assert line.isprintable()


def test_two_of_one_name_are_refused(packages: Callable[[str, str, str], None]) -> None:
    packages("five", "ldap = others_five:Good", GOOD)
    packages("six", "ldap = others_six:Good", GOOD)
    with pytest.raises(UsageError, match="in several packages: five, six"):
        drivers.driver("ldap")


def test_a_mistyped_one_is_told() -> None:
    with pytest.raises(UsageError) as refused:
        drivers.driver("manuel")
    assert refused.value.line() == "there is no driver 'manuel'. Did you mean 'manual'?"


# The contract


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service whose program the user's configuration calls `shop`."""
    found = Service(tmp_path / "service", "old-password")
    config = tmp_path / "config/clave/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[drivers]\nshop = "{found.program}"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return found


def by_command(service: Service) -> Target:
    return contract.Target(Command("shop"), OLD, service.works, break_off=service.break_off, mend=service.mend)


def by_hand(service: Service) -> Target:
    """A user who does what the driver says, and answers by what works."""
    made: list[Secret] = []

    class Watched(Manual):
        def set(self, rotation: Rotation) -> None:
            made[:] = [rotation.require_pending(), rotation.current]
            super().set(rotation)

        def test(self, rotation: Rotation) -> None:
            made[:] = [rotation.require_pending(), rotation.current]
            super().test(rotation)

        def abort(self, rotation: Rotation) -> None:
            made[:] = [rotation.current]
            super().abort(rotation)

    def answer(question: str) -> bool:
        if question.startswith("Is it"):
            (service.folder / "works").write_bytes(made[0].password)
            return True
        return service.works(made[0])

    return contract.Target(Watched(), OLD, service.works, answer=answer)


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", [by_command, by_hand])
def test_ours_keep_the_contract(
    check: Callable[[Target], None], make: Callable[[Service], Target], service: Service
) -> None:
    check(make(service))


@pytest.mark.parametrize(
    ("step", "fails"),
    [
        ("set", ["it_goes_to_the_end", "every_step_may_come_twice"]),
        ("test", ["a_value_that_is_not_set_fails_the_test"]),
        ("abort", ["abort_takes_set_back"]),
    ],
)
def test_the_contract_finds_a_driver_that_does_nothing(step: str, fails: list[str], service: Service) -> None:
    lazy = type("Lazy", (Command,), {step: lambda self, rotation: None})("shop")
    for check in (check for check in contract.CHECKS if check.__name__ in fails):
        (service.folder / "works").write_text("old-password")
        with pytest.raises((AssertionError, DriverFailed)):
            check(by_command(service)._replace(driver=lazy))


# The command


def test_the_program_gets_all_on_stdin_and_nothing_elsewhere(service: Service) -> None:
    asked = rotation(options={"host": "db1"})
    Command("shop").set(asked)
    (call,) = service.calls()
    environ = call.pop("environ")
    assert call == {
        "argv": ["set"],
        "id": "0" * 32,
        "name": "prod/db",
        "step": "set",
        "current": OLD.plaintext.decode(),
        "pending": "new-password\n",
        "options": {"host": "db1"},
    }
    assert isinstance(environ, dict)
    assert not [name for name, value in environ.items() if "password" in value]


def test_what_it_says_is_shown_without_values_and_control_bytes(service: Service) -> None:
    said: list[str] = []
    Command("shop").set(rotation(told=said.append))
    assert said == ["changed to ****\\x1b[2J"]


def test_how_it_ends_is_told(service: Service) -> None:
    service.faults(set="fail", test="away")
    with pytest.raises(DriverFailed, match="failed in set: the server said: no such user"):
        Command("shop").set(rotation())
    with pytest.raises(Busy, match="prod/db cannot be reached, says 'shop' in test: no route to host"):
        Command("shop").test(rotation())


@pytest.mark.parametrize("stream", ["", ">&2"])
def test_one_that_writes_without_end_is_stopped(service: Service, stream: str) -> None:
    service.program.write_text(f"#!/bin/sh\nyes new-password {stream}\n")
    with pytest.raises(DriverFailed, match="wrote more than 1 MiB in set"):
        Command("shop").set(rotation())


def test_what_it_may_say_has_an_end(service: Service) -> None:
    service.program.write_text("#!/bin/sh\nseq 1000; printf '%01000d' 7\n")
    said: list[str] = []
    Command("shop").set(rotation(told=said.append))
    assert len(said) == 20


def test_its_own_plaintext_is_taken(service: Service) -> None:
    made = Command("shop").create(rotation(options={"user": "app_b"}), lambda: b"fresh")
    assert made.plaintext == b"fresh\nuser: app_b\n"
    assert Command("shop").create(rotation(), lambda: b"fresh").plaintext == OLD.with_password(b"fresh").plaintext


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("", "which command?"),
        ("other", "your configuration knows no command 'other'"),
    ],
)
def test_a_name_that_the_user_has_not_given_starts_nothing(service: Service, name: str, line: str) -> None:
    with pytest.raises(UsageError, match=line.replace("?", r"\?")):
        drivers.driver(f"command:{name}").set(rotation())
    assert service.calls() == []


def test_a_program_that_is_not_there_is_told(service: Service) -> None:
    os.chmod(service.program, 0o600)
    with pytest.raises(UsageError, match=r"of your configuration, .*, cannot be run"):
        Command("shop").set(rotation())


def test_bytes_are_not_handed_on(service: Service) -> None:
    with pytest.raises(UsageError, match="is no text"):
        Command("shop").set(rotation(pending=Secret(b"\xff\n")))


def test_by_hand_nothing_is_believed_without_a_terminal() -> None:
    for step in ("set", "test", "abort"):
        with pytest.raises(DriverFailed):
            getattr(Manual(), step)(rotation())
    said: list[str] = []
    Manual().set(rotation(told=said.append, ask=lambda _: True))
    assert said[0] == "Change the password of prod/db at https://db.example.org/\\x1b[2J."
    assert "clave show --pending prod/db" in said[1]
