"""A repository in memory, which answers as git and OpenPGP would: ids are hashes, a signature fits its commit alone."""

from __future__ import annotations

import json
from collections import UserDict
from functools import cache
from hashlib import sha1
from typing import TYPE_CHECKING, Any, NamedTuple

from clave.team import roster as rosters
from clave.team.evidence import UNSIGNED, Certificate, Commit, Signature, State
from clave.team.paths import certificate_path, roster_path
from clave.team.roster import Key
from clave.team.tree import Change, File, Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clave.team.roster import Roster

Files = dict[str, File]
parse = cache(rosters.parse)


class Raw(NamedTuple):
    """A commit as it lies in the repository: `files` is its tree, `signature` is (key, what was signed, facts)."""

    parents: tuple[str, ...]
    files: tuple[tuple[str, File], ...]
    endorses: tuple[str, ...] = ()
    note: int = 0
    signature: tuple[str, str, tuple[tuple[str, Any], ...]] | None = None

    @property
    def payload(self) -> str:
        return sha1(repr(self._replace(signature=None)).encode()).hexdigest()

    @property
    def id(self) -> str:
        return sha1(repr(self).encode()).hexdigest()

    def signed(self, fpr: str, **facts: Any) -> Raw:
        return self._replace(signature=(fpr, self.payload, tuple(facts.items())))


class Repository:
    """Commits and blobs; the `Evidence` about them."""

    def __init__(self) -> None:
        self.commits: dict[str, Raw] = {}
        self.blobs: dict[str, bytes] = {}
        self.texts: dict[str, tuple[tuple[str, ...], ...]] = {}
        self.count = 0

    # Writing.

    def blob(self, content: bytes) -> File:
        blob = sha1(content).hexdigest()
        self.blobs[blob] = content
        return File("100644", blob)

    def secret(self, keys: tuple[Key, ...]) -> File:
        """A message to the first current subkey of each key, different from every other."""
        return self.message([key.enc[0] for key in keys])

    def message(self, ids: list[str]) -> File:
        self.count += 1
        return self.blob(json.dumps({"to": ids, "nonce": self.count}).encode())

    def certify(self, key: Key, **facts: Any) -> File:
        self.count += 1
        whole = {"primaries": [key.fpr], "enc": [*key.enc, *key.enc_old], "nonce": self.count, **facts}
        return self.blob(json.dumps(whole).encode())

    def add(self, raw: Raw) -> str:
        self.commits[raw.id] = raw
        return raw.id

    def make(
        self, parents: tuple[str, ...], files: Files, by: str | None, endorses: tuple[str, ...] = (), **facts: Any
    ) -> str:
        self.count += 1
        raw = Raw(parents, tuple(sorted(files.items())), endorses, self.count)
        return self.add(raw.signed(by, **facts) if by else raw)

    def with_roster(self, files: Files, roster: Roster, by: str) -> Files:
        """Files with a roster more, its signature, and the `.gpg-id` files that it wants."""
        kept = {path: file for path, file in files.items() if not path.endswith(".gpg-id")}
        path = roster_path(roster.seq)
        kept[path] = self.blob(rosters.write(roster))
        kept[f"{path}.sig"] = self.roster_signature_file(kept[path].blob, by)
        return kept | {path: self.blob(content) for path, content in roster.gpg_ids().items()}

    def roster_signature_file(self, roster: str, by: str, **facts: Any) -> File:
        return self.blob(json.dumps([by, roster, facts]).encode())

    def files(self, commit: str) -> Files:
        return dict(self.commits[commit].files)

    def roster_of(self, commit: str) -> Roster:
        files = self.files(commit)
        last = max(path for path in files if path.startswith(".clave/roster/") and path.endswith(".toml"))
        return parse(self.blobs[files[last].blob])

    def before(self, commit: str) -> list[str]:
        """A commit and its ancestors, parents first."""
        order: dict[str, None] = {}

        def visit(at: str) -> None:
            if at not in order:
                for parent in self.commits[at].parents:
                    visit(parent)
                order[at] = None

        visit(commit)
        return list(order)

    # Evidence.

    def parents(self, commit: str) -> tuple[str, ...]:
        return self.commits[commit].parents

    def commit(self, commit: str) -> Commit:
        raw = self.commits[commit]
        before = self.files(raw.parents[0]) if raw.parents else {}
        now = dict(raw.files)
        paths = (path for path in sorted({*before, *now}) if before.get(path) != now.get(path))
        return Commit(commit, raw.parents, tuple(Change(path, now.get(path)) for path in paths), raw.endorses)

    def tree(self, commit: str) -> Tree:
        return Tree.of(self.files(commit))

    def content(self, blob: str) -> bytes:
        return self.blobs[blob]

    def recipients(self, blob: str) -> tuple[str, ...] | None:
        try:
            return tuple(json.loads(self.blobs[blob])["to"])
        except (ValueError, TypeError, KeyError):
            return None

    def same_text(self, blob: str) -> tuple[tuple[str, ...], ...]:
        return self.texts.get(blob, ())

    def certificate(self, blob: str) -> Certificate | None:
        try:
            facts = json.loads(self.blobs[blob])
            return Certificate(tuple(facts["primaries"]), frozenset(facts["enc"]), facts.get("secret", False))
        except (ValueError, TypeError, KeyError):
            return None

    def signature(self, commit: str, certificates: Mapping[str, str]) -> Signature:
        raw = self.commits[commit]
        if raw.signature is None:
            return UNSIGNED
        fpr, payload, facts = raw.signature
        return self._check(fpr, payload == raw.payload, dict(facts), certificates)

    def roster_signature(self, roster: str, signature: str, certificates: Mapping[str, str]) -> Signature:
        fpr, signed, facts = json.loads(self.blobs[signature])
        return self._check(fpr, signed == roster, facts, certificates)

    def _check(self, fpr: str, fits: bool, facts: dict[str, Any], certificates: Mapping[str, str]) -> Signature:
        state = State.GOOD if fits else State.BAD
        if fpr not in certificates:
            state = State.UNKNOWN
        elif fits:
            state = State(json.loads(self.blobs[certificates[fpr]]).get("state", "good"))
        return Signature(state, fpr)._replace(**facts)


class Numbers(UserDict[str, int]):
    """Keys that nobody else has, by owner and time, so that they can be read in a failure."""

    def key(self, name: str) -> Key:
        self[name] = self.get(name, 0) + 1
        place = sum(b << 8 * i for i, b in enumerate(name.encode()[:5][::-1]))
        return Key(f"{place << 64 | self[name]:040X}", (self.subkey(name),))

    def subkey(self, name: str) -> str:
        self[f"sub {name}"] = self.get(f"sub {name}", 0) + 1
        place = sum(b << 8 * i for i, b in enumerate(name.encode()[:5][::-1]))
        return f"{place << 16 | self[f'sub {name}']:016X}"


def certificates(repository: Repository, keys: list[Key]) -> Files:
    return {certificate_path(key.fpr): repository.certify(key) for key in keys}
