"""What a report says: one content, of which the page, HTML, PDF and Markdown are renderings.

Every sentence is plain text with its figure, interval and n; renderings only place and escape them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import pandas as pd

from dashboards import queries, words
from dashboards.comparing import FIVE
from dashboards.queries import Frames, Scope
from dashboards.report import findings
from dashboards.report.comparison import Compared, compare
from dashboards.report.findings import Finding
from dashboards.report.period import Period
from pipelines.annotating import Annotation
from pipelines.status import STALE_AFTER

MOST_FINDINGS = 3
_MOST_NOTED = 12
"""Named below the charts: more would leave little of the page."""

RULE = (
    "What chance would hardly bring about, and changed by a tenth or more. Delivery: the five figures against"
    " the period before, and levels of weekly figures; adoption: services that took a capability up against"
    " services that left it; surveys: answers against the wave before. At most three are told: those that"
    " changed most, relative to what was before."
)
LEGEND = (
    "Line: the figure by {grain}, hollow where too little happened or the period is not over; band: its 90 %"
    " interval; dashed: a new level of the weekly figures{noted}."
)
ACROSS = (
    "A figure of the organisation is the median over its services, each with equal weight; n is the number of"
    " services."
)
READING = (
    "A 90 % interval holds the true value in nine of ten such cases. Detectable: found at 10 % over all that"
    " is compared together (Holm), at 2 % for a level. A change that is not detectable is no proof that"
    " nothing changed. A difference in time tells of no cause."
)


@dataclass(frozen=True)
class Figure:
    """One of the five figures, in words."""

    metric: str
    title: str
    value: str
    interval: str
    """`90 % interval 40 h – 45 h`; empty where there is none."""
    basis: str
    """`n = 146 services`."""
    change: str
    """Against the period before."""
    verdict: Literal["better", "worse", ""]
    """Empty where no change is detectable."""
    notes: tuple[str, ...]
    industry: str
    """DORA's published answer, with source, year and licence; empty where there is none."""
    definition: str
    trend: pd.DataFrame = field(repr=False, compare=False)
    """As `queries.trend`, up to and with the report's period."""
    changes: pd.DataFrame = field(repr=False, compare=False)
    """As `queries.change_points`, of the same time."""
    noted: pd.DataFrame = field(repr=False, compare=False)
    """As `queries.notes`, of the same time."""


@dataclass(frozen=True)
class Report:
    """A period of the organisation."""

    organisation: str
    about: str
    """`All services`, or the only one there is."""
    period: Period
    read_until: str
    made_at: datetime
    """UTC."""
    is_demo: bool
    warnings: tuple[str, ...]
    """Why to be careful with all of it: a period not over, old data."""
    summary: str
    happened: tuple[str, ...]
    """Annotations of the organisation in the period: `12 Oct 2026: change freeze`."""
    findings: tuple[Finding, ...]
    """What changed detectably, the largest first; at most three."""
    further: tuple[str, ...]
    """What else did, in few words."""
    figures: tuple[Figure, ...]
    caveats: tuple[str, ...]

    @property
    def title(self) -> str:
        """`Software delivery, Oct 2026`."""
        return f"Software delivery, {self.period.label}"

    @property
    def legend(self) -> str:
        """How to read the charts, and what is noted on all of them."""
        noted = words.noted(self.figures[0].noted)
        if (earlier := len(noted) - _MOST_NOTED) > 0:
            noted[:earlier] = [f"{earlier:,} earlier"]
        return LEGEND.format(grain=self.period.grain, noted=f"; star: {'; '.join(noted)}" if noted else "")

    @property
    def is_complete(self) -> bool:
        """All that feeds the figures was read to the period's end and as far as they need beyond it."""
        return not any(figure.trend["partial"].iloc[-1] for figure in self.figures)


def build(
    source: Frames, period: Period, read_until: datetime, now: datetime, known: Sequence[Annotation] = ()
) -> Report:
    """The report of a period, from a snapshot that was read until then and the annotations known."""
    workspace = queries.workspace(source)
    zone = ZoneInfo(str(workspace["timezone"]))
    scope = queries.scopes(source)[0]
    compared = compare(source, scope, period)
    told = findings.find(source, scope, period, compared)
    shown_from = compared[0].trend["period_start"].iloc[0].date()
    noted = queries.notes(source, known, scope, shown_from, period.until)
    local = read_until.astimezone(zone)
    return Report(
        organisation=str(workspace["organisation"]),
        about=scope.label,
        period=period,
        read_until=f"{words.day(local)}, {local:%H:%M} ({zone})",
        made_at=now.astimezone(UTC),
        is_demo=bool(workspace["is_demo"]),
        warnings=tuple(_warnings(period, compared, now - read_until)),
        summary=_summary(source, scope, period, told),
        happened=tuple(words.noted(noted[noted["date"] >= pd.Timestamp(period.since)])),
        findings=tuple(told[:MOST_FINDINGS]),
        further=tuple(finding.headline for finding in told[MOST_FINDINGS:]),
        figures=tuple(_figure(source, scope, period, noted, each) for each in compared),
        caveats=tuple(_caveats(source, scope, period)),
    )


def _warnings(period: Period, compared: Sequence[Compared], age: timedelta) -> list[str]:
    said = []
    late = [each.title for each in compared if each.now["partial"]]
    if late:
        which = "" if len(late) == len(FIVE) else f" for {', '.join(late)}"
        said.append(f"{period.label} is not covered to its end{which}: so far, and compared with nothing.")
    if age > STALE_AFTER:
        said.append(
            f"The data is {words.duration(age.total_seconds())} old: what happened since is not in here."
        )
    return said


def _summary(source: Frames, scope: Scope, period: Period, told: Sequence[Finding]) -> str:
    shipped = queries.counts(source, scope, period.since, period.until)
    services = words.count(queries.services(source, scope), "service")
    happened = (
        f"{words.count(int(shipped['deployments']), 'deployment')} of {services} brought"
        f" {words.count(int(shipped['changes']), 'change')} to production in {period.label};"
        f" {words.count(int(shipped['faults']), 'fault')} came of them."
    )
    if not told:
        return f"{happened} Nothing changed detectably, in delivery, adoption or surveys."
    number = {1: "One thing", 2: "Two things", 3: "Three things"}.get(len(told), f"{len(told)} things")
    return f"{happened} {number} changed detectably."


def _figure(source: Frames, scope: Scope, period: Period, noted: pd.DataFrame, compared: Compared) -> Figure:
    row = compared.now
    unit = str(row["unit"])
    noun = "service" if scope.level != "service" else compared.noun
    value, interval = words.figure(row["value"], unit), ""
    if pd.isna(row["value"]):
        value = {"no_data": "No data", "suppressed": "Withheld"}.get(row["status"], "Not reached")
    elif pd.notna(row["low"]) and pd.notna(row["high"]):
        interval = f"90 % interval {words.between(row['low'], row['high'], unit)}"
    asked = queries.industry(source, compared.metric).to_dict("records")[:1]
    first = compared.trend["period_start"].iloc[0].date()
    return Figure(
        metric=compared.metric,
        title=compared.title,
        value=value,
        interval=interval,
        basis=f"n = {words.count(int(row['n']), noun)}",
        change=compared.says,
        verdict=compared.verdict,
        notes=tuple(_notes(row, scope)),
        industry="".join(
            f"Industry: {words.industry(one['mean'], one['standard_deviation'], one['unit'])}"
            f" ({one['source'].partition(',')[0]} {one['year']}, {one['licence']})"
            for one in asked
        ),
        definition=str(queries.definition(source, compared.metric)["definition"]),
        trend=compared.trend,
        changes=queries.change_points(source, compared.metric, scope, first, period.until),
        noted=noted,
    )


def _notes(row: pd.Series, scope: Scope) -> list[str]:
    said = []
    if row["status"] == "too_few":
        said.append("Too few to compare.")
    if row["unit"] == "ratio" and row["value"] == 0 and row["n"] and scope.level != "service":
        said.append("At least half of the services had none.")
    if excluded := json.loads(row["excluded"]):
        said.append(f"Left out: {words.left_out(excluded)}.")
    return said


def _caveats(source: Frames, scope: Scope, period: Period) -> list[str]:
    found = queries.counts(source, scope, period.since, period.until)
    said = [READING if scope.level == "service" else f"{ACROSS} {READING}", words.INDUSTRY_CAVEAT]
    if found["unattributed"]:
        said.append(
            f"{words.count(int(found['unattributed']), 'incident')} of {found['incidents']:,} came of no"
            " known deployment and count in no failure rate."
        )
    if found["open_faults"]:
        said.append(
            f"{found['open_faults']:,} of {words.count(int(found['faults']), 'fault')} are not mended yet;"
            " recovery counts them as lasting at least until now."
        )
    return said
