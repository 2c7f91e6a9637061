"""`clave sync`: what others have, and what one has done, brought together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _ask, _output
from clave.cli._app import pass_app
from clave.cli._remote import Waiting as Wait
from clave.errors import Finding, UsageError, VerificationFailed
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clave.cli._app import App
    from clave.store.share.syncing import Synced
    from clave.team.verdict import Waiting
    from clave.vcs.graph import Told

_LISTED = 10  # commits that are shown


@click.command(name="sync")
@click.option("--dry-run", is_flag=True, help="Only say what would come and go.")
@click.option("--endorse", is_flag=True, help="Endorse unsigned commits of others, after they were shown.")
@click.option("--sign", is_flag=True, help="Sign unsigned commits of your own, without a question.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_app
def command(app: App, *, dry_run: bool, endorse: bool, sign: bool, as_json: bool) -> None:
    """Get what others have done, and share what you have.

    In a team store all that comes is verified first, and nothing that is refused gets in. Changes of different entries,
    and of different fields of one entry, are brought together. If two people have changed the same field, both are
    kept: theirs at the entry, yours beside it (clave conflicts lists them), and the exit code is 1.

    Commits that pass or plain git made without a signature wait until somebody who could have made them endorses them;
    until then they are not brought in, and the exit code is 6.
    """
    from clave.store.share import syncing

    if dry_run and (endorse or sign):
        raise UsageError("--dry-run changes nothing", "Leave --endorse and --sign out.")
    with Wait() as wait:
        if dry_run:
            done = syncing.preview(app.store, told=wait)
        else:
            done = syncing.sync(
                app.store,
                endorse=_endorse(wait) if endorse else None,
                sign=_sign(wait, sure=sign),
                told=wait,
            )
    if as_json:
        _output.json(_document(done, dry_run=dry_run))
    else:
        _print(done, dry_run=dry_run)
        if done.head and done.came and app.store.is_team:
            from clave.store.trust import words

            _output.note(f"Whoever has the same sees the same words: {words.of_head(done.head)}")
    for line in done.refused:
        _output.warn(line)
    if done.waiting and not dry_run:
        first = done.waiting[0]
        raise VerificationFailed(
            f"commit {first.commit[:12]} is not signed, so it waits and was not brought in",
            f"Look at it, then endorse it: clave sync --endorse ({_endorsers(first)} may).",
        )
    if done.refused:
        raise Finding("a change of the team has to be made again", "See what is now: clave team; then run its command.")
    if done.conflicts:
        raise _conflicts(done)


def _conflicts(done: Synced) -> Finding:
    twice = [printable(each.path.removesuffix(".gpg")) for each in done.conflicts if each.kept]
    stays = [printable(each.path.removesuffix(".gpg")) for each in done.conflicts if not each.kept]
    parts = []
    if twice:
        parts.append(f"two changes could not be brought together, and both are kept: {', '.join(twice)}")
    if stays:
        parts.append(f"removed or moved by one and changed by another, so what was changed stays: {', '.join(stays)}")
    return Finding(
        "; ".join(parts), "See: clave conflicts." if twice else "Remove it again if it is not needed: clave rm."
    )


def _endorse(wait: Wait) -> Callable[[Sequence[Waiting]], bool]:
    def show(waiting: Sequence[Waiting]) -> bool:
        wait.clear()
        _output.note("You endorse, as if you had made it yourself (who made it, nobody can tell):")
        for each in waiting:
            _output.note(_line(each))
        return True

    return show


def _sign(wait: Wait, *, sure: bool) -> Callable[[Sequence[Told]], bool]:
    def ask(unsigned: Sequence[Told]) -> bool:
        wait.clear()
        _output.note("These commits of yours are not signed:")
        for each in unsigned:
            _output.note(f"  {each.id[:12]} {printable(each.subject)}")
        return sure or _ask.confirm("Sign them?")

    return ask


def _endorsers(each: Waiting) -> str:
    return " or ".join(each.endorsers) or "nobody"


def _line(each: Waiting) -> str:
    changed = ", ".join(printable(path) for path in each.paths[:_LISTED])
    return f"  {each.commit[:12]} changes {changed}{', …' if len(each.paths) > _LISTED else ''}"


def _print(done: Synced, *, dry_run: bool) -> None:
    for commits, what in (
        (done.came, "would come" if dry_run else "came"),
        (done.went, "would go" if dry_run else "went"),
    ):
        if commits:
            _output.line(f"{len(commits)} {'commit' if len(commits) == 1 else 'commits'} {what}:")
            for each in commits[-_LISTED:]:
                _output.line(f"  {each.id[:12]} {printable(each.author)}: {printable(each.subject)}")
            if len(commits) > _LISTED:
                _output.line(f"  and {len(commits) - _LISTED} before")
    for waiting in done.waiting:
        _output.warn(f"an unsigned commit waits to be endorsed ({_endorsers(waiting)} may):\n{_line(waiting)}")
    if done.left:
        names = ", ".join(printable(name) for name in done.left[:_LISTED]) + (", …" if len(done.left) > _LISTED else "")
        _output.warn(f"still encrypted to those who read it before: {names}. Who reads it mends it: clave rekey.")
    if not (done.came or done.went or done.waiting):
        _output.note("Nothing to share: all have the same.")


def _document(done: Synced, *, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "head": done.head or None,
        "came": [_commit(each) for each in done.came],
        "went": [_commit(each) for each in done.went],
        "conflicts": [{"path": each.path, "kept": each.kept or None} for each in done.conflicts],
        "waiting": [{"commit": w.commit, "paths": w.paths, "endorsers": w.endorsers} for w in done.waiting],
        "rekey_due": list(done.left),
        "refused": list(done.refused),
    }


def _commit(each: Told) -> dict[str, object]:
    return {"commit": each.id, "author": each.author, "time": each.time, "subject": each.subject, "signed": each.signed}
