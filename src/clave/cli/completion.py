"""`clave completion SHELL`."""

from __future__ import annotations

import click

from clave.cli import _output
from clave.errors import NotFound

# Named as each shell wants to find them in a folder of completions.
_SCRIPTS = {"bash": "clave.bash", "zsh": "_clave", "fish": "clave.fish"}


@click.command("completion")
@click.argument("shell", metavar="SHELL", type=click.Choice(tuple(_SCRIPTS)))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash   in ~/.bashrc:  eval "$(clave completion bash)"
    zsh    in ~/.zshrc, after compinit:  eval "$(clave completion zsh)"
    fish   clave completion fish > ~/.config/fish/completions/clave.fish

    An alias of clave (`alias pass=clave`) is completed too; in ~/.bashrc it must stand above that line. After
    `NAME#` come the fields of the entry, if its key needs no passphrase at the moment: none is asked for.
    """
    from importlib.resources import files

    package = files("clave")
    # The wheel has the scripts inside the package, a checkout at its top.
    for folder in (package / "data" / "completions", package / ".." / ".." / "completions"):
        script = folder / _SCRIPTS[shell]
        if script.is_file():
            _output.value(script.read_bytes())
            return
    raise NotFound(f"this installation has no completion script for {shell}", "Install clave again.")
