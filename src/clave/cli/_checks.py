"""What commands check before they begin. Loaded also where click is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.cli import _ask
from clave.errors import Finding, UsageError
from clave.store import layout

if TYPE_CHECKING:
    from clave.store.store import Store


def exclusive(**given: object) -> None:
    """Raise UsageError if more than one of the named options was given (names with `_` for `-`)."""
    names = [f"--{name.replace('_', '-')}" for name, value in given.items() if value]
    if len(names) > 1:
        raise UsageError(f"{' and '.join(names)} exclude each other", "Give one of them.")


def replacing(store: Store, name: str, *, force: bool) -> None:
    """Ask before an entry is overwritten, as pass does. Raises UsageError, or Finding for a no."""
    if force or not layout.is_entry(store.root, name):
        return
    question = f"An entry already exists for {name}. Overwrite it?"
    if not _ask.confirm_loss(question, force_hint="Overwrite it with -f."):
        raise Finding(f"{name} was left as it is")


def require_strength(store: Store, name: str, plaintext: bytes) -> None:
    """Check that the password of an entry that somebody typed is as strong as the policy of the store wants.

    A key file has no password. Raises Finding, and UsageError for a broken policy.
    """
    from clave.store.lifecycle import policies

    rule = policies.rule(store, name)
    if rule is not None and rule.min_entropy:
        from clave.model.secret import Secret, is_whole

        if not is_whole(plaintext):
            policies.require_strength(rule, name, Secret(plaintext).password)
