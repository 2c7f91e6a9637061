"""Whether a new commit may be trusted. The rules:

1. *One parent.* The commit is signed by a key of a member of the parent's roster, and every path that it changes is one
   that this member may change (`paths`). The roster grows by at most one, which follows the one before (`roster`) and
   is signed by an admin of the one before.
2. *A merge* has two parents and is judged by the one with the highest roster; equal numbers with different bytes are
   refused. The rosters of a merge are those of that parent. Its signer, and the signer of every commit that this parent
   does not reach, must satisfy *that* roster: so nothing that a removed member dates back, or merges, comes in. A
   commit of one side is refused if a certificate of the other side has its key revoked. Every path that differs from a
   clean three-way merge needs the right of the merge's signer, and none may go back to what it was before both sides.
3. *Readers.* Each `.gpg-id` is what the roster says, and there is no other. Each key of a member has its certificate,
   with the encryption subkeys that the roster names, and nothing else in the file. A blob that a commit makes (a merge:
   that neither parent has at that path) is encrypted to exactly one current subkey of each key of each reader of the
   folder. Blobs that were there may have older recipients: `rekey_due` tells. Its encrypted text is not that of another
   message with less recipients: whoever put it there cannot read it, and waits for somebody to encrypt it to them.
4. *The tree* holds what `paths` allows.
5. *Signatures.* A commit has exactly one, of the binary kind, with SHA-2, good by the certificates as they stood in the
   parent that judges it. So a later revocation takes nothing of the past back.
6. *History* begins with the pinned genesis, and is whole: a commit that is not there is refused, and so is one that
   goes back to another beginning. Of what came before genesis, its tree is trusted, nothing more.
7. *Unsigned* commits wait, and all that comes after them, until somebody who may change all their paths endorses them
   in a signed commit. What decides whom the store trusts (`.gpg-id`, `.clave/`, `.public-keys/`) cannot be endorsed.
8. *Keys in wrong hands.* A roster that removes keys with a `last_good` is refused while a file still is as it was left
   by a commit that such a key signed or endorsed and that `last_good` does not reach; the commit that brings the roster
   may endorse what was looked at.

Dates play no part: they are claims. Nothing here reads, runs or prints anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clave.model.text import printable
from clave.team import paths
from clave.team import roster as rosters
from clave.team.evidence import State
from clave.team.history import History
from clave.team.paths import Kind, place
from clave.team.progress import Progress
from clave.team.readers import recipients_problem, text_problem
from clave.team.tree import Tree
from clave.team.verdict import UNDO, Refusal, Refused, Rule, Verdict, Waiting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clave.team.evidence import Evidence, Signature
    from clave.team.history import Seen
    from clave.team.roster import Roster
    from clave.team.tree import File
    from clave.team.verdict import Pin

_SHA2 = frozenset(("SHA224", "SHA256", "SHA384", "SHA512"))


def verify(evidence: Evidence, pin: Pin, tip: str) -> Verdict:
    """Judge every commit that `tip` reaches and the pin's verified commit does not."""
    return _Verification(evidence, pin).run(tip)


class _Verification:
    """One run of `verify`."""

    def __init__(self, evidence: Evidence, pin: Pin) -> None:
        self.evidence = evidence
        self.pin = pin
        self.history = History(evidence, pin.genesis)
        self.ancestry = self.history.ancestry

    # The run: parents before children.

    def run(self, tip: str) -> Verdict:
        start = self.pin.verified
        try:
            new = self._new(tip)
            roster = self.history.roster_at(start) if start else None
        except Refused as refused:
            return Verdict(start, None, (self._refusal(tip, refused),))
        progress = Progress(self.ancestry, start)
        refusals: list[Refusal] = []
        for commit in new:
            if not progress.may_follow(commit):
                continue
            try:
                seen = self._judge(commit)
            except Refused as refused:
                refusals.append(self._refusal(commit, refused))
            except LookupError as missing:
                refusals.append(self._refusal(commit, _missing(missing)))
            else:
                endorses = seen.commit.endorses
                progress.accept(commit, roster=seen.roster.seq, unsigned=_is_unsigned(seen), endorses=endorses)
        if progress.good != start:
            roster = self.history.look(progress.good).roster
        waiting = tuple(map(self._waiting, filter(progress.waiting().__contains__, new)))
        return Verdict(progress.good, roster, tuple(refusals), waiting)

    def _new(self, tip: str) -> list[str]:
        """Return the commits to judge, parents first. Raises Refused unless all of them go back to the pin."""
        start = self.pin.verified or self.pin.genesis
        try:
            if not self.ancestry.reaches(tip, start):
                raise Refused(Rule.PIN, f"it does not come after the commit that was verified last, {start[:12]}")
            new = self.ancestry.split(tip, start).ours
            if not self.pin.verified:
                new |= {start}
            self._check_pin(start)
            for commit in new:
                if commit != self.pin.genesis and not self.ancestry.parents(commit):
                    raise Refused(Rule.HISTORY, f"it goes back to {commit[:12]}, which is not the pinned beginning")
        except LookupError as missing:
            raise _missing(missing) from None
        return sorted(new, key=lambda commit: (self.ancestry.generation(commit), commit))

    def _check_pin(self, start: str) -> None:
        first = self.history.tree(start).get(paths.roster_path(1))
        if first is None or rosters.digest(self.evidence.content(first.blob)) != self.pin.roster:
            raise Refused(Rule.PIN, "its first roster is not the pinned one")

    def _refusal(self, commit: str, refused: Refused) -> Refusal:
        return Refusal(commit, self._signer(commit), refused.rule, refused.problem, refused.advice)

    def _signer(self, commit: str) -> str:
        """Return who signed a commit, as well as can be told of one that is refused."""
        try:
            seen = self.history.look(commit)
            return _who(self.history.roster(self.history.judging(seen)), seen.signature)
        except (Refused, LookupError):
            return self._signer_unseen(commit)

    def _signer_unseen(self, commit: str) -> str:
        """Return who signed a commit that cannot be seen as it should, by what a parent of it, or the pin, knows."""
        found = "somebody"
        try:
            for parent in (*self.ancestry.parents(commit), self.pin.verified or self.pin.genesis):
                tree, roster = self.history.tree(parent), self.history.roster_at(parent)
                signature = self.evidence.signature(commit, self.history.certificates(tree, roster))
                found = _who(roster, signature)
                if signature.fingerprint in roster.owners:
                    break
        except (Refused, LookupError):
            pass
        return found

    def _waiting(self, commit: str) -> Waiting:
        seen = self.history.look(commit)
        roster = self.history.roster_at(seen.judge)
        endorsers = (
            member.name
            for member in roster.members
            if all(paths.may_change(roster, member.keys[0].fpr, path) for path in seen.touched)
        )
        return Waiting(commit, seen.touched, tuple(endorsers))

    # The judgement of one commit.

    def _judge(self, commit_id: str) -> Seen:
        """Return a commit that keeps all rules; raises Refused. Its parents have been judged."""
        seen = self.history.look(commit_id)
        if not seen.judge:
            self._judge_genesis(seen)
            return seen
        before = self.history.roster_at(seen.judge)
        if _is_unsigned(seen):
            self._check_waits(seen)
        else:
            _check_signature(before, seen.signature)
            _check_rights(before, seen.signature.fingerprint, seen.touched)
        self._check_endorsements(seen, before)
        if len(seen.commit.parents) == 2:
            self._check_merge(seen)
            self._check_sides(seen, before)
        else:
            self._check_next_roster(seen, before)
        # A clean merge may make twins; what the first parent has was looked at.
        _check_tree(seen.tree, self.history.tree(seen.commit.parents[0]))
        self._check_logs(seen)
        self._check_readers(seen)
        return seen

    def _judge_genesis(self, seen: Seen) -> None:
        roster, tree = seen.roster, seen.tree
        if _is_unsigned(seen):
            raise Refused(Rule.SIGNATURE, "it is not signed")
        _check_signature(roster, seen.signature)
        if not rosters.may_sign(roster, seen.signature.fingerprint):
            raise Refused(Rule.MEMBER, "it is not signed by an admin")
        self._check_roster_signature(tree, 1, tree, roster)
        self._check_roster_files(tree, 1)
        _check_tree(tree, Tree())
        self._check_gpg_ids(tree, roster)
        self._check_certificates(tree, roster)

    def _check_waits(self, seen: Seen) -> None:
        """An unsigned commit may wait for somebody to endorse it, unless nobody can."""
        for path in seen.touched:
            if paths.is_protected(path):
                raise Refused(
                    Rule.SIGNATURE,
                    f"it is not signed and changes {printable(path)}, which cannot be endorsed",
                    "Ask an admin to make the change with clave.",
                )

    def _check_endorsements(self, seen: Seen, before: Roster) -> None:
        """Whom a commit endorses comes before it, and its signer could have made those changes."""
        for endorsed in seen.commit.endorses:
            parents = seen.commit.parents
            if _is_unsigned(seen):
                raise Refused(Rule.ENDORSEMENT, "it endorses another commit and is not signed")
            if not self._is_before(endorsed, parents):
                raise Refused(
                    Rule.ENDORSEMENT, f"it endorses {printable(endorsed[:12])}, which does not come before it"
                )
            touched = self.history.look(endorsed).touched
            protected = [path for path in touched if paths.is_protected(path)]
            if protected:
                raise Refused(Rule.ENDORSEMENT, f"it endorses a change of {printable(protected[0])}")
            try:
                _check_rights(before, seen.signature.fingerprint, touched)
            except Refused as refused:
                raise Refused(
                    Rule.ENDORSEMENT, f"it endorses what its signer could not do: {refused.problem}"
                ) from None

    def _is_before(self, commit: str, later: Iterable[str]) -> bool:
        try:
            return any(self.ancestry.reaches(each, commit) for each in later)
        except LookupError:
            return False

    # Rule 2.

    def _check_merge(self, seen: Seen) -> None:
        """A merge brings no roster of its own and takes none away, and undoes nothing by the way."""
        if seen.tree.folder(paths.ROSTERS) != self.history.tree(seen.judge).folder(paths.ROSTERS):
            raise Refused(Rule.ROSTER, "it is a merge, and its rosters are not those of its parent with the highest")
        if seen.undone:
            raise Refused(Rule.MERGE, f"it sets {printable(seen.undone[0])} back to what it was before both sides")

    def _check_sides(self, seen: Seen, before: Roster) -> None:
        """What the parent that judges does not reach must satisfy its roster; no side uses what the other revoked."""
        judge = seen.judge
        other = next((parent for parent in seen.commit.parents if parent != judge), judge)
        split = self.ancestry.split(judge, other)
        endorsers = {
            endorsed: commit for commit in split.theirs for endorsed in self.history.look(commit).commit.endorses
        }
        for commit in sorted(split.theirs, key=self.ancestry.generation):
            found = self.history.look(commit)
            if _is_unsigned(found):
                if commit not in endorsers:
                    continue  # it waits: who endorses it later must satisfy this roster or a later one
                found = found._replace(signature=self.history.look(endorsers[commit]).signature)
            try:
                _check_member(before, found.signature)
                _check_rights(before, found.signature.fingerprint, found.touched)
            except Refused as refused:
                raise Refused(
                    refused.rule,
                    f"it merges commit {commit[:12]}, and by roster {before.seq} {refused.problem}",
                    "Leave that commit out of the merge; who may, makes its change again.",
                ) from None
        for side, tree in ((split.theirs, self.history.tree(judge)), (split.ours, self.history.tree(other))):
            for commit in side:
                self._check_not_revoked(self.history.look(commit), tree)
        self._check_not_revoked(seen, self.history.tree(other))

    def _check_not_revoked(self, seen: Seen, tree: Tree) -> None:
        """The key of a commit is not revoked in another tree's copy of its certificate."""
        fpr = seen.signature.fingerprint
        copy = tree.get(paths.certificate_path(fpr)) if fpr else None
        own = self.history.judging(seen).get(paths.certificate_path(fpr)) if fpr else None
        if copy and copy != own:
            state = self.evidence.signature(seen.commit.id, {fpr: copy.blob}).state
            if state is State.REVOKED:
                raise Refused(
                    Rule.SIGNATURE,
                    f"commit {seen.commit.id[:12]} is signed with a key that the other side of the merge has revoked",
                    "Its author signs it again with a valid key.",
                )

    # The roster, rule 1.

    def _check_next_roster(self, seen: Seen, before: Roster) -> None:
        changed = {path for path in seen.touched if place(path).kind is Kind.ROSTER}
        if not changed:
            return
        number = before.seq + 1
        wanted = {paths.roster_path(number), f"{paths.roster_path(number)}.sig"}
        if changed != wanted or not all(seen.tree.get(path) for path in wanted):
            path = min(changed - wanted, default="") or min(wanted - changed, default="") or min(wanted)
            raise Refused(
                Rule.ROSTER, f"it changes {printable(path)}, and may only add roster {number} and its signature"
            )
        problem = rosters.successor_problem(before, seen.roster)
        if problem:
            raise Refused(Rule.ROSTER, f"roster {number} does not follow: {problem}")
        self._check_roster_signature(seen.tree, number, self.history.tree(seen.judge), before)
        self._check_wrong_hands(seen, before)

    def _check_roster_files(self, tree: Tree, number: int) -> None:
        folder = tree.folder(paths.ROSTERS)
        wanted = {f"{n:05}.toml{end}" for n in range(1, number + 1) for end in ("", ".sig")}
        if folder is None or set(folder.names()) != wanted:
            raise Refused(
                Rule.ROSTER, f"{paths.ROSTERS} does not hold exactly the rosters 1 to {number} and signatures"
            )

    def _check_roster_signature(self, tree: Tree, number: int, certified: Tree, before: Roster) -> None:
        """A roster is signed by an admin of the one before, by the certificate as it stood there."""
        roster, signature = tree.get(paths.roster_path(number)), tree.get(f"{paths.roster_path(number)}.sig")
        if roster is None or signature is None:
            raise Refused(Rule.ROSTER, f"roster {number} has no signature")
        found = self.evidence.roster_signature(
            roster.blob, signature.blob, self.history.certificates(certified, before)
        )
        try:
            _check_signature(before, found)
        except Refused as refused:
            raise Refused(Rule.ROSTER, f"of roster {number}, {refused.problem}") from None
        if not rosters.may_sign(before, found.fingerprint):
            raise Refused(Rule.ROSTER, f"roster {number} is signed by {_who(before, found)}, who is no admin")

    # Rule 8.

    def _check_wrong_hands(self, seen: Seen, before: Roster) -> None:
        known = {fpr for fpr, owner in before.owners.items() if owner.last_good}
        taken = {fpr: owner for fpr, owner in seen.roster.owners.items() if owner.last_good and fpr not in known}
        endorsed = set(seen.commit.endorses)
        for last_good in {owner.last_good for owner in taken.values()}:
            if not self._is_before(last_good, seen.commit.parents):
                raise Refused(Rule.WRONG_HANDS, f"its last_good {last_good[:12]} does not come before it")
            keys = {fpr for fpr, owner in taken.items() if owner.last_good == last_good}
            for doubtful in self._signed_by(keys, self.ancestry.split(seen.judge, last_good).ours):
                if doubtful.commit.id not in endorsed:
                    _check_replaced(seen, doubtful)

    def _signed_by(self, keys: set[str], commits: Iterable[str]) -> Iterator[Seen]:
        """Yield the commits that these keys signed or endorsed, oldest first."""
        found: set[str] = set()
        for commit in commits:
            seen = self.history.look(commit)
            if seen.signature.fingerprint in keys:
                found.update((commit, *seen.commit.endorses))
        for commit in sorted(found, key=lambda each: (self.ancestry.generation(each), each)):
            yield self.history.look(commit)

    # Rules 3 and 4.

    def _check_logs(self, seen: Seen) -> None:
        """A log only grows: it begins with what was there; one that was merged has every line of both sides."""
        for path in seen.touched:
            if place(path).kind is Kind.LOG:
                now = self._lines(seen.tree.get(path))
                sides = [self._lines(self.history.tree(parent).get(path)) for parent in seen.commit.parents]
                grows = now[: len(sides[0])] == sides[0] if len(sides) == 1 else all(set(now) >= set(s) for s in sides)
                if not grows:
                    raise Refused(Rule.RIGHT, f"it takes lines out of {printable(path)}, which may only grow", UNDO)

    def _lines(self, file: File | None) -> list[bytes]:
        return self.evidence.content(file.blob).splitlines(keepends=True) if file else []

    def _check_readers(self, seen: Seen) -> None:
        changed = {*seen.touched, *(change.path for change in seen.commit.changes)}
        grown = any(seen.roster != self.history.roster_at(parent) for parent in seen.commit.parents)
        if grown or any(place(path).kind is Kind.RECIPIENTS for path in changed):
            self._check_gpg_ids(seen.tree, seen.roster)
        if grown or any(path.startswith(f"{paths.CERTIFICATES}/") for path in changed):
            self._check_certificates(seen.tree, seen.roster)
        for path in seen.made:
            kind, folder, _ = place(path)
            file = seen.tree.get(path)
            if file and kind in (Kind.ENTRY, Kind.PENDING):
                recipients = self.evidence.recipients(file.blob)
                problem = recipients_problem(seen.roster, folder, recipients) or text_problem(
                    seen.roster, recipients or (), self.evidence.same_text(file.blob)
                )
                if problem:
                    raise Refused(Rule.READERS, f"{printable(path)}: {problem}")

    def _check_gpg_ids(self, tree: Tree, roster: Roster) -> None:
        wanted = roster.gpg_ids()
        there = {path: file for path, file in tree.files() if place(path).kind is Kind.RECIPIENTS}
        for path in sorted({*wanted, *there}):
            if path not in there:
                raise Refused(Rule.READERS, f"{path} is missing")
            if path not in wanted:
                raise Refused(Rule.READERS, f"{printable(path)} is of a folder without rights of its own in the roster")
            if self.evidence.content(there[path].blob) != wanted[path]:
                raise Refused(Rule.READERS, f"{path} is not what roster {roster.seq} says")

    def _check_certificates(self, tree: Tree, roster: Roster) -> None:
        folder = tree.folder(paths.CERTIFICATES) or Tree()
        for path, file in folder.files(f"{paths.CERTIFICATES}/"):
            kind, _, fpr = place(path)
            certificate = self.evidence.certificate(file.blob) if kind is Kind.CERTIFICATE else None
            if certificate is None:
                raise Refused(Rule.CERTIFICATE, f"{printable(path)} is no certificate under its fingerprint")
            if certificate.secret:
                raise Refused(
                    Rule.CERTIFICATE, f"{path} holds a secret key", "Its owner must replace it: it is known now."
                )
            if certificate.primaries != (fpr,):
                raise Refused(Rule.CERTIFICATE, f"{path} holds another key, or more than one")
            owner = roster.owners.get(fpr)
            if owner and not owner.removed and not certificate.encryption.issuperset(owner.key.enc):
                raise Refused(Rule.CERTIFICATE, f"{path} lacks the subkey that the roster names for {owner.name}")
        for member in roster.members:
            for key in member.keys:
                if folder.get(key.fpr) is None:
                    raise Refused(Rule.CERTIFICATE, f"{paths.certificate_path(key.fpr)} of {member.name} is missing")


def _missing(missing: LookupError) -> Refused:
    what = printable(str(missing.args[0])) if missing.args else "an object"
    return Refused(Rule.HISTORY, f"the history is cut off: {what} is not there")


def _is_unsigned(seen: Seen) -> bool:
    return seen.signature.state is State.NONE and not seen.signature.number


def _check_tree(tree: Tree, before: Tree) -> None:
    problem = paths.tree_problem(tree, before)
    if problem:
        raise Refused(Rule.TREE, problem)


def _check_signature(roster: Roster, signature: Signature) -> None:
    """Rule 5, and that a member made it."""
    if signature.number != 1:
        raise Refused(Rule.SIGNATURE, f"it has {signature.number} signatures")
    if signature.state is State.BAD:
        raise Refused(Rule.SIGNATURE, "its signature does not fit it", UNDO)
    _check_member(roster, signature)
    if not signature.binary:
        raise Refused(Rule.SIGNATURE, "its signature is of the text kind")
    if signature.digest not in _SHA2:
        raise Refused(Rule.SIGNATURE, f"its signature uses {printable(signature.digest)}, which is weak")
    if signature.state is not State.GOOD:
        raise Refused(Rule.SIGNATURE, f"its signature is by {_STATES[signature.state]}")


_STATES = {
    State.EXPIRED: "a key that had expired",
    State.REVOKED: "a revoked key",
    State.UNABLE: "a key that is not for signatures",
    State.UNKNOWN: "a key whose certificate is not in the store",
    State.NONE: "nobody",
}


def _check_member(roster: Roster, signature: Signature) -> None:
    if roster.who(signature.fingerprint) is None:
        raise Refused(Rule.MEMBER, f"{_who(roster, signature)} is no member")


def _check_rights(roster: Roster, fingerprint: str, touched: Iterable[str]) -> None:
    for path in touched:
        if not paths.may_change(roster, fingerprint, path):
            member = roster.who(fingerprint)
            raise Refused(Rule.RIGHT, f"{member.name if member else 'its signer'} may not change {printable(path)}")


def _check_replaced(seen: Seen, doubtful: Seen) -> None:
    """What a commit with a key in wrong hands left is not there any more."""
    for path in doubtful.touched:
        if seen.tree.get(path) == doubtful.tree.get(path):
            raise Refused(
                Rule.WRONG_HANDS,
                f"it keeps {printable(path)} as it was left by {doubtful.commit.id[:12]}, whose key was in wrong hands",
            )


def _who(roster: Roster, signature: Signature) -> str:
    """Return the roster's name for who made a signature."""
    if signature.state is State.NONE:
        return "nobody"
    owner = roster.owners.get(signature.fingerprint)
    if owner is None:
        return f"the unknown key {printable(signature.fingerprint)}" if signature.fingerprint else "an unknown key"
    return f"{owner.name} (removed)" if owner.removed else owner.name
