"""A store: a folder of entries, the settings in force for it, and the git repository that it is in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from clave.errors import Busy, CannotWrite, VerificationFailed
from clave.store import layout
from clave.vcs import transaction, unversioned
from clave.vcs.git import Repository

if TYPE_CHECKING:
    from clave.config import Settings


class Store:
    """One store. `root` is its folder (absolute), `name` what the configuration calls it, or None.

    Making one ends what a dead process left half done; what cannot be ended now (a read-only disk, a writer
    at work) does not keep anybody from reading.
    """

    def __init__(self, root: str, settings: Settings, name: str | None = None) -> None:
        self.root = os.path.abspath(root)
        self.settings = settings
        self.name = name
        self.recover()

    @property
    def options(self) -> tuple[str, ...]:
        """The user's own options for gpg (PASSWORD_STORE_GPG_OPTS)."""
        return self.settings.gpg_options

    def repository(self, folder: str = "") -> Repository | None:
        """Return the git repository that keeps a folder of the store, or None.

        It is the innermost one, which may lie inside of the store (as in pass). One that begins above the
        store counts only if it tracks the store's `.gpg-id`: secrets must not end up in a repository of
        dot files by accident.
        """
        found = Repository.find(os.path.join(self.root, folder))
        if found is None or os.path.realpath(self.root) == found.work_tree or layout.inside(self.root, found.work_tree):
            return found
        above = layout.inside(found.work_tree, self.root)
        return found if above and found.tracks(os.path.join(self.root, layout.RECIPIENTS)) else None

    def recover(self) -> None:
        """End or drop a write that a dead process left."""
        try:
            repository = Repository.find(self.root)
            if repository is not None:
                transaction.recover(repository, self.root)
            # In a store that git keeps, such a folder can only be somebody's commit: it is never carried out.
            if os.path.isdir(os.path.join(self.root, layout.UNVERSIONED_JOURNAL)) and self.repository() is None:
                unversioned.recover(self.root)
        except (Busy, CannotWrite):
            pass  # a write will meet the same obstacle and tell; reading goes on with what is there

    def require_writable(self) -> None:
        """Raise VerificationFailed for a team store: its rules are not in this version of clave."""
        if os.path.isdir(os.path.join(self.root, ".clave", "roster")):
            raise VerificationFailed(
                "this is a team store, and this version of clave cannot verify it", "Install a newer clave."
            )
