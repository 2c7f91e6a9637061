"""What the benchmarks make of times: the statistics, the verdict and the page. Nothing is timed here."""

from __future__ import annotations

import pytest
from benchmarks.table import Measured, Result, Skipped, document, line


def result(ours: list[float], theirs: list[float], limit: float = 1.0) -> Result:
    return Result("show", "one entry", "pass", limit, Measured(ours, 12, 2), Measured(theirs, None, None))


def test_a_line_has_medians_spread_and_both_ratios() -> None:
    # Something slowed down both runs of the last pair: neither ratio minds.
    noisy = result([0.010, 0.020, 0.030, 0.040, 0.900], [0.020, 0.040, 0.060, 0.080, 1.800])

    assert line(noisy) == (
        "| `show` | 5 | 30.0 ± 20.0 | pass 60.0 ± 40.0 | 0.50 | 0.50 | 1.00 | yes | 12 / – | 2 / – |"
    )


def test_ratio_of_medians_and_of_pairs_are_told_apart() -> None:
    drifting = result([0.010, 0.010, 0.040], [0.020, 0.005, 0.020])

    assert (drifting.ratio, drifting.pair_ratio) == pytest.approx((0.5, 2.0))


@pytest.mark.parametrize(("limit", "met"), [(2.0, True), (1.99, False)])
def test_a_target_is_met_up_to_its_limit(limit: float, met: bool) -> None:
    assert result([0.2, 0.2], [0.1, 0.1], limit).met is met


def test_the_page_names_what_was_not_measured() -> None:
    rows = [result([0.1, 0.1], [0.1, 0.1]), Skipped("tab-fish", "inside fish", "fish is not installed")]

    page = document(rows, command="make bench", date="2026-01-31", machine=["two cores"])

    assert "| `show` |" in page
    assert "Not measured: `tab-fish`, fish is not installed." in page
    assert "- `tab-fish`: inside fish" in page
    assert "Written by `make bench` on 2026-01-31." in page
    assert "- two cores" in page
