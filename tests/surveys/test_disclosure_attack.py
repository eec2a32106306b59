"""Attacks on all that is released together, by other means than the audit's: nobody is recovered."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import linalg, optimize

from surveys.disclosure import Cell, Released, audit, release
from surveys.disclosure.isolation import isolated, tells
from surveys.disclosure.tables import Tables
from tests.surveys.disclosed import AGREE, DISAGREE, Person, released, shown, wave

K = 5


@dataclass(frozen=True)
class Seen:
    """What an attacker has: released groups as rows over people who answered, and how many agree."""

    names: list[str]
    rows: NDArray[np.float64]
    counts: NDArray[np.float64]
    withheld: NDArray[np.float64]


def _in(person: Person, cell: Cell) -> bool:
    if cell.group == "":
        return True
    if cell.table == "team":
        return any(cell.group in path for path in person.teams)
    return cell.group == (person.tier if cell.table == "tier" else person.role)


def _answers(person: Person) -> bool:
    return person.values is not None and "ease" in person.values


def _seen(waves: Sequence[list[Person]], cells: Sequence[Sequence[Cell]]) -> Seen:
    """Over all waves, taking who answered in several to have answered alike."""
    names = sorted({each.name for everybody in waves for each in everybody if _answers(each)})
    rows, counts, withheld = [], [], []
    for everybody, of_wave in zip(waves, cells, strict=True):
        answered = {each.name: each for each in everybody if _answers(each)}
        for cell in of_wave:
            if cell.statistic != "top2":
                continue
            row = [float(name in answered and _in(answered[name], cell)) for name in names]
            if cell.status == "ok" and cell.counts is not None:
                rows.append(row)
                counts.append(cell.counts["favourable"])
                assert sum(row) == cell.n
            elif any(row):
                withheld.append(row)
    width = len(names)
    return Seen(
        names,
        np.array(rows, dtype=float).reshape(-1, width),
        np.array(counts, dtype=float),
        np.array(withheld, dtype=float).reshape(-1, width),
    )


def _recovered_by_algebra(seen: Seen) -> list[tuple[int, ...]]:
    """Sets of fewer than k people on which a sum of rows is supported, by ranks of a null space in floats."""
    null = linalg.null_space(seen.rows, rcond=1e-9) if len(seen.rows) else np.eye(len(seen.names))
    # A random turn into few dimensions keeps the rank of few rows.
    basis = null @ np.random.default_rng(5).standard_normal((null.shape[1], min(8, null.shape[1])))
    found = []
    for size in range(1, K):
        sets = np.array(list(combinations(range(len(seen.names)), size)))
        if sets.size and len(seen.rows):
            smallest = np.linalg.svd(basis[sets], compute_uv=False)
            short = smallest.shape[1] < size
            found += [
                tuple(each) for each, values in zip(sets, smallest, strict=True) if short or values[-1] < 1e-9
            ]
    return found


@cache
def _sets(count: int, size: int) -> NDArray[np.float64]:
    """All sets of so many, as rows."""
    members = np.array(list(combinations(range(count), size)))
    rows = np.zeros((len(members), count))
    np.put_along_axis(rows, members, 1, axis=1)
    return rows


def _recovered_by_enumeration(seen: Seen, withheld: bool) -> list[list[str]]:
    """Sets of fewer than k people, and withheld groups, of whom as many agree in all ways that fit."""
    count = len(seen.names)
    ways = (np.arange(2**count)[:, None] >> np.arange(count) & 1).astype(float)
    fits = ways[(ways @ seen.rows.T == seen.counts).all(axis=1)]
    sets = np.vstack([_sets(count, size) for size in range(1, K)])
    numbers = np.vstack([sets, seen.withheld]) if withheld else sets
    if len(fits):
        # Most differ in a few of the ways already.
        for some in (fits[:: len(fits) // 50 + 1], fits):
            totals = some @ numbers.T
            numbers = numbers[totals.min(axis=0) == totals.max(axis=0)]
    return [[seen.names[at] for at in np.flatnonzero(number)] for number in numbers] if len(fits) else []


def _roster(generator: random.Random, count: int) -> list[Person]:
    """People of a small tree of teams, some in two of them; teams, tiers and roles of any size."""
    teams = [("p", "a"), ("p", "b"), ("q", "c"), ("q", "d"), ("q",)][: generator.randint(2, 5)]
    everybody = []
    for index in range(count):
        own = [generator.choice(teams)]
        if generator.random() < 0.15:
            own.append(generator.choice(teams))
        everybody.append(
            Person(
                f"x{index}",
                tuple(sorted(set(own))),
                {"ease": AGREE if generator.random() < 0.5 else DISAGREE},
                generator.choice(["t1", "t2", None]) if generator.random() < 0.9 else None,
                generator.choice(["dev", "dev", "ops"]),
            )
        )
    return everybody


def _next(generator: random.Random, everybody: list[Person], added: int) -> list[Person]:
    """The same people a while later: some have left, moved, or don't answer, and `added` have come."""
    later = []
    for each in everybody:
        fate = generator.random()
        if fate < 0.1:
            continue
        moves, is_silent = fate < 0.2, fate > 0.95
        teams = (generator.choice([("p", "a"), ("p", "b"), ("q", "c")]),) if moves else each.teams
        later.append(replace(each, teams=teams, values=None if is_silent else each.values))
    new = [replace(each, name=f"{each.name}-{generator.random()}") for each in _roster(generator, added)]
    return later + new


def _released(waves: Sequence[list[Person]]) -> list[tuple[Cell, ...]]:
    before: list[Released] = []
    for index, everybody in enumerate(waves):
        of = wave(everybody, f"2026-{index}")
        before.append(released(of, release(of, before)))
    return [tuple(each.cells) for each in before]


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.integers(9, 15))
def test_nobody_is_recovered_from_one_wave(seed: int, count: int) -> None:
    everybody = _roster(random.Random(seed), count)
    seen = _seen([everybody], _released([everybody]))
    assert not _recovered_by_algebra(seen)
    assert not _recovered_by_enumeration(seen, withheld=True)


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.integers(9, 12), st.integers(2, 3), st.integers(0, 2))
def test_nobody_is_recovered_from_several_waves(seed: int, count: int, number: int, added: int) -> None:
    generator = random.Random(seed)
    waves = [_roster(generator, count)]
    while len(waves) < number:
        waves.append(_next(generator, waves[-1], added))
    seen = _seen(waves, _released(waves))
    assert not _recovered_by_algebra(seen)
    assert not _recovered_by_enumeration(seen, withheld=False)


@pytest.mark.parametrize("seed", [1])
def test_nobody_is_recovered_from_two_larger_waves(seed: int) -> None:
    generator = random.Random(seed)
    first = _roster(generator, 32)
    waves = [first, _next(generator, first, 3)]
    cells = _released(waves)
    seen = _seen(waves, cells)
    assert len(seen.rows) > 6, "there must be something to attack"
    assert not _recovered_by_algebra(seen)
    for person in range(len(seen.names)):
        cost = np.eye(len(seen.names))[person]
        least, most = (
            sign * optimize.linprog(sign * cost, A_eq=seen.rows, b_eq=seen.counts, bounds=(0, 1)).fun
            for sign in (1, -1)
        )
        assert most - least > 1e-6, f"{seen.names[person]} is known to {least}"


def test_the_audit_finds_what_algebra_finds_and_nothing_else() -> None:
    sizes_found = set()
    for seed in range(40):
        everybody = _roster(random.Random(seed), 10 + seed % 15)
        tables = Tables.of(each.cohort for each in everybody)
        sizes = tables.count(each.cohort for each in everybody)
        # Groups at random, so that often the few are three or four and nothing smaller is found first.
        groups = tables.members[np.random.default_rng(seed).random(len(tables.groups)) < 0.5]
        groups = groups[groups @ sizes >= K]
        rows = np.repeat(groups, sizes, axis=1).astype(float)
        names = [str(index) for index in range(rows.shape[1])]
        recovered = _recovered_by_algebra(Seen(names, rows, np.zeros(len(rows)), rows))
        found = isolated(groups, sizes, K)
        assert (found is not None) == bool(recovered)
        if found is not None:
            assert sizes[found].sum() < K
            assert tells(groups, found)
            sizes_found.add(int(found.sum()))
    assert sizes_found >= {1, 2, 3}


def test_the_attacks_succeed_where_cells_are_not_withheld() -> None:
    """Else they would show nothing."""
    found = {"algebra": 0, "enumeration": 0}
    for seed in range(6):
        everybody = _roster(random.Random(seed), 12)
        of = wave(everybody)
        every = [
            replace(cell, status="ok", n=len(mine), counts={"favourable": _agreeing(mine), "other": 0})
            for cell in release(of).cells
            if cell.statistic == "top2" and (mine := [each for each in everybody if _in(each, cell)])
            if len(mine) >= K
        ]
        seen = _seen([everybody], [every])
        found["algebra"] += bool(_recovered_by_algebra(seen))
        found["enumeration"] += bool(_recovered_by_enumeration(seen, withheld=False))
        if _recovered_by_algebra(seen):
            assert audit(of, [*release(of).cells, *every])
    assert found["algebra"] > 3
    assert found["enumeration"] > 3


def _agreeing(everybody: list[Person]) -> int:
    return sum(each.values is not None and each.values["ease"] == AGREE for each in everybody)


def test_what_is_withheld_is_not_all() -> None:
    """Of random rosters of forty most groups of k are shown: else withholding everything would pass."""
    kept = of_k = 0
    for seed in range(2):
        everybody = _roster(random.Random(seed), 40)
        cells = _released([everybody])[0]
        kept += len(shown(cells))
        of_k += sum(
            len([each for each in everybody if _in(each, cell)]) >= K
            for cell in cells
            if cell.statistic == "top2"
        )
    assert kept > 0.6 * of_k
