"""Settings: defaults < config file < environment. Flags are the commands' own.

`KEYS` is the one table: `config list`, completion and the manual are made from it. The file is
`$XDG_CONFIG_HOME/clave/config.toml`; an unknown key in it is an error, because a mistyped one that is
silently ignored is a setting that the user believes to have.

pass's PASSWORD_STORE_ENABLE_EXTENSIONS and _EXTENSIONS_DIR have no counterpart: a store runs no programs.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import CannotWrite, UsageError
from clave.model import toml
from clave.places import config_file, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from tomlkit import TOMLDocument

STORE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
DRIVERS = "drivers."  # before the name of a command that rotates values, as a setting


def _text(text: str) -> str:
    if not text:
        raise ValueError("may not be empty")
    return text


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 1_000_000):
        raise ValueError("must be a whole number above zero")
    return int(text)


def _switch(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("must be true or false")
    return text.lower() == "true"


def _octal(text: str) -> int:
    if not re.fullmatch("[0-7]{1,4}", text):
        raise ValueError("must be an octal number such as 077")
    return int(text, 8)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _selection(text: str) -> str:
    if text not in ("clipboard", "primary", "secondary"):
        raise ValueError("must be clipboard, primary or secondary")
    return text


def _store_name(text: str) -> str:
    if not STORE_NAME.fullmatch(text):
        raise ValueError("must be the name of a store: letters, digits, '.', '_' and '-'")
    return text


def _driver_name(text: str) -> str:
    if not STORE_NAME.fullmatch(text):
        raise ValueError("must be a name of letters, digits, '.', '_' and '-'")
    return text


def _program(text: str) -> str:
    if not text.isprintable() or not text.startswith(("/", "~/")):
        raise ValueError("must be the whole path of a program")
    return text


def _entry(text: str) -> str:
    if not text.strip("/") or not text.isprintable():
        raise ValueError("must be the name of an entry")
    return text


def _path(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError("must be the path of a folder")
    return text


class Key(NamedTuple):
    """One setting: `field` of Settings, its parser from text, and where it may come from.

    `name` is the key in the file, or the variable's name where only the environment has it.
    """

    name: str
    field: str
    parse: Callable[[str], Any]
    default: str | None
    variable: str | None
    description: str

    @property
    def in_file(self) -> bool:
        """Tell whether the config file may set it."""
        return self.name != self.variable

    @property
    def type(self) -> type[int] | type[str] | type[bool]:
        """The TOML type of its value in the file."""
        kinds: dict[object, type[int | str | bool]] = {_count: int, _switch: bool}
        return kinds.get(self.parse, str)


def _environment(variable: str, field: str, parse: Callable[[str], Any], default: str | None, text: str) -> Key:
    return Key(variable, field, parse, default, variable, text)


KEYS: tuple[Key, ...] = (
    Key(
        "default-store",
        "default_store",
        _store_name,
        None,
        None,
        "The store that is used where none is named.",
    ),
    Key(
        "clip.seconds",
        "clip_seconds",
        _count,
        "45",
        "PASSWORD_STORE_CLIP_TIME",
        "Seconds after which the clipboard is cleared.",
    ),
    Key(
        "clip.selection",
        "clip_selection",
        _selection,
        "clipboard",
        "PASSWORD_STORE_X_SELECTION",
        "The X11 selection that is copied to: clipboard, primary or secondary.",
    ),
    Key(
        "generate.length",
        "generate_length",
        _count,
        "25",
        "PASSWORD_STORE_GENERATED_LENGTH",
        "Characters of a generated password.",
    ),
    Key(
        "generate.charset",
        "generate_charset",
        _text,
        "[:punct:][:alnum:]",
        "PASSWORD_STORE_CHARACTER_SET",
        "Characters of a generated password, as tr writes them.",
    ),
    Key(
        "generate.charset-no-symbols",
        "generate_charset_no_symbols",
        _text,
        "[:alnum:]",
        "PASSWORD_STORE_CHARACTER_SET_NO_SYMBOLS",
        "The same for generate --no-symbols.",
    ),
    Key(
        "sync.auto",
        "sync_auto",
        _switch,
        "false",
        None,
        "Whether each write is shared at once, as clave sync does it: true or false.",
    ),
    _environment("PASSWORD_STORE_DIR", "directory", _text, None, "The folder of the store, before default-store."),
    _environment("PASSWORD_STORE_KEY", "keys", _words, "", "Key ids that replace those of every .gpg-id."),
    _environment("PASSWORD_STORE_GPG_OPTS", "gpg_options", _words, "", "Options for every call of gpg."),
    _environment("PASSWORD_STORE_SIGNING_KEY", "signing_keys", _words, "", "Keys of which one signed each .gpg-id."),
    _environment("PASSWORD_STORE_UMASK", "umask", _octal, "077", "Permissions that new files do not get."),
)

_BY_NAME = {key.name: key for key in KEYS}


class Settings(NamedTuple):
    """The settings in force.

    `stores` maps the name of each store of the config file to its path as written there (`~` allowed), `keyring` a
    service that programs know to the entry that is its login (see `delivery.logins`), `drivers` the name of each
    command that rotates values (`clave rotate --driver command:NAME`) to its program.
    `file` is the config file's path and `stamp` what it looked like when it was read (see `places.stamp`),
    None if there is none. `origins` says for each key's name where its value came from: "default",
    "file", or the environment variable.
    """

    default_store: str | None
    clip_seconds: int
    clip_selection: str
    generate_length: int
    generate_charset: str
    generate_charset_no_symbols: str
    sync_auto: bool
    directory: str | None
    keys: tuple[str, ...]
    gpg_options: tuple[str, ...]
    signing_keys: tuple[str, ...]
    umask: int
    stores: Mapping[str, str]
    keyring: Mapping[str, str]
    drivers: Mapping[str, str]
    file: str
    stamp: str | None
    origins: Mapping[str, str]


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in force. Raises UsageError naming file, line and key, or the variable."""
    environ = os.environ if environ is None else environ
    file = config_file(environ)
    version, document = _read(file)
    tables, values = _check(file, document)
    origins = dict.fromkeys(values, "file")
    for key in KEYS:
        text = environ.get(key.variable or "")
        if text:  # as in pass, an empty variable is one that is not set
            values[key.name] = _from_environment(key, text)
            origins[key.name] = key.variable or ""
        elif key.name not in values:
            values[key.name] = None if key.default is None else key.parse(key.default)
            origins[key.name] = "default"
    fields: dict[str, Any] = {key.field: values[key.name] for key in KEYS} | tables
    return Settings(**fields, file=file, stamp=version, origins=origins)


def umask(environ: Mapping[str, str]) -> int:
    """Return PASSWORD_STORE_UMASK alone, which is needed before anything is read. Raises UsageError."""
    key = _BY_NAME["PASSWORD_STORE_UMASK"]
    mask = _from_environment(key, environ.get(key.name) or key.default or "")
    assert isinstance(mask, int)
    return mask


def _from_environment(key: Key, text: str) -> Any:
    try:
        return key.parse(text)
    except ValueError as reason:
        raise UsageError(f"{key.variable} {reason}, not '{text}'", "Correct or unset it.") from None


def find_key(name: str) -> Key:
    """Return the key of that name. Raises UsageError with the nearest one."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name.partition(".")[0] == "stores":
        raise UsageError(f"'{name}' is no setting of its own", "'clave store' keeps the list of stores.")
    if name.partition(".")[0] == "keyring":
        raise UsageError(f"'{name}' is no setting of its own", f"Write it into {config_file(os.environ)}.")
    from difflib import get_close_matches

    close = get_close_matches(name, _BY_NAME, n=1)
    hint = f"Did you mean '{close[0]}'?" if close else "'clave config list' shows all."
    raise UsageError(f"there is no setting '{name}'", hint)


def text_of(settings: Settings, key: Key) -> str | None:
    """Return the value in force as text that `key.parse` would take, None if there is none."""
    value = getattr(settings, key.field)
    if key.parse is _octal:
        return f"{value:04o}"
    if key.parse is _switch:
        return str(value).lower()
    return " ".join(value) if isinstance(value, tuple) else value if value is None else str(value)


def set_value(name: str, text: str | None, environ: Mapping[str, str] | None = None) -> None:
    """Write one setting to the config file, or with None take it out; comments stay.

    Raises UsageError (no such setting, no such value, a broken file), CannotWrite.
    """
    if name.startswith(DRIVERS):
        _set_driver(name.removeprefix(DRIVERS), text, environ)
        return
    key = find_key(name)
    if not key.in_file:
        raise UsageError(f"{name} is read from the environment alone", f"Write: export {name}=…")
    if text is None:
        change(lambda document: _put(document, name, None), environ)
        return
    try:
        value = key.parse(text)
    except ValueError as reason:
        raise UsageError(f"{name} {reason}, not '{text}'") from None
    if name == "default-store" and value not in load(environ).stores:
        raise UsageError(f"there is no store '{value}'", f"Add it: clave store add {value} PATH")
    change(lambda document: _put(document, name, value), environ)


def _set_driver(name: str, program: str | None, environ: Mapping[str, str] | None) -> None:
    try:
        _driver_name(name)
        _program(program or "/")
    except ValueError as reason:
        raise UsageError(f"'{name if not STORE_NAME.fullmatch(name) else program}' {reason}") from None

    def edit(document: TOMLDocument) -> None:
        import tomlkit

        drivers = document.setdefault("drivers", tomlkit.table())
        if program is None:
            drivers.pop(name, None)
        else:
            drivers[name] = program

    change(edit, environ)


def set_store(name: str, path: str | None, environ: Mapping[str, str] | None = None) -> None:
    """Write a store's path to the config file, or with None take the store out.

    Raises UsageError (a bad name or path, a broken file), CannotWrite.
    """
    try:
        _store_name(name)
        _path(path or "/")
    except ValueError as reason:
        raise UsageError(f"'{name if not STORE_NAME.fullmatch(name) else path}' {reason}") from None

    def edit(document: TOMLDocument) -> None:
        import tomlkit

        stores = document.setdefault("stores", tomlkit.table(is_super_table=True))
        if path is None:
            stores.pop(name, None)
            if document.get("default-store") == name:
                document.pop("default-store")
        else:
            stores.setdefault(name, tomlkit.table())["path"] = path

    change(edit, environ)


def _put(document: TOMLDocument, name: str, value: str | int | bool | None) -> None:
    """Set or delete a dotted key."""
    import tomlkit

    table: Any = document
    *above, last = name.split(".")
    for part in above:
        if value is None and part not in table:
            return
        table = table.setdefault(part, tomlkit.table())
    if value is None:
        table.pop(last, None)
    else:
        table[last] = value


def change(edit: Callable[[TOMLDocument], None], environ: Mapping[str, str] | None = None) -> None:
    """Change the config file through `edit`: one process at a time, atomically, mode 0600.

    A symlink to the file (dotfiles kept elsewhere) stays one. Raises UsageError, CannotWrite.
    """
    import fcntl

    import tomlkit

    file = config_file(os.environ if environ is None else environ)
    target = os.path.realpath(file)
    try:
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        lock = os.open(os.path.dirname(target), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as failure:
        raise CannotWrite(f"cannot write {file}: {failure.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = _bytes(file)
        toml.parse(file, before)
        document = tomlkit.parse(before.decode())
        edit(document)
        after = tomlkit.dumps(document).encode()
        _check(file, toml.parse(file, after))
        write_private(target, after)
    finally:
        os.close(lock)


def write_private(file: str, data: bytes) -> None:
    """Replace `file` by `data` in one step, readable by its owner alone. Raises CannotWrite."""
    temporary = f"{file}.{os.getpid()}.tmp"
    try:
        os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, file)
        except OSError:
            if os.path.lexists(temporary):
                os.unlink(temporary)
            raise
    except OSError as failure:
        raise CannotWrite(f"cannot write {file}: {failure.strerror}") from None


def _bytes(file: str) -> bytes:
    try:
        with open(file, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return b""


def _read(file: str) -> tuple[str | None, dict[str, Any]]:
    """Return stamp and content of the config file; (None, {}) if there is none."""
    try:
        with open(file, "rb") as stream:
            version, data = stamp(os.fstat(stream.fileno())), stream.read()
    except FileNotFoundError:
        return None, {}
    except OSError as failure:
        raise UsageError(f"cannot read {file}: {failure.strerror}") from None
    return version, toml.parse(file, data)


def _check(file: str, document: dict[str, Any]) -> tuple[dict[str, dict[str, str]], dict[str, Any]]:
    """Return the tables (stores, keyring, drivers), and the values by key name, of a config file.

    Raises UsageError for any other key.
    """
    stores: dict[str, str] = {}
    keyring: dict[str, str] = {}
    drivers: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name, value in _leaves(document):
        match name.split("."):
            case ["stores", *middle, "path"] if middle:
                store = ".".join(middle)
                _value(file, name, store, str, _store_name)
                stores[store] = _value(file, name, value, str, _path)
            case ["keyring", *service] if service:
                keyring[".".join(service)] = _value(file, name, value, str, _entry)
            case ["drivers", *rest] if rest:
                driver = ".".join(rest)
                _value(file, name, driver, str, _driver_name)
                drivers[driver] = _value(file, name, value, str, _program)
            case _:
                key = _BY_NAME.get(name)
                if key is None or not key.in_file:
                    hint = "'clave config list' shows the keys that there are."
                    raise UsageError(f"{_at(file, name)}: there is no setting '{name}'", hint)
                values[name] = _value(file, name, value, key.type, key.parse)
    default = values.get("default-store")
    if default is not None and default not in stores:
        raise UsageError(
            f"{_at(file, 'default-store')}: 'default-store' names '{default}', which is no store",
            "Correct it and try again.",
        )
    return {"stores": stores, "keyring": keyring, "drivers": drivers}, values


def _leaves(table: dict[str, Any], above: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in table.items():
        if isinstance(value, dict):
            found += _leaves(value, f"{above}{name}.")
        else:
            found.append((above + name, value))
    return found


def _value(file: str, name: str, value: object, wanted: type, parse: Callable[[str], Any]) -> Any:
    if type(value) is not wanted:  # bool is an int and would pass isinstance
        kind = {int: "a number", bool: "true or false"}.get(wanted, "text in quotes")
        raise UsageError(f"{_at(file, name)}: '{name}' must be {kind}", "Correct it and try again.")
    try:
        return parse(str(value))
    except ValueError as reason:
        raise UsageError(f"{_at(file, name)}: '{name}' {reason}", "Correct it and try again.") from None


def _at(file: str, name: str) -> str:
    """Return the file and, if it is found, the line that sets the dotted key `name`."""
    return toml.at(file, _bytes(file), name)
