"""What every command needs, made when first asked for. Loaded also where click is not."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clave.config import Settings
    from clave.store.store import Store


class App:
    """The state of one run: which store was named, and lazily the settings and the store.

    `store_name` is the argument of `-s`, or None.
    """

    def __init__(self, store_name: str | None = None) -> None:
        self.store_name = store_name

    @cached_property
    def settings(self) -> Settings:
        """The settings in force. Raises UsageError for a broken config file."""
        from clave.config import load

        return load()

    @cached_property
    def store(self) -> Store:
        """The store of this run. Raises NotFound where there is none."""
        from clave.store.stores import open_store

        return open_store(self.settings, self.store_name)

    def split(self, argument: str) -> tuple[Store, str]:
        """Return the store and the name that `[STORE:]NAME[#FIELD]` means. Raises NotFound."""
        from clave.store.stores import split_store

        return split_store(self.settings, argument, self.store_name)

    def look(self, argument: str, *, strict: bool = False, below: bool = False) -> tuple[Store, str]:
        """Return what `split` does, for a command that reads; a team store's HEAD is verified first.

        The entry that is named must be what was committed there, with `below` each entry of a folder.

        Where it is not, the user is warned; with `strict` (the value goes to a program, or is not seen), and where
        a machine was told which store it is (CLAVE_ROOT), VerificationFailed is raised.
        """
        store, name = self.split(argument)
        doubt = store.doubt(name, below=below)
        if doubt is not None and (strict or os.environ.get("CLAVE_ROOT")):
            raise doubt
        if doubt is not None:
            from clave.cli import _output

            _output.warn(f"what is here may not be what the team wrote: {doubt.line()}")
        return store, name
