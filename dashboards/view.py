"""What is shown: the published snapshot, read through a cache, and the choice made in the filter bar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from dashboards import queries
from dashboards.queries import Metric, Scope
from pipelines.warehouse import Snapshot


@dataclass(frozen=True)
class Cached:
    """A snapshot whose answers are kept, for all sessions, until newer ones push them out."""

    snapshot: Snapshot

    def frame(self, sql: str, params: Any = ()) -> pd.DataFrame:
        """Rows of a query, in a copy of the caller's own; `params` by name."""
        # Copied on write: shallow, it costs nothing, and no caller changes another's.
        return _frame(self.snapshot, sql, params).copy(deep=False)


@st.cache_resource(max_entries=256, show_spinner=False, hash_funcs={Snapshot: lambda snapshot: snapshot.id})
def _frame(snapshot: Snapshot, sql: str, params: Any) -> pd.DataFrame:
    return snapshot.frame(sql, params)


@dataclass(frozen=True)
class View:
    """Everything a page needs."""

    source: Cached
    zone: ZoneInfo
    scope: Scope
    grain: str
    since: date
    until: date
    """Exclusive; with `since` it bounds whole periods of `grain`."""

    def trend(self, metric: Metric, since: date | None = None) -> pd.DataFrame:
        """`queries.trend` of what is shown, or from another day on; kept like the snapshot's answers."""
        span = since or self.since, self.until
        rows = _trend(self.source, self.source.snapshot.id, metric, self.scope, self.grain, *span)
        return rows.copy(deep=False)


@st.cache_resource(max_entries=512, show_spinner=False)
def _trend(
    _source: Cached,
    snapshot_id: str,  # noqa: ARG001 - what is kept is kept of it
    metric: Metric,
    scope: Scope,
    grain: str,
    since: date,
    until: date,
) -> pd.DataFrame:
    return queries.trend(_source, metric, scope, grain, since, until)
