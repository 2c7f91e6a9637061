#!/usr/bin/env python3
"""Renew the output blocks of the documents; with `--check` only tell which are not what the program prints.

Every block marked `console` in a Markdown file at the top or below docs/ is checked:

    ```console
    $ clave ls
    Password Store
    └── mail
    ```

The blocks of a document are one bash session in a throw-away home, where Alice has a key and git knows her.
Output is stdout and stderr together, on a terminal without colours; nobody is there to answer a question. A
command that fails must be followed by `$ echo $?`, so that no example fails unnoticed. Lines that start with
`> ` continue a command. A line `…` stands for any lines, or none. Two comments, which a reader of the document
does not see, may stand before:

    <!-- changes: 2026-11-24 | x7}Lq -->       in the block that follows, these texts stand for any others
    <!-- before
    pass init alice                            commands that are run first and must succeed
    -->
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import pexpect

from clave import process

ROOT = Path(__file__).parents[1]

ANY_LINES = "…"
BLOCK = re.compile(
    r"^<!-- before\n(?P<before>.*?)^-->$"
    r"|(?:^<!-- changes: (?P<changes>[^\n]*) -->\n)?^```console\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)

# Alice and what she needs; nothing of the person who runs this may show.
SETUP = """\
gpg --batch --quiet --passphrase '' --quick-gen-key 'Alice <alice@example.com>' future-default - never 2>/dev/null
gpg --batch --quiet --check-trustdb 2>/dev/null
git config --global user.name Alice
git config --global user.email alice@example.com
git config --global init.defaultBranch main
"""


class Wrong(Exception):
    """A document that cannot be right; the text says where and why."""


@dataclass
class Command:
    """One command of a document: what is typed (it may be several lines) and the lines shown below it."""

    typed: str
    shown: list[str]


@dataclass
class Block:
    """One checked block: where its text stands in the document, and what may stand for anything in it."""

    start: int
    end: int
    commands: list[Command]
    changes: list[str]
    hidden: bool

    def text(self) -> str:
        """Return the block as the document writes it."""
        typed = [["$ " + command.typed.replace("\n", "\n> "), *command.shown] for command in self.commands]
        return "".join(f"{line}\n" for lines in typed for line in lines)


def blocks(document: str) -> list[Block]:
    """Return the checked blocks of a document, and those that the reader does not see."""
    found = []
    for match in BLOCK.finditer(document):
        if match["before"]:
            found.append(Block(*match.span("before"), [Command(match["before"], [])], [], hidden=True))
        else:
            changes = [text.strip() for text in (match["changes"] or "").split("|") if text.strip()]
            found.append(Block(*match.span("body"), _commands(match["body"]), changes, hidden=False))
    return found


def _commands(body: str) -> list[Command]:
    found: list[Command] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:], []))
        elif not found:
            raise Wrong(f"a console block starts with '$ ', not with '{line}'")
        elif line.startswith("> ") and not found[-1].shown:
            found[-1].typed += "\n" + line[2:]
        else:
            found[-1].shown.append(line)
    return found


def agree(shown: list[str], printed: list[str], changes: list[str]) -> bool:
    """Tell whether the lines of a document stand for the printed ones."""
    if not shown:
        return not printed
    if shown[0] == ANY_LINES:
        return any(agree(shown[1:], printed[at:], changes) for at in range(len(printed) + 1))
    return bool(printed) and _same(shown[0], printed[0], changes) and agree(shown[1:], printed[1:], changes)


def _same(shown: str, printed: str, changes: list[str]) -> bool:
    pattern = re.escape(shown)
    for text in changes:
        pattern = pattern.replace(re.escape(text), ".+")
    return re.fullmatch(pattern, printed) is not None


def renewed(shown: list[str], printed: list[str], changes: list[str]) -> list[str]:
    """Return the lines that a document should have: its own where they still stand for the printed ones."""
    if agree(shown, printed, changes):
        return shown
    return [next((old for old in shown if _same(old, line, changes)), line) for line in printed]


def session(scripts: list[str]) -> list[tuple[int, list[str]]]:
    """Run scripts in one bash in a throw-away home; return exit code and printed lines of each."""
    home = tempfile.mkdtemp(prefix="docs-", dir="/tmp")  # gpg-agent's socket wants a short path
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {"HOME": home, "PATH": path, "LC_ALL": "C.UTF-8", "TERM": "dumb", "COLUMNS": "80", "PAGER": "cat"}
    mark = "mark-of-tools-docs"
    steps = [f"{script}\ncode=$?; echo; echo {mark} $code; (exit $code)\n" for script in (SETUP, *scripts)]
    try:
        file = Path(home, ".session")
        file.write_text(f"exec </dev/null\ncd {home}\n{''.join(steps)}")
        out = str(pexpect.run(f"bash {file}", env=env, timeout=60, encoding="utf-8")).replace("\r\n", "\n")
    finally:
        for keys in (Path(home, ".gnupg"), *Path(home).glob("*/.gnupg")):
            process.run(["gpgconf", "--homedir", str(keys), "--kill", "all"])
        shutil.rmtree(home, ignore_errors=True)  # an agent that ends removes its sockets meanwhile
    texts = re.split(rf"\n?\n{mark} (\d+)\n", out)
    results = [(int(code), text.splitlines()) for text, code in zip(texts[::2], texts[1::2], strict=False)]
    if len(results) < len(steps) or results[0][0]:
        raise Wrong(f"the session ended early:\n{out}")
    return results[1:]


def check(document: str) -> str:
    """Return a document with the output that its commands have now. Raises Wrong where one fails."""
    found = blocks(document)
    steps = [(block, command) for block in found for command in block.commands]
    results = session([command.typed for _, command in steps]) if steps else []
    for at, ((block, command), (code, printed)) in enumerate(zip(steps, results, strict=True), 1):
        if code and [after.typed for _, after in steps[at : at + 1]] != ["echo $?"]:
            raise Wrong(f"'{command.typed.strip()}' ends with {code}:\n" + "\n".join(printed))
        command.shown = renewed(command.shown, printed, block.changes)
    for block in reversed(found):
        if not block.hidden:
            document = document[: block.start] + block.text() + document[block.end :]
    return document


def main(arguments: list[str]) -> int:
    """Renew every document, or with `--check` compare it."""
    failed = False
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]):
        name, document = str(path.relative_to(ROOT)), path.read_text()
        try:
            now = check(document)
        except Wrong as wrong:
            failed = True
            print(f"{name}: {wrong}")
            continue
        if now == document:
            continue
        if "--check" not in arguments:
            path.write_text(now)
            print(name)
            continue
        failed = True
        print(
            *unified_diff(document.splitlines(), now.splitlines(), name, "what is printed", lineterm=""),
            sep="\n",
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
