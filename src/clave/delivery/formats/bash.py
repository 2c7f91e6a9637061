"""For bash: `eval "$(clave env --format bash)"`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.delivery.formats import _ansi_c

if TYPE_CHECKING:
    from clave.delivery.formats import Variables

# Those that bash(1) lets nobody assign, or that have another value, or none for a child, when they are read.
_OWN = (
    "_ BASHOPTS BASHPID BASH_ALIASES BASH_ARGC BASH_ARGV BASH_ARGV0 BASH_CMDS BASH_COMMAND BASH_LINENO BASH_SOURCE "
    "BASH_SUBSHELL BASH_VERSINFO COMP_CWORD COMP_LINE COMP_POINT COMP_WORDS DIRSTACK EPOCHREALTIME EPOCHSECONDS EUID "
    "FUNCNAME GROUPS HISTCMD IFS LINENO OPTERR OPTIND PIPESTATUS POSIXLY_CORRECT PPID RANDOM SECONDS SHELLOPTS SHLVL "
    "SRANDOM UID"
)
SPECIAL = frozenset(_OWN.split())


def write(variables: Variables) -> bytes:
    """Return commands that export the variables. Raises Refused."""
    return _ansi_c.exports(variables, SPECIAL, "bash")
