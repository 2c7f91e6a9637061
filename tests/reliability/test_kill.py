"""SIGKILL at any moment of any command that writes: the store is as before or as after, and the next command works.

Half of the kills come at a random time, of the process alone or of its whole group (as a closed terminal or the
kernel's memory killer would do it); the other half come at a step drawn from all that the command makes. After a
third of them plain pass or plain git writes before clave is run again.

CLAVE_KILLS is the number of kills (60 without it, shared out among the kinds of stores), CLAVE_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Output, Person, run_as, run_clave
from tests.reliability.checks import Checker, State, commits_since, git
from tests.reliability.conftest import Place, make_place

if TYPE_CHECKING:
    from collections.abc import Callable

KILLS = int(os.environ.get("CLAVE_KILLS", "60"))
SHARE = {"git": 0.6, "plain": 0.2, "bigger": 0.2}
NAMES = ("a", "a/b", "team/x", "team/deep/y", "with blank/é", "team/new", "new/folder/z", "n" * 250)
FOLDERS = ("team", "a", "team/deep", "moved", "new")
KILLED = Path(__file__).with_name("killed.py")
# Mostly no more steps than this; a draw beyond the last one is a command that lives.
MOST_STEPS = 60


@dataclass
class Command:
    """A command to be killed: its arguments and stdin, and what the store holds after it."""

    kind: str
    argv: list[str]
    after: State
    input: bytes = b""
    editor: bytes | None = None
    trailer: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {' '.join(self.argv)}"


def draw(state: State, pair: list[Person], chance: random.Random) -> Command:
    """Draw a command that works in this state."""
    kinds = ["insert", "insert", "generate", "edit", "init", "init"]
    if len(state.entries) > 3:
        kinds += ["rm", "rm -r", "mv", "mv", "mv folder", "cp", "cp folder"]
    while True:
        made = _DRAW[(kind := chance.choice(kinds))](state.copy(), pair, chance)
        if made is not None:
            made.kind = kind
            return made


def value() -> bytes:
    return f"{secrets.token_hex(12)}\nuser: {secrets.token_hex(8)}\n".encode()


def draw_insert(state: State, pair: list[Person], chance: random.Random) -> Command:
    name, new = chance.choice(NAMES), value()
    state.entries[name] = new
    return Command("", ["insert", "-m", "-f", name], state, input=new, trailer="insert")


def draw_generate(state: State, pair: list[Person], chance: random.Random) -> Command:
    name = chance.choice(NAMES)
    state.entries[name] = None
    return Command("", ["generate", "-f", name, "16"], state, trailer="generate")


def draw_edit(state: State, pair: list[Person], chance: random.Random) -> Command:
    name, new = chance.choice(sorted(state.entries)), value()
    state.entries[name] = new
    return Command("", ["edit", name], state, editor=new, trailer="edit")


def draw_init(state: State, pair: list[Person], chance: random.Random) -> Command | None:
    folder = chance.choice(["", *(folder for folder in FOLDERS if state.below(folder))])
    ids = chance.choice([(pair[0].fingerprint,), tuple(person.fingerprint for person in pair)])
    if state.readers.get(folder) == ids:
        return None
    state.readers[folder] = ids
    return Command("", ["init", *(["-p", folder] if folder else []), *ids], state, trailer="rekey")


def draw_rm(state: State, pair: list[Person], chance: random.Random) -> Command:
    name = chance.choice(sorted(state.entries))
    del state.entries[name]
    return Command("", ["rm", "-f", name], state, trailer="remove")


def draw_rm_folder(state: State, pair: list[Person], chance: random.Random) -> Command | None:
    folder = chance.choice(FOLDERS)
    if not state.below(folder):
        return None
    for name in state.below(folder):
        del state.entries[name]
    state.readers = {path: ids for path, ids in state.readers.items() if not f"{path}/".startswith(f"{folder}/")}
    return Command("", ["rm", "-r", "-f", f"{folder}/"], state, trailer="remove")


def draw_entry_transfer(verb: str) -> Callable:
    def draw(state: State, pair: list[Person], chance: random.Random) -> Command | None:
        old, new = chance.choice(sorted(state.entries)), chance.choice(NAMES)
        folders = {name.rpartition("/")[0] for name in (*state.entries, *(f"{path}/" for path in state.readers))}
        if old == new or any(f"{folder}/".startswith(f"{new}/") for folder in folders if folder):
            return None
        state.entries[new] = state.entries[old]
        if verb == "mv":
            del state.entries[old]
        return Command("", [verb, "-f", old, new], state, trailer="move" if verb == "mv" else "copy")

    return draw


def draw_folder_transfer(verb: str) -> Callable:
    def draw(state: State, pair: list[Person], chance: random.Random) -> Command | None:
        old, new = chance.choice(FOLDERS), chance.choice(FOLDERS)
        taken = bool(state.below(new)) or any(f"{path}/".startswith(f"{new}/") for path in state.readers)
        if not state.below(old) or taken or f"{new}/".startswith(f"{old}/"):
            return None
        for things in (state.entries, state.readers):
            for path in [path for path in things if f"{path}/".startswith(f"{old}/") and path != old]:
                things[new + path[len(old) :]] = things[path] if verb == "cp" else things.pop(path)
        if old in state.readers:
            state.readers[new] = state.readers[old] if verb == "cp" else state.readers.pop(old)
        return Command("", [verb, "-f", f"{old}/", new], state, trailer="move" if verb == "mv" else "copy")

    return draw


_DRAW: dict[str, Callable[[State, list[Person], random.Random], Command | None]] = {
    "insert": draw_insert,
    "generate": draw_generate,
    "edit": draw_edit,
    "init": draw_init,
    "rm": draw_rm,
    "rm -r": draw_rm_folder,
    "mv": draw_entry_transfer("mv"),
    "cp": draw_entry_transfer("cp"),
    "mv folder": draw_folder_transfer("mv"),
    "cp folder": draw_folder_transfer("cp"),
}


class Killer:
    """Runs commands and kills them; learns how long each kind takes."""

    def __init__(self, place: Place, editor: Path, chance: random.Random) -> None:
        self._place = place
        self._chance = chance
        self._text = editor.with_suffix(".text")
        self._editor = editor
        self._spans: dict[str, float] = {}
        editor.write_text(f'#!/bin/sh\ncat "{self._text}" > "$1"\n')
        editor.chmod(0o700)

    def run(self, command: Command) -> tuple[str, Output]:
        """Run a command and kill it; return how, and what it left. Code 0: it was done before that."""
        if command.editor is not None:
            self._text.write_bytes(command.editor)
        span = self._spans.setdefault(command.kind, 0.5)
        if self._chance.random() < 0.5:
            step = self._chance.randint(1, MOST_STEPS)
            how, argv = f"at step {step}", [sys.executable, str(KILLED), str(step), *command.argv]
            delay = None
        else:
            delay = self._chance.uniform(0, span)
            alone = self._chance.random() < 0.5
            how = f"after {delay * 1000:.0f} ms, {'alone' if alone else 'with its children'}"
            argv = [sys.executable, "-m", "clave", *command.argv]
        env = self._place.person.env(self._place.store, EDITOR=str(self._editor), VISUAL="")
        begun = time.monotonic()
        process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, start_new_session=True
        )
        assert process.stdin is not None
        try:
            process.stdin.write(command.input)
            process.stdin.close()
        except BrokenPipeError:
            pass
        process.stdin = None
        if delay is not None:
            try:
                process.wait(delay)
            except subprocess.TimeoutExpired:
                self._place.checker.assert_processes_clean()
                os.kill(process.pid, signal.SIGKILL) if alone else os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate(timeout=60)
        self._place.checker.dead.add(process.pid)
        if process.returncode == 0:
            self._spans[command.kind] = (span + time.monotonic() - begun) / 2
        return how, Output(process.returncode, out, err)


@dataclass
class Stranger:
    """A file that plain pass or git wrote while clave's work was unfinished."""

    path: Path
    content: bytes
    committed: bool


def write_by_another(place: Place, chance: random.Random) -> Stranger | None:
    """Let plain pass or git write into the store, or nobody."""
    who = chance.choice(["nobody", "nobody", "nobody", "nobody", "pass", "git"])
    folder = place.repository or place.store
    if who == "pass" and place.kind != "bigger":  # pass commits whatever is staged there
        path = folder / "by-pass.gpg"
        run_as(place.person, place.store, ["pass", "insert", "-m", "by-pass"], input=b"from pass\n")
    elif who == "git" and place.repository is not None:
        path = folder / "by-git"
        path.write_text("from git")
        for argv in (["add", path.name], ["commit", "-q", "-m", "by git", "--", path.name]):
            run_as(place.person, None, ["git", "-C", str(folder), *argv])
    else:
        return None
    return Stranger(path, path.read_bytes(), place.repository is not None and in_head(place.repository, path.name))


def in_head(repository: Path, path: str) -> bool:
    return bool(git(repository, "ls-tree", "HEAD", "--", path))


def take_away(place: Place, stranger: Stranger) -> None:
    """See that nobody touched the stranger's file or its commit; then take it out of the store again."""
    assert stranger.path.read_bytes() == stranger.content
    stranger.path.unlink()
    if place.repository is None:
        return
    assert in_head(place.repository, stranger.path.name) is stranger.committed
    git(place.repository, "rm", "-q", "--cached", "--ignore-unmatch", stranger.path.name)
    if stranger.committed:
        argv = ["git", "-C", str(place.repository), "commit", "-q", "-m", "away", "--", stranger.path.name]
        assert run_as(place.person, None, argv).code == 0


def next_command(place: Place, chance: random.Random) -> tuple[Output, dict[str, bytes]]:
    """Run clave again; return what it left, and the entries that it added."""
    if chance.random() < 0.5:
        return run_clave(place.person, place.store, "ls"), {}
    new = value()
    place.checker.watch_for(*new.split())
    return run_clave(place.person, place.store, "insert", "-m", "-f", "next", input=new), {"next": new}


def happened(place: Place, command: Command, before: str | None, added: dict[str, bytes]) -> bool:
    """Tell whether the killed command was done: exactly once, or not at all."""
    if place.repository is None or before is None:
        after = command.after.copy()
        after.entries.update(added)
        return place.checker.matches(after)
    messages = commits_since(place.repository, before)
    next_subject = "Add given password for next to store."
    ours = [text for text in messages if f"Clave-Op: {command.trailer}\n" in text and next_subject not in text]
    assert len(ours) < 2, messages
    return bool(ours)


@pytest.mark.timeout(60 + 5 * KILLS)
@pytest.mark.parametrize("kind", SHARE)
def test_random_kills(kind: str, pair: list[Person], templates: Callable[[str], Path], tmp_path: Path) -> None:
    seed = os.environ.get("CLAVE_SEED") or secrets.token_hex(4)
    chance = random.Random(f"{seed} {kind}")
    place = make_place(kind, pair, templates, tmp_path / "place")
    killer = Killer(place, tmp_path / "editor", chance)
    killed = {"before": 0, "after": 0}
    while sum(killed.values()) < max(1, round(KILLS * SHARE[kind])):
        command = draw(place.state, pair, chance)
        place.checker.watch_for(*command.input.split(), *(command.editor or b"").split())
        before = place.head()
        how, done = killer.run(command)
        print(f"CLAVE_SEED={seed} {command} {how}: {done.code} {done.err.decode()}", end="")
        assert done.code in (0, -9)
        place.checker.assert_clean(done.err + (b"" if command.kind == "generate" else done.out), "output")
        stranger = write_by_another(place, chance)
        following, added = next_command(place, chance)
        print(f", then {stranger and stranger.path.name}, then {[*added] or 'ls'}: {following.code}")
        assert following.code == 0, following.err
        if stranger:
            take_away(place, stranger)
        came = happened(place, command, before, added)
        if done.code == 0:
            # To copy an entry over one that has the very same file changes nothing, and makes no commit.
            assert came or command.after == place.state
        else:
            killed["after" if came else "before"] += 1
        place.state = command.after if came else place.state
        place.state.entries.update(added)
        place.checker.resolve(place.state)
        place.whole()
    print(f"{kind}: {killed}")


@pytest.mark.parametrize("options", [[], ["--no-git"]], ids=["git", "plain"])
def test_a_first_init_that_is_killed(pair: list[Person], tmp_path: Path, options: list[str]) -> None:
    """Run again it makes the store, whatever was there already."""
    alice = pair[0]
    for step in range(1, 60, 6):
        store = tmp_path / str(step)
        done = run_as(alice, store, [sys.executable, str(KILLED), str(step), "init", *options, alice.fingerprint])
        assert done.code in (0, -9), done.err
        assert run_clave(alice, store, "init", *options, alice.fingerprint).code == 0
        assert run_clave(alice, store, "insert", "-m", "a", input=b"the first value\n").code == 0
        checker = Checker(store, None if options else store, pair)
        checker.assert_whole(State({"a": b"the first value\n"}, {"": (alice.fingerprint,)}))
        if done.code == 0:
            break
