"""What a name that is being typed can become: the names in the folder that it lies in so far.

Left out is what could not be shown or typed again: names with a control or reordering character, or that are not
text, and what can be no name of an entry (hidden, or with a leading dash).

Imported by the fast path: nothing heavy may be imported here.
"""

from __future__ import annotations

import os

from clave.model.name import SUFFIX
from clave.model.text import printable
from clave.store.layout import entries, inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def shown(text: str) -> bool:
    """Tell whether a text comes out as it is where it is shown."""
    return text != "" and printable(text) == text


def names(root: str, typed: str, *, folders_only: bool = False) -> Iterator[str]:
    """Yield entries and, with a slash at the end, folders of the folder in which the name typed so far lies.

    Also those that begin otherwise than what was typed.
    """
    folder, slash, _ = typed.rpartition("/")
    if (slash and not folder) or any(part[:1] in (".", "-", "") for part in folder.split("/") if slash):
        return
    path = os.path.join(root, folder)
    if folder and not inside(root, path):
        return
    try:
        found = sorted(os.scandir(path), key=_name)
    except OSError:
        return
    for item in found:
        if item.name[0] in ".-" or not shown(item.name):
            continue
        if item.is_dir():
            if not item.is_symlink() or inside(root, item.path):
                yield f"{folder}{slash}{item.name}/"
        elif item.name.endswith(SUFFIX) and not folders_only:
            yield folder + slash + item.name[: -len(SUFFIX)]


def names_anywhere(root: str) -> Iterator[str]:
    """Yield the entries of the whole store."""
    return (name for name in entries(root) if shown(name) and not any(part[0] == "-" for part in name.split("/")))


def _name(item: os.DirEntry[str]) -> str:
    return item.name
