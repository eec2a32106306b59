"""Snapshots: when the states of a scope were all seen, and since when each is there.

A state holds from the snapshot that first shows it to the one that no longer does. Of those that a scope's
first snapshot shows, and of those found when something else is looked for than before, the beginning is
unknown. What no snapshot says of is kept as it was: a source that fails, or is read no more, ends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from connectors.records import KEYS

if TYPE_CHECKING:
    from pipelines.ingest import Read

STREAM = "capability_state"

_SAME = " and ".join(
    f"r.{name} is not distinct from v.{name}" for name in ("source", "scope", *KEYS["capability_state"])
)
_GONE = f"""
    update history.capability_state as v set seen_until = $at
    where source = $source and seen_until is null and scope in (select scope from snapshot_of)
        and not exists (select 1 from raw.capability_state as r where {_SAME})
"""
_STILL_THERE = f"""
    update history.capability_state as v set folders = r.folders, url = r.url
    from raw.capability_state as r
    where v.source = $source and v.seen_until is null and {_SAME}
        and (v.folders is distinct from r.folders or v.url is distinct from r.url)
"""
_NEW = f"""
    insert into history.capability_state by name
    select r.*, $at as seen_from, not exists (
        select 1 from raw.snapshot as s
        where s.source = r.source and s.scope = r.scope and s.looked_for = n.looked_for
    ) as is_start_unknown
    from raw.capability_state as r
    inner join (select distinct scope, looked_for from snapshot_of) as n on n.scope = r.scope
    where r.source = $source
        and not exists (select 1 from history.capability_state as v where v.seen_until is null and {_SAME})
"""


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Create `raw.snapshot` and `history.capability_state` where they are missing.

    `raw.snapshot` has the last successful one of each scope and day (UTC).
    """
    connection.execute(
        "create table if not exists raw.snapshot (source varchar, scope varchar, taken_on date,"
        " taken_at timestamptz, looked_for varchar, primary key (source, scope, taken_on))"
    )
    connection.execute(
        "create table if not exists history.capability_state as"
        " select *, null::timestamptz as seen_from, null::timestamptz as seen_until,"
        " null::boolean as is_start_unknown from raw.capability_state limit 0"
    )


def news(
    connection: duckdb.DuckDBPyConnection, reads: Mapping[str, Read], *, is_news: bool
) -> list[tuple[str, str, date, datetime, str]]:
    """Rows of `raw.snapshot` to put: without news elsewhere, only the first of a day."""
    taken = [
        (source, scope, read.covered[scope].astimezone(UTC).date(), read.covered[scope], looked_for)
        for source, read in reads.items()
        for scope, looked_for in read.looked_for.items()
        if scope in read.covered
    ]
    if is_news or not taken:
        return taken
    known = {
        *connection.execute("select source, scope, max(taken_on) from raw.snapshot group by all").fetchall()
    }
    return [row for row in taken if row[:3] not in known]


def keep(
    connection: duckdb.DuckDBPyConnection, source: str, scopes: Sequence[str], read: Read | None, at: datetime
) -> None:
    """Bring the history of the scopes in line with `raw.capability_state`, as read `at`.

    Within the caller's transaction, before `raw.snapshot` hears of this reading.
    """
    looked_for = pa.array([(read.looked_for.get(scope) if read else None) for scope in scopes], pa.string())
    connection.register(
        "snapshot_of", pa.table({"scope": [*scopes], "looked_for": pa.array(looked_for, pa.string())})
    )
    connection.execute(_GONE, {"source": source, "at": at})
    connection.execute(_STILL_THERE, {"source": source})
    connection.execute(_NEW, {"source": source, "at": at})
    connection.unregister("snapshot_of")


def end(connection: duckdb.DuckDBPyConnection, source: str, scope: str) -> None:
    """Note that a scope is read no more: should it be again, its snapshot counts as the first."""
    connection.execute(
        "update raw.snapshot set looked_for = null where source = ? and scope = ?", [source, scope]
    )
