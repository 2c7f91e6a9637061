"""`clave rotate`: a new value, in four steps that each may be the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _output, _rotate
from clave.cli._app import pass_app
from clave.cli._checks import exclusive
from clave.cli._rotate import Making, choice, new_value, talk
from clave.errors import Finding, UsageError
from clave.model.name import check_folder
from clave.store import layout
from clave.store.search import missing

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.store.store import Store


@click.command(name="rotate")
@click.option("-d", "--driver", metavar="D", help="Who changes it outside: manual, command:NAME, postgresql, …")
@click.option("-o", "--option", "options", metavar="KEY=VALUE", multiple=True, help="An option of the driver's.")
@click.option("--value-from", type=click.Choice(["stdin"]), help="Take the new password from stdin's first line.")
@click.option("-n", "--no-symbols", is_flag=True, help="Letters and digits only.")
@click.option("--length", metavar="N", help="So many characters.")
@click.option("--words", type=click.IntRange(1, 1000), metavar="N", help="N words of the EFF's long list.")
@click.option("--charset", metavar="SET", help="Characters to choose from, as for tr: a-z, [:alnum:], …")
@click.option("--exclude-similar", is_flag=True, help="Leave out what is easily misread, such as 0 and O.")
@click.option("--resume", is_flag=True, help="Go on with a rotation that was begun, by whomever.")
@click.option("--abort", is_flag=True, help="Give it up: the old value works again.")
@click.option("--rollback", is_flag=True, help="Make the value before this one the entry's again, by the same steps.")
@click.option("--as-begun", is_flag=True, help="With --resume or --abort: the driver that it was begun with.")
@click.option("-f", "--force", is_flag=True, help="With --abort: forget it, whatever is in force outside.")
@click.option("--list", "listing", is_flag=True, help="List the rotations that are under way.")
@click.option("--due", is_flag=True, help="Rotate all whose time has come, one after the other.")
@click.option("--exposed-to", metavar="WHO", help="Rotate all that WHO could ever read, or has written.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.argument("name", default="")
@pass_app
def command(
    app: App,
    name: str,
    driver: str | None,
    options: tuple[str, ...],
    value_from: str | None,
    no_symbols: bool,
    length: str | None,
    words: int | None,
    charset: str | None,
    exclude_similar: bool,
    resume: bool,
    abort: bool,
    rollback: bool,
    as_begun: bool,
    force: bool,
    listing: bool,
    due: bool,
    exposed_to: str | None,
    as_json: bool,
) -> None:
    """Give an entry a new value, also where it is in force.

    The new value is made and kept beside the old one, encrypted, and shared; then it is set outside, and tested; only
    then does it become the entry's, in one commit. Whatever stops this, both values can be read, by everybody who
    reads the entry (`clave show --pending NAME`), and --resume or --abort ends it, from any machine.

    What changes the value outside is a driver: that of the policy, or -d. `manual`, the one on a terminal, says what
    to do and asks. `command:NAME` is a program of your own: clave config set drivers.NAME /PATH.

    \b
    clave rotate prod/db                         as the policy says
    clave rotate -d postgresql -o host=db1 prod/db
    clave rotate --resume prod/db                go on where it stopped
    clave rotate --exposed-to bob                all that bob could read
    """
    exclusive(resume=resume, abort=abort, rollback=rollback, list=listing, due=due, exposed_to=exposed_to)
    if as_json and not listing:
        raise UsageError("--json is for a list", "Add --list.")
    if force and not abort:
        raise UsageError("-f is for --abort", "A rotation asks nothing before it begins.")
    if as_begun and not (resume or abort):
        raise UsageError("--as-begun is for a rotation that is under way", "Add --resume or --abort.")
    making = Making(value_from, length, words, charset, no_symbols, exclude_similar)
    if listing:
        _list(app.split(name)[0], as_json=as_json)
        return
    store, plain = app.split(name)
    if due or exposed_to:
        folder = check_folder(plain)
        names = _rotate.exposed(store, exposed_to, folder) if exposed_to else _rotate.due(store, folder)
        _rotate.many(app, store, names, driver=driver, options=options, making=making)
        return
    if not plain:
        raise UsageError("which entry?", "clave rotate NAME; or --due, --exposed-to WHO, --list.")
    from clave.store.lifecycle import rotating

    with talk() as say:
        if abort and force:
            _forget(store, plain)
        elif resume or abort:
            chosen = choice(store, plain, driver, options, required=False)
            (rotating.abort if abort else rotating.resume)(store, plain, say, chosen, as_begun=as_begun)
        else:
            if not layout.is_entry(store.root, plain):
                raise missing(store, plain)
            chosen = choice(store, plain, driver, options)
            assert chosen is not None
            if rollback:
                rotating.roll_back(store, plain, chosen, say)
            else:
                rotating.rotate(store, plain, chosen, new_value(app, store, plain, making), say)
    _output.note(f"{plain} keeps its old value." if abort else f"{plain} is rotated.")


def _forget(store: Store, name: str) -> None:
    from clave.store.lifecycle import rotating

    with talk() as say:
        rotating.drop(store, name, say)
    _output.warn("what works outside was not looked at; the history keeps both values.")


def _list(store: Store, *, as_json: bool) -> None:
    from clave.store.lifecycle import pending
    from clave.store.past import utc

    found = pending.under_way(store)
    if as_json:
        rows = [
            {"name": one.name, "since": utc(one.since) if one.since else None, "by": one.who or None} for one in found
        ]
        _output.json({"rotations": rows})
    else:
        from clave.model.text import printable

        for one in found:
            _output.line(printable(f"{one.name}: begun{pending.by(one)}"))
    if found:
        raise Finding(
            f"{len(found)} {'rotation is' if len(found) == 1 else 'rotations are'} under way",
            "End each: clave rotate --resume NAME, or --abort NAME.",
        )
