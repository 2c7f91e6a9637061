"""The entry point: what can be served from argv alone, is; the rest is the full program's.

Imported at every start: nothing heavy may be imported here.
"""

from __future__ import annotations

import sys


def main(argv: list[str] | None = None) -> int:
    """Run a command line (by default this process's) and return its exit code."""
    from clave.cli.main import main as full

    return full(sys.argv[1:] if argv is None else argv)
