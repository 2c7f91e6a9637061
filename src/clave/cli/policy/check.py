"""`clave policy check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.errors import Finding
from clave.model.text import printable

if TYPE_CHECKING:
    from clave.cli._app import App


@click.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_app
def command(app: App, as_json: bool) -> None:
    """Look for what is wrong with the policy.

    What cannot be read is an error that names the line. Found are patterns that hold for no entry, owners who are not
    in the team, drivers that are not there, and ways to generate a password that are weaker than the policy wants.
    Nothing is decrypted.
    """
    from clave.store.lifecycle import policies

    problems = policies.check(app.store)
    if as_json:
        _output.json({"problems": problems})
    else:
        for each in problems:
            _output.line(printable(each))
    if problems:
        raise Finding(f"the policy has {len(problems)} {'problems' if len(problems) > 1 else 'problem'}")
    if not as_json:
        _output.note("The policy is good.")
