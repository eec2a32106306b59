"""What figures did between two periods, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, NamedTuple, Protocol

import pandas as pd

from dashboards import queries, words
from dashboards.queries import Frames, Scope
from pipelines import differences
from pipelines.differences import Difference, Estimate

if TYPE_CHECKING:
    from dashboards.view import View

BACK: Mapping[str, Mapping[str, int]] = {
    "The period before": dict.fromkeys(words.GRAINS, 1),
    # A day has its weekday a year before, too.
    "A year before": {"day": 364, "week": 52, "month": 12, "quarter": 4, "year": 1},
}
"""What a period may be compared with → how many periods of each grain that is before it."""

METHOD = """\
**Detectable** is a difference larger than chance brings about. It rests on the difference's own 90 %
interval, which follows from those of the two figures (Zou and Donner 2008; of two shares Newcombe's, 1998).
That two intervals overlap decides nothing. A service's deployments are counted, not sampled: its weeks
in the two periods are compared by Welch's test.

DORA's five figures are judged together, and so are the others of this page (Holm, 10 %): an interval may
leave out 0 and the difference still be no more than chance among so many.

**No detectable difference** does not mean unchanged: the interval says how large a change the data leave
room for. Above a service both periods hold the same services, so that the verdict errs towards this one.
"""


class Asked(Protocol):
    """Whose figures, of which grain: a view of a page, or what a report is of."""

    @property
    def source(self) -> Frames: ...

    @property
    def scope(self) -> Scope: ...

    @property
    def grain(self) -> str: ...


class Judged(NamedTuple):
    """What a figure did between two periods."""

    difference: Difference | None
    missing: str
    """Why there is none."""
    is_detectable: bool | None
    """More than chance, of all that are judged together; None without a difference."""


@dataclass(frozen=True)
class Verdict:
    """A metric in two periods."""

    metric: queries.Metric
    before: pd.Series
    now: pd.Series
    """Rows of `queries.trend`."""
    difference: Difference | None
    is_detectable: bool | None
    """More than chance, of all that are looked at together; None without a difference."""
    missing: str = ""
    """Why there is none."""

    @property
    def direction(self) -> str:
        """`higher` or `lower`, where that is detectable; else empty."""
        if not self.is_detectable or not self.difference:
            return ""
        return "higher" if self.difference.value > 0 else "lower"

    def badge(self, better: str) -> str:
        """The verdict in a word, as Markdown; `better` is the metric's own."""
        if self.difference is None:
            return f":gray-badge[Cannot be told] {self.missing}"
        if not self.direction:
            return ":gray-badge[No detectable difference]"
        if better not in ("higher", "lower"):
            return f":blue-badge[Detectably {self.direction}]"
        colour, icon = ("green", "thumb_up") if self.direction == better else ("orange", "thumb_down")
        return f":{colour}-badge[:material/{icon}: Detectably {self.direction}]"


def periods(view: View, metrics: Sequence[queries.Metric]) -> list[date]:
    """First days of the periods shown that are over for every metric, the latest first."""
    over = pd.concat(map(view.trend, metrics)).groupby("period_start")["partial"].any()
    return [start.date() for start in over.index[~over][::-1]]


def summary(found: Sequence[Verdict], view: View) -> str:
    """All verdicts in a sentence, as Markdown."""
    before = words.period(found[0].before["period_start"], view.grain)
    known = [verdict for verdict in found if verdict.difference]
    changed = [
        f"{queries.definition(view.source, verdict.metric)['title']} is {verdict.direction}"
        for verdict in known
        if verdict.direction
    ]
    if not known:
        return f"**Nothing can be compared** with {before}."
    rest = len(found) - len(known)
    more = f" Of {words.count(rest, 'figure')} it cannot be told." if rest else ""
    if not changed:
        return f"**No detectable difference** from {before} in {words.count(len(known), 'figure')}.{more}"
    which = f"{len(changed)} of {words.count(len(known), 'figure')}"
    verb = "differs" if len(changed) == 1 else "differ"
    return f"**{which} {verb} detectably** from {before}: {', '.join(changed)}.{more}"


def table(found: Sequence[Verdict]) -> pd.DataFrame:
    """A row for each metric, as it is downloaded; durations in seconds, shares from 0 to 1."""
    return pd.DataFrame(
        {
            "metric": verdict.metric,
            "unit": verdict.now["unit"],
            **{
                f"{name}_{column}": row[column]
                for name, row in (("before", verdict.before), ("now", verdict.now))
                for column in ("period_start", "value", "low", "high", "n", "status", "partial")
            },
            **{
                f"difference{suffix}": getattr(verdict.difference, name, None)
                for name, suffix in (("value", ""), ("low", "_low"), ("high", "_high"))
            },
            "p_value": verdict.difference.p_value if verdict.difference else None,
            "is_detectable": verdict.is_detectable,
            "missing": verdict.missing,
        }
        for verdict in found
    )


def place(own: pd.Series, peers: pd.Series) -> str:
    """Which share of its peers a service is above, by its interval; `own`: `value, low, high`."""
    among = f"of its {words.count(len(peers), 'peer')}"
    if pd.isna(own["low"]) or pd.isna(own["high"]):
        return f"Higher than {words.share((peers < own['value']).mean())} {among}."
    least, most = (
        words.share(share) for share in ((peers < own["low"]).mean(), (peers <= own["high"]).mean())
    )
    return f"Higher than {least} to {most} {among}, by its interval."


def verdicts(asked: Asked, metrics: Sequence[queries.Metric], start: date, back: int) -> list[Verdict]:
    """Each metric in the period that begins then, and as many periods before."""
    now = pd.Period(start, words.GRAINS[asked.grain])
    pairs = [(_row(asked, metric, now - back), _row(asked, metric, now)) for metric in metrics]
    found = judged(asked, pairs)
    return [
        Verdict(metric, *pair, each.difference, each.is_detectable, each.missing)
        for metric, pair, each in zip(metrics, pairs, found, strict=True)
    ]


def judged(asked: Asked, pairs: Sequence[tuple[pd.Series, pd.Series] | None]) -> list[Judged]:
    """What came of each pair of rows of `queries.trend`, an earlier and a later; all are one family."""
    found = [_difference(asked, *pair) if pair else "" for pair in pairs]
    known = [None if isinstance(each, str) else each for each in found]
    return [
        Judged(gap, each if isinstance(each, str) else "", is_detectable)
        for each, gap, is_detectable in zip(found, known, differences.detectable(known), strict=True)
    ]


def _row(asked: Asked, metric: queries.Metric, period: pd.Period) -> pd.Series:
    since, until = period.start_time.date(), (period + 1).start_time.date()
    return queries.trend(asked.source, metric, asked.scope, asked.grain, since, until).iloc[0]


def _difference(asked: Asked, before: pd.Series, now: pd.Series) -> Difference | str:
    """From one row of `queries.trend` to a later one, or why there is none."""
    for row in (now, before):
        said = words.period(row["period_start"], asked.grain)
        if row["partial"]:
            return f"{said} is not over"
        if row["status"] == "suppressed":
            return f"Withheld in {said}"
        if row["status"] == "too_few":
            return f"Too few to compare in {said}: n = {row['n']:,}"
        if pd.isna(row["value"]):
            return f"No figure in {said}"
    if pd.Series([before["low"], before["high"], now["low"], now["high"]]).notna().all():
        one, other = (Estimate(row["value"], row["low"], row["high"]) for row in (before, now))
        return differences.of_estimates(one, other)
    if now["estimate"] != "frequency":
        return "Too few for an interval"
    found = differences.of_weeks(_weeks(asked, before), _weeks(asked, now))
    return found or "Too few weeks: choose a longer period"


def _weeks(asked: Asked, row: pd.Series) -> list[float]:
    """The metric in each of the weeks that begin in the period."""
    since, until = row["period_start"].date(), row["period_end"].date()
    first = pd.Period(since, words.GRAINS["week"]).start_time.date()
    weeks = queries.trend(asked.source, row["metric"], asked.scope, "week", first, until)
    known = weeks[weeks["period_start"].ge(row["period_start"]) & ~weeks["partial"]]
    return known["value"].dropna().to_list()
