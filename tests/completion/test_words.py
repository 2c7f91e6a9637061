"""Commands, options, and the words that the scripts know themselves; aliases; the tool that writes the scripts."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from clave.cli._commands import ALIASES, COMMANDS
from clave.config import KEYS
from tests.completion.shells import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.completion.conftest import Start
    from tests.completion.shells import Shell

sys.path.insert(0, str(ROOT / "tools"))
import completions


@pytest.fixture(scope="module")
def shell(start: Start, name: str, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    home = tmp_path_factory.mktemp("home")
    store = home / ".password-store"
    (store / "folder").mkdir(parents=True)
    (store / "entry.gpg").touch()
    (store / "shadow.gpg").touch()
    (home / "on disk").mkdir()
    (home / "on disk" / "file.txt").touch()
    return start(name, {"HOME": str(home), "LC_ALL": "C.UTF-8"}, aliases="alias pass=clave", cwd=home)


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("clave gene", "clave generate "),
        ("clave sear", "clave search "),
        ("clave -s x gene", "clave -s x generate "),
        ("clave --yes gene", "clave --yes generate "),
        ("clave otp val", "clave otp validate "),
        ("clave store def", "clave store default "),
        ("clave help gene", "clave help generate "),
        ("clave help otp app", "clave help otp append "),
        ("clave completion fi", "clave completion fish "),
        ("clave config set generate.l", "clave config set generate.length "),
        ("clave config get PASSWORD_STORE_SIG", "clave config get PASSWORD_STORE_SIGNING_KEY "),
        ("clave config set PASSWORD_STORE_SIG", "clave config set PASSWORD_STORE_SIG"),
        ("clave git refl", "clave git reflog "),
        ("clave --vers", "clave --version "),
        ("clave --qr", "clave --qrcode "),
        ("clave rm --rec", "clave rm --recursive "),
        ("clave delete --rec", "clave delete --recursive "),
        ("clave otp --js", "clave otp --json "),
        ("clave otp append --iss", "clave otp append --issuer "),
        ("clave grep --colour=al", "clave grep --colour=always "),
        ("clave grep pattern fol", "clave grep pattern folder/"),
        ("clave log -n 3 ent", "clave log -n 3 entry "),
        ("clave shad", "clave shadow "),
        ("clave find ent", "clave find ent"),
        ("clave undo ent", "clave undo ent"),
        ("clave insert --file on", {"clave insert --file on\\ disk/", "clave insert --file on\\ disk"}),
        ("clave store add name on", {"clave store add name on\\ disk/", "clave store add name on\\ disk"}),
        ("clave show entry > on", {"clave show entry > on\\ disk/", "clave show entry > on\\ disk"}),
        ("clave show -- ent", "clave show -- entry "),
        ("clave show -- --js", "clave show -- --js"),
        ("clave  show   ent", "clave  show   entry "),
        ("pass show ent", "pass show entry "),
        ("pass gene", "pass generate "),
    ],
)
def test_a_word_is_completed(shell: Shell, typed: str, completed: str | set[str]) -> None:
    line = shell.complete(typed)
    assert line in completed if isinstance(completed, set) else line == completed


def test_every_command_is_listed(shell: Shell) -> None:
    assert {*COMMANDS, *ALIASES, "entry", "shadow", "folder/"} <= shell.candidates("clave ")


def test_every_option_is_listed(shell: Shell) -> None:
    for command in completions.commands():
        listed = shell.candidates(f"clave {command.key} -".replace("  ", " "))
        wanted = {name for option in command.options for name in option.names}
        assert wanted <= listed | ({"-"} if command.key == "git" else set()), command.key


def test_settings_are_listed(shell: Shell) -> None:
    assert {key.name for key in KEYS} <= shell.candidates("clave config get ")
    listed = shell.candidates("clave config set ")
    assert {key.name for key in KEYS if key.in_file} <= listed
    assert not {key.name for key in KEYS if not key.in_file} & listed


def test_alias_that_bash_does_not_know_is_left_alone(start: Start, tmp_path: Path) -> None:
    store = tmp_path / ".password-store"
    store.mkdir()
    (store / "entry.gpg").touch()
    aliases = "alias pass='clave show' p=/opt/bin/clave"
    bash = start("bash", {"HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}, aliases=aliases, cwd=tmp_path)
    assert bash.complete("p show ent") == "p show entry "
    assert bash.complete("pass ent") == "pass ent"


@pytest.mark.parametrize("option", ["failglob", "nullglob", "dotglob", "nocaseglob", "noglob"])
def test_the_users_options_of_bash_do_not_matter_and_stay(tmp_path: Path, option: str) -> None:
    store = tmp_path / ".password-store"
    store.mkdir()
    for name in ("entry", ".hidden"):
        (store / f"{name}.gpg").touch()
    done = subprocess.run(
        ["bash", "--norc", "-O", option, "-s"] if option != "noglob" else ["bash", "--norc", "-f", "-s"],
        input=f"""
source {ROOT}/completions/clave.bash
for word in '' ent none h; do
    COMP_LINE="clave rm $word" COMP_POINT=$((9 + ${{#word}}))
    _clave clave "$word" rm 2>/dev/null
    echo "$word:${{COMPREPLY[*]}}"
done
set -o | grep -c 'noglob.*on'; shopt {option if option != "noglob" else "sourcepath"}
""",
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    answers, state = done.stdout.splitlines()[:4], done.stdout.splitlines()[4:]
    assert answers == [":entry", "ent:entry", "none:", "h:"]
    assert state[0] == ("1" if option == "noglob" else "0")
    assert state[1].split()[1] == "on"


def test_the_scripts_are_up_to_date() -> None:
    made = completions.scripts()
    assert {path.name for path in (ROOT / "completions").iterdir()} == {*made}
    for name, text in made.items():
        assert (ROOT / "completions" / name).read_text() == text


def test_stale_scripts_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr(completions, "ROOT", tmp_path)
    monkeypatch.setattr(completions, "COMPLETIONS", tmp_path / "completions")
    assert completions.main(["--check"]) == 1
    assert not (tmp_path / "completions").exists()
    assert completions.main([]) == 0
    assert completions.main(["--check"]) == 0
    (tmp_path / "completions" / "_clave").write_text("old")
    capsys.readouterr()
    assert completions.main(["--check"]) == 1
    assert capsys.readouterr().out == "completions/_clave is not up to date\n"
