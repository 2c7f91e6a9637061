"""For direnv: `use clave` in an `.envrc`, which is a script for bash.

direnv keeps what it set in a variable of its own, DIRENV_DIFF, as JSON, compressed: so a value must be text, and all
of them together small enough.
"""

from __future__ import annotations

import zlib
from base64 import b64encode
from json import dumps
from typing import TYPE_CHECKING

from clave.delivery.formats import Refused, _ansi_c, text
from clave.delivery.formats.bash import SPECIAL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clave.delivery.formats import Variables

_ROOM = 100_000  # bytes of DIRENV_DIFF; Linux takes 131,072 for one variable, and what was there before is in it too
_OWN = SPECIAL | {"OLDPWD", "PWD", "SHELL", "SHLVL", "COMP_WORDBREAKS", "PS1"}  # direnv leaves them as they were

LIBRARY = """\
# For direnv: makes `use clave [OPTION…]` in an .envrc set what clave.toml asks for.
# Put there by: clave env --direnv-lib > ~/.config/direnv/lib/clave.sh
use_clave() {
    local commands
    watch_file "$(find_up clave.toml || echo clave.toml)"
    if ! commands=$(clave env --format direnv "$@" </dev/null); then
        log_error "use clave: nothing is set; when that is mended: direnv reload"
        return 1
    fi
    eval "$commands"
}
"""


def write(variables: Variables) -> bytes:
    """Return commands for the script. Raises Refused."""
    values = {name: text(name, value, "direnv") for name, value in variables}
    commands = _ansi_c.exports(variables, _OWN, "direnv")
    if len(b64encode(zlib.compress(dumps(values).encode()))) > _ROOM:
        largest = max(values, key=lambda name: len(values[name]))
        raise Refused(largest, "all of them together are more than direnv can keep in DIRENV_DIFF", "Use clave exec.")
    return commands


def watches(paths: Iterable[str]) -> bytes:
    """Return the command that makes direnv look again when one of the files changes."""
    words = [_ansi_c.quote(path.encode("utf-8", "surrogateescape")) for path in paths]
    return b"".join(b"watch_file %s;\n" % word for word in words)
