"""Making a manifest, and adding to one: the rest of it, its comments too, stays as it is.

What was written is read as a manifest before it takes the place of the old one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from clave.delivery import allowing, manifest
from clave.delivery.asked import Variable
from clave.delivery.manifest import FILE
from clave.delivery.references import Template, parse
from clave.errors import CannotWrite, UsageError

if TYPE_CHECKING:
    from clave.store.store import Store

_HEADER = """\
# Which secrets this application wants: names, never values. Run it: clave exec -- CMD

"""


class Entry(NamedTuple):
    """A variable as a caller types it: `text` is a reference, or a template."""

    name: str
    text: str
    template: bool = False
    as_file: bool = False
    optional: bool = False

    @property
    def variable(self) -> Variable:
        """The variable that it means. Raises UsageError."""
        if self.template:
            return Variable(self.name, template=Template(self.text), as_file=self.as_file, optional=self.optional)
        return Variable(self.name, secret=parse(self.text), as_file=self.as_file, optional=self.optional)

    @property
    def value(self) -> str | dict[str, Any]:
        """What stands for it in a manifest."""
        if not (self.template or self.as_file or self.optional):
            return self.text
        table: dict[str, Any] = {"template" if self.template else "secret": self.text}
        table |= {"as": "file"} if self.as_file else {}
        return table | ({"optional": True} if self.optional else {})


def create(folder: str, store: Store) -> str:
    """Make a manifest in a folder, for a store; return its path. Raises UsageError where there is one, CannotWrite."""
    import tomlkit

    document = tomlkit.document()
    which = _which(store)
    if which:
        document["store"] = which
    document["env"] = {}
    path = os.path.join(folder, FILE)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        raise UsageError(f"{path} is there already", "Add to it: clave manifest add NAME REFERENCE.") from None
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written: {error.strerror}") from None
    with open(file, "wb") as stream:
        stream.write((_HEADER + tomlkit.dumps(document)).encode())
    os.chmod(path, 0o644)  # it is for everybody who has the application, whatever the umask of clave
    return path


def add(path: str, entry: Entry, profile: str | None) -> None:
    """Write a variable into a manifest. Raises UsageError, CannotWrite: the manifest is then as it was."""
    import tomlkit

    entry.variable  # noqa: B018 - it is checked before anything is read
    real = os.path.realpath(path)
    manifest.read(real)
    document = tomlkit.parse(manifest.load(real).decode())
    table: Any = document
    for name in ("env",) if profile is None else ("profiles", profile, "env"):
        table = table.setdefault(name, tomlkit.table(is_super_table=name != "env"))
    value: Any = entry.value
    if isinstance(value, dict):
        value = tomlkit.inline_table()
        value.update(entry.value)
    table[entry.name] = value
    _replace(real, tomlkit.dumps(document).encode())


def _replace(path: str, data: bytes) -> None:
    temporary = f"{path}.{os.getpid()}.tmp.toml"
    try:
        mode = os.stat(path).st_mode & 0o777
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(data)
        try:
            manifest.read(temporary)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written: {error.strerror}") from None


def _which(store: Store) -> dict[str, str]:
    """Return what tells everybody which store it is: the id of its team, and a URL where it can be had."""
    from clave.vcs import remote

    which: dict[str, str] = {}
    store_id = allowing.store_id(store)
    if store_id:
        which["id"] = store_id
    repository = store.repository()
    where = remote.remote_of(repository) if repository else None
    if where is not None and not remote.is_path(where.url):
        which["url"] = where.url
    return which
