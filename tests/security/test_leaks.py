"""What must not come out: control bytes of others on the terminal, and secrets anywhere but where they belong."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from clave.cli._commands import COMMANDS
from clave.cli.main import root as root_command
from clave.vcs.git import RemoteText, speaks_with_remote
from tests.conftest import Output, Person, Run, run_as

if TYPE_CHECKING:
    from collections.abc import Iterator

CANARY = "canary-c0ffee-41"
SEED = "otpauth://totp/Example:alice?secret=MNQW4YLSPFRWC3TBOJ4Q&issuer=Example"
ESC = "\x1b]0;owned\x07\x1b[2J\x1b[1A\u202e\x9b2J"
# What no output may hold: C0 but newline and tab, DEL, C1, and characters that reorder what is shown.
CONTROLS = {chr(point) for point in (*range(9), *range(11, 32), *range(127, 160))} | set(
    "\u202a\u202b\u202d\u202e\u2066"
)


def git(person: Person, folder: Path, *args: str, **env: str) -> bytes:
    done = subprocess.run(["git", "-C", str(folder), *args], env=person.env(**env), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def has_no_controls(done: Output) -> None:
    for text in (done.out, done.err):
        assert not CONTROLS & set(text.decode("utf-8")), text


# Control bytes


@pytest.fixture(scope="module")
def hostile(alice: Person, clave: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with ESC wherever somebody else may have put one."""
    store = tmp_path_factory.mktemp("h") / "store"
    assert clave(alice, store, "init", alice.fingerprint).code == 0
    assert clave(alice, store, "insert", "-m", "good", input=b"bob\n").code == 0
    evil = f"evil{ESC}"
    shutil.copy(store / "good.gpg", store / f"{evil}.gpg")
    (store / f"folder{ESC}").mkdir()
    shutil.copy(store / "good.gpg", store / f"folder{ESC}" / "x.gpg")
    (store / f"other{ESC}").write_bytes(b"")
    (store / f"bad{ESC}.gpg").write_bytes(b"not encrypted\n")
    (store / f"link{ESC}.gpg").symlink_to(f"good{ESC}.gpg")
    git(alice, store, "add", ".")
    git(alice, store, "commit", "-qm", f"Add {evil}", GIT_AUTHOR_NAME=f"Mal{ESC}", GIT_AUTHOR_EMAIL=f"m{ESC}@x")
    shutil.copy(store / f"bad{ESC}.gpg", store / "good.gpg")
    git(alice, store, "commit", "-qam", f"Change good {ESC}\n\nClave-Op: {ESC}\nClave-Change: value go{ESC}od")
    return store


SHOWING = [
    [], ["ls"], ["ls", "folderESC"], ["find", "e"], ["evilESC"], ["show", "evilESC", "--json"], ["badESC"], ["linkESC"],
    ["folderESC"], ["grep", "bob"], ["grep", "-l", "bob"], ["grep", "--json", "bob"], ["log"], ["log", "good"],
    ["log", "--json"], ["log", "evilESC"], ["diff", "good"], ["doctor"], ["doctor", "--json"], ["nameESC"],
    ["insert", "newESC"], ["rm", "-f", "nameESC"], ["mv", "evilESC", "b"], ["cp", "nameESC", "x"], ["show", "good#ESC"],
    ["show", "good", "--at", "ESC"], ["restore", "good", "ESC"], ["init", "ESC"], ["init", "-p", "folderESC", "nobody"],
    ["undo"], ["generate", "xESC", "10"], ["set", "good", "ESC"], ["config", "get", "ESC"], ["-s", "ESC", "ls"],
    ["otp", "evilESC"], ["otp", "validate", "ESC"], ["store", "add", "ESC", "ESC"], ["help", "ESC"],
]  # fmt: skip


@pytest.mark.parametrize("words", SHOWING, ids=lambda words: " ".join(words) or "(nothing)")
def test_no_control_byte_of_others_is_shown(alice: Person, clave: Run, hostile: Path, words: list[str]) -> None:
    before = git(alice, hostile, "rev-parse", "HEAD")
    done = clave(alice, hostile, *(word.replace("ESC", ESC) for word in words), input=b"value\n")
    has_no_controls(done)
    assert b"Traceback" not in done.err
    assert b"internal error" not in done.err
    if git(alice, hostile, "rev-parse", "HEAD") != before:
        git(alice, hostile, "reset", "-q", "--hard", before.decode().strip())


@pytest.fixture
def remote(alice: Person, clave: Run, tmp_path: Path) -> tuple[Path, Path]:
    """A store and its bare remote, which says hostile things whenever it is spoken to."""
    store, bare = tmp_path / "store", tmp_path / "bare.git"
    assert clave(alice, store, "init", alice.fingerprint).code == 0
    git(alice, tmp_path, "init", "-q", "--bare", str(bare))
    hook = bare / "hooks" / "pre-receive"
    hook.write_text(
        "#!/bin/sh\nprintf 'said \\033]0;owned\\007\\033[2J\\302\\2332J\\rover\\377 \\342\\200\\256 done\\n' >&2\n"
    )
    hook.chmod(0o755)
    # The program at the other end of a fetch, as over ssh: its stderr is not even marked as the remote's.
    upload = tmp_path / "upload"
    upload.write_text('#!/bin/sh\nprintf "said \\033[2J done\\n" >&2\nexec git-upload-pack "$@"\n')
    upload.chmod(0o755)
    git(alice, store, "remote", "add", "origin", str(bare))
    git(alice, store, "config", "remote.origin.uploadpack", str(upload))
    git(alice, store, "config", "alias.get", "fetch origin")
    branch = git(alice, store, "symbolic-ref", "--short", "HEAD").decode().strip()
    git(alice, store, "config", "push.default", "current")
    git(alice, store, "config", f"branch.{branch}.remote", "origin")
    git(alice, store, "config", f"branch.{branch}.merge", f"refs/heads/{branch}")
    return store, bare


def test_what_a_remote_says_is_escaped(alice: Person, clave: Run, remote: tuple[Path, Path]) -> None:
    store, bare = remote
    pushed = clave(alice, store, "git", "push")
    assert pushed.code == 0
    has_no_controls(pushed)
    assert rb"said \x1b]0;owned\x07\x1b[2J\x9b2J" in pushed.err
    assert rb"over\xff \u202e done" in pushed.err
    for words in (["fetch"], ["pull"], ["-c", "x.y=z", "fetch"], ["get"], ["ls-remote"], ["remote", "update"]):
        done = clave(alice, store, "git", *words)
        assert done.code == 0, done.err
        has_no_controls(done)
        assert rb"said \x1b[2J done" in done.err, words
    (bare / "hooks" / "pre-receive").write_text("#!/bin/sh\nprintf '\\033[2J' >&2\nexit 1\n")
    assert clave(alice, store, "insert", "-m", "x", input=b"y\n").code == 0
    refused = clave(alice, store, "git", "push")
    assert refused.code == 1
    has_no_controls(refused)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("push", True), ("fetch --all", True), ("-c a.b=c pull", True), ("-C fetch status", False), ("", False),
        ("--no-pager -c x=y --git-dir d clone u", True), ("log fetch", False), ("GET", True), ("get", True),
        ("--git-dir=d ls-remote", True), ("-p", False), ("commit -m push", False), ("-c", False), ("remote -v", True),
    ],
)  # fmt: skip
def test_which_commands_of_git_show_what_a_remote_says(line: str, expected: bool) -> None:
    assert speaks_with_remote(line.split(), {"alias.get": "fetch", "user.name": "x"}) is expected


def test_a_character_that_comes_in_two_pieces() -> None:
    safe = RemoteText()
    assert [safe("é".encode()[:1]), safe("é".encode()[1:] + b"\r\nx\ry")] == [b"", "é\nx\ny".encode()]
    assert safe(b"\xff\x1b\x9b") == rb"\xff\x1b\x9b"


def test_other_commands_of_git_keep_the_terminal(alice: Person, clave: Run, remote: tuple[Path, Path]) -> None:
    store, _ = remote
    done = clave(alice, store, "git", "-c", "alias.say=!printf '\\033[1m' >&2", "status", "--short")
    assert (done.code, done.out, done.err) == (0, b"", b"")
    editor = 'sh -c \'printf "\\033[1m" >&2; echo note >"$1"\' -'
    done = clave(alice, store, "git", "commit", "--allow-empty", GIT_EDITOR=editor)
    assert (done.code, b"\x1b[1m" in done.err) == (0, True)


def test_a_process_that_git_leaves_behind_keeps_nobody(alice: Person, clave: Run, remote: tuple[Path, Path]) -> None:
    """An ssh that stays as the master of a connection keeps git's stderr open."""
    store, bare = remote
    upload = bare.parent / "upload"
    upload.write_text(upload.read_text().replace("exec", "sleep 20 <&- >&- &\nexec"))
    argv = [sys.executable, "-m", "clave", "git", "fetch"]
    done = subprocess.run(argv, env=alice.env(store), capture_output=True, timeout=15)
    assert (done.returncode, rb"\x1b[2J done" in done.stderr) == (0, True)


def test_json_says_the_same_with_escapes(alice: Person, clave: Run, hostile: Path) -> None:
    done = clave(alice, hostile, "grep", "--json", "bob")
    has_no_controls(done)
    assert f"evil{ESC}" in json.loads(done.out)["failed"]


# Failures


FAULTS = {
    "a failure that quotes the plaintext": "raise RuntimeError(result.out)",
    "text that is none": "(result.out + b'\\xff').decode()",
    "memory": "raise MemoryError(result.out)",
    "recursion": "raise RecursionError(result.out)",
    "an assertion": "assert False, result.out",
    "an operating system's": "raise OSError(result.out.decode())",
    "a chain": "raise KeyError(result.out) from ValueError(result.out)",
}
INJECTED = """
import sys
from clave.process import Running
finish = Running.finish
def faulty(*args):
    result = finish(*args)
    {fault}
    return result
Running.finish = faulty
from clave.{module} import main
sys.exit(main())
"""


@pytest.fixture(scope="module")
def store(alice: Person, clave: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("l") / "store"
    assert clave(alice, path, "init", alice.fingerprint).code == 0
    assert clave(alice, path, "insert", "-m", "x", input=f"{CANARY}\nuser: alice\n".encode()).code == 0
    return path


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("module", ["fast", "cli.main"])
def test_a_crash_inside_of_decrypt_shows_no_plaintext(alice: Person, store: Path, fault: str, module: str) -> None:
    program = INJECTED.format(fault=FAULTS[fault], module=module)
    for words in [["x"]] if module == "fast" else [["show", "--json", "x"], ["grep", "alice"]]:
        done = run_as(alice, store, [sys.executable, "-c", program, *words])
        assert (done.code, done.out, done.err.count(b"\n")) == (70, b"", 1), done.err
        assert b"internal error" in done.err
        assert CANARY.encode() not in done.err


# Options


def commands() -> Iterator[tuple[str, click.Command]]:
    def below(path: str, command: click.Command, ctx: click.Context) -> Iterator[tuple[str, click.Command]]:
        yield path, command
        if isinstance(command, click.Group):
            for name in command.list_commands(ctx):
                each = command.get_command(ctx, name)
                assert each is not None
                yield from below(f"{path} {name}", each, ctx)

    return below("clave", root_command, click.Context(root_command))


def test_no_option_takes_a_secret() -> None:
    """A value on the command line is in `ps` and in the shell's history. Values come from prompts, pipes and files."""
    seen = 0
    for path, command in commands():
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.is_flag:
                seen += 1
                names = " ".join(parameter.opts)
                secret = any(word in names for word in ("pass", "secret", "value", "pin", "seed", "token", "content"))
                chosen = isinstance(parameter.type, click.Choice)  # from words of ours
                assert not secret or chosen or names.endswith(("-file", "-fd")), f"{path} {names}"
    assert seen > 10
    assert len(COMMANDS) > 20


# The canary


WRAPPER = """#!{python} -SE
import os, sys
name = os.path.basename(sys.argv[0])
with open({log!r}, "ab") as log:
    log.write(b"\\0".join(map(os.fsencode, sys.argv)) + b"\\n" + repr(dict(os.environb)).encode() + b"\\n")
os.environ["PATH"] = {path!r}
os.execvp(name, sys.argv)
"""


class Watch:
    """Records the arguments and the environment of everything that runs, and what is left in files."""

    def __init__(self, alice: Person, store: Path, folder: Path) -> None:
        self.alice, self.store, self.folder = alice, store, folder
        self.log = folder / "log"
        self.clipboard = folder / "clipboard"
        programs = folder / "bin"
        programs.mkdir()
        behind = folder / "behind"
        behind.mkdir()
        (behind / "xclip").write_text(
            f"#!/bin/sh\ncase $* in *-o*) cat {self.clipboard} 2>/dev/null;; *) cat >{self.clipboard};; esac\n"
        )
        (behind / "xclip").chmod(0o755)
        path = f"{behind}:{os.environ['PATH']}"
        for name in ("gpg", "gpg2", "git", "xclip", "gpgconf", "gpg-connect-agent", "sh"):
            if shutil.which(name, path=path):
                (programs / name).write_text(WRAPPER.format(python=sys.executable, log=str(self.log), path=path))
                (programs / name).chmod(0o755)
        self.path = f"{programs}:{path}"
        self.seen: set[bytes] = set()

    def run(self, *words: str, input: bytes = b"", **env: str) -> Output:
        """Run clave while another thread reads the command lines and environments of all processes."""
        stop = threading.Event()
        watcher = threading.Thread(target=self._look_at_processes, args=(stop,))
        watcher.start()
        try:
            argv = [sys.executable, "-m", "clave", *words]
            return run_as(self.alice, self.store, argv, input=input, PATH=self.path, DISPLAY=":0", **env)
        finally:
            stop.set()
            watcher.join()

    def _look_at_processes(self, stop: threading.Event) -> None:
        while not stop.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        self.seen.add((process / name).read_bytes())
                    except OSError:
                        continue

    def places(self, value: bytes) -> list[str]:
        """Return where a value can be found: it should be nowhere."""
        found = [repr(each[:80]) for each in (*self.seen, self.log.read_bytes()) if value in each]
        for top in (self.alice.home, self.store, Path("/dev/shm")):
            found += [str(file) for file in files(top) if holds(file, value)]
        objects = ["git", "-C", str(self.store), "cat-file", "--batch", "--batch-all-objects", "--buffer"]
        contents = subprocess.run(objects, env=self.alice.env(), capture_output=True, check=True).stdout
        assert b" commit " in contents
        return found + ["the git objects"] * (value in contents)


def files(top: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(top):
        for name in names:
            yield Path(folder, name)


def holds(file: Path, value: bytes) -> bool:
    if value in os.fsencode(file.name):
        return True
    try:
        return stat.S_ISREG(file.lstat().st_mode) and value in file.read_bytes()
    except OSError:
        return False


@pytest.fixture
def watch(alice: Person, clave: Run, tmp_path: Path) -> Watch:
    store = tmp_path / "store"
    assert clave(alice, store, "init", alice.fingerprint).code == 0
    return Watch(alice, store, tmp_path)


def test_the_watch_sees_what_it_looks_for(watch: Watch) -> None:
    """Else the tests below would find nothing anywhere."""
    watch.run("git", "-c", f"x.y={CANARY}", "status")
    assert CANARY.encode() in watch.log.read_bytes()
    watch.run("find", "argument-in-proc")
    assert any(b"argument-in-proc" in each for each in watch.seen)
    (watch.alice.home / "leak").write_text(CANARY)
    assert str(watch.alice.home / "leak") in watch.places(CANARY.encode())
    (watch.alice.home / "leak").unlink()
    (watch.store / "plain").write_text(CANARY)
    git(watch.alice, watch.store, "add", "plain")
    (watch.store / "plain").unlink()
    assert "the git objects" in watch.places(CANARY.encode())


def test_a_secret_is_nowhere_but_on_stdout(watch: Watch) -> None:
    canary = CANARY.encode()
    silent = [
        (["insert", "-m", "a"], f"{CANARY}\nuser: alice\n"),
        (["insert", "-e", "b"], f"{CANARY}\n"),
        (["insert", "--file", "-", "c"], f"{CANARY}\n"),
        (["set", "a", "token"], f"{CANARY}\n"),
        (["clip", "a", "user"], ""),
        (["show", "-c", "a"], ""),
        (["otp", "insert", "o"], f"{SEED}\n"),
        (["otp", "append", "a"], f"{SEED}\n"),
        (["mv", "a", "d"], ""),
        (["cp", "d", "a"], ""),
        (["log", "a"], ""),
        (["undo"], ""),
        (["grep", "-l", CANARY[:6]], ""),
        (["no-such", "x"], ""),
        (["show", "d#nothing"], ""),
        (["otp", "b"], ""),
    ]
    codes = {"no-such x": 2, "show d#nothing": 3, "otp b": 3}
    for words, text in silent:
        done = watch.run(*words, input=text.encode(), PASSWORD_STORE_CLIP_TIME="1")
        assert done.code == codes.get(" ".join(words), 0), (words, done.err)
        for output in (done.out, done.err):
            assert canary not in output, words
            assert b"MNQW4YLSPFRWC3TBOJ4Q" not in output, words
    for words in (["d"], ["show", "d"], ["show", "d#token"], ["d#password"], ["show", "--json", "d"], ["diff", "d"]):
        done = watch.run(*words)
        assert canary not in done.err, words
    assert watch.run("d").out.startswith(canary)
    code = watch.run("otp", "o")
    assert (code.code, len(code.out.strip())) == (0, 6)
    for value in (canary, b"MNQW4YLSPFRWC3TBOJ4Q"):
        assert watch.places(value) == []


def test_edit_leaves_nothing(watch: Watch) -> None:
    editor = watch.folder / "editor"
    editor.write_text('#!/bin/sh\ncp "$1" "$1.bak"\nprintf \'canary-%s\\n\' c0ffee-41 >"$1"\n')
    editor.chmod(0o755)
    for _ in range(2):
        done = watch.run("edit", "a", EDITOR=str(editor))
    assert (done.code, CANARY.encode() in done.out + done.err) == (1, False)
    assert watch.run("a").out == f"{CANARY}\n".encode()
    assert watch.places(CANARY.encode()) == []


def test_a_generated_password_is_nowhere_but_on_stdout(watch: Watch) -> None:
    assert watch.run("generate", "a", "24").code == 0
    password = watch.run("a").out.strip()
    assert len(password) == 24
    assert watch.places(password) == []


def test_a_copied_value_goes_to_the_clipboard_alone(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    assert watch.run("insert", "-m", "a", input=f"{CANARY}\n".encode()).code == 0
    done = watch.run("show", "-c", "a", PASSWORD_STORE_CLIP_TIME="1")
    assert done.code == 0, done.err
    assert CANARY.encode() not in done.out + done.err
    assert watch.clipboard.read_text() in (CANARY, "")
    assert watch.places(CANARY.encode()) == []
