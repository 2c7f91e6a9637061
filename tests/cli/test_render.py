"""`clave render`: where what a template makes is written, and where not."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import User, one_line

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = 'user={{ secret("web/site#user") }}\npassword={{ secret("web/site") | quote }}\n'
MADE = b"user=me\npassword='canary-pw'\n"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an application with a template, in which clave is run."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "t.j2").write_text(TEMPLATE)
    monkeypatch.chdir(folder)
    return folder


def test_it_goes_to_stdout(me: User, app: Path) -> None:
    assert me.ok("render", "--allow", "t.j2").out == MADE


def test_it_goes_into_a_file_of_ones_own(me: User, app: Path) -> None:
    (app / "out").write_text("before")
    (app / "out").chmod(0o666)
    inode = (app / "out").stat().st_ino
    assert me.ok("render", "--allow", "t.j2", "-o", "out").out == b""
    assert (app / "out").read_bytes() == MADE
    assert (app / "out").stat().st_mode & 0o777 == 0o600
    assert (app / "out").stat().st_ino != inode  # it was replaced, not written into
    assert sorted(os.listdir(app)) == ["out", "t.j2"]


def test_a_template_that_is_not_allowed_gets_nothing(me: User, app: Path) -> None:
    line = me.refused(6, "render", "t.j2", "-o", "out")
    assert "t.j2 asks for 2 secrets that it has not been allowed" in line
    assert not (app / "out").exists()


def test_what_was_allowed_on_a_terminal_is_allowed(me: User, app: Path) -> None:
    child = me.tty("render", "t.j2")
    child.expect("web/site#user")
    child.expect("Allow it")
    child.sendline("y")
    child.expect("canary-pw")
    assert me.ok("render", "t.j2").out == MADE
    (app / "t.j2").write_text(TEMPLATE + '{{ secret("plain") }}')
    assert "asks for 1 secrets" in me.refused(6, "render", "t.j2")


@pytest.mark.parametrize(
    "text", ['{{ secret("none/such") }}', "{{ nothing }}", '{{ secret("web/bin") | json }}', "{% if %}"]
)
def test_what_cannot_be_made_leaves_the_file_as_it_was(me: User, app: Path, text: str) -> None:
    (app / "t.j2").write_text(TEMPLATE + text)
    (app / "out").write_text("before")
    me.refused(3 if "none" in text else 2, "render", "--allow", "t.j2", "-o", "out")
    assert (app / "out").read_text() == "before"
    assert sorted(os.listdir(app)) == ["out", "t.j2"]


def test_it_is_written_into_no_link_and_no_folder(me: User, app: Path) -> None:
    (app / "real").write_text("before")
    (app / "link").symlink_to("real")
    (app / "dangling").symlink_to("nowhere")
    (app / "folder").mkdir()
    os.mkfifo(app / "pipe")
    for name, said in (
        ("link", "link is a link"),
        ("dangling", "dangling is a link"),
        ("folder", "folder is not a file"),
        ("pipe", "pipe is not a file"),
        ("none/out", "there is no folder none"),
        ("t.j2", "t.j2 is the template itself"),
        ("real/out", "there is no folder real"),
    ):
        assert said in me.refused(2, "render", "--allow", "t.j2", "-o", name)
    assert (app / "real").read_text() == "before"
    assert not (app / "nowhere").exists()
    assert (app / "t.j2").read_text() == TEMPLATE


def test_a_folder_that_cannot_be_written_is_told(me: User, app: Path) -> None:
    assert one_line(me.run("render", "--allow", "t.j2", "-o", "/proc/self/out"), 73)


def test_what_a_killed_process_left_is_removed_by_the_next(me: User, app: Path) -> None:
    for name in (".clave-render-abcd_123.tmp", ".clave-render-abcd_124.tmp", ".clave-render-mine", ".clave-mine.tmp"):
        (app / name).write_text("x")
    with open(app / ".clave-render-abcd_124.tmp", "rb") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        me.ok("render", "--allow", "t.j2", "-o", "out")
    left = {".clave-render-abcd_124.tmp", ".clave-render-mine", ".clave-mine.tmp"}
    assert set(os.listdir(app)) == {"out", "t.j2"} | left


def test_check_writes_nothing(me: User, app: Path) -> None:
    assert me.ok("render", "--allow", "--check", "t.j2").out == b""
    assert "out is not what t.j2 makes now" in me.refused(1, "render", "--allow", "--check", "t.j2", "-o", "out")
    assert not (app / "out").exists()
    (app / "out").write_bytes(MADE)
    assert me.ok("render", "--allow", "--check", "t.j2", "-o", "out").out == b""
    (app / "out").write_bytes(MADE + b"\n")
    me.refused(1, "render", "--allow", "--check", "t.j2", "-o", "out")


def test_the_store_is_that_of_the_manifest_beside_it(me: User, app: Path) -> None:
    (app / "clave.toml").write_text('[store]\nurl = "https://example.org/other.git"\n')
    assert "is for the store" in me.refused(2, "render", "--allow", "t.j2")


def test_what_is_no_template_is_told(me: User, app: Path) -> None:
    assert "there is no template none" in me.refused(3, "render", "none")
    assert "app is not a file" in me.refused(2, "render", str(app))
