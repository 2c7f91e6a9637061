"""What a roster changes of the one before, in words: a line for each thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.team.facts import facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from clave.team.facts import Facts
    from clave.team.roster import Roster


def words(before: Roster | None, after: Roster) -> list[str]:
    """Return what `after` changes of `before`; of a first roster, all that it says."""
    old = facts(before) if before else {}
    new = facts(after)
    return [*_members(old, new), *_keys(old, new), *_groups(old, new), *_folders(old, new), *_rights(old, new, after)]


def lapsed(roster: Roster, today: date) -> list[str]:
    """Return a sentence for each right that was meant to end before today."""
    return [
        f"that {grant.who} may {right} {path or '.'} was meant to end on {grant.until}: "
        f"clave revoke {grant.who} {path or '.'}, or grant it anew"
        for path, right, grant in roster.lapsed(today)
    ]


def folder_words(path: str) -> str:
    """Return how a folder is called in a sentence."""
    return path or "the store's own folder"


def _members(old: Facts, new: Facts) -> Iterator[str]:
    for name in _names(old, new, "member"):
        was, now = old.get(("member", name)), new.get(("member", name))
        if was is None:
            yield f"{name} is a member ({now})" if now != "member" else f"{name} is a member"
        elif now is None:
            yield f"{name} is no member any more ({_reason(old, new, name)})"
        elif was != now:
            yield f"{name} is {now}, and was {was}"


def _reason(old: Facts, new: Facts, name: str) -> str:
    """Return why somebody was removed: it stands with the keys that they had until then."""
    had = [fact for fact, value in old.items() if fact[0] == "key" and value == (name, "", "")]
    reasons = {value[1] for fact in had if isinstance(value := new.get(fact), tuple)}
    return ", ".join(sorted(reasons))


def _keys(old: Facts, new: Facts) -> Iterator[str]:
    for fpr in _names(old, new, "key"):
        was, now = old.get(("key", fpr)), new.get(("key", fpr))
        if not isinstance(now, tuple):
            continue
        name, reason, last_good = now
        is_member = ("member", name) in new
        if was != now and reason and is_member:
            yield f"the key {fpr} of {name} was {reason}{_until(last_good)}"
        elif was != now and reason and last_good:
            yield f"the key {fpr} of {name} counts up to commit {last_good[:12]}"
        elif was != now and not reason:
            yield f"{name} has the key {fpr}"
        elif not reason:
            yield from _subkeys(old, new, fpr, name)


def _until(last_good: str) -> str:
    return f", and counts up to commit {last_good[:12]}" if last_good else ""


def _subkeys(old: Facts, new: Facts, fpr: str, name: str) -> Iterator[str]:
    def current(found: Facts) -> set[str]:
        return {fact[2] for fact, value in found.items() if fact[:2] == ("subkey", fpr) and value}

    for subkey in sorted(current(new) - current(old)):
        yield f"{name} has the encryption subkey {subkey}"
    for subkey in sorted(current(old) - current(new)):
        yield f"the encryption subkey {subkey} of {name} is retired"


def _groups(old: Facts, new: Facts) -> Iterator[str]:
    for group in _names(old, new, "group"):
        was, now = (
            {fact[2] for fact in found if fact[:2] == ("in", group)} if ("group", group) in found else None
            for found in (old, new)
        )
        if now is None:
            yield f"the group @{group} is gone"
            continue
        joined, left = sorted(now - (was or set())), sorted((was or set()) - now)
        if was is None or joined:
            yield f"{_list(joined)} {_are(joined)} in the group @{group}"
        if left:
            yield f"{_list(left)} {_are(left)} in the group @{group} no more"


def _are(names: list[str]) -> str:
    return "are" if len(names) > 1 else "is"


def _folders(old: Facts, new: Facts) -> Iterator[str]:
    for path in _names(old, new, "folder"):
        was, now = (found.get(("folder", path), True) for found in (old, new))
        if was != now:
            yield f"{folder_words(path)} inherits {'again' if now else 'no more'}"


def _rights(old: Facts, new: Facts, after: Roster) -> Iterator[str]:
    """Yield who was given or lost which right; what somebody who is gone had is not said."""
    changed: dict[tuple[str, str, str, str], list[str]] = {}  # the rights, by folder, who, and what is so now
    for fact in sorted({*old, *new}):
        if fact[0] in ("read", "write") and old.get(fact) != new.get(fact):
            right, path, who = fact
            if fact in new:
                end = f" (until {new[fact]})" if new[fact] else ""
                changed.setdefault((path, "may", end, who), []).append(right)
            elif who.startswith("@") or ("member", who) in new:
                keeps = who in (after.readers(path) if right == "read" else after.writers(path))
                may, end = ("may", ", now by another right") if keeps else ("may not", " any more")
                changed.setdefault((path, may, end, who), []).append(right)
    together: dict[tuple[str, str, str, str], list[str]] = {}  # who, by the rest of the sentence
    for (path, may, end, who), rights in changed.items():
        together.setdefault((path, may, " and ".join(rights), end), []).append(who)
    for (path, may, rights_said, end), names in sorted(together.items()):
        yield f"{', '.join(sorted(names))} {may} {rights_said} {folder_words(path)}{end}"


def _names(old: Facts, new: Facts, kind: str) -> list[str]:
    return sorted({fact[1] for fact in (*old, *new) if fact[0] == kind})


def _list(names: Iterable[str]) -> str:
    return ", ".join(names) or "nobody"
