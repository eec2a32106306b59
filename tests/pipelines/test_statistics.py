"""Quantiles against scipy.stats, and against their definition."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from scipy.stats import binom, t

from pipelines.statistics import median_rank_high, median_rank_low, t_quantile_95

SIZES = [*range(1, 1200), 5_000, 100_003]


def test_ranks_are_those_of_the_binomial_distribution() -> None:
    sizes = pa.chunked_array([SIZES])
    low, high = median_rank_low(sizes).to_pylist(), median_rank_high(sizes).to_pylist()
    assert low == [int(rank) or None for rank in binom.ppf(0.05, SIZES, 0.5)]
    ranks = zip(binom.ppf(0.95, SIZES, 0.5), SIZES, strict=True)
    assert high == [int(rank) + 1 if rank < size else None for rank, size in ranks]


def test_ranks_hold_their_definition() -> None:
    for size in (5, 6, 17, 40):
        (low,) = median_rank_low(pa.chunked_array([[size]])).to_pylist()
        (high,) = median_rank_high(pa.chunked_array([[size]])).to_pylist()
        assert binom.cdf(low - 1, size, 0.5) <= 0.05 < binom.cdf(low, size, 0.5)
        assert binom.sf(high - 1, size, 0.5) <= 0.05 < binom.sf(high - 2, size, 0.5)


def test_the_t_quantile_is_scipys() -> None:
    degrees = [1, 2, 9, 49, 1_000_000]
    np.testing.assert_allclose(t_quantile_95(pa.chunked_array([degrees])).to_pylist(), t.ppf(0.95, degrees))


def test_without_a_number_there_is_no_answer() -> None:
    nothing = pa.chunked_array([[None, 0, -3]], pa.int64())
    for function in (median_rank_low, median_rank_high, t_quantile_95):
        assert function(nothing).to_pylist() == [None, None, None]
