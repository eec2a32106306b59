"""Which deployment first contained each commit.

Deployments of one chain (a repository's, in order) are walked from first to last; each
labels the ancestors that no earlier one reached. Every commit is labelled once and every
parent edge followed at most once, so the work is linear in commits, whatever the topology
and however many deployments there are.

Labels are kept. When a chain changes, those of its unchanged beginning stay and only what
later deployments labelled is walked again; appending deployments touches new commits alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import duckdb
import pyarrow as pa

SCHEMA = """
create schema if not exists lineage;
create table if not exists lineage.chain (
    source varchar, repository_id varchar, sequence bigint, sha varchar
);
create table if not exists lineage.label (
    source varchar, repository_id varchar, sha varchar, sequence bigint
);
"""


def first_containing(
    chain: Iterable[tuple[int, str]], parents: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, int]]:
    """Yield (sha, sequence) for every commit that `chain` reaches for the first time.

    `chain` holds (sequence, sha) in the order of deployment. `parents` maps the commits not
    labelled yet to their parents; commits absent from it count as labelled, and are not crossed.
    """
    seen: set[str] = set()
    for sequence, sha in chain:
        stack = [sha]
        while stack:
            commit = stack.pop()
            if commit in seen or (above := parents.get(commit)) is None:
                continue
            seen.add(commit)
            yield commit, sequence
            stack.extend(above)


def reset(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget every label, so that the next update walks everything."""
    connection.execute(SCHEMA)
    connection.execute("truncate lineage.chain; truncate lineage.label")


def update(connection: duckdb.DuckDBPyConnection) -> int:
    """Bring `lineage.label` in line with `core.deployment` and `core.commit`.

    Returns the number of commits labelled anew. Runs within the caller's transaction.
    """
    connection.execute(SCHEMA)
    changed = connection.execute(_FIRST_CHANGE).fetchall()
    labelled = 0
    for source, repository_id, first in changed:
        where = [source, repository_id]
        connection.execute(
            "delete from lineage.label where source = ? and repository_id = ? and sequence >= ?",
            [*where, first],
        )
        chain = connection.execute(_CHAIN_FROM, [*where, first]).fetchall()
        if not chain:
            continue
        parents = dict(connection.execute(_UNLABELLED, where).fetchall())
        labels = list(first_containing(chain, parents))
        labelled += len(labels)
        if labels:
            shas, sequences = zip(*labels, strict=True)
            incoming = pa.table(
                {"sha": pa.array(shas, pa.string()), "sequence": pa.array(sequences, pa.int64())}
            )
            connection.register("incoming_label", incoming)
            connection.execute(
                "insert into lineage.label select ?, ?, sha, sequence from incoming_label", where
            )
            connection.unregister("incoming_label")
    if changed:
        connection.execute(
            "create or replace table lineage.chain as"
            " select source, repository_id, sequence, sha from core.deployment"
        )
    return labelled


_FIRST_CHANGE = """
    select coalesce(now.source, was.source), coalesce(now.repository_id, was.repository_id),
        min(coalesce(now.sequence, was.sequence))
    from core.deployment as now
    full join lineage.chain as was using (source, repository_id, sequence)
    where now.sha is distinct from was.sha
    group by all
    order by all
"""
_CHAIN_FROM = """
    select sequence, sha from core.deployment
    where source = ? and repository_id = ? and sequence >= ?
    order by sequence
"""
_UNLABELLED = """
    select sha, parents from core.commit as c
    where c.source = ? and c.repository_id = ? and not exists (
        select 1 from lineage.label as l
        where l.source = c.source and l.repository_id = c.repository_id and l.sha = c.sha
    )
"""
