"""Lineage against `git rev-list`, and incremental against from scratch, over random histories."""

from __future__ import annotations

import subprocess
import tempfile
from itertools import accumulate
from pathlib import Path

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import ancestry, lineage
from pipelines.modelling import MODELS
from tests.histories import imported
from tests.pipelines import modelled

REPOSITORY = ("git", "shop")

Parents = dict[str, list[str]]


@st.composite
def histories(draw: st.DrawFn, most: int = 25) -> Parents:
    """Commits, each with up to three of the earlier ones as parents: several roots, merges, criss-cross."""
    size = draw(st.integers(1, most))
    return {
        str(number): [str(p) for p in draw(st.lists(st.integers(0, number - 1), max_size=3, unique=True))]
        if number
        else []
        for number in range(size)
    }


@st.composite
def deployed_histories(draw: st.DrawFn) -> tuple[Parents, list[str]]:
    parents = draw(histories())
    return parents, draw(st.lists(st.sampled_from(sorted(parents)), max_size=8))


def first_containing(chain: list[str], parents: Parents) -> dict[str, int]:
    """Commit → sequence, from 1, of the deployment that contains it first."""
    number = {sha: n for n, sha in enumerate(parents)}
    above = [number.get(p, len(number)) for shas in parents.values() for p in shas]
    ends = [0, *accumulate(map(len, parents.values()))]
    deployed = [number.get(sha, len(number)) for sha in chain]
    labels = lineage.first_containing(enumerate(deployed, 1), ends, above)
    return {sha: label for sha, label in zip(parents, labels, strict=True) if label}


@settings(max_examples=60, deadline=None)
@given(deployed_histories())
def test_first_containing_is_what_git_lists(drawn: tuple[Parents, list[str]]) -> None:
    parents, chain = drawn
    got = first_containing(chain, parents)
    with tempfile.TemporaryDirectory() as folder:
        shas = _written(Path(folder) / "x.git", parents)
        wanted: dict[str, int] = {}
        for sequence, commit in enumerate(chain, 1):
            earlier = [shas[other] for other in chain[: sequence - 1]]
            command = ["git", "rev-list", shas[commit], "--not", *earlier]
            listed = subprocess.run(
                command, cwd=Path(folder) / "x.git", capture_output=True, check=True, text=True
            )
            wanted |= dict.fromkeys(listed.stdout.split(), sequence)
    assert {shas[commit]: sequence for commit, sequence in got.items()} == wanted


def _written(path: Path, parents: Parents) -> dict[str, str]:
    """Write the commits into a repository; name → sha."""
    subprocess.run(["git", "init", "--quiet", "--bare", path], check=True)
    stream = []
    for name, above in parents.items():
        first, *merged = above or [""]
        stream.append(f"reset refs/heads/x{name}\ncommit refs/heads/x{name}\nmark :{int(name) + 1}\n")
        stream.append(
            f"committer A <a@example.invalid> {1_700_000_000 + int(name)} +0000\ndata {len(name)}\n{name}\n"
        )
        stream += [f"from :{int(first) + 1}\n"] if first else []
        stream += [f"merge :{int(other) + 1}\n" for other in merged]
    subprocess.run(["git", "fast-import", "--quiet"], cwd=path, input="".join(stream).encode(), check=True)
    form = "--format=%(refname:lstrip=2) %(objectname)"
    listed = subprocess.run(
        ["git", "for-each-ref", form], cwd=path, capture_output=True, check=True, text=True
    )
    return {line.split()[0]: line.split()[1] for line in listed.stdout.replace("x", "").splitlines()}


@settings(max_examples=100, deadline=None)
@given(histories(), st.data())
def test_a_strict_ancestor_is_reached_over_an_edge(parents: Parents, data: st.DataObject) -> None:
    names = st.sampled_from(sorted(parents))
    one, other = data.draw(names), data.draw(names)
    reached = {above for sha in first_containing([other], parents) for above in parents[sha]}
    assert ancestry.is_strict_ancestor(one, other, parents) == (one in reached)


@settings(max_examples=60, deadline=None)
@given(histories(), st.data())
def test_an_update_ends_where_a_fresh_start_does(parents: Parents, data: st.DataObject) -> None:
    connection = _tables()
    shas = sorted(parents, key=int)
    for _ in range(4):
        # Commits come in any order, even after their deployment, and go; deployments may be added, inserted,
        # moved and removed at will.
        known = data.draw(st.sets(st.sampled_from(shas), min_size=1))
        chain = data.draw(st.lists(st.sampled_from(shas), max_size=6))
        _update(connection, {sha: parents[sha] for sha in known}, chain)
        wanted = first_containing(chain, {sha: parents[sha] for sha in known})
        assert _labels(connection) == wanted


def test_an_appended_deployment_labels_new_commits_alone(tmp_path: Path) -> None:
    connection = _tables()
    parents: Parents = {str(n): [str(n - 1)] if n else [] for n in range(1000)}
    assert _update(connection, parents, ["900"]) == 901
    assert _update(connection, parents, ["900", "910"]) == 10
    assert _update(connection, parents, ["900", "910"]) == 0


def test_a_commit_that_comes_in_late_is_walked_then() -> None:
    connection = _tables()
    assert _update(connection, {"0": [], "2": ["1"], "3": ["2"]}, ["0", "2", "3"]) == 3
    # From the deployment that it was missed in.
    assert _update(connection, {"0": [], "1": ["0"], "2": ["1"], "3": ["2"]}, ["0", "2", "3"]) == 3
    assert _labels(connection) == {"0": 1, "1": 2, "2": 2, "3": 3}
    assert connection.execute("from lineage.missing").fetchall() == []


def test_a_long_line_of_commits_and_many_tags_are_walked_once() -> None:
    """50 000 commits and as many tags: quadratic work would not end."""
    parents = {str(n): [str(n - 1)] if n else [] for n in range(50_000)}
    labels = first_containing([*parents], parents)
    assert all(labels[str(n)] == n + 1 for n in range(0, 50_000, 977))


def test_a_deployed_commit_that_is_unknown_is_no_error() -> None:
    assert first_containing(["gone"], {"a": []}) == {}


def test_the_real_history_is_walked_as_git_walks_it(tmp_path: Path) -> None:
    path = imported(tmp_path / "x.git")

    def git(*arguments: str) -> list[str]:
        return subprocess.run(
            ["git", *arguments], cwd=path, capture_output=True, check=True, text=True
        ).stdout.splitlines()

    parents = {line.split()[0]: line.split()[1:] for line in git("log", "--all", "--format=%H %P")}
    (head,) = git("rev-parse", "main")
    assert first_containing([head], parents).keys() == {*git("rev-list", "main")}


def _tables() -> duckdb.DuckDBPyConnection:
    connection = modelled.connect()
    connection.execute((MODELS / "macros.sql").read_text())
    connection.execute("create schema core")
    connection.execute(
        "create table core.commit ("
        "source varchar, repository_id varchar, sha varchar, commit_key ubigint, parent_keys ubigint[]);"
        "create table core.line ("
        "line_id varchar, source varchar, repository_id varchar, sequence bigint, sha varchar)"
    )
    connection.execute(lineage.SCHEMA)
    return connection


def _labels(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Commit → sequence of the deployment that contains it first."""
    rows = connection.execute(
        "select sha, sequence from lineage.label inner join core.commit using (commit_key)"
    ).fetchall()
    return dict(rows)


def _update(connection: duckdb.DuckDBPyConnection, parents: Parents, chain: list[str]) -> int:
    """Labels given anew where these are the commits, some of them new and some gone, and the deployments."""
    connection.execute("create or replace temp table was as select commit_key from core.commit")
    connection.execute("create or replace temp table was_line as from core.line")
    connection.execute("truncate core.commit; truncate core.line")
    connection.execute(
        "insert into core.commit select $1, $2, sha, commit_key($1, $2, sha),"
        " list_transform(parents, lambda parent: commit_key($1, $2, parent))"
        " from (select unnest($3::varchar[]) as sha, unnest($4::varchar[][]) as parents)",
        [*REPOSITORY, [*parents], [*parents.values()]],
    )
    connection.execute(
        "insert into core.line select 'line', $1, $2, generate_subscripts(chain, 1), unnest(chain)"
        " from (select $3::varchar[] as chain)",
        [*REPOSITORY, chain],
    )
    come = "select commit_key from core.commit anti join was using (commit_key)"
    gone = "select commit_key from was anti join core.commit using (commit_key)"
    lines = "(from core.line except from was_line) union all (from was_line except from core.line)"
    return lineage.label(connection, lines, gone, come)
