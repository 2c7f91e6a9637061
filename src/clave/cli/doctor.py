"""`clave doctor`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from clave.cli import _output
from clave.cli._app import App, pass_app
from clave.errors import CannotWrite
from clave.model.text import printable

if TYPE_CHECKING:
    from clave.model.report import Report

# As many paths of one finding are shown to a human; `--json` has all.
_SHOWN = 8


@click.command("doctor")
@click.option("--fix", is_flag=True, help="Mend what can be mended without a loss: permissions, stale locks.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_app
def command(app: App, fix: bool, as_json: bool) -> None:
    """Find and mend what is wrong with the set-up.

    Looks at gpg, its agent and pinentry, your keys and the recipients of every folder, git and its locks,
    permissions, and files that do not belong into a store. Exits with 1 if something needs attention.
    """
    from clave.desk import health as desk
    from clave.model.report import Level
    from clave.store.health import examine

    open_ends = 0
    rows = []
    for report in (*examine(app.settings, app.store_name, terminal=_terminal()), *desk.check_desktop()):
        fixed = fix and report.fix is not None and _fix(report)
        open_ends += report.level is Level.ATTENTION and not fixed
        if as_json:
            rows.append(_row(report, fixed=fixed))
        else:
            _show(report, fixed=fixed)
    if as_json:
        _output.json({"attention": open_ends, "reports": rows})
    elif not open_ends:
        _output.note("Nothing needs attention.")
    if open_ends:
        click.get_current_context().exit(1)


def _terminal() -> str | None:
    return os.ttyname(sys.stdin.fileno()) if sys.stdin.isatty() else None


def _fix(report: Report) -> bool:
    assert report.fix is not None
    try:
        report.fix()
    except OSError as failure:
        raise CannotWrite(f"cannot mend {', '.join(report.paths)}: {failure.strerror}") from None
    return True


def _row(report: Report, *, fixed: bool) -> dict[str, object]:
    return {
        "check": report.check,
        "level": report.level,
        "text": report.text,
        "mend": report.mend,
        "paths": report.paths,
        "fixable": report.fix is not None,
        "fixed": fixed,
    }


def _show(report: Report, *, fixed: bool) -> None:
    from clave.model.report import Level

    label, style = {
        Level.GOOD: ("ok", "good"),
        Level.NOTE: ("note", "faint"),
        Level.ATTENTION: ("mend", "bad"),
    }[report.level]
    if fixed:
        label, style = "fixed", "good"
    _output.line(f"{_output.paint(f'{label:5}', style, sys.stdout)} {report.check}: {printable(report.text)}")
    if fixed:
        return
    paths = [path for path in report.paths if path not in report.text]
    for path in paths[:_SHOWN]:
        _output.line(f"        {printable(path)}")
    if len(paths) > _SHOWN:
        _output.line(f"        … and {len(paths) - _SHOWN} more (--json lists all)")
    if report.mend:
        _output.line(f"      → {printable(report.mend)}")
