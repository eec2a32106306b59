"""The verdict on the data, and what it rests on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from dashboards import health
from pipelines.status import SourceProblem, SourceStatus, Status, SyncRun

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
WORKSPACE = pd.Series({"published_at": pd.Timestamp(2026, 3, 1)})
REFUSED = SourceProblem(scope="shop", message="*refused*", mend="ask")


def source(hours: float | None = 1, **more: object) -> SourceStatus:
    """Read completely so many hours ago."""
    read_at = None if hours is None else NOW - timedelta(hours=hours)
    return SourceStatus.model_validate({"kind": "git", "attempted_at": NOW, "succeeded_at": read_at, **more})


def quality(share: float | None = 0.01, kind: str = "repository_without_service") -> pd.DataFrame:
    return pd.DataFrame({"kind": [kind], "affects": ["deployments"], "share": [share]})


def streams(quarantined: int = 0) -> pd.DataFrame:
    rows = [("git", "git", "commit", 1_000, quarantined), ("git", "git", "ref", 20, 0)]
    return pd.DataFrame(rows, columns=["source", "kind", "stream", "records", "quarantined"])


def run(result: str, said: str = "", seconds: float | None = 75) -> SyncRun:
    ended_at = None if seconds is None else NOW + timedelta(seconds=seconds)
    return SyncRun.model_validate(
        {"run_id": "run", "began_at": NOW, "ended_at": ended_at, "result": result, "said": said}
    )


def trust(status: Status, rows: pd.DataFrame | None = None, quarantined: int = 0) -> health.Trust:
    found = quality() if rows is None else rows
    return health.trust(status, found, streams(quarantined), WORKSPACE, NOW)


@pytest.mark.parametrize("runs", [(), (run("ok"), run("failed"))])
def test_all_read_today_can_be_trusted(runs: tuple[SyncRun, ...]) -> None:
    found = trust(Status(sources={"git": source(), "ci": source(35)}, runs=runs))
    assert (found.level, found.reasons) == ("yes", [])


@pytest.mark.parametrize(
    ("hours", "reason"),
    [(37, "git was last read completely 37 h ago."), (None, "git was never read completely.")],
)
def test_what_is_old_cannot(hours: float | None, reason: str) -> None:
    found = trust(Status(sources={"git": source(hours), "ci": source()}))
    assert (found.level, found.reasons) == ("no", [reason])


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (Status(), "When the sources were last read is not known."),
        (
            Status(sources={"g*t": source(problems=[REFUSED])}),
            r"g\*t could not be read completely the last time: see below.",
        ),
        (
            Status(sources={"git": source()}, runs=[run("failed", "the disk is full")]),
            "The last sync failed, so that the figures are of 1 Mar 2026. the disk is full",
        ),
        (
            Status(sources={"git": source()}, runs=[run("incomplete", "marts.x: a row breaks: key")]),
            "marts.x\\: a row breaks\\: key",
        ),
    ],
)
def test_what_lacks_something_can_with_care(status: Status, reason: str) -> None:
    found = trust(status)
    assert (found.level, found.reasons) == ("with care", [reason])


def test_what_could_not_be_matched_or_understood_counts_from_a_share_on() -> None:
    well = Status(sources={"git": source()})
    assert trust(well, quality(0.06)).reasons == [
        "6 % of deployments are affected: repository without service."
    ]
    assert trust(well, quality(None)).level == "yes"
    assert trust(well, quality(0.4, "environment_not_production")).level == "yes"
    assert trust(well, quarantined=2).reasons == ["2 records could not be understood and are in no figure."]


def test_a_source_has_its_state_records_and_last_error_with_its_mend() -> None:
    known = Status(
        sources={
            "git": source(2), "old": source(50), "new": source(None, error=REFUSED),
            "half": source(2, problems=[REFUSED, REFUSED]),
        }
    )  # fmt: skip
    rows = health.sources(known, streams(3), BERLIN, NOW).to_dict("records")
    assert [(row["source"], row["state"], row["age"]) for row in rows] == [
        ("git", "Fresh", "2 h"), ("old", "Stale", "2.1 days"), ("new", "Never read completely", "–"),
        ("half", "Fresh, last read failed", "2 h"),
    ]  # fmt: skip
    assert (rows[0]["records"], rows[0]["quarantined"]) == (1_020, 3)
    assert pd.isna(rows[0]["error"])
    assert (rows[3]["error"], rows[3]["mend"]) == ("shop: *refused*; shop: *refused*", "ask")
    assert rows[0]["read_at"].hour == 8


def test_a_run_links_to_dagster_only_where_that_is() -> None:
    known = Status(runs=[run("ok"), run("interrupted", seconds=None)])
    rows = health.runs(known, BERLIN, "http://127.0.0.1:3000")
    assert rows["url"].to_list() == ["http://127.0.0.1:3000/runs/run"] * 2
    assert rows["took"].to_list() == ["1.2 min", "–"]
    assert rows["result"].to_list() == ["Complete", "Interrupted"]
    assert health.runs(known, BERLIN, None)["url"].isna().all()
