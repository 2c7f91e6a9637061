"""`clave clip`, `-c` everywhere, and the clipboard of a real X server: what is on it, when, and what comes back."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import SEED, User
from tests.cli.reading import terminal_output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Output

SHORT, LONG = "1", "600"  # seconds; nothing waits for the long one


class Screen:
    """A display, what is on its clipboards, and clave with them."""

    def __init__(self, me: User, display: str) -> None:
        self.me = me
        self.env = {"DISPLAY": display, "PASSWORD_STORE_CLIP_TIME": LONG}

    def clave(self, *args: str, **env: str) -> Output:
        return self.me.run(*args, **{**self.env, **env})

    def xclip(self, *args: str, data: bytes | None = None, selection: str = "clipboard") -> bytes:
        """Call xclip as other programs of the user would."""
        argv = ["xclip", "-selection", selection, *args]
        env = {**os.environ, **self.env}
        if data is None:
            return subprocess.run([*argv, "-o"], env=env, capture_output=True, check=False).stdout
        # What xclip leaves behind serves the clipboard and must not hold our pipes.
        subprocess.run(argv, env=env, input=data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        assert self.becomes(data, selection)
        return data

    def becomes(self, wanted: bytes, selection: str = "clipboard") -> bool:
        deadline = time.monotonic() + 20
        while self.xclip(selection=selection) != wanted:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A display of an X server without a screen, stopped at the end."""
    ready, done = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(done), "-screen", "0", "64x64x8"], pass_fds=[done], stderr=subprocess.DEVNULL
    )
    os.close(done)
    with os.fdopen(ready) as answer:
        number = answer.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


@pytest.fixture
def screen(me: User, display: str) -> Iterator[Screen]:
    yield Screen(me, display)
    end_of_wait(me)


def end_of_wait(me: User) -> None:
    """Let the time of the last copy be over, and wait until what was to be put back is back."""
    state = me.person.home / ".cache/clave/clipboard"
    if state.exists():
        with state.open("rb") as lock, suppress(ProcessLookupError):
            os.kill(int(lock.read()), signal.SIGTERM)
            fcntl.flock(lock, fcntl.LOCK_EX)  # held for as long as somebody waits


def test_a_password_is_copied_in_the_words_of_pass(screen: Screen) -> None:
    done = screen.clave("-c", "web/site")
    assert done.out == b""
    assert done.err.decode() == f"Copied web/site to clipboard. Will clear in {LONG} seconds.\n"
    assert screen.xclip() == b"canary-pw"
    for words in (["-c2", "web/site"], ["show", "--clip=2", "web/site"]):
        assert screen.clave(*words).code == 0
        assert screen.xclip() == b"user: me"


def test_the_earlier_content_comes_back(screen: Screen) -> None:
    screen.xclip(data="earlier ž\nlines\n".encode())
    assert screen.clave("-c", "plain", PASSWORD_STORE_CLIP_TIME=SHORT).code == 0
    assert screen.becomes("earlier ž\nlines\n".encode())


def test_what_the_user_has_copied_since_stays(screen: Screen) -> None:
    screen.xclip(data=b"earlier")
    assert screen.clave("-c", "plain").code == 0
    screen.xclip(data=b"mine")
    end_of_wait(screen.me)
    assert screen.xclip() == b"mine"


def test_a_second_copy_does_not_take_the_first_for_the_earlier_content(screen: Screen) -> None:
    screen.xclip(data=b"earlier")
    assert screen.clave("-c", "plain").code == 0
    assert screen.clave("-c", "web/site", PASSWORD_STORE_CLIP_TIME=SHORT).code == 0
    assert screen.xclip() == b"canary-pw"
    assert screen.becomes(b"earlier")


def test_the_primary_selection(screen: Screen) -> None:
    screen.xclip(data=b"untouched")
    assert screen.clave("-c", "plain", PASSWORD_STORE_X_SELECTION="primary").code == 0
    assert screen.xclip(selection="primary") == b"canary-plain"
    assert screen.xclip() == b"untouched"


def test_what_else_can_be_copied(screen: Screen) -> None:
    for words, wanted in (
        (["show", "-c", "web/site#url"], b"https://example.org"),
        (["clip", "web/site", "user"], b"me"),
        (["clip", "web/site#user"], b"me"),
        (["otp", "uri", "-c", "web/site"], SEED.encode()),
        (["pick", "-c", "plain"], b"canary-plain"),
    ):
        done = screen.clave(*words)
        assert (done.code, done.out) == (0, b"")
        assert screen.xclip() == wanted
    assert screen.clave("generate", "-c", "new", "12").out == b""
    assert screen.xclip() + b"\n" == screen.me.read("new")
    assert screen.clave("otp", "-c", "web/site").code == 0
    assert len(screen.xclip()) == 6
    assert screen.xclip().isdigit()


def test_one_field_after_another(screen: Screen) -> None:
    child = screen.me.tty("clip", "web/site", **screen.env)
    child.expect_exact(f"Copied web/site#user to clipboard. Will clear in {LONG} seconds.\r\n")
    child.expect_exact("Press Enter to copy password. ")
    assert screen.xclip() == b"me"
    child.sendline()
    child.expect_exact("Press Enter to copy otp. ")
    assert screen.xclip() == b"canary-pw"
    child.sendline()
    child.expect_exact("Copied web/site#otp")
    terminal_output(child)
    assert child.exitstatus == 0
    assert screen.xclip().isdigit()


def test_leaving_between_two_fields(screen: Screen) -> None:
    child = screen.me.tty("clip", "web/site", "url", "password", **screen.env)
    child.expect_exact("Press Enter to copy password. ")
    child.sendintr()
    terminal_output(child)
    assert child.exitstatus == 130
    assert screen.xclip() == b"https://example.org"


def test_a_field_that_is_not_there_copies_nothing(screen: Screen) -> None:
    screen.xclip(data=b"earlier")
    assert "has no field 'pin'" in screen.me.refused(3, "clip", "web/site", "pin", **screen.env)
    child = screen.me.tty("clip", "web/site", "user", "pin", **screen.env)
    assert b"has no field 'pin'" in terminal_output(child)
    assert screen.xclip() == b"earlier"


def test_what_cannot_be_copied(screen: Screen) -> None:
    assert "not text" in screen.me.refused(2, "-c2", "web/bin", **screen.env)
    assert "no terminal to ask on" in screen.me.refused(2, "clip", "web/site", **screen.env)
    screen.me.ok("insert", "-m", "bare", input=b"\nnote to self\n")
    assert "has neither user, password nor otp" in screen.me.refused(2, "clip", "bare", **screen.env)


def test_no_display_is_one_line(me: User, tmp_path: Path) -> None:
    for words in (["-c", "plain"], ["clip", "plain"], ["otp", "-c", "web/site"], ["pick", "-c", "plain"]):
        assert me.refused(2, *words) == "Error: No X11 or Wayland display detected. Show it instead, without -c.\n"
    assert "the clipboard cannot be used" in me.refused(2, "-c", "plain", DISPLAY=":9999")
    for program in ("gpg", "git"):
        (tmp_path / program).symlink_to(shutil.which(program) or "")
    line = me.refused(2, "-c", "plain", DISPLAY=":9999", PATH=str(tmp_path))
    assert line == "Error: no program copies to the clipboard. Install xclip, xsel or wl-clipboard.\n"


def test_a_password_that_cannot_be_copied_is_not_made(me: User) -> None:
    """Or it would be in the store, unseen."""
    assert "No X11 or Wayland display" in me.refused(2, "generate", "-c", "new")
    assert "No X11 or Wayland display" in me.refused(2, "generate", "-cf", "plain")
    assert "do not fit a QR code" in me.refused(2, "generate", "-qf", "plain", "5000")
