"""Names of entries and folders, in every shell: what is offered, and that no name is more than a text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.completion.conftest import Start
    from tests.completion.shells import Shell


# Names of entries that a shell would do something with, if it were not told that they are text.
HOSTILE = [
    "$(touch SENTINEL)", "`touch SENTINEL`", "${x:=$(touch SENTINEL)}", "$HOME", "$((1+1))", "~", "~root", "=ls",
    "x;touch SENTINEL", "x|touch SENTINEL", "x&touch SENTINEL", "<(touch SENTINEL)", ">SENTINEL", "(touch SENTINEL)",
    "*", "?", "[a-z]", "{a,b}", "'", '"', "it's", 'say "x"', "back\\slash", "two words", " blank", "!!", "x!y", "#x",
    "x#y", "x:y", "x=y", "x@y", "^x", "x%y", "číslo", "日本", "🔑", "a,b", "a\\", "$'x'", "end\\'",
    "x\"$(touch SENTINEL)",
]  # fmt: skip
# Names that are not offered at all.
UNSHOWN = ["esc\x1b]0;x\x07", "new\nline", "tab\tname", "rlo\u202etxt", "del\x7f", "c1\u009b31m", "-dash", ".hidden"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("st") / "[s]to re*$(touch SENTINEL)"
    for at, hostile in enumerate(HOSTILE):
        put(root, f"h{at:02}/{hostile}")
        put(root, f"many/{hostile}")
    for unshown in (*UNSHOWN, "shown"):
        put(root, f"unshown/{unshown}")
    (root / "unshown").joinpath(os.fsdecode(b"\x9bbyte.gpg")).touch()
    for entry in ("mail", "web/github", "web/gitlab", "web/deep/er/one", "Upper/Case", "both", "both/below", "x y/z"):
        put(root, entry)
    (root / "web" / "README.md").touch()
    (root / ".git").mkdir()
    (root / "here").symlink_to("web")
    (root / "away").symlink_to("/etc")
    return root


def put(root: Path, entry: str) -> None:
    file = root / f"{entry}.gpg"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()


@pytest.fixture(scope="module")
def shell(start: Start, name: str, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    home = tmp_path_factory.mktemp("home")
    cwd = home / "cwd"
    (cwd / "mail").mkdir(parents=True)
    return start(name, {"HOME": str(home), "LC_ALL": "C.UTF-8", "PASSWORD_STORE_DIR": f"{store}/"}, cwd=cwd)


@pytest.mark.parametrize("words", ["", "show ", "-c ", "edit ", "rm -r ", "mv old ", "otp ", "otp uri ", "show -c -- "])
def test_an_entry_is_completed(shell: Shell, words: str) -> None:
    assert shell.complete(f"clave {words}web/gith") == f"clave {words}web/github "


def test_a_folder_is_completed_without_a_blank(shell: Shell) -> None:
    assert shell.complete("clave ls we") == "clave ls web/"
    assert shell.complete("clave ls web/d") == "clave ls web/deep/"
    assert shell.complete("clave init -p Up") == "clave init -p Upper/"
    assert shell.complete("clave init --path=Up") == "clave init --path=Upper/"
    assert shell.complete("clave ls ma") == "clave ls many/"


def test_bash_goes_on_through_folders_that_hold_one_thing(shell: Shell) -> None:
    """As pass does: for what is read, not for what is written."""
    if shell.name == "bash":
        assert shell.complete("clave show web/d") == "clave show web/deep/er/one "
        assert shell.complete("clave show he") == "clave show here/"
        assert shell.complete("clave insert web/d") == "clave insert web/deep/"


def test_what_is_listed(shell: Shell) -> None:
    assert {Path(each).name for each in shell.candidates("clave rm web/")} == {"github", "gitlab", "deep"}
    top = {each.rstrip("/") for each in shell.candidates("clave rm ")}
    assert {"mail", "web", "both", "here", "Upper"} <= top
    assert not top & {".git", "away", "README.md"}


def test_what_is_out_of_the_store_is_not_listed(shell: Shell) -> None:
    line = "clave rm away/ho"
    assert shell.complete(line) == line
    assert shell.complete("clave rm ../sto") == "clave rm ../sto"
    assert shell.complete("clave rm here/gith") == "clave rm here/github "


def test_upper_case_is_found_by_lower_case(shell: Shell) -> None:
    if shell.name != "zsh":  # there it is the user's to choose (matcher-list)
        assert shell.complete("clave show Upper/ca") == "clave show Upper/Case "


def test_fish_finds_what_is_somewhere_in_the_name(shell: Shell) -> None:
    if shell.name == "fish":
        assert shell.complete("clave show elow") == "clave show both/below "


def test_a_folder_of_the_current_one_adds_no_slash(shell: Shell) -> None:
    """`mail` is an entry, and a folder where the shell is."""
    assert shell.complete("clave show mai") == "clave show mail "


@pytest.mark.parametrize("at", range(len(HOSTILE)), ids=lambda at: HOSTILE[at])
def test_a_name_is_only_ever_text(shell: Shell, at: int) -> None:
    assert shell.run(f"clave show h{at:02}/") == ["show", f"h{at:02}/{HOSTILE[at]}"]
    assert not list(shell.cwd.rglob("SENTINEL"))


def test_listing_them_runs_nothing(shell: Shell) -> None:
    listed = shell.candidates("clave show many/")
    assert any("číslo" in each for each in listed)
    shell.complete("clave show many/$")
    shell.complete("clave show 'many/$")
    shell.complete('clave show "many/$')
    shell.complete("clave show many/\\`")
    assert not list(shell.cwd.rglob("SENTINEL"))


@pytest.mark.parametrize("quote", ["'", '"'])
def test_in_an_open_quote(shell: Shell, quote: str) -> None:
    assert shell.complete(f"clave show {quote}x y/") in (f"clave show {quote}x y/z{quote} ", "clave show x\\ y/z ")
    assert shell.complete("clave show x\\ y/") == "clave show x\\ y/z "


def test_what_cannot_be_shown_is_left_out(shell: Shell) -> None:
    before = len(shell.seen)
    assert {Path(each).name for each in shell.candidates("clave show unshown/")} == {"shown"}
    shown = shell.seen[before:].replace(b"\x1b[", b"")  # the shell's own
    assert not set(shown) & (set(range(7, 32)) - set(b"\r\n\t\b\x07") | {0x7F, 0x9B})
