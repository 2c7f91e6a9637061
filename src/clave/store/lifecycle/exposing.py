"""What somebody who is gone could ever read, or wrote, and is still in use: the values that have to be changed.

All of it comes from the history: which blob was encrypted to whom (`openers`), who they were (`holders`), and which of
them share secrets with what is there now (`rotation.values`). Nothing is decrypted, so a commit is believed that says
that a value is new. `deep` believes nothing: what they could open is decrypted, as far as the user can, and its secrets
are looked for in what is there now. That catches a value that was called new and is not, and settles what another
program wrote.

What no history knows is not here: other clones, screenshots, what others gave away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clave.errors import CannotDecrypt, ClaveError, NotFound
from clave.model.secret import secrets_in
from clave.rotation.exposure import READ, WROTE, Exposed, Somebody, exposed
from clave.rotation.pending import value_in
from clave.store.lifecycle import accepted, ages, former_ids, holders
from clave.store.lifecycle.openers import HIDDEN, Openers
from clave.vcs import changes, reading

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from clave.rotation.policy import Policy
    from clave.store.lifecycle.ages import History
    from clave.store.lifecycle.holders import Holders
    from clave.store.store import Store


class Exposure(NamedTuple):
    """A value in use that somebody knows, or may know.

    `since` is in Unix seconds. `how` is read, wrote or possibly (`rotation.exposure`), `partly`: some of its secrets
    are new since. `accepted` is the reason why it stays as it is, "" where it does not. `owner` and `driver` are what
    the policy says of the entry, "" for nothing.
    """

    name: str
    who: str
    since: int
    how: str
    partly: bool
    accepted: str = ""
    owner: str = ""
    driver: str = ""


class Found(NamedTuple):
    """What was found: of whom, the values, and how many blobs they could open that no commit of this branch names.

    `claims`: who wrote what is the claim of unsigned commits. `unread` are the blobs that `deep` could not open.
    `by_recipients`: some ids were taken for theirs by old `.gpg-id` files (`former_ids`).
    """

    who: tuple[str, ...]
    values: tuple[Exposure, ...]
    unnamed: int = 0
    claims: bool = False
    unread: int = 0
    by_recipients: bool = False


def exposures(
    store: Store, who: str | None, *, deep: bool = False, progress: Callable[[int, int], object] | None = None
) -> Found:
    """Return what is exposed to somebody; None: to everybody who once could read an entry and cannot any more.

    Raises NotFound for somebody whom nobody knows, GitFailed for a store without history, VerificationFailed.
    """
    store.require_verified()
    past = _Past(store)
    people, by_recipients = past.named(who) if who is not None else (past.everybody(), False)
    found = [each for person in people for each in past.exposed(person, former=who is None)]
    unread = 0
    if deep:
        found, unread = _compared(store, past, found, people, progress, former=who is None)
    reasons = accepted.reasons(past.history, past.maker)
    policy = _policy(store)
    values = [
        Exposure(*each[:5], reasons.get((each.name, each.who), ""), *_charged(policy, each.name)) for each in found
    ]
    unnamed = past.unnamed(people) if who is not None else 0
    past.openers.remember()
    names = tuple(dict.fromkeys(each.name for each in people)) if who is not None else ()
    return Found(names, tuple(sorted(values)), unnamed, not past.holders.is_team, unread, by_recipients)


def exposed_names(store: Store) -> dict[str, tuple[str, ...]]:
    """Return the entries whose value somebody knows who cannot read them any more, with who, but for accepted ones."""
    found: dict[str, tuple[str, ...]] = {}
    for each in exposures(store, None).values:
        if not each.accepted:
            found[each.name] = (*found.get(each.name, ()), each.who)
    return found


def _policy(store: Store) -> Policy | None:
    """Return the policy, None for a broken one: what is known to whom does not depend on it."""
    from clave.store.lifecycle import policies

    try:
        return policies.policy(store)
    except ClaveError:
        return None


def _charged(policy: Policy | None, name: str) -> tuple[str, str]:
    """Return who owns an entry, and its driver."""
    rule = policy.rule(name) if policy else None
    return (rule.owner or "", rule.driver or "") if rule else ("", "")


class _Past:
    """A store's history, read once for all questions."""

    def __init__(self, store: Store) -> None:
        self.history: History = ages.read(store)
        self.openers = Openers(self.history.repository)
        self.origins = self.history.trace.origins
        self.sharing = self.history.sharing
        self.readers = self.openers.readers(self.origins)
        known = {key for blob in self.origins for key in self.readers.get(blob, ())} - {HIDDEN}
        self.holders: Holders = holders.of(store, self.history, known)
        commits = {origin.commit for origin in self.origins.values()}
        self._signed: Mapping[str, str] = self.openers.signers(commits) if self.holders.is_team else {}
        self._authors = self.history.trace.authors

    def named(self, who: str) -> tuple[list[Somebody], bool]:
        """Return whom a name means, and whether ids of theirs had to be found by old `.gpg-id` files."""
        people = self.holders.people
        unknown = {name for name, keys in people.items() if keys == {name}}
        try:
            found = holders.named(self.holders, who, self._signed, self._authors)
        except NotFound:
            ids = former_ids.behind(self.history, [who], holders.keys_of(who), self.readers, unknown) if unknown else ()
            if not ids:
                raise
            made = (commit for commit, email in self._authors.items() if email.casefold() == who.casefold())
            return [Somebody(who, frozenset(ids), frozenset(() if self.holders.is_team else made))], True
        if not unknown:
            return found, False
        more = [each._replace(keys=each.keys | self._more(each, unknown)) for each in found]
        return more, more != found

    def _more(self, person: Somebody, unknown: Collection[str]) -> frozenset[str]:
        """Return the ids of subkeys that somebody had and that no certificate has any more."""
        if person.name in unknown:
            return frozenset()
        names = self.holders.addresses.get(person.name, frozenset())
        return former_ids.behind(self.history, names, person.keys, self.readers, unknown)

    def maker(self, commit: str) -> str:
        """Return who signed a commit of a team's store, "" for nobody who is known."""
        if not self.holders.is_team:
            return ""
        ids = holders.ids_of(self.openers.signers([commit]).get(commit, ""))
        return next((name for name, keys in self.holders.people.items() if ids & keys), "")

    def everybody(self) -> list[Somebody]:
        return [holders.somebody(self.holders, name, self._signed, self._authors) for name in self.holders.people]

    def exposed(self, person: Somebody, *, former: bool) -> Iterable[Exposed]:
        """Yield what is exposed to a person; `former`: but for the entries that they can read today."""
        for each in exposed(
            person, self.entries(person, former=former), self.sharing, self.origins, self.readers, HIDDEN
        ):
            # Of those who are still there only what they could once read is known to be more than they have today.
            if not former or each.how == READ or person.name in self.holders.gone:
                yield each

    def entries(self, person: Somebody, *, former: bool) -> Mapping[str, str]:
        """Return the entries that count for a person: with `former` those that they cannot read today."""
        entries = self.history.entries
        if not former:
            return entries
        return {name: blob for name, blob in entries.items() if person.keys.isdisjoint(self.readers.get(blob, ()))}

    def unnamed(self, people: Sequence[Somebody]) -> int:
        """Return how many blobs these could open that are no version of an entry or a rotation of this history."""
        repository = self.history.repository
        others = [blob for blob in changes.all_blobs(repository) if blob not in self.origins]
        readers = self.openers.readers(others)
        return sum(any(not each.keys.isdisjoint(readers.get(blob, ())) for each in people) for blob in others)


def _compared(
    store: Store,
    past: _Past,
    found: Sequence[Exposed],
    people: Sequence[Somebody],
    progress: Callable[[int, int], object] | None,
    *,
    former: bool,
) -> tuple[list[Exposed], int]:
    """Return what is exposed by the plaintexts; where one of them cannot be read, by the history as before."""
    from clave.openpgp.bulk import decrypt_many

    opened = {
        person.name: [b for b in past.origins if not person.keys.isdisjoint(past.readers.get(b, ()))]
        for person in people
    }
    by_history = {(each.name, each.who): each for each in found}
    wanted = dict.fromkeys([*past.history.entries.values(), *(b for blobs in opened.values() for b in blobs)])
    wanted |= dict.fromkeys(blob for each in found for blob in each.blobs)
    texts: dict[str, frozenset[bytes]] = {}
    data = reading.objects(past.history.repository, wanted, "blob")
    for done, (blob, plaintext) in enumerate(decrypt_many(data, options=store.options), 1):
        if not isinstance(plaintext, CannotDecrypt):
            texts[blob] = secrets_in(value_in(plaintext) if blob in past.history.trace.pending else plaintext)
        if progress:
            progress(done, len(wanted))
    result: list[Exposed] = []
    for person in people:
        known: dict[bytes, int] = {}
        for blob in dict.fromkeys([*opened[person.name], *_made(found, person)]):
            for secret in texts.get(blob, ()):
                known[secret] = min(known.get(secret, past.origins[blob].time), past.origins[blob].time)
        for name, blob in past.entries(person, former=former).items():
            before = by_history.get((name, person.name))
            if blob not in texts or (before and any(each not in texts for each in before.blobs)):
                result += [before] if before else []
                continue
            shared = [known[secret] for secret in texts[blob] if secret in known]
            if shared:
                how = before.how if before else READ
                result.append(Exposed(name, person.name, min(shared), how, len(shared) < len(texts[blob])))
    return result, len(wanted) - len(texts)


def _made(found: Iterable[Exposed], person: Somebody) -> list[str]:
    return [blob for each in found if each.who == person.name and each.how == WROTE for blob in each.blobs]
