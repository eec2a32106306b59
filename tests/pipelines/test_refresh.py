"""A refresh ends where a rebuild does, whatever changed; and leaves alone what it may."""

from __future__ import annotations

import math
import os
import random
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connectors.connector import Batch
from connectors.records import (
    KEYS,
    STREAMS,
    Commit,
    Deployment,
    Incident,
    PipelineRun,
    PullRequest,
    Record,
    Repository,
)
from pipelines import deltas, refresh, row_refresh
from tests.pipelines import modelled
from tests.pipelines.organisation import utc
from tests.pipelines.random_organisation import Maker
from tests.pipelines.reference.given import Given, Source

EXAMPLES = int(os.environ.get("CAIRN_EXAMPLES", "2"))
STAGES = 2
SEEDS = st.integers(0, 2**32)
_STREAM = {record: stream for stream, record in STREAMS.items()}


def seeded(seed: int) -> Given:
    return Maker(random.Random(seed).randrange, most=6).organisation()


def stages(organisation: Given, rng: random.Random) -> Iterator[Given]:
    """The organisation as it becomes known: late, in any order, not ended yet, with what turns out to be
    otherwise or is gone again."""
    said: list[Record | None] = [None] * len(organisation.records)
    for stage in range(STAGES):
        for place, (_, _, record) in enumerate(organisation.records):
            if isinstance(record, Repository):
                said[place] = record
            elif not stage or rng.random() < 0.3:
                said[place] = rng.choice(
                    [record, record, unended(record), None, otherwise(record, organisation, rng)]
                )
        yield replace(
            organisation,
            records=[
                (source, scope, record)
                for (source, scope, _), record in zip(organisation.records, said, strict=True)
                if record
            ],
            covered={
                scope: until - timedelta(days=20) * (STAGES - 1 - stage)
                for scope, until in organisation.covered.items()
            },
        )


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


def otherwise(record: Record, organisation: Given, rng: random.Random) -> Record:
    """The record with something of another: a commit with other parents, a run of another commit."""
    other = rng.choice([each for _, _, each in organisation.records if type(each) is type(record)])
    names = [name for name in record._fields if name not in (*KEYS[_STREAM[type(record)]], "kind")]
    name = rng.choice(names)
    changed = record._replace(**{name: getattr(other, name)})
    if isinstance(changed, Commit) and (len(changed.parents) > 1) != (changed.kind == "merge"):
        return changed._replace(kind="merge" if len(changed.parents) > 1 else "change")
    return changed


def wholly(
    known: Sequence[tuple[str, str, Record]], places: Collection[tuple[str, str, str]]
) -> list[tuple[str, Batch]]:
    """All that is known in these (source, scope, stream): what is not among it, is gone."""
    found: dict[tuple[str, str, str], list[Record]] = {place: [] for place in places}
    for source, scope, record in known:
        found[source, scope, _STREAM[type(record)]].append(record)
    return [
        (source, Batch(stream, scope, records, is_whole=True))
        for (source, scope, stream), records in found.items()
    ]


def refreshed(connection: duckdb.DuckDBPyConnection, organisation: Given, *, is_full: bool = False) -> None:
    modelled.load(connection, organisation)
    rebuilt(connection, organisation, is_full=is_full)


def rebuilt(connection: duckdb.DuckDBPyConnection, organisation: Given, *, is_full: bool = False) -> None:
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
@given(SEEDS.map(seeded), SEEDS)
def test_a_refresh_ends_where_a_rebuild_does(
    monkeypatch: pytest.MonkeyPatch, organisation: Given, seed: int
) -> None:
    # In so little, any change is of more than that share.
    monkeypatch.setattr(row_refresh, "MOST", math.inf)
    monkeypatch.setattr(deltas, "KEPT", random.Random(seed).choice([0, math.inf]))
    places = {(source, scope, _STREAM[type(record)]) for source, scope, record in organisation.records}
    connection = modelled.connect()
    for stage in stages(organisation, random.Random(seed)):
        modelled.load(connection, replace(stage, records=[]), wholly(stage.records, places))
        rebuilt(connection, stage)
    found = contents(connection)
    rebuilt(connection, stage, is_full=True)
    for name, rows in contents(connection).items():
        assert found[name] == rows, name
    connection.close()


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def built_once(shop: Given, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("built") / "warehouse.duckdb"
    with modelled.connect(path) as connection:
        refreshed(connection, shop)
    return path


@pytest.fixture
def connection(built_once: Path, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """`shop`, built."""
    with modelled.connect(shutil.copy(built_once, tmp_path)) as connection:
        yield connection


def deployment(number: int, moment: datetime) -> Deployment:
    finished = moment + timedelta(hours=1)
    return Deployment(
        f"d{number}", "1", None, None, "production", None, f"c{number}", None, "success", moment, moment,
        finished, None,
    )  # fmt: skip


MARK = 4242.0
"""A figure that nothing yields: where it stays, nothing was made anew."""


def mark(connection: duckdb.DuckDBPyConnection, metric: str = "deployments") -> None:
    connection.execute(f"update figures.{metric} set value = {MARK}")


def marked(connection: duckdb.DuckDBPyConnection, metric: str = "deployments") -> set[str]:
    rows = connection.execute(
        f"select period_start::varchar from marts.{metric}"
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
    shop: Given,
    connection: duckdb.DuckDBPyConnection,
    is_known: bool,
    is_same: bool,
    kept: set[str],
) -> None:
    mark(connection)
    if not is_known:
        # The last build was cut short.
        connection.execute("truncate built.build")
    later = with_one_more(shop, utc("2026-03-28 15:00"))
    refreshed(connection, later if is_same else replace(later, failure_window=timedelta(hours=1)))
    assert marked(connection) == kept


def test_a_week_counts_in_the_month_of_its_monday(shop: Given, connection: duckdb.DuckDBPyConnection) -> None:
    mark(connection, "deployment_days")
    refreshed(connection, with_one_more(shop, utc("2026-03-01 15:00")))
    assert marked(connection, "deployment_days") == {"2026-01-01"}


def test_of_a_month_that_is_over_now_no_figure_is_made_anew(
    shop: Given, connection: duckdb.DuckDBPyConnection
) -> None:
    mark(connection)
    was_partial = (
        "select partial from marts.deployments where grain = 'month' and period_start = '2026-03-01'"
    )
    assert connection.execute(f"{was_partial} group by all").fetchall() == [(True,)]
    refreshed(connection, replace(shop, covered={("github", "shop"): utc("2026-04-02 12:00")}))
    assert connection.execute(f"{was_partial} group by all").fetchall() == [(False,)]
    assert marked(connection) == {"2026-01-01", "2026-02-01", "2026-03-01"}


def test_days_that_more_activity_adds_leave_their_month_as_it_is(
    shop: Given, connection: duckdb.DuckDBPyConnection
) -> None:
    mark(connection)
    moment = utc("2026-03-30 12:00")
    commit = Commit("1", "c12", ("c11",), "who", False, moment, moment, "change", None)
    refreshed(connection, replace(shop, records=[*shop.records, ("github", "shop", commit)]))
    days = "select count(*) from marts.deployments where grain = 'day' and period_start > '2026-03-23'"
    assert connection.execute(f"{days} and level = 'service'").fetchall() == [(7,)]
    assert marked(connection) == {"2026-01-01", "2026-02-01", "2026-03-01"}


def test_a_row_that_becomes_another_is_a_change(shop: Given, connection: duckdb.DuckDBPyConnection) -> None:
    mark(connection)
    source, scope, last = shop.records[-1]
    assert isinstance(last, Deployment)
    assert last.finished_at
    later = last._replace(finished_at=last.finished_at + timedelta(hours=1))
    refreshed(connection, replace(shop, records=[*shop.records[:-1], (source, scope, later)]))
    assert marked(connection) == {"2026-01-01", "2026-02-01"}


def test_figures_that_rest_on_what_has_no_day_are_all_made_anew(
    shop: Given, connection: duckdb.DuckDBPyConnection
) -> None:
    mark(connection)
    other = Repository("2", "till", "https://git.example.invalid/till", "main", False)
    more = [*shop.records, ("github", "till", other)]
    refreshed(
        connection,
        replace(shop, records=more, covered={**shop.covered, ("github", "till"): utc("2026-03-31 12:00")}),
    )
    assert marked(connection) == set()


MARKED = 4242


def test_rows_that_nothing_touches_stay(
    shop: Given, connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.execute(f"update core.commit set change_number = {MARKED}")
    records = [
        (source, scope, record._replace(kind="fix"))
        if isinstance(record, Commit) and record.sha == "c3"
        else (source, scope, record)
        for source, scope, record in shop.records
    ]
    monkeypatch.setattr(row_refresh, "MOST", 0.2)
    refreshed(connection, replace(shop, records=records))
    unmarked = connection.execute(
        f"select sha, kind from core.commit where change_number is distinct from {MARKED}"
    ).fetchall()
    assert unmarked == [("c3", "fix")]
    # Where many are touched, all are made anew.
    monkeypatch.setattr(row_refresh, "MOST", 0)
    refreshed(connection, shop)
    assert connection.execute(f"select sha from core.commit where change_number = {MARKED}").fetchall() == []


def test_of_a_repository_that_comes_with_a_commit_of_another_all_commits_are_known(
    shop: Given, connection: duckdb.DuckDBPyConnection
) -> None:
    def commit(repository: str, sha: str) -> Commit:
        moment = utc("2026-03-30 12:00")
        return Commit(repository, sha, (), "who", False, moment, moment, "change", None)

    covered = {scope: utc("2026-03-31 12:00") for scope in (("github", "shop"), ("github", "till"))}
    early: list[tuple[str, str, Record]] = [*shop.records, ("github", "till", commit("2", "t0"))]
    refreshed(connection, replace(shop, records=early, covered=covered))
    known = "select sha from core.commit where sha not like 'c%' or sha = 'c12' order by all"
    assert connection.execute(known).fetchall() == []
    till = Repository("2", "till", "https://git.example.invalid/till", "main", False)
    later: list[tuple[str, str, Record]] = [
        *early, ("github", "till", till), ("github", "shop", commit("1", "c12")),
    ]  # fmt: skip
    refreshed(connection, replace(shop, records=later, covered=covered))
    assert connection.execute(known).fetchall() == [("c12",), ("t0",)]


def test_a_version_whose_commit_is_gone_is_no_rollback_any_more(
    shop: Given, connection: duckdb.DuckDBPyConnection
) -> None:
    back = ("github", "shop", deployment(11, utc("2026-03-28 15:00"))._replace(id="back", sha="c3"))
    refreshed(connection, replace(shop, records=[*shop.records, back]))
    rollbacks = "select deployment_id from core.rollout where is_rollback"
    assert connection.execute(rollbacks).fetchall() == [("github:back",)]
    commits = [record for record in shop.records if isinstance(record[2], Commit) and record[2].sha != "c3"]
    modelled.load(connection, replace(shop, records=[]), wholly(commits, [("github", "shop", "commit")]))
    rebuilt(connection, shop)
    assert connection.execute(rollbacks).fetchall() == []


def test_folders_that_are_not_known_any_more_are_not_taken_for_none(
    shop: Given, connection: duckdb.DuckDBPyConnection
) -> None:
    def told(folders: tuple[str, ...] | None) -> Given:
        return replace(
            shop,
            records=[
                (source, scope, record._replace(folders=folders))
                if isinstance(record, Commit) and record.sha == "c3"
                else (source, scope, record)
                for source, scope, record in shop.records
            ],
        )

    folders = "select folders from core.commit where sha = 'c3'"
    refreshed(connection, told(()))
    assert connection.execute(folders).fetchall() == [([],)]
    refreshed(connection, told(None))
    assert connection.execute(folders).fetchall() == [(None,)]


def test_what_is_as_it_was_is_left_alone(shop: Given, connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("update core.commit set kind = 'fix'; update marts.change set kind = 'fix'")
    refreshed(connection, replace(shop, covered={("github", "shop"): utc("2026-04-01 12:00")}))
    kinds = "select distinct kind from core.commit union select distinct kind from marts.change"
    assert connection.execute(kinds).fetchall() == [("fix",)]


def test_rows_that_were_there_twice_are_made_anew(shop: Given, connection: duckdb.DuckDBPyConnection) -> None:
    rows = connection.execute("from core.line order by all").fetchall()
    connection.execute("insert into core.line from core.line; insert into built.broken values ('core.line')")
    refreshed(connection, shop)
    assert connection.execute("from core.line order by all").fetchall() == rows
    assert connection.execute("from built.broken").fetchall() == []


def test_a_load_that_noted_nothing_makes_the_next_build_a_whole_one(
    shop: Given, connection: duckdb.DuckDBPyConnection
) -> None:
    connection.execute(f"update core.commit set change_number = {MARKED}")
    connection.execute("update raw.version set version = version + 1")
    refreshed(connection, shop)
    assert connection.execute(f"select sha from core.commit where change_number = {MARKED}").fetchall() == []


def test_a_version_that_was_elsewhere_before_is_of_that_rollout(
    shop: Given, connection: duckdb.DuckDBPyConnection
) -> None:
    def rollouts() -> list[str]:
        return [
            told
            for (told,) in connection.execute(
                "select deployment_id from core.deployment_event"
                " where event_id in ('github:d3', 'github:early')"
            ).fetchall()
        ]

    assert rollouts() == ["github:d3"]
    moment = utc("2026-01-26 11:00")
    early = deployment(3, moment)._replace(id="early", environment="production-eu")
    refreshed(connection, replace(shop, records=[*shop.records, ("github", "shop", early)]))
    assert rollouts() == ["github:early", "github:early"]


def test_a_rollout_finds_what_was_live_when_it_began_among_those_of_before(
    shop: Given, connection: duckdb.DuckDBPyConnection
) -> None:
    slow = deployment(3, utc("2026-03-20 12:00"))._replace(id="slow", finished_at=utc("2026-03-28 12:00"))
    refreshed(connection, replace(shop, records=[*shop.records, ("github", "shop", slow)]))
    last = connection.execute(
        "select sequence, deployment_id, live_sequence from core.environment_rollout"
        " order by all desc limit 2"
    ).fetchall()
    assert last == [(13, "github:slow", 11), (12, "github:d11", 11)]


@pytest.mark.parametrize("is_full", [False, True])
def test_a_refresh_takes_little_memory(
    shop: Given, connection: duckdb.DuckDBPyConnection, is_full: bool
) -> None:
    def limit() -> str:
        return str(connection.execute("select current_setting('memory_limit')").fetchall()[0][0])

    connection.execute("set memory_limit = '3 GiB'")
    modelled.load(connection, with_one_more(shop, utc("2026-03-28 15:00")))
    limits = {limit() for _ in refresh.build(connection, modelled.workspace(shop), is_full=is_full)}
    assert limits == {"3.0 GiB" if is_full else "1.0 GiB"}


def test_a_build_cut_short_is_no_build(shop: Given, connection: duckdb.DuckDBPyConnection) -> None:
    assert refresh.built_fingerprint(connection) is not None
    next(iter(refresh.build(connection, modelled.workspace(shop))))
    assert refresh.built_fingerprint(connection) is None
    assert connection.execute("from built.build").fetchall() == []
