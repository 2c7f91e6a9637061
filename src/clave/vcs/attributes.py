"""The marked block in `.git/info/attributes` that keeps everybody's filters and line ends away from our files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clave.vcs.git import Repository

_ATTRIBUTES = """\
# clave: begin (entries and store files are kept byte for byte)
*.gpg -text -eol -filter -ident -working-tree-encoding merge=binary
.gpg-id -text -eol -filter -ident -working-tree-encoding
# clave: end
"""


def protect_attributes(repository: Repository) -> None:
    """Keep one marked block in `.git/info/attributes`: no filter or line-end rule of anybody touches our files."""
    path = os.path.join(repository.common_dir, "info", "attributes")
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
    except FileNotFoundError:
        text = ""
    if _ATTRIBUTES in text:
        return
    before, begin_mark, rest = text.partition(_ATTRIBUTES.splitlines(keepends=True)[0])
    if begin_mark:
        rest = rest.partition(_ATTRIBUTES.splitlines(keepends=True)[-1])[2]
    if before and not before.endswith("\n"):
        before += "\n"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # Ours come last: within one file the last line that sets an attribute wins (gitattributes(5)).
    with open(path + ".clave", "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(before + rest + _ATTRIBUTES)
    os.replace(path + ".clave", path)
