"""Trees and lists of names on stdout."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from clave.cli import _output
from clave.model.text import printable
from clave.store import layout
from clave.store.listing import HEADER, draw, unicode_branches

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clave.store.layout import Node
    from clave.store.store import Store


def show_folder(store: Store, folder: str, *, flat: bool = False, as_json: bool = False) -> None:
    """Print what is in a folder, given as the user wrote it; `""` is the whole store."""
    plain = folder.strip("/")
    if as_json:
        _output.json({"folder": plain, "entries": layout.entries(store.root, plain)})
    elif flat:
        names(layout.entries(store.root, plain))
    else:
        tree(printable(folder.removesuffix("/")) or HEADER, layout.tree(store.root, plain))


def tree(header: str, nodes: Sequence[Node]) -> None:
    """Print a header and a tree in one go."""
    colour = _output.coloured(sys.stdout)
    lines = draw(nodes, colour=colour, unicode=unicode_branches(os.environ))
    sys.stdout.write(f"{header}\n{lines}")


def names(found: Iterable[str]) -> None:
    """Print names, one a line."""
    sys.stdout.write("".join(f"{printable(name)}\n" for name in found))
