"""The test-suite of pass itself, run with clave in the place of `password-store.sh`.

The source is Debian's package `password-store`, of the release that this machine runs, fetched through
the machine's own apt sources and kept in `.cache/pass-source`. It is never committed.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "pass-source"
TARBALL = "password-store_*.orig.tar.*"
CASES = 39  # of pass 1.7.4, which every Debian since 12 has


@pytest.fixture
def source() -> Iterator[Path]:
    """Unpack the source of pass into a folder of its own; its keyring's agent needs a short path."""
    tarball = _cached() or _fetch()
    folder = Path(tempfile.mkdtemp(prefix="pass-", dir="/tmp"))
    try:
        subprocess.run(["tar", "--extract", "--file", tarball, "--directory", folder], check=True)
        (unpacked,) = folder.iterdir()
        yield unpacked
        subprocess.run(["gpgconf", "--homedir", unpacked / "tests/gnupg", "--kill", "all"], check=True)
    finally:
        shutil.rmtree(folder)


@pytest.mark.timeout(400)
def test_the_suite_of_pass_passes_with_clave(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = source / "src/password-store.sh"
    program.write_text(f'#!/bin/sh\nexport CLAVE_YES=1\nexec {shlex.quote(sys.executable)} -m clave "$@"\n')

    passed, total, failures = _run_suite(source / "tests")

    with capsys.disabled():
        print(f"\nthe test-suite of pass: {passed} of {total}")
    assert f"{passed} of {total}" == f"{CASES} of {CASES}", "\n".join(failures)


def _run_suite(tests: Path) -> tuple[int, int, list[str]]:
    """Run every script; return passed cases, all cases, and the output of each script with a failure."""
    home = tests.parent / "home"  # the suite writes ~/.gitconfig
    home.mkdir()
    keep = ("PATH", "PYTHONPATH", "TMPDIR")
    env = {name: os.environ[name] for name in keep if name in os.environ}
    env |= {"HOME": str(home), "LC_ALL": "C.UTF-8", "TERM": "dumb"}
    passed = total = 0
    failures = []
    for script in sorted(tests.glob("t[0-9]*.sh")):
        run = subprocess.run(
            ["bash", script.name, "--verbose"],
            cwd=tests,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        counts = [path.read_text() for path in (tests / "test-results").glob(f"{script.stem}*.counts")]
        found = dict(re.findall(r"^(\w+) (\d+)$", "".join(counts), re.MULTILINE))
        total += int(found.get("total", 0))
        passed += int(found.get("success", 0))
        if run.returncode or not found:
            failures.append(f"{script.name}:\n{run.stdout.decode(errors='replace')}")
    return passed, total, failures


def _cached() -> Path | None:
    return next(iter(sorted(CACHE.glob(TARBALL))), None)


def _fetch() -> Path:
    """Download the source of pass with apt, in a state of its own, so that nobody need be root."""
    if not shutil.which("apt-get"):
        pytest.fail(f"no apt-get here to fetch the source of pass with; put {TARBALL} into {CACHE} yourself")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as state:
        folder = Path(state)
        _write_sources(folder / "sources.list.d")
        (folder / "lists/partial").mkdir(parents=True)
        options = [
            f"Dir::Etc::sourcelist={os.devnull}",
            f"Dir::Etc::sourceparts={folder}/sources.list.d",
            f"Dir::State::lists={folder}/lists",
            f"Dir::Cache={folder}",
            "APT::Sandbox::User=root",
            "Acquire::Retries=3",
            "Acquire::http::Timeout=30",
        ]
        apt = ["apt-get", "--quiet", *(word for option in options for word in ("--option", option))]
        log = ""
        for words in (["update"], ["source", "--tar-only", "--download-only", "password-store"]):
            run = subprocess.run(
                [*apt, *words],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            log += run.stdout.decode(errors="replace")
        fetched = list(folder.glob(TARBALL))
        if run.returncode or not fetched:
            pytest.fail(f"apt did not give {TARBALL}; put it into {CACHE} yourself:\n{log}")
        return fetched[0].rename(CACHE / fetched[0].name)


def _write_sources(folder: Path) -> None:
    """Write the machine's apt sources as sources of source packages, with their options and keys."""
    folder.mkdir()
    for path in [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*.*")]:
        if path.suffix not in (".list", ".sources") or not path.exists():
            continue
        text = path.read_text()
        text = re.sub(r"^Types:.*$", "Types: deb-src", text, flags=re.MULTILINE)
        text = re.sub(r"^deb(-src)?(?=\s)", "deb-src", text, flags=re.MULTILINE)
        (folder / path.name).write_text(text)
