"""Figures in words: durations, rates, dates and reasons as a person says them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd

MINUTE, HOUR, DAY, YEAR = 60, 3_600, 86_400, 31_557_600

GRAINS: Mapping[str, str] = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q-DEC", "year": "Y-DEC"}
"""Grain → pandas' name for its periods; weeks begin on Monday, as ISO 8601's do."""

LEFT_OUT: Mapping[str, str] = {
    "bot": "made by a bot",
    "negative": "that end before they begin (a wrong clock)",
    "undated": "without a usable date",
    "baseline": "of the first known deployment, so their ship date is unknown",
    "commit_after_ready": "with a first commit after they were ready for review",
    "unreviewed": "nobody reviewed before the merge",
    "deployed_before_merge": "deployed before the merge",
    "empty": "that shipped no change of a person",
    "cancelled": "cancelled",
    "skipped": "skipped",
    "running": "still running",
    "unknown": "with an unknown result",
    "unfinished": "not finished",
    "not_told": "whose tool does not tell when they began to wait",
    "not_retried": "that failed and were not tried again",
    "no_commit": "of no known commit",
    "no_run": "no CI run was found for",
    "services_without_figure": "without a figure among the services",
    "dormant": "dormant: without a commit in 90 days",
    "unknown_start": "in use before anybody looked",
    "unknown_version": "in no known version",
    "recent": "too recent to tell",
    "no_team": "by people of no known team",
}
"""Why something has no part in a figure, by `left_out` and the keys of `excluded`; said after a number."""

INDUSTRY_CAVEAT = (
    "A mean of what people answered, ± its standard deviation, not a measurement: context, not a verdict."
    " A score from 0 to 10 is no duration and no frequency."
)

_UNITS = ((YEAR, "year"), (DAY, "day"), (HOUR, "h"), (MINUTE, "min"), (1, "s"))


def noted(notes: pd.DataFrame) -> list[str]:
    """Annotations, rows of `date, text`: `2 Mar 2026: Reorganisation`."""
    return [f"{day(at)}: {text}" for at, text in zip(notes["date"], notes["text"], strict=True)]


def duration(seconds: float | None) -> str:
    """Seconds as `45 s`, `12 min`, `5 h`, `3.2 days` or `2.4 years`; `–` for none."""
    if seconds is None or pd.isna(seconds):
        return "–"
    sign = "−" if seconds < 0 else ""
    size, unit = _unit(abs(seconds))
    number = _number(abs(seconds) / size)
    return f"{sign}{number} {unit}{'s' if unit in ('day', 'year') and number != '1' else ''}"


def _unit(seconds: float) -> tuple[int, str]:
    # Two days and two years, so that "36 h" and "14 months" are not rounded to "1.5 days" and "1.2 years".
    thresholds = {YEAR: 2 * YEAR, DAY: 2 * DAY}
    return next(((size, unit) for size, unit in _UNITS if seconds >= thresholds.get(size, size)), (1, "s"))


def _number(value: float) -> str:
    """Two significant digits below ten, whole above, thousands apart."""
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0")


def per_week(value: float | None) -> str:
    """A frequency, as `2.3 per week`; `–` for none."""
    if value is None or pd.isna(value):
        return "–"
    return f"{value:.2f} per week" if 0 < value < 0.95 else f"{_number(value)} per week"


def rhythm(value: float) -> str:
    """What a frequency per week comes to: `about one every 12 days`."""
    if value <= 0:
        return "none"
    every = 7 / value
    return f"about {_number(1 / every)} a day" if every < 1 else f"about one every {duration(every * DAY)}"


def share(value: float | None) -> str:
    """A ratio in per cent, as `4.5 %` or `23 %`; `–` for none."""
    return "–" if value is None or pd.isna(value) else f"{_number(100 * value)} %"


def industry(mean: float, deviation: float, unit: str) -> str:
    """DORA's published answer in words: `5.5 ± 2.4 on a scale from 0 to 10`, `19 % ± 21 points`."""
    if unit == "score":
        return f"{mean:.1f} ± {deviation:.1f} on a scale from 0 to 10"
    return f"{share(mean)} ± {100 * deviation:.0f} points"


def figure(value: float | None, unit: str) -> str:
    """A value of a metric in its unit's words."""
    if value is None or pd.isna(value):
        return "–"
    if unit == "seconds":
        return duration(value)
    if unit == "ratio":
        return share(value)
    return per_week(value) if unit == "per_week" else f"{value:,.1f}".removesuffix(".0")


def between(low: float, high: float, unit: str) -> str:
    """Both ends of an interval, a unit that they share said once: `40 – 45 h`, `20 h – 2.5 days`."""
    first, last = figure(low, unit), figure(high, unit)
    number, _, name = first.partition(" ")
    return f"{number if last.partition(' ')[2] == name else first} – {last}"


def difference(value: float, unit: str) -> str:
    """How far two values of a metric are apart, with a sign; shares in percentage points."""
    sign = "+" if value > 0 else "-" if value < 0 else ""
    size = f"{_number(100 * abs(value))} points" if unit == "ratio" else figure(abs(value), unit)
    return sign + size


def left_out(excluded: Mapping[str, int], most: int = 2) -> str:
    """`3 made by a bot, 1 without a usable date`: the greatest numbers first, then how many more."""
    reasons = sorted(excluded.items(), key=lambda item: (-item[1], item[0]))
    said = [f"{number:,} {LEFT_OUT.get(reason, plain(reason))}" for reason, number in reasons[:most]]
    rest = sum(number for _, number in reasons[most:])
    return ", ".join(said + [f"{rest:,} for other reasons"] * (rest > 0))


def day(when: date) -> str:
    """`12 May 2025`."""
    return f"{when.day} {when:%b %Y}"


def span(since: date, until: date) -> str:
    """Both ends included, from a start and an exclusive end: `1 Jun 2024 – 31 May 2025`."""
    last = until - timedelta(days=1)
    return day(since) if last == since else f"{day(since)} – {day(last)}"


def period(start: date, grain: str) -> str:
    """A period as it is called: `12 May 2025`, `week of 12 May 2025`, `May 2025`, `Q2 2025`, `2025`."""
    names = {
        "day": day(start),
        "week": f"week of {day(start)}",
        "month": f"{start:%b %Y}",
        "quarter": f"Q{(start.month + 2) // 3} {start.year}",
        "year": f"{start.year}",
    }
    return names[grain]


def count(number: int, noun: str) -> str:
    """`1 deployment`, `1,204 deployments`."""
    return f"{number:,} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """`deployments`, `repositories`, `evidence`."""
    if noun == "evidence":
        return noun
    return noun.removesuffix("y") + "ies" if noun.endswith("ory") else noun + "s"


def interval(row: Mapping[Any, Any] | pd.Series) -> str:
    """How sure a figure of `queries.trend` is: `90 % interval 40 – 45 h, n = 12`."""
    known = "no interval"
    if pd.notna(row["low"]) and pd.notna(row["high"]):
        known = f"90 % interval {between(row['low'], row['high'], row['unit'])}"
    return f"{known}, n = {row['n']:,}"


def plain(text: object) -> str:
    """Text from outside, made inert where Markdown is read."""
    # An address becomes a link even if escaped: an invisible character within keeps it from being one.
    unlinked = re.sub(r"://|www(?=\.)|@", "\\g<0>\u2060", str(text), flags=re.IGNORECASE)
    return re.sub(r"([\\`*_{}\[\]()<>#+!|~$:&-])", r"\\\1", unlinked).replace("\n", " ")


def code(text: object) -> str:
    """Text from outside as Markdown's code, whose fence is longer than any within."""
    said = str(text).replace("\n", " ")
    fence = "`" * (1 + max(map(len, re.findall("`+", said)), default=0))
    return f"{fence} {said} {fence}" if "`" in said else f"{fence}{said}{fence}"


def capital(name: str) -> str:
    """A name of the marts as a heading: `service_without_owner` is `Service without owner`."""
    return name.replace("_", " ").capitalize()


def sentence(heading: str) -> str:
    """A heading within a sentence: `Change lead time` is `change lead time`, `CI duration` stays."""
    return heading if heading[1:2].isupper() else heading[:1].lower() + heading[1:]
