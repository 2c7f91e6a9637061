"""`clave edit`: an entry in the user's editor."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from clave.cli import _ask, _output
from clave.cli._app import pass_app
from clave.cli._checks import require_strength
from clave.errors import ClaveError, Finding
from clave.store import layout

if TYPE_CHECKING:
    from clave.cli._app import App
    from clave.store.store import Store


@click.command(name="edit")
@click.option("--on-disk", is_flag=True, help="Use a temporary file on disk where there is no folder in RAM.")
@click.argument("name")
@pass_app
def command(app: App, name: str, on_disk: bool) -> None:
    """Edit an entry in your editor, in memory only.

    The editor is $EDITOR, else $VISUAL, else editor or vi. It gets a file in a folder in RAM that is yours alone and
    goes when you are done; macOS has none, and there --on-disk allows a temporary file. An entry that is not there
    is made. If somebody has changed the entry when you are done, both are kept: yours as NAME.conflict-….
    """
    from clave.desk import editor
    from clave.model.name import check_new
    from clave.store import reading, recipients, writing

    store, name = app.look(name, strict=True)
    before = None
    if layout.is_entry(store.root, name):
        before = reading.read(store.root, name, options=store.options)
    else:
        name = check_new(name)
    # Better now than after an hour of typing: is there anybody to encrypt to?
    recipients.for_folder(store, name.rpartition("/")[0])
    program = os.path.basename(editor.command()[0])
    subject = f"{'Add' if before is None else 'Edit'} password for {name} using {program}."
    with editor.session(before or b"", name, allow_disk=on_disk) as session:
        while True:
            after = session.run()
            if after == (before or b""):
                raise Finding("Password unchanged." if before is not None else "New password not saved.")
            try:
                writing.replace(store, name, after, read=before, subject=subject)
            except Finding:
                raise
            except ClaveError as failure:
                # The text is in RAM alone and would be gone.
                _output.warn(failure.line())
                if not _ask.confirm("Nothing was saved. Edit again?"):
                    raise
            else:
                _tell_weakness(store, name, before, after)
                return


def _tell_weakness(store: Store, name: str, before: bytes | None, after: bytes) -> None:
    """Warn of a new password that is weaker than the policy wants: refused, what was typed would be lost."""
    from clave.model.secret import Secret

    if before is None or Secret(before).password != Secret(after).password:
        try:
            require_strength(store, name, after)
        except Finding as weakness:
            _output.warn(weakness.message)
