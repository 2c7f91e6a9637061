"""Reading files of unknown origin: never more than we are ready to hold, and nothing but what the format may say.

1. A file is read up to a limit. What is larger is refused before it is in memory.
2. Text is UTF-8, or UTF-16 with a mark in front; no NUL.
3. JSON: no name twice in an object, no NaN, no half of a surrogate pair, not nested beyond Python's own limit, and
   no more values than fit in memory.
4. CSV: a name for each column, none twice; no row with more cells than the header; quotes end.
5. Zip: stored and deflated members only, none that is a link, encrypted, named twice, or named to lie elsewhere; no
   more is inflated than the caller takes. Nothing is ever extracted to a disk.

All raise BadFile, whose message says where, and never what stands there.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import NotFound, UsageError
from clave.exchange.format import HEAD, MAX_READ, BadFile, ReadOptions
from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any
    from zipfile import ZipFile, ZipInfo

    from clave.errors import CannotDecrypt
    from clave.exchange.format import Source

MAX_TEXT = 64 << 20  # bytes of a text file
MAX_FIELD = 1 << 20  # characters of a cell; more is a quote that does not end
MAX_VALUES = 4_000_000  # values of a JSON document, cells of a table
MAX_MEMBERS = 100_000  # of an archive or a folder
MAX_INFLATED = 512 << 20  # bytes that all members of an archive take together

STANDARD_INPUT = "-"


class FileSource:
    """A file, or standard input (`-`), which is read once."""

    def __init__(
        self,
        path: str,
        options: ReadOptions | None = None,
        *,
        password: Callable[[], str] | None = None,
        key_file: str | None = None,
    ) -> None:
        self.path = path
        self.options = options or ReadOptions()
        self.key_file = key_file
        self._ask = password
        self._password: str | None = None
        self._data = b""
        self._ended = False
        self._descriptor: int | None = None

    def head(self, size: int = HEAD) -> bytes:
        """Return the first bytes."""
        self._fill(size)
        return self._data[:size]

    def read(self, limit: int = MAX_READ) -> bytes:
        """Return all bytes."""
        if not self._is_larger(limit):
            self._fill(limit + 1)
        if len(self._data) > limit or self._is_larger(limit):
            raise BadFile(f"{printable(self.path)} is larger than {limit >> 20} MiB", "Export it in parts.")
        return self._data

    def password(self) -> str:
        """Return the file's password, asked for once."""
        if self._password is None:
            if self._ask is None:
                raise UsageError(f"{printable(self.path)} wants a password", "Use --password-file or --password-fd.")
            self._password = self._ask()
        return self._password

    def files(self) -> Iterator[tuple[str, bytes | str]]:
        """Yield nothing: it is no folder."""
        return iter(())

    def decrypt(self, messages: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, bytes | CannotDecrypt]]:
        """Yield name and plaintext of OpenPGP messages."""
        from clave.openpgp.bulk import decrypt_many

        return decrypt_many(messages)

    def _is_larger(self, limit: int) -> bool:
        """Tell of an ordinary file, before it is read, whether it is larger."""
        if self._ended:
            return False
        status = os.fstat(self._open())
        return stat.S_ISREG(status.st_mode) and status.st_size > limit

    def _fill(self, size: int) -> None:
        """Have at least so many bytes, or all."""
        if self._ended or len(self._data) >= size:
            return
        descriptor = self._open()
        parts, have = [self._data], len(self._data)
        try:
            while have < size and (more := os.read(descriptor, min(1 << 20, size - have))):
                parts.append(more)
                have += len(more)
        except OSError as error:
            raise UsageError(f"{printable(self.path)} cannot be read: {error.strerror}") from None
        self._data = b"".join(parts)
        if have < size:
            self._ended = True
            os.close(descriptor)

    def _open(self) -> int:
        if self._descriptor is None:
            try:
                standard = self.path == STANDARD_INPUT
                self._descriptor = os.dup(0) if standard else os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                raise NotFound(f"{printable(self.path)} is not there") from None
            except OSError as error:
                raise UsageError(f"{printable(self.path)} cannot be read: {error.strerror}") from None
        return self._descriptor


class FolderSource:
    """A folder of OpenPGP messages; `gpg_options` are the user's own."""

    key_file: str | None = None

    def __init__(self, path: str, options: ReadOptions | None = None, *, gpg_options: Sequence[str] = ()) -> None:
        self.path = path
        self.options = options or ReadOptions()
        self._gpg_options = gpg_options

    def head(self, size: int = HEAD) -> bytes:
        """Return the names in the folder, one a line."""
        try:
            return b"\n".join(sorted(map(os.fsencode, os.listdir(self.path))))[:size]
        except OSError as error:
            raise UsageError(f"{printable(self.path)} cannot be read: {error.strerror}") from None

    def read(self, limit: int = MAX_READ) -> bytes:  # noqa: ARG002 - as for a file
        """Raise BadFile: it is no file."""
        raise BadFile(f"{printable(self.path)} is a folder", "Name a file.")

    def password(self) -> str:
        """Raise BadFile: the messages are gpg's to open."""
        raise BadFile(f"{printable(self.path)} is a folder, which has no password")

    def files(self) -> Iterator[tuple[str, bytes | str]]:
        """Yield each file's relative path and bytes, sorted; of a symlink its target. Folders of git are left out."""
        budget, count = MAX_INFLATED, 0
        for path in self._paths(""):
            absolute = os.path.join(self.path, path)
            if os.path.islink(absolute):
                yield path, os.readlink(absolute)
                continue
            count += 1
            data = _file(absolute, path, budget)
            budget -= len(data)
            if count > MAX_MEMBERS:
                raise BadFile(f"{printable(self.path)} holds more than {MAX_MEMBERS} files", "Import it in parts.")
            yield path, data

    def decrypt(self, messages: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, bytes | CannotDecrypt]]:
        """Yield name and plaintext of OpenPGP messages. Raises KeyLocked."""
        from clave.openpgp.bulk import decrypt_many

        return decrypt_many(messages, options=self._gpg_options)

    def _paths(self, folder: str) -> Iterator[str]:
        try:
            found = sorted(os.scandir(os.path.join(self.path, folder)), key=lambda each: each.name)
        except OSError as error:
            raise UsageError(f"{printable(folder or self.path)} cannot be read: {error.strerror}") from None
        for each in found:
            path = f"{folder}/{each.name}" if folder else each.name
            if not each.is_dir(follow_symlinks=False):
                yield path
            elif each.name != ".git":
                yield from self._paths(path)


def open_source(
    path: str,
    options: ReadOptions | None = None,
    *,
    password: Callable[[], str] | None = None,
    key_file: str | None = None,
    gpg_options: Sequence[str] = (),
) -> Source:
    """Return the source for a path."""
    if path != STANDARD_INPUT and os.path.isdir(path):
        return FolderSource(path, options, gpg_options=gpg_options)
    return FileSource(path, options, password=password, key_file=key_file)


def _file(absolute: str, path: str, limit: int) -> bytes:
    """Return the bytes of an ordinary file. Raises BadFile for anything else: a FIFO would make us wait."""
    try:
        descriptor = os.open(absolute, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"{printable(path)} cannot be read: {error.strerror}") from None
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise BadFile(f"{printable(path)} is not an ordinary file", "Remove it.")
        if status.st_size > limit:
            raise BadFile(f"{printable(path)} is too large, or all files together", "Import in parts.")
        return file.read(limit + 1)


def text(data: bytes) -> str:
    """Return the text of a file, without a byte order mark; its line ends stay."""
    if len(data) > MAX_TEXT:
        raise BadFile(f"a text of more than {MAX_TEXT >> 20} MiB is not read", "Export it in parts.")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        found = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadFile(f"line {line} is not {encoding[:6].upper().rstrip('-')} text", "Export the file again.") from None
    at = found.find("\0")
    if at >= 0:
        raise BadFile(f"line {found.count(chr(10), 0, at) + 1} holds a NUL: this is no text", "Export the file again.")
    return found


class Row(NamedTuple):
    """A row of a table: its number, where the header is 1 and empty lines do not count, and the cells by column."""

    number: int
    cells: dict[str, str]


class Table(NamedTuple):
    """What a CSV file holds."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]


def table(data: bytes, *, delimiter: str = ",") -> Table:
    """Read a CSV file with a header. What a row has less than the header is empty."""
    rows = _cells(text(data), delimiter)
    header = next(rows, None)
    if header is None:
        raise BadFile("the file is empty", "Export it again.")
    twice = {name for name in header if header.count(name) > 1}
    if twice:
        raise BadFile(f"the header has '{printable(min(twice))}' twice", "Rename one of the columns.")
    found: list[Row] = []
    for number, cells in enumerate(rows, 2):
        if len(cells) > len(header):
            raise BadFile(
                f"row {number} has {len(cells)} cells, and the header {len(header)}",
                "A comma or a quote in it is written wrongly: mend it, or export again.",
            )
        found.append(Row(number, dict(zip(header, cells + [""] * (len(header) - len(cells)), strict=True))))
        if len(found) * len(header) > MAX_VALUES:
            raise BadFile("the table holds too many cells", "Export it in parts.")
    return Table(tuple(header), tuple(found))


def _cells(content: str, delimiter: str) -> Iterator[list[str]]:
    import csv
    import io

    before = csv.field_size_limit(MAX_FIELD)
    number = 0
    try:
        reader = csv.reader(io.StringIO(content, newline=""), strict=True, delimiter=delimiter)
        for number, cells in enumerate(filter(None, reader), 1):
            if len(cells) > MAX_VALUES:
                raise BadFile(f"row {number} has too many cells", "Export the file again.")
            yield cells
    except csv.Error as error:
        raise BadFile(
            f"the file is no CSV after row {number}: {error}",
            "A quote in it is written wrongly: mend it, export again.",
        ) from None
    finally:
        csv.field_size_limit(before)


def write_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a CSV file: each cell in quotes, so that nothing of it is changed by a reader.

    A cell that a spreadsheet would take for a formula stays as it is: another manager would import a mark that guards
    it as part of the password.
    """
    import csv
    import io

    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def load_json(data: bytes) -> Any:
    """Read a JSON document."""
    import json

    content = text(data)
    if sum(map(content.count, "[{,")) > MAX_VALUES:
        raise BadFile("the document holds too many values", "Export it in parts.")
    try:
        found = json.loads(content, object_pairs_hook=_object, parse_constant=_constant)
        if "\\ud" in content or "\\uD" in content:
            json.dumps(found, ensure_ascii=False).encode()
    except RecursionError:
        raise BadFile("the document is nested too deeply", "Export it again.") from None
    except UnicodeEncodeError:
        raise BadFile("the document holds half of a character", "Export it again.") from None
    except json.JSONDecodeError as error:
        raise BadFile(f"line {error.lineno} is no JSON: {error.msg}", "Export it again.") from None
    except ValueError as error:
        if isinstance(error, BadFile):
            raise
        raise BadFile("the document holds a number of too many digits", "Export it again.") from None
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = printable(min(name for name in names if names.count(name) > 1))
        raise BadFile(f"the document has '{twice}' twice in one object", "Export it again.")
    return found


def _constant(name: str) -> None:
    raise BadFile(f"the document holds {name}, which is no JSON", "Export it again.")


class Zip:
    """A zip archive in memory."""

    def __init__(self, data: bytes) -> None:
        import io
        import zipfile

        if data.count(b"PK\x01\x02") > MAX_MEMBERS:
            raise BadFile(f"the archive holds more than {MAX_MEMBERS} files", "Export it in parts.")
        try:
            self._zip: ZipFile = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError, UnicodeDecodeError):
            raise BadFile("the archive is damaged", "Export it again.") from None
        self._members: dict[str, ZipInfo] = {}
        for each in self._zip.infolist():
            self._check(each)
            if not each.is_dir():
                self._members[each.filename] = each
        self._budget = MAX_INFLATED

    def names(self) -> list[str]:
        """Return the paths of its files, in the archive's order."""
        return list(self._members)

    def read(self, name: str, limit: int = MAX_READ) -> bytes:
        """Return the bytes of a file."""
        import zipfile
        import zlib

        member = self._members.get(name)
        if member is None:
            raise BadFile(f"the archive does not hold '{printable(name)}'", "Export it again.")
        limit = min(limit, self._budget)
        if member.file_size > limit:
            raise BadFile(f"'{printable(name)}' in the archive is too large", "Export it in parts.")
        try:
            with self._zip.open(member) as file:
                data = file.read(limit + 1)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, RuntimeError, ValueError):
            raise BadFile(f"'{printable(name)}' in the archive is damaged", "Export it again.") from None
        if len(data) > limit:
            raise BadFile(f"'{printable(name)}' in the archive is too large", "Export it in parts.")
        self._budget -= len(data)
        return data

    def _check(self, member: ZipInfo) -> None:
        name = member.filename
        shown = printable(name)
        if name.startswith("/") or "\\" in name or ".." in name.split("/") or name[1:2] == ":":
            raise BadFile(f"the archive holds '{shown}', which would lie elsewhere", "It is not to be trusted.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise BadFile(f"'{shown}' in the archive is a symlink", "It is not to be trusted.")
        if member.flag_bits & 1:
            raise BadFile(f"'{shown}' in the archive is encrypted", "Export it without a password of the archive.")
        if member.compress_type not in (0, 8):
            raise BadFile(f"'{shown}' in the archive is compressed in a way that is not read", "Export it again.")
        if name in self._members:
            raise BadFile(f"the archive holds '{shown}' twice", "Export it again.")
