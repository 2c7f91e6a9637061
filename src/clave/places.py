"""Where things are outside of every store: clave's own files, and the store to use (XDG base directories).

For the fast path the full program leaves what the config file says about stores in a small cache, so that no TOML
has to be parsed, `$XDG_CACHE_HOME/clave/stores`:

    <mtime_ns> <size> <inode>     of the config.toml that it was made from
    *<name> TAB <path>            the default store, if one is set
    <name> TAB <path>             every other one

Paths are as the user wrote them: `~/` is expanded here. A cache that does not fit the config file counts for
nothing, and the full program is asked.

Plaintexts lie in RAM alone, each in a folder whose name tells the process that made it: the next command sweeps it
away if that is gone (`ram.py`).

Imported by the fast path: nothing heavy may be imported here.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


CACHE = "stores"
PINS = "pins"
# With these begin the names of folders in RAM: of `edit`, of the files of `exec`, of key rings (`ci`, `team machine`).
EDIT = "clave-edit-"
EXEC = "clave-exec-"
CI = "clave-ci-"
KEY = "clave-key-"
IN_RAM = (EDIT, EXEC, CI, KEY)
_LIMIT = 1 << 20  # bytes of the cache
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_LONGEST = 240  # bytes of a file's name


def config_file(environ: Mapping[str, str]) -> str:
    """Return the path of the config file, which need not exist."""
    return os.path.join(_base(environ, "XDG_CONFIG_HOME", ".config"), "clave", "config.toml")


def cache_file(environ: Mapping[str, str], name: str) -> str:
    """Return the path of a file that can be made again at any time, which need not exist."""
    return os.path.join(_base(environ, "XDG_CACHE_HOME", ".cache"), "clave", name)


def state_file(environ: Mapping[str, str], name: str) -> str:
    """Return the path of a file that must not get lost, and is of this machine alone; it need not exist."""
    return os.path.join(_base(environ, "XDG_STATE_HOME", ".local/state"), "clave", name)


def state_of(environ: Mapping[str, str], kind: str, path: str) -> str:
    """Return the path of the file of that kind that is about another path: its name says which, or a hash of it."""
    return state_file(environ, os.path.join(kind, _name_of(path)))


def cache_of(environ: Mapping[str, str], kind: str, path: str) -> str:
    """Return what `state_of` does, for what can be made again at any time."""
    return cache_file(environ, os.path.join(kind, _name_of(path)))


def _name_of(path: str) -> str:
    data = os.fsencode(path)
    name = "".join(chr(b) if b in _PLAIN else f"%{b:02X}" for b in data)
    if len(name) > _LONGEST:
        import hashlib

        name = f"sha256-{hashlib.sha256(data).hexdigest()}"
    return name


def has_pins(environ: Mapping[str, str]) -> bool:
    """Tell whether any store here was ever a team's; also where that cannot be seen."""
    try:
        os.stat(state_file(environ, PINS))
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def folders_in_ram(environ: Mapping[str, str]) -> list[str]:
    """Return where folders in RAM are made, by preference; whether it is RAM, `ram.folder` says."""
    return list(dict.fromkeys(filter(None, (environ.get("XDG_RUNTIME_DIR"), "/dev/shm"))))  # noqa: S108 - it is RAM


def left_in_ram(environ: Mapping[str, str]) -> list[str]:
    """Return the folders in RAM that may hold a plaintext and whose process is gone."""
    found = []
    for folder in folders_in_ram(environ):
        try:
            names = [name for name in os.listdir(folder) if name.startswith(IN_RAM)]
        except OSError:
            continue
        found += [os.path.join(folder, name) for name in names if not _is_used(name)]
    return found


def _is_used(name: str) -> bool:
    """Tell whether the process lives that the name of a folder tells: prefix, its id, when it started, anything."""
    pid, *more = name.split("-")[2:]
    if not pid.isdecimal():
        return True  # it is none of ours
    now = started(int(pid))
    if now is not None:
        return len(more) < 2 or more[0] in ("0", str(now))
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return not os.path.exists("/proc/self/stat")  # there: it has ended, and its parent has yet to notice


def started(pid: int) -> int | None:
    """Return when a process started, in ticks since the machine did; None: it is gone, or there is no /proc."""
    try:
        stat = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fields = os.read(stat, 4096).rpartition(b")")[2].split()
    except OSError:
        return None
    finally:
        os.close(stat)
    return None if fields[0] in b"ZX" else int(fields[19])


def _base(environ: Mapping[str, str], variable: str, below_home: str) -> str:
    folder = environ.get(variable, "")
    if folder.startswith("/"):  # the specification: a relative path is ignored
        return folder
    return os.path.join(environ.get("HOME") or os.path.expanduser("~"), below_home)


def stamp(state: os.stat_result) -> str:
    """Return what tells one version of a file from another: mtime in ns, size in bytes, inode."""
    return f"{state.st_mtime_ns} {state.st_size} {state.st_ino}"


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
