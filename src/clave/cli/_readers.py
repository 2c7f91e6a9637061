"""Who can read an entry, in words and in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clave.openpgp.keys import Recipient
    from clave.store.audience import Audience, Difference, Holder


def audience_line(audience: Audience) -> str:
    """Return `NAME: Alice <…>, Bob <…>`."""
    said = audience.flaw or ", ".join([*map(_holder, audience.holders), *_hidden(audience.hidden)])
    return f"{printable(audience.name)}: {printable(said)}"


def difference_line(difference: Difference) -> str:
    """Return `NAME: not for Alice <…>; also for Bob <…>`."""
    if difference.flaw:
        return f"{printable(difference.name)}: {printable(difference.flaw)}"
    lacking = {recipient.fingerprint: recipient for recipient in difference.lacking}
    # Somebody's key that the new one has taken the place of: it is the same reader.
    older = [each for each in difference.extra if each.owner and each.owner.fingerprint in lacking]
    renewed = {each.owner.fingerprint for each in older if each.owner}
    others = [each for each in difference.extra if each not in older]
    missing = [each for each in difference.lacking if each.fingerprint not in renewed]
    parts = [
        ("not for ", [recipient.user_id for recipient in missing]),
        ("for another key of ", list(dict.fromkeys(_holder(each) for each in older))),
        ("also for ", [*map(_holder, others), *_hidden(difference.hidden)]),
    ]
    said = "; ".join(before + ", ".join(who) for before, who in parts if who)
    return f"{printable(difference.name)}: {printable(said)}"


def holder_rows(holders: Iterable[Holder]) -> list[dict[str, object]]:
    """Return keys as JSON has them."""
    return [
        {
            "key_id": each.key_id,
            "fingerprint": each.owner and each.owner.fingerprint,
            "user_id": each.owner and each.owner.user_id,
        }
        for each in holders
    ]


def recipient_rows(recipients: Iterable[Recipient]) -> list[dict[str, object]]:
    """Return readers as JSON has them."""
    return [{"key_id": each.key_id, "fingerprint": each.fingerprint, "user_id": each.user_id} for each in recipients]


def _holder(holder: Holder) -> str:
    return holder.owner.user_id if holder.owner else f"the unknown key {holder.key_id}"


def _hidden(count: int) -> list[str]:
    return [f"{count} hidden {'recipient' if count == 1 else 'recipients'}"] if count else []
