"""For zsh: `eval "$(clave env --format zsh)"`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.delivery.formats import _ansi_c

if TYPE_CHECKING:
    from clave.delivery.formats import Variables

# Those that zshparam(1) and its modules make read-only, numbers, lists or tied to another. To set USERNAME or UID
# means to become that user.
_OWN = (
    "ARGC CDPATH COLUMNS EGID EPOCHREALTIME EPOCHSECONDS ERRNO EUID FIGNORE FPATH FUNCNEST GID HISTCHARS HISTCMD "
    "HISTSIZE IFS KEYBOARD_HACK KEYTIMEOUT LINENO LINES LISTMAX LOGCHECK MAILCHECK MAILPATH MANPATH MODULE_PATH "
    "OPTIND PPID PROMPT PROMPT2 PROMPT3 PROMPT4 PS1 PS2 PS3 PS4 PSVAR RANDOM SAVEHIST SECONDS SHLVL SPROMPT "
    "TRY_BLOCK_ERROR TRY_BLOCK_INTERRUPT TTYIDLE UID USERNAME WATCH ZSH_EVAL_CONTEXT ZSH_SUBSHELL _ aliases argv "
    "builtins cdpath commands dirstack dis_aliases dis_builtins dis_functions dis_functions_source dis_galiases "
    "dis_patchars dis_reswords dis_saliases epochtime errnos fignore fpath funcfiletrace funcsourcetrace funcstack "
    "functions functions_source functrace galiases histchars history historywords jobdirs jobstates jobtexts "
    "keymaps langinfo mailpath manpath mapfile module_path modules nameddirs options parameters patchars path "
    "pipestatus prompt psvar reswords saliases signals status sysparams termcap terminfo userdirs usergroups watch "
    "widgets zle_bracketed_paste zsh_eval_context zsh_scheduled_events"
)
SPECIAL = frozenset(_OWN.split())


def write(variables: Variables) -> bytes:
    """Return commands that export the variables. Raises Refused."""
    return _ansi_c.exports(variables, SPECIAL, "zsh")
