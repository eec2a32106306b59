"""Migrations that never were: what a forecast has to cope with, for its test and its benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

KINDS = ("steady", "drifting", "logistic")


class Migration(NamedTuple):
    """A simulated migration, cut in two at some moment."""

    kind: str
    weekly: list[int]
    """Services done in each week so far."""
    remaining: int
    weeks: int
    """How many weeks the rest really took."""


def simulated(count: int, seed: int) -> Iterator[Migration]:
    """Of 30 to 200 services, a quarter to four fifths of them done.

    A third goes at one rate with weeks that differ by chance, and more than that; in a third the rate itself
    wanders; in a third services follow one another as a fashion does.
    """
    rng = np.random.default_rng(seed)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        scope = int(rng.integers(30, 200))
        weekly = _logistic(scope, rng) if kind == "logistic" else _at_a_rate(scope, kind, rng)
        done = np.cumsum(weekly)
        now = int(np.searchsorted(done, rng.uniform(0.25, 0.8) * scope)) + 1
        if done[now - 1] < scope:
            yield Migration(kind, weekly[:now], scope - int(done[now - 1]), len(weekly) - now)


def _at_a_rate(scope: int, kind: str, rng: np.random.Generator) -> list[int]:
    rate, evenness, wandered = scope / rng.integers(15, 60), rng.uniform(0.5, 3), 0.0
    weekly: list[int] = []
    while (left := scope - sum(weekly)) > 0:
        if kind == "drifting":
            wandered = 0.95 * wandered + rng.normal(0, 0.15)
            brought = rng.poisson(rate * np.exp(wandered))
        else:
            brought = rng.poisson(rng.gamma(evenness, rate / evenness))
        weekly.append(min(int(brought), left))
    return weekly


def _logistic(scope: int, rng: np.random.Generator) -> list[int]:
    moments = rng.logistic(rng.uniform(10, 30), rng.uniform(3, 8), scope)
    weekly: list[int] = np.bincount((moments - min(moments.min(), 0)).astype(int)).tolist()
    return weekly
