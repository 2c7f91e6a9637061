"""The question for an OTP secret, which `insert` and `append` share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clave.cli import _ask
from clave.errors import Finding, UsageError
from clave.store import otp

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of pass-otp; it gets `force`, `echo`, `secret`, `issuer`, `account`."""
    for option in (
        click.option("-a", "--account", metavar="ACCOUNT", default="", help="With -s: whose code it is."),
        click.option("-i", "--issuer", metavar="ISSUER", default="", help="With -s: where it is asked for."),
        click.option("-s", "--secret", is_flag=True, help="Ask for the bare base32 secret instead of a URI."),
        click.option("-e", "--echo", is_flag=True, help="Ask once, and show what is typed."),
        click.option("-f", "--force", is_flag=True, help="Overwrite without a question."),
    ):
        function = option(function)
    return function


def ask(prompt: str, *, echo: bool, secret: bool, issuer: str, account: str) -> str:
    """Ask for a URI, or for a secret to make one of; from a pipe one line is read. Raises UsageError, Finding."""
    if secret and not (issuer or account):
        raise UsageError("Missing one of either '--issuer' or '--account'")
    if not secret and (issuer or account):
        raise UsageError("a URI has its own issuer and account", "Give --issuer and --account with --secret.")
    what = "secret" if secret else "otpauth:// URI"
    answer = _ask.line(f"Enter {what} for {prompt}: ") if echo else _ask.hidden(f"Enter {what} for {prompt}: ")
    if _ask.interactive() and not echo and _ask.hidden(f"Retype {what} for {prompt}: ") != answer:
        raise Finding(f"the entered {'secrets' if secret else 'URIs'} do not match")
    answer = answer.strip()
    if secret:
        return otp.build(answer, issuer=issuer, account=account)
    otp.parse(answer)
    return answer
