"""A store: a folder of entries, the settings in force for it, and the git repository that it is in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from clave.errors import Busy, CannotWrite, UsageError, VerificationFailed
from clave.store import layout
from clave.store.trust import pins
from clave.vcs.git import Repository

if TYPE_CHECKING:
    from clave.config import Settings
    from clave.store.people.membership import Team


class Store:
    """One store. `root` is its folder (absolute), `name` what the configuration calls it, or None.

    Making one ends what a dead process left half done; what cannot be ended now (a read-only disk, a writer
    at work) does not keep anybody from reading.
    """

    def __init__(self, root: str, settings: Settings, name: str | None = None) -> None:
        self.root = os.path.abspath(root)
        self.settings = settings
        self.name = name
        self._team: Team | None = None
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
        if not layout.pending(self.root):
            return
        from clave.vcs import transaction, unversioned

        try:
            repository = Repository.find(self.root)
            if repository is not None:
                transaction.recover(repository, self.root)
            # In a store that git keeps, such a folder can only be somebody's commit: it is never carried out.
            if os.path.isdir(os.path.join(self.root, layout.UNVERSIONED_JOURNAL)) and self.repository() is None:
                unversioned.recover(self.root)
        except (Busy, CannotWrite):
            pass  # a write will meet the same obstacle and tell; reading goes on with what is there

    @property
    def is_team(self) -> bool:
        """Whether this is the store of a team, or its place held one before (the pin knows), or it is to be one."""
        if os.environ.get("CLAVE_ROOT") or os.path.isdir(os.path.join(self.root, ".clave", "roster")):
            return True
        repository = Repository.find(self.root)
        return repository is not None and pins.read(repository) is not None

    def team_repository(self) -> Repository:
        """Return the repository of a team store, which is the whole of it. Raises UsageError."""
        repository = self.repository()
        if repository is None or repository.work_tree != os.path.realpath(self.root):
            above = Repository.find(self.root)
            if above is not None and pins.read(above) is not None:
                raise UsageError(
                    f"{self.root} is a folder of a team's store, not the whole of it",
                    f"Use the whole: PASSWORD_STORE_DIR={above.work_tree}.",
                )
            raise UsageError(
                "a team store is a git repository of its own, and this one is not", "Move it out, or clone it anew."
            )
        return repository

    def team(self) -> Team:
        """Return the team as HEAD says, which is verified first if need be.

        Raises VerificationFailed, and UsageError for a plain store.
        """
        if not self.is_team:
            raise UsageError("this store has no team", "Make one: clave team init.")
        from clave.store.people.membership import Team
        from clave.store.trust.verification import verify_head

        repository = self.team_repository()
        pinned = verify_head(repository)
        if self._team is None or self._team.pinned != pinned:
            self._team = Team(repository, pinned, pinned.local)
        return self._team

    def known_team(self) -> Team | None:
        """Return the team as the last verified HEAD says; None for a plain store, or where nothing is verified."""
        from clave.store.people.membership import Team

        if not self.is_team:
            return None
        repository = self.team_repository()
        pinned = pins.read(repository)
        return Team(repository, pinned, pinned.local) if pinned else None

    def doubt(self, *names: str, below: bool = False) -> VerificationFailed | None:
        """Return why what a team store holds may not be what the team wrote; None: it is, or there is no team.

        `names` are the entries (`NAME#field`) that are about to be read, with `below` also those in such folders.
        """
        if not self.is_team:
            return None
        from clave.store.trust.verification import require_committed, verify_head

        try:
            repository = self.team_repository()
            head = verify_head(repository).local
            require_committed(repository, head, names, below=below)
        except VerificationFailed as doubt:
            return doubt
        return None

    def has_remote(self) -> bool:
        """Tell whether the store's repository knows of a remote."""
        repository = self.repository()
        return repository is not None and bool(repository.text("remote"))

    def require_verified(self, *names: str) -> None:
        """Raise VerificationFailed if there is a doubt about a team's store and these entries."""
        doubt = self.doubt(*names)
        if doubt is not None:
            raise doubt
