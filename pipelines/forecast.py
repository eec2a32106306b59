"""When a migration will be done: weekly throughput so far, drawn anew over and over until nothing is left.

Not every week is drawn with equal chance: the chances themselves are drawn first (Rubin, The Bayesian
bootstrap, 1981), since a few weeks say little of how many a usual one brings. Where the weeks rather follow a
logistic curve and its inflection is past, what is left goes ever slower: its end is drawn from that curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWS = 1_000
FEWEST_WEEKS = 4
"""Weeks with anything done in them, before which nothing is said."""
RECENT_WEEKS = 26
"""Weeks that are drawn from, the last ones."""
MOST_WEEKS = 520
"""Weeks looked ahead."""
_AT_ONCE = 52
_EVIDENCE = 6.0
"""By how much a logistic curve has to be better than a straight line, on Akaike's scale."""


class Forecast(NamedTuple):
    """What is left of a migration, drawn many times."""

    method: Literal["resampled", "logistic"]
    done: Floats
    """Of what is left now, what is done by then: a row for each draw, a column for each week to come."""
    remaining: int

    def finish(self, share: float) -> int | None:
        """Weeks from now within which it is done in that share of the draws; None beyond `MOST_WEEKS`."""
        is_done = self.done >= self.remaining
        weeks = np.where(is_done.any(axis=1), is_done.argmax(axis=1) + 1.0, np.inf)
        found = float(np.quantile(weeks, share, method="higher"))
        return int(found) if np.isfinite(found) else None


def forecast(weekly: Sequence[int], remaining: int, seed: int = 0) -> Forecast | None:
    """From what was done in each complete week so far, oldest first; None where that tells too little."""
    done = np.asarray(weekly, dtype=np.float64)
    if np.count_nonzero(done) < FEWEST_WEEKS or remaining <= 0:
        return None
    rng = np.random.default_rng(seed)
    curves = _logistic_curves(done, remaining, rng)
    if curves is None:
        return Forecast("resampled", _resampled(done[-RECENT_WEEKS:], remaining, rng), remaining)
    return Forecast("logistic", _along(curves, len(done), remaining, rng), remaining)


def _resampled(pool: Floats, remaining: int, rng: np.random.Generator) -> Floats:
    chances = rng.dirichlet(np.ones(len(pool)), DRAWS).cumsum(axis=1)
    total = np.zeros((DRAWS, 1))
    while total.shape[1] <= MOST_WEEKS and (total[:, -1] < remaining).any():
        drawn = rng.random((DRAWS, _AT_ONCE))
        # Which of the weeks each number falls to.
        week = (drawn[:, :, np.newaxis] > chances[:, np.newaxis, :-1]).sum(axis=2)
        total = np.hstack([total, total[:, -1:] + pool[week].cumsum(axis=1)])
    return total[:, 1 : MOST_WEEKS + 1]


def _along(curves: Floats, now: int, remaining: int, rng: np.random.Generator) -> Floats:
    """Each of what is left ends at a moment drawn from the part of the curve that is yet to come."""
    middle, width = curves[:, 0, np.newaxis], curves[:, 1, np.newaxis]
    # Survivors' chances of the logistic curve: 1 / (1 + e^z).
    still = 1 / (1 + np.exp((now - middle) / width))
    chance = still * rng.random((DRAWS, remaining))
    ends = middle + width * np.log((1 - chance) / np.maximum(chance, 1e-300))
    weeks = np.clip(np.ceil(ends - now), 1, MOST_WEEKS + 1).astype(np.int64)
    done = np.zeros((DRAWS, MOST_WEEKS + 2))
    np.add.at(done, (np.arange(DRAWS)[:, np.newaxis], weeks), 1)
    return done.cumsum(axis=1)[:, 1 : MOST_WEEKS + 1]


def _logistic_curves(done: Floats, remaining: int, rng: np.random.Generator) -> Floats | None:
    """(middle, width) in weeks, as the weeks make likely; None unless logistic and past the middle."""
    from scipy.optimize import minimize
    from scipy.special import expit, log_expit

    now, total = len(done), done.sum()
    edges = np.arange(now + 1)

    def unlikeliness(curve: Floats) -> float:
        middle, width = curve[0], np.exp(curve[1])
        shares = np.diff(expit((edges - middle) / width))
        shares[0] = expit((1 - middle) / width)
        return -float(
            done @ np.log(np.maximum(shares, 1e-12)) + remaining * log_expit((middle - now) / width)
        )

    half = np.searchsorted(done.cumsum(), (total + remaining) / 2)
    fit = minimize(unlikeliness, np.array([float(half), np.log(now / 6)]), method="BFGS")
    middle, width = fit.x[0], np.exp(fit.x[1])
    if not middle < now:
        return None
    expected = np.diff(expit((edges - middle) / width)) * (total + remaining)
    spread = max(1.0, float(((done - expected) ** 2 / np.maximum(expected, 0.5)).sum()) / max(now - 2, 1))
    straight = -(
        total * np.log(total / now)
        + remaining * np.log(remaining)
        - (total + remaining) * np.log(total + remaining)
    )
    if 2 * (straight - fit.fun) / spread - 2 < _EVIDENCE:
        return None
    drawn = rng.multivariate_normal(fit.x, fit.hess_inv * spread, DRAWS, check_valid="ignore")
    return np.column_stack([drawn[:, 0], np.exp(drawn[:, 1])])
