"""Which deployment first contained each commit.

The commits of one line (`core.line`: a chain of deployments, in order) are walked from first to
last; each labels the ancestors that no earlier one reached. Every commit is labelled once and every
parent edge followed at most once, so the work is linear in commits, whatever the topology and however
many deployments there are.

Labels are kept, and so is which commits no deployment of a line contains. When a line changes, labels of its
unchanged beginning stay and only what later deployments labelled is walked again; appending deployments
touches commits alone that are new or were deployed by none. What a walk came to and did not find is kept as
missing: a line is walked again from there once it has come in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

SCHEMA = """
create schema if not exists lineage;
create table if not exists lineage.label (line_id varchar, commit_key ubigint, sequence bigint);
create table if not exists lineage.unlabelled (line_id varchar, commit_key ubigint);
create table if not exists lineage.missing (
    line_id varchar, source varchar, repository_id varchar, commit_key ubigint, sequence bigint
);
create table if not exists lineage.ancestor (
    source varchar, repository_id varchar, ancestor varchar, descendant varchar, is_ancestor boolean
);
create table if not exists lineage.revisited (source varchar, repository_id varchar, is_moved boolean);
"""


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


def reset(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget everything, so that the next update walks it all."""
    connection.execute("drop schema if exists lineage cascade")
    connection.execute(SCHEMA)


def label(
    connection: duckdb.DuckDBPyConnection,
    lines: str = "from core.line",
    moved: str | None = None,
    come: str | None = None,
) -> int:
    """Bring `lineage.label` in line with `core.line` and `core.commit`.

    `lines` is a query for the rows of `core.line` that went or came since the last update, `moved` one for
    the keys of commits (`commit_key`) that are gone or have other parents, `come` one for those that are new
    or have other parents; None where there are none. Returns the number of labels given anew; the temporary
    view `changed_label` has those that went and those that came (`is_new`).
    """
    connection.execute(SCHEMA)
    connection.execute(_ARRIVED)
    connection.execute(_MOVED.format(moved=moved or _NO_COMMITS))
    connection.execute(_CHANGED_LINES.format(lines=lines))
    connection.execute(_CHANGED_LABELS)
    connection.execute(_FORGET)
    connection.execute(_PENDING.format(come=come or _NO_COMMITS))
    chains = dict(sliced(connection.execute(_LINES_FROM).to_arrow_table()))
    names = dict(connection.execute("select place, line_id from changed_line").fetchall())
    ((batches,),) = connection.execute(_BATCHES, [_AT_ONCE]).fetchall()
    labelled = 0
    no_chain = pa.table({"sequence": pa.array([], pa.int64()), "commit_key": pa.array([], pa.uint64())})
    for batch in range(batches):
        commits = connection.execute(_UNLABELLED, [batches, batch]).to_arrow_table()
        parts = [_labels(names[line], part, chains.get(line, no_chain)) for line, part in sliced(commits)]
        if parts:
            # In one piece: DuckDB starts anew with every piece, and of some lines there are few labels.
            labels = pa.concat_tables(parts).unify_dictionaries().combine_chunks()
            connection.register("incoming", labels)
            ((added,),) = connection.execute(_LABELLED).fetchall()
            connection.execute(_STILL_UNLABELLED)
            connection.execute(_MISSING_PARENTS)
            connection.unregister("incoming")
            labelled += added
    connection.execute(_MISSING_DEPLOYED)
    connection.execute(_REVISITED)
    return labelled


def _labels(line_id: str, commits: pa.Table, chain: pa.Table) -> pa.Table:
    """Labels of the `commits` (key, parents' keys) of one line, 0 for those that its chain (sequence, key)
    does not contain; and of which of the labelled some parent is not among `commits`."""
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
    return pa.table(
        {"line_id": line, "commit_key": keys, "sequence": labels, "is_edge": is_edge & (labels > 0)}
    )


def sliced(table: pa.Table) -> Iterator[tuple[Any, pa.Table]]:
    """A table ordered by its first column, a line: each line with its part of the other columns."""
    lines = table.column(0).to_numpy()
    ends = [*(np.flatnonzero(lines[1:] != lines[:-1]) + 1), len(lines)] if len(lines) else []
    for begin, end in pairwise([0, *ends]):
        yield lines[begin], table.slice(begin, end - begin).drop_columns(table.column_names[0])


_AT_ONCE = 2_000_000
"""Commits, about, that are in memory at once; those of one line always are."""
# Missing commits that are there now.
_ARRIVED = """
    create or replace temp table arrived as
    from lineage.missing
    semi join core.commit using (commit_key)
"""
_NO_COMMITS = "select commit_key from core.commit limit 0"
# What was found by way of a commit was found no earlier than that itself.
_MOVED = """
    create or replace temp table moved as
    select distinct k.line_id, l.source, l.repository_id, k.sequence
    from lineage.label as k
    semi join ({moved}) as m using (commit_key)
    inner join (select distinct line_id, source, repository_id from core.line) as l using (line_id)
"""
# Lines that are not what they were, from which deployment on, some lines at a time.
_CHANGED_LINES = """
    create or replace temp table changed_line as
    with changed as (
        select line_id, source, repository_id, sequence from ({lines})
        union all
        select line_id, source, repository_id, sequence from arrived
        union all
        select line_id, source, repository_id, sequence from moved
    ),

    earliest as (
        select
            line_id, min(sequence) as first,
            any_value(source) as source, any_value(repository_id) as repository_id
        from changed
        group by line_id
    )

    select
        *, row_number() over (order by line_id) as place,
        first = 1 and line_id in (select line_id from core.line) as is_new
    from earliest
"""
# Commits of lines that are walked in part: those not labelled, labelled no longer, or come since.
_PENDING = """
    create or replace temp table pending as
    with repository as (
        select distinct source, repository_id, line_id from core.line
    ),

    come as (
        select r.line_id, c.commit_key
        from (
            select source, repository_id, commit_key
            from core.commit
            semi join ({come}) as n using (commit_key)
        ) as c
        inner join repository as r using (source, repository_id)
    )

    select distinct c.place, p.line_id, p.commit_key
    from (
        from lineage.unlabelled
        union all
        select line_id, commit_key from gone_label
        union all
        from come
    ) as p
    semi join repository as r on r.line_id = p.line_id
    left join changed_line as c on c.line_id = p.line_id
    where c.is_new is distinct from true;

    create or replace table lineage.unlabelled as
    select line_id, commit_key from pending where place is null
"""
# As if there were as many lines of every repository as of those.
_BATCHES = """
    with unlabelled as (
        select
            (select count(*) from core.commit) * count(*) / nullif(count(distinct (source, repository_id)), 0)
            - (select count(*) from lineage.label) as commits,
            count(*) as lines
        from changed_line
        where is_new
    )

    select ceil(greatest(
        (greatest(coalesce(commits, 0), 0) + (select count(place) from pending)) / $1,
        least((select count(*) from changed_line), 1)
    ))::bigint
    from unlabelled
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
    inner join (
        -- Of lines that only go on there are none, which to find out takes less than to look for them.
        select c.line_id, c.first
        from changed_line as c
        inner join (
            select line_id, max(sequence) as last from lineage.label group by line_id
        ) as k on k.line_id = c.line_id and k.last >= c.first
    ) as c using (line_id)
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
    using (select line_id, min(sequence) as first from gone_label group by line_id) as c
    where l.line_id = c.line_id and l.sequence >= c.first;
    delete from lineage.missing as m
    using changed_line as c
    where m.line_id = c.line_id and m.sequence >= c.first
"""
_UNLABELLED = """
    select l.place, c.commit_key, c.parent_keys
    from core.commit as c
    inner join (from changed_line where is_new and place % $1 = $2) as l using (source, repository_id)
    union all
    select p.place, commit_key, c.parent_keys
    from core.commit as c
    inner join (from pending where place % $1 = $2 and is_any(commit_key)) as p using (commit_key)
    order by place
"""
_LABELLED = """
    insert into lineage.label select line_id, commit_key, sequence from incoming where sequence > 0
"""
_STILL_UNLABELLED = """
    insert into lineage.unlabelled select line_id, commit_key from incoming where sequence = 0
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
    with deployed as materialized (
        select
            d.line_id, d.source, d.repository_id, commit_key(d.source, d.repository_id, d.sha) as commit_key,
            d.sequence
        from core.line as d
        inner join changed_line as l using (line_id)
        where d.sequence >= l.first
    )

    from deployed
    anti join (
        from core.commit
        semi join (select commit_key from deployed where is_any(commit_key)) using (commit_key)
    ) using (commit_key)
"""
# Repositories whose versions are to be compared again: all of them, or those not known to be behind another.
_REVISITED = """
    create or replace table lineage.revisited as
    select source, repository_id, bool_or(is_moved) as is_moved
    from (
        select source, repository_id, false as is_moved from arrived
        union all
        select source, repository_id, true from moved
    )
    group by source, repository_id;

    drop table arrived;
    drop table moved
"""
