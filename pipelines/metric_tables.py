"""Tables of a metric's figures: all of them, or those of periods in which something changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from pipelines.deltas import Deltas
from pipelines.model import FIGURES, FRESH, QUANTILES, Model, metric_queries

# What is read instead where only stale periods are made anew, by observations and by figures.
_STALE_OBSERVED = {
    "core.period": "from core.period semi join stale_period using (period_id)",
    "core.work_in_progress": "from core.work_in_progress semi join stale_period using (grain, period_start)",
}
_STALE_FIGURED = {
    "core.subject_period": (
        "select subject_id, period_id from core.subject_period semi join stale_period using (period_id)"
    ),
    "marts.period": (
        "select subject_key, period_id, services, deployed_services"
        " from marts.period semi join stale_period using (period_id)"
    ),
}
_STALE_PERIODS = """
    create or replace temp table stale_period as
    with changed as (
        select unnest($1::varchar[]) as grain, date '1970-01-01' + unnest($2::integer[]) as day
    ),

    stale as (
        select grain, unnest(if($3, [day, date_trunc('week', day)::date], [day])) as day from changed
    )

    select distinct
        grain, period_start(grain, day) as period_start,
        period_id(grain, period_start(grain, day)) as period_id
    from (select day, unnest(if(grain is null or $3, grains(), [grain])) as grain from stale)
"""


_Day = tuple[str | None, int]
"""When something counts: a grain and the first day of its period, or None and a day, in days since 1970."""


class MetricTables:
    """Makes the figures of one metric after the other."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        changes: Deltas,
        known: Mapping[str, Model],
        folder: Path,
    ) -> None:
        self._connection = connection
        self._changes = changes
        self._known = known
        self._folder = folder
        self._days: dict[str, frozenset[_Day]] = {}
        """When changed rows count, by the query for these."""
        self._stale: tuple[frozenset[_Day], bool] | None = None
        """What `stale_period` was made of: metrics with the same days share it."""
        self._narrowed: set[str] = set()
        """Tables of which the temporary table with what is of these periods is made."""
        self._ordered = ""
        """What `ordered`, a temporary table, has the values of: two quantiles of the same, one after the
        other, sort them once."""

    def build(self, model: Model) -> bool:
        """Make a metric's figures. Returns whether only those in the temporary table `FRESH` are new."""
        connection = self._connection
        assert model.header.metric
        figures, rows = metric_queries(model.table, model.header, self._folder)
        observation, table = model.sql, f"{FIGURES}.{model.table}"
        is_partial = self._find_stale(model)
        if is_partial:
            for whole in _STALE_OBSERVED:
                observation = observation.replace(whole, _part(whole))
            for whole in _STALE_FIGURED:
                figures = figures.replace(whole, _part(whole))
            observation = f"from ({observation}) semi join stale_period using (period_id)"
        connection.execute(f"create or replace temp view observation as\n{observation}")
        is_quantile = model.header.metric.estimate in QUANTILES
        if is_quantile and observation != self._ordered:
            values = (self._folder / "ordered.sql").read_text()
            connection.execute(f"create or replace temp table ordered as\n{values}")
        self._ordered = observation if is_quantile else ""
        if is_partial:
            connection.execute(f"create or replace temp table {FRESH} as\n{figures}")
            connection.execute("begin")
            connection.execute(f"delete from {table} where period_id in (select period_id from stale_period)")
            connection.execute(f"insert into {table} from {FRESH}")
            connection.execute("commit")
        else:
            connection.execute(f"create or replace table {table} as\n{figures}")
            connection.execute(f"create or replace view {model.name} as\n{rows}")
        connection.execute("drop view observation")
        self._changes.unknown(model.name)
        return is_partial

    def _find_stale(self, model: Model) -> bool:
        """Fill the temporary table `stale_period` with the periods in which rows count that have changed;
        False where figures of all periods may be others."""
        if model.name in self._changes.was_broken:
            return False
        days: frozenset[_Day] = frozenset()
        for read in self._changes.of(model.reads, model.words_of):
            header = self._known[read].header if read in self._known else None
            if header is None or header.day is None:
                return False
            counts = [*(["grain"] if "grain" in header.key else []), header.day]
            words = None if read in model.starred else model.figure_words.union(counts)
            changed = self._changes.rows(read, words)
            if changed is None:
                return False
            days |= self._days_of(counts, changed)
        assert model.header.metric
        stale = days, model.header.metric.by_week
        if stale != self._stale:
            grains, numbers = zip(*days, strict=True) if days else ((), ())
            self._connection.execute(_STALE_PERIODS, [grains, numbers, model.header.metric.by_week])
            self._narrowed.clear()
        self._stale = stale
        # What a metric reads is built by now; what another does may not be yet.
        parts = _STALE_OBSERVED | _STALE_FIGURED
        for whole in (parts.keys() & {*model.reads}) - self._narrowed:
            self._connection.execute(f"create or replace temp table {_part(whole)} as\n{parts[whole]}")
            self._narrowed.add(whole)
        return True

    def _days_of(self, counts: Sequence[str], changed: str) -> frozenset[_Day]:
        if changed not in self._days:
            *grain, day = counts
            rows = self._connection.execute(
                f"select distinct {grain[0] if grain else 'null'}, {day} - date '1970-01-01'"
                f" from ({changed}) where {day} is not null"
            )
            self._days[changed] = frozenset(rows.fetchall())
        return self._days[changed]


def _part(whole: str) -> str:
    return f"stale_{whole.replace('.', '_')}"
