"""Where the rows are measured: clave installed from its wheel, a key, and stores; what is slow to make is kept.

Below .cache/bench: `venv`, `dist`, and one folder with the key and the stores, named after what this module says.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache" / "bench"
SIZES = (10, 100, 1_000, 10_000)
FOLDER = 100  # entries in each folder of a store
# Stores of 100 entries, by name, and how many people read them; the bench's own user is one of them.
OTHERS = {"rsa": 1, "ten": 10}
SIGNED = 2_000  # commits of the team store whose history is verified
AGED = 10_000  # entries, and commits
READERS = 10  # people beside that user, whose public keys are there


def entry(number: int) -> str:
    """Return the name of a store's entry."""
    return f"team-{number // FOLDER:03}/service-{number:04}"


@dataclass(frozen=True)
class Stage:
    """A home with a key, an installed clave, and stores. `home` has a short name: gpg-agent's socket lies below it."""

    home: Path
    made: Path

    def env(self, store: Path | None = None) -> dict[str, str]:
        """Return the environment of a user: nothing that slows Python down, nothing of whoever runs this."""
        env = {
            "PATH": os.pathsep.join([str(CACHE / "venv" / "bin"), os.environ["PATH"]]),
            "HOME": str(self.home),
            "GNUPGHOME": str(self.home / "gnupg"),
            "LC_ALL": "C.UTF-8",
            "TERM": "dumb",
            "GIT_AUTHOR_NAME": "Bench",
            "GIT_AUTHOR_EMAIL": "bench@example.org",
            "GIT_COMMITTER_NAME": "Bench",
            "GIT_COMMITTER_EMAIL": "bench@example.org",
        }
        return env if store is None else {**env, "PASSWORD_STORE_DIR": str(store)}

    def store(self, which: int | str) -> Path:
        """Return a store with git and so many entries, or one of OTHERS, to be read only."""
        return self.made / f"store-{which}"

    def readers(self, which: int | str) -> list[str]:
        """Return the fingerprints of those who read a store."""
        return (self.store(which) / ".gpg-id").read_text(encoding="utf-8").split()

    def reader(self) -> str:
        """Return the fingerprint of somebody who reads none of the stores."""
        return (self.made / "reader").read_text(encoding="utf-8")

    def copy(self, which: int | str, name: str | None = None) -> Path:
        """Return a copy of a store that may be written to, in the same state each time that this is called.

        Without a name it is another one each time, and all of them stay to the end: to make files where as many were
        removed a moment ago takes ext4 several times as long.
        """
        copy = self.home / (name or f"copy-{len(list(self.home.glob('copy-*')))}")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.store(which), copy, symlinks=True)
        _run(["git", "-C", str(copy), "status"], self.env())  # git's index has to know the copied files
        return copy

    def team(self, which: int | str, name: str | None = None) -> Path:
        """Return a copy of a store in which the bench's user has founded a team, and which they have pinned."""
        copy = self.copy(which, name)
        _run(["clave", "team", "init", "--sure"], self.env(copy))
        return copy

    def signed(self) -> Path:
        """Return a team store with so many signed commits, pinned, to be read only."""
        store = self.made / "signed"
        root = (self.made / "root").read_text(encoding="utf-8").strip()
        _run(["clave", "verify"], {**self.env(store), "CLAVE_ROOT": root})
        return store

    def aged(self) -> Path:
        """Return a store with 10,000 entries and as many commits, which once had another reader, to be read only."""
        return self.made / "aged"

    def file(self, name: str, content: str) -> Path:
        """Return a file of the home with this content."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return path


@contextmanager
def stage() -> Iterator[Stage]:
    """Make what is not made yet, and a home that is gone afterwards, with its agent."""
    _install()
    # A change of this module makes key and stores anew.
    made = CACHE / hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    home = Path(tempfile.mkdtemp(prefix="cb-"))
    it = Stage(home, made)
    (home / "gnupg").mkdir(mode=0o700)
    try:
        if not made.is_dir():
            _make(it)
        _run(["gpg", "--batch", "--import", str(made / "public"), str(made / "key")], it.env())
        _run(["gpg", "--batch", "--import-ownertrust", str(made / "trust")], it.env())
        _run(["gpg", "--batch", "--check-trustdb"], it.env())
        yield it
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], env=it.env(), check=False)
        shutil.rmtree(home, ignore_errors=True)


def _install() -> None:
    """Install the checkout's clave as a user gets it: from a wheel, its modules compiled."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    dist, venv = CACHE / "dist", CACHE / "venv"
    pip = [sys.executable, "-m", "pip", "--quiet", "--python", str(venv)]
    shutil.rmtree(dist, ignore_errors=True)
    _run([sys.executable, "-m", "build", "--wheel", "--outdir", str(dist), str(ROOT)], env)
    (wheel,) = (str(path) for path in dist.glob("*.whl"))
    if not (venv / "bin" / "clave").exists():
        # As pipx makes it: what setuptools does at each start of Python would be timed as well.
        _run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(venv)], env)
    _run([*pip, "install", "--compile", wheel], env)
    _run([*pip, "install", "--compile", "--no-deps", "--force-reinstall", wheel], env)


def _make(it: Stage) -> None:
    """Make the key and the stores; the folder gets its name at last, so it is whole."""
    for old in CACHE.glob("????????????"):
        shutil.rmtree(old)
    new = it.made.with_name("new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    env, gpg = it.env(), ["gpg", "--batch", "--passphrase", ""]
    own, rsa = _new_key(it, "Bench", "ed25519", "cv25519"), _new_key(it, "RSA", "rsa4096", "rsa4096")
    others = [_new_key(it, f"Reader {number}", "ed25519", "cv25519") for number in range(READERS)]
    (new / "key").write_bytes(_run([*gpg, "--export-secret-keys", own, rsa], env))
    (new / "public").write_bytes(_run([*gpg, "--export", *others], env))
    (new / "reader").write_text(others[-1], encoding="utf-8")
    (new / "trust").write_bytes(_run([*gpg, "--export-ownertrust"], env))
    stores: dict[int | str, list[str]] = {size: [own] for size in SIZES}
    stores |= {"rsa": [rsa], "ten": [own, *others[: OTHERS["ten"] - 1]]}
    for which, readers in stores.items():
        # As pass writes them.
        to = [word for reader in readers for word in ("--recipient", reader)]
        encrypt = [*gpg, "--compress-algo=none", "--no-encrypt-to", *to, "--encrypt"]
        messages = [_run(encrypt, env, secret) for secret in _secrets()]
        _fill(new / f"store-{which}", which if isinstance(which, int) else 100, readers, messages, env)
    _sign(it, new, own)
    _age(it, new, own, others[0])
    new.rename(it.made)


def _sign(it: Stage, new: Path, own: str) -> None:
    """Make a team store and sign commits in it, each of which changes one of its 100 entries, as git does."""
    store = new / "signed"
    shutil.copytree(new / "store-100", store, symlinks=True)
    env = {**it.env(store), "GIT_INDEX_FILE": str(store / ".git" / "bench-index")}
    git = ["git", "-C", str(store)]
    _run([*git, "status"], it.env())
    _run(["clave", "team", "init", "--sure"], it.env(store))
    (new / "root").write_bytes(_run(["clave", "pin", "--words"], it.env(store)))
    _run([*git, "read-tree", "HEAD"], env)
    head = _run([*git, "rev-parse", "HEAD"], env).decode().strip()
    encrypt = ["gpg", "--batch", "--no-encrypt-to", "--recipient", own, "--encrypt"]
    for number in range(SIGNED):
        path = f"{entry(number % 100)}.gpg"
        blob = _run([*git, "hash-object", "-w", "--stdin"], env, _run(encrypt, env, b"secret\n")).decode().strip()
        _run([*git, "update-index", "--cacheinfo", f"100644,{blob},{path}"], env)
        tree = _run([*git, "write-tree"], env).decode().strip()
        message = f"Add given password for {entry(number % 100)} to store.".encode()
        head = _run([*git, "commit-tree", f"-S{own}", "-p", head, tree], env, message).decode().strip()
    _run([*git, "update-ref", "HEAD", head], it.env())
    _run([*git, "reset", "--quiet", "--hard"], it.env())
    _run([*git, "gc", "--quiet"], it.env())


def _age(it: Stage, new: Path, own: str, other: str) -> None:
    """Make a store in which each entry has come to be twice: for two readers first, then for one of them."""
    env = it.env()
    store = new / "aged"
    gpg = ["gpg", "--batch", "--compress-algo=none", "--no-encrypt-to", "--recipient", own]
    for_two = _run([*gpg, "--recipient", other, "--encrypt"], env, b"correct-horse\n")
    for_one = _run([*gpg, "--encrypt"], env, b"correct-horse\n")
    _run(["git", "init", "--quiet", "--initial-branch=main", str(store)], env)
    time, stream = 1_700_000_000, bytearray()

    def commit(subject: str, files: Mapping[str, bytes]) -> None:
        nonlocal time, stream
        time += 60
        message = subject.encode()
        head = f"commit refs/heads/main\ncommitter Bench <bench@example.org> {time} +0000\ndata {len(message)}\n"
        stream += head.encode() + message
        for path, content in files.items():
            stream += f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content + b"\n"

    def fresh(message: bytes) -> bytes:
        return message[:-20] + os.urandom(20)  # nobody opens it

    names = [f"{entry(number)}.gpg" for number in range(AGED)]
    first = {name: fresh(for_two) for name in names}
    commit("Add current contents of password store.", {".gpg-id": f"{own}\n".encode(), **first})
    for number, name in enumerate(names[1:]):
        kind = "rekey" if number % 2 else "value"
        said = f"Clave-Op: {'rekey' if number % 2 else 'insert'}\nClave-Change: {kind} {name}"
        commit(f"Add given password for {name.removesuffix('.gpg')} to store.\n\n{said}\n", {name: fresh(for_one)})
    _run(["git", "-C", str(store), "fast-import", "--quiet"], env, bytes(stream))
    _run(["git", "-C", str(store), "reset", "--quiet", "--hard"], env)


def _new_key(it: Stage, name: str, primary: str, subkey: str) -> str:
    """Make a key without passphrase and return its fingerprint."""
    env, gpg = it.env(), ["gpg", "--batch", "--passphrase", ""]
    user_id = f"{name} <{name.lower().replace(' ', '-')}@example.org>"
    _run([*gpg, "--quick-gen-key", user_id, primary, "cert,sign", "never"], env)
    listing = _run([*gpg, "--list-keys", "--with-colons", f"={user_id}"], env).decode()
    fingerprint = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:"))
    _run([*gpg, "--quick-add-key", fingerprint, subkey, "encr", "never"], env)
    return fingerprint


def _secrets() -> Iterator[bytes]:
    """Yield what entries hold: a password, often fields, sometimes notes; the word needle in one of eight."""
    for number in range(8):
        fields = f"user: user{number}\nurl: https://service{number}.example.org\n" if number % 4 else ""
        notes = "A note of some length.\n" * number * 3 + ("needle\n" if number == 7 else "")
        yield f"correct-horse-{number}\n{fields}{notes}".encode()


def _fill(store: Path, size: int, readers: list[str], messages: list[bytes], env: Mapping[str, str]) -> None:
    store.mkdir()
    (store / ".gpg-id").write_text("".join(f"{reader}\n" for reader in readers), encoding="utf-8")
    for number in range(size):
        path = store / f"{entry(number)}.gpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(messages[number % len(messages)])
    # As `pass git init` leaves it.
    (store / ".gitattributes").write_text("*.gpg diff=gpg\n", encoding="utf-8")
    git = ["git", "-C", str(store)]
    _run([*git, "init", "--quiet", "--initial-branch=main"], env)
    _run([*git, "config", "--local", "diff.gpg.binary", "true"], env)
    _run([*git, "config", "--local", "diff.gpg.textconv", "gpg -d --quiet --yes --compress-algo=none"], env)
    _run([*git, "add", "."], env)
    _run([*git, "commit", "--quiet", "--message", "Add current contents of password store."], env)


def _run(argv: list[str], env: Mapping[str, str], stdin: bytes = b"") -> bytes:
    done = subprocess.run(argv, env=env, input=stdin, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr.decode(errors='replace')}")
    return done.stdout
