"""What changed detectably in a period, over delivery, adoption and surveys (ADR 0026)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import pandas as pd

from dashboards import queries, words
from dashboards.comparing import NOTABLE
from dashboards.queries import Frames, Metric, Scope
from dashboards.report.comparison import Compared
from dashboards.report.period import Period
from pipelines.change_points import holm
from pipelines.differences import LEVEL

LEVELS_BACK = timedelta(weeks=8)
"""How long before the period a level may have begun: it takes weeks until one can be told."""


@dataclass(frozen=True)
class Finding:
    """Something that changed."""

    area: str
    """`Delivery`, `Adoption` or `Survey`."""
    subject: str
    """What it is about: the median and the 90th percentile of one thing are one."""
    headline: str
    """What, from what to what."""
    detail: str
    """Since when, how sure, and on what it rests."""
    is_better: bool | None
    """None where neither direction is better, as of a capability that services may be meant to leave."""
    size: float
    """The change as a share of what was before."""


def find(source: Frames, scope: Scope, period: Period, compared: Sequence[Compared]) -> list[Finding]:
    """Everything that changed, the largest first, and of what says the same twice the first."""
    steps = {each.metric: _step(each) for each in compared if each.is_notable}
    levels = {each.subject: each for each in _levels(source, scope, period)}
    found = [*(steps | levels).values(), *_adoption(source, scope, period), *_surveys(source, period)]
    first: dict[str, Finding] = {}
    for finding in found:
        first.setdefault(finding.subject, finding)
    return sorted(first.values(), key=lambda finding: -abs(finding.size))


def _step(compared: Compared) -> Finding:
    unit = compared.now["unit"]
    was, now = (words.figure(row["value"], unit) for row in (compared.before, compared.now))
    assert compared.difference
    return Finding(
        "Delivery",
        compared.metric,
        f"{compared.title}: {was} → {now}",
        f"{compared.period.label} against {compared.period.back(1).label}: {compared.margin},"
        f" n = {compared.now['n']:,} against {compared.before['n']:,}.",
        (compared.verdict == "better") if compared.better else None,
        compared.share,
    )


def _levels(source: Frames, scope: Scope, period: Period) -> Iterator[Finding]:
    """The latest change of level of each metric, if it began in the period or shortly before."""
    points = queries.new_levels(source, [scope.level], period.since - LEVELS_BACK)
    own = points[points["key"].eq(scope.key) & points["period_start"].lt(pd.Timestamp(period.until))]
    for metric, found in own.sort_values("period_start").groupby("metric"):
        point = found.iloc[-1]
        size = _share(point["before"], point["after"])
        if abs(size) < NOTABLE:
            continue
        was, now = (words.figure(point[side], point["unit"]) for side in ("before", "after"))
        current = queries.trend(
            source, cast(Metric, metric), scope, period.grain, period.since, period.until
        ).iloc[-1]
        better = point["better"]
        yield Finding(
            "Delivery",
            re.sub(r"_p\d\d$", "", str(metric)),
            f"{point['title']}: {was} → {now}",
            f"A new level of the weeks since {words.day(point['period_start'])} (p ="
            f" {point['p_value']:.2g}). {period.label}: {_sure(current)}.",
            bool((size > 0) == (better == "higher")) if isinstance(better, str) else None,
            float(size),
        )


def _sure(row: pd.Series) -> str:
    """A figure with its interval and n."""
    said = words.figure(row["value"], row["unit"])
    if pd.notna(row["low"]) and pd.notna(row["high"]):
        said += f", 90 % interval {words.between(row['low'], row['high'], row['unit'])}"
    return f"{said}, n = {row['n']:,}"


def _adoption(source: Frames, scope: Scope, period: Period) -> Iterator[Finding]:
    """Capabilities to which more services came than left, or fewer, by a sign test over all of them."""
    known = queries.capabilities(source)
    changes = queries.service_changes(source, scope, period.since, period.until)
    came = changes["change"].isin(["adopted", "returned"]).groupby(changes["capability"]).sum()
    left = changes["change"].isin(["left"]).groupby(changes["capability"]).sum()
    moved = [name for name in known["capability"] if came.get(name, 0) + left.get(name, 0)]
    chances = holm([_sign_test(int(came[name]), int(left[name])) for name in moved])
    titles = dict(zip(known["capability"], known["title"], strict=True))
    for name, chance in zip(moved, chances, strict=True):
        within = scope._replace(capability=name)
        reach = queries.trend(source, "reach", within, period.grain, period.since, period.until).iloc[-1]
        net = int(came[name] - left[name])
        before = round(float(reach["value"] * reach["n"])) - net if pd.notna(reach["value"]) else 0
        size = net / before if before > 0 else float("inf")
        if chance < LEVEL and abs(size) >= NOTABLE:
            yield Finding(
                "Adoption",
                name,
                f"{titles[name]}: {words.count(int(came[name]), 'service')} took it up,"
                f" {left[name]:,} left it",
                f"More to one side than chance brings about (p = {chance:.2g}). Used at the end of"
                f" {period.label} by {_sure(reach)} services.",
                None,
                size,
            )


def _surveys(source: Frames, period: Period) -> Iterator[Finding]:
    for row in queries.survey_changes(source, period.since, period.until).to_dict("records"):
        is_share = row["statistic"] == "top2"
        scale = 100 if is_share else 1
        was, now = (scale * value for value in (row["value"] - row["change"], row["value"]))
        unit = " %" if is_share else " points"
        low, high = (f"{scale * row[end]:+.0f}".replace("-", "−") for end in ("change_low", "change_high"))
        # NPS begins at -100: its size is that of the share of its scale.
        floor = 100 if row["statistic"] == "nps" else 0
        size = _share(was + floor, now + floor)
        if abs(size) >= NOTABLE:
            yield Finding(
                "Survey",
                row["label"],
                f"{row['label']}: {was:.0f}{unit} → {now:.0f}{unit}{' favourable' if is_share else ''}",
                f"Wave {row['wave']} against {row['earlier_wave']}: difference {low} to {high} points"
                f" at 90 %, n = {row['n']:,}.",
                row["change"] > 0,
                size,
            )


def _share(before: float, after: float) -> float:
    if before:
        return after / before - 1
    return float("inf") if after else 0.0


def _sign_test(came: int, left: int) -> float:
    """Chance of so uneven a split where each of them comes or leaves by the toss of a coin, two-sided."""
    number = came + left
    ways = sum(math.comb(number, fewer) for fewer in range(min(came, left) + 1))
    return min(1.0, math.ldexp(ways, 1 - number))
