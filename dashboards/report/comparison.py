"""The five figures of a report against the period before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import pandas as pd

from dashboards import queries, words
from dashboards.comparing import FIVE, NOTABLE
from dashboards.queries import Frames, Metric, Scope
from dashboards.report.period import Period
from dashboards.verdicts import judged
from pipelines.differences import Difference

_NOUNS = {"change_lead_time": "change", "failed_deployment_recovery_time": "fault"}
_SHOWN = 13
"""Periods in a chart: of months, one of the same name a year before."""


@dataclass(frozen=True)
class Compared:
    """A figure of a period, and what came of holding it against the one before."""

    metric: Metric
    period: Period
    title: str
    better: str
    """`higher`, `lower`, or empty."""
    noun: str
    """What a service's figure rests on."""
    trend: pd.DataFrame
    """As `queries.trend`; the period is its last row, the one before it stands above."""
    difference: Difference | None
    missing: str
    """Why there is none."""
    is_detectable: bool
    """More than chance, of the five together."""

    @property
    def now(self) -> pd.Series:
        return self.trend.iloc[-1]

    @property
    def before(self) -> pd.Series:
        return self.trend.iloc[-2]

    @property
    def share(self) -> float:
        """The difference as a share of the figure before; infinite from nothing to something."""
        if self.difference is None or not self.difference.value:
            return 0.0
        return self.difference.value / self.before["value"] if self.before["value"] else float("inf")

    @property
    def is_notable(self) -> bool:
        """Detectable, and large enough to be worth a word."""
        return self.is_detectable and abs(self.share) >= NOTABLE

    @property
    def verdict(self) -> Literal["better", "worse", ""]:
        if not self.is_notable or self.difference is None or not self.better:
            return ""
        return "better" if (self.difference.value > 0) == (self.better == "higher") else "worse"

    @property
    def margin(self) -> str:
        """`difference −3 h to +8 h at 90 %`."""
        assert self.difference
        low, high = (_signed(end, self.now["unit"]) for end in (self.difference.low, self.difference.high))
        return f"difference {low} to {high} at 90 %"

    @property
    def says(self) -> str:
        """The comparison as a sentence."""
        when = self.period.back(1).label
        if self.difference is None:
            return f"Not compared. {self.missing[:1].upper()}{self.missing[1:]}."
        was = f"{words.figure(self.before['value'], self.now['unit'])} in {when}"
        if not self.difference.value and not self.is_detectable:
            return f"As in {when}."
        if not self.is_detectable:
            # One interval of ten leaves out 0 by chance: all are judged together.
            is_beside_0 = self.difference.low * self.difference.high > 0
            together = f" (of {len(FIVE)} judged together)" if is_beside_0 else ""
            return f"No detectable change{together} from {was} ({self.margin})."
        change = _signed(self.difference.value, self.now["unit"])
        judged = self.verdict.capitalize() or ("Changed" if self.is_notable else "Hardly changed")
        return f"{judged}: {change} from {was} ({self.margin})."


def _signed(value: float, unit: str) -> str:
    return words.difference(value, unit).replace("-", "−") if value else "0"


class _Asked(NamedTuple):
    source: Frames
    scope: Scope
    grain: str


def compare(source: Frames, scope: Scope, period: Period) -> list[Compared]:
    """Each of the five; what is detectable is judged over all of them together."""
    asked, first = _Asked(source, scope, period.grain), period.back(_SHOWN - 1).since
    trends = [queries.trend(source, metric, scope, period.grain, first, period.until) for metric in FIVE]
    found = judged(asked, [(trend.iloc[-2], trend.iloc[-1]) for trend in trends])
    told = [queries.definition(source, metric) for metric in FIVE]
    return [
        Compared(
            metric, period, str(one["title"]), str(one["better"] or ""), _NOUNS.get(metric, "deployment"),
            trend, each.difference, each.missing, is_detectable=bool(each.is_detectable),
        )
        for metric, one, trend, each in zip(FIVE, told, trends, found, strict=True)
    ]  # fmt: skip
