"""Which deployment first contained each commit, and which version went back behind another.

The commits of one line (`core.line`: a chain of deployments, in order) are walked from first to
last; each labels the ancestors that no earlier one reached. Every commit is labelled once and every
parent edge followed at most once, so the work is linear in commits, whatever the topology and however
many deployments there are.

Labels are kept. When a line changes, those of its unchanged beginning stay and only what later
deployments labelled is walked again; appending deployments touches new commits alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

SCHEMA = """
create schema if not exists lineage;
create table if not exists lineage.line (line_id varchar, sequence bigint, sha varchar);
create table if not exists lineage.label (line_id varchar, sha varchar, sequence bigint);
create table if not exists lineage.ancestor (
    source varchar, repository_id varchar, ancestor varchar, descendant varchar, is_ancestor boolean
);
"""

Parents = Mapping[str, Sequence[str]]


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
            if not labels[commit]:
                labels[commit] = sequence
                stack += parents[ends[commit] : ends[commit + 1]]
    return labels[:-1]


def is_strict_ancestor(ancestor: str, descendant: str, parents: Parents) -> bool:
    """Whether `ancestor` can be reached from `descendant` over at least one edge of `parents`."""
    seen: set[str] = set()
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
    connection.execute(SCHEMA)
    connection.execute("truncate lineage.line; truncate lineage.label; truncate lineage.ancestor")


def label(connection: duckdb.DuckDBPyConnection) -> int:
    """Bring `lineage.label` in line with `core.line` and `core.commit`.

    Returns the number of labels given anew. Runs within the caller's transaction.
    """
    connection.execute(SCHEMA)
    connection.execute(_CHANGED_LINES, [_AT_ONCE])
    connection.execute(_FORGET)
    chains = _by_line(connection.execute(_LINES_FROM).fetchall())
    ((last,),) = connection.execute("select max(batch) from changed_line").fetchall()
    labelled = 0
    for batch in range(0 if last is None else last + 1):
        commits = connection.execute(_UNLABELLED, [batch]).to_arrow_table()
        labels = [_labels(line, part, chains[line]) for line, part in _sliced(commits)]
        if labels:
            connection.register("incoming", pa.concat_tables(labels))
            connection.execute("insert into lineage.label from incoming")
            connection.unregister("incoming")
        labelled += sum(part.num_rows for part in labels)
    connection.execute("create or replace table lineage.line as select line_id, sequence, sha from core.line")
    connection.execute("drop table changed_line")
    return labelled


def _labels(line_id: str, commits: pa.Table, chain: Sequence[tuple[int, str]]) -> pa.Table:
    """Labels of those `commits` (sha, parents) of one line that its chain contains."""
    shas, above = (column.combine_chunks() for column in commits.columns)
    unknown = len(shas)

    def numbers(of: pa.Array) -> list[int]:
        found: list[int] = pc.fill_null(pc.index_in(of, value_set=shas), unknown).to_pylist()
        return found

    sequences, deployed = zip(*chain, strict=True)
    first = first_containing(
        zip(sequences, numbers(pa.array(deployed)), strict=True),
        [0, *np.cumsum(pc.list_value_length(above)).tolist()],
        numbers(above.flatten()),
    )
    labels = pa.array(first, pa.int64())
    columns = {"line_id": pa.repeat(line_id, unknown), "sha": shas, "sequence": labels}
    return pa.table(columns).filter(pc.greater(labels, 0))


def compare(connection: duckdb.DuckDBPyConnection) -> int:
    """Add to `lineage.ancestor` the pairs of `core.environment_rollout` that it does not hold yet.

    They are those of a version and the one live before it, where the one may be behind the other: it was
    first contained no later. Returns their number. Runs within the caller's transaction.
    """
    connection.execute(SCHEMA)
    connection.execute(_CANDIDATES)
    between = {
        line: dict(zip(*(column.to_pylist() for column in part.columns), strict=True))
        for line, part in _sliced(connection.execute(_BETWEEN).to_arrow_table())
    }
    pairs = connection.execute("select distinct * exclude (low, high) from candidate order by all").fetchall()
    found = [
        (source, repository_id, sha, live_sha, is_strict_ancestor(sha, live_sha, between[chain_id]))
        for chain_id, source, repository_id, sha, live_sha in pairs
    ]
    names = ("source", "repository_id", "ancestor", "descendant", "is_ancestor")
    _insert(connection, "ancestor", names, [*dict.fromkeys(found)])
    connection.execute("drop table candidate")
    return len(found)


def _by_line(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[tuple[int, str]]]:
    """Rows of (line, sequence, sha) as line → (sequence, sha), in order."""
    return {line: [(n, sha) for _, n, sha in group] for line, group in groupby(rows, itemgetter(0))}


def _sliced(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
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
    ),

    size as (
        select source, repository_id, count(*) as commits from core.commit group by all
    )

    select c.line_id, c.first, (sum(coalesce(s.commits, 0)) over (order by c.line_id) // $1)::bigint as batch
    from changed as c
    left join size as s using (source, repository_id)
"""
_LINES_FROM = """
    select d.line_id, d.sequence, d.sha
    from core.line as d
    inner join changed_line as c using (line_id)
    where d.sequence >= c.first
    order by d.line_id, d.sequence
"""
_FORGET = """
    delete from lineage.label as l
    using changed_line as c
    where l.line_id = c.line_id and l.sequence >= c.first
"""
_UNLABELLED = """
    select l.line_id, c.sha, c.parents
    from core.commit as c
    inner join (
        select d.line_id, any_value(d.source) as source, any_value(d.repository_id) as repository_id
        from core.line as d
        inner join changed_line as c using (line_id)
        where d.sequence >= c.first and c.batch = $1
        group by d.line_id
    ) as l using (source, repository_id)
    anti join lineage.label as k on k.line_id = l.line_id and k.sha = c.sha
    order by l.line_id
"""
_CANDIDATES = """
    create or replace temp table candidate as
    select
        r.chain_id, c.source, c.repository_id, r.sha, l.sha as live_sha,
        low.sequence as low, high.sequence as high
    from core.environment_rollout as r
    inner join core.environment_rollout as l
        on l.chain_id = r.chain_id and l.environment = r.environment and l.sequence = r.live_sequence
    inner join core.chain as c on c.chain_id = r.chain_id
    inner join lineage.label as low on low.line_id = r.chain_id and low.sha = r.sha
    inner join lineage.label as high on high.line_id = r.chain_id and high.sha = l.sha
    anti join lineage.ancestor as a
        on a.source = c.source and a.repository_id = c.repository_id
        and a.ancestor = r.sha and a.descendant = l.sha
    where r.sha <> l.sha and low.sequence <= high.sequence
"""
# What lies on a way from the one to the other was first contained in between.
_BETWEEN = """
    select distinct d.chain_id, k.sha, c.parents
    from candidate as d
    inner join lineage.label as k on k.line_id = d.chain_id and k.sequence between d.low and d.high
    inner join core.commit as c on c.source = d.source and c.repository_id = d.repository_id and c.sha = k.sha
    order by d.chain_id
"""
