r"""Where the store is, for the fast path: no TOML is parsed, nothing heavy is imported.

The full program leaves what the config file says about stores in `$XDG_CACHE_HOME/clave/stores`:

    <mtime_ns> <size> <inode>       of the config.toml that it was made from
    *<name>\t<path>                 the default store, if one is set
    <name>\t<path>                  every other one

Paths are as the user wrote them: `~/` is expanded here. A cache that does not fit the config file counts
for nothing, and the full program is asked.
"""

from __future__ import annotations

import os

from clave.places import cache_file, config_file, stamp

CACHE = "stores"
_LIMIT = 1 << 20  # bytes of the cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def locate(environ: Mapping[str, str]) -> str | None:
    """Return the absolute path of the store to use, which may not exist; None: ask the full program."""
    folder = environ.get("PASSWORD_STORE_DIR")
    if folder:
        return os.path.abspath(folder)
    found = stores(environ)
    if found is None:
        return None
    for name, path in found:
        if name.startswith("*"):
            return path
    home = environ.get("HOME")
    return os.path.join(home, ".password-store") if home else None


def stores(environ: Mapping[str, str]) -> list[tuple[str, str]] | None:
    """Return names and absolute paths of the configured stores, the default one first, as `*name`.

    None: the cache is missing, old or broken; ask the full program.
    """
    try:
        state = os.stat(config_file(environ))
    except FileNotFoundError:
        return []
    except OSError:
        return None
    first, *lines = _cached(environ).split("\n")
    if first != stamp(state) or lines[-1:] != [""]:
        return None
    found = []
    for line in lines[:-1]:
        name, _, path = line.partition("\t")
        if path.startswith("~/"):
            path = environ.get("HOME", "") + path[1:] if environ.get("HOME") else ""
        if not path.startswith("/"):
            return None
        found.append((name, path))
    return found


def _cached(environ: Mapping[str, str]) -> str:
    try:
        cache = os.open(cache_file(environ, CACHE), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(cache, _LIMIT).decode()
    except (OSError, UnicodeDecodeError):
        return ""
    finally:
        os.close(cache)
