"""Questions: where nobody sits, none is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.reading import on_terminal, put, terminal_output

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Person, Run


def test_a_prompt_is_shown_on_a_terminal_and_not_for_a_pipe(
    alice: Person, clave: Run, run_pass: Run, tmp_path: Path
) -> None:
    store = put(alice, tmp_path / "store", {})

    for run in (run_pass, clave):
        piped = run(alice, store, "insert", "-f", "-e", "piped", input=b"secret\n")
        assert (piped.code, piped.err) == (0, b"")

    child = on_terminal(alice, store, "insert", "--echo", "typed")
    child.expect_exact("Enter password for typed: ")
    child.sendline("secret")
    terminal_output(child)
    assert clave(alice, store, "show", "typed").out == b"secret\n"
