"""`/metrics`: what Prometheus reads of Cairn itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from pipelines import status
from pipelines.home import Home
from pipelines.status import SourceProblem, SourceStatus, Status
from tests.dashboards import reading_api
from tests.dashboards.reading_api import PLAN, Reader, reading

home, reader = reading_api.home, reading_api.reader


def samples(reader: Reader) -> dict[tuple[str, ...], float]:
    """Name and labels' values, by the labels' names → value."""
    answer = reader.get("/metrics")
    assert answer.status == 200
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for each in families
        for sample in each.samples
    }


def test_it_tells_of_the_snapshot_and_of_the_process(reader: Reader) -> None:
    told = samples(reader)
    assert told["cairn_snapshot_readable",] == 1
    assert told["cairn_snapshot_info", "first"] == 1
    covered = PLAN.covered_until.timestamp()
    assert told["cairn_snapshot_covered_timestamp_seconds",] == covered
    assert told["cairn_sync_running",] == 0
    assert any(name[0] == "python_info" for name in told)


def test_without_a_snapshot_it_answers_and_says_so(tmp_path: Path) -> None:
    with reading(Home(tmp_path)) as reader:
        told = samples(reader)
    assert told["cairn_snapshot_readable",] == 0
    assert not [name for name in told if name[0].startswith("cairn_snapshot_") and "readable" not in name[0]]


def test_it_tells_how_fresh_each_source_is(home: Home, reader: Reader) -> None:
    noon, problem = datetime(2026, 3, 1, 12, tzinfo=UTC), SourceProblem(scope="", message="x", mend="y")
    status.write(
        home,
        Status(
            sources={
                "git": SourceStatus(kind="git", attempted_at=noon, succeeded_at=noon),
                'a "b"\n': SourceStatus(kind="github", attempted_at=noon, error=problem, problems=[problem]),
            }
        ),
    )
    told = samples(reader)
    assert told["cairn_source_read_timestamp_seconds", "git", "git"] == noon.timestamp()
    assert told["cairn_source_problems", "git", "git"] == 0
    assert told["cairn_source_problems", "github", 'a "b"\n'] == 2
    assert told["cairn_source_attempt_timestamp_seconds", "github", 'a "b"\n'] == noon.timestamp()
    assert ("cairn_source_read_timestamp_seconds", "github", 'a "b"\n') not in told


def test_requests_are_counted_by_what_they_ask_for(reader: Reader) -> None:
    def count(method: str, path: str, code: int) -> float:
        return samples(reader).get(("cairn_http_requests_total", method, path, str(code)), 0)

    asked = [("GET", "/api/v1/metrics", 200), ("GET", "/api/v1/metrics", 422), ("GET", "other", 404)]
    before = [count(*each) for each in asked]
    reader.get("metrics", "limit=1")
    reader.get("metrics", "limit=0")
    reader.get("somebody@acme.example")
    assert [count(*each) - was for each, was in zip(asked, before, strict=True)] == [1, 1, 1]
    assert "somebody" not in reader.get("/metrics").text


def test_openmetrics_where_it_is_asked_for(reader: Reader) -> None:
    answer = reader.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
