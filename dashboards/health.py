"""Whether the figures can be trusted today: what the last syncs came to, and what could not be matched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd

from dashboards import words
from pipelines.status import STALE_AFTER, SourceStatus, Status, SyncRun

NOTABLE = 0.05
"""Share of a sort of figure that may be affected by what could not be matched without a word of caution."""

ON_PURPOSE = "environment_not_production"
"""Kind of what is left out and lacks nothing."""

RESULTS: Mapping[str, str] = {
    "ok": "Complete", "incomplete": "Not complete", "failed": "Failed", "interrupted": "Interrupted",
}  # fmt: skip


class Trust(NamedTuple):
    """How far the figures can be trusted."""

    level: Literal["yes", "with care", "no"]
    said: str
    reasons: list[str]
    """Why not further: Markdown, the gravest first."""


def trust(
    status: Status, quality: pd.DataFrame, streams: pd.DataFrame, workspace: pd.Series, now: datetime
) -> Trust:
    """The verdict; `quality` is `queries.data_quality`, `streams` is `queries.source_streams`."""
    old = [reason for name, source in status.sources.items() for reason in _too_old(name, source, now)]
    reasons = old + [
        f"{words.plain(name)} could not be read completely the last time: see below."
        for name, source in status.sources.items()
        if source.error or source.problems
    ]
    if not status.sources:
        reasons.append("When the sources were last read is not known.")
    reasons += _last_run(status, workspace)
    if set_aside := int(streams["quarantined"].sum()):
        reasons.append(f"{words.count(set_aside, 'record')} could not be understood and are in no figure.")
    reasons += [
        f"{words.share(row['share'])} of {words.plain(row['affects'])} are affected:"
        f" {str(row['kind']).replace('_', ' ')}."
        for row in quality[quality["share"].ge(NOTABLE)].to_dict("records")
        if row["kind"] != ON_PURPOSE
    ]
    if old:
        return Trust("no", "**Not today:** these figures are older than they should be.", reasons)
    if reasons:
        return Trust("with care", "**With care:** the figures are of today, and not of everything.", reasons)
    return Trust(
        "yes",
        "**Yes, the figures can be trusted today:** every source was read completely, and nearly all could be"
        " matched.",
        [],
    )


def _too_old(name: str, source: SourceStatus, now: datetime) -> list[str]:
    if source.succeeded_at is None:
        return [f"{words.plain(name)} was never read completely."]
    age = now - source.succeeded_at
    if age <= STALE_AFTER:
        return []
    return [f"{words.plain(name)} was last read completely {words.duration(age.total_seconds())} ago."]


def _last_run(status: Status, workspace: pd.Series) -> list[str]:
    """The last sync, where the figures lack something for it."""
    last = next(iter(status.runs), None)
    if last is None or last.result == "ok":
        return []
    if last.result == "incomplete":
        # Sources are named one by one.
        return [] if last.said.startswith("Not read") and ";" not in last.said else [words.plain(last.said)]
    since = words.day(workspace["published_at"])
    return [f"The last sync {last.result}, so that the figures are of {since}. {words.plain(last.said)}"]


def sources(status: Status, streams: pd.DataFrame, zone: ZoneInfo, now: datetime) -> pd.DataFrame:
    """A row for each source: `source, kind, state, read_at, age, records, quarantined, error, mend`."""
    numbers = streams.groupby("source")[["records", "quarantined"]].sum()
    rows = []
    for name, source in status.sources.items():
        told = [*([source.error] if source.error else []), *source.problems]
        read_at = source.succeeded_at
        age = (now - read_at).total_seconds() if read_at else None
        rows.append(
            {
                "source": name,
                "kind": source.kind,
                "state": _state(source, now),
                "read_at": read_at.astimezone(zone) if read_at else None,
                "age": words.duration(age),
                "records": numbers["records"].get(name, 0),
                "quarantined": numbers["quarantined"].get(name, 0),
                "error": "; ".join(f"{each.scope}: {each.message}" for each in told) or None,
                "mend": told[0].mend if told else None,
            }
        )
    return pd.DataFrame(rows)


def _state(source: SourceStatus, now: datetime) -> str:
    if source.succeeded_at is None:
        return "Never read completely"
    if now - source.succeeded_at > STALE_AFTER:
        return "Stale"
    return "Fresh, last read failed" if source.error or source.problems else "Fresh"


def runs(status: Status, zone: ZoneInfo, dagster: str | None) -> pd.DataFrame:
    """A row for each of the last syncs: `began_at, result, took, new, changed, said, url`."""
    return pd.DataFrame([_run(run, zone, dagster) for run in status.runs])


def _run(run: SyncRun, zone: ZoneInfo, dagster: str | None) -> dict[str, object]:
    took = (run.ended_at - run.began_at).total_seconds() if run.ended_at else None
    return {
        "began_at": run.began_at.astimezone(zone),
        "result": RESULTS[run.result],
        "took": words.duration(took),
        "new": run.new,
        "changed": run.changed,
        "said": run.said or None,
        "url": f"{dagster}/runs/{run.run_id}" if dagster and run.run_id else None,
    }
