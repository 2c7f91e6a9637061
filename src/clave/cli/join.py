"""`clave join`: get a store that others have, and ask to become a member of its team."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from clave.cli import _ask, _keys, _output
from clave.cli._app import pass_app
from clave.cli._remote import Waiting
from clave.errors import UsageError, VerificationFailed

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.store.people.joining import Asked, Place
    from clave.store.people.membership import Team
    from clave.store.store import Store
    from clave.store.trust.genesis import Genesis
    from clave.team.verdict import Verdict


@click.command(name="join")
@click.option("--as", "name", metavar="STORE", help="What the store is called here, if it is not the only one.")
@click.option("--into", metavar="PATH", help="The folder of the store, which must be empty or not there.")
@click.option("--root", metavar="WORDS", help="The words of the store, as a colleague's clave pin --words prints them.")
@click.option("--key", "fingerprint", metavar="FINGERPRINT", help="Which of your keys you join with.")
@click.option("--name", "wish", metavar="NAME", help="What you would like to be called in the team.")
@click.argument("url", metavar="URL")
@pass_app
def command(
    app: App, name: str | None, into: str | None, root: str | None, fingerprint: str | None, wish: str | None, url: str
) -> None:
    """Get a store that others have, and ask to become a member of its team.

    The words that are shown stand for the store and its first roster. Ask a colleague, by voice, for what their clave
    pin --words says; only if both are the same is it their store. All of its history is verified then. If one of your
    keys is a member's already, this is another machine of yours, and you are done. Else your wish is published as a
    branch that nobody but you can have made; if you may not push, a file is written that you send. An admin lets you
    in with clave team approve, and you get what you may read with clave sync. A command that was stopped goes on where
    it was if you give it again.
    """
    from clave.store.people import joining
    from clave.store.trust.pins import ROOT

    place = _place(app, url, app.store_name if name is None else name, into)
    root = root or os.environ.get(ROOT)
    settled = None
    store = joining.unfinished(place, url, app.settings)
    if store is None:
        with Waiting() as wait, joining.received(url, place, told=wait) as found:
            wait.clear()
            _compare(found.genesis, root)
            settled = joining.settle(found, place, app.settings)
        store, verdict = settled.store, settled.verdict
        _output.note(f"The store is at {store.root}.")
        if verdict is not None:
            _tell(verdict)
    else:
        verdict = _go_on(store, place, app, root)
    if store.is_team:
        _become_member(store, fingerprint, wish, here=settled is None)
    if verdict is not None and verdict.refusals:
        raise verdict.refusals[0].error()


def _place(app: App, url: str, name: str | None, into: str | None) -> Place:
    from clave.store.people import joining

    place = joining.place_for(app.settings, url, name, into)
    if place is None and _ask.interactive():
        _output.note("There is a store already.")
        place = joining.place_for(app.settings, url, _ask.line("What shall the new one be called? ").strip())
    if place is None:
        raise UsageError("there is a store already", "Say what the new one is called: --as STORE.")
    return place


def _compare(found: Genesis | None, root: str | None) -> None:
    """Let the words of a store be compared. Raises VerificationFailed for other ones."""
    from clave.store.trust import genesis

    if found is None:
        if root:
            raise genesis.no_team()
        _output.note("This is a plain store: it has no team, so there is nothing in it that could be verified.")
        return
    if root:
        genesis.require_fits(found, root)
        return
    _output.note(f"The words of this store are:\n  {found.words}")
    if not _ask.interactive():
        raise VerificationFailed(
            "the words of the store were not compared with a colleague's",
            "Without a terminal, give theirs: --root WORDS.",
        )
    if not _ask.confirm("Does a colleague, asked by voice, get the same from clave pin --words?"):
        raise VerificationFailed("the words are not the same", "So this is not their store: ask for its URL again.")


def _go_on(store: Store, place: Place, app: App, root: str | None) -> Verdict | None:
    """Go on with a store that an earlier join has put there."""
    from clave.store.people import joining
    from clave.store.share import syncing
    from clave.store.trust import genesis, pins

    repository = store.repository()
    assert repository is not None
    joining.register(place, app.settings)
    _output.note(f"The store is at {store.root}.")
    pinned = pins.read(repository)
    if pinned is not None:
        if root:
            genesis.require_fits(genesis.of(pinned), root)
        with Waiting() as wait:
            syncing.sync(store, told=wait)  # an admin may have let us in meanwhile
        return None
    head = repository.head()
    found = genesis.find(repository, head) if head else None
    _compare(found, root)
    if found is None:
        return None
    _, verdict = genesis.adopt(repository, found.words)
    _tell(verdict)
    return verdict


def _tell(verdict: Verdict) -> None:
    roster = verdict.roster
    assert roster is not None
    _output.note(f"All of its history is verified up to commit {verdict.good[:12]} (roster {roster.seq}).")
    for each in verdict.refusals:
        _output.warn(each.error().line())
    if verdict.waiting:
        count = len(verdict.waiting)
        _output.warn(f"{count} unsigned {'commit waits' if count == 1 else 'commits wait'} for an endorsement")


def _become_member(store: Store, fingerprint: str | None, wish: str | None, *, here: bool) -> None:
    """Publish the wish to become a member, unless the user is one; `here`: this machine has the store from before."""
    from clave.store.people import joining
    from clave.store.trust import words

    team = store.team()
    me = team.me
    if me is not None:
        _output.note(f"You are {me.name}{'' if here else '; this is another machine of yours'}.")
        _output.note(f"Whoever has the same sees the same words: {words.of_head(team.commit)}")
        return
    chosen = _key(fingerprint)
    name = wish or _wish(chosen.fingerprint)
    with Waiting() as wait:
        asked = joining.ask(store, team, chosen.fingerprint, name, folder=os.getcwd(), told=wait)
    chosen.warn()
    _tell_admin(team, asked)


def _key(fingerprint: str | None) -> _keys.Chosen:
    if fingerprint is None:
        return _keys.choose("which of your keys do you join with?", "Name it: --key FINGERPRINT.")
    from clave.openpgp import keys

    wanted = fingerprint.replace(" ", "").upper()
    if not any(key.fingerprint == wanted for key in keys.own_keys()):
        raise UsageError(f"{fingerprint} is none of your keys", "See them: gpg --list-secret-keys.")
    return _keys.Chosen(wanted, made=False)


def _wish(fingerprint: str) -> str:
    """Return the name that somebody would like, by default that of their key's address."""
    from clave.openpgp import keys
    from clave.store.people.founding import name_from

    user_ids = next((key.user_ids for key in keys.own_keys() if key.fingerprint == fingerprint), ())
    default = name_from(user_ids[0] if user_ids else "")
    if not _ask.interactive():
        return default
    return _ask.line(f"Your name in the team? [{default}] ").strip() or default


def _tell_admin(team: Team, asked: Asked) -> None:
    from clave.store.trust import words

    request = asked.request
    if asked.file:
        _output.warn(f"your request could not be published ({asked.reason})")
        _output.note(f"Send the file {asked.file} to an admin ({team.admins}), who then does:")
        _output.note(f"  clave team approve {request.name} {os.path.basename(asked.file)} --read FOLDER")
    else:
        _output.note(f"Your request to join as {request.name} is published. An admin ({team.admins}) then does:")
        _output.note(f"  clave team approve {request.name} --read FOLDER")
    _output.note("They must see, so read it to them by voice, that your key has these words:")
    _output.line(f"  {words.of_key(request.fingerprint)}")
    _output.note(f"  {request.fingerprint}\nAfter that you get what you may read: clave sync")
