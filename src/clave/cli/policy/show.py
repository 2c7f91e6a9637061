"""`clave policy show [NAME]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.model.text import printable

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.rotation.policy import Policy, Rule


@click.command(name="show")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.argument("name", required=False)
@pass_app
def command(app: App, name: str | None, as_json: bool) -> None:
    """Show what is wanted of an entry, and which line says so.

    NAME need not be there yet. Without it, the patterns are shown, the least specific first: each comes before those
    above it.
    """
    from clave.model.name import check
    from clave.store.lifecycle import policies

    store, path = app.split(name) if name else (app.store, "")
    policy = policies.policy(store)
    if not name:
        _print_patterns(policy, as_json=as_json)
        return
    path = check(path)
    reasons = policy.why(path)
    if as_json:
        rows = [each._asdict() for each in reasons]
        _output.json({"name": path, "rule": _document(policy.rule(path)), "reasons": rows})
        return
    for each in reasons:
        _output.line(printable(f"{each.key}: {each.value}  ({each.where}, '{each.pattern}')"))
    if not reasons:
        _output.note(f"The policy wants nothing of {path}.")


def _print_patterns(policy: Policy, *, as_json: bool) -> None:
    if as_json:
        age = policy.max_age
        patterns = [{"pattern": each, "where": policy.where(each)} for each in policy.patterns]
        _output.json({"max_age_hours": age and age.total_seconds() / 3600, "patterns": patterns})
        return
    for pattern in policy.patterns:
        said = ", ".join(f"{key} {value}" for key, value in policy.said(pattern))
        _output.line(printable(f"{pattern}: {said or 'nothing'}  ({policy.where(pattern)})"))
    if not policy.patterns:
        _output.note("The store has no policy. Begin one: clave policy set PATTERN rotate=90d")


def _document(rule: Rule) -> dict[str, object]:
    return {
        "pattern": rule.pattern,
        "rotate_hours": rule.rotate and rule.rotate.total_seconds() / 3600,
        "expires": rule.expires and rule.expires.isoformat(),
        "on": sorted(rule.on),
        "owner": rule.owner,
        "driver": rule.driver,
        "driver_options": dict(rule.options),
        "generate": rule.generate and rule.generate._asdict(),
        "min_entropy": rule.min_entropy,
    }
