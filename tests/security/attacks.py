"""What people who may push, and the remote itself, do to a team: each as a function that forges and pushes.

Each is refused by the rule, and with the words, that stand beside it. The fixture is the one of `tests/teams.py`.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from clave.openpgp import packets
from clave.team.roster import LEFT, STOLEN, Folder, Key, Removed, Roster
from tests.openpgp.building import new, partial
from tests.security.forge import FILE, FOLDER, PROGRAM, SUBMODULE, SYMLINK, Forge, with_header

if TYPE_CHECKING:
    from collections.abc import Callable

WAITS = "waits"  # no rule: it is held back as it is unsigned


class Attack(NamedTuple):
    """An attack; by which rule it is refused, the words that say so, and how the signer of the commit is called."""

    make: Callable[[Forge], object]
    rule: str
    words: str
    signer: str = "bob"

    @property
    def name(self) -> str:
        return self.make.__name__


ATTACKS: list[Attack] = []


def attack(rule: str, words: str, signer: str = "bob") -> Callable[[Callable[[Forge], object]], Callable]:
    """Put an attack into the table."""

    def add(make: Callable[[Forge], object]) -> Callable:
        ATTACKS.append(Attack(make, rule, words, signer))
        return make

    return add


# Roster.


def _with_mallory(forge: Forge) -> dict[str, bytes]:
    return {".gpg-id": forge.content(".gpg-id") + forge.people["mallory"].fingerprint.encode() + b"\n"}


@attack("right", "bob may not change .gpg-id")
def bob_adds_a_reader(forge: Forge) -> None:
    forge.push(forge.commit("bob", _with_mallory(forge)))


@attack("signature", "it is not signed and changes .gpg-id", "nobody")
def a_reader_is_added_unsigned(forge: Forge) -> None:
    forge.push(forge.commit(None, _with_mallory(forge)))


@attack("member", "is no member", "the unknown key")
def mallory_adds_herself(forge: Forge) -> None:
    forge.push(forge.commit("mallory", _with_mallory(forge)))


@attack("readers", ".gpg-id is not what roster 1 says", "alice")
def an_admin_adds_a_reader_without_roster(forge: Forge) -> None:
    forge.push(forge.commit("alice", _with_mallory(forge)))


@attack("readers", "team/.gpg-id is of a folder without rights of its own", "alice")
def an_admin_adds_a_folder_without_roster(forge: Forge) -> None:
    forge.push(forge.commit("alice", {"team/.gpg-id": _with_mallory(forge)[".gpg-id"]}))


@attack("readers", "prod/.gpg-id is missing", "alice")
def an_admin_opens_a_folder_without_roster(forge: Forge) -> None:
    forge.push(forge.commit("alice", {"prod/.gpg-id": None}))


def _promoted(forge: Forge, name: str = "bob", **changes: object) -> Roster:
    members = tuple(m._replace(role="admin") if m.name == name else m for m in forge.roster().members)
    return forge.next_roster(members=members, **changes)


@attack("right", "bob may not change .clave/roster/00002.toml")
def bob_makes_himself_admin(forge: Forge) -> None:
    forge.push(forge.commit("bob", forge.with_roster(_promoted(forge), "bob")))


@attack("right", "bob may not change .clave/roster/00002.toml")
def bob_commits_a_roster_that_alice_signed(forge: Forge) -> None:
    forge.push(forge.commit("bob", forge.with_roster(_promoted(forge), "alice")))


@attack("roster", "roster 2 is signed by bob, who is no admin", "alice")
def alice_commits_a_roster_that_bob_signed(forge: Forge) -> None:
    forge.push(forge.commit("alice", forge.with_roster(_promoted(forge), "bob")))


@attack("roster", "of roster 2, its signature does not fit it", "alice")
def a_roster_with_the_signature_of_another(forge: Forge) -> None:
    files = forge.with_roster(_promoted(forge), "alice")
    files[".clave/roster/00002.toml.sig"] = forge.content(".clave/roster/00001.toml.sig")
    forge.push(forge.commit("alice", files))


@attack("roster", "may only add roster 2 and its signature", "alice")
def a_roster_without_signature(forge: Forge) -> None:
    files = forge.with_roster(_promoted(forge), "alice")
    del files[".clave/roster/00002.toml.sig"]
    forge.push(forge.commit("alice", files))


@attack("roster", "may only add roster 2 and its signature", "alice")
def roster_three_without_two(forge: Forge) -> None:
    forge.push(forge.commit("alice", forge.with_roster(forge.next_roster(seq=3), "alice")))


@attack("roster", "it changes .clave/roster/00001.toml, and may only add roster 2 and its signature", "alice")
def the_first_roster_is_edited(forge: Forge) -> None:
    files = forge.with_roster(replace(_promoted(forge), seq=1, prev=""), "alice")
    forge.push(forge.commit("alice", files))


@attack("roster", "roster 2 does not follow: its prev is not the hash of roster 1", "alice")
def a_roster_after_another_one(forge: Forge) -> None:
    forge.push(forge.commit("alice", forge.with_roster(_promoted(forge, prev="0" * 64), "alice")))


@attack("roster", "roster 2 does not follow: it is of another store", "alice")
def the_id_of_the_store_is_changed(forge: Forge) -> None:
    forge.push(forge.commit("alice", forge.with_roster(forge.next_roster(store="0" * 32), "alice")))


@attack("roster", "its parents have different rosters 2", "alice")
def two_rosters_two_are_merged(forge: Forge) -> None:
    one = forge.commit("alice", forge.with_roster(_promoted(forge, "bob"), "alice"))
    other = forge.commit("alice", forge.with_roster(_promoted(forge, "carol"), "alice"))
    forge.push(forge.commit("alice", parents=(one, other)))


@attack("pin", "it does not come after the commit that was verified last", "alice")
def the_other_roster_two(forge: Forge) -> None:
    """The victim has one of them, the remote shows the other."""
    forge.push(forge.commit("alice", forge.with_roster(_promoted(forge, "bob"), "alice")))
    _victim_pulls(forge)
    forge.push(forge.commit("alice", forge.with_roster(_promoted(forge, "carol"), "alice")))


@attack("roster", "it has no roster", "alice")
def the_team_is_deleted(forge: Forge) -> None:
    forge.push(forge.commit("alice", {p: None for p in forge.files() if p.startswith(".clave/")}))


@attack("roster", "it has no roster", "the unknown key")
def a_store_of_mallory_in_its_place(forge: Forge) -> None:
    mine = {".gpg-id": forge.people["mallory"].fingerprint.encode() + b"\n", "web.gpg": forge.secret("mallory")}
    forge.push(forge.commit("mallory", {**dict.fromkeys(forge.files()), **mine}))


@attack("roster", "is not spelled as clave spells it", "alice")
def a_roster_spelled_otherwise(forge: Forge) -> None:
    files = forge.with_roster(_promoted(forge), "alice")
    data = files[".clave/roster/00002.toml"]
    assert data
    data += b"# a comment\n"
    files |= {".clave/roster/00002.toml": data, ".clave/roster/00002.toml.sig": forge.sign("alice", data, armor=False)}
    forge.push(forge.commit("alice", files))


@attack("roster", "the roster is larger than 1024 KiB", "alice")
def a_roster_of_two_megabytes(forge: Forge) -> None:
    data = b"# " + b"x" * (2 << 20)
    files = {".clave/roster/00002.toml": data, ".clave/roster/00002.toml.sig": forge.sign("alice", data, armor=False)}
    forge.push(forge.commit("alice", files))


# Certificates.


@attack("right", "bob may not change .public-keys/")
def bob_replaces_the_key_of_alice(forge: Forge) -> None:
    path = f".public-keys/{forge.people['alice'].fingerprint}"
    forge.push(forge.commit("bob", {path: forge.certificate("mallory")}))


@attack("certificate", "holds another key, or more than one")
def bob_publishes_the_key_of_mallory_as_his(forge: Forge) -> None:
    path = f".public-keys/{forge.people['bob'].fingerprint}"
    forge.push(forge.commit("bob", {path: forge.certificate("mallory")}))


@attack("certificate", "holds another key, or more than one")
def bob_publishes_two_keys(forge: Forge) -> None:
    bob, mallory = forge.people["bob"], forge.people["mallory"]
    both = bob.gpg("--export", bob.fingerprint) + mallory.gpg("--export", mallory.fingerprint)
    forge.push(forge.commit("bob", {f".public-keys/{bob.fingerprint}": both}))


@attack("certificate", "is no certificate under its fingerprint")
def bob_publishes_two_blocks(forge: Forge) -> None:
    bob = forge.people["bob"]
    both = forge.certificate("bob") + forge.certificate("mallory")
    forge.push(forge.commit("bob", {f".public-keys/{bob.fingerprint}": both}))


@attack("certificate", "holds a secret key")
def bob_publishes_his_secret_key(forge: Forge) -> None:
    bob = forge.people["bob"]
    secret = bob.gpg("--pinentry-mode", "loopback", "--passphrase", "", "--export-secret-keys", bob.fingerprint)
    forge.push(forge.commit("bob", {f".public-keys/{bob.fingerprint}": secret}))


@attack("certificate", "of bob is missing")
def bob_takes_his_key_away(forge: Forge) -> None:
    forge.push(forge.commit("bob", {f".public-keys/{forge.people['bob'].fingerprint}": None}))


@attack("certificate", "lacks the subkey that the roster names for bob")
def bob_takes_his_subkey_away(forge: Forge) -> None:
    bob = forge.people["bob"]
    drop = ["--export-filter", "drop-subkey=usage=~e"]
    stripped = bob.gpg("--export-options", "export-minimal", *drop, "--export", bob.fingerprint)
    forge.push(forge.commit("bob", {f".public-keys/{bob.fingerprint}": stripped}))


@attack("right", "bob may not change .public-keys/")
def bob_publishes_a_key_of_nobody(forge: Forge) -> None:
    path = f".public-keys/{forge.people['mallory'].fingerprint}"
    forge.push(forge.commit("bob", {path: forge.certificate("mallory")}))


@attack("certificate", "is no certificate under its fingerprint", "alice")
def an_admin_publishes_a_bomb(forge: Forge) -> None:
    mallory = forge.people["mallory"]
    bomb = mallory.gpg("--export", mallory.fingerprint) + b"\xb4\x20" + b"x" * 32  # user ids for ever
    path = f".public-keys/{mallory.fingerprint}"
    forge.push(forge.commit("alice", {path: bomb + (b"\xb4\x20" + b"x" * 32) * 20_000}))


# Ciphertext.


@attack(WAITS, "is not signed", "nobody")
def the_remote_swaps_two_entries(forge: Forge) -> None:
    web, wifi = forge.content("web.gpg"), forge.content("team/wifi.gpg")
    forge.push(forge.commit(None, {"web.gpg": wifi, "team/wifi.gpg": web}))


@attack("readers", "a.gpg: it is not encrypted to a current subkey of bob")
def bob_copies_an_entry_of_others(forge: Forge) -> None:
    forge.push(forge.commit("bob", {"a.gpg": forge.content("prod/db.gpg")}))


@attack("right", "bob may not change prod/db.gpg")
def bob_writes_where_he_may_not(forge: Forge) -> None:
    forge.push(forge.commit("bob", {"prod/db.gpg": forge.secret("alice", "carol")}))


@attack("right", "bob may not change prod/db.gpg")
def bob_removes_what_he_may_not(forge: Forge) -> None:
    forge.push(forge.commit("bob", {"prod/db.gpg": None}))


@attack("readers", "a.gpg: it is encrypted also to the unknown key")
def bob_encrypts_also_to_mallory(forge: Forge) -> None:
    forge.push(forge.commit("bob", {"a.gpg": forge.secret("alice", "bob", "carol", "mallory")}))


@attack("readers", "a.gpg: it is not encrypted to a current subkey of carol")
def bob_leaves_carol_out(forge: Forge) -> None:
    forge.push(forge.commit("bob", {"a.gpg": forge.secret("alice", "bob")}))


@attack("readers", "prod/x.gpg: it is encrypted also to bob", "carol")
def carol_lets_bob_in(forge: Forge) -> None:
    forge.push(forge.commit("carol", {"prod/x.gpg": forge.secret("alice", "bob", "carol")}))


@attack("readers", "a.gpg: it is encrypted also to somebody who is hidden")
def bob_hides_a_recipient(forge: Forge) -> None:
    data = forge.encrypt(b"planted\n", "alice", "bob", "carol", hide=["mallory"])
    forge.push(forge.commit("bob", {"a.gpg": data}))


@attack("readers", "a.gpg: it is not encrypted to a current subkey of")
def bob_hides_them_all(forge: Forge) -> None:
    data = forge.encrypt(b"planted\n", "alice", "bob", "carol", options=["--throw-keyids"])
    forge.push(forge.commit("bob", {"a.gpg": data}))


@attack("readers", "a.gpg: it is no OpenPGP message that may be opened")
def bob_plants_an_unencrypted_message(forge: Forge) -> None:
    data = forge.people["bob"].gpg("--store", input=b"planted\n")
    forge.push(forge.commit("bob", {"a.gpg": data}))


@attack("readers", "a.gpg: it is no OpenPGP message that may be opened")
def bob_plants_a_message_by_a_password(forge: Forge) -> None:
    options = ["--pinentry-mode", "loopback", "--passphrase", "p", "--symmetric"]
    data = forge.people["bob"].gpg(*options, input=b"planted\n")
    forge.push(forge.commit("bob", {"a.gpg": data}))


@attack("readers", "a.gpg: it is no OpenPGP message that may be opened")
def bob_adds_a_password_to_a_message(forge: Forge) -> None:
    options = ["--pinentry-mode", "loopback", "--passphrase", "p", "--symmetric"]
    data = forge.encrypt(b"planted\n", "alice", "bob", "carol", options=options)
    forge.push(forge.commit("bob", {"a.gpg": data}))


@attack("readers", "a.gpg: it is no OpenPGP message that may be opened")
def bob_writes_text(forge: Forge) -> None:
    forge.push(forge.commit("bob", {"a.gpg": b"planted\n"}))


@attack("readers", "a.gpg: it is no OpenPGP message that may be opened")
def bob_writes_nothing(forge: Forge) -> None:
    forge.push(forge.commit("bob", {"a.gpg": b""}))


@attack("readers", "a.gpg: it is no OpenPGP message that may be opened")
def bob_appends_a_second_message(forge: Forge) -> None:
    forge.push(forge.commit("bob", {"a.gpg": forge.secret() + forge.secret()}))


def _spliced(theirs: bytes, *, in_parts: bool = False) -> Callable[[bytes], bytes]:
    """Return what puts the encrypted text of a message behind the recipients of another one."""

    def make(mine: bytes) -> bytes:
        named, text = packets.inspect(mine), packets.content(theirs[packets.inspect(theirs).data_at :])[1]
        heads = b"".join(new(1, mine[start:end]) for start, end in named.bodies)
        return heads + (partial(18, text[:16], text[16:]) if in_parts else new(18, text))

    return make


@attack("readers", "a.gpg: its text is that of another message, which is not for bob")
def bob_puts_his_name_on_an_entry_of_others(forge: Forge) -> None:
    """Alice and carol could read it, and whoever encrypts it anew would do so to bob."""
    theirs = forge.content("prod/db.gpg")
    forge.push(forge.commit("bob", {"a.gpg": _spliced(theirs)(forge.secret())}))


@attack("readers", "team/a.gpg: its text is that of another message, which is not for bob")
def bob_puts_his_name_on_an_old_entry_of_others(forge: Forge) -> None:
    theirs = forge.content("prod/db.gpg")
    forge.advance(forge.commit("carol", {"prod/db.gpg": forge.secret("alice", "carol")}))
    forge.push(forge.tip)
    _victim_pulls(forge)
    forge.push(forge.commit("bob", {"team/a.gpg": _spliced(theirs, in_parts=True)(forge.secret())}))


# History.


def _victim_pulls(forge: Forge) -> None:
    """Carol has what the remote has, and has verified it."""
    forge.team.git("carol", "fetch", "-q", "origin", "main")
    forge.team.git("carol", "reset", "-q", "--hard", "FETCH_HEAD")
    forge.team.clave("carol", "verify")
    tip = forge.team.head("carol")
    assert forge.team.pin("carol")["local"] == tip
    forge.team.set_pin("carol", {**forge.team.pin("carol"), "upstream": tip})


def _honest(forge: Forge, who: str, path: str) -> str:
    """Put something true on top."""
    return forge.advance(forge.commit(who, {path: forge.secret()}, message="honest\n"))


@attack("pin", "it does not come after the commit that was verified last")
def the_remote_goes_back(forge: Forge) -> None:
    older = _honest(forge, "bob", "a.gpg")
    _honest(forge, "alice", "b.gpg")
    forge.push(forge.tip)
    _victim_pulls(forge)
    forge.push(older)


@attack("pin", "it does not come after the commit that was verified last", "somebody")
def the_remote_goes_back_beyond_the_team(forge: Forge) -> None:
    forge.push(forge.text("rev-parse", "main~2"))


@attack("pin", "it does not come after the commit that was verified last")
def a_parallel_history(forge: Forge) -> None:
    base = forge.tip
    for each in range(3):
        _honest(forge, "alice", f"n{each}.gpg")
    forge.push(forge.tip)
    _victim_pulls(forge)
    forge.advance(base)
    for each in range(4):
        _honest(forge, "bob", f"n{each}.gpg")
    forge.push(forge.tip)


@attack("pin", "it does not come after the commit that was verified last", "alice")
def a_history_of_its_own(forge: Forge) -> None:
    """The same files, without what came before."""
    forge.push(forge.store(forge.signed("alice", forge.payload(forge.text("rev-parse", "main^{tree}"), (), "alice"))))


@attack("history", "which is not the pinned beginning", "alice")
def another_beginning_is_merged(forge: Forge) -> None:
    tree = forge.text("rev-parse", "main^{tree}")
    other = forge.store(forge.signed("alice", forge.payload(tree, (), "alice")))
    forge.push(forge.commit("alice", parents=(forge.tip, other)))


@attack("history", "the history is cut off", "alice")
def what_was_before_the_team_is_merged(forge: Forge) -> None:
    forge.push(forge.commit("alice", parents=(forge.tip, forge.text("rev-parse", "main~1"))))


def _remove(forge: Forge, name: str, reason: str = LEFT, last_good: str = "", **more: object) -> str:
    """Alice removes somebody: a roster, and what must be encrypted anew is (nobody asks for more)."""
    before = forge.roster()
    member = before.member(name)
    assert member
    after = forge.next_roster(
        members=tuple(m for m in before.members if m.name != name),
        folders=tuple(_without(folder, name) for folder in before.folders),
        removed=(*before.removed, Removed(name, member.keys, reason, last_good)),
    )
    return forge.advance(forge.commit("alice", forge.with_roster(after, "alice"), message="honest\n", **more))


def _without(folder: Folder, name: str) -> Folder:
    return folder._replace(
        read=tuple(grant for grant in folder.read if grant.who != name),
        write=tuple(grant for grant in folder.write if grant.who != name),
    )


@attack("member", "bob (removed) is no member", "bob (removed)")
def the_later_commit_of_somebody_removed(forge: Forge) -> None:
    _remove(forge, "bob")
    forge.push(forge.commit("bob", {"a.gpg": forge.secret("alice", "carol")}))


def _old_branch(forge: Forge) -> tuple[str, str]:
    """Bob's branch, dated back to before he was removed, and the team's without him."""
    base = forge.tip
    branch = forge.commit("bob", {"a.gpg": forge.secret()})
    _remove(forge, "bob")
    assert forge.tip != base
    return branch, forge.tip


def _merged(forge: Forge, who: str | None, parents: tuple[str, str], take: str = "a.gpg", **more: object) -> None:
    """Push the clean merge of two sides, the second of which has brought one file."""
    branch = next(each for each in parents if take in forge.files(each))
    base = next(each for each in parents if each != branch)
    forge.push(forge.commit(who, {take: forge.files(branch)[take]}, parents=parents, base=base, **more))


@attack("member", "bob (removed) is no member", "bob (removed)")
def his_old_branch_merged_by_himself(forge: Forge) -> None:
    branch, main = _old_branch(forge)
    _merged(forge, "bob", (main, branch))


@attack("member", "bob (removed) is no member", "bob (removed)")
def the_team_merged_into_his_old_branch_by_himself(forge: Forge) -> None:
    branch, main = _old_branch(forge)
    _merged(forge, "bob", (branch, main))


@attack("member", "and by roster 2 bob (removed) is no member", "carol")
def his_old_branch_merged_by_carol(forge: Forge) -> None:
    branch, main = _old_branch(forge)
    _merged(forge, "carol", (main, branch))


@attack("member", "and by roster 2 bob (removed) is no member", "carol")
def the_team_merged_into_his_old_branch_by_carol(forge: Forge) -> None:
    branch, main = _old_branch(forge)
    _merged(forge, "carol", (branch, main))


@attack("member", "bob (removed) is no member", "carol")
def his_old_branch_hidden_below_a_merge(forge: Forge) -> None:
    base = forge.tip
    branch = forge.commit("bob", {"a.gpg": forge.secret()})
    mine = forge.commit("carol", {"c.gpg": forge.secret()})
    files = {"a.gpg": forge.files(branch)["a.gpg"]}
    hidden = forge.commit("carol", files, parents=(mine, branch))
    _remove(forge, "bob")
    main = forge.tip
    both = {**files, "c.gpg": forge.files(mine)["c.gpg"]}
    forge.push(forge.commit("carol", both, parents=(hidden, main), base=main))
    assert base != main


@attack("roster", "its rosters are not those of its parent with the highest", "alice")
def a_merge_drops_a_roster(forge: Forge) -> None:
    mine = forge.commit("alice", {"a.gpg": forge.secret()})
    main = forge.advance(forge.commit("alice", forge.with_roster(_promoted(forge), "alice")))
    forge.push(forge.commit("alice", parents=(mine, main), base=mine))


@attack("merge", "it sets web.gpg back to what it was before both sides")
def a_merge_rolls_an_entry_back(forge: Forge) -> None:
    base, mine = forge.tip, forge.commit("bob", {"a.gpg": forge.secret()})
    main = forge.commit("alice", {"web.gpg": forge.secret()})
    forge.push(forge.commit("bob", {"web.gpg": forge.files(base)["web.gpg"]}, parents=(main, mine), base=mine))


@attack("right", "bob may not change prod/db.gpg")
def a_merge_rolls_back_what_its_signer_may_not_write(forge: Forge) -> None:
    mine = forge.commit("bob", {"a.gpg": forge.secret()})
    main = forge.commit("carol", {"prod/db.gpg": forge.secret("alice", "carol")})
    forge.push(forge.commit("bob", parents=(main, mine), base=mine))


@attack("merge", "it has 3 parents")
def an_octopus(forge: Forge) -> None:
    sides = [forge.commit("bob", {f"{name}.gpg": forge.secret()}) for name in "xyz"]
    forge.push(forge.commit("bob", parents=sides))


@attack("signature", "its signature uses SHA1, which is weak")
def a_signature_with_sha1(forge: Forge) -> None:
    options = ["--digest-algo", "SHA1", "--allow-weak-digest-algos"]
    forge.push(forge.commit("bob", {"a.gpg": forge.secret()}, options=options))


@attack("signature", "its signature is of the text kind")
def a_signature_of_the_text_kind(forge: Forge) -> None:
    forge.push(forge.commit("bob", {"a.gpg": forge.secret()}, options=["--textmode"]))


@attack("signature", "it has 2 signatures")
def two_signatures(forge: Forge) -> None:
    payload = forge.payload(forge.tree({**forge.files(), "a.gpg": (FILE, forge.blob(forge.secret()))}),
                            (forge.tip,), "bob")  # fmt: skip
    forge.push(forge.store(forge.signed("mallory", forge.signed("bob", payload))))


@attack("signature", "it has 2 signatures", "an unknown key")
def two_signatures_in_one(forge: Forge) -> None:
    bob, alice = forge.people["bob"], forge.people["alice"]
    payload = forge.payload(forge.tree({**forge.files(), "a.gpg": (FILE, forge.blob(forge.secret()))}),
                            (forge.tip,), "bob")  # fmt: skip
    both = b"".join(each.gpg("--local-user", each.fingerprint, "--detach-sign", input=payload) for each in (bob, alice))
    lines = _armored(both).split(b"\n")
    forge.push(forge.store(with_header(payload, b"gpgsig " + b"\n ".join(lines))))


def _armored(data: bytes) -> bytes:
    done = subprocess.run(["gpg", "--batch", "--enarmor"], input=data, capture_output=True, check=True)
    lines = done.stdout.replace(b"PGP ARMORED FILE", b"PGP SIGNATURE").rstrip(b"\n").split(b"\n")
    return b"\n".join(line for line in lines if not line.startswith(b"Comment"))


@attack("signature", "it has 2 signatures")
def a_signature_for_another_hash_function(forge: Forge) -> None:
    payload = forge.payload(forge.tree({**forge.files(), "a.gpg": (FILE, forge.blob(forge.secret()))}),
                            (forge.tip,), "bob")  # fmt: skip
    forge.push(forge.store(with_header(forge.signed("bob", payload), b"gpgsig-sha256 x")))


@attack("signature", "it has 2 signatures")
def a_signed_tag_in_a_merge(forge: Forge) -> None:
    side = forge.commit("bob", {"a.gpg": forge.secret()})
    tag = f"object {side}\ntype commit\ntag x\ntagger b <b@example.org> 1 +0000\n\nx\n".encode()
    lines = (tag + forge.sign("bob", tag)).rstrip(b"\n").split(b"\n")
    payload = forge.payload(forge.text("rev-parse", f"{side}^{{tree}}"), (forge.tip, side), "bob")
    forge.push(forge.store(forge.signed("bob", with_header(payload, b"mergetag " + b"\n ".join(lines)))))


@attack("signature", "its signature does not fit it")
def a_signature_of_another_commit(forge: Forge) -> None:
    commit = forge.signed("bob", forge.payload(forge.text("rev-parse", "main^{tree}"), (forge.tip,), "bob"))
    evil = forge.tree({**forge.files(), "a.gpg": (FILE, forge.blob(forge.secret()))})
    start = commit.index(b"\n")
    forge.push(forge.store(b"tree " + evil.encode() + commit[start:]))


@attack("member", "is no member", "an unknown key")
def a_signature_by_an_ssh_key(forge: Forge) -> None:
    folder = Path(tempfile.mkdtemp(prefix="cl-"))
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")], check=True)
    payload = forge.payload(forge.tree({**forge.files(), "a.gpg": (FILE, forge.blob(forge.secret()))}),
                            (forge.tip,), "bob")  # fmt: skip
    argv = ["ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", str(folder / "key")]
    signature = subprocess.run(argv, input=payload, capture_output=True, check=True).stdout
    shutil.rmtree(folder)
    lines = signature.rstrip(b"\n").split(b"\n")
    forge.push(forge.store(with_header(payload, b"gpgsig " + b"\n ".join(lines))))


# Commits that git and others may read otherwise.


@attack("history", "is not there", "somebody")
def a_second_parent_behind_the_author(forge: Forge) -> None:
    """git sees one parent; whoever looks for lines that say so sees two."""
    older = forge.text("rev-parse", "main~1")
    payload = forge.payload(forge.text("rev-parse", "main^{tree}"), (forge.tip,), "bob")
    forge.push(forge.store(forge.signed("bob", with_header(payload, f"parent {older}".encode()))))


@attack("pin", "it does not come after", "somebody")
def a_second_tree(forge: Forge) -> None:
    tree = forge.text("rev-parse", "main^{tree}")
    payload = forge.payload(f"{tree}\ntree {tree}", (forge.tip,), "bob")
    forge.push(forge.store(forge.signed("bob", payload)))


# git's trees.


def _with_rows(forge: Forge, *rows: tuple[str, bytes, str], who: str | None = "bob") -> str:
    """Commit the tree of the tip with more rows, sorted by name."""
    all_rows = sorted([*forge.rows(), *rows], key=lambda row: row[1] + b"/" * (row[0] == FOLDER))
    return forge.push(forge.commit(who, tree=forge.raw_tree(all_rows)))


@attack("tree", ".git may not be in a store", "alice")
def an_entry_in_dot_git(forge: Forge) -> None:
    inner = forge.raw_tree([(FILE, b"config", forge.blob(b"[core]\n\tfsmonitor = touch /tmp/pwned\n"))])
    _with_rows(forge, (FOLDER, b".git", inner), who="alice")


@attack("tree", ".git may not be in a store", "alice")
def a_file_in_dot_git_by_an_admin(forge: Forge) -> None:
    _with_rows(forge, (FILE, b".GIT", forge.blob(b"x")), who="alice")


@attack("tree", "'..' leads elsewhere", "alice")
def a_folder_above(forge: Forge) -> None:
    inner = forge.raw_tree([(FILE, b"x.gpg", forge.blob(forge.secret()))])
    _with_rows(forge, (FOLDER, b"..", inner), who="alice")


@attack("right", "bob may not change ../x.gpg")
def a_folder_above_by_bob(forge: Forge) -> None:
    inner = forge.raw_tree([(FILE, b"x.gpg", forge.blob(forge.secret()))])
    _with_rows(forge, (FOLDER, b"..", inner))


@attack("tree", "is not as git makes trees")
def an_entry_twice(forge: Forge) -> None:
    _with_rows(forge, (FILE, b"web.gpg", forge.blob(forge.secret())))


@attack("tree", "web.gpg stands twice in it")
def an_entry_twice_the_old_one_last(forge: Forge) -> None:
    rows = forge.rows()
    at = next(n for n, row in enumerate(rows) if row[1] == b"web.gpg")
    rows.insert(at, (FILE, b"web.gpg", forge.blob(forge.secret())))
    forge.push(forge.commit("bob", tree=forge.raw_tree(rows)))


@attack("tree", "new.gpg stands twice in it")
def a_new_entry_twice(forge: Forge) -> None:
    one, other = forge.blob(forge.secret()), forge.blob(forge.secret())
    _with_rows(forge, (FILE, b"new.gpg", one), (FILE, b"new.gpg", other))


@attack("tree", "is not as git makes trees")
def a_folder_twice(forge: Forge) -> None:
    inner = forge.raw_tree([(FILE, b"other.gpg", forge.blob(forge.secret()))])
    _with_rows(forge, (FOLDER, b"team", inner))


@attack("tree", "is not as git makes trees", "alice")
def a_folder_and_a_file(forge: Forge) -> None:
    _with_rows(forge, (FILE, b"team", forge.blob(forge.secret())), who="alice")


@attack("tree", "is not as git makes trees")
def an_unsorted_tree(forge: Forge) -> None:
    rows = [*forge.rows(), (FILE, b"a.gpg", forge.blob(forge.secret()))]
    forge.push(forge.commit("bob", tree=forge.raw_tree(rows)))


@attack("tree", "is not as git makes trees")
def a_slash_in_a_name(forge: Forge) -> None:
    _with_rows(forge, (FILE, b"team/x.gpg", forge.blob(forge.secret())))


@attack("tree", "is not as git makes trees")
def a_slash_in_a_name_beside_a_change(forge: Forge) -> None:
    """The folder that the name seems to be in is changed, too, and has that very entry."""
    inner = [*forge.rows("main:team"), (FILE, b"x.gpg", forge.blob(forge.secret()))]
    before = {row[1]: row for row in forge.rows()}
    before[b"team"] = (FOLDER, b"team", forge.raw_tree(sorted(inner, key=lambda row: row[1])))
    first = forge.advance(forge.commit("bob", tree=forge.raw_tree(list(before.values()))))
    inner[0] = (FILE, inner[0][1], forge.blob(forge.secret()))
    before[b"team"] = (FOLDER, b"team", forge.raw_tree(sorted(inner, key=lambda row: row[1])))
    rows = [*before.values(), (FILE, b"team/x.gpg", forge.blob(forge.secret()))]
    rows.sort(key=lambda row: row[1] + b"/" * (row[0] == FOLDER))
    forge.push(forge.commit("bob", tree=forge.raw_tree(rows), parents=(first,)))


@attack("tree", "x.gpg is no ordinary file (mode 120000)")
def a_symlink(forge: Forge) -> None:
    _with_rows(forge, (SYMLINK, b"x.gpg", forge.blob(b"/etc/passwd")))


@attack("tree", "x.gpg is no ordinary file (mode 100755)")
def a_program(forge: Forge) -> None:
    _with_rows(forge, (PROGRAM, b"x.gpg", forge.blob(forge.secret())))


@attack("tree", "x.gpg is no ordinary file (mode 160000)")
def a_submodule_as_an_entry(forge: Forge) -> None:
    _with_rows(forge, (SUBMODULE, b"x.gpg", forge.tip))


@attack("right", "bob may not change .gitmodules")
def a_submodule(forge: Forge) -> None:
    modules = b'[submodule "x"]\n\tpath = x\n\turl = /tmp\n\tignore = all\n'
    _with_rows(forge, (SUBMODULE, b"x", forge.tip), (FILE, b".gitmodules", forge.blob(modules)))


@attack("tree", ".gitmodules may not be in a store", "alice")
def a_submodule_by_an_admin(forge: Forge) -> None:
    modules = b'[submodule "x"]\n\tpath = x\n\turl = /tmp\n\tignore = all\n'
    _with_rows(forge, (SUBMODULE, b"x", forge.tip), (FILE, b".gitmodules", forge.blob(modules)), who="alice")


@attack("right", "bob may not change .gitattributes")
def attributes_from_a_member(forge: Forge) -> None:
    forge.push(forge.commit("bob", {".gitattributes": b"*.gpg eol=crlf filter=evil\n"}))


def _named(name: bytes, words: str, who: str = "bob") -> None:
    """An entry with a name that may not be."""

    def make(forge: Forge) -> None:
        _with_rows(forge, (FILE, name, forge.blob(forge.secret())), who=who)

    make.__name__ = f"a_name_like_{ascii(name)[2:-1][:20]}"
    ATTACKS.append(Attack(make, "tree", words, who))


_named(b"\x1b]0;x\x07.gpg", "holds what cannot be shown")
_named("\u202egpg.x.gpg".encode(), "holds what cannot be shown")
_named(b"dot..gpg", "ends with a dot or blank")
_named(b"-rf.gpg", "begins with a dash or blank")
_named(b"n" * 296 + b".gpg", "has more than 200 bytes")
_named(b"\xff\xfe.gpg", "holds what cannot be shown")
_named(b"WEB.gpg", "differ only in case or form")
_named("cafe\u0301.gpg".encode(), "is not in Unicode's NFC form")
_named(b"new\nline.gpg", "holds what cannot be shown")
_named(".\u200b.gpg".encode(), "holds what cannot be shown", "alice")


@attack("tree", "'Team' and 'team' differ only in case or form")
def a_folder_that_differs_in_case(forge: Forge) -> None:
    forge.push(forge.commit("bob", {"Team/x.gpg": forge.secret()}))


@attack("tree", "'Straße.gpg' and 'STRASSE.gpg' differ only in case or form")
def two_names_that_some_take_for_one(forge: Forge) -> None:
    forge.push(forge.commit("bob", {"Straße.gpg": forge.secret(), "STRASSE.gpg": forge.secret()}))


# Endorsements, and keys in wrong hands.


@attack("endorsement", "it endorses what its signer could not do: bob may not change prod/db.gpg")
def bob_endorses_what_he_may_not_write(forge: Forge) -> None:
    planted = forge.advance(forge.commit(None, {"prod/db.gpg": forge.secret("alice", "carol")}))
    forge.push(forge.commit("bob", message=f"Endorse\n\nClave-Op: endorse\nClave-Endorse: {planted}\n"))


@attack("endorsement", "which does not come before it")
def bob_endorses_what_is_not_there(forge: Forge) -> None:
    forge.push(forge.commit("bob", message=f"Endorse\n\nClave-Op: endorse\nClave-Endorse: {'0' * 40}\n"))


@attack("wrong-hands", "whose key was in wrong hands", "alice")
def a_stolen_key_without_looking(forge: Forge) -> None:
    last_good = forge.tip
    _honest(forge, "bob", "planted.gpg")
    _remove(forge, "bob", STOLEN, last_good)
    forge.push(forge.tip)


@attack("roster", "it forgets the key", "alice")
def a_roster_forgets_who_left(forge: Forge) -> None:
    before = forge.roster()
    after = forge.next_roster(
        members=tuple(m for m in before.members if m.name != "bob"),
        folders=tuple(_without(folder, "bob") for folder in before.folders),
    )
    forge.push(forge.commit("alice", forge.with_roster(after, "alice")))


# Keys that are somebody else's.


@attack("roster", "stands there twice", "alice")
def two_members_with_one_subkey(forge: Forge) -> None:
    """Refused already as a roster that cannot be."""
    before = forge.roster()
    bob, carol = (before.member(name) for name in ("bob", "carol"))
    assert bob
    assert carol
    path = ".clave/roster/00002.toml"
    files = forge.with_roster(forge.next_roster(), "alice")
    data = files[path]
    assert data
    data = data.replace(carol.keys[0].enc[0].encode(), bob.keys[0].enc[0].encode())
    files |= {path: data, f"{path}.sig": forge.sign("alice", data, armor=False)}
    forge.push(forge.commit("alice", files))


@attack("certificate", "lacks the subkey that the roster names for mallory", "alice")
def a_member_with_the_subkey_of_a_stranger(forge: Forge) -> None:
    key = Key(forge.people["mallory"].fingerprint, ("00000000000000FF",))
    before = forge.roster()
    member = before.members[0]._replace(name="mallory", role="member", keys=(key,))
    after = forge.next_roster(members=(*before.members, member))
    files = forge.with_roster(after, "alice") | {f".public-keys/{key.fpr}": forge.certificate("mallory")}
    forge.push(forge.commit("alice", files))
