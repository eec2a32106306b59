"""Which deployment first contained each commit.

Deployments of one chain (a repository's, in order) are walked from first to last; each
labels the ancestors that no earlier one reached. Every commit is labelled once and every
parent edge followed at most once, so the work is linear in commits, whatever the topology
and however many deployments there are.

Labels are kept. When a chain changes, those of its unchanged beginning stay and only what
later deployments labelled is walked again; appending deployments touches new commits alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

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
    connection.execute(_FIRST_CHANGE)
    chains = _by_repository(connection.execute(_CHAINS_FROM).fetchall())
    connection.execute(_FORGET)
    unlabelled = _by_repository(connection.execute(_UNLABELLED).fetchall())
    labels = [
        (*repository, sha, sequence)
        for repository, chain in chains.items()
        for sha, sequence in first_containing(chain, dict(unlabelled.get(repository, ())))
    ]
    if labels:
        columns = zip(("source", "repository_id", "sha", "sequence"), zip(*labels, strict=True), strict=True)
        connection.register("incoming_label", pa.table(dict(columns)))
        connection.execute("insert into lineage.label from incoming_label")
        connection.unregister("incoming_label")
    connection.execute(
        "create or replace table lineage.chain as"
        " select source, repository_id, sequence, sha from core.deployment"
    )
    connection.execute("drop table changed_chain")
    return len(labels)


def _by_repository(rows: Iterable[tuple[Any, ...]]) -> dict[tuple[str, str], list[Any]]:
    """Rows of (source, repository, …) as (source, repository) → what follows, in order."""
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for source, repository_id, *rest in rows:
        found[source, repository_id].append(rest)
    return found


_FIRST_CHANGE = """
    create or replace temp table changed_chain as
    select
        coalesce(now.source, was.source) as source,
        coalesce(now.repository_id, was.repository_id) as repository_id,
        min(coalesce(now.sequence, was.sequence)) as first
    from core.deployment as now
    full join lineage.chain as was using (source, repository_id, sequence)
    where now.sha is distinct from was.sha
    group by all
"""
_CHAINS_FROM = """
    select d.source, d.repository_id, d.sequence, d.sha
    from core.deployment as d
    inner join changed_chain as c using (source, repository_id)
    where d.sequence >= c.first
    order by d.source, d.repository_id, d.sequence
"""
_FORGET = """
    delete from lineage.label as l
    using changed_chain as c
    where l.source = c.source and l.repository_id = c.repository_id and l.sequence >= c.first
"""
_UNLABELLED = """
    select source, repository_id, sha, parents
    from core.commit
    inner join changed_chain using (source, repository_id)
    anti join lineage.label using (source, repository_id, sha)
"""
