"""Setting the recipients of a folder, and encrypting anew what does not have them.

One commit holds the new `.gpg-id` and every re-encrypted file, or nothing is changed: recipients are resolved
and files are opened before anything is written.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import CannotDecrypt, GitFailed, NotFound, ProgramMissing, StoreDamaged, UsageError
from clave.model.name import SUFFIX, check_folder
from clave.openpgp import keys, packets
from clave.process import run
from clave.store import layout, recipients
from clave.store.lifecycle import pending
from clave.store.operation import begin
from clave.team.readers import recipients_problem
from clave.vcs.git import Repository, environment, failure
from clave.vcs.worktree import explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from clave.openpgp.keys import Recipient
    from clave.store.operation import Operation
    from clave.store.people.membership import Team
    from clave.store.renewal import Progress
    from clave.store.store import Store
    from clave.team.roster import Roster


class Rekeyed(NamedTuple):
    """What a change of recipients did: who reads now, and the entries that were encrypted anew.

    `left` are those of a team store that should be and that the user cannot decrypt, or may not write.
    """

    recipients: list[Recipient]
    names: list[str]
    left: tuple[str, ...] = ()


def set_recipients(
    store: Store, folder: str, ids: Sequence[str], *, git: bool = False, progress: Progress | None = None
) -> Rekeyed:
    """Make `ids` the recipients of a folder (`""`: the store's own), which is made if need be.

    With `git`, a store that is new becomes a git repository. The ids stand in `.gpg-id` as they were typed
    (as in pass). Raises UsageError for an id that a `.gpg-id` cannot hold, CannotEncrypt for one that cannot
    be encrypted to, CannotDecrypt for an entry that cannot be read and would have to be: nothing is changed
    then.
    """
    folder = check_folder(folder)
    for each in ids:
        if not each.strip() or "#" in each or any(not c.isprintable() for c in each):
            raise UsageError(f"'{each}' is no id of a key", "Name a fingerprint, a key id or an address.")
    resolved = recipients.resolve(store, ids)
    data = "".join(f"{each.strip()}\n" for each in ids).encode("utf-8", "surrogateescape")
    with explained(store.root):
        os.makedirs(store.root, exist_ok=True)
    if git and is_new(store):
        init_git(store)
    with begin(store, folder) as change:
        change.place(os.path.join(folder, layout.RECIPIENTS), data)
        signature = recipients.sign(store, data)
        if signature is not None:
            change.place(os.path.join(folder, recipients.SIGNATURE), signature)
        names = _reencrypt(change, store, folder, progress)
        change.commit(f"Set GPG id to {', '.join(ids)}{_in(folder)}.", "rekey")
    return Rekeyed(resolved, names)


def rekey(store: Store, name: str, *, progress: Progress | None = None) -> Rekeyed:
    """Encrypt anew what is at or below a name (`""`: all) and has other recipients than its folder says.

    Nothing is committed where there is nothing to do. Raises as `set_recipients`, and NotFound for a name that is
    neither an entry nor a folder.
    """
    name = check_folder(name)
    folder = name if layout.is_folder(store.root, name) else os.path.dirname(name)
    with begin(store, folder) as change:
        names: Sequence[str] = [*below(store, name), *orphans(store, name)]
        left: tuple[str, ...] = ()
        if change.team:
            names, left = able(store, change.team, due(store, change.team.roster, names))
        renewed = change.reencrypt(names, progress)
        if renewed:
            ids = ", ".join(recipients.ids_for_folder(store, folder))
            change.commit(f"Reencrypt password store using new GPG id {ids}{_in(name)}.", "rekey")
        elif not name:
            change.forget_kept()
    return Rekeyed(recipients.for_folder(store, folder), renewed, left)


def due(store: Store, roster: Roster, names: Iterable[str]) -> list[str]:
    """Return the entries of a team store that are not encrypted to exactly the readers that the roster gives them."""
    held = _held(store)
    return [name for name in names if any(recipients_problem(roster, os.path.dirname(name), ids) for ids in held(name))]


def able(store: Store, team: Team, names: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the entries of a team store that the user can decrypt and may write, and the others."""
    own = keys.own_key_ids(options=store.options)
    me = team.me
    split: tuple[list[str], list[str]] = ([], [])
    held = _held(store)
    for name in names:
        # Without a list of own keys there may be no agent; a decryption will say what is the matter.
        opens = all(
            ids is not None and (not own or packets.HIDDEN in ids or not own.isdisjoint(ids)) for ids in held(name)
        )
        split[not (opens and me and team.roster.may_write(me.name, name + SUFFIX))].append(name)
    return tuple(split[0]), tuple(split[1])


def present(store: Store, name: str) -> list[str] | None:
    """Return the key ids that an entry's file is encrypted to, None for what is no message that may be opened."""
    try:
        return packets.inspect(packets.dearmor(layout.read_own(store.root, name))).recipients
    except (CannotDecrypt, StoreDamaged):
        return None


def orphans(store: Store, folder: str = "") -> list[str]:
    """Return the entries below a folder of which only a rotation is left that was under way."""
    return [name for name in pending.names(store, folder) if not layout.has_file(store.root, name + SUFFIX)]


def _held(store: Store) -> Callable[[str], list[list[str] | None]]:
    """Return what gives the key ids of each file of an entry: its own, and that of a rotation that is under way."""
    begun = set(pending.names(store))

    def held(name: str) -> list[list[str] | None]:
        own = [present(store, name)] if name not in begun or layout.has_file(store.root, name + SUFFIX) else []
        return own + ([pending.present(store, name)] if name in begun else [])

    return held


def require_plain(store: Store) -> None:
    """Raise UsageError for a team store, where the roster says who reads."""
    if store.is_team:
        raise UsageError(
            "this is a team's store, and its roster says who reads",
            "An admin changes that: clave grant, clave revoke; clave team add for somebody new.",
        )


def below(store: Store, name: str) -> list[str]:
    """Return the entries at and below a name, `""` for all, without aliases.

    Raises NotFound for what is neither entry nor folder.
    """
    is_entry = bool(name) and layout.is_entry(store.root, name)
    if not is_entry and not layout.is_folder(store.root, name):
        raise NotFound(f"{name} is not in the password store")
    own = [name] if is_entry and not os.path.islink(layout.entry_file(store.root, name)) else []
    return own + (layout.own_entries(store.root, name) if layout.is_folder(store.root, name) else [])


def _reencrypt(change: Operation, store: Store, folder: str, progress: Progress | None) -> list[str]:
    names = change.reencrypt(pending.with_entries(store, folder), progress)
    if not names and not folder:
        change.forget_kept()
    return names


def is_new(store: Store) -> bool:
    """Tell whether the store has neither recipients nor a repository yet."""
    return not layout.has_file(store.root, layout.RECIPIENTS) and store.repository() is None


def clear_recipients(store: Store, folder: str, *, progress: Progress | None = None) -> Rekeyed:
    """Remove the `.gpg-id` of a folder, so that its parent's holds. Raises as `set_recipients`, and NotFound."""
    folder = check_folder(folder)
    path = os.path.join(folder, layout.RECIPIENTS)
    absolute = os.path.join(store.root, path)
    if not layout.has_file(store.root, path):
        raise NotFound(f"{absolute} can't be removed because it doesn't exist")
    if not folder and layout.entries(store.root) and not store.settings.keys:
        raise UsageError(
            "the store's own .gpg-id cannot go while there are entries", "Nobody could write them any more."
        )
    with begin(store, folder) as change:
        change.remove(path)
        if layout.has_file(store.root, os.path.join(folder, recipients.SIGNATURE)):
            change.remove(os.path.join(folder, recipients.SIGNATURE))
        renewed = _reencrypt(change, store, folder, progress)
        change.commit(f"Deinitialize {absolute}{_in(folder)}.", "rekey")
    return Rekeyed(recipients.for_folder(store, folder) if folder else [], renewed)


def init_git(store: Store) -> bool:
    """Make the store a git repository, set up as pass does; return whether it was none before.

    Everything that is there is committed; git shows differences of plaintexts (`diff=gpg`) on the user's own
    machine. Doing it again is harmless. Raises GitFailed, CannotWrite.
    """
    with explained(store.root):
        os.makedirs(store.root, exist_ok=True)
    repository = Repository.find(store.root, top=store.root)
    made = repository is None
    if repository is None:
        try:
            result = run(["git", "init", "-q", store.root], env=environment())
        except ProgramMissing:
            raise GitFailed("git is not installed", "Install git, or make the store with --no-git.") from None
        if result.code != 0:
            raise failure("init", result)
        repository = Repository.find(store.root, top=store.root)
        assert repository is not None
    for key, value in (
        ("diff.gpg.binary", "true"),
        (
            "diff.gpg.textconv",
            " ".join(["gpg -d --quiet --yes --compress-algo=none --no-encrypt-to", *store.options]),
        ),
    ):
        repository.run("config", "--local", key, value)
    _add_contents(store)
    return made


def _add_contents(store: Store) -> None:
    with begin(store) as change:
        for path in layout.files(store.root):
            content = change.content(path)
            if content is not None:
                change.place(path, content)
        change.commit("Add current contents of password store.", "import", adopt=True)
    with begin(store) as change:
        if change.content(".gitattributes") is None:
            change.place(".gitattributes", b"*.gpg diff=gpg\n")
            change.commit("Configure git repository for gpg file diff.", "import")


def _in(folder: str) -> str:
    return f" ({folder})" if folder else ""
