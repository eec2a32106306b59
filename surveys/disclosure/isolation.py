"""Whether sums and differences of released groups single out fewer than k people.

Released numbers are sums over groups, so whatever they tell exactly of a sum over people is a vector of
their row space. A vector that is zero outside a set of people exists when the rows of a null-space basis
that belong to these people are linearly dependent; so few people are sought as few dependent rows. All
exact, modulo a prime: random vectors of the null space keep the dependencies of a few rows, and make new
ones once in about two thousand million.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from surveys.disclosure.squares import doubtful

Ints = NDArray[np.int64]

PRIME = 2**31 - 1
_DIMENSIONS = 8
_LARGEST_EXACT = 4


def tells(groups: Ints, people: NDArray[np.bool_]) -> bool:
    """Whether some sum of rows, other than zero, is supported on these columns."""
    return rank(groups) > rank(groups[:, ~people])


def isolated(groups: Ints, sizes: Ints, k: int) -> NDArray[np.bool_] | None:
    """Columns of fewer than k people on which some sum of rows is supported; None when there are none.

    `groups` is 0/1, released groups x atoms (people who are alike in all groups); `sizes` counts the people
    of each atom, at least one.
    """
    return _isolated(groups.tobytes(), groups.shape, sizes.tobytes(), k) if groups.size else None


# Item after item, and again the audit, ask it of the same groups.
@lru_cache(maxsize=64)
def _isolated(groups: bytes, shape: tuple[int, ...], sizes: bytes, k: int) -> NDArray[np.bool_] | None:
    merged, atom = np.unique(np.frombuffer(groups, np.int64).reshape(shape), axis=1, return_inverse=True)
    people = np.bincount(atom.ravel(), weights=np.frombuffer(sizes, np.int64)).astype(np.int64)
    budget = np.where(merged.any(axis=0), people, k)
    small = doubtful(merged, budget, k)
    if not small.size:
        return None
    basis = null_vectors(merged, np.random.default_rng(0))
    found = _dependent(basis[small], budget[small], k - 1)
    if found is None and k - 1 > _LARGEST_EXACT:
        found = _bounded(merged, budget, small, k)
    return None if found is None else np.isin(atom.ravel(), small[list(found)])


def rank(matrix: Ints) -> int:
    """The rank modulo the prime."""
    return len(reduced(matrix)[1])


def null_vectors(matrix: Ints, generator: np.random.Generator) -> Ints:
    """Random vectors of the null space, columns of matrix x dimensions."""
    echelon, pivots = reduced(matrix)
    free = np.setdiff1d(np.arange(matrix.shape[1]), pivots)
    vectors = np.zeros((matrix.shape[1], _DIMENSIONS), dtype=np.int64)
    vectors[free] = generator.integers(1, PRIME, (len(free), _DIMENSIONS))
    # In halves of 16 bits, so that sums of products stay within 64.
    high, low = vectors[free] >> 16, vectors[free] & 0xFFFF
    part = echelon[: len(pivots), free]
    vectors[pivots] = -((part @ high % PRIME << 16) + part @ low) % PRIME
    return vectors


def reduced(matrix: Ints) -> tuple[Ints, list[int]]:
    """The reduced row echelon form, and its pivots' columns."""
    rows = matrix % PRIME
    pivots: list[int] = []
    for column in range(rows.shape[1]):
        top = len(pivots)
        if top == len(rows):
            break
        below = np.flatnonzero(rows[top:, column])
        if not below.size:
            continue
        rows[[top, top + below[0]]] = rows[[top + below[0], top]]
        rows[top] = rows[top] * pow(int(rows[top, column]), -1, PRIME) % PRIME
        others = np.flatnonzero(rows[:, column])
        others = others[others != top]
        rows[others] = (rows[others] - rows[others, column, None] * rows[top]) % PRIME
        pivots.append(column)
    return rows, pivots


def _dependent(basis: Ints, sizes: Ints, budget: int) -> tuple[int, ...] | None:
    """At most four linearly dependent rows of at most `budget` people together: the fewest rows first."""
    zero = np.flatnonzero(~basis.any(axis=1))
    if zero.size:
        return (int(zero[0]),)
    everything = np.arange(len(basis))
    ratios = basis[None, :, 0] * _inverse(basis[None, :, 1]) % PRIME
    for pair in _parallel(ratios, sizes, everything, np.array([budget])):
        if rank(basis[list(pair[1:])]) < 2:
            return pair[1:]
    # Three, then four: once one is contracted, of those after it.
    for first in (None, *everything):
        left = budget if first is None else budget - int(sizes[first])
        rest = everything if first is None else everything[first + 1 :]
        rest = rest[sizes[rest] <= left - 2]
        rows = basis[rest]
        if first is not None:
            rows = (rows[:, 1:] * basis[first, 0] - basis[first, 1:] * rows[:, :1]) % PRIME
        for triple in _triples(rows, sizes[rest], left) if len(rest) > 2 else []:
            found = tuple(rest[list(triple)].tolist()) + (() if first is None else (int(first),))
            if rank(basis[list(found)]) < len(found):
                return found
    return None


def _triples(rows: Ints, sizes: Ints, budget: int) -> list[tuple[int, ...]]:
    """Rows a, b, c that look dependent: b and c are parallel once each is contracted by a."""
    head, one, two = rows[:, 0], rows[:, 1], rows[:, 2]
    first = (one[None] * head[:, None] - one[:, None] * head[None]) % PRIME
    second = (two[None] * head[:, None] - two[:, None] * head[None]) % PRIME
    ratios = first * _inverse(second) % PRIME
    return _parallel(ratios, sizes, np.arange(len(rows)), budget - sizes)


def _parallel(ratios: Ints, sizes: Ints, columns: Ints, budgets: Ints) -> list[tuple[int, ...]]:
    """(row, b, c) where two columns after the row's own have one ratio and fit its budget together."""
    count, width = ratios.shape
    # What isn't after the row's own column, or too large, gets a value of its own.
    out = sizes[None, :] >= budgets[:, None]
    if count == width:
        out |= columns[None, :] <= columns[:count, None]
    ratios = np.where(out, -1 - columns[None, :], ratios)
    order = np.lexsort((np.broadcast_to(sizes, ratios.shape), ratios))
    values = np.take_along_axis(ratios, order, axis=1)
    # By size within a ratio, so that the first two are the smallest.
    rows, starts = np.nonzero(values[:, 1:] == values[:, :-1])
    first, second = order[rows, starts], order[rows, starts + 1]
    fits = sizes[first] + sizes[second] <= budgets[rows]
    return list(zip(rows[fits].tolist(), first[fits].tolist(), second[fits].tolist(), strict=True))


def _inverse(values: Ints) -> Ints:
    """Modular inverses by one division for all of them; zero stays zero."""
    levels = [np.where(values == 0, 1, values).ravel()]
    while len(levels[-1]) > 1:
        last = levels[-1]
        if len(last) % 2:
            last = levels[-1] = np.append(last, 1)
        levels.append(last[::2] * last[1::2] % PRIME)
    inverse = np.array([pow(int(levels[-1][0]), -1, PRIME)], dtype=np.int64)
    for level in reversed(levels[:-1]):
        above = inverse[: len(level) // 2]
        inverse = np.empty_like(level)
        inverse[::2], inverse[1::2] = above * level[1::2] % PRIME, above * level[::2] % PRIME
    return np.where(values == 0, 0, inverse[: values.size].reshape(values.shape))


def _bounded(groups: Ints, sizes: Ints, small: Ints, k: int) -> tuple[int, ...] | None:
    """Where five or more atoms may be fewer than k people: by a bound that is safe, and rarely too strict.

    A vector scaled to a largest entry of 1 is supported on at least as many people as its entries'
    absolute values, weighed by the people, sum to; so the least such sum, by linear programming, bounds it.
    """
    count, atoms = groups.shape
    identity = sparse.identity(atoms)
    above = sparse.hstack([groups.T, -identity])
    below = sparse.hstack([-groups.T, -identity])
    cost = np.concatenate([np.zeros(count), sizes])
    bounds = [(None, None)] * count + [(0, 1)] * atoms
    for position, atom in enumerate(small):
        equality = np.concatenate([groups[:, atom], np.zeros(atoms)])[None]
        solved = optimize.linprog(
            cost, sparse.vstack([above, below]), np.zeros(2 * atoms), equality, [1], bounds, method="highs"
        )
        if solved.status == 0 and solved.fun < k - 1e-6:
            support = np.flatnonzero(np.abs(groups.T @ solved.x[:count]) > 1e-7)
            return tuple(np.flatnonzero(np.isin(small, support)).tolist()) or (position,)
    return None
