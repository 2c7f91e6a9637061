"""The root of the command line: words, global options, and how every failure ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pexpect
import pytest

from clave.cli import main as cli
from clave.cli._commands import ALIASES, COMMANDS
from clave.cli._lazy import LazyGroup
from clave.errors import CannotDecrypt, ClaveError

if TYPE_CHECKING:
    from collections.abc import Iterator

# The full program, also where the fast path would answer.
PROGRAM = [sys.executable, "-c", "import sys; from clave.cli.main import main; sys.exit(main(sys.argv[1:]))"]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {
        "HOME": str(tmp_path),
        "GNUPGHOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(Path(cli.__file__).parents[2]),
    }


@pytest.fixture
def store(env: dict[str, str]) -> Path:
    root = Path(env["HOME"]) / ".password-store"
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "entry.gpg").write_bytes(b"no message")
    (root / ".gpg-id").write_text("nobody\n")
    return root


def run(env: dict[str, str], *argv: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *argv], env=env, text=True, capture_output=True, timeout=60, **options)  # type: ignore[call-overload,no-any-return]


def groups(group: LazyGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], LazyGroup]]:
    yield path, group
    for name in group.rows:
        command = group.get_command(click.Context(group), name)
        if isinstance(command, LazyGroup):
            yield from groups(command, (*path, name))


def test_the_table_says_what_each_command_says() -> None:
    root = cli.root
    assert isinstance(root, LazyGroup)
    for path, group in groups(root):
        for name, row in group.rows.items():
            command = group.get_command(click.Context(group), name)
            assert command is not None
            assert command.name == name, path
            assert (command.help or "").partition("\n\n")[0].replace("\n", " ").strip() == row.help, (*path, name)


def test_no_two_commands_share_a_word() -> None:
    words = [*COMMANDS, *ALIASES]
    assert len(words) == len(set(words)) == len(COMMANDS) + sum(len(row.aliases) for row in COMMANDS.values())


def test_every_command_is_in_the_file_of_its_name() -> None:
    for row in COMMANDS.values():
        assert import_module(f"clave.cli.{row.module}").command.name == row.module.rstrip("_").replace("_", "-")


@pytest.mark.parametrize("argument", ["--help", "-h", "--version", "help", "version"])
def test_other_programs_recognise_a_pass(env: dict[str, str], argument: str) -> None:
    done = run(env, argument)
    assert done.returncode == 0
    assert "pass: the standard unix password manager" in done.stdout
    assert done.stderr == ""


def test_help_loads_no_command_and_nothing_heavy(env: dict[str, str]) -> None:
    code = "import sys; from clave.cli.main import main; main(['--help']); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], env=env, text=True, capture_output=True, check=True
    ).stdout.splitlines()[-1]
    modules = set(loaded.split())
    assert not {"gnupg", "git", "rich", "tomllib", "tomlkit", "pyotp", "segno", "pyperclip", "subprocess"} & modules
    assert not {f"clave.cli.{row.module}" for row in COMMANDS.values()} & modules
    assert not {name for name in modules if name.startswith(("clave.store", "clave.vcs", "clave.openpgp"))}


@pytest.mark.parametrize(
    "words",
    [
        ["folder"],
        ["folder/entry"],
        ["missing"],
        ["-c", "missing"],
        ["-c2", "missing"],
        ["missing", "-c"],
        ["-q", "missing"],
        ["--clip=3", "missing"],
        ["--", "missing"],
        ["../x"],
        ["-c", "-q", "missing"],
        ["--nonsense", "missing"],
        ["missing", "and", "more"],
        [""],
    ],
)
def test_a_first_word_that_is_no_command_is_shown(env: dict[str, str], store: Path, words: list[str]) -> None:
    bare, shown = run(env, *words), run(env, "show", *words)
    assert (bare.returncode, bare.stdout, bare.stderr) == (shown.returncode, shown.stdout, shown.stderr)


def test_clave_alone_lists_the_store(env: dict[str, str], store: Path) -> None:
    assert run(env).stdout == run(env, "ls").stdout
    assert "entry" in run(env).stdout


def test_clave_alone_without_a_store_says_how_to_get_one(env: dict[str, str]) -> None:
    done = run(env)
    assert done.returncode == 3
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 4
    for line, wanted in zip(lines, (env["HOME"], "clave init", "git clone", "PASSWORD_STORE_DIR"), strict=True):
        assert wanted in line
    other = run(env, "show", "x")
    assert other.returncode == 3
    assert other.stderr.count("\n") == 1


def test_a_store_is_chosen_by_its_name(env: dict[str, str], store: Path) -> None:
    (store.parent / "work" / "inside").mkdir(parents=True)
    assert run(env, "store", "add", "work", str(store.parent / "work")).returncode == 0
    for words in (["-s", "work"], ["-swork"], ["--store", "work"], ["--store=work"]):
        done = run(env, *words)
        assert done.returncode == 0
        assert "inside" in done.stdout
        assert "entry" not in done.stdout
    missing = run(env, "-s", "wrk")
    assert missing.returncode == 3
    assert "Did you mean 'work'?" in missing.stderr


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["-s"], "'-s' requires an argument"),
        (["show", "--nonsense"], "no such option '--nonsense'. Try 'clave show --help'."),
        (["store"], "which command? 'clave store' has add, list, default, remove."),
        (["store", "nonsense"], "no such command 'nonsense'"),
        (["version", "x"], "unexpected extra argument (x). Try 'clave version --help'."),
        (["help", "nonsense"], "'nonsense' is no command"),
        (["completion", "ksh"], "'ksh' is not one of 'bash', 'zsh', 'fish'"),
        (["\x1b[2Jx", "y", "z"], "unexpected extra argument"),
        (["show", "a\x1b[2J", "b\nc"], "b\\x0ac"),
    ],
)
def test_a_wrong_use_is_one_line_and_exit_2(env: dict[str, str], store: Path, words: list[str], wanted: str) -> None:
    done = run(env, *words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert wanted in done.stderr
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("words", [["genrate"], ["genrate", "x", "20"]])
def test_a_mistyped_command_is_suggested(env: dict[str, str], store: Path, words: list[str]) -> None:
    done = run(env, *words)
    assert done.returncode in (2, 3)
    assert "Or did you mean the command 'generate'?" in done.stderr
    assert done.stderr.count("\n") == 1


def test_options_may_stand_after_arguments(env: dict[str, str], store: Path) -> None:
    assert run(env, "config", "get", "clip.seconds", "--json").stdout.startswith("{")


def test_help_of_a_command_is_its_own_help(env: dict[str, str]) -> None:
    assert run(env, "help", "store", "add").stdout == run(env, "store", "add", "--help").stdout
    assert run(env, "help", "add").stdout.startswith("Usage: clave insert")


def test_a_full_device_is_exit_73(env: dict[str, str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*PROGRAM, "version"], env=env, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 73
    assert done.stderr == "Error: cannot write the output: No space left on device.\n"


def test_a_reader_that_goes_away_is_no_traceback(env: dict[str, str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*PROGRAM, "help"], env=env, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(("closed", "code"), [("<&-", 0), ("2>&-", 0), (">&-", 73)])
def test_closed_standard_streams(env: dict[str, str], closed: str, code: int) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *PROGRAM, "config", "set", "clip.seconds", "9"],
        env=env, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_the_umask_is_that_of_pass(env: dict[str, str]) -> None:
    run(env, "config", "set", "clip.seconds", "9")
    assert (Path(env["HOME"]) / ".config").stat().st_mode & 0o777 == 0o700
    done = run({**env, "PASSWORD_STORE_UMASK": "0x"}, "version")
    assert done.returncode == 2
    assert "PASSWORD_STORE_UMASK" in done.stderr


def failing(monkeypatch: pytest.MonkeyPatch, failure: BaseException) -> None:
    @click.command("version")
    def command() -> None:
        raise failure

    monkeypatch.setattr("clave.cli.version.command", command)


@pytest.mark.parametrize(
    ("failure", "code", "line"),
    [
        (CannotDecrypt("no key for x", "Ask for one."), 4, "Error: no key for x. Ask for one.\n"),
        (ClaveError("a\x1b[31m\nb"), 1, "Error: a\\x1b[31m\\x0ab.\n"),
        (KeyboardInterrupt(), 130, "Error: interrupted.\n"),
        (EOFError(), 130, "Error: interrupted.\n"),
        (PermissionError(13, "Permission denied", "/x/y"), 73, "Error: cannot use /x/y: Permission denied.\n"),
        (click.ClickException("Odd"), 2, "Error: odd. Try 'clave --help'.\n"),
    ],
)
def test_a_failure_is_one_line_and_its_code(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    failure: BaseException,
    code: int,
    line: str,
) -> None:
    failing(monkeypatch, failure)
    assert cli.main(["version"]) == code
    assert capfd.readouterr() == ("", line)


def test_an_unforeseen_failure_shows_its_place_and_no_value(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, ValueError("hunter2"))
    assert cli.main(["version"]) == 70
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("Error: internal error (ValueError in tests.cli.test_main, line ")
    assert "hunter2" not in err
    assert err.count("\n") == 1
    monkeypatch.setenv("CLAVE_DEBUG", "1")
    cli.main(["version"])
    assert "Traceback" in capfd.readouterr().err


def test_a_command_may_have_a_code_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, click.exceptions.Exit(42))
    assert cli.main(["version"]) == 42


def test_no_core_dump_may_hold_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    cli.main(["version"])
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0


@pytest.mark.parametrize(("extra", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_errors_have_colour_on_a_terminal_only(env: dict[str, str], extra: dict[str, str], coloured: bool) -> None:
    env = {"TERM": "xterm", **env, **extra}
    child = pexpect.spawn(PROGRAM[0], [*PROGRAM[1:], "help", "x\x1b[2J"], env=env, encoding="utf-8", timeout=30)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 2
    assert child.before.startswith("\x1b[31mError:\x1b[0m " if coloured else "Error: ")
    assert child.before.count("\x1b") == (2 if coloured else 0)


def test_any_command_sweeps_what_a_killed_edit_left(env: dict[str, str]) -> None:
    with subprocess.Popen(["true"]) as dead:
        dead.wait()
    with subprocess.Popen(["sleep", "60"]) as living:
        folders = [Path(f"/dev/shm/clave-edit-{process.pid}-{os.getpid()}") for process in (dead, living)]
        try:
            for folder in folders:
                folder.mkdir(mode=0o700)
                (folder / "x.txt").write_text("canary")
            assert run(env, "version").returncode == 0
            assert [folder.exists() for folder in folders] == [False, True]
        finally:
            living.kill()
            for folder in folders:
                shutil.rmtree(folder, ignore_errors=True)


def test_the_module_is_the_program(env: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "clave", "version"], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout == run(env, "version").stdout
