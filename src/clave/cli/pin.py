"""`clave pin`: what is known of a team store from before."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from clave.cli import _ask, _output
from clave.cli._app import pass_app
from clave.cli._checks import exclusive
from clave.errors import UsageError, VerificationFailed

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.store.store import Store
    from clave.store.trust.pins import Pinned


@click.command(name="pin")
@click.option("--words", is_flag=True, help="Print the words of the store alone, for a colleague to compare.")
@click.option("--root", metavar="WORDS", help="Set the pin of a clone that has none, by a colleague's words.")
@click.option("--move", metavar="COMMIT", help="Pin this commit instead, after a look and a question.")
@click.option("--to-remote", is_flag=True, help="Pin what the remote has now instead, after a look and a question.")
@click.option("--sure", is_flag=True, help="Move the pin without a question.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_app
def command(
    app: App, words: bool, root: str | None, move: str | None, to_remote: bool, sure: bool, as_json: bool
) -> None:
    """Show what is known of a team store from before, its pin.

    The pin is kept outside of the store: where its team began (shown as words), and up to which commit all is verified.
    What does not come after that commit is refused, whoever pushed it. If the remote was set back or begun anew on
    purpose, and you know that from somebody who would know, the pin can be moved: the new history is verified from its
    beginning on, and the words of both are shown.
    """
    exclusive(words=words, root=root, move=move, to_remote=to_remote, json=as_json)
    store = app.store
    if not store.is_team:
        raise UsageError("this store has no team, so there is nothing to pin", "Make one: clave team init.")
    if root is not None:
        _set(store, root)
    elif move is not None or to_remote:
        _move(store, move, sure=sure)
    else:
        _show(store, words=words, as_json=as_json)


def _show(store: Store, *, words: bool, as_json: bool) -> None:
    from clave.store.trust import genesis
    from clave.store.trust.verification import pinned_or_refuse
    from clave.store.trust.words import of_head

    pinned = pinned_or_refuse(store.team_repository())
    begun = genesis.of(pinned)
    if words:
        _output.line(begun.words)
    elif as_json:
        _output.json(
            {
                "store": pinned.store,
                "genesis": pinned.genesis,
                "roster_hash": pinned.roster,
                "words": begun.words,
                "verified": pinned.local,
                "upstream": pinned.upstream or None,
                "head_words": of_head(pinned.local),
                "roster": pinned.seq,
                "when": pinned.when,
            }
        )
    else:
        for line in _lines(pinned, begun.words, of_head(pinned.local)):
            _output.line(line)


def _lines(pinned: Pinned, words: str, head_words: str) -> list[str]:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(pinned.when))
    return [
        f"words:     {words}",
        f"began at:  {pinned.genesis}, with roster {pinned.roster}",
        f"verified:  {pinned.local}, with roster {pinned.seq}, on {when}",
        f"           {head_words}",
        f"upstream:  {pinned.upstream or 'never seen'}",
    ]


def _set(store: Store, root: str) -> None:
    from clave.store.trust import genesis, pins

    repository = store.team_repository()
    if pins.read(repository) is not None:
        raise UsageError("this store has a pin already", "Show it: clave pin. To give it up: clave pin --move COMMIT.")
    pinned, verdict = genesis.adopt(repository, root)
    _output.note(f"The words are the same, and all is verified up to commit {pinned.local[:12]} (roster {pinned.seq}).")
    if verdict.waiting:
        _output.warn("what comes after it is not signed: clave sync shows it")


def _move(store: Store, revision: str | None, *, sure: bool) -> None:
    from clave.store.trust import genesis, pinning
    from clave.store.trust.words import of_head

    move = pinning.plan(store, revision)
    if move.new.local == move.old.local and move.new.genesis == move.old.genesis:
        _output.note(f"The pin is at commit {move.old.local[:12]} already.")
        return
    for label, pinned in (("now", move.old), ("then", move.new)):
        _output.note(f"{label:5} {genesis.of(pinned).words}")
        _output.note(f"      commit {pinned.local[:12]} ({of_head(pinned.local)}), roster {pinned.seq}")
    if move.old.genesis != move.new.genesis:
        _output.warn("it is the beginning of another team: compare the new words with a colleague, by voice")
    if not sure and not _ask.confirm("Move the pin? What it protected from is accepted then."):
        raise VerificationFailed("the pin was not moved", "Without a terminal, say --sure.")
    if pinning.carry_out(store, move):
        _output.note(f"HEAD went there too; what it was is kept as {pinning.KEPT}.")
    _output.note(f"The pin is at commit {move.new.local[:12]}.")
