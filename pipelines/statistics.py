"""Quantiles of distributions that DuckDB lacks, as functions for the SQL models."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the functions below callable in SQL; integers in, null where there is no answer."""
    known = connection.execute("select function_name from duckdb_functions()").fetchall()
    if (quantile_rank_low.__name__,) in known:
        return
    number, share = duckdb.sqltypes.BIGINT, duckdb.sqltypes.DOUBLE
    functions: tuple[tuple[Callable[..., pa.Array], list[Any], Any], ...] = (
        (quantile_rank_low, [number, share], number),
        (quantile_rank_high, [number, share], number),
        (t_quantile_95, [number], share),
    )
    for function, inputs, output in functions:
        connection.create_function(
            function.__name__,
            function,
            inputs,
            output,
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )


def quantile_rank_low(n: pa.ChunkedArray, p: pa.ChunkedArray) -> pa.Array:
    """Rank (from 1) of the order statistic below a quantile at 90 %: the largest l with P(B < l) ≤ .05."""
    rank = _binomial_quantiles(0.05, _numbers(n), _numbers(p))
    return pa.array(rank, pa.int64(), mask=~(rank >= 1), safe=False)


def quantile_rank_high(n: pa.ChunkedArray, p: pa.ChunkedArray) -> pa.Array:
    """Rank of the order statistic above a quantile at 90 %: the smallest u with P(B ≥ u) ≤ .05."""
    size = _numbers(n)
    rank = _binomial_quantiles(0.95, size, _numbers(p)) + 1
    return pa.array(rank, pa.int64(), mask=~(rank <= size), safe=False)


def t_quantile_95(degrees: pa.ChunkedArray) -> pa.Array:
    """The .95 quantile of Student's t, for two-sided 90 % intervals."""
    from scipy.special import stdtrit

    df = _numbers(degrees)
    return pa.array(stdtrit(np.maximum(df, 1), 0.95), pa.float64(), mask=~(df >= 1))


def _binomial_quantiles(level: float, n: Floats, p: Floats) -> Floats:
    """Smallest k with P(B ≤ k) ≥ level for B ~ Bin(n, p), for each n and p."""
    # Few of the numbers differ.
    _, first, same = np.unique(n + p, return_index=True, return_inverse=True)
    different = zip(n[first].tolist(), p[first].tolist(), strict=True)
    found = [_binomial_quantile(level, size, share) for size, share in different]
    return np.array(found)[same]


@lru_cache(maxsize=1_000_000)
def _binomial_quantile(level: float, n: float, p: float) -> float:
    # scipy.stats takes a second to import.
    from scipy.special import bdtr, bdtrik

    k = math.ceil(np.nan_to_num(bdtrik(level, n, p)))
    below = max(k - 1, 0)
    return float(below if bdtr(below, int(n), p) >= level else k)


def _numbers(values: pa.ChunkedArray) -> Floats:
    """As floats, null and negative ones as 0."""
    numbers: Floats = np.maximum(np.nan_to_num(values.to_numpy().astype(float)), 0)
    return numbers
