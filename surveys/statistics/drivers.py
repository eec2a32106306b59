"""Which constructs go together with an outcome: Shapley shares of R², for the whole organisation alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

MAX_DRIVERS = 6
MIN_ANSWERS = 100
MIN_ANSWERS_PER_DRIVER = 15
CAPTION = (
    "What goes together with the outcome in these answers. This is association: it doesn't say that changing "
    "one would change the other."
)

_PERMUTATIONS = 999


@dataclass(frozen=True, slots=True)
class Driver:
    """A construct, its share of the outcome's variance (ratio), and whether it rises or falls with it."""

    construct: str
    share: float
    direction: Literal["rises", "falls"]


@dataclass(frozen=True, slots=True)
class Drivers:
    """The drivers above chance, largest first.

    `r_squared` is of all constructs together; `threshold` the share that the largest of them exceeds by
    chance in 5 % of permutations. Both are None unless the status is `ok`.
    """

    outcome: str
    n: int
    status: Literal["ok", "too_few", "not_above_chance"]
    r_squared: float | None
    threshold: float | None
    shares: tuple[Driver, ...]
    caption: str = CAPTION


def drivers(outcome: str, scores: Mapping[str, Sequence[float | None]], *, seed: int = 0) -> Drivers:
    """The drivers of one construct among all others in `scores`, by respondent, of those who have all scores.

    The shares are those of Lindeman, Merenda and Gold: what a driver adds to R², averaged over all orders
    (Grömping 2006, Journal of Statistical Software 17(1)). ValueError for more than 6 drivers.
    """
    names = [name for name in scores if name != outcome]
    if not 0 < len(names) <= MAX_DRIVERS:
        raise ValueError(f"Drivers are sought among one to {MAX_DRIVERS} constructs, not {len(names)}.")
    columns = np.array([scores[name] for name in [outcome, *names]], dtype=float)
    columns = columns[:, ~np.isnan(columns).any(axis=0)]
    n = columns.shape[1]
    if n < max(MIN_ANSWERS, MIN_ANSWERS_PER_DRIVER * len(names)):
        return Drivers(outcome, n, "too_few", None, None, ())
    if not columns.std(axis=1).all():
        return Drivers(outcome, n, "not_above_chance", None, None, ())
    standard = (columns - columns.mean(axis=1, keepdims=True)) / columns.std(axis=1, keepdims=True)
    y, x = standard[0], standard[1:]
    generator = np.random.default_rng(seed)
    outcomes = np.stack([y, *(generator.permutation(y) for _ in range(_PERMUTATIONS))])
    correlations = x @ outcomes.T / n
    shares = lmg(x @ x.T / n, correlations)
    # The largest share of each permutation, so that one of several isn't shown by chance more often than 5 %.
    threshold = float(np.quantile(shares[:, 1:].max(axis=0), 0.95))
    found = [
        Driver(name, float(share), "rises" if correlation > 0 else "falls")
        for name, share, correlation in zip(names, shares[:, 0], correlations[:, 0], strict=True)
        if share > threshold
    ]
    if not found:
        return Drivers(outcome, n, "not_above_chance", None, None, ())
    found.sort(key=lambda driver: -driver.share)
    return Drivers(outcome, n, "ok", float(shares[:, 0].sum()), threshold, tuple(found))


def lmg(between: NDArray[np.float64], with_outcome: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of R², drivers x outcomes, from correlations of drivers with each other and each outcome."""
    count, outcomes = with_outcome.shape
    explained: dict[tuple[int, ...], NDArray[np.float64]] = {(): np.zeros(outcomes)}
    for size in range(1, count + 1):
        for subset in combinations(range(count), size):
            part = with_outcome[list(subset)]
            # The pseudo-inverse, since two constructs may say the same.
            explained[subset] = np.einsum(
                "ij,ij->j", part, np.linalg.pinv(between[np.ix_(subset, subset)]) @ part
            )
    shares = np.zeros_like(with_outcome)
    for subset, r_squared in explained.items():
        weight = math.factorial(len(subset) - 1) * math.factorial(count - len(subset)) if subset else 0
        for driver in subset:
            without = tuple(other for other in subset if other != driver)
            shares[driver] += weight * (r_squared - explained[without])
    return shares / math.factorial(count)
