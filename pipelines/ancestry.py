"""Which version went back behind another.

Versions compared are kept from build to build; where commits have come in since, or have become others, those
of their repository are compared again.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from pipelines.lineage import SCHEMA, sliced

_Commit = TypeVar("_Commit", bound=Hashable)


def is_strict_ancestor(
    ancestor: _Commit, descendant: _Commit, parents: Mapping[_Commit, Sequence[_Commit]]
) -> bool:
    """Whether `ancestor` can be reached from `descendant` over at least one edge of `parents`."""
    seen: set[_Commit] = set()
    stack = [*parents.get(descendant, ())]
    while stack:
        commit = stack.pop()
        if commit == ancestor:
            return True
        if commit not in seen:
            seen.add(commit)
            stack.extend(parents.get(commit, ()))
    return False


def compare(connection: duckdb.DuckDBPyConnection, rollouts: str | None = None) -> int:
    """Add to `lineage.ancestor` the pairs of `core.environment_rollout` that it does not hold yet.

    They are those of a version and the one live before it, where the one may be behind the other: it was
    first contained no later. `rollouts` is a query for those that have changed since all were compared;
    without it all are now. Returns their number. Runs within the caller's transaction.
    """
    connection.execute(SCHEMA)
    connection.execute(_FORGET)
    some = rollouts and _COMPARED.format(rollouts=rollouts)
    connection.execute(f"create or replace temp view compared as {some or 'from core.environment_rollout'}")
    connection.execute(_CANDIDATES)
    between = {
        line: dict(zip(*(column.to_pylist() for column in part.columns), strict=True))
        for line, part in sliced(connection.execute(_BETWEEN).to_arrow_table())
    }
    pairs = connection.execute("select distinct * exclude (low, high) from candidate order by all").fetchall()
    found = [
        (source, repository_id, sha, live_sha, is_strict_ancestor(key, live_key, between[chain_id]))
        for chain_id, source, repository_id, sha, live_sha, key, live_key in pairs
    ]
    names = ("source", "repository_id", "ancestor", "descendant", "is_ancestor")
    _insert(connection, names, [*dict.fromkeys(found)])
    connection.execute("drop table candidate; drop view compared; truncate lineage.revisited")
    return len(found)


def _insert(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    if rows:
        columns = dict(zip(names, zip(*rows, strict=True), strict=True))
        connection.register("incoming", pa.table(columns))
        connection.execute("insert into lineage.ancestor from incoming")
        connection.unregister("incoming")


# Without a commit that has come in since, one version did not seem to be behind another.
_FORGET = """
    delete from lineage.ancestor as a
    using lineage.revisited as r
    where a.source = r.source and a.repository_id = r.repository_id and (r.is_moved or not a.is_ancestor)
"""
# Versions that are others, or come after another, or whose history is. Where a deployment between them is
# new, they are first contained elsewhere, but one is behind the other as before.
_COMPARED = """
    with changed as materialized (
        select distinct chain_id, environment, sequence from ({rollouts})
        union
        select r.chain_id, r.environment, r.sequence
        from core.environment_rollout as r
        inner join core.chain as c using (chain_id)
        semi join lineage.revisited using (source, repository_id)
    )

    select r.*
    from core.environment_rollout as r
    semi join changed using (chain_id, environment, sequence)
    union
    select r.*
    from core.environment_rollout as r
    semi join changed as l
        on l.chain_id = r.chain_id and l.environment = r.environment and l.sequence = r.live_sequence
"""
_CANDIDATES = """
    create or replace temp table candidate as
    with pair as materialized (
        select
            r.chain_id, c.source, c.repository_id, r.sha, l.sha as live_sha,
            commit_key(c.source, c.repository_id, r.sha) as key,
            commit_key(c.source, c.repository_id, l.sha) as live_key
        from compared as r
        inner join core.environment_rollout as l
            on l.chain_id = r.chain_id and l.environment = r.environment and l.sequence = r.live_sequence
        inner join core.chain as c on c.chain_id = r.chain_id
        anti join lineage.ancestor as a
            on a.source = c.source and a.repository_id = c.repository_id
            and a.ancestor = r.sha and a.descendant = l.sha
        where r.sha <> l.sha
    ),

    label as materialized (
        from lineage.label
        semi join (select unnest([key, live_key]) as commit_key from pair) as p
            on p.commit_key = label.commit_key and is_any(p.commit_key)
    )

    select distinct p.*, low.sequence as low, high.sequence as high
    from pair as p
    inner join label as low on low.line_id = p.chain_id and low.commit_key = p.key
    inner join label as high on high.line_id = p.chain_id and high.commit_key = p.live_key
    where low.sequence <= high.sequence
"""
# What lies on a way from the one to the other was first contained in between.
_BETWEEN = """
    with passed as (
        select distinct d.chain_id, commit_key
        from candidate as d
        inner join lineage.label as k on k.line_id = d.chain_id and k.sequence between d.low and d.high
    )

    select chain_id, commit_key, parent_keys
    from passed
    inner join core.commit using (commit_key)
    order by chain_id
"""
