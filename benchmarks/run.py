#!/usr/bin/env python3
"""Measure clave against pass: `make bench` prints the table and writes docs/benchmarks.md.

`--quick` takes a few pairs only, `--pairs N` that many, `--only ROW` the rows whose names begin so. A part of the rows
is printed and not written.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import re
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from measure import Unavailable, in_pairs
from rows import ROWS, Row
from stage import ROOT, Stage, stage
from table import HEADINGS, RULER, Result, Skipped, document, line

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK = 5


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"take at most {QUICK} pairs a row")
    parser.add_argument("--pairs", type=int, metavar="N", help="take N pairs a row")
    parser.add_argument(
        "--only", metavar="ROW", help=f"one of {', '.join(row.name for row in ROWS)}; or how some begin"
    )
    options = parser.parse_args(arguments)
    rows = [row for row in ROWS if row.name.startswith(options.only or "")]
    if not rows or (options.pairs or 2) < 2:
        parser.error("no such row" if not rows else "fewer than two pairs have no spread")

    results: list[Result | Skipped] = []
    with stage() as it:
        print(f"{HEADINGS}\n{RULER}", flush=True)
        for row in rows:
            pairs = options.pairs or (min(row.pairs, QUICK) if options.quick else row.pairs)
            try:
                result = _measure(row, it, pairs)
            except RuntimeError as failure:
                print(f"{row.name}: {failure}", file=sys.stderr)
                continue
            results.append(result)
            print(line(result) if isinstance(result, Result) else str(result), flush=True)
    if len(results) < len(rows):
        return 1  # a page without a row would hide that a program failed
    if not options.only:
        page = document(
            results,
            command=" ".join(["make bench"] if not arguments else ["benchmarks/run.py", *arguments]),
            date=dt.datetime.now(tz=dt.UTC).date().isoformat(),
            machine=list(_machine()),
        )
        (ROOT / "docs" / "benchmarks.md").write_text(page, encoding="utf-8")
    return 0


def _measure(row: Row, it: Stage, pairs: int) -> Result | Skipped:
    try:
        ours, theirs = row.sides(it)
    except Unavailable as why:
        return Skipped(row.name, row.says, str(why))
    with closing(ours), closing(theirs):
        return Result(row.name, row.says, row.rival, row.limit, *in_pairs(ours, theirs, pairs), row.beyond)


def _machine() -> Iterator[str]:
    """Yield what the numbers depend on."""
    yield f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"
    programs = ("gpg --version", "git --version", "pass version", "bash --version", "zsh --version", "fish --version")
    yield ", ".join([f"Python {platform.python_version()}", *(_version(*argv.split()) for argv in programs)])


def _processor() -> str:
    if platform.system() == "Darwin":
        return _output("sysctl", "-n", "machdep.cpu.brand_string").strip()
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else platform.machine()


def _version(*argv: str) -> str:
    found = re.search(r"\d+(\.\d+)+", _output(*argv)) if shutil.which(argv[0]) else None
    return f"{argv[0]} {found[0]}" if found else f"no {argv[0]}"


def _output(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
