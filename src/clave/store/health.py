"""What can be wrong with the set-up and the store, and how to mend it.

A check looks and changes nothing; what can be mended without a loss carries a `fix`. Only opening the store
changes something: it ends what a dead clave left. Somebody whose set-up is fine sees exit code 0: what may
stay as it is, is a note.
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from clave.errors import BadMessage, ClaveError, GitFailed, StoreDamaged
from clave.model.name import SUFFIX, pending_path
from clave.model.report import Level, Report, attention, expiry, good, note
from clave.openpgp import health as openpgp
from clave.openpgp import keys, packets
from clave.store import layout, recipients, stores
from clave.store.renewal import Kept
from clave.vcs import health as vcs
from clave.vcs.git import Repository
from clave.vcs.identity import signature_format, signs_commits

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from clave.config import Settings
    from clave.openpgp.keys import Recipient
    from clave.store.store import Store

# What stores hold beside entries and is nobody's mistake; hidden files are git's and other programs'.
_USUAL = frozenset(("README", "README.md", "LICENSE"))
_OWN_FOLDERS = frozenset((".git", ".clave", ".public-keys", layout.UNVERSIONED_JOURNAL))

# What is strange about a file: how much it matters, what is said, and the next step.
_STRANGE = {
    "outside": (Level.ATTENTION, "symlinks that lead out of the store", "Remove them."),
    "nowhere": (Level.ATTENTION, "symlinks that lead nowhere", "Remove them."),
    "special": (Level.ATTENTION, "neither files nor folders nor symlinks", "Remove them."),
    "closed": (Level.ATTENTION, "folders that you may not look into", "Own them: chmod u+rwx FOLDER"),
    "extension": (Level.ATTENTION, "programs that pass may run; clave never does", "Remove .extensions."),
    "submodule": (Level.ATTENTION, "git submodules, which clave does not follow", "Remove .gitmodules."),
    "leftover": (Level.ATTENTION, "left by a pass that was interrupted", "Remove them."),
    "upper": (Level.ATTENTION, "end with .GPG: pass lists them and cannot show them", "Rename them to .gpg."),
    "broken": (
        Level.ATTENTION,
        "entries that are no intact encrypted messages",
        "Bring back an earlier version: clave log NAME, then clave restore NAME REV",
    ),
    "other": (Level.NOTE, "files that are no entries: they are not encrypted", None),
}


def examine(settings: Settings, name: str | None = None, *, terminal: str | None = None) -> Iterator[Report]:
    """Yield what is found about the programs, the keys, and the store of that name (see `stores.open_store`).

    `terminal` is the path of the user's terminal, if there is one.
    """
    yield from openpgp.check_gnupg(terminal)
    has_gpg = openpgp.program() is not None and shutil.which("gpgconf") is not None
    if has_gpg:
        yield from _private("gnupg-home", openpgp.home(), 0o077, "others may look into GnuPG's folder")
        yield from openpgp.check_own_keys()
    yield vcs.check_git()
    yield from _private("config", settings.file, 0o022, "others may change the config file")
    store = yield from _open(settings, name)
    if store is None:
        return
    yield from _private("permissions", store.root, 0o077, "others may look into the store's folder")
    if store.is_team:
        yield from _team(store)
    elif has_gpg:
        yield from _recipients(store)
    if has_gpg:
        yield from _rotations(store)
    if shutil.which("git"):
        yield from _history(store)
    yield from _files(store.root)


def _open(settings: Settings, name: str | None) -> Generator[Report, None, Store | None]:
    """Open the store, which ends what a dead clave left; the generator returns it, or None."""
    path = stores.store_path(settings, name)
    waiting = os.path.isdir(path) and layout.pending(path)
    try:
        store = stores.open_store(settings, name)
    except StoreDamaged as failure:
        yield _damaged(path, failure)
        return None
    except ClaveError as failure:
        yield attention("store", failure.message, failure.hint)
        return None
    yield good("store", f"the store is at {store.root}")
    if layout.pending(store.root):
        yield attention(
            "journal",
            "a write to the store is under way, or cannot be ended",
            "Wait for the other clave; if there is none, see that the disk is writable and has room.",
        )
    elif waiting:
        yield note("journal", "ended what a process that died had begun to write")
    yield from _stopped(store)
    return store


def _stopped(store: Store) -> Iterator[Report]:
    """Report what a re-encryption that was stopped has kept; it is in nobody's way, and its fix drops it."""
    repository = store.repository()
    # A store that was not in git when it was stopped may be now.
    for path in {layout.kept_file(store.root, None), layout.kept_file(store.root, repository and repository.git_dir)}:
        if os.path.lexists(path):
            kept = Kept(path)
            mend = "Run the same command again, which goes on from there; or drop it: clave doctor --fix"
            text = f"a re-encryption was stopped: {len(kept.pieces()[0])} of the new files are kept"
            yield Report("rekey", Level.NOTE, text, mend, (path,), kept.drop)


def _damaged(path: str, failure: StoreDamaged) -> Report:
    """Report a broken journal; its fix drops it, and git then tells what differs."""
    repository = Repository.find(path)
    journal = os.path.join(repository.git_dir, os.path.dirname(layout.GIT_JOURNAL)) if repository else ""
    if not os.path.isdir(journal):
        return attention("journal", failure.message, failure.hint)
    mend = "Drop it with clave doctor --fix, then look at what was not written: clave git status"
    return attention("journal", failure.message, mend, (journal,), lambda: shutil.rmtree(journal))


def _recipients(store: Store) -> Iterator[Report]:
    """Report on every `.gpg-id`: can everybody whom it names be encrypted to?"""
    folders = list(layout.folders_with_recipients(store.root))
    if "" not in folders and not store.settings.keys:
        mend = "You must run: clave init your-gpg-id"
        yield attention("recipients", "the store has no recipients: there is no .gpg-id", mend)
    own = {key.fingerprint for key in keys.own_keys()}
    resolved: dict[tuple[str, ...], list[Recipient]] = {}
    others: dict[str, Recipient] = {}
    for folder in folders:
        path = os.path.join(folder, layout.RECIPIENTS)
        yield from _written_well(store.root, folder, path)
        try:
            ids = tuple(recipients.ids_for_folder(store, folder))
            if ids not in resolved:
                resolved[ids] = recipients.resolve(store, ids)
        except ClaveError as failure:
            yield attention("recipients", f"{path}: {failure.message}", failure.hint, (path,))
            continue
        fingerprints = {reader.fingerprint: reader for reader in resolved[ids]}
        others |= fingerprints
        count = len(resolved[ids])
        who = "its one recipient" if count == 1 else f"each of its {count} recipients"
        yield good("recipients", f"{path}: {who} can be encrypted to")
        if own.isdisjoint(fingerprints):
            yield note("recipients", f"{path}: no key of yours; you cannot read what it is for")
    mend = "Ask them to extend it and to send you their public key."
    for reader in others.values():
        report = expiry("recipients", f"the key {reader.key_id} ({reader.user_id})", reader.expires, mend)
        if reader.fingerprint not in own and report.level is Level.ATTENTION:
            yield report


def _team(store: Store) -> Iterator[Report]:
    """Report on a team: is HEAD verified, is the user in it, can every member be encrypted to?"""
    from clave.store.people import expiry

    try:
        team = store.team()
    except ClaveError as failure:
        yield attention("team", failure.message, failure.hint)
        return
    yield good("team", f"all is verified up to commit {team.commit[:12]}, with roster {team.roster.seq}")
    if team.me is None:
        yield note("team", "none of your keys is a member's: you can read what is for you, and write nothing")
    else:
        yield good("team", f"you are {team.me.name}, {team.me.role} of the team")
    for state in expiry.states(team.roster, team.certificates):
        if state.problem or state.ends_soon:
            yield attention("recipients", state.line().removesuffix(f" {state.mend}"), state.mend)


def _rotations(store: Store) -> Iterator[Report]:
    """Report the rotations that are under way; and what pass, which does not know of them, has made of them."""
    from clave.store.lifecycle import pending

    for name in pending.names(store):
        end = f"End it: clave rotate --resume {name}, or --abort {name}"
        path = pending_path(name)
        if not layout.has_file(store.root, name + SUFFIX):
            mend = f"Look at it: clave show --pending {name}; then drop it: clave rotate --abort -f {name}"
            yield attention("rotation", f"{path} is the rotation of an entry that is not there any more", mend, (path,))
            continue
        yield note("rotation", f"{name} is being rotated{pending.by(pending.about(store, name))}", end)
        with suppress(ClaveError):
            if not pending.is_for_its_readers(store, name):
                text = f"{path} is not encrypted to those who read {name} now: pass does not re-encrypt it"
                yield attention("rotation", text, f"Encrypt it anew: clave rekey {name}", (path,))


def _written_well(root: str, folder: str, path: str) -> Iterator[Report]:
    """Report a `.gpg-id` that pass reads otherwise: it drops a last line without newline, and keeps a CR."""
    with open(os.path.join(root, path), "rb") as file:
        data = file.read()
    if data and (b"\r" in data or not data.endswith(b"\n")):
        flaw = "CR LF at the ends of its lines" if b"\r" in data else "no newline at its end"
        mend = f"Write it anew: clave init {f'-p {folder} ' if folder else ''}KEY…"
        yield attention("recipients", f"{path} has {flaw}: pass does not see all recipients", mend, (path,))


def _history(store: Store) -> Iterator[Report]:
    repository = store.repository()
    if repository is None:
        yield note("history", "the store is not in git: it has no history", "Begin one: clave git init")
        return
    yield from vcs.check_locks(repository)
    try:
        settings = repository.settings()
        yield from vcs.check_repository(repository, settings)
    except GitFailed as failure:
        yield attention("history", failure.message, failure.hint)
        return
    if signs_commits(settings):
        kind = signature_format(settings.get("gpg.format", ""), settings.get("user.signingkey", ""))
        if kind == "openpgp":
            yield openpgp.check_signing_key(settings.get("user.signingkey", ""))
        else:
            yield note("signing", f"git is set up to sign commits with {kind}, not with OpenPGP")


def _files(root: str) -> Iterator[Report]:
    """Report what lies in the store and should not: each kind once, with its paths."""
    found: dict[str, list[str]] = {}
    for path in _walk(root, ""):
        kind = _strangeness(root, path)
        if kind:
            found.setdefault(kind, []).append(path)
    for kind, (level, text, mend) in _STRANGE.items():
        if kind in found:
            yield Report("files", level, text, mend, tuple(found[kind]))


def _walk(root: str, folder: str) -> Iterator[str]:
    """Yield every file and symlink, and every folder that cannot be read, relative to the store."""
    for item in sorted(os.scandir(os.path.join(root, folder)), key=lambda item: item.name):
        path = os.path.join(folder, item.name)
        if item.name in _OWN_FOLDERS:
            continue
        if item.is_dir(follow_symlinks=False) and os.access(item.path, os.R_OK | os.X_OK):
            yield from _walk(root, path)
        else:
            yield path


def _strangeness(root: str, path: str) -> str | None:
    """Return the key in _STRANGE for a path, None for one that may be there."""
    absolute = os.path.join(root, path)
    name = os.path.basename(path)
    mode = os.lstat(absolute).st_mode
    if stat.S_ISLNK(mode):
        if not layout.inside(root, absolute):
            return "outside"
        return None if os.path.exists(absolute) else "nowhere"
    if not stat.S_ISREG(mode):
        return "closed" if stat.S_ISDIR(mode) else "special"
    if path.startswith(".extensions/"):
        return "extension"
    if name.endswith(SUFFIX):
        return None if _intact(root, path) else "broken"
    if name.startswith("."):
        return "submodule" if name == ".gitmodules" else None
    if f"{SUFFIX}.tmp." in name:
        return "leftover"
    if name.endswith(SUFFIX.upper()):
        return "upper"
    return None if name in _USUAL else "other"


def _intact(root: str, path: str) -> bool:
    """Tell whether an entry has the packets of an encrypted message; nothing is decrypted."""
    try:
        packets.inspect(packets.dearmor(layout.read_file(root, path.removesuffix(SUFFIX))))
    except BadMessage:
        return False
    except ClaveError:
        return True  # unreadable or no name: that is another flaw than this one
    return True


def _private(check: str, path: str, bits: int, text: str) -> Iterator[Report]:
    """Report a file or folder that is not ours, or has one of the permission `bits`."""
    try:
        state = os.stat(path)
    except OSError:
        return  # what has to be there is missed by another check
    if state.st_uid != os.getuid():
        yield attention(check, f"{path} belongs to another user", f"Own it: chown $USER {path}", (path,))
    elif state.st_mode & bits:
        mode = stat.S_IMODE(state.st_mode)
        yield attention(
            check,
            f"{text}: {path} has mode {mode:o}",
            f"Run clave doctor --fix, or chmod {mode & ~bits:o} {path}",
            (path,),
            lambda: os.chmod(path, mode & ~bits),
        )
