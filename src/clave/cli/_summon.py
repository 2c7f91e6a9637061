"""`summon-clave`: a provider of summon's. See `delivery/summon.py` for how summon calls one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from clave.cli import _output
from clave.cli._process import close_output, prepare, tell
from clave.cli._state import App

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Answer one call of summon's (by default this process's) and return the exit code."""
    code = 0
    try:
        prepare()
        _serve(sys.argv[1:] if argv is None else argv)
    except BaseException as failure:  # noqa: BLE001 - told as every command tells it
        code = tell(failure)
    return close_output(code)


def _serve(argv: Sequence[str]) -> None:
    from base64 import b64encode

    from clave.delivery import references, resolving

    if list(argv) in (["-v"], ["--version"]):
        from clave.cli.version import text

        _output.line(text())
        return
    app = App()
    if argv:
        wanted = references.parse(" ".join(argv))
        _output.value(resolving.values(app.store, [wanted])[wanted])
        return
    for line in sys.stdin.buffer:
        wanted = references.parse(line.decode("utf-8", "surrogateescape").rstrip("\r\n"))
        _output.value(b64encode(resolving.values(app.store, [wanted])[wanted]) + b"\n")
