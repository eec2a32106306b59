"""Which deployment first contained each commit, and which version went back behind another.

The commits of one line (`core.line`: a chain of deployments, in order) are walked from first to
last; each labels the ancestors that no earlier one reached. Every commit is labelled once and every
parent edge followed at most once, so the work is linear in commits, whatever the topology and however
many deployments there are.

Labels are kept. When a line changes, those of its unchanged beginning stay and only what later
deployments labelled is walked again; appending deployments touches new commits alone. What a walk came to
and did not find is kept as missing: a line is walked again from there once it has come in.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

SCHEMA = """
create schema if not exists lineage;
create table if not exists lineage.line (line_id varchar, sequence bigint, sha varchar);
create table if not exists lineage.label (line_id varchar, commit_key ubigint, sequence bigint);
create table if not exists lineage.missing (
    line_id varchar, source varchar, repository_id varchar, commit_key ubigint, sequence bigint
);
create table if not exists lineage.ancestor (
    source varchar, repository_id varchar, ancestor varchar, descendant varchar, is_ancestor boolean
);
"""

_Commit = TypeVar("_Commit", bound=Hashable)


def first_containing(
    chain: Iterable[tuple[int, int]], ends: Sequence[int], parents: Sequence[int]
) -> list[int]:
    """The sequence of the deployment that contains each commit first; 0 where none does.

    Commits go by number, from 0. `chain` holds (sequence, commit) in the order of deployment; sequences
    begin at 1. The parents of commit c are `parents[ends[c] : ends[c + 1]]`; the number beyond the last
    stands for any commit that is labelled already, or unknown, and is not crossed.
    """
    labels = [0] * (len(ends) - 1) + [-1]
    for sequence, deployed in chain:
        stack = [deployed]
        while stack:
            commit = stack.pop()
            while not labels[commit]:
                labels[commit] = sequence
                begin, end = ends[commit], ends[commit + 1]
                if begin == end:
                    break
                # Most commits have one parent.
                commit = parents[begin]
                if end - begin > 1:
                    stack += parents[begin + 1 : end]
    return labels[:-1]


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


def reset(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget everything, so that the next update walks it all."""
    connection.execute("drop schema if exists lineage cascade")
    connection.execute(SCHEMA)


def label(connection: duckdb.DuckDBPyConnection, moved: str | None = None) -> int:
    """Bring `lineage.label` in line with `core.line` and `core.commit`.

    `moved` is a query for the keys of commits (`commit_key`) that are gone or have other parents.
    Returns the number of labels given anew; the temporary view `changed_label` has those that went and
    those that came (`is_new`). Runs within the caller's transaction.
    """
    connection.execute(SCHEMA)
    connection.execute(_ARRIVED)
    connection.execute(_MOVED.format(moved=moved or _NONE_MOVED))
    connection.execute(_CHANGED_LINES)
    connection.execute(_CHANGED_LABELS)
    connection.execute(_FORGET)
    chains = dict(_sliced(connection.execute(_LINES_FROM).to_arrow_table()))
    names = dict(connection.execute("select place, line_id from changed_line").fetchall())
    ((batches,),) = connection.execute(_BATCHES, [_AT_ONCE]).fetchall()
    labelled = 0
    for batch in range(batches):
        commits = connection.execute(_UNLABELLED, [batches, batch]).to_arrow_table()
        labels = [
            _labels(names[line], part, chains[line]) for line, part in _sliced(commits) if line in chains
        ]
        if labels:
            connection.register("incoming", pa.concat_tables(labels))
            connection.execute("insert into lineage.label select line_id, commit_key, sequence from incoming")
            connection.execute(_MISSING_PARENTS)
            connection.unregister("incoming")
        labelled += sum(part.num_rows for part in labels)
    connection.execute(_MISSING_DEPLOYED)
    connection.execute("create or replace table lineage.line as select line_id, sequence, sha from core.line")
    connection.execute(_REVISITED)
    return labelled


def _labels(line_id: str, commits: pa.Table, chain: pa.Table) -> pa.Table:
    """Labels of those `commits` (key, parents' keys) of one line that its chain (sequence, key) contains;
    and of which of them some parent is not among `commits`."""
    keys, above = (column.combine_chunks() for column in commits.columns)
    known = pd.Index(keys.to_numpy())

    def numbers(of: NDArray[np.uint64]) -> NDArray[np.int64]:
        place = known.get_indexer(of)
        return np.where(place >= 0, place, len(known))

    sequences, deployed = (column.to_numpy() for column in chain.columns)
    ends = above.offsets.to_numpy() - above.offsets[0].as_py()
    parents = numbers(above.flatten().to_numpy())
    first = first_containing(
        zip(sequences.tolist(), numbers(deployed).tolist(), strict=True),
        ends.tolist(),
        parents.tolist(),
    )
    labels = np.array(first)
    is_edge = np.zeros(len(known), bool)
    is_edge[np.repeat(np.arange(len(known)), np.diff(ends))[parents == len(known)]] = True
    line = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(known), np.int32)), [line_id])
    columns = {"line_id": line, "commit_key": keys, "sequence": labels, "is_edge": is_edge}
    return pa.table(columns).filter(labels > 0)


def compare(connection: duckdb.DuckDBPyConnection, rollouts: str | None = None) -> int:
    """Add to `lineage.ancestor` the pairs of `core.environment_rollout` that it does not hold yet.

    They are those of a version and the one live before it, where the one may be behind the other: it was
    first contained no later. `rollouts` is a query for those that have changed since all were compared;
    without it all are now. Returns their number. Runs within the caller's transaction.
    """
    connection.execute(SCHEMA)
    some = rollouts and _COMPARED.format(rollouts=rollouts)
    connection.execute("create temp table if not exists revisited (source varchar, repository_id varchar)")
    connection.execute(f"create or replace temp view compared as {some or 'from core.environment_rollout'}")
    connection.execute(_CANDIDATES)
    between = {
        line: dict(zip(*(column.to_pylist() for column in part.columns), strict=True))
        for line, part in _sliced(connection.execute(_BETWEEN).to_arrow_table())
    }
    pairs = connection.execute("select distinct * exclude (low, high) from candidate order by all").fetchall()
    found = [
        (source, repository_id, sha, live_sha, is_strict_ancestor(key, live_key, between[chain_id]))
        for chain_id, source, repository_id, sha, live_sha, key, live_key in pairs
    ]
    names = ("source", "repository_id", "ancestor", "descendant", "is_ancestor")
    _insert(connection, "ancestor", names, [*dict.fromkeys(found)])
    connection.execute("drop table candidate; drop view compared; drop table revisited")
    return len(found)


def _sliced(table: pa.Table) -> Iterator[tuple[Any, pa.Table]]:
    """A table ordered by its first column, a line: each line with its part of the other columns."""
    lines = table.column(0).to_numpy()
    ends = [*(np.flatnonzero(lines[1:] != lines[:-1]) + 1), len(lines)] if len(lines) else []
    for begin, end in pairwise([0, *ends]):
        yield lines[begin], table.slice(begin, end - begin).drop_columns(table.column_names[0])


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    if rows:
        columns = dict(zip(names, zip(*rows, strict=True), strict=True))
        connection.register("incoming", pa.table(columns))
        connection.execute(f"insert into lineage.{table} from incoming")
        connection.unregister("incoming")


_AT_ONCE = 2_000_000
"""Commits, about, that are in memory at once; those of one line always are."""
# Missing commits that are there now. Without them one version did not seem to be behind another.
_ARRIVED = """
    create or replace temp table arrived as
    from lineage.missing
    semi join core.commit using (commit_key);

    delete from lineage.ancestor as a
    using arrived as r
    where not a.is_ancestor and a.source = r.source and a.repository_id = r.repository_id
"""
_NONE_MOVED = "select commit_key from core.commit limit 0"
# What was found by way of a commit was found no earlier than that itself.
_MOVED = """
    create or replace temp table moved as
    select distinct k.line_id, l.source, l.repository_id, k.sequence
    from lineage.label as k
    semi join ({moved}) as m using (commit_key)
    inner join (select distinct line_id, source, repository_id from core.line) as l using (line_id);

    delete from lineage.ancestor as a
    using moved as m
    where a.source = m.source and a.repository_id = m.repository_id
"""
# Lines that are not what they were, from which deployment on, some lines at a time.
_CHANGED_LINES = """
    create or replace temp table changed_line as
    with changed as (
        select
            coalesce(now.line_id, was.line_id) as line_id,
            any_value(now.source) as source,
            any_value(now.repository_id) as repository_id,
            min(coalesce(now.sequence, was.sequence)) as first
        from core.line as now
        full join lineage.line as was using (line_id, sequence)
        where now.sha is distinct from was.sha
        group by all
        union all
        select line_id, source, repository_id, sequence from arrived
        union all
        select line_id, source, repository_id, sequence from moved
    ),

    earliest as (
        select
            line_id, min(first) as first,
            any_value(source) as source, any_value(repository_id) as repository_id
        from changed
        group by line_id
    )

    select *, row_number() over (order by line_id) as place from earliest
"""
# As if there were as many lines of every repository as of those.
_BATCHES = """
    with unlabelled as (
        select
            (select count(*) from core.commit) * count(*) / nullif(count(distinct (source, repository_id)), 0)
            - (select count(*) from lineage.label) as commits,
            count(*) as lines
        from changed_line
    )

    select ceil(greatest(commits / $1, least(lines, 1)))::bigint from unlabelled
"""
_LINES_FROM = """
    select c.place, d.sequence, commit_key(d.source, d.repository_id, d.sha)
    from core.line as d
    inner join changed_line as c using (line_id)
    where d.sequence >= c.first
    order by c.place, d.sequence
"""
_CHANGED_LABELS = """
    create or replace temp table gone_label as
    select l.*
    from lineage.label as l
    inner join changed_line as c using (line_id)
    where l.sequence >= c.first;

    create or replace temp view changed_label as
    select *, false as is_new from gone_label
    union all
    select l.*, true
    from lineage.label as l
    inner join changed_line as c using (line_id)
    where l.sequence >= c.first
"""
_FORGET = """
    delete from lineage.label as l
    using changed_line as c
    where l.line_id = c.line_id and l.sequence >= c.first;
    delete from lineage.missing as m
    using changed_line as c
    where m.line_id = c.line_id and m.sequence >= c.first
"""
_UNLABELLED = """
    select l.place, c.commit_key, c.parent_keys
    from core.commit as c
    inner join (from changed_line where place % $1 = $2) as l using (source, repository_id)
    anti join lineage.label as k on k.line_id = l.line_id and k.commit_key = c.commit_key
    order by l.place
"""
_MISSING_PARENTS = """
    insert into lineage.missing
    with edge as (
        select l.line_id, l.source, l.repository_id, i.commit_key, i.sequence
        from incoming as i
        inner join changed_line as l using (line_id)
        where i.is_edge
    )

    select line_id, source, repository_id, commit_key, sequence
    from (
        select e.line_id, e.source, e.repository_id, unnest(c.parent_keys) as commit_key, e.sequence
        from core.commit as c
        inner join edge as e using (commit_key)
    )
    anti join core.commit using (commit_key)
"""
_MISSING_DEPLOYED = """
    insert into lineage.missing
    select
        d.line_id, d.source, d.repository_id, commit_key(d.source, d.repository_id, d.sha) as commit_key,
        d.sequence
    from core.line as d
    inner join changed_line as l using (line_id)
    anti join core.commit as c on c.commit_key = commit_key(d.source, d.repository_id, d.sha)
    where d.sequence >= l.first
"""
# Repositories whose pairs were forgotten.
_REVISITED = """
    create or replace temp table revisited as
    select source, repository_id from arrived union select source, repository_id from moved;

    drop table arrived;
    drop table moved
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
        semi join revisited using (source, repository_id)
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
    select
        r.chain_id, c.source, c.repository_id, r.sha, l.sha as live_sha,
        low.commit_key as key, high.commit_key as live_key, low.sequence as low, high.sequence as high
    from compared as r
    inner join core.environment_rollout as l
        on l.chain_id = r.chain_id and l.environment = r.environment and l.sequence = r.live_sequence
    inner join core.chain as c on c.chain_id = r.chain_id
    inner join lineage.label as low
        on low.line_id = r.chain_id and low.commit_key = commit_key(c.source, c.repository_id, r.sha)
    inner join lineage.label as high
        on high.line_id = r.chain_id and high.commit_key = commit_key(c.source, c.repository_id, l.sha)
    anti join lineage.ancestor as a
        on a.source = c.source and a.repository_id = c.repository_id
        and a.ancestor = r.sha and a.descendant = l.sha
    where r.sha <> l.sha and low.sequence <= high.sequence
"""
# What lies on a way from the one to the other was first contained in between.
_BETWEEN = """
    select distinct d.chain_id, commit_key, c.parent_keys
    from candidate as d
    inner join lineage.label as k on k.line_id = d.chain_id and k.sequence between d.low and d.high
    inner join core.commit as c using (commit_key)
    order by d.chain_id
"""
