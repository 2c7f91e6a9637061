"""Random honest histories: a team that works, online and off, with people who come and go."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from clave.team.paths import certificate_path
from clave.team.roster import LEFT, REPLACED, Folder, Grant, Group, Key, Member, Removed, Roster
from clave.team.verdict import Pin
from tests.team.repository import Files, Numbers, Repository, certificates

if TYPE_CHECKING:
    from collections.abc import Callable

PEOPLE = ("alice", "bob", "carol", "dave", "erin")
FOLDERS = ("", "prod", "prod/db", "web")
ENTRIES = ("a.gpg", "prod/x.gpg", "prod/db/y.gpg", "web/z.gpg", "web/deep/w.gpg")


@dataclass
class World:
    """A team: what everybody has locally, and what is at the remote (`main`)."""

    draw: Callable
    repository: Repository = field(default_factory=Repository)
    numbers: Numbers = field(default_factory=Numbers)
    local: dict[str, str] = field(default_factory=dict)
    main: str = ""
    genesis: str = ""
    shared: list[str] = field(default_factory=list)  # what main was, oldest first
    unsigned: dict[str, list[str]] = field(default_factory=dict)  # commits that their author has not endorsed
    gone: dict[str, Key] = field(default_factory=dict)  # people who left, with the key that they still have

    def begin(self) -> None:
        alice, bob, carol = (
            Member(n, "admin" if n == "alice" else "member", (self.numbers.key(n),)) for n in PEOPLE[:3]
        )
        everybody = (Grant("alice"), Grant("@staff"))
        roster = Roster(
            store="5a" * 16,
            seq=1,
            prev="",
            members=(alice, bob, carol),
            groups=(Group("staff", ("bob", "carol")),),
            folders=(
                Folder("", everybody, everybody),
                Folder("prod", (Grant("alice"), Grant("carol")), (Grant("alice"), Grant("carol")), inherit=False),
            ),
        )
        # From before the team: an old message, and a file that is nobody's.
        files: Files = {"a.gpg": self.repository.message(["00000000000000FF"]), "README": self.repository.blob(b"ours")}
        before = self.repository.make((), files, None)
        files |= certificates(self.repository, [m.keys[0] for m in roster.members])
        files = self.repository.with_roster(files, roster, alice.keys[0].fpr)
        self.genesis = self.repository.make((before,), files, alice.keys[0].fpr)
        self.main = self.genesis
        self.shared = [self.main]
        self.local = dict.fromkeys(("alice", "bob", "carol"), self.main)

    @property
    def pin(self) -> Pin:
        return Pin(self.genesis, self.repository.roster_of(self.genesis).digest)

    def roster(self, who: str) -> Roster:
        return self.repository.roster_of(self.local[who])

    def key(self, who: str, roster: Roster) -> Key:
        member = roster.member(who)
        assert member
        return member.keys[0]

    # What people do.

    def writable(self, who: str) -> list[str]:
        roster = self.roster(who)
        return [entry for entry in ENTRIES if who in roster.writers(entry.rpartition("/")[0])]

    def save(self, who: str, files: Files, *, signed: bool = True, endorses: tuple[str, ...] = ()) -> str:
        fpr = self.key(who, self.roster(who)).fpr
        parents = (self.local[who],)
        self.local[who] = self.repository.make(parents, files, fpr if signed else None, endorses)
        return self.local[who]

    def write(self, who: str, *, signed: bool = True) -> None:
        entries = self.writable(who)
        if entries:
            entry = self.draw(st.sampled_from(entries))
            files = self.repository.files(self.local[who])
            if entry in files and self.draw(st.integers(0, 3)) == 0:
                del files[entry]
            else:
                files[entry] = self.repository.secret(self.roster(who).recipients(entry.rpartition("/")[0]))
            made = self.save(who, files, signed=signed)
            if not signed:
                self.unsigned.setdefault(who, []).append(made)

    def use_pass(self, who: str) -> None:
        self.write(who, signed=False)

    def endorse(self, who: str) -> None:
        if self.unsigned.get(who):
            self.save(who, self.repository.files(self.local[who]), endorses=tuple(self.unsigned.pop(who)))

    def finish_rekey(self, who: str) -> None:
        roster = self.roster(who)
        files = self.repository.files(self.local[who])
        for entry in self.writable(who):
            folder = entry.rpartition("/")[0]
            if entry in files and who in roster.readers(folder):
                files[entry] = self.repository.secret(roster.recipients(folder))
        self.save(who, files)

    def extend(self, who: str) -> None:
        """The owner publishes the certificate again, with a new expiry."""
        key = self.key(who, self.roster(who))
        files = self.repository.files(self.local[who])
        files[certificate_path(key.fpr)] = self.repository.certify(key)
        self.save(who, files)

    def log(self, who: str) -> None:
        path = f".clave/log/{self.key(who, self.roster(who)).fpr}/2026-01.jsonl"
        files = self.repository.files(self.local[who])
        self.repository.count += 1
        old = self.repository.blobs[files[path].blob] if path in files else b""
        files[path] = self.repository.blob(old + b"read %d\n" % self.repository.count)
        self.save(who, files)

    def sync(self, who: str) -> None:
        self.endorse(who)
        ours, theirs = self.local[who], self.main
        if ours in self.repository.before(theirs):
            self.local[who] = theirs
        elif theirs in self.repository.before(ours):
            self._push(who)
        elif not self._still_mine(who):
            self.local[who] = theirs  # somebody whose rights changed makes the change again, or not
        else:
            if self._merge(who, theirs):
                self._push(who)
            else:
                self.local[who] = theirs

    def pull_from(self, who: str) -> None:
        """Merge what a colleague has not shared yet: histories cross."""
        other = self.draw(st.sampled_from(sorted(self.local)))
        theirs = self.local[other]
        roster = self.repository.roster_of(self.main)
        same = self.roster(who) == roster == self.roster(other)
        if same and not self.unsigned.get(who) and not self.unsigned.get(other):
            if self.local[who] in self.repository.before(theirs):
                self.local[who] = theirs
            elif theirs not in self.repository.before(self.local[who]):
                self._merge(who, theirs)

    def _push(self, who: str) -> None:
        self.main = self.local[who]
        self.shared.append(self.main)

    def _still_mine(self, who: str) -> bool:
        """Whether what somebody has not shared is signed with today's key, and in folders that are still theirs."""
        repository = self.repository
        roster = repository.roster_of(self.main)
        shared = set(repository.before(self.main))
        for commit in repository.before(self.local[who]):
            raw = repository.commits[commit]
            if commit in shared or len(raw.parents) == 2:
                continue
            if raw.signature and raw.signature[0] != self.key(who, roster).fpr:
                return False
            for change in repository.commit(commit).changes:
                folder = change.path.rpartition("/")[0]
                if change.path.endswith(".gpg") and who not in roster.writers(folder):
                    return False
        return True

    def _merge(self, who: str, theirs: str) -> bool:
        repository = self.repository
        ours = self.local[who]
        common = [c for c in repository.before(ours) if c in repository.before(theirs)]
        base = repository.files(common[-1])
        left, right = repository.files(ours), repository.files(theirs)
        roster = repository.roster_of(theirs)
        files: Files = {}
        for path in {*left, *right}:
            here, there, old = left.get(path), right.get(path), base.get(path)
            if here == there or there == old:
                merged = here
            elif here == old:
                merged = there
            elif path.endswith(".gpg") and who in roster.writers(path.rpartition("/")[0]):
                # A conflict: both sides are read, and what they become is encrypted to the roster in force.
                merged = repository.secret(roster.recipients(path.rpartition("/")[0]))
            elif path.startswith(".clave/log/"):
                lines = [repository.blobs[file.blob].splitlines(keepends=True) for file in (here, there) if file]
                merged = repository.blob(b"".join(sorted({line for side in lines for line in side})))
            elif path == certificate_path(self.key(who, roster).fpr):
                merged = repository.certify(self.key(who, roster))  # both copies in one, as gpg imports them
            else:
                return False  # no right to decide this: somebody else merges
            if merged:
                files[path] = merged
        parents = (ours, theirs) if self.draw(st.booleans()) else (theirs, ours)
        self.local[who] = repository.make(parents, files, self.key(who, roster).fpr)
        return True

    # What admins do: they sync, make one commit, and push it.

    def administer(self, who: str) -> None:
        self.sync(who)
        roster = self.roster(who)
        member = roster.member(who)
        if member is None or member.role != "admin" or self.local[who] != self.main:
            return
        change = self.draw(
            st.sampled_from(
                (self._join, self._leave, self._grant, self._restrict, self._new_subkey, self._replace_key, self._role)
            )
        )
        files = self.repository.files(self.main)
        after = change(roster, files)
        if after:
            after = replace(after, seq=roster.seq + 1, prev=roster.digest)
            files = self.repository.with_roster(files, after, self.key(who, roster).fpr)
            for entry in ENTRIES:
                folder = entry.rpartition("/")[0]
                may = who in roster.writers(folder) and who in roster.readers(folder)
                if entry in files and may and self.draw(st.booleans()):
                    files[entry] = self.repository.secret(after.recipients(folder))
            self.local[who] = self.repository.make((self.main,), files, self.key(who, roster).fpr)
            self._push(who)
            for member in after.members:
                self.local.setdefault(member.name, self.main)

    def _join(self, roster: Roster, files: Files) -> Roster | None:
        away = [name for name in PEOPLE if not roster.member(name)]
        if not away:
            return None
        name = self.draw(st.sampled_from(away))
        key = self.numbers.key(name)
        files |= certificates(self.repository, [key])
        self.unsigned.pop(name, None)
        self.gone.pop(name, None)
        folders = tuple(
            f._replace(read=(*f.read, Grant(name)), write=(*f.write, Grant(name))) if not f.path else f
            for f in roster.folders
        )
        return replace(roster, members=(*roster.members, Member(name, "member", (key,))), folders=folders)

    def _leave(self, roster: Roster, files: Files) -> Roster | None:
        others = [member for member in roster.members if member.role != "admin"]
        if not others:
            return None
        member = self.draw(st.sampled_from(others))
        files.pop(certificate_path(member.keys[0].fpr)) if self.draw(st.booleans()) else None
        self.gone[member.name] = member.keys[0]
        del self.local[member.name]
        without = tuple(
            f._replace(read=_without(f.read, member), write=_without(f.write, member)) for f in roster.folders
        )
        return replace(
            roster,
            members=tuple(m for m in roster.members if m != member),
            groups=tuple(Group(g.name, tuple(n for n in g.members if n != member.name)) for g in roster.groups),
            folders=without,
            removed=(*roster.removed, Removed(member.name, member.keys, LEFT)),
        )

    def _grant(self, roster: Roster, files: Files) -> Roster:
        path = self.draw(st.sampled_from(FOLDERS))
        name = self.draw(st.sampled_from([member.name for member in roster.members]))
        read, write = self.draw(st.sampled_from(((True, False), (False, True), (True, True))))
        folder = next((f for f in roster.folders if f.path == path), Folder(path, (Grant("alice"),)))
        more = folder._replace(
            read=(*_without(folder.read, name), *([Grant(name)] if read else [])),
            write=(*_without(folder.write, name), *([Grant(name)] if write else [])),
        )
        more = more._replace(read=more.read or (Grant("alice"),))
        return replace(roster, folders=(*(f for f in roster.folders if f.path != path), more))

    def _restrict(self, roster: Roster, files: Files) -> Roster | None:
        below = [folder for folder in roster.folders if folder.path]
        folder = self.draw(st.sampled_from(below))
        other = folder._replace(inherit=not folder.inherit, read=folder.read or (Grant("alice"),))
        return replace(roster, folders=(*(f for f in roster.folders if f != folder), other))

    def _new_subkey(self, roster: Roster, files: Files) -> Roster:
        member = self.draw(st.sampled_from(roster.members))
        old = member.keys[0]
        key = Key(old.fpr, (self.numbers.subkey(member.name),), old.subkeys)
        files[certificate_path(key.fpr)] = self.repository.certify(key)
        return replace(roster, members=_with_keys(roster, member, key))

    def _replace_key(self, roster: Roster, files: Files) -> Roster:
        member = self.draw(st.sampled_from(roster.members))
        key = self.numbers.key(member.name)
        files |= certificates(self.repository, [key])
        gone = Removed(member.name, member.keys, REPLACED)
        return replace(roster, members=_with_keys(roster, member, key), removed=(*roster.removed, gone))

    def _role(self, roster: Roster, files: Files) -> Roster:
        member = self.draw(st.sampled_from([m for m in roster.members if m.name != "alice"] or roster.members))
        role = "admin" if member.role == "member" or member.name == "alice" else "member"
        return replace(roster, members=tuple(m._replace(role=role) if m == member else m for m in roster.members))


def _without(grants: tuple[Grant, ...], member: Member | str) -> tuple[Grant, ...]:
    name = member if isinstance(member, str) else member.name
    return tuple(grant for grant in grants if grant.who != name)


def _with_keys(roster: Roster, member: Member, key: Key) -> tuple[Member, ...]:
    return tuple(m._replace(keys=(key,)) if m == member else m for m in roster.members)


@st.composite
def worlds(draw: st.DrawFn, *, least: int = 0, most: int = 16) -> World:
    world = World(draw)
    world.begin()
    actions = (
        World.write,
        World.write,
        World.use_pass,
        World.endorse,
        World.finish_rekey,
        World.extend,
        World.log,
        World.sync,
        World.sync,
        World.pull_from,
        World.administer,
        World.administer,
    )
    for _ in range(draw(st.integers(least, most))):
        action = draw(st.sampled_from(actions))
        who = draw(st.sampled_from(sorted(world.local)))
        if not world.repository.roster_of(world.main).member(who):
            continue
        action(world, who)
    for who in sorted(world.local):
        if world.repository.roster_of(world.main).member(who):
            world.sync(who)
    return world
