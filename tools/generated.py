#!/usr/bin/env python3
"""Write every file that is generated and committed; with `--check` only tell which are not up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from clave.process import run_on_terminal

GENERATORS = ("completions.py", "man.py", "docs.py")


def main(arguments: list[str]) -> int:
    """Run every generator, also after one that failed."""
    folder = Path(__file__).parent
    failed = [name for name in GENERATORS if run_on_terminal([sys.executable, str(folder / name), *arguments])]
    if failed and "--check" in arguments:
        print("'make generate' writes them.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
