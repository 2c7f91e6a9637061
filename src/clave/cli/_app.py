"""The state of one run, as click hands it to a command."""

from __future__ import annotations

import click

from clave.cli._state import App

__all__ = ["App", "pass_app"]

pass_app = click.make_pass_decorator(App)
