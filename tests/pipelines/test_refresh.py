"""A refresh ends where a rebuild does, whatever changed; and leaves alone what it may."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connectors.records import Commit, Deployment, Incident, PipelineRun, PullRequest, Record, Repository
from pipelines import refresh
from tests.pipelines import modelled
from tests.pipelines.organisation import utc
from tests.pipelines.random_organisation import Maker
from tests.pipelines.reference.given import Given, Source

EXAMPLES = int(os.environ.get("CAIRN_EXAMPLES", "3"))
STAGES = 2


@st.composite
def organisations(draw: st.DrawFn) -> Given:
    return Maker(lambda n: draw(st.integers(0, n - 1)), most=3).organisation()


def stages(organisation: Given, seed: int) -> list[Given]:
    """The organisation as it becomes known: in any order, and some records as they were before they ended."""
    rng = random.Random(seed)
    arrivals = [(record, rng.randrange(STAGES), rng.randrange(STAGES)) for record in organisation.records]
    return [
        replace(
            organisation,
            records=[
                (source, scope, record if stage >= complete else unended(record))
                for (source, scope, record), known, complete in arrivals
                if stage >= known or isinstance(record, Repository)
            ],
            covered={
                scope: until - timedelta(days=20) * (STAGES - 1 - stage)
                for scope, until in organisation.covered.items()
            },
        )
        for stage in range(STAGES)
    ]


def unended(record: Record) -> Record:
    match record:
        case PullRequest():
            return record._replace(merged_at=None, merge_sha=None, closed_at=None, commit_shas=())
        case Incident():
            return record._replace(status="open", resolved_at=None)
        case Deployment():
            return record._replace(status="running", finished_at=None)
        case PipelineRun():
            return record._replace(result="running", finished_at=None)
    return record


def refreshed(connection: duckdb.DuckDBPyConnection, organisation: Given, *, is_full: bool = False) -> None:
    modelled.load(connection, organisation)
    for built in refresh.build(connection, modelled.workspace(organisation), is_full=is_full):
        assert built.broken == {}, built.model.name


def contents(connection: duckdb.DuckDBPyConnection) -> Mapping[str, list[tuple[object, ...]]]:
    """Rows of every table, but when it was made."""
    tables = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " where schema_name in ('core', 'figures', 'marts', 'calendar') and table_name <> 'workspace'"
    ).fetchall()
    return {name: sorted(connection.execute(f"from {name}").fetchall(), key=repr) for (name,) in tables}


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="CAIRN_EXAMPLES" not in os.environ,
    database=None,
    # To shrink takes minutes: CAIRN_EXAMPLES does.
    phases=tuple(Phase) if "CAIRN_EXAMPLES" in os.environ else (Phase.generate,),
    suppress_health_check=[*HealthCheck],
)
@given(organisations(), st.integers(0, 2**32))
def test_a_refresh_ends_where_a_rebuild_does(organisation: Given, seed: int) -> None:
    connection = modelled.connect()
    for stage in stages(organisation, seed):
        refreshed(connection, stage)
    found = contents(connection)
    refreshed(connection, stage, is_full=True)
    for name, rows in contents(connection).items():
        assert found[name] == rows, name
    connection.close()


@pytest.fixture
def shop() -> Given:
    """One repository, deployed every week from January to March."""
    start = utc("2026-01-05 12:00")
    moments = [start + timedelta(weeks=week) for week in range(12)]
    records: list[Record] = [Repository("1", "shop", "https://git.example.invalid/shop", "main", False)]
    for number, moment in enumerate(moments):
        parents = (f"c{number - 1}",) if number else ()
        records += [
            Commit("1", f"c{number}", parents, "who", False, moment, moment, "change", None),
            deployment(number, moment),
        ]
    return Given(
        records=[("github", "shop", record) for record in records],
        covered={("github", "shop"): utc("2026-03-31 12:00")},
        sources=(Source("github", "github"),),
    )


def deployment(number: int, moment: datetime) -> Deployment:
    finished = moment + timedelta(hours=1)
    return Deployment(
        f"d{number}", "1", None, None, "production", None, f"c{number}", None, "success", moment, moment,
        finished, None,
    )  # fmt: skip


MARK = 4242.0
"""A figure that nothing yields: where it stays, nothing was made anew."""


def marked(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        "select period_start::varchar from figures.deployments"
        f" where level = 'service' and grain = 'month' and value = {MARK}"
    ).fetchall()
    return {day for (day,) in rows}


def with_one_more(organisation: Given, moment: datetime) -> Given:
    records = [
        *organisation.records,
        ("github", "shop", deployment(11, moment)._replace(id="late", sha="c3")),
    ]
    return replace(organisation, records=records)


@pytest.mark.parametrize(
    ("is_known", "is_same", "kept"),
    [(True, True, {"2026-01-01", "2026-02-01"}), (True, False, set()), (False, True, set())],
)
def test_only_periods_in_which_something_changed_are_made_anew(
    shop: Given, is_known: bool, is_same: bool, kept: set[str]
) -> None:
    connection = modelled.connect()
    refreshed(connection, shop)
    connection.execute(f"update figures.deployments set value = {MARK}")
    if not is_known:
        # The last build was cut short.
        connection.execute("truncate built.state")
    later = with_one_more(shop, utc("2026-03-28 15:00"))
    refreshed(connection, later if is_same else replace(later, failure_window=timedelta(hours=1)))
    assert marked(connection) == kept


def test_a_row_that_becomes_another_is_a_change(shop: Given) -> None:
    connection = modelled.connect()
    refreshed(connection, shop)
    connection.execute(f"update figures.deployments set value = {MARK}")
    source, scope, last = shop.records[-1]
    assert isinstance(last, Deployment)
    assert last.finished_at
    later = last._replace(finished_at=last.finished_at + timedelta(hours=1))
    refreshed(connection, replace(shop, records=[*shop.records[:-1], (source, scope, later)]))
    assert marked(connection) == {"2026-01-01", "2026-02-01"}


def test_figures_that_rest_on_what_has_no_day_are_all_made_anew(shop: Given) -> None:
    connection = modelled.connect()
    refreshed(connection, shop)
    connection.execute(f"update figures.deployments set value = {MARK}")
    other = Repository("2", "till", "https://git.example.invalid/till", "main", False)
    more = [*shop.records, ("github", "till", other)]
    refreshed(
        connection,
        replace(shop, records=more, covered={**shop.covered, ("github", "till"): utc("2026-03-31 12:00")}),
    )
    assert marked(connection) == set()


def test_a_build_cut_short_is_no_build(shop: Given) -> None:
    connection = modelled.connect()
    refreshed(connection, shop)
    assert refresh.built_fingerprint(connection) is not None
    next(iter(refresh.build(connection, modelled.workspace(shop))))
    assert refresh.built_fingerprint(connection) is None
    assert connection.execute("from built.state").fetchall() == []
