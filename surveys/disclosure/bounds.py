"""Whether everything released together leaves a number of few people, or a withheld one, only one value.

What is released are linear equations on how many of each atom (people alike in all groups) chose each
category; counts are whole and at least 0. A number is pinned when all solutions agree on it. Solutions are
found by integer programming (HiGHS), or by its linear relaxation where scores make that too slow: some at
large, since two that differ settle most numbers at once, then for each number left one above and one below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Weights = tuple[int, ...]

_TRIES = 2
_WHOLE_CATEGORIES = 3
_TOLERANCE = 1e-6
# Where the search is given up: a number not settled by then counts as pinned. Not a time, so that the same
# answers are released alike on any machine.
_NODES = 2000


@dataclass(frozen=True, slots=True)
class Sum:
    """A weighted count: over atoms (1 where it counts) and categories (a score, or 1 where it counts)."""

    atoms: Ints
    categories: Weights

    @property
    def row(self) -> Ints:
        return np.outer(self.atoms, self.categories).ravel()


@dataclass(frozen=True)
class Knowledge:
    """All that is released: `sums` with their `values`, for atoms of known `sizes` and so many categories.

    `answers`, the truth as atoms x categories, saves a search where it is known. Beyond three categories the
    solutions need not be whole, but only those count that leave a number two whole values.
    """

    sizes: Ints
    categories: int
    sums: Sequence[Sum]
    values: Sequence[int]
    answers: Ints | None = None

    def told(self, k: int, protected: Sequence[Weights], withheld: Sequence[Sum] = ()) -> Sum | None:
        """A withheld number, or a protected one of an atom, that is pinned; None also where nothing fits.

        Of an atom under k no number may be pinned; of a larger one, not that all its people chose alike.
        """
        start = self._start
        if start is None or not self.sizes.size:
            return None
        units = np.eye(self.sizes.size, dtype=np.int64)
        numbers = [Sum(unit, weights) for weights in protected for unit in units] + list(withheld)
        rows = np.array([number.row for number in numbers], dtype=np.int64)
        known = rows @ start
        highest = np.array([int(number.atoms @ self.sizes) * max(number.categories) for number in numbers])
        of_few = np.tile(self.sizes < k, len(protected))
        matters = np.concatenate([of_few, np.ones(len(withheld), dtype=bool)])
        is_open = (highest > 0) & (matters | (known < _TOLERANCE) | (known > highest - _TOLERANCE))
        generator = np.random.default_rng(len(numbers))
        for _ in range(_TRIES):
            other = self._solution(generator.standard_normal(int(is_open.sum())) @ rows[is_open])
            if other is not None:
                is_open &= np.abs(rows @ other - known) < 1 - _TOLERANCE
        while is_open.any():
            index = int(np.argmax(is_open))
            other = self._beyond(rows[index], float(known[index]))
            if other is None:
                return numbers[index]
            is_open &= np.abs(rows @ other - known) < 1 - _TOLERANCE
        return None

    def pins(self, number: Sum) -> bool:
        """Whether a number has only one value in all that fits; False where nothing fits."""
        start = self._start
        return start is not None and self._beyond(number.row, float(number.row @ start)) is None

    def _beyond(self, row: Ints, known: float) -> Floats | None:
        """Something that fits and where the number isn't what is known, but at least one more or less."""
        for sign in (1, -1):
            more = optimize.LinearConstraint(sparse.csr_array(sign * row[None]), sign * known + 1, np.inf)
            found = self._solution(np.zeros(row.size), more)
            if found is not None:
                return found
        return None

    @cached_property
    def _start(self) -> Floats | None:
        if self.answers is not None:
            return self.answers.ravel().astype(float)
        return self._solution(np.zeros(self.sizes.size * self.categories))

    def _solution(self, cost: Floats, *more: optimize.LinearConstraint) -> Floats | None:
        is_whole = self.categories <= _WHOLE_CATEGORIES
        solved = optimize.milp(
            cost,
            integrality=np.full(cost.size, int(is_whole)),
            bounds=optimize.Bounds(0, np.repeat(self.sizes, self.categories)),
            constraints=[self._equations, *more],
            options={"node_limit": _NODES},
        )
        found: Floats | None = solved.x
        return np.rint(found) if found is not None and is_whole else found

    @cached_property
    def _equations(self) -> optimize.LinearConstraint:
        each = sparse.kron(sparse.identity(self.sizes.size), np.ones((1, self.categories)))
        rows = sparse.vstack([each, *(sparse.csr_array(total.row[None]) for total in self.sums)]).tocsr()
        values = np.concatenate([self.sizes, np.array(self.values, dtype=np.int64)])
        return optimize.LinearConstraint(rows, values, values)
