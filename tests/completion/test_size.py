"""Ten thousand entries: the one that is meant is found, in a folder of many and in many folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.completion.conftest import Start
    from tests.completion.shells import Shell


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("many")
    for number in range(10_000):
        folder = "one" if number < 5_000 else f"team-{number // 100}"
        file = home / ".password-store" / folder / f"service-{number:04}.gpg"
        if not number % 100:
            file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return home


@pytest.fixture(scope="module")
def shell(start: Start, name: str, home: Path) -> Shell:
    return start(name, {"HOME": str(home), "LC_ALL": "C.UTF-8"}, cwd=home)


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("clave show team-84/service-844", None),
        ("clave show team-84/service-8442", "clave show team-84/service-8442 "),
        ("clave show one/service-4242", "clave show one/service-4242 "),
        ("clave show o", "clave show one/"),
        ("clave show one/none", "clave show one/none"),
    ],
)
def test_the_entry_is_found(shell: Shell, typed: str, completed: str | None) -> None:
    if completed is None:
        last = {each.rpartition("/")[2] for each in shell.candidates(typed)}
        assert last == {f"service-{number}" for number in range(8440, 8450)}
    else:
        assert shell.complete(typed) == completed
