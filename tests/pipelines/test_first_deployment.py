"""Kaplan and Meier's estimator, beside a second one of loops alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.first_deployment import SHARES, quantile

Z = NormalDist().inv_cdf(0.95)


def by_hand(times: Sequence[tuple[float, bool]], p: float) -> tuple[float | None, float | None, float | None]:
    """The first times at which the curve, and either end of its log-log band, is at most 1 - p."""
    ends = sorted({seconds for seconds, is_over in times if is_over})
    left, spread = 1.0, 0.0
    reached, value = False, None
    low: float | None = None
    high: float | None = None
    for number, end in enumerate(ends):
        waiting = sum(seconds >= end for seconds, _ in times)
        over = sum(seconds == end for seconds, is_over in times if is_over)
        left *= 1 - over / waiting
        if not reached and left <= 1 - p + 1e-9:
            reached, value = True, end
            if abs(left - (1 - p)) <= 1e-9:
                # Flat there: the middle of the piece, if it ends.
                value = (end + ends[number + 1]) / 2 if number + 1 < len(ends) else None
        if waiting > over:
            spread += over / (waiting * (waiting - over))
            width = Z * math.sqrt(spread) / math.log(left)
            ends_of_band = sorted((left ** math.exp(width), left ** math.exp(-width)))
            low = end if low is None and ends_of_band[0] <= 1 - p + 1e-9 else low
            high = end if high is None and ends_of_band[1] <= 1 - p + 1e-9 else high
    return value, low, high


@settings(deadline=None)  # the first call imports scipy
@given(
    st.lists(st.tuples(st.integers(1, 30).map(float), st.booleans()), max_size=40), st.sampled_from(SHARES)
)
def test_a_quantile_is_what_loops_find(times: list[tuple[float, bool]], p: float) -> None:
    for found, expected in zip(quantile(tuple(times), p), by_hand(times, p), strict=True):
        assert found == pytest.approx(expected)


def test_those_that_still_wait_are_counted_as_waiting() -> None:
    days = tuple((float(day), True) for day in (2, 4, 6, 8))
    assert quantile(days, 0.5).value == 5
    assert quantile((*days, *[(9.0, False)] * 4), 0.5).value is None
    assert quantile((*days, *[(3.0, False)] * 4), 0.5).value == 6
    assert quantile((), 0.5) == (None, None, None)
