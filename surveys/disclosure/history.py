"""What earlier waves already tell of the same people, taking their answers to have stayed as they were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surveys.disclosure.bounds import Knowledge, Sum
from surveys.disclosure.isolation import PRIME, Ints, isolated, reduced, tells
from surveys.disclosure.measures import Measure
from surveys.disclosure.records import Cell, Cohort, Group, Invited, Released
from surveys.disclosure.suppression import thinned
from surveys.disclosure.tables import groups_of

_COUNTED = (0, 1)


@dataclass(frozen=True)
class History:
    """Cells of earlier waves as rows over atoms: people who took one way through the cohorts of all waves.

    `now` has a row for each present group, over the same atoms. `counts` is what a row's cell counts, -1
    where it doesn't; `silent` is how many answered the wave but aren't in its n: nobody knows who they are.
    """

    sizes: Ints
    earlier: Ints
    wave_of: Ints
    counts: Ints
    silent: Ints
    now: Ints
    minimum_group: int

    @classmethod
    def of(
        cls,
        measure: Measure,
        waves: Sequence[Released],
        invited: Sequence[Invited],
        groups: Sequence[Group],
        k: int,
    ) -> History | None:
        """None when no earlier wave shows this measure."""
        shown = [(wave, cells) for wave in waves if (cells := _shown(wave, measure))]
        if not shown:
            return None
        rosters = [*(wave.invited for wave, _ in shown), invited]
        ways: dict[str, list[Cohort | None]] = {}
        for at, roster in enumerate(rosters):
            for person in roster:
                if person.has_answered:
                    ways.setdefault(person.person, [None] * len(rosters))[at] = person.cohort
        people = Counter(tuple(way) for way in ways.values())
        passed = [[groups_of(cohort) if cohort else frozenset() for cohort in way] for way in people]
        sizes = np.array(list(people.values()), dtype=np.int64)
        rows = [(at, cell) for at, (_, mine) in enumerate(shown) for cell in mine]
        earlier = np.array([[cell.where in way[at] for way in passed] for at, cell in rows], dtype=np.int64)
        return cls(
            sizes,
            earlier,
            np.array([at for at, _ in rows], dtype=np.int64),
            np.array([(cell.counts or {}).get(measure.counted, -1) for _, cell in rows], dtype=np.int64),
            earlier @ sizes - np.array([cell.n for _, cell in rows], dtype=np.int64),
            np.array([[group in way[-1] for way in passed] for group in groups], dtype=np.int64),
            min([k, *(wave.minimum_group for wave, _ in shown)]),
        )

    def thinned(self, kept: list[int], counts: Ints, n: Ints) -> list[int]:
        """The present groups that may be shown beside the earlier waves; `counts` and `n` are by group."""
        kept = thinned(
            kept,
            lambda some: isolated(self._rows(some), self.sizes, self.minimum_group),
            lambda some, people: tells(self._rows(some), people),
        )
        silent = self.now @ self.sizes - n
        while (group := self._silence_told(kept, silent)) is not None:
            kept.remove(group)
        if (self.counts < 0).any():
            return kept
        kept = [
            group for group in kept if not self._is_extreme(group, int(counts[group]), int(silent[group]))
        ]
        return thinned(
            kept,
            lambda some: self._knowledge(some, counts, silent).told(self.minimum_group, [_COUNTED]),
            lambda some, number: self._knowledge(some, counts, silent).pins(number),
        )

    def _rows(self, kept: Sequence[int]) -> Ints:
        return np.vstack([self.earlier, self.now[list(kept)]])

    def _silence_told(self, kept: list[int], silent: Ints) -> int | None:
        """A group whose people earlier cells add up to as well, but for the few silent in one wave."""
        last = int(self.wave_of.max()) + 1
        wave_of = np.append(self.wave_of, [last] * len(kept))
        silence = np.append(self.silent, silent[kept])
        echelon, pivots = reduced(self._rows(kept).T)
        for column in sorted(set(range(len(self.earlier), len(silence))) - set(pivots)):
            weights = np.zeros(len(silence), dtype=np.int64)
            weights[pivots] = -echelon[: len(pivots), column]
            weights[column] = 1
            weights = (weights + PRIME // 2) % PRIME - PRIME // 2
            told = sum(abs(int((weights * silence)[wave_of == wave].sum())) for wave in range(last + 1))
            if 0 < told < self.minimum_group:
                return kept[column - len(self.earlier)]
        return None

    def _is_extreme(self, group: int, count: int, silent: int) -> bool:
        """Whether the change since an earlier cell is as large as those who came, or went, can make it."""
        came = np.maximum(self.now[group] - self.earlier, 0) @ self.sizes
        went = np.maximum(self.earlier - self.now[group], 0) @ self.sizes
        change = count - self.counts
        is_known = (self.silent == 0) & (silent == 0) & (came + went > 0)
        return bool((is_known & ((change == came) | (change == -went))).any())

    def _knowledge(self, kept: Sequence[int], counts: Ints, silent: Ints) -> Knowledge:
        """Both waves' counts, each of the people in its cell less the silent, who are atoms of their own."""
        silence = np.append(self.silent, silent)
        less = -np.eye(len(silence), dtype=np.int64)
        rows = np.hstack([np.vstack([self.earlier, self.now]), less])
        used = [*range(len(self.earlier)), *(len(self.earlier) + group for group in kept)]
        values = np.append(self.counts, counts)[used]
        sums = [Sum(row, _COUNTED) for row in rows[used]]
        return Knowledge(np.append(self.sizes, silence), 2, sums, [int(value) for value in values])


def _shown(wave: Released, measure: Measure) -> list[Cell]:
    """The cells of a measure that were shown, one for each group: the one with counts where there is one."""
    cells = [cell for cell in wave.cells if cell.item_id == measure.id and cell.status == "ok"]
    cells.sort(key=lambda cell: cell.statistic != measure.primary)
    of_group: dict[Group, Cell] = {}
    for cell in cells:
        of_group.setdefault(cell.where, cell)
    return list(of_group.values())
