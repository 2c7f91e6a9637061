"""Writes of flags and words, run without click: the same as by the full program, byte for byte."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clave.cli import _plain
from clave.cli._commands import ALIASES
from clave.cli._commands import COMMANDS as ALL
from tests.conftest import Person, Run, run_as

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FULL = "import sys; from clave.cli.main import main; sys.exit(main())"


@pytest.fixture(scope="module")
def made(alice: Person, clave: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plain") / "store"
    assert clave(alice, path, "init", alice.fingerprint).code == 0
    assert clave(alice, path, "insert", "-m", "old", input=b"old\nuser: me\n").code == 0
    assert clave(alice, path, "insert", "-m", "broken", input=b"x\n").code == 0
    (path / "broken.gpg").write_bytes(b"no message")
    return path


@pytest.fixture
def stores(made: Path, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    for name in ("one", "two"):
        shutil.copytree(made, tmp_path / name / "store", symlinks=True)
    return tmp_path / "one" / "store", tmp_path / "two" / "store"


LINES = [
    (["insert", "new"], b"secret\n"),
    (["insert", "new"], b"secret\nsecret\n"),
    (["insert", "new"], b"secret\nanother\n"),
    (["insert", "new"], b""),
    (["insert", "-e", "new/in folder"], b"secret"),
    (["insert", "--echo", "--force", "old"], b"secret\n"),
    (["insert", "-m", "old"], b"secret\n"),
    (["insert", "-m", "-f", "old"], b"\xff\x00\n"),
    (["add", "--multiline", "new"], b"a\nb: c\n"),
    (["insert", "-e", "-m", "new"], b"x\n"),
    (["insert", "-m", "../new"], b"x\n"),
    (["insert", "-m", "\x1b[2Jnew"], b"x\n"),
    (["insert", "-m", "nostore:new"], b"x\n"),
    (["insert", "-m", "-f", "broken"], b"x\n"),
    (["insert"], b"x\n"),
    (["insert", "-m", "a", "b"], b"x\n"),
    (["insert", "-mf", "old"], b"x\n"),
    (["insert", "--", "new"], b"x\n"),
    (["insert", "--no-such-option", "new"], b"x\n"),
    (["insert", "-h"], b""),
    (["generate", "old"], b""),
    (["generate", "-i", "missing"], b""),
    (["generate", "new", "zero"], b""),
    (["generate", "new", "0"], b""),
    (["generate", "-i", "-f", "old"], b""),
    (["generate", "-c", "new"], b""),
]


def state(person: Person, store: Path) -> dict[str, bytes]:
    """Return what is in a store: the plaintexts, the subjects, and git's status."""
    git = ["git", "-C", str(store)]
    found = {str(path.relative_to(store)): b"" for path in store.rglob("*.gpg")}
    for name in found:
        found[name] = person.gpg("-d", str(store / name), check=False)
    found["log"] = subprocess.run([*git, "log", "--format=%B"], capture_output=True, check=True).stdout
    found["status"] = subprocess.run([*git, "status", "--porcelain"], capture_output=True, check=True).stdout
    return found


@pytest.mark.parametrize(("words", "given"), LINES, ids=lambda value: repr(value)[:40])
def test_both_ways_are_one(alice: Person, stores: tuple[Path, Path], words: list[str], given: bytes) -> None:
    one, two = stores
    plain = run_as(alice, one, [sys.executable, "-m", "clave", *words], input=given)
    full = run_as(alice, two, [sys.executable, "-c", FULL, *words], input=given)
    assert plain == full
    assert plain.err.count(b"Traceback") == 0
    assert state(alice, one) == state(alice, two)


@pytest.mark.parametrize(
    "words", [["-n", "new", "12"], ["new"], ["-i", "old", "7"], ["-f", "old"], ["--exclude-similar", "new"]]
)
def test_a_generated_password(alice: Person, stores: tuple[Path, Path], words: list[str]) -> None:
    one, two = stores
    plain = run_as(alice, one, [sys.executable, "-m", "clave", "generate", *words])
    full = run_as(alice, two, [sys.executable, "-c", FULL, "generate", *words])
    assert (plain.code, full.code) == (0, 0)
    assert plain.err == full.err
    assert len(plain.out) == len(full.out)
    assert plain.out != full.out
    name = next(word for word in words if word in ("new", "old"))
    assert alice.gpg("-d", str(one / f"{name}.gpg")).startswith(plain.out)


@pytest.mark.parametrize("words", [["insert", "-m", "new"], ["generate", "new"]])
def test_click_is_not_loaded(alice: Person, stores: tuple[Path, Path], words: list[str]) -> None:
    code = "import sys; from clave.fast import main; main(); print(*sys.modules, file=sys.stderr)"
    done = run_as(alice, stores[0], [sys.executable, "-c", code, *words], input=b"x\n")
    loaded = set(done.err.decode().split())
    assert "clave.store.writing" in loaded
    assert (
        not {"click", "git", "gnupg", "rich", "pysequoia", "cryptography", "subprocess", "tempfile", "logging"} & loaded
    )


def test_the_output_is_full(alice: Person, stores: tuple[Path, Path]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "clave", "generate", "new"],
            env=alice.env(stores[0]),
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert (done.returncode, b"cannot write" in done.stderr) == (73, True)


@pytest.mark.parametrize("name", _plain.COMMANDS)
def test_the_flags_are_those_of_the_command(name: str) -> None:
    plain = _plain.COMMANDS[name]
    command = import_module(f"clave.cli.{ALL[ALIASES.get(name, name)].module}").command
    flags = {
        spelling: param.name
        for param in command.params
        if isinstance(param, click.Option) and param.is_flag
        for spelling in param.opts
    }
    assert plain.flags.items() <= flags.items()
    if plain.values:
        _require_values(plain, command)
        return
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    assert plain.words == len(arguments)
    assert [param.required for param in arguments] == [True] + [False] * (plain.words - 1)
    function = getattr(import_module(f"clave.cli.{plain.module}"), plain.function)
    assert set(signature(function).parameters) == {"app", *(param.name for param in command.params)}


def _require_values(plain: _plain.Plain, command: click.Command) -> None:
    """Check a command whose words are another command line."""
    options = [param for param in command.params if isinstance(param, click.Option) and not param.is_flag]
    values = {spelling: param.name for param in options for spelling in param.opts}
    assert plain.values.items() <= values.items()
    assert {param.name for param in options if not param.multiple} >= set(plain.once)
    assert {param.name for param in options if param.multiple} == set(plain.values.values()) - set(plain.once)
    assert command.context_settings == {"allow_interspersed_args": False}


EXEC = st.lists(
    st.sampled_from(["-p", "-e", "--only", "--allow", "--pristine", "A=b", "--", "true", "-x", "", "--mask", "-e=x"]),
    max_size=6,
)


@given(argv=EXEC)
def test_a_command_line_behind_another_is_taken_apart_as_click_does(argv: list[str]) -> None:
    parsed = _plain.parse(["exec", *argv])
    if parsed is None:
        return
    command = import_module("clave.cli.exec").command
    with command.make_context("exec", list(argv)) as ctx:
        given = {name: value for name, value in ctx.params.items() if value not in (False, None, ())}
    words = given.pop("argv", ())
    assert tuple(parsed[1]) == words
    assert {name: tuple(v) if isinstance(v, list) else v for name, v in parsed[2].items()} == given


def test_a_program_is_started_without_click(alice: Person, made: Path) -> None:
    code = "import sys; from clave.cli import _exec; _exec.child.replace = lambda *_: print(*sys.modules); "
    code += "from clave.fast import main; main()"
    done = run_as(alice, made, [sys.executable, "-c", code, "exec", "-e", "A=old", "--", "true"])
    assert done.code == 0, done
    loaded = set(done.out.decode().split())
    assert "clave.delivery.resolving" in loaded
    assert (
        not {"click", "git", "gnupg", "rich", "pysequoia", "cryptography", "subprocess", "json", "dataclasses"} & loaded
    )


WORDS = st.one_of(
    st.sampled_from(["insert", "-m", "-f", "--force", "--file", "-c", "--", "-mf", "", "a", "b/c"]), st.text(max_size=3)
)


@given(argv=st.lists(WORDS, max_size=5))
def test_what_is_not_known_is_not_plain(argv: list[str]) -> None:
    parsed = _plain.parse(["insert", *argv])
    known = _plain.COMMANDS["insert"].flags
    words = [word for word in argv if word not in known]
    strange = any(word == "" or word.startswith("-") for word in words)
    assert (parsed is not None) == (not strange and len(words) == 1)
    if parsed is not None:
        assert parsed[1] == words
        assert parsed[2] == {known[word]: True for word in argv if word in known}
