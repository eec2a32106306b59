"""Quantiles against scipy.stats, and against their definition."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binom, t

from pipelines.statistics import quantile_rank_high, quantile_rank_low, t_quantile_95

SIZES = [*range(1, 1200), 5_000, 100_003]


@pytest.mark.parametrize("p", [0.5, 0.9])
def test_ranks_are_those_of_the_binomial_distribution(p: float) -> None:
    low, high = ranks(SIZES, p)
    assert low == [int(rank) or None for rank in binom.ppf(0.05, SIZES, p)]
    expected = zip(binom.ppf(0.95, SIZES, p), SIZES, strict=True)
    assert high == [int(rank) + 1 if rank < size else None for rank, size in expected]


@pytest.mark.parametrize("p", [0.5, 0.9])
def test_ranks_hold_their_definition(p: float) -> None:
    for size in (29, 40, 77):
        (low,), (high,) = ranks([size], p)
        assert low is not None
        assert high is not None
        assert binom.cdf(low - 1, size, p) <= 0.05 < binom.cdf(low, size, p)
        assert binom.sf(high - 1, size, p) <= 0.05 < binom.sf(high - 2, size, p)


def ranks(sizes: list[int], p: float) -> tuple[list[int | None], list[int | None]]:
    n, shares = pa.chunked_array([sizes]), pa.chunked_array([[p] * len(sizes)])
    return quantile_rank_low(n, shares).to_pylist(), quantile_rank_high(n, shares).to_pylist()


def test_the_t_quantile_is_scipys() -> None:
    degrees = [1, 2, 9, 49, 1_000_000]
    np.testing.assert_allclose(t_quantile_95(pa.chunked_array([degrees])).to_pylist(), t.ppf(0.95, degrees))


def test_without_a_number_there_is_no_answer() -> None:
    nothing = pa.chunked_array([[None, 0, -3]], pa.int64())
    shares = pa.chunked_array([[0.5] * 3])
    assert quantile_rank_low(nothing, shares).to_pylist() == [None, None, None]
    assert quantile_rank_high(nothing, shares).to_pylist() == [None, None, None]
    assert t_quantile_95(nothing).to_pylist() == [None, None, None]
