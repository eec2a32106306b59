"""Whose figures are shown, and of which days there are any."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal, NamedTuple, Protocol

import pandas as pd


class Frames(Protocol):
    """A published snapshot, or a cache of one."""

    def frame(self, sql: str, params: Any = ()) -> pd.DataFrame:
        """Rows of a query; `params` by name."""


class Scope(NamedTuple):
    """Whose figures are shown."""

    level: Literal["organisation", "team", "service"]
    key: str
    capability: str | None = None
    """What of the platform its adoption is shown of; None for all of it. Other figures know none."""

    @property
    def label(self) -> str:
        """What the filter calls it."""
        return {"organisation": "All services", "team": f"Team: {self.key}"}.get(self.level, self.key)

    @property
    def params(self) -> dict[str, object]:
        """What `in_scope` and `SERVICES` take."""
        return {} if self.level == "organisation" else {"key": self.key}


def in_scope(scope: Scope, moment: str, by: Literal["service", "subject_key"] = "service") -> str:
    """What follows `from … as thing` to leave a scope's rows, and ends with a condition.

    A team's are those of services that were its, or below it, then. `by` is the column to find them by: rows
    with a `subject_key` are stored by it, so that the file can skip those of others.
    """
    return {
        "organisation": "where thing.service is not null",
        "team": f"semi join (from marts.tenure where team = $key) as t on t.{by} = thing.{by}"
        f" and t.valid_from <= thing.{moment} and thing.{moment} < t.valid_until where true",
        "service": f"where thing.{by} = {_KEYS[by]}",
    }[scope.level]


_KEYS = {"service": "$key", "subject_key": "md5_number_lower('service:' || $key)"}

STORED_BY = "subject_key = md5_number_lower($level || ':' || $key)"
"""Lets the file skip the rows of others than a level and key: `subject_key` of the models' macros."""


SERVICES = {
    "organisation": "from marts.service as thing",
    "team": "from marts.service as thing where service in ("
    "select service from marts.tenure where team = $key and valid_until = 'infinity')",
    "service": "from marts.service as thing where thing.service = $key",
}
"""The services of a scope by its level, a team's present ones; with a column before it, a query."""


def workspace(source: Frames) -> pd.Series:
    """The one row of `marts.workspace`."""
    return source.frame("from marts.workspace").iloc[0]


def covered_on(source: Frames) -> date | None:
    """The last day that was read, if only in part; None where nothing was."""
    row = workspace(source)
    if pd.isna(row["covered_until"]):
        return None
    return pd.Timestamp(row["covered_until"]).tz_convert(str(row["timezone"])).date()


def scopes(source: Frames) -> list[Scope]:
    """Services, teams and the whole; the only service stands first, else the whole does."""
    organisation = Scope("organisation", str(workspace(source)["organisation"]))
    services = [Scope("service", name) for name in _names(source, "select service from marts.service")]
    teams = [Scope("team", name) for name in _names(source, "select team from marts.team where services > 0")]
    return services if len(services) == 1 else [organisation, *teams, *services]


def services(source: Frames, scope: Scope) -> int:
    """How many services the scope spans now."""
    return int(source.frame(f"select count(*) as n {SERVICES[scope.level]}", scope.params).iloc[0]["n"])


def extent(source: Frames) -> tuple[date, date] | None:
    """Days of the first and the latest deployment of any service; None where there is none."""
    row = source.frame(
        "select min(finished_on) as first_on, max(finished_on) as last_on"
        " from marts.deployment where service is not null"
    ).iloc[0]
    return None if pd.isna(row["first_on"]) else (row["first_on"].date(), row["last_on"].date())


def committed(source: Frames) -> tuple[date, date] | None:
    """Days (UTC) of the first and the last commit; None where there is none."""
    row = source.frame(
        "select min(first_commit_at)::date as first_on, max(last_commit_at)::date as last_on"
        " from marts.coverage"
    ).iloc[0]
    return None if pd.isna(row["first_on"]) else (row["first_on"].date(), row["last_on"].date())


def coverage(source: Frames) -> pd.DataFrame:
    """What was read, by repository: rows of `marts.coverage`."""
    return source.frame("from marts.coverage order by source, repository")


def _names(source: Frames, sql: str) -> list[str]:
    return sorted(str(row[0]) for row in source.frame(sql).itertuples(index=False))
