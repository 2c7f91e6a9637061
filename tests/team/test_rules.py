"""Verification: honest histories are accepted, and no single dishonest commit is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clave.team import roster as rosters
from clave.team.evidence import HIDDEN, State
from clave.team.paths import certificate_path
from clave.team.roster import Key, Member
from clave.team.rules import verify
from clave.team.tree import File
from clave.team.verdict import Refusal, Rule
from tests.team.honest import World, worlds
from tests.team.rosters import subkey

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.team.repository import Files, Raw


@settings(max_examples=100)
@given(world=worlds())
def test_an_honest_history_is_verified(world: World) -> None:
    verdict = verify(world.repository, world.pin, world.main)
    assert verdict.refusals == ()
    assert verdict.waiting == ()
    assert verdict.good == world.main
    assert verdict.roster == world.repository.roster_of(world.main)


@settings(max_examples=100)
@given(world=worlds(least=6), data=st.data())
def test_verified_in_pieces_it_is_the_same(world: World, data: st.DataObject) -> None:
    pin = world.pin
    for tip in world.shared:
        if data.draw(st.booleans()):
            verdict = verify(world.repository, pin, tip)
            assert verdict.refusals == ()
            assert verdict.good == tip
            pin = pin._replace(verified=tip)
    verdict = verify(world.repository, pin, world.main)
    assert (verdict.good, verdict.refusals) == (world.main, ())


# One dishonest commit. What comes after it is made again by those who made it, and signed: so the rule that is meant
# has to find it, and not just the broken signature of a child.


class Forgery(NamedTuple):
    """A history with one commit changed: its tip, the id of that commit."""

    tip: str
    forged: str


def forge(world: World, commit: str, **changes: Any) -> Forgery:
    """Change a commit; `by` signs it, by default who did it before; who signed each later one signs it again."""
    repository = world.repository
    by = changes.pop("by", "same")
    facts = changes.pop("facts", {})
    moved: dict[str, str] = {}
    for old in repository.before(world.main):
        raw = repository.commits[old]
        changed = raw._replace(
            parents=tuple(moved.get(parent, parent) for parent in raw.parents),
            endorses=tuple(moved.get(endorsed, endorsed) for endorsed in raw.endorses),
        )
        signer = raw.signature[0] if raw.signature else None
        if old == commit:
            changed = changed._replace(**changes)
            signer = signer if by == "same" else by
        if changed.payload != raw.payload or old == commit:
            changed = changed._replace(signature=None)
            changed = changed.signed(signer, **(facts if old == commit else {})) if signer else changed
        moved[old] = repository.add(changed)
    return Forgery(moved[world.main], moved[commit])


def files_of(files: Files) -> tuple:
    return tuple(sorted(files.items()))


def must_refuse(world: World, forgery: Forgery, *rules: Rule) -> Refusal:
    verdict = verify(world.repository, world.pin, forgery.tip)
    assert verdict.good != forgery.tip
    refusal = next(r for r in verdict.refusals if r.commit == forgery.forged)
    assert refusal.rule in rules, refusal
    line = refusal.error().line()
    assert forgery.forged[:12] in line
    assert refusal.signer in line
    assert refusal.advice in line
    assert line.isprintable()
    # It goes on up to what the forged commit does not hold back, and not further.
    assert not verdict.good or forgery.forged not in world.repository.before(verdict.good)
    return refusal


def commits(world: World, wanted: Callable[[Raw], bool]) -> list[str]:
    """The commits after genesis that are as wanted."""
    reached = world.repository.before(world.main)
    after = reached[reached.index(world.genesis) + 1 :]
    return [commit for commit in after if wanted(world.repository.commits[commit])]


def signed_ordinary(raw: Raw) -> bool:
    return len(raw.parents) == 1 and raw.signature is not None


def entries_made(world: World, commit: str) -> list[str]:
    """The entries whose message is new in a commit."""
    raw = world.repository.commits[commit]
    parents = [world.repository.files(parent) for parent in raw.parents]
    return [p for p, file in raw.files if p.endswith(".gpg") and all(side.get(p) != file for side in parents)]


def choose(data: st.DataObject, found: list) -> Any:
    assume(found)
    return data.draw(st.sampled_from(found))


many = settings(max_examples=40)
outsider = Key("F" * 40, ("F" * 16,))


@many
@given(world=worlds(least=4), data=st.data())
def test_signed_again_by_an_outsider_or_somebody_who_left(world: World, data: st.DataObject) -> None:
    commit = choose(data, commits(world, lambda raw: raw.signature is not None))
    roster = world.repository.roster_of(world.repository.commits[commit].parents[0])
    keys = [outsider.fpr, *(fpr for fpr, owner in roster.owners.items() if owner.removed)]
    refusal = must_refuse(world, forge(world, commit, by=data.draw(st.sampled_from(keys))), Rule.MEMBER)
    assert "unknown key" in refusal.signer or "(removed)" in refusal.signer


@many
@given(world=worlds(least=4), data=st.data())
def test_signed_again_by_a_member_who_has_not_the_right(world: World, data: st.DataObject) -> None:
    repository = world.repository
    candidates = []
    for commit in commits(world, signed_ordinary):
        raw = repository.commits[commit]
        roster = repository.roster_of(raw.parents[0])
        paths = [change.path for change in repository.commit(commit).changes]
        for member in roster.members:
            for path in paths:
                entry_of_others = path.endswith(".gpg") and member.name not in roster.writers(path.rpartition("/")[0])
                admins_alone = path.startswith(".clave/roster") and member.role != "admin"
                if entry_of_others or admins_alone:
                    candidates.append((commit, member.keys[0].fpr))
    commit, fpr = choose(data, candidates)
    must_refuse(world, forge(world, commit, by=fpr), Rule.RIGHT, Rule.ENDORSEMENT)


@many
@given(world=worlds(least=4), data=st.data())
def test_a_message_for_other_recipients(world: World, data: st.DataObject) -> None:
    repository = world.repository
    commit = choose(data, [c for c in commits(world, signed_ordinary) if entries_made(world, c)])
    entry = data.draw(st.sampled_from(entries_made(world, commit)))
    files = repository.files(commit)
    ids = list(repository.recipients(files[entry].blob) or ())
    roster = repository.roster_of(commit)
    retired = [old for owner in roster.owners.values() for old in owner.key.enc_old]
    others = {key.enc[0] for member in roster.members for key in member.keys} - set(ids)
    extra = data.draw(st.sampled_from([outsider.enc[0], HIDDEN, ids[0], *retired, *sorted(others)]))
    old_for_new = [
        [old if each in owner.key.enc else each for each in ids]
        for owner in roster.owners.values()
        for old in owner.key.enc_old
        if not owner.removed and set(ids) & set(owner.key.enc)
    ]
    ids = data.draw(st.sampled_from([[*ids, extra], [extra, *ids], ids[1:], ids[:-1], *old_for_new]))
    files[entry] = repository.message(ids)
    must_refuse(world, forge(world, commit, files=files_of(files)), Rule.READERS)


@many
@given(world=worlds(least=4), data=st.data())
def test_a_message_of_another_folder_or_none_at_all(world: World, data: st.DataObject) -> None:
    repository = world.repository
    commit = choose(data, [c for c in commits(world, signed_ordinary) if entries_made(world, c)])
    entry = data.draw(st.sampled_from(entries_made(world, commit)))
    files = repository.files(commit)
    readers = repository.roster_of(commit).recipients
    mine = set(repository.recipients(files[entry].blob) or ())
    others = [f for p, f in files.items() if p.endswith(".gpg") and set(repository.recipients(f.blob) or ()) != mine]
    assert readers(entry.rpartition("/")[0])
    files[entry] = data.draw(st.sampled_from([repository.blob(b"plain text"), *others]))
    must_refuse(world, forge(world, commit, files=files_of(files)), Rule.READERS)


@many
@given(world=worlds(least=4), data=st.data())
def test_what_a_member_may_not_touch(world: World, data: st.DataObject) -> None:
    """Added to an honest commit of somebody who is no admin."""
    repository = world.repository

    def by_a_member(raw: Raw) -> bool:
        people = [repository.roster_of(side).who(raw.signature[0] if raw.signature else "") for side in raw.parents]
        return all(who and who.role == "member" for who in people)

    commit = choose(data, commits(world, by_a_member))
    files = repository.files(commit)
    raw = repository.commits[commit]
    assert raw.signature
    mine = certificate_path(raw.signature[0])
    theirs = choose(data, [path for path in files if path.startswith(".public-keys/") and path != mine])
    path = data.draw(
        st.sampled_from(
            (
                theirs,
                *(".gpg-id", "web/.gpg-id", "prod/.gpg-id", ".gitattributes", "README", ".clave/policy.toml"),
                *(f".clave/log/{'0' * 39}1/2026-01.jsonl", ".clave/roster/00099.toml", ".clave/roster/00001.toml.sig"),
            )
        )
    )
    if path in files and data.draw(st.booleans()):
        del files[path]
    else:
        files[path] = repository.blob(b"00000000000000000000000000000000000000F1\n")
    must_refuse(world, forge(world, commit, files=files_of(files)), Rule.RIGHT, Rule.ROSTER)


@many
@given(world=worlds(least=4), data=st.data())
def test_what_even_an_admin_may_not_do(world: World, data: st.DataObject) -> None:
    repository = world.repository

    def by_an_admin(raw: Raw) -> bool:
        who = raw.signature and repository.roster_of(raw.parents[0]).who(raw.signature[0])
        return bool(who and who.role == "admin" and len(raw.parents) == 1)

    commit = choose(data, commits(world, by_an_admin))
    files = repository.files(commit)
    certificate = choose(data, [path for path in files if path.startswith(".public-keys/")])
    gpg_id = choose(data, [path for path in files if path.endswith(".gpg-id")])
    roster = choose(data, [path for path in files if path.startswith(".clave/roster/")])
    fpr = certificate.rpartition("/")[2]
    deeds: list[tuple[str, File | None, Rule]] = [
        (gpg_id, None, Rule.READERS),
        (gpg_id, repository.blob(repository.blobs[files[gpg_id].blob] + outsider.fpr.encode() + b"\n"), Rule.READERS),
        (gpg_id, repository.blob(b""), Rule.READERS),
        ("new/.gpg-id", files[".gpg-id"], Rule.READERS),
        (roster, None, Rule.ROSTER),
        (roster, repository.blob(b"other"), Rule.ROSTER),
        (".clave/roster/00099.toml", repository.blob(b"seq"), Rule.ROSTER),
        (".clave/roster/notes", repository.blob(b""), Rule.ROSTER),
        (certificate, repository.blob(b"no certificate"), Rule.CERTIFICATE),
        (certificate, repository.certify(outsider), Rule.CERTIFICATE),
        (certificate, repository.certify(outsider, primaries=[fpr, outsider.fpr]), Rule.CERTIFICATE),
        (certificate, repository.certify(outsider, primaries=[fpr], secret=True), Rule.CERTIFICATE),
        (".public-keys/alice", repository.certify(outsider), Rule.CERTIFICATE),
        (".gitmodules", repository.blob(b""), Rule.TREE),
        (".extensions/x", repository.blob(b""), Rule.TREE),
        ("link", File("120000", repository.blob(b"/etc/passwd").blob), Rule.TREE),
        ("run", File("100755", repository.blob(b"#!").blob), Rule.TREE),
        ("module", File("160000", "0" * 40), Rule.TREE),
        ("readme", repository.blob(b""), Rule.TREE),
    ]  # fmt: skip
    path, file, rule = data.draw(st.sampled_from(deeds))
    if file is None:
        del files[path]
    else:
        files[path] = file
    if file is None and rule is Rule.READERS and path not in repository.files(commit):
        return
    owner = repository.roster_of(commit).owners.get(fpr)
    if rule is Rule.CERTIFICATE and owner is None:
        return
    must_refuse(world, forge(world, commit, files=files_of(files)), rule, Rule.ROSTER)


@many
@given(world=worlds(least=8), data=st.data())
def test_a_roster_that_was_tampered_with(world: World, data: st.DataObject) -> None:
    """The commit is signed again by its admin; what stands in the roster, its number or its signature is another."""
    repository = world.repository

    def path_of(commit: str) -> str:
        changed = (change.path for change in repository.commit(commit).changes)
        return next((p for p in changed if p.startswith(".clave/roster/") and p.endswith(".toml")), "")

    commit = choose(data, [c for c in commits(world, signed_ordinary) if path_of(c)])
    path = path_of(commit)
    files = repository.files(commit)
    after = repository.roster_of(commit)
    before = repository.roster_of(repository.commits[commit].parents[0])
    raw = repository.commits[commit]
    assert raw.signature
    admin = raw.signature[0]
    member = next((m.keys[0].fpr for m in before.members if m.role != "admin"), outsider.fpr)

    def other(**changes: Any) -> Files:
        roster = replace(after, **changes)
        return repository.with_roster({p: f for p, f in files.items() if p not in (path, f"{path}.sig")}, roster, admin)

    def fresh(member: Member, number: int) -> tuple[Key, ...]:
        """The member's key, with a subkey that replaces those that it had."""
        return (Key(member.keys[0].fpr, (subkey(number + 1),)),)

    signature = f"{path}.sig"
    written = files[path].blob
    deeds = [
        # Not the bytes that were signed.
        files | {path: repository.blob(rosters.write(replace(after, store="6b" * 16)))},
        files | {path: repository.blob(repository.blobs[written] + b"\n")},
        # Signed by somebody else, by nobody, in a weak way.
        files | {signature: repository.roster_signature_file(written, outsider.fpr)},
        files | {signature: repository.roster_signature_file(written, member)},
        files | {signature: repository.roster_signature_file(written, admin, digest="SHA1")},
        files | {signature: repository.roster_signature_file(written, admin, binary=False)},
        files | {signature: repository.roster_signature_file(written, admin, number=2)},
        {p: f for p, f in files.items() if p != signature},
        # Signed by an admin, and not what may follow.
        other(store="6b" * 16),
        other(prev="00" * 32),
        other(seq=after.seq + 1),
        other(removed=()) if after.removed else other(prev="11" * 32),
other(members=tuple(m._replace(keys=fresh(m, i)) for i, m in enumerate(after.members))),
    ]  # fmt: skip
    must_refuse(world, forge(world, commit, files=files_of(data.draw(st.sampled_from(deeds)))), Rule.ROSTER)


@many
@given(world=worlds(least=4), data=st.data())
def test_a_signature_that_does_not_count(world: World, data: st.DataObject) -> None:
    commit = choose(data, commits(world, lambda raw: raw.signature is not None))
    facts = data.draw(
        st.sampled_from((
            {"number": 2},
            {"binary": False},
            {"digest": "SHA1"},
            {"digest": "MD5"},
            *({"state": state} for state in State if state not in (State.GOOD, State.NONE)),
        ))
    )  # fmt: skip
    must_refuse(world, forge(world, commit, facts=facts), Rule.SIGNATURE)


@many
@given(world=worlds(least=4), data=st.data())
def test_a_commit_that_nobody_signed_again(world: World, data: st.DataObject) -> None:
    """The remote's part: no key, so every change of a signed commit shows, and what follows it is not reached."""
    repository = world.repository
    commit = choose(data, commits(world, lambda raw: raw.signature is not None))
    raw = repository.commits[commit]
    files = repository.files(commit)
    first, second = (choose(data, sorted(files)) for _ in range(2))
    swapped = files | {first: files[second], second: files[first]}
    older = repository.before(commit)[:-1]
    changed = data.draw(
        st.sampled_from((
            raw._replace(files=files_of({p: f for p, f in files.items() if p != first})),
            raw._replace(files=files_of(swapped)),
            raw._replace(parents=(data.draw(st.sampled_from(older)), *raw.parents[1:])),
            raw._replace(parents=raw.parents[::-1]),
            raw._replace(parents=raw.parents[:1]),
            raw._replace(parents=(*raw.parents, world.genesis)),
            raw._replace(endorses=(*raw.endorses, older[-1])),
            raw._replace(note=raw.note + 1),
        ))
    )  # fmt: skip
    assume(changed != raw)
    forged = repository.add(changed)
    verdict = verify(repository, world.pin, forged)
    assert verdict.good != forged
    assert [refusal.commit for refusal in verdict.refusals][-1:] == [forged]


@many
@given(world=worlds(least=4), data=st.data())
def test_a_commit_left_out_or_two_in_another_order(world: World, data: st.DataObject) -> None:
    """Children that keep their signatures do not fit their new parents."""
    repository = world.repository
    commit = choose(data, commits(world, lambda raw: len(raw.parents) == 1))
    parent = repository.commits[commit].parents[0]
    children = [c for c in repository.before(world.main) if commit in repository.commits[c].parents]
    child = choose(data, children)
    raw = repository.commits[child]
    assume(raw.signature)
    skipped = repository.add(raw._replace(parents=tuple(parent if p == commit else p for p in raw.parents)))
    tips = [skipped]
    if len(raw.parents) == 1 and repository.commits[commit].signature:
        tips.append(repository.add(repository.commits[commit]._replace(parents=(skipped,))))
    for tip in tips:
        verdict = verify(repository, world.pin, tip)
        assert verdict.good not in tips
        assert verdict.refusals


@many
@given(world=worlds(least=4), data=st.data())
def test_without_its_signature_or_endorsement_a_commit_waits(world: World, data: st.DataObject) -> None:
    repository = world.repository
    commit = choose(data, commits(world, lambda raw: raw.signature is not None))
    endorses = repository.commits[commit].endorses
    keep_signature = bool(endorses) and data.draw(st.booleans())
    forgery = forge(world, commit, by="same" if keep_signature else None, endorses=())
    verdict = verify(repository, world.pin, forgery.tip)
    assert verdict.good != forgery.tip
    if keep_signature:
        assert {waiting.commit for waiting in verdict.waiting} == set(endorses)
    else:
        held = {waiting.commit for waiting in verdict.waiting} | {refusal.commit for refusal in verdict.refusals}
        assert forgery.forged in held


@many
@given(world=worlds(least=4), data=st.data())
def test_what_is_not_there_or_before_the_pin(world: World, data: st.DataObject) -> None:
    repository = world.repository
    assume(len(world.shared) > 1)
    # The remote was set back, or has a parallel history.
    at = data.draw(st.integers(1, len(world.shared) - 1))
    pin = world.pin._replace(verified=world.shared[at])
    older = world.shared[at - 1]
    parallel = repository.make((older,), repository.files(older), world.key("alice", repository.roster_of(older)).fpr)
    for tip in (older, parallel):
        verdict = verify(repository, pin, tip)
        assert [refusal.rule for refusal in verdict.refusals] == [Rule.PIN]
        assert verdict.good == pin.verified
    # Another beginning, another first roster.
    assert verify(repository, world.pin._replace(roster="0" * 64), world.main).refusals[0].rule is Rule.PIN
    assert verify(repository, world.pin._replace(genesis=parallel), older).refusals[0].rule is Rule.PIN
    # A shallow remote.
    lost = data.draw(st.sampled_from(commits(world, lambda raw: True)))
    raw = repository.commits.pop(lost)
    verdict = verify(repository, world.pin, world.main)
    assert verdict.refusals[0].rule is Rule.HISTORY
    assert not verdict.good
    repository.commits[lost] = raw
    assert verify(repository, world.pin, world.main).good == world.main
