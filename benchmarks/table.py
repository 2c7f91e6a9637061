"""What was measured of a row, its statistics, and the document that tells them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Counts(NamedTuple):
    """How many processes a run has, itself included, how many of them are gpg, and how often the agent uses a key.

    None where it cannot be told.
    """

    processes: int | None = None
    gpg: int | None = None
    agent: int | None = None

    def __sub__(self, other: Counts) -> Counts:
        return Counts(*(None if a is None or b is None else a - b for a, b in zip(self, other, strict=True)))


@dataclass(frozen=True)
class Measured:
    """All runs of one program in one row; memory is in megabytes, None where it cannot be told."""

    seconds: Sequence[float]
    memory: int | None
    counts: Counts

    @property
    def median(self) -> float:
        """What half of all runs stay below."""
        return median(self.seconds)

    @property
    def spread(self) -> float:
        """The interquartile range: half of all runs lie within a range this wide."""
        lower, _, upper = quantiles(self.seconds, n=4, method="inclusive")
        return upper - lower


@dataclass(frozen=True)
class Result:
    """One row: `ours` and `theirs` in pairs, the run with one index of both made one after the other.

    `limit` is what the ratio may be, or `beyond` how many seconds clave may take beyond the other.
    """

    name: str
    says: str
    rival: str
    limit: float | None
    ours: Measured
    theirs: Measured
    beyond: float | None = None

    @property
    def ratio(self) -> float:
        """How many times the rival's time clave takes."""
        return self.ours.median / self.theirs.median

    @property
    def pair_ratio(self) -> float:
        """The median of the pairs' own ratios: what slows down both runs of a pair does not count."""
        return median(a / b for a, b in zip(self.ours.seconds, self.theirs.seconds, strict=True))

    @property
    def met(self) -> bool:
        """Tell whether clave is as fast as it should be."""
        if self.beyond is not None and self.ours.median - self.theirs.median > self.beyond:
            return False
        return self.limit is None or self.ratio <= self.limit

    @property
    def most(self) -> str | None:
        """What was promised, in words."""
        if self.limit is not None:
            return f"{self.limit:.2f}"
        return None if self.beyond is None else f"+{self.beyond * 1e3:.0f} ms"


@dataclass(frozen=True)
class Skipped:
    """A row that could not be measured here."""

    name: str
    says: str
    why: str

    def __str__(self) -> str:
        return f"Not measured: `{self.name}`, {self.why}."


HEADINGS = "| | pairs | clave | the other | ratio | of pairs | at most | met | memory, MB | processes | gpg | agent |"
RULER = "|---|" + "--:|" * 11


def line(result: Result) -> str:
    """Return a row of the table."""
    ours, theirs = result.ours, result.theirs
    cells = (
        f"`{result.name}`",
        str(len(ours.seconds)),
        _time(ours),
        f"{result.rival} {_time(theirs)}",
        f"{result.ratio:.2f}",
        f"{result.pair_ratio:.2f}",
        *((result.most, "yes" if result.met else "**no**") if result.most else ("–", "–")),
        _both(ours.memory, theirs.memory),
        *(_both(*each) for each in zip(ours.counts, theirs.counts, strict=True)),
    )
    return f"| {' | '.join(cells)} |"


def table(results: Sequence[Result | Skipped]) -> str:
    """Return the table of all rows that were measured, and below it a line for each of the others."""
    measured = [line(result) for result in results if isinstance(result, Result)]
    skipped = [str(result) for result in results if isinstance(result, Skipped)]
    return "\n".join([HEADINGS, RULER, *measured, *(["", *skipped] if skipped else [])])


def document(results: Sequence[Result | Skipped], *, command: str, date: str, machine: Sequence[str]) -> str:
    """Return the whole page."""
    about = "\n".join(f"- {each}" for each in machine)
    rows = "\n".join(f"- `{result.name}`: {result.says}" for result in results)
    return f"""# How fast clave is

Written by `{command}` on {date}. Times are medians in milliseconds, ± the interquartile range.

{table(results)}

- *ratio*: clave's median by the other's; *of pairs*: the median of the ratios within each pair; *at most*: the target
  for the ratio, or for the time beyond the other's, where there is one.
- *memory*: the peak of the largest process (not their sum); *processes*: how many one run starts, itself included
  (inside a shell: how many one completion starts); *gpg*: how many of them are gpg; *agent*: how often gpg-agent is
  asked to use a key. Each is clave's / the other's, and `–` where it cannot be told.

## The rows

{rows}

## How it is measured

clave is installed from its wheel, with compiled modules, in an environment of its own as pipx makes it: without
setuptools, which delays every start of Python 3.11 by about 1 ms. Both work on the same store with the same key
(ed25519 and cv25519 unless a row says otherwise, no passphrase, gpg-agent running); where they write, each has its own
copy of one git repository, and what is changed for good (a new reader) is a copy made anew for each run, untimed. Runs
alternate: clave and the other, the other and clave, and so on. Before that, each runs once untimed, and its answer is
checked.

## The machine

{about}
"""


def _time(measured: Measured) -> str:
    return f"{measured.median * 1e3:.1f} ± {measured.spread * 1e3:.1f}"


def _both(ours: int | None, theirs: int | None) -> str:
    return " / ".join("–" if each is None else str(each) for each in (ours, theirs))
