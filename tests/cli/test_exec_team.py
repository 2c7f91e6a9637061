"""Programs and the secrets of a team: only from a verified store, only what one may read; and machines."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.delivery.conftest import wait_for
from tests.teams import Team, crew, founded, team

__all__ = ["crew", "founded", "team"]

RAM = Path("/dev/shm")


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "clave.toml"


def write(app: Path, team: Team, text: str) -> None:
    store = team.pin("alice")["store"]
    app.write_text(f'[store]\nid = "{store}"\nurl = "{team.remote}"\n[env]\n{text}')


def test_what_may_not_be_read_is_said_with_whom_to_ask(team: Team, app: Path) -> None:
    write(app, team, 'WIFI = "team/wifi"\nDB = "prod/db"\nGONE = "prod/dbb"\n')
    team.clave("alice", "exec", "--allow", "--only", "DB", "--", "sh", "-c", '[ "$DB" = db-secret ]')
    done = team.clave("bob", "exec", "--allow", "--", "touch", "started", code=4)
    assert not Path("started").exists()
    said = done.err.decode()
    assert "Error: 2 of 3 variables cannot be had.\n" in said
    assert "  DB: prod/db is readable by alice and carol: ask alice: clave grant bob prod.\n" in said
    assert "  GONE: prod/dbb is not in the password store. Did you mean 'prod/db'?\n" in said
    assert team.clave("bob", "manifest", "check", code=4).err == done.err.replace(
        b"variables cannot be had.", f"variables of {app} are not good.".encode()
    )
    # A group is named as it was given the right.
    team.clave("alice", "group", "add", "ops", "alice", "carol", "--sure")
    team.clave("alice", "grant", "@ops", "prod", "--sure")
    for who in ("alice", "carol"):
        team.clave("alice", "revoke", who, "prod", "--sure", code=1)  # by the group they still may
    team.clave("alice", "sync")
    team.clave("bob", "sync")
    done = team.clave("bob", "exec", "-e", "DB=prod/db", "--only", "DB", "--", "true", code=4)
    assert done.err == b"Error: DB: prod/db is readable by ops: ask alice: clave grant bob prod.\n"


def test_an_unverified_store_starts_nothing(team: Team, app: Path) -> None:
    write(app, team, 'WIFI = "team/wifi"\nGONE = "nowhere"\n')
    team.clave("bob", "allow", "--sure")
    (team.stores["bob"] / "x.gpg").write_bytes((team.stores["bob"] / "web.gpg").read_bytes())
    team.git("bob", "add", "x.gpg")
    team.git("bob", "commit", "-qm", "by hand")
    for words in (["exec", "--", "touch", "started"], ["exec", "-e", "A=web", "--", "touch", "started"]):
        done = team.clave("bob", *words, code=6)
        assert b"is not signed" in done.err
        assert done.err.count(b"\n") == 1
        assert not Path("started").exists()
    assert team.clave("bob", "manifest", "check", code=6).out == b""


def test_the_store_is_found_by_the_id_of_its_team(team: Team, app: Path, tmp_path: Path) -> None:
    write(app, team, 'WIFI = "team/wifi"\n')
    bob = team.people["bob"]
    other = tmp_path / "other"
    for words in (["init", bob.fingerprint], ["insert", "-m", "team/wifi"]):
        argv = [sys.executable, "-m", "clave", *words]
        subprocess.run(argv, env=bob.env(other), input=b"canary-of-the-other\n", check=True, capture_output=True)
    run = ["exec", "--allow", "--", "sh", "-c", "echo $WIFI"]
    argv = [sys.executable, "-m", "clave"]
    lost = subprocess.run([*argv, *run], env=bob.env(other), capture_output=True, check=False)
    assert lost.returncode == 2
    assert f"clave join {team.remote}" in lost.stderr.decode()
    subprocess.run([*argv, "store", "add", "ours", str(team.stores["bob"])], env=bob.env(), check=True)
    try:
        assert subprocess.run([*argv, *run], env=bob.env(other), capture_output=True, check=True).stdout == b"wifi\n"
    finally:
        subprocess.run([*argv, "store", "remove", "ours"], env=bob.env(), check=True)


def test_only_what_was_committed_is_handed_over(team: Team, app: Path) -> None:
    write(app, team, 'WIFI = "team/wifi"\nWEB = "web"\n')
    team.clave("bob", "allow", "--sure")
    store = team.stores["bob"]
    (store / "web.gpg").write_bytes((store / "team/wifi.gpg").read_bytes())
    done = team.clave("bob", "exec", "--", "touch", "started", code=6)
    assert b"web.gpg is not what was committed last" in done.err
    assert not Path("started").exists()
    team.clave("bob", "exec", "--only", "WIFI", "--", "sh", "-c", '[ "$WIFI" = wifi ]')


def test_what_is_verified_is_not_verified_again(team: Team, app: Path) -> None:
    code = "import sys; from clave.cli import _exec; _exec.child.replace = lambda *_: print(*sys.modules); "
    code += "from clave.fast import main; main()"
    done = team.run("bob", sys.executable, "-c", code, "exec", "-e", "A=web", "--", "true")
    loaded = set(done.out.decode().split())
    assert "clave.delivery.resolving" in loaded
    assert not {"clave.store.trust.evidence", "clave.team.rules", "pysequoia"} & loaded


def test_a_manifest_is_for_the_team_that_it_was_made_in(team: Team, app: Path) -> None:
    team.clave("bob", "manifest", "init")
    team.clave("bob", "manifest", "add", "WIFI", "team/wifi")
    assert f'id = "{team.pin("bob")["store"]}"' in app.read_text()
    # Typed by bob, it is allowed to him; nobody else has been asked.
    team.clave("bob", "exec", "--", "sh", "-c", '[ "$WIFI" = wifi ]')
    team.clave("carol", "exec", "--", "true", code=6)


def test_what_a_teammate_pushes_starts_the_program_anew(team: Team, app: Path) -> None:
    write(app, team, 'WIFI = "team/wifi"\n')
    team.clave("bob", "allow", "--sure")
    script = 'echo "$WIFI" >>seen; exec sleep 60'
    argv = [sys.executable, "-m", "clave", "exec", "--watch", "--sync-every", "5", "--", "sh", "-c", script]
    with subprocess.Popen(argv, env=team.people["bob"].env(team.stores["bob"])) as process:
        try:
            wait_for(lambda: seen() == ["wifi"])
            team.clave("alice", "insert", "-m", "-f", "team/wifi", input=b"another\n")
            team.clave("alice", "insert", "-m", "-f", "web", input=b"not of this program\n")
            team.clave("alice", "sync")
            wait_for(lambda: seen() == ["wifi", "another"])
        finally:
            process.terminate()
    assert process.returncode == 143
    assert seen() == ["wifi", "another"]


def seen() -> list[str]:
    return Path("seen").read_text().split() if Path("seen").exists() else []


# Machines


@pytest.fixture
def machine(team: Team, tmp_path: Path) -> dict[str, str]:
    """The environment of a CI job: the key of a machine that may read `team`, a clone that lacks what it need not."""
    made = team.clave("alice", "team", "machine", "ci", "--read", "team", "--sure")
    team.clave("alice", "sync")
    words = team.clave("alice", "pin", "--words").out.decode().strip()
    home = tmp_path / "home"
    home.mkdir()
    clone = tmp_path / "clone"
    argv = ["git", "clone", "-q", "--filter=blob:none", f"file://{team.remote}", str(clone)]
    subprocess.run(["git", "-C", str(team.remote), "config", "uploadpack.allowFilter", "true"], check=True)
    subprocess.run(argv, check=True)
    (tmp_path / "key").write_bytes(made.out)
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "CLAVE_ROOT": words,
        "PASSWORD_STORE_DIR": str(clone),
        "MACHINE_KEY": made.out.decode(),
    }


def ci(env: dict[str, str], *argv: str, **more: object) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(["clave", "ci", *argv], env=env, capture_output=True, check=False, **more)  # type: ignore[call-overload]
    assert b"Traceback" not in done.stderr
    return done


def keyrings() -> list[str]:
    return [path.name for path in RAM.iterdir() if path.name.startswith("clave-ci-")]


def agents(folder: str = "clave-ci-") -> list[bytes]:
    """Return the command lines of the agents of such keyrings that run."""
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, check=True).stdout
    return [line for line in listing.splitlines() if b"gpg-agent" in line and folder.encode() in line]


def test_a_machine_hands_over_what_it_may_read(machine: dict[str, str], app: Path, team: Team) -> None:
    write(app, team, 'WIFI = "team/wifi"\n')
    look = 'echo "$WIFI"; env | grep -E "^(GNUPGHOME|CLAVE_|PASSWORD_STORE_|MACHINE_KEY)" | wc -l'
    done = ci(machine, "--key-file", "key", "--", "clave", "exec", "--allow", "--", "sh", "-c", look)
    assert (done.returncode, done.stdout) == (0, b"wifi\n0\n"), done
    # As a job has it: the key in a variable, on a descriptor.
    script = (
        'clave ci --key-fd 3 -- sh -c "env | grep -c PRIVATE; clave show team/wifi; exit 7" 3<<EOF\n$MACHINE_KEY\nEOF\n'
    )
    done = subprocess.run(["sh", "-c", script], env=machine, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (7, b"0\nwifi\n"), done
    assert not (Path(machine["HOME"]) / ".gnupg").exists()
    only = ("-e", "A=prod/db", "--only", "A")
    done = ci(machine, "--key-file", "key", "--", "clave", "exec", *only, "--", "touch", "started")
    assert done.returncode == 4
    assert b"A: prod/db is readable by alice and carol" in done.stderr
    assert not Path("started").exists()
    assert keyrings() == []
    assert agents() == []


def test_a_machine_has_to_be_told_which_store_it_uses(machine: dict[str, str], app: Path) -> None:
    for root in (None, "", " "):
        env = {name: value for name, value in machine.items() if name != "CLAVE_ROOT"}
        env |= {} if root is None else {"CLAVE_ROOT": root}
        done = ci(env, "--key-file", "key", "--", "touch", "started")
        assert done.returncode == 2
        assert b"CLAVE_ROOT is not set" in done.stderr
    wrong = {**machine, "CLAVE_ROOT": "able-able-able-able-able-able-able-able"}
    done = ci(wrong, "--key-file", "key", "--", "clave", "exec", "-e", "A=team/wifi", "--", "touch", "started")
    assert done.returncode == 6
    assert not Path("started").exists()


def test_what_is_no_key(machine: dict[str, str], app: Path, team: Team) -> None:
    (app.parent / "none").write_bytes(b"no key")
    (app.parent / "public").write_bytes(team.people["bob"].gpg("--armor", "--export", "bob@example.org"))
    (app.parent / "two").write_bytes(
        (app.parent / "key").read_bytes() + team.people["bob"].gpg("--armor", "--export-secret-keys")
    )
    for words, code, said in (
        (["--key-file", "none"], 2, b"has no secret keys in it, and not one"),
        (["--key-file", "public"], 2, b"has no secret keys in it, and not one"),
        (["--key-file", "two"], 2, b"has 2 secret keys in it, and not one"),
        (["--key-file", "nowhere"], 3, b"there is no file nowhere"),
        (["--key-file", "."], 2, b"cannot be read"),
        (["--key-fd", "77"], 2, b"the key cannot be read"),
        ([], 2, b"ci needs the key of the machine"),
        (["--key-file", "key", "--key-fd", "3"], 2, b"exclude each other"),
    ):
        done = ci(machine, *words, "--", "touch", "started")
        assert (done.returncode, done.stdout) == (code, b""), done
        assert said in done.stderr
        assert not Path("started").exists()
    assert keyrings() == []
    assert agents() == []


@pytest.mark.parametrize("name", ["TERM", "HUP", "INT"])
def test_a_signal_leaves_no_key_behind(machine: dict[str, str], app: Path, name: str) -> None:
    script = "clave show team/wifi >/dev/null; echo $GNUPGHOME; exec sleep 60"
    argv = ["clave", "ci", "--key-file", "key", "--", "sh", "-c", script]
    with subprocess.Popen(argv, env=machine, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        folder = process.stdout.readline().decode().strip()
        assert Path(folder).is_dir()
        process.send_signal(getattr(__import__("signal"), f"SIG{name}"))
        process.communicate(timeout=60)
    assert process.returncode == 128 + getattr(__import__("signal"), f"SIG{name}")
    assert not Path(folder).exists()
    assert agents(Path(folder).name) == []


def test_what_a_kill_leaves_the_next_command_removes(machine: dict[str, str], app: Path) -> None:
    script = "clave show team/wifi >/dev/null; echo $GNUPGHOME; exec sleep 60"
    argv = ["clave", "ci", "--key-file", "key", "--", "sh", "-c", script]
    with subprocess.Popen(argv, env=machine, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        folder = process.stdout.readline().decode().strip()
        process.kill()
        process.wait()
        subprocess.run(["clave", "version"], env=machine, check=True, capture_output=True)
        assert not Path(folder).exists()
    deadline = time.monotonic() + 60
    while agents(Path(folder).name):
        assert time.monotonic() < deadline
        time.sleep(0.1)
