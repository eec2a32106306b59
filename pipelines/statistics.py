"""Quantiles of distributions that DuckDB lacks, as functions for the SQL models."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the functions below callable in SQL; integers in, null where there is no answer."""
    known = connection.execute("select function_name from duckdb_functions()").fetchall()
    if (median_rank_low.__name__,) in known:
        return
    for function, inputs, output in (
        (median_rank_low, ["BIGINT"], "BIGINT"),
        (median_rank_high, ["BIGINT"], "BIGINT"),
        (t_quantile_95, ["BIGINT"], "DOUBLE"),
    ):
        connection.create_function(
            function.__name__, function, inputs, output, type="arrow", null_handling="special"
        )


def median_rank_low(n: pa.ChunkedArray) -> pa.Array:
    """Rank (from 1) of the order statistic below the median at 90 %: the largest l with P(B < l) ≤ .05."""
    from scipy.stats import binom

    size = _integers(n)
    rank = binom.ppf(0.05, size, 0.5)
    return pa.array(rank, pa.int64(), mask=~(rank >= 1), safe=False)


def median_rank_high(n: pa.ChunkedArray) -> pa.Array:
    """Rank of the order statistic above the median at 90 %: the smallest u with P(B ≥ u) ≤ .05."""
    from scipy.stats import binom

    size = _integers(n)
    rank = binom.ppf(0.95, size, 0.5) + 1
    return pa.array(rank, pa.int64(), mask=~(rank <= size), safe=False)


def t_quantile_95(degrees: pa.ChunkedArray) -> pa.Array:
    """The .95 quantile of Student's t, for two-sided 90 % intervals."""
    from scipy.stats import t

    df = _integers(degrees)
    return pa.array(t.ppf(0.95, np.maximum(df, 1)), pa.float64(), mask=~(df >= 1))


def _integers(values: pa.ChunkedArray) -> np.ndarray:
    """As floats, null and negative ones as 0."""
    return np.maximum(np.nan_to_num(values.to_numpy().astype(float)), 0)
