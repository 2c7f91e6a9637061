"""docs/drivers.md: its examples are run as they stand there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from clave.model.secret import Secret
from clave.rotation.drivers import contract
from clave.rotation.drivers.command import Command

if TYPE_CHECKING:
    import pytest

TEXT = (Path(__file__).parents[2] / "docs/drivers.md").read_text()


def block(name: str) -> str:
    (found,) = re.findall(rf"<!-- test: {name} -->\n```\w+\n(.*?)```", TEXT, re.DOTALL)
    assert isinstance(found, str)
    return found


def test_the_driver_keeps_the_contract_by_the_test_that_stands_there(tmp_path: Path) -> None:
    (tmp_path / "test_users.py").write_text(block("driver") + "\n\n" + block("contract"))
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", str(tmp_path)]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert f"{len(contract.CHECKS)} passed" in done.stdout, done.stdout


def test_the_program_keeps_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, file = tmp_path / "rotate-shop", tmp_path / "password"
    program.write_text(block("command"))
    program.chmod(0o700)
    (tmp_path / "clave").mkdir()
    (tmp_path / "clave/config.toml").write_text(f'[drivers]\nshop = "{program}"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    target = contract.Target(
        driver=Command("shop"),
        current=Secret(b"old-password\n"),
        works=lambda secret: file.read_bytes() == secret.password,
        options={"file": str(file)},
    )
    for check in (
        contract.it_goes_to_the_end,
        contract.a_value_that_is_not_set_fails_the_test,
        contract.abort_takes_set_back,
    ):
        file.write_bytes(b"old-password")
        check(target)
