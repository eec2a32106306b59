"""Headers and tables, order and lineage of the models."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from pipelines import checks, modelling
from pipelines.model import ModelError


def write(folder: Path, name: str, sql: str, columns: str = "a: {type: integer, description: A}") -> None:
    schema, table = name.split(".")
    (folder / schema).mkdir(exist_ok=True)
    header = f"/*\ndescription: D\ngrain: one row\nkey: [a]\ncolumns:\n  {columns}\n*/\n"
    (folder / schema / f"{table}.sql").write_text(header + sql)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "macros.sql").write_text("create or replace temp macro one() as 1;")
    return tmp_path


def run(folder: Path) -> dict[str, dict[str, int]]:
    with duckdb.connect() as connection:
        return {built.model.name: built.broken for built in modelling.run(connection, folder)}


def test_models_run_after_what_they_read(folder: Path) -> None:
    write(folder, "marts.a", "select a from core.z")
    write(folder, "core.z", "select a from core.b")
    write(folder, "core.b", "select one() as a")
    assert list(run(folder)) == ["core.b", "core.z", "marts.a"]


@pytest.mark.parametrize(
    "sql",
    ["select 1 as b", "select 1 as a, 2 as b", "select 'x' as a", "select no_such_column as a"],
    ids=["another name", "an undocumented column", "another type", "invalid"],
)
def test_a_table_that_its_header_does_not_describe_is_refused(folder: Path, sql: str) -> None:
    write(folder, "core.b", sql)
    with pytest.raises(ModelError, match=r"core\.b"):
        run(folder)


@pytest.mark.parametrize("at_once", [1, checks.MOST_AT_ONCE])
def test_rows_that_break_the_header_are_counted_by_constraint(
    folder: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(checks, "MOST_AT_ONCE", at_once)
    columns = "a: {type: integer, description: A, accepted: [one]}"
    write(folder, "core.b", "select unnest([1, 1, null])::integer as a", "a: {type: integer, description: A}")
    write(folder, "core.c", "select 'two' as a", columns.replace("integer", "varchar"))
    assert run(folder) == {"core.b": {"a is unique": 1, "a is not null": 1}, "core.c": {"a is accepted": 1}}


def test_queries_have_as_many_threads_as_there_are_processors(folder: Path) -> None:
    counting = "select current_setting('threads')::integer as a"
    write(folder, "core.b", counting)
    write(folder, "core.c", counting)
    write(folder, "marts.alone", f"{counting} from core.b, core.c")
    with duckdb.connect(config={"threads": 4}) as connection:
        list(modelling.run(connection, folder))
        found = connection.execute("select least(b.a, c.a), m.a from core.b, core.c, marts.alone as m")
        # The first of two is done while the other has a thread of its own.
        assert found.fetchall() == [(3, 4)]
        assert connection.execute("select current_setting('threads')").fetchall() == [(4,)]


def test_a_table_whose_model_is_gone_is_dropped(folder: Path) -> None:
    write(folder, "core.b", "select 1 as a")
    with duckdb.connect() as connection:
        connection.execute("create schema core; create table core.old (a integer)")
        list(modelling.run(connection, folder))
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'core'"
        ).fetchall()
    assert tables == [("b",)]


def test_every_real_model_is_documented() -> None:
    for model in modelling.models().values():
        assert model.header.key
        assert set(model.header.key) <= set(model.header.columns)
        if model.header.metric:
            assert model.schema == "marts"


def test_every_rule_of_a_refresh_is_about_what_the_model_reads() -> None:
    refreshed = [model for model in modelling.models().values() if model.header.by]
    assert refreshed
    for model in refreshed:
        columns = model.header.columns
        assert not [name for name in model.header.by if columns[name].nullable], model.name
        assert model.header.touched.keys() <= {*model.reads}, model.name
        for rule in model.header.touched.values():
            looked_through = re.findall(r"(?:from|join) (\w+\.\w+)", rule) if isinstance(rule, str) else []
            assert {*looked_through} <= {*model.reads, model.name}, model.name


def test_the_lineage_of_a_model_reaches_through_what_python_builds() -> None:
    models = modelling.models()
    assert "core.line" in modelling.model_dependencies(models["core.change_label"])
    assert "core.environment_rollout" in modelling.model_dependencies(models["core.rollout"])
    assert "raw.ref" in modelling.model_dependencies(models["core.production_event"])
