"""`clave team approve`: let somebody in who asked to join."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _ask, _output, _team
from clave.cli._app import pass_app
from clave.cli._progress import Progress
from clave.cli._remote import Waiting
from clave.errors import Finding, NotFound, UsageError, VerificationFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clave.cli._app import App
    from clave.store.people.approving import Applicant
    from clave.store.people.membership import Team
    from clave.store.people.requests import Read, Request
    from clave.store.store import Store


@click.command(name="approve")
@click.option("--read", metavar="FOLDER", multiple=True, help="Let them read this folder; may be given again.")
@click.option("--write", metavar="FOLDER", multiple=True, help="Let them read and write this folder.")
@click.option("--new", is_flag=True, help="The folders need not be there yet.")
@click.option("--request", "fingerprint", metavar="FINGERPRINT", help="The key that they ask with, in full.")
@click.option("--sure", is_flag=True, help="Do not ask, if --request names the key.")
@click.option("--json", "as_json", is_flag=True, help="Print who has asked, as JSON.")
@click.argument("name", metavar="[MEMBER]", required=False)
@click.argument("file", metavar="[FILE]", required=False)
@pass_app
def command(
    app: App,
    read: tuple[str, ...],
    write: tuple[str, ...],
    new: bool,
    fingerprint: str | None,
    sure: bool,
    as_json: bool,
    name: str | None,
    file: str | None,
) -> None:
    """Let somebody in who asked to join.

    Without MEMBER, who has asked is listed. MEMBER is what they are called in the team from now on; their request is
    the one with that name, or the one that --request names, or their key is in FILE, which they sent. The words of the
    key are shown: compare them with its owner, by voice, for whoever has that key gets what you grant. One commit then
    adds them, grants what you say, and encrypts it anew for them. Both of you see the same words of the store at the
    end, they after clave sync.

    A script gives the full fingerprint, which it has from the owner of the key: --request FINGERPRINT --sure.
    """
    from clave.store.people import approving, teamwork
    from clave.store.trust import words

    store = app.store
    if name is None:
        _list(approving.applied(store, store.team()), as_json=as_json)
        return
    team = store.team()
    team.require_admin()
    if not read and not write:
        raise UsageError(f"what may {name} read?", "Name folders: --read FOLDER, or --read . for the whole store.")
    if sure and fingerprint is None:
        raise UsageError("whose key it is cannot be left unasked", "Give it in full: --request FINGERPRINT --sure.")
    folders = [[teamwork.folder(store, path, new=new) for path in paths] for paths in (read, write)]
    applicant = _applicant(store, team, name, file, fingerprint)
    change = approving.change(applicant, name, *folders)
    seen = teamwork.preview(store, change)
    _show(applicant, name)
    for line in _team.lines(seen):
        _output.note(line)
    _confirm(name, sure=sure)
    with Progress("re-encrypted") as progress, Waiting() as wait:
        done = teamwork.make(store, change, seen, progress=progress, told=wait)
    _output.note(f"{name} is in, by roster {done.preview.after.seq}. After clave sync they see these words, as you do:")
    _output.line(words.of_head(done.commit))
    _team.finish(store, done)


def _list(found: Mapping[str, Read], *, as_json: bool) -> None:
    from clave.store.people.approving import from_request
    from clave.store.trust import words

    open_ones = [from_request(each.request) for each in found.values() if each.request is not None]
    refused = [each.problem for each in found.values() if each.problem is not None]
    if as_json:
        _output.json(
            {
                "requests": [
                    {
                        "name": each.request.name if each.request else None,
                        "fingerprint": each.fingerprint,
                        "user_id": each.user_id,
                        "words": words.of_key(each.fingerprint),
                    }
                    for each in open_ones
                ],
                "refused": [problem.message for problem in refused],
            }
        )
        return
    for each in open_ones:
        _show(each, "MEMBER")
    if not open_ones:
        _output.note("Nobody has asked to join.")
    else:
        _output.note("Let somebody in: clave team approve MEMBER --read FOLDER")
    for problem in refused:
        _output.warn(problem.line())


def _applicant(store: Store, team: Team, name: str, file: str | None, fingerprint: str | None) -> Applicant:
    """Return whom to let in. Raises VerificationFailed for a key that is not the one that was named."""
    from clave.store.people import approving

    key = None if fingerprint is None else "".join(fingerprint.split()).upper().removeprefix("0X")
    if file is not None:
        applicant = approving.from_file(file)
        if key is None or applicant.fingerprint == key:
            return applicant
        raise VerificationFailed(f"the key in {file} is {applicant.fingerprint}, not {key}", f"Ask {name} for it anew.")
    found = approving.applied(store, team, key) if key else {}
    found = found or approving.applied(store, team)
    try:
        return approving.from_request(approving.wanted(found, name, key))
    except NotFound:
        others = [each.request for each in found.values() if each.request is not None]
        if key is not None or not others or not _ask.interactive():
            raise
    return approving.from_request(_chosen(others, name))


def _chosen(others: Sequence[Request], name: str) -> Request:
    """Ask which of the requests is meant, where none has the name that was given."""
    _output.note(f"Nobody has asked to join as {name}, but:")
    for number, each in enumerate(others, 1):
        _output.note(f"{number:3}  {each.name}  {each.fingerprint}")
    answer = _ask.line(f"Which is it? [1-{len(others)}] ").strip()
    if not answer.isdecimal() or not 1 <= int(answer) <= len(others):
        raise UsageError(f"'{answer}' is not one of them", "Answer with a number of the list.")
    return others[int(answer) - 1]


def _show(applicant: Applicant, name: str) -> None:
    from clave.store.trust import words

    wish = applicant.request.name if applicant.request else ""
    if wish and wish != name:
        _output.note(f"wants:  to be called {wish}")
    _output.note(f"key:    {applicant.fingerprint}\nowner:  {applicant.user_id} (they say)")
    _output.note(f"words:  {words.of_key(applicant.fingerprint)}")


def _confirm(name: str, *, sure: bool) -> None:
    if sure:
        return
    if not _ask.interactive():
        raise UsageError(
            "whether this is their key cannot be asked without a terminal",
            "Give the fingerprint that you have from its owner: --request FINGERPRINT --sure.",
        )
    if not _ask.confirm(f"Has {name} read you these words of their key, and shall all that be done?"):
        raise Finding("nothing was changed", "Let them read you their words: clave join shows them.")
