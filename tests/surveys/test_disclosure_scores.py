"""The attack on means, net promoter scores and UMUX-Lite: every answer that whole numbers could be.

Who attacks knows who answered, every count, sum and sum of squares that is published, and that answers are
whole. Other answers than the true ones that fit all of it are sought by integer programs; nothing of the
audit's is used. A sum over fewer than k people that is the same in all of them is recovered.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import optimize, sparse

from surveys.disclosure import Cell, Measure, Released, release
from tests.surveys.disclosed import Person, released, wave
from tests.surveys.test_disclosure_attack import _in

Answers = NDArray[np.float64]
"""People x categories, 1 where chosen."""

K = 5
MEASURES = {
    "mean": Measure("ease", "ease_of_delivery", "rating", ("ease",), 1, 5),
    "nps": Measure("again", "platform_nps", "nps", ("again",), 0, 10),
    "umux_lite": Measure("umux", "platform_use", "umux_lite", ("meets", "easy"), 1, 7),
}
WEIGHTS: dict[str, dict[str, list[list[int]]]] = {
    "mean": {
        "published top2": [[0, 0, 0, 1, 1]],
        "published": [[1, 2, 3, 4, 5], [1, 4, 9, 16, 25]],
        "private": [[0, 0, 0, 1, 1], [1, 2, 3, 4, 5]],
    },
    "nps": {
        "published top2": [[0, 0, 1]],
        "published": [[1, 0, 0], [0, 0, 1]],
        "private": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    },
    "umux_lite": {
        "published": [list(range(2, 15)), [score**2 for score in range(2, 15)]],
        "private": [list(range(2, 15))],
    },
}
"""Of each statistic: by category, what its cells give away, and what is nobody's business."""


@dataclass(frozen=True)
class Known:
    """Linear equations on who (people x categories, flat) chose what."""

    people: list[str]
    rows: NDArray[np.float64]
    values: NDArray[np.float64]
    truth: Answers


def _category(statistic: str, person: Person) -> int | None:
    values = person.values or {}
    if any(item not in values for item in MEASURES[statistic].items):
        return None
    given: list[int] = [values[item] for item in MEASURES[statistic].items]
    if statistic == "nps":
        return int(given[0] >= 7) + int(given[0] >= 9)
    return sum(given) - len(given)


def _known(statistic: str, waves: Sequence[list[Person]], cells: Sequence[Sequence[Cell]]) -> Known:
    """What all waves tell together, taking who answered in several to have answered alike."""
    category = {
        each.name: chosen
        for everybody in waves
        for each in everybody
        if (chosen := _category(statistic, each)) is not None
    }
    people = sorted(category)
    categories = len(WEIGHTS[statistic]["private"][0])
    truth = np.zeros((len(people), categories))
    for index, name in enumerate(people):
        truth[index, category[name]] = 1
    rows = [np.kron(unit, np.ones(categories)) for unit in np.eye(len(people))]
    for everybody, of_wave in zip(waves, cells, strict=True):
        by_name = {each.name: each for each in everybody if _category(statistic, each) is not None}
        for cell in of_wave:
            published = WEIGHTS[statistic].get(
                "published" if cell.statistic == statistic else f"published {cell.statistic}"
            )
            if cell.status == "ok" and published:
                members = [float(name in by_name and _in(by_name[name], cell)) for name in people]
                assert sum(members) == cell.n
                rows += [np.kron(members, weights) for weights in published]
    matrix = np.array(rows)
    return Known(people, matrix, matrix @ truth.ravel(), truth)


def _another(known: Known, cost: NDArray[np.float64], *more: Any) -> Answers | None:
    """Answers that fit, at the least cost found."""
    fits = optimize.LinearConstraint(sparse.csr_array(known.rows), known.values, known.values)
    solved = optimize.milp(
        cost, integrality=np.ones(cost.size), bounds=optimize.Bounds(0, 1), constraints=[fits, *more]
    )
    assert solved.status in (0, 2), solved.message  # solved, or nothing fits
    return None if solved.x is None else np.rint(solved.x).reshape(known.truth.shape)


def _recovered(statistic: str, known: Known) -> str | None:
    """A sum over fewer than k people that is the same in all answers that fit; None where there is none."""
    generator = np.random.default_rng(7)
    some = [_another(known, generator.standard_normal(known.truth.size)) for _ in range(6)]
    sets = [each for size in range(1, K) for each in combinations(range(len(known.people)), size)]
    members = np.zeros((len(sets), len(known.people)))
    for row, each in zip(members, sets, strict=True):
        row[list(each)] = 1
    for weights in WEIGHTS[statistic]["private"]:
        true = members @ known.truth @ weights
        is_open = np.ones(len(sets), dtype=bool)

        def differ(answers: Answers, weights: list[int] = weights, true: NDArray[np.float64] = true) -> Any:
            return members @ answers @ weights != true

        for answers in some:
            assert answers is not None, "the truth fits"
            is_open &= ~differ(answers)
        while is_open.any():
            index = int(np.argmax(is_open))
            row = np.kron(members[index], weights)[None]
            above = optimize.LinearConstraint(row, true[index] + 1, np.inf)
            below = optimize.LinearConstraint(row, -np.inf, true[index] - 1)
            nothing = np.zeros(known.truth.size)
            if (other := _another(known, nothing, above)) is None:
                other = _another(known, nothing, below)
            if other is None:
                return f"{[known.people[at] for at in sets[index]]}: {true[index]} by {weights}"
            is_open &= ~differ(other)
    return None


def _everybody(generator: random.Random, count: int, skew: float) -> list[Person]:
    """Two departments of two teams each, two tiers and two roles of uneven sizes; answers lean upwards."""
    teams = [("p", "a"), ("p", "b"), ("q", "c"), ("q", "d")]

    def chosen(low: int, high: int) -> int:
        return high if generator.random() < skew else generator.randint(low, high)

    return [
        Person(
            f"x{index:02}",
            (generator.choices(teams, [6, 3, 2, 1])[0],),
            {"ease": chosen(1, 5), "again": chosen(0, 10), "meets": chosen(1, 7), "easy": chosen(1, 7)},
            "t1" if generator.random() < 0.85 else "t2",
            "dev" if generator.random() < 0.8 else None,
        )
        for index in range(count)
    ]


def _later(generator: random.Random, everybody: list[Person]) -> list[Person]:
    """The same people after some left, some moved and some stopped answering."""
    kept = [each for each in everybody if generator.random() > 0.08]
    return [
        replace(each, teams=(("p", "b"),)) if generator.random() < 0.1
        else replace(each, values=None) if generator.random() < 0.05
        else each
        for each in kept
    ]  # fmt: skip


def _released(statistic: str, waves: Sequence[list[Person]]) -> list[tuple[Cell, ...]]:
    before: list[Released] = []
    for index, everybody in enumerate(waves):
        of = wave(everybody, f"2026-{index}", measures=(MEASURES[statistic],))
        before.append(released(of, release(of, before)))
    return [tuple(each.cells) for each in before]


@pytest.mark.parametrize("statistic", MEASURES)
@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.integers(21, 26), st.sampled_from([0.0, 0.5, 0.8]), st.integers(1, 2))
def test_nobody_s_score_is_recovered(statistic: str, seed: int, count: int, skew: float, number: int) -> None:
    generator = random.Random(seed)
    waves = [_everybody(generator, count, skew)]
    while len(waves) < number:
        waves.append(_later(generator, waves[-1]))
    known = _known(statistic, waves, _released(statistic, waves))
    assert not _recovered(statistic, known)


@pytest.mark.parametrize("statistic", ["mean", "nps"])
def test_the_attack_succeeds_where_nothing_is_withheld(statistic: str) -> None:
    """Else it would show nothing; and some of what may be shown is."""
    succeeded = shown = 0
    for seed in range(3):
        everybody = _everybody(random.Random(seed), 21, 0.5)
        (cells,) = _released(statistic, [everybody])
        shown += sum(cell.statistic == statistic and cell.status == "ok" for cell in cells)
        every = [
            replace(cell, status="ok", n=len(members))
            for cell in cells
            if cell.statistic == statistic and (members := [each for each in everybody if _in(each, cell)])
        ]
        succeeded += _recovered(statistic, _known(statistic, [everybody], [every])) is not None
    assert succeeded == 3
    assert shown >= 3
