"""Estimates, comparisons and drivers against worked examples in print and against statsmodels and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower, TTestIndPower
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportions_chisquare
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from surveys import statistics
from surveys.statistics import comparisons, estimates
from surveys.statistics.drivers import lmg
from tests.surveys.swiss import SWISS

LEVEL = 1 - statistics.CONFIDENCE


@pytest.fixture
def at_95(monkeypatch: pytest.MonkeyPatch) -> None:
    """The level that examples in print have."""
    monkeypatch.setattr(estimates, "CONFIDENCE", 0.95)
    monkeypatch.setattr(comparisons, "CONFIDENCE", 0.95)


@pytest.mark.usefixtures("at_95")
@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_examples_of_newcombe_1998(successes: int, n: int, low: float, high: float) -> None:
    found = statistics.wilson(successes, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("successes", "n"), [(0, 5), (3, 7), (5, 5), (40, 236)])
def test_wilson_is_that_of_statsmodels(successes: int, n: int) -> None:
    found = statistics.wilson(successes, n)
    expected = proportion_confint(successes, n, LEVEL, method="wilson")
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-12)
    assert found.value == successes / n


def test_a_mean_and_its_interval_are_those_of_statsmodels() -> None:
    answers = [1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 5, 2, 3, 4, 4, 1, 3, 5, 4, 4]
    found = statistics.mean_score(answers, 1, 5)
    described = DescrStatsW((np.array(answers) - 1) * 25)
    assert (found.low, found.high) == pytest.approx(described.tconfint_mean(LEVEL))
    assert (found.value, found.n, found.deviation) == pytest.approx(
        (described.mean, 20, described.std_ddof(1))
    )


def test_the_example_of_bonett_and_price_is_the_net_promoter_score() -> None:
    # statpsych's ci.prop.ps(.05, f00=12, f01=4, f10=26, f11=6): 0.44, SE 0.09448809.
    found = statistics.nps(promoters=26, passives=18, detractors=4)
    margin = 100 * 0.09448809 * float(stats.norm.ppf(0.95))
    assert found.value == pytest.approx(44)
    assert (found.low, found.high) == pytest.approx((44 - margin, 44 + margin), abs=1e-5)
    assert found.n == 48


@pytest.mark.parametrize(
    ("pairs", "expected"), [([(1, 1)] * 2, 0.0), ([(7, 7)] * 2, 100.0), ([(6, 7), (6, 7)], 100 * 11 / 12)]
)
def test_umux_lite_is_scored_as_by_lewis_2013(pairs: list[tuple[int, int]], expected: float) -> None:
    assert statistics.umux_lite(pairs).value == pytest.approx(expected)


def test_an_interval_stays_on_the_scale() -> None:
    assert statistics.nps(5, 0, 0).high <= 100
    assert statistics.mean_score([5] * 19 + [4], 1, 5).high <= 100


@pytest.mark.usefixtures("at_95")
def test_the_difference_of_newcombe_1998() -> None:
    found = statistics.two_proportions((48, 80), (56, 70))
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(("earlier", "later"), [((3, 8), (9, 11)), ((60, 100), (75, 110)), ((0, 9), (5, 9))])
def test_shares_are_compared_as_by_campbell_2007(earlier: tuple[int, int], later: tuple[int, int]) -> None:
    found = statistics.two_proportions(earlier, later)
    (x1, n1), (x2, n2) = earlier, later
    pearson, _, _ = proportions_chisquare([x1, x2], [n1, n2])
    total = n1 + n2
    assert found.p_value == pytest.approx(float(stats.chi2.sf(pearson * (total - 1) / total, 1)))
    expected = confint_proportions_2indep(x2, n2, x1, n1, method="newcomb", alpha=LEVEL)
    assert (found.low, found.high) == pytest.approx(expected)


def test_shares_that_are_all_or_nothing_are_no_change() -> None:
    assert statistics.two_proportions((8, 8), (9, 9)).p_value == 1
    assert statistics.two_proportions((8, 8), (9, 9)).detectable > 0.2


def test_means_are_compared_as_by_statsmodels() -> None:
    before, after = [2, 3, 3, 4, 1, 2, 3, 4, 4, 3, 2] * 2, [3, 4, 4, 5, 5, 4, 3, 4, 2, 5] * 3
    found = statistics.welch(statistics.mean_score(before, 1, 5), statistics.mean_score(after, 1, 5))
    compared = CompareMeans(*(DescrStatsW((np.array(each) - 1) * 25) for each in (after, before)))
    assert found.p_value == pytest.approx(compared.ttest_ind(usevar="unequal")[1])
    assert (found.low, found.high) == pytest.approx(compared.tconfint_diff(LEVEL, usevar="unequal"))


def test_net_promoter_scores_are_compared_with_the_same_adjustment() -> None:
    found = statistics.nps_change((26, 18, 4), (26, 18, 4))
    assert (found.value, found.p_value) == (0, 1)
    assert found.high == pytest.approx(
        math.sqrt(2) * 100 * 0.09448809 * float(stats.norm.ppf(0.95)), abs=1e-4
    )


def test_the_detectable_difference_is_found_with_a_power_of_80_percent() -> None:
    shares = statistics.two_proportions((50, 100), (60, 100))
    spread = math.sqrt(111 / 202 * 91 / 202)
    power = NormalIndPower().power(shares.detectable / spread, 100, LEVEL, ratio=1)
    assert power == pytest.approx(0.8, abs=0.001)
    means = statistics.welch(
        estimates.Estimate(60, 80, 55, 65, 20.0), estimates.Estimate(62, 80, 57, 67, 20.0)
    )
    assert TTestIndPower().power(means.detectable / 20, 80, LEVEL) == pytest.approx(0.8, abs=0.002)


def test_holm_is_that_of_statsmodels() -> None:
    values = [0.01, 0.04, 0.03, 0.005, 0.9, 0.04]
    assert statistics.holm(values) == pytest.approx(multipletests(values, method="holm")[1])
    assert statistics.holm([]) == []


def test_shares_of_r_squared_are_those_of_groemping_2006() -> None:
    # relaimpo: calc.relimp(lm(Fertility ~ ., swiss), type = "lmg").
    correlations = np.corrcoef(np.array(SWISS).T)
    shares = lmg(correlations[1:, 1:], correlations[1:, :1])[:, 0]
    assert shares == pytest.approx([0.05709122, 0.17117303, 0.26013468, 0.10557015, 0.11276592], abs=5e-9)


def _answers(n: int, seed: int = 3) -> dict[str, list[float | None]]:
    generator = np.random.default_rng(seed)
    flow, load, noise = generator.normal(size=(3, n))
    outcome = flow - 0.5 * load + generator.normal(size=n)
    columns = {"satisfaction": outcome, "flow": flow, "load": load, "noise": noise}
    return {name: list(column) for name, column in columns.items()}


def test_drivers_are_those_above_chance() -> None:
    found = statistics.drivers("satisfaction", _answers(200))
    assert [(each.construct, each.direction) for each in found.shares] == [
        ("flow", "rises"),
        ("load", "falls"),
    ]
    assert found.threshold is not None
    assert found.shares[-1].share > found.threshold
    assert "association" in found.caption


def test_no_driver_is_shown_by_chance_more_often_than_it_may() -> None:
    generator = np.random.default_rng(0)
    shown = 0
    for seed in range(40):
        columns = generator.normal(size=(6, 110))
        scores = {f"c{index}": list(column) for index, column in enumerate(columns)}
        shown += statistics.drivers("c0", scores, seed=seed).status == "ok"
    assert shown <= 6, "of 40 at 5 %, 7 or more come about less than once in 200 times"


@pytest.mark.parametrize(("n", "status"), [(99, "too_few"), (100, "ok")])
def test_drivers_need_100_answers(n: int, status: str) -> None:
    assert statistics.drivers("satisfaction", _answers(n)).status == status


def test_drivers_need_15_answers_each_of_people_who_have_all_scores() -> None:
    scores = {
        f"c{index}": list(column)
        for index, column in enumerate(np.random.default_rng(1).normal(size=(7, 100)))
    }
    assert statistics.drivers("c0", scores).status != "too_few", "6 x 15 is less than 100"
    scores["c3"][7] = None
    assert statistics.drivers("c0", scores).n == 99
    assert statistics.drivers("c0", scores).status == "too_few"


def test_drivers_are_at_most_six() -> None:
    scores = {f"c{index}": [0.0] * 200 for index in range(8)}
    with pytest.raises(ValueError, match="6 constructs, not 7"):
        statistics.drivers("c0", scores)


def test_where_nobody_differs_nothing_drives() -> None:
    assert statistics.drivers("c0", {"c0": [50.0] * 120, "c1": [1.0, 2.0] * 60}).status == "not_above_chance"
