"""A team at work: people with keys of their own, a store of a team, a bare remote, and what each has on disk.

alice is admin, bob and carol are members, mallory is an outsider with push. The folder `.` is everybody's, `prod`
alice's and carol's alone.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Output, Person, forget, make_person, run_as, run_clave

if TYPE_CHECKING:
    from collections.abc import Iterator

ENTRIES = {"web": b"web-secret\nuser: shop\n", "prod/db": b"db-secret\nuser: app\nhost: db1\n", "team/wifi": b"wifi\n"}


@dataclass
class Team:
    """Where everybody works: `remote` is a bare repository, `stores` each one's clone of it."""

    folder: Path
    people: dict[str, Person]
    stores: dict[str, Path] = field(default_factory=dict)

    @property
    def remote(self) -> Path:
        return self.folder / "remote.git"

    def clave(self, who: str, *args: str, input: bytes = b"", code: int | None = 0, **more: str) -> Output:
        """Run clave as somebody on their clone; `code` is the exit code that is expected, None for any."""
        done = run_clave(self.people[who], self.stores.get(who), *args, input=input, **more)
        assert code is None or done.code == code, (who, args, done.code, done.out.decode(), done.err.decode())
        return done

    def git(self, who: str, *args: str, check: bool = True, input: bytes = b"", **more: str) -> Output:
        """Run git as somebody in their clone, with their own configuration."""
        done = run_as(self.people[who], None, ["git", "-C", str(self.stores[who]), *args], input=input, **more)
        assert not check or done.code == 0, (who, args, done.err.decode())
        return done

    def run(self, who: str, *argv: str, check: bool = True, input: bytes = b"", **more: str) -> Output:
        """Run any program as somebody, on their clone."""
        done = run_as(self.people[who], self.stores.get(who), list(argv), input=input, **more)
        assert not check or done.code == 0, (who, argv, done.err.decode())
        return done

    def head(self, who: str) -> str:
        return self.git(who, "rev-parse", "HEAD").out.decode().strip()

    def tip(self, branch: str = "main") -> str:
        """Return the commit of a branch of the remote."""
        argv = ["git", "-C", str(self.remote), "rev-parse", branch]
        return subprocess.run(argv, capture_output=True, check=True, text=True).stdout.strip()

    def pin_file(self, who: str) -> Path:
        """Return where somebody's pin of their clone is."""
        path = str((self.stores[who] / ".git").resolve()).encode()
        plain = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
        name = "".join(chr(b) if b in plain else f"%{b:02X}" for b in path)
        return self.people[who].home / ".local/state/clave/pins" / name

    def pin(self, who: str) -> dict[str, str]:
        """Return somebody's pin of their clone, {} for none."""
        file = self.pin_file(who)
        lines = file.read_text().splitlines() if file.exists() else []
        return dict(line.split(" ") for line in lines)

    def set_pin(self, who: str, pin: dict[str, str]) -> None:
        """Set somebody's pin by hand."""
        file = self.pin_file(who)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.write_text("".join(f"{name} {value}\n" for name, value in pin.items()))
        file.chmod(0o600)

    def join(self, who: str) -> Path:
        """Give a member a clone of the remote with a pin, without the command that does this."""
        store = self.clone(who)
        tip = self.head(who)
        self.set_pin(who, {**self.pin("alice"), "upstream": tip, "local": tip})
        return store

    def replica(self, folder: Path) -> Team:
        """Return a copy of everything but the people, in another folder (that is not there yet)."""
        shutil.copytree(self.folder, folder, symlinks=True)
        other = Team(folder, self.people)
        for who, store in self.stores.items():
            other.stores[who] = folder / store.relative_to(self.folder)
            config = other.stores[who] / ".git/config"
            config.write_text(config.read_text().replace(str(self.remote), str(other.remote)))
            if self.pin(who):
                other.set_pin(who, self.pin(who))
        return other

    def sign_as(self, who: str) -> None:
        """Make plain git and pass sign what somebody commits, as git-setup would."""
        key = self.people[who].fingerprint
        for name, value in (
            ("user.signingkey", key),
            ("commit.gpgsign", "true"),
            ("pass.signcommits", "true"),
            ("gpg.format", "openpgp"),
        ):
            self.git(who, "config", name, value)

    def clone(self, who: str, name: str = "") -> Path:
        """Clone the remote with plain git for somebody: no pin."""
        store = self.folder / (name or f"{who}-store")
        argv = ["git", "clone", "-q", str(self.remote), str(store)]
        subprocess.run(argv, check=True, capture_output=True, env=self.people[who].env())
        self.stores[who] = store
        return store


def found(folder: Path, people: dict[str, Person]) -> Team:
    """Make alice's store a team's, with bob and carol in it, and the remote that it is shared by."""
    team = Team(folder, people)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(team.remote)], check=True)
    store = folder / "alice-store"
    team.stores["alice"] = store
    alice, bob, carol = (people[name].fingerprint for name in ("alice", "bob", "carol"))
    for person in people.values():
        subprocess.run(["git", "config", "--global", "init.defaultBranch", "main"], check=True, env=person.env())
    team.clave("alice", "init", alice, bob, carol)
    team.clave("alice", "init", "-p", "prod", alice, carol)
    for name, content in ENTRIES.items():
        team.clave("alice", "insert", "-m", name, input=content)
    team.clave("alice", "team", "init", "--sure")
    team.git("alice", "remote", "add", "origin", str(team.remote))
    team.git("alice", "push", "-q", "--set-upstream", "origin", "main")
    team.set_pin("alice", {**team.pin("alice"), "upstream": team.head("alice")})
    team.join("bob")
    team.join("carol")
    for repository in (team.remote, *(each / ".git" for each in team.stores.values())):
        # Few files, as each test takes a copy.
        subprocess.run(["git", "-C", str(repository), "repack", "-adq"], check=True)
        shutil.rmtree(repository / "hooks", ignore_errors=True)
    return team


@pytest.fixture(scope="module")
def crew() -> Iterator[dict[str, Person]]:
    """Four people; everybody knows the keys of the team, as today they must for a plain store."""
    made = {name: make_person(name) for name in ("alice", "bob", "carol", "mallory")}
    for person in made.values():
        for other in made.values():
            if other is not person and other.name != "mallory":
                person.gpg("--import", input=other.gpg("--export", other.fingerprint))
                person.gpg("--yes", "--quick-lsign-key", other.fingerprint)
    yield made
    for person in made.values():
        forget(person)


@pytest.fixture(scope="module")
def founded(crew: dict[str, Person]) -> Iterator[Team]:
    """A team as `found` makes it, to take replicas of."""
    folder = Path(tempfile.mkdtemp(prefix="cl-"))
    yield found(folder, crew)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def team(founded: Team) -> Iterator[Team]:
    """A team in which anything may be done."""
    folder = Path(tempfile.mkdtemp(prefix="cl-"))
    yield founded.replica(folder / "t")
    shutil.rmtree(folder, ignore_errors=True)
