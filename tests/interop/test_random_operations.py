"""Random sequences of operations, some by pass and some by clave, on one store: both agree with a model.

After every step each entry reads the same through both and as the model says, is encrypted to exactly the readers
of its folder, and git has nothing uncommitted; at the end `git fsck` finds nothing. CLAVE_SEQUENCES is the number
of sequences.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.conftest import Output, Person, Run, fingerprints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEQUENCES = int(os.environ.get("CLAVE_SEQUENCES", "12"))
GROUP = "everybody"
# pass makes temporary files beside an entry, whose names are this much longer: it cannot re-encrypt longer names.
PASS_SUFFIX = len(".gpg.tmp.32767.32767.32767.32767.--")

# Names that try the edges: folders, an entry beside a folder of its name, blanks, Unicode, the longest component.
NAMES = st.sampled_from(
    ["a", "a/b", "a/b/c", "team/x", "team/deep/y", "with blank/é ü", "🏠", "tab#x", "q'uote\"s", "$(id)", "n" * 250]
)
FOLDERS = st.sampled_from(["a", "team", "team/deep", "with blank", "new/folder"])
INTO = FOLDERS.map(lambda folder: folder + "/")
VALUES = st.one_of(
    st.binary(max_size=200),
    st.sampled_from([b"secret\n", b"pw\nuser: me\nurl: https://example.org\n", b"\xff\x00\r\n\r\n", b"no newline"]),
)
FRESH = {name: name.encode() + b"\n" for name in ("a", "a/b", "team/x", "team/deep/y", "new/folder/team/old")}
LENGTHS = st.integers(1, 60)
STEPS = st.tuples(
    st.sampled_from(["pass", "clave"]),
    st.one_of(
        st.tuples(st.sampled_from(["insert", "insert armored"]), NAMES, VALUES),
        st.tuples(st.sampled_from(["generate", "generate in place"]), NAMES, LENGTHS),
        st.tuples(st.just("rm"), NAMES, st.none()),
        st.tuples(st.just("rm -r"), FOLDERS, st.none()),
        st.tuples(st.sampled_from(["mv", "cp"]), NAMES, st.one_of(NAMES, INTO)),
        st.tuples(st.sampled_from(["mv", "cp"]), FOLDERS, st.one_of(FOLDERS, INTO)),
        st.tuples(st.just("init"), FOLDERS, st.sampled_from(["one", "both", "group"])),
        st.tuples(st.just("init"), FOLDERS, st.just("nobody")),
    ),
)


@dataclass
class Model:
    """What the store must hold: the plaintext of every entry, and the ids in every `.gpg-id`, by folder."""

    store: Path
    entries: dict[str, bytes] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=dict)

    def readers(self, name: str) -> list[str]:
        """Return the ids that an entry is encrypted for: those of the nearest folder upwards."""
        folder = name.rpartition("/")[0]
        while folder and folder not in self.ids:
            folder = folder.rpartition("/")[0]
        return self.ids[folder]

    def generate(self, name: str, plaintext: bytes, length: int, *, in_place: bool) -> None:
        """Take over a generated entry: its first line is ours to check, the rest is the old one's."""
        password, newline, rest = plaintext.partition(b"\n")
        assert (len(password), newline) == (length, b"\n")
        assert rest == (self.entries[name].partition(b"\n")[2] if in_place else b"")
        self.entries[name] = plaintext

    def transfer(self, name: str, target: str, *, keep: bool) -> None:
        """Move or copy an entry, else a folder."""
        if name in self.entries:
            self.entries[target] = self.entries[name] if keep else self.entries.pop(name)
            return
        for things in (self.entries, self.ids):
            for path in [path for path in things if f"{path}/".startswith(f"{name}/")]:
                things[target + path[len(name) :]] = things[path] if keep else things.pop(path)

    def target(self, name: str, new: str) -> str:
        """Return where a transfer leads; to be asked before it is carried out, which may make the folder."""
        into = new.endswith("/") or (self.store / new).is_dir()
        return new.rstrip("/") + "/" + name.rpartition("/")[2] if into else new

    def holds(self, folder: str) -> bool:
        return any(f"{path}/".startswith(f"{folder}/") and path != folder for path in self.entries) or any(
            f"{path}/".startswith(f"{folder}/") for path in self.ids
        )


@dataclass
class World:
    """The people, their programs and a store as it was made, which each sequence begins with."""

    alice: Person
    programs: dict[str, Run]
    fresh: Path
    ids: dict[str, list[str]]
    key_ids: dict[str, set[bytes]]

    def readers(self, model: Model, name: str) -> set[bytes]:
        return set().union(*(self.key_ids[each] for each in model.readers(name)))


@pytest.fixture(scope="module")
def world(people: Callable[..., list[Person]], clave: Run, run_pass: Run) -> Iterator[World]:
    alice, bob = people("alice", "bob")
    (alice.gnupg / "gpg.conf").write_text(f"group {GROUP}={alice.fingerprint} {bob.fingerprint}\n")
    keys = {}
    for person in (alice, bob):
        keys[person.fingerprint] = {fingerprints(alice)[fingerprints(alice).index(person.fingerprint) + 1][-16:]}
    fresh = Path(tempfile.mkdtemp()) / "store"
    assert run_pass(alice, fresh, "init", alice.fingerprint).code == 0
    assert run_pass(alice, fresh, "git", "init").code == 0
    for name, value in FRESH.items():
        assert run_pass(alice, fresh, "insert", "-m", name, input=value).code == 0
    both = [alice.fingerprint, bob.fingerprint]
    key_ids = {fingerprint: {key.encode() for key in ids} for fingerprint, ids in keys.items()}
    yield World(
        alice,
        {"pass": run_pass, "clave": clave},
        fresh,
        {"one": both[:1], "both": both, "group": [GROUP], "nobody": [""]},
        {**key_ids, GROUP: set().union(*key_ids.values())},
    )
    shutil.rmtree(fresh.parent)


def arguments(world: World, operation: str, name: str, value: object) -> list[str]:
    """Return the arguments of an operation; the spelling is the same for both programs."""
    return {
        "insert": ["insert", "-m", "-f", name],
        "insert armored": ["insert", "-m", "-f", name],
        "generate": ["generate", "-f", name, str(value)],
        "generate in place": ["generate", "-i", name, str(value)],
        "rm": ["rm", "-f", name],
        "rm -r": ["rm", "-r", "-f", name],
        "mv": ["mv", "-f", name, str(value)],
        "cp": ["cp", "-f", name, str(value)],
        "init": ["init", "-p", name, *world.ids.get(str(value), ())],
    }[operation]


def expected(model: Model, program: str, operation: str, name: str, value: object) -> bool | None:
    """Tell whether a step must succeed; None for one in which pass does not do what it says (see each)."""
    entry = name in model.entries
    folder = model.holds(name)
    longest = max((len(part) for path in (name, *model.entries) for part in path.split("/")), default=0)
    if program == "pass" and longest + PASS_SUFFIX > 255 and operation in ("generate in place", "mv", "cp", "init"):
        return None  # its temporary file has too long a name: it leaves the old readers and says nothing
    if operation == "generate in place":
        return entry
    if operation == "rm":
        return entry if entry or not folder else None  # pass says that it removed the folder
    if operation == "rm -r":
        return entry or folder if entry or folder or not (model.store / name).is_dir() else None  # an empty folder
    if operation == "init" and value == "nobody" and name in model.ids:
        alone = len(list((model.store / name).iterdir())) == 1
        return None if program == "pass" and alone else True  # pass does not commit: the folder is gone by then
    if operation == "init":
        return value != "nobody"
    if operation in ("mv", "cp"):
        target = model.target(name, str(value))
        if entry:
            return target != name
        if not folder:
            return None if (model.store / name).is_dir() else False
        if f"{target}/".startswith(f"{name}/"):
            return None if program == "pass" and operation == "cp" else False  # cp has copied a part by then
        return not (program == "pass" and operation == "mv" and (model.store / target).is_dir())
    return True


def apply(world: World, model: Model, operation: str, name: str, value: object, target: str) -> None:
    if operation.startswith("insert"):
        assert isinstance(value, bytes)
        model.entries[name] = value
    elif operation.startswith("generate"):
        assert isinstance(value, int)
        plaintext = world.alice.gpg("-d", str(model.store / f"{name}.gpg"))
        model.generate(name, plaintext, value, in_place=operation.endswith("in place"))
    elif operation in ("mv", "cp"):
        model.transfer(name, target, keep=operation == "cp")
    elif value == "nobody":
        del model.ids[name]
    elif operation == "init":
        model.ids[name] = world.ids[str(value)]
    elif name in model.entries:  # rm, also with -r: an entry goes before a folder of its name
        del model.entries[name]
    else:
        for things in (model.entries, model.ids):
            for path in [path for path in things if f"{path}/".startswith(f"{name}/")]:
                del things[path]


class Check:
    """Compares the store with the model; reads again only what was written since it looked last."""

    def __init__(self, world: World, model: Model) -> None:
        self._world = world
        self._model = model
        self._read: dict[str, bytes] = {}

    def everything(self) -> None:
        model = self._model
        store = model.store
        files = {str(path.relative_to(store)).removesuffix(".gpg"): path for path in store.rglob("*.gpg")}
        assert sorted(files) == sorted(model.entries)
        found = {
            str(path.parent.relative_to(store)).removeprefix("."): path.read_text().split()
            for path in store.rglob(".gpg-id")
        }
        assert found == model.ids
        assert self.git("status", "--porcelain") == b""
        for name, path in files.items():
            self._entry(name, path)

    def git(self, *args: str) -> bytes:
        done = subprocess.run(["git", "-C", self._model.store, *args], capture_output=True, check=True)
        return done.stdout

    def _entry(self, name: str, path: Path) -> None:
        world = self._world
        packets = world.alice.gpg("--list-packets", "--list-only", str(path))
        assert set(re.findall(rb"keyid ([0-9A-F]{16})", packets)) == world.readers(self._model, name), name
        if self._read.get(name) == path.read_bytes():
            return
        for program in ("pass", "clave"):
            shown = world.programs[program](world.alice, self._model.store, "show", name)
            assert (shown.code, shown.out) == (0, self._model.entries[name]), (program, name)
        self._read[name] = path.read_bytes()


@settings(
    max_examples=SEQUENCES,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink a sequence takes minutes
)
@given(steps=st.lists(STEPS, min_size=6, max_size=14))
@pytest.mark.timeout(10 * SEQUENCES + 60)
def test_pass_and_clave_agree(world: World, steps: list) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "store")
        shutil.copytree(world.fresh, store)
        model = Model(store, dict(FRESH), {"": world.ids["one"]})
        check = Check(world, model)
        for program, (operation, name, value) in steps:
            works = expected(model, program, operation, name, value)
            if works is None:
                continue
            target = model.target(name, str(value))
            options = {"PASSWORD_STORE_GPG_OPTS": "--armor"} if operation == "insert armored" else {}
            argv = arguments(world, operation, name, value)
            done = world.programs[program](
                world.alice, store, *argv, input=value if isinstance(value, bytes) else b"", **options
            )
            assert (done.code == 0) is works, explain(program, argv, done)
            if works:
                apply(world, model, operation, name, value, target)
            check.everything()
        assert check.git("fsck", "--strict", "--no-dangling") == b""


def explain(program: str, argv: list[str], done: Output) -> str:
    return f"{program} {' '.join(argv)}: exit code {done.code}\n{done.out!r}\n{done.err.decode()}"
