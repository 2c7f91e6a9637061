"""`clave env`: the variables of a program, written for a shell or another reader of them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from clave.cli import _output, _variables
from clave.cli._app import pass_app
from clave.delivery import formats, resolving
from clave.errors import UsageError
from clave.store import layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from clave.cli._app import App
    from clave.delivery.choosing import Chosen
    from clave.delivery.resolving import Resolved

_DOCUMENTS = ("json", "yaml", "k8s-secret")  # they can hold what no environment can: a NUL, more than 128 KiB
_FILES = ("k8s-secret",)  # whose reader makes files of values as easily as variables


@click.command(name="env")
@_variables.chosen
@click.option("--format", "form", type=click.Choice([*formats.FORMATS]), default="sh", show_default=True,
              help="Who will read it.")  # fmt: skip
@click.option("--name", "secret_name", metavar="NAME", help="With k8s-secret: the name of the Secret.")
@click.option("--show", is_flag=True, help="Print the values although it is a terminal that they go to.")
@click.option("--direnv-lib", is_flag=True, help="Print what makes 'use clave' known to direnv.")
@pass_app
def command(
    app: App,
    *,
    choose: Callable[[App], Chosen],
    form: str,
    secret_name: str | None,
    show: bool,
    direnv_lib: bool,
) -> None:
    """Print variables for a shell, or for another program that reads them.

    Which, the manifest says, clave.toml in this folder or one above; -e adds more. What the reader then has is each
    value byte for byte; where its format cannot carry one, nothing is printed. A program that you start gets its
    secrets better from `clave exec`: then no other has them.

    \b
    eval "$(clave env)"                    sh, bash, zsh: with the quotes
    vars=$(clave env) && eval "$vars"      in a script, which shall end if it fails
    clave env --format fish | source       fish
    docker run --env-file <(clave env --format docker) IMAGE
    clave env --format k8s-secret --name db | kubectl apply -f -
    clave env --format github              a step of a GitHub job: masks for its log, values for the next ones
    clave env --direnv-lib > ~/.config/direnv/lib/clave.sh; echo 'use clave' >> .envrc

    dotenv is for python-dotenv, npm's dotenv and Node.js: what one of them would read differently is refused. docker is
    for docker run; what Compose reads is neither of the two: start it with `clave exec`.
    """
    if direnv_lib:
        from clave.delivery.formats import direnv

        sys.stdout.write(direnv.LIBRARY)
        return
    if (form == "k8s-secret") != (secret_name is not None):
        raise UsageError("--format k8s-secret and --name belong together", "Give both, or none of them.")
    if sys.stdout.isatty() and not show:
        raise UsageError(
            "these are secrets, and this is a terminal", 'Use them: eval "$(clave env)"; or see them: --show.'
        )
    chosen = choose(app)
    resolved = resolving.resolve(chosen.store, chosen.variables, environment=form not in _DOCUMENTS)
    _output.value(_written(form, resolved, secret_name) + (_watches(chosen) if form == "direnv" else b""))


def _written(form: str, resolved: list[Resolved], secret_name: str | None) -> bytes:
    """Return what goes to stdout. For a GitHub job, those are the masks: the values go to its file."""
    variables = [(each.name, each.value) for each in resolved]
    in_files = [each.name for each in resolved if each.as_file and form not in _FILES]
    if in_files:
        raise UsageError(
            f"{', '.join(in_files)}: only 'clave exec' hands a secret over in a file",
            f"Leave it out: --except {','.join(in_files)}.",
        )
    if form == "k8s-secret":
        from clave.delivery.formats import k8s_secret

        return k8s_secret.write(variables, secret_name or "")
    if form != "github":
        return formats.load(form).write(variables)
    from clave.delivery.formats import github

    data = github.write(variables)
    # Before any step can show a value; that of a plain setting (`info`, `1`) would mask half of the log.
    _output.value(github.masks(mask for each in resolved for mask in (*each.masks, each.value) if each.masks))
    github.append(os.environ.get("GITHUB_ENV", ""), data)
    return b""


def _watches(chosen: Chosen) -> bytes:
    from clave.delivery.formats import direnv

    names = sorted({each.name for variable in chosen.variables for each in variable.references})
    entries = [layout.entry_file(chosen.store.root, name) for name in names]
    return direnv.watches([*(asking.path for asking in chosen.asking), *entries])
