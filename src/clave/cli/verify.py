"""`clave verify`: whether what stands in a team store is what its team wrote."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import pass_app
from clave.errors import UsageError, VerificationFailed

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.store.trust.incoming import Update
    from clave.store.trust.inspection import Inspection
    from clave.team.verdict import Refusal


@click.command(name="verify")
@click.option("--all", "everything", is_flag=True, help="Verify all from the beginning on, not only what is new.")
@click.option("--strict", is_flag=True, help="Fail also for what is else a warning.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--incoming", is_flag=True, help="Verify what is being pushed to this bare repository.")
@click.argument("push", metavar="[OLD NEW REF]", nargs=-1)
@pass_app
def command(app: App, everything: bool, strict: bool, as_json: bool, incoming: bool, push: tuple[str, ...]) -> None:
    """Verify that what stands in a team store is what its team wrote.

    Every commit since the last verified one is held against the roster that was in force: who signed it, what they
    may change, for whom each entry is encrypted. The commit and the rule are named where one is broken. Warnings are
    commits that wait for an endorsement, entries to be encrypted anew, uncommitted changes, and a newest commit that is
    older than the max_age of .clave/policy.toml; with --strict they fail, too.

    A server can refuse what every clave would refuse. In the bare repository, once:

    \b
      git config clave.root WORDS            (what clave pin --words says)
      printf '#!/bin/sh\\nexec clave verify --incoming\\n' > hooks/pre-receive
      chmod +x hooks/pre-receive

    It reads what git tells such a hook; OLD NEW and REF say the same by hand. The store's branch only goes forward, and
    requests to join come in. A machine that reads a fresh clone is given the words, too: CLAVE_ROOT=WORDS clave show
    NAME.
    """
    if incoming:
        from clave.store.trust.incoming import check

        check(_updates(push), strict=strict)
        return
    if push:
        raise UsageError("commits are named with --incoming alone", "See: clave help verify.")
    from clave.store.trust.inspection import inspect

    store = app.store
    if not store.is_team:
        raise UsageError("this store has no team, so nothing in it can be verified", "Make one: clave team init.")
    found = inspect(store, everything=everything)
    if as_json:
        _print_json(found)
    else:
        _print(found)
    if found.verdict.refusals:
        raise found.verdict.refusals[0].error()
    if strict and found.warnings:
        raise VerificationFailed(found.warnings[0], f"{len(found.warnings)} in all; without --strict it is a warning.")


def _print(found: Inspection) -> None:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(found.when))
    good = found.verdict.good[:12]
    _output.line(f"verified up to commit {good}, signed by {found.signer} on {when}, with roster {found.roster}")
    for refusal in found.verdict.refusals[1:]:
        _output.warn(refusal.error().line())
    for warning in found.warnings:
        _output.warn(warning)


def _print_json(found: Inspection) -> None:
    verdict = found.verdict
    _output.json(
        {
            "verified": verdict.good,
            "signer": found.signer,
            "when": found.when,
            "roster": found.roster,
            "refused": [_refusal(each) for each in verdict.refusals],
            "waiting": [{"commit": w.commit, "paths": w.paths, "endorsers": w.endorsers} for w in verdict.waiting],
            "rekey_due": [{"path": each.path, "problem": each.problem} for each in found.due],
            "warnings": found.warnings,
        }
    )


def _refusal(each: Refusal) -> dict[str, str]:
    return {
        "commit": each.commit,
        "signer": each.signer,
        "rule": str(each.rule),
        "problem": each.problem,
        "advice": each.advice,
    }


def _updates(push: tuple[str, ...]) -> list[Update]:
    """Return what is pushed, from the arguments or as git tells a hook: lines of old, new and ref."""
    from clave.store.trust.incoming import Update

    rows = [list(push)] if push else [line.split(" ", 2) for line in sys.stdin.read().splitlines()]
    updates = []
    for row in rows:
        if len(row) not in (2, 3):
            raise UsageError("what is pushed is OLD NEW REF", "See: clave help verify.")
        updates.append(Update(row[0], row[1], row[2] if len(row) == 3 else ""))
    return updates
