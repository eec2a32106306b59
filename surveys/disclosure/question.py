"""One measure in one wave: which of its cells may be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from surveys.disclosure.bounds import Knowledge, Sum, Weights
from surveys.disclosure.history import History
from surveys.disclosure.isolation import Ints, isolated, tells
from surveys.disclosure.measures import Measure
from surveys.disclosure.suppression import thinned
from surveys.disclosure.tables import Tables

SECONDARY_GROUP = 20
"""Answers under which a group shows top-2-box only."""


@dataclass(frozen=True)
class Shown:
    """Groups, as their places in the tables: with the primary statistic, and with the secondary."""

    primary: tuple[int, ...]
    secondary: tuple[int, ...]


@dataclass(frozen=True)
class Question:
    """`answers` counts cohorts x categories, `answered` who answered anything at all, by cohort.

    `base` are the groups of which response may be told, without which nothing else is.
    """

    measure: Measure
    tables: Tables
    answers: Ints
    answered: Ints
    base: Sequence[int]
    history: History | None
    minimum_group: int
    comment_group: int

    @cached_property
    def sizes(self) -> Ints:
        """Answers that count, by cohort."""
        sizes: Ints = self.answers.sum(axis=1)
        return sizes

    @cached_property
    def n(self) -> Ints:
        """Answers that count, by group."""
        return self.tables.members @ self.sizes

    @cached_property
    def counts(self) -> Ints:
        """Answers that the primary statistic counts, by group."""
        counts: Ints = self.tables.members @ self.answers @ np.array(self.measure.favourable)
        return counts

    def decide(self) -> Shown:
        """The cells to show: as many as the rules let, larger groups first."""
        ranked = tuple(group for group in self.tables.ranked(self.sizes) if group in self.base)
        shown = self.reduced(Shown(ranked, ranked))
        # Again, since with fewer cells the answers of earlier waves may fit that contradicted them before.
        while self.history is not None and (may := self.reduced(shown)) != shown:
            shown = may
        return shown

    def reduced(self, shown: Shown) -> Shown:
        """What of it may be shown; all of it if and only if it breaches no rule."""
        if self.measure.primary is None:
            kept = self._without_isolation(
                [group for group in shown.secondary if self._may_have_secondary(group)]
            )
            return Shown((), self._with_scores((), kept))
        kept = self._without_isolation([group for group in shown.primary if self._may_have_primary(group)])
        kept = thinned(
            kept,
            lambda some: self._counted(some).told(
                self.minimum_group, self._counts_protected, self._hidden(some, self._counts_protected)
            ),
            lambda some, number: self._counted(some).pins(number),
        )
        if self.measure.secondary is None:
            return Shown(tuple(kept), ())
        scored = [group for group in shown.secondary if group in kept and self._may_have_secondary(group)]
        return Shown(tuple(kept), self._with_scores(tuple(kept), scored))

    def _may_have_primary(self, group: int) -> bool:
        n, count = int(self.n[group]), int(self.counts[group])
        if n < self.minimum_group or count in (0, n) or group not in self.base:
            return False
        return self.measure.kind != "theme" or count >= self.comment_group

    def _may_have_secondary(self, group: int) -> bool:
        return group in self.base and int(self.n[group]) >= max(SECONDARY_GROUP, self.minimum_group)

    def _without_isolation(self, kept: list[int]) -> list[int]:
        """Less those that, summed and subtracted, also with earlier waves, tell of fewer than k."""
        atoms = self.sizes > 0
        members, sizes = self.tables.members[:, atoms], self.sizes[atoms]
        kept = thinned(
            kept,
            lambda some: isolated(members[list(some)], sizes, self.minimum_group),
            lambda some, people: tells(members[list(some)], people),
        )
        return kept if self.history is None else self.history.thinned(kept, self.counts, self.n)

    # Of a conditional measure it is an answer, too, that it wasn't asked: it is the first category then, and
    # how many were asked is a number told and protected like the others.

    @property
    def _people(self) -> Ints:
        return self.answered if self.measure.is_conditional else self.sizes

    def _weights(self, weights: Sequence[Weights], asked: int) -> list[Weights]:
        if not self.measure.is_conditional:
            return list(weights)
        return [(0, *(1,) * asked), *((0, *each) for each in weights)]

    def _table(self, answers: Ints) -> Ints:
        if not self.measure.is_conditional:
            return answers
        return np.column_stack([self.answered - self.sizes, answers])

    @property
    def _counts_protected(self) -> list[Weights]:
        return self._weights([(0, 1)], 2)

    def _counted(self, kept: Sequence[int]) -> Knowledge:
        """What the primary cells tell."""
        favourable = self.answers @ np.array(self.measure.favourable)
        answers = self._table(np.column_stack([self.sizes - favourable, favourable]))
        return self._knowledge(answers, [(group, self._counts_protected) for group in kept])

    def _with_scores(self, primary: tuple[int, ...], secondary: list[int]) -> tuple[int, ...]:
        """The secondary cells that tell of no few people's scores, beside the primary ones."""
        categories = self.measure.categories
        protected = self._weights(self.measure.protected, categories)
        counted = self._weights([self.measure.favourable] if self.measure.primary else [], categories)
        told = self._weights(self.measure.told, categories)
        answers = self._table(self.answers)
        # A group without either hides both; one with the primary, what the secondary would add.
        hidden = self._hidden(primary or secondary, counted)
        own = told[len(told) - len(self.measure.told) :][:1]

        def knowledge(some: Sequence[int]) -> Knowledge:
            return self._knowledge(answers, [*((g, counted) for g in primary), *((g, told) for g in some)])

        return tuple(
            thinned(
                secondary,
                lambda some: knowledge(some).told(
                    self.minimum_group, protected, hidden + self._hidden(some, own)
                ),
                lambda some, number: knowledge(some).pins(number),
            )
        )

    def _hidden(self, kept: Sequence[int], protected: Sequence[Weights]) -> list[Sum]:
        """The numbers of groups that aren't shown, though there are answers."""
        atoms = self._people > 0
        hidden = np.setdiff1d(np.flatnonzero(self.n > 0), kept)
        return [Sum(self.tables.members[group][atoms], weights) for group in hidden for weights in protected]

    def _knowledge(self, answers: Ints, told: Sequence[tuple[int, Sequence[Weights]]]) -> Knowledge:
        atoms = self._people > 0
        sums = [Sum(self.tables.members[group][atoms], weights) for group, each in told for weights in each]
        answers = answers[atoms]
        values = [int(total.row @ answers.ravel()) for total in sums]
        return Knowledge(self._people[atoms], answers.shape[1], sums, values, answers)
