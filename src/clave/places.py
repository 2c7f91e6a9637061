"""Where clave keeps its own files, outside of every store (XDG base directory specification).

Imported by the fast path: nothing heavy may be imported here.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def config_file(environ: Mapping[str, str]) -> str:
    """Return the path of the config file, which need not exist."""
    return os.path.join(_base(environ, "XDG_CONFIG_HOME", ".config"), "clave", "config.toml")


def cache_file(environ: Mapping[str, str], name: str) -> str:
    """Return the path of a file that can be made again at any time, which need not exist."""
    return os.path.join(_base(environ, "XDG_CACHE_HOME", ".cache"), "clave", name)


def _base(environ: Mapping[str, str], variable: str, below_home: str) -> str:
    folder = environ.get(variable, "")
    if folder.startswith("/"):  # the specification: a relative path is ignored
        return folder
    return os.path.join(environ.get("HOME") or os.path.expanduser("~"), below_home)


def stamp(state: os.stat_result) -> str:
    """Return what tells one version of a file from another: mtime in ns, size in bytes, inode."""
    return f"{state.st_mtime_ns} {state.st_size} {state.st_ino}"
