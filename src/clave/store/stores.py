"""Several stores: which one is meant, and the list of those that the config file knows.

The store of a run is: the one named by `-s`; else PASSWORD_STORE_DIR; else the default store of the config
file; else `~/.password-store`. `STORE:NAME` is an entry of another store, but only if the current one has
nothing of that whole name: in pass a name may hold a colon.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from clave import config, places
from clave.errors import CannotWrite, NotFound, UsageError
from clave.model.name import split_field
from clave.places import cache_file
from clave.store import layout
from clave.store.store import Store

if TYPE_CHECKING:
    from clave.config import Settings

DEFAULT_FOLDER = "~/.password-store"


class NoStore(NotFound):
    """There is no folder where the store should be; `path` is where it was looked for."""

    code = "no-store"

    def __init__(self, path: str, name: str | None) -> None:
        command = f"clave -s {name} init" if name else "clave init"
        super().__init__(f"there is no password store at {path}", f"Make it: {command}; or say where it is.")
        self.path = path


class KnownStore(NamedTuple):
    """A store of the config file: its name, absolute path, and whether it is the default one."""

    name: str
    path: str
    default: bool

    @property
    def exists(self) -> bool:
        """Tell whether its folder is there."""
        return os.path.isdir(self.path)


def store_path(settings: Settings, name: str | None = None) -> str:
    """Return the absolute path of a store's folder, which may not exist yet.

    `name` is the name of a configured store; without it the store of this run. Raises NotFound for a name
    that no store has.
    """
    if name is not None:
        if name not in settings.stores:
            from difflib import get_close_matches

            close = get_close_matches(name, settings.stores, n=1)
            hint = f"Did you mean '{close[0]}'?" if close else f"Add it: clave store add {name} PATH"
            raise NotFound(f"there is no store '{name}'", hint)
        return _absolute(settings.stores[name])
    if settings.directory:
        return os.path.abspath(settings.directory)
    if settings.default_store:
        return _absolute(settings.stores[settings.default_store])
    return _absolute(DEFAULT_FOLDER)


def open_store(settings: Settings, name: str | None = None, *, new: bool = False) -> Store:
    """Return the store of that configured name, or the store of this run.

    Raises NotFound for an unknown name, and NoStore where there is no folder, unless it may be `new`.
    """
    remember(settings)
    path = store_path(settings, name)
    if not new and not os.path.isdir(path):
        raise NoStore(path, name)
    return Store(path, settings, name)


def split_store(settings: Settings, argument: str, current: str | None = None) -> tuple[Store, str]:
    """Return the store and the name that `[STORE:]NAME[#FIELD]` means; `current` is the argument of `-s`.

    The name comes with its field, unchecked. Raises NotFound as `open_store` does.
    """
    prefix, colon, rest = argument.partition(":")
    if colon and prefix in settings.stores:
        here = store_path(settings, current)
        if not _has(here, argument) and not _has(here, split_field(argument)[0]):
            return open_store(settings, prefix), rest
    return open_store(settings, current), argument


def all_stores(settings: Settings, current: str | None = None) -> list[tuple[str, Store]]:
    """Return every store that is there, each with what its names begin with: the current one, `""`, first.

    A store that is configured under two names, or is the current one, comes once. Raises NoStore if there
    is none at all.
    """
    found: list[tuple[str, Store]] = []
    seen: set[str] = set()
    missing: NoStore | None = None
    for name in (current, *settings.stores):
        prefix = "" if not found and missing is None else f"{name}:"
        try:
            store = open_store(settings, name)
        except NoStore as failure:
            missing = missing or failure
            continue
        if os.path.realpath(store.root) not in seen:
            seen.add(os.path.realpath(store.root))
            found.append((prefix, store))
    if not found and missing is not None:
        raise missing
    return found


def known(settings: Settings) -> list[KnownStore]:
    """Return the stores of the config file, in its order."""
    return [KnownStore(name, _absolute(path), name == settings.default_store) for name, path in settings.stores.items()]


def add(settings: Settings, name: str, path: str) -> KnownStore:
    """Write a store to the config file; the first one becomes the default if `~/.password-store` is not there.

    `path` may not exist yet. Raises UsageError (a bad name, a name or path that is taken, no folder),
    CannotWrite.
    """
    if name in settings.stores:
        raise UsageError(
            f"there is a store '{name}' already, at {settings.stores[name]}",
            f"Take it out first: clave store remove {name}",
        )
    if "://" in path or (":" in path.partition("/")[0] and not os.path.exists(path)):
        raise UsageError(f"'{path}' is not a folder", f"Clone it first: git clone {path} PATH")
    absolute = _absolute(path)
    if os.path.lexists(absolute) and not os.path.isdir(absolute):
        raise UsageError(f"'{path}' is not a folder")
    for store in known(settings):
        if os.path.realpath(store.path) == os.path.realpath(absolute):
            raise UsageError(f"{absolute} is the store '{store.name}' already")
    config.set_store(name, _for_file(absolute))
    default = not settings.stores and not os.path.isdir(_absolute(DEFAULT_FOLDER))
    if default:
        config.set_value("default-store", name)
    return KnownStore(name, absolute, default)


def set_default(settings: Settings, name: str) -> KnownStore:
    """Make a configured store the default one. Raises NotFound, CannotWrite."""
    path = store_path(settings, name)
    config.set_value("default-store", name)
    return KnownStore(name, path, default=True)


def remove(settings: Settings, name: str) -> KnownStore:
    """Take a store out of the config file; its folder is left alone. Raises NotFound, CannotWrite."""
    path = store_path(settings, name)
    config.set_store(name, None)
    return KnownStore(name, path, name == settings.default_store)


def _has(root: str, name: str) -> bool:
    try:
        return layout.is_entry(root, name) or layout.is_folder(root, name)
    except UsageError:
        return False


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))


def _for_file(path: str) -> str:
    """Return an absolute path as the config file should hold it: relative to `~` where it is below."""
    home = os.path.expanduser("~")
    return "~" + path[len(home) :] if path.startswith(home + "/") else path


def remember(settings: Settings) -> None:
    """Leave the list of stores for the fast path, unless it is there; failing to is no failure of the run."""
    if settings.stamp is None:
        return
    lines = [settings.stamp]
    for name in sorted(settings.stores, key=lambda name: name != settings.default_store):
        path = settings.stores[name]
        path = path if path.startswith("~/") else _absolute(path)
        lines.append(f"{'*' if name == settings.default_store else ''}{name}\t{path}")
    text = "\n".join(lines) + "\n"
    file = cache_file(os.environ, places.CACHE)
    try:
        with open(file, encoding="utf-8") as cache:
            if cache.read() == text:
                return
    except (OSError, UnicodeDecodeError):
        pass  # there is none yet, or not one of ours: it is made below
    try:
        config.write_private(file, text.encode())
    except CannotWrite:
        return
