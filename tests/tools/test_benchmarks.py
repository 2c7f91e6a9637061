"""What the benchmarks make of times: the statistics, the verdict and the page. Nothing is timed here."""

from __future__ import annotations

import pytest
from benchmarks.table import Counts, Measured, Result, Skipped, document, line


def result(ours: list[float], theirs: list[float], limit: float | None = 1.0, beyond: float | None = None) -> Result:
    mine, other = Measured(ours, 12, Counts(2, 1, 7)), Measured(theirs, None, Counts())
    return Result("show", "one entry", "pass", limit, mine, other, beyond)


def test_a_line_has_medians_spread_and_both_ratios() -> None:
    # Something slowed down both runs of the last pair: neither ratio minds.
    noisy = result([0.010, 0.020, 0.030, 0.040, 0.900], [0.020, 0.040, 0.060, 0.080, 1.800])

    assert line(noisy) == (
        "| `show` | 5 | 30.0 ± 20.0 | pass 60.0 ± 40.0 | 0.50 | 0.50 | 1.00 | yes | 12 / – | 2 / – | 1 / – | 7 / – |"
    )


def test_ratio_of_medians_and_of_pairs_are_told_apart() -> None:
    drifting = result([0.010, 0.010, 0.040], [0.020, 0.005, 0.020])

    assert (drifting.ratio, drifting.pair_ratio) == pytest.approx((0.5, 2.0))


@pytest.mark.parametrize(("limit", "met"), [(2.0, True), (1.99, False)])
def test_a_target_is_met_up_to_its_limit(limit: float, met: bool) -> None:
    assert result([0.2, 0.2], [0.1, 0.1], limit).met is met


@pytest.mark.parametrize(("beyond", "said"), [(0.1, "+100 ms | yes"), (0.09, "+90 ms | **no**"), (None, "– | –")])
def test_a_target_may_be_a_time_beyond_the_others(beyond: float | None, said: str) -> None:
    assert f" | {said} | " in line(result([0.25, 0.25], [0.15, 0.15], None, beyond))


def test_counts_are_subtracted_as_far_as_they_are_known() -> None:
    assert Counts(9, 4, 3) - Counts(2, 1, 0) == Counts(7, 3, 3)
    assert Counts(9, 4, 3) - Counts() == Counts()


def test_the_page_names_what_was_not_measured() -> None:
    rows = [result([0.1, 0.1], [0.1, 0.1]), Skipped("tab-fish", "inside fish", "fish is not installed")]

    page = document(rows, command="make bench", date="2026-01-31", machine=["two cores"])

    assert "| `show` |" in page
    assert "Not measured: `tab-fish`, fish is not installed." in page
    assert "- `tab-fish`: inside fish" in page
    assert "Written by `make bench` on 2026-01-31." in page
    assert "- two cores" in page
