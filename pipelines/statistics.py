"""Quantiles of distributions that DuckDB lacks, as functions for the SQL models."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the functions below callable in SQL; integers in, null where there is no answer."""
    known = connection.execute("select function_name from duckdb_functions()").fetchall()
    if (median_rank_low.__name__,) in known:
        return
    for function, output in (
        (median_rank_low, duckdb.sqltypes.BIGINT),
        (median_rank_high, duckdb.sqltypes.BIGINT),
        (t_quantile_95, duckdb.sqltypes.DOUBLE),
    ):
        connection.create_function(
            function.__name__,
            function,
            [duckdb.sqltypes.BIGINT],
            output,
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )


def median_rank_low(n: pa.ChunkedArray) -> pa.Array:
    """Rank (from 1) of the order statistic below the median at 90 %: the largest l with P(B < l) ≤ .05."""
    rank = _binomial_quantile(0.05, _numbers(n))
    return pa.array(rank, pa.int64(), mask=~(rank >= 1), safe=False)


def median_rank_high(n: pa.ChunkedArray) -> pa.Array:
    """Rank of the order statistic above the median at 90 %: the smallest u with P(B ≥ u) ≤ .05."""
    size = _numbers(n)
    rank = _binomial_quantile(0.95, size) + 1
    return pa.array(rank, pa.int64(), mask=~(rank <= size), safe=False)


def t_quantile_95(degrees: pa.ChunkedArray) -> pa.Array:
    """The .95 quantile of Student's t, for two-sided 90 % intervals."""
    from scipy.special import stdtrit

    df = _numbers(degrees)
    return pa.array(stdtrit(np.maximum(df, 1), 0.95), pa.float64(), mask=~(df >= 1))


def _binomial_quantile(p: float, n: Floats) -> Floats:
    """Smallest k with P(B ≤ k) ≥ p for B ~ Bin(n, ½). scipy.stats takes a second to import."""
    from scipy.special import bdtr, bdtrik

    k = np.ceil(np.nan_to_num(bdtrik(p, n, 0.5)))
    below = np.maximum(k - 1, 0)
    quantile: Floats = np.where(bdtr(below, n.astype(int), 0.5) >= p, below, k)
    return quantile


def _numbers(values: pa.ChunkedArray) -> Floats:
    """As floats, null and negative ones as 0."""
    numbers: Floats = np.maximum(np.nan_to_num(values.to_numpy().astype(float)), 0)
    return numbers
