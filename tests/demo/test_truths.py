"""What was planted in the demo organisation shows in the figures made of what its tools say."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import numpy as np
import pytest

from demo.serve import start
from pipelines import refresh, warehouse
from pipelines.home import Home
from tests.demo.pulling import pull, workspace
from tests.pipelines.modelled import only

END = datetime(2026, 11, 20, 15, tzinfo=UTC)
"""One that does not move: the same organisation in every run."""
SCALE = 0.5
"""Less work than that leaves too much to chance for the tolerances."""
READ = (
    "core.repository", "core.run", "marts.adoption_change", "marts.adoption_service", "marts.change",
    "marts.ci_duration_p50", "marts.reach",
)  # fmt: skip
"""The models whose tables are looked at."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("organisation")
    (folder / "organisation.json").write_text(json.dumps({"end": END.isoformat()}))
    return folder


@pytest.fixture(scope="module")
def marts(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Modelled from GitHub, Jenkins and Backstage, without jobs and stages."""
    home = Home(tmp_path_factory.mktemp("home"))
    with start(folder, scale=SCALE) as running:
        settings = workspace(running)
        without = {"github": {"jobs": 0}, "jenkins": {"stages": 0}, "backstage": {}}
        sources = tuple(
            source.model_copy(update={"options": source.options.model_copy(update=without[source.name])})
            for source in settings.sources
            if source.name in without
        )
        settings = settings.model_copy(update={"sources": sources})
        assert all(read.is_ok for read in pull(home, settings))
    with warehouse.writing(home) as connection, only(*READ):
        assert all(built.broken == {} for built in refresh.build(connection, settings))
        yield connection


@pytest.fixture(scope="module")
def truth(marts: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "ground_truth.json").read_text())
    return found


def test_the_golden_path_shortens_lead_time(marts: duckdb.DuckDBPyConnection, truth: dict[str, Any]) -> None:
    changes: dict[str, list[tuple[date, float]]] = defaultdict(list)
    for service, begun, seconds in marts.execute(
        "select service, first_authored_at::date, lead_time_seconds from marts.change"
        " where service is not null and left_out is null"
    ).fetchall():
        changes[service].append((begun, seconds))
    adopted = {
        service: date.fromisoformat(day) if day else None
        for service, day in truth["golden_path"]["services"].items()
    }
    never = [change for service, own in changes.items() if adopted[service] is None for change in own]
    effects, weights = [], []
    for service, own in changes.items():
        if day := adopted[service]:
            ratio, weight = _after_over_before(own, day)
            if weight >= 4:  # as of eight changes before and eight after
                effects.append(math.log(ratio / _after_over_before(never, day)[0]))
                weights.append(weight)
    assert len(effects) > 30
    effect = math.exp(sum(map(math.prod, zip(effects, weights, strict=True))) / sum(weights)) - 1
    assert effect == pytest.approx(truth["golden_path"]["effect"], abs=truth["golden_path"]["tolerance"])


def _after_over_before(changes: Iterable[tuple[date, float]], day: date) -> tuple[float, float]:
    """Ratio of the medians, and what it weighs by how many changes they are of."""
    before: list[float] = []
    after: list[float] = []
    for begun, seconds in changes:
        (before if begun < day else after).append(seconds)
    if not before or not after:
        return 1, 0
    return median(after) / median(before), 1 / (1 / len(before) + 1 / len(after))


def test_ci_on_github_was_slow_for_six_weeks(marts: duckdb.DuckDBPyConnection, truth: dict[str, Any]) -> None:
    slow = truth["slow_ci"]
    assert _slowness(marts, "github", slow) == pytest.approx(slow["factor"], abs=slow["tolerance"])
    # Jenkins has machines of its own.
    assert _slowness(marts, "jenkins", slow) == pytest.approx(1, abs=slow["tolerance"])


def _slowness(marts: duckdb.DuckDBPyConnection, tool: str, slow: dict[str, str]) -> float:
    """CI duration in the slow weeks over that in as many around them: the tool's median repository."""
    first, until = date.fromisoformat(slow["first_on"]), date.fromisoformat(slow["until"])
    rows = marts.execute(
        """
        with user as (
            select distinct r.repository
            from core.run as x
            inner join core.repository as r using (source, repository_id)
            where x.recorded_by = ?
        )

        select f.key, f.period_start, f.value
        from marts.ci_duration_p50 as f
        inner join user as u on u.repository = f.key
        where f.level = 'repository' and f.grain = 'week' and f.value is not null
            and f.period_start >= ? and f.period_start < ?
        """,
        [tool, first - (until - first), until + (until - first)],
    ).fetchall()
    weeks: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for repository, week, seconds in rows:
        weeks[repository][first <= week < until].append(seconds)
    ratios = [median(slowly) / median(usually) for usually, slowly in weeks.values() if slowly and usually]
    assert len(ratios) > 30
    return median(ratios)


def test_services_take_up_the_golden_path_when_their_teams_do(
    marts: duckdb.DuckDBPyConnection, truth: dict[str, Any]
) -> None:
    planted = {service: day for service, day in truth["golden_path"]["services"].items() if day}
    found = dict(
        marts.execute(
            "select service, min(changed_on) from marts.adoption_change"
            " where capability = 'golden-path' and change = 'adopted' group by service"
        ).fetchall()
    )
    assert found.keys() <= planted.keys()
    assert len(found) > 50
    days = [(found[service] - date.fromisoformat(planted[service])).days for service in found]
    assert min(days) == 0
    # What is new shows with the next run, and some repositories rest for weeks.
    assert np.quantile(days, 0.8) <= 7
    users = marts.execute(
        "select service from marts.adoption_service where capability = 'golden-path' and state = 'using'"
    ).fetchall()
    assert {service for (service,) in users} <= planted.keys()


def test_managed_postgres_stalls(marts: duckdb.DuckDBPyConnection, truth: dict[str, Any]) -> None:
    stall = truth["stall"]
    weeks = marts.execute(
        "select period_start, value * n from marts.reach where level = 'organisation' and grain = 'week'"
        " and capability = 'managed-postgres' and period_start >= ? order by period_start",
        [stall["introduced_on"]],
    ).fetchall()
    since = date.fromisoformat(stall["stalled_on"])
    before = [services for week, services in weeks if week < since]
    after = [services for week, services in weeks if week >= since]
    assert before[-1] / len(before) == pytest.approx(stall["per_week_before"], rel=stall["tolerance"])
    gained = (after[-1] - before[-1]) / len(after)
    assert gained == pytest.approx(stall["per_week_after"], abs=stall["tolerance"])
