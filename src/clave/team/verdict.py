"""What verification answers: values for commands to show, each refusal with its next step."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from clave.errors import VerificationFailed

if TYPE_CHECKING:
    from clave.team.roster import Roster


class Rule(StrEnum):
    """Which rule a refused commit breaks: stable words for programs."""

    PIN = "pin"
    HISTORY = "history"
    SIGNATURE = "signature"
    MEMBER = "member"
    RIGHT = "right"
    ROSTER = "roster"
    MERGE = "merge"
    READERS = "readers"
    CERTIFICATE = "certificate"
    TREE = "tree"
    ENDORSEMENT = "endorsement"
    WRONG_HANDS = "wrong-hands"


class Pin(NamedTuple):
    """What is known from before: the genesis commit, the hash of roster 1, the last verified commit ("": none yet)."""

    genesis: str
    roster: str
    verified: str = ""


class Refusal(NamedTuple):
    """Why a commit is refused: which, who signed it (the roster's name), the rule, what is wrong, what to do next."""

    commit: str
    signer: str
    rule: Rule
    problem: str
    advice: str

    def error(self) -> VerificationFailed:
        """Return the failure that a command ends with."""
        message = f"commit {self.commit[:12]} by {self.signer} is refused ({self.rule}): {self.problem}"
        return VerificationFailed(message, self.advice)


class Waiting(NamedTuple):
    """An unsigned commit that nobody has endorsed yet, the paths that it changes, and who may endorse it."""

    commit: str
    paths: tuple[str, ...]
    endorsers: tuple[str, ...]


class Verdict(NamedTuple):
    """What came out.

    `good` is the commit up to which all is verified: the tip, or the last good one; "" where not even genesis is.
    `roster` is the one in force there, None where nothing was judged. `refusals` are the commits that break a rule,
    oldest first; what comes after them was not looked at. `waiting` are the unsigned commits that hold back what comes
    after them.
    """

    good: str
    roster: Roster | None
    refusals: tuple[Refusal, ...] = ()
    waiting: tuple[Waiting, ...] = ()


class Refused(Exception):
    """A commit breaks a rule. Never leaves this package: `verify` turns it into a Refusal."""

    def __init__(self, rule: Rule, problem: str, advice: str = "") -> None:
        super().__init__(problem)
        self.rule = rule
        self.problem = problem
        self.advice = advice or ADVICE[rule]


UNDO = (
    "Do not merge it. Ask its author to take it back and to make the change again on the last good commit: clave sync."
)
ADVICE = {
    Rule.PIN: "Ask the others whether the remote was changed on purpose; if so, move the pin: clave pin.",
    Rule.HISTORY: "Fetch the whole history (git fetch --unshallow), or ask who pushed this.",
    Rule.SIGNATURE: "Ask its author to sign it again with a valid key of theirs.",
    Rule.MEMBER: "If they belong to the team, an admin adds them: clave team add. Else find out who pushed it.",
    Rule.RIGHT: "Ask an admin to make the change, or to grant the right: clave grant.",
    Rule.ROSTER: "An admin makes the change again on the last good commit: clave sync, then the command.",
    Rule.MERGE: "Merge again from the last good commit, with clave sync.",
    Rule.READERS: "Ask its author to write the entry again with clave, which knows the readers.",
    Rule.CERTIFICATE: "Ask the owner of the key, by voice, for its fingerprint before anybody uses it.",
    Rule.TREE: UNDO,
    Rule.ENDORSEMENT: "Endorse it with clave sync --endorse, which knows what may be endorsed.",
    Rule.WRONG_HANDS: "Look at it, then bring back what was before (clave restore) or stand for it: --endorse COMMIT.",
}
