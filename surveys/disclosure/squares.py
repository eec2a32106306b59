"""People who can't be among few that sums of released groups single out: nearly everybody, found quickly.

Four atoms of which the groups of the first two add up to those of the last two, as two teams and two roles
make them, are a square. A sum over groups weighs its corners so that they cancel: it can't leave out three
of them and not the fourth. Where one corner is among few, another must be, too, and so on from square to
square; when nobody is left who could be, neither could the first.
"""

from __future__ import annotations

from collections.abc import Set

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Square = frozenset[int]

_SQUARES_OF_ATOM = 16
_NEXT = 3
_ROUNDS = 3


def doubtful(columns: Ints, sizes: Ints, k: int) -> Ints:
    """The atoms, columns of groups x atoms that all differ, that may be among fewer than k people."""
    squares = _squares(columns)
    left = set(np.flatnonzero(sizes < k).tolist())
    for _ in range(_ROUNDS):
        for atom in sorted(left, key=lambda each: -int(sizes[each])):
            if _is_cleared(frozenset([atom]), k - 1 - int(sizes[atom]), left, sizes, squares):
                left.discard(atom)
    return np.array(sorted(left), dtype=np.int64)


def _is_cleared(few: Square, budget: int, left: Set[int], sizes: Ints, squares: list[list[Square]]) -> bool:
    """Whether no set of all of `few`, and of others left within the budget, goes with the squares."""
    following = (
        [other for other in square - few if other in left and sizes[other] <= budget]
        for atom in few
        for square in squares[atom]
        if len(square & few) == 1
    )
    fewest = min(following, key=len, default=None)
    if fewest is None:
        return False
    return all(
        _is_cleared(few | {other}, budget - int(sizes[other]), left, sizes, squares) for other in fewest
    )


def _squares(columns: Ints) -> list[list[Square]]:
    """Some squares of each atom: pairs of columns that differ alike, as their random sums do."""
    count = columns.shape[1]
    weights = np.random.default_rng(0).integers(1, 2**50, columns.shape[0])
    sums = weights @ columns
    order = np.argsort(sums)
    low, high = np.triu_indices(count, 1)
    one, other = order[low], order[high]
    differences = sums[other] - sums[one]
    by_difference = np.argsort(differences, kind="stable")
    one, other, differences = one[by_difference], other[by_difference], differences[by_difference]
    found: list[list[Square]] = [[] for _ in range(count)]
    for step in range(1, _NEXT + 1):
        alike = np.flatnonzero(differences[step:] == differences[:-step])
        corners = np.column_stack([one[alike], other[alike], one[alike + step], other[alike + step]])
        for square in map(frozenset, corners.tolist()):
            for atom in square if len(square) == 4 else ():
                if len(found[atom]) < _SQUARES_OF_ATOM:
                    found[atom].append(square)
    return found
