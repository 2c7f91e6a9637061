"""Shells that complete, one of each kind for a module: what is typed in one test is gone in the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

from tests.completion.shells import SCRIPTS, Shell

if TYPE_CHECKING:
    from pathlib import Path

Start = Callable[..., Shell]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Return a function that starts a shell: `start("zsh", env)`."""
    started: list[Shell] = []

    def begin(name: str, env: Mapping[str, str], **options: str | Path) -> Shell:
        started.append(Shell(name, env, tmp_path_factory.mktemp(name), **options))  # type: ignore[arg-type]
        return started[-1]

    yield begin
    for shell in started:
        shell.close()


@pytest.fixture(scope="module", params=list(SCRIPTS))
def name(request: pytest.FixtureRequest) -> str:
    """The name of a shell."""
    return str(request.param)
