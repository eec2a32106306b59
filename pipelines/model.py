"""What a model says of itself: the header of its file, the tables it reads, and of these the columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from string import Template
from typing import Any, Literal

import duckdb
import yaml
from pydantic import BaseModel, ConfigDict

from pipelines import adoption

FIGURES = "figures"
"""Schema of the figures that the metrics' views rest on."""
FIGURE_KEY = ("subject_key", "period_id")
"""What identifies a figure of delivery."""
FRESH = "fresh"
"""Temporary table with the rows of a table that a refresh made anew."""
QUANTILES: Mapping[str, float] = {"median": 0.5, "p90": 0.9}
"""Estimates that are quantiles, taken of values in order."""


class Column(BaseModel):
    """A documented column."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    type: str
    """DuckDB's name of the type, in lower case."""
    description: str
    """What it holds, with its unit."""
    nullable: bool = False
    accepted: tuple[str, ...] | None = None
    """Every value it may hold."""


class Metric(BaseModel):
    """What a metric's figures mean, and how they combine above a service."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str
    unit: str
    definition: str
    better: Literal["higher", "lower"] | None = None
    area: Literal["delivery", "adoption"] = "delivery"
    """Of adoption, figures are of capabilities too, and their queries are in `models/adoption`."""
    estimate: Literal[
        "median", "p90", "clustered_median", "rate", "survival", "frequency", "count", "given",
        "rate_as_of", "median_as_of", "median_rate", "quick_ratio",
    ]  # fmt: skip
    """Kind of figure, a file of `models/estimates`. A frequency, a count and what is `given` are
    censuses; others of fewer than 5 are `too_few`. Without any deployment in a period a frequency or a
    count is 0, the others null."""
    coverage: Literal["delivery", "failure", "ci"] = "delivery"
    """What must have been read for a period to be complete: a column of `core.subject_coverage`."""
    by_week: bool = False
    """What a week has counts in the periods that its Monday falls in."""
    matures: int = 0
    """Days after its end from which a period has a figure of adoption."""
    is_placed: bool = False
    """What is observed of adoption is of all levels already, not of services alone."""


class Header(BaseModel):
    """The block comment that a model begins with."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    description: str
    grain: str
    key: tuple[str, ...]
    columns: dict[str, Column]
    metric: Metric | None = None
    day: str | None = None
    """Column with the local day on which a row counts in figures; null where it does in none. Where `grain`
    is part of the key, the row counts in that period alone."""
    needs: str | None = None
    """Table without whose rows there are none of this one: it is then left empty without a query."""
    by: tuple[str, ...] = ()
    """Columns, never null, by whose values a refresh takes out rows and makes them anew; see `touched`. The
    first is the one with the most values: rows are looked for by it."""
    onwards: bool = False
    """All from the least value touched of `by`, one column, on is made anew, since rows follow from those
    before them; `touched` holds that value alone."""
    touched: dict[str, tuple[str, ...] | str] = {}
    """Table read → which values of `by` its changed rows touch: those of its columns, or what a query says
    that finds them in `changed`. It finds all whose rows were, or would be, others for such a row, but need
    not look through tables whose own changes tell. A change in a table not named makes all rows anew.

    Lines of the model that begin with `-- refresh:` are part of its query then: they keep of what is read
    what `touched`, a table with the columns `by`, asks for."""
    each: str | None = None
    """Table whose every row makes the rows with its values of `by` alone; the query names it once before any
    line that begins with `-- refresh:`. Where rows came to it and nothing else changed, the query is asked of
    these rows, and what it yields is added."""


@dataclass(frozen=True)
class Model:
    """One table: where it stands, what it says of itself, what it reads."""

    name: str
    """Schema and table, as in `core.deployment`."""
    header: Header
    sql: str
    reads: tuple[str, ...]
    """Tables it reads, models and others."""
    words: frozenset[str] = frozenset()
    """Every word in its queries: the names of columns that it reads are among them."""
    figure_words: frozenset[str] = frozenset()
    """Of a metric, those in the queries that make its figures, without the view of its rows."""
    starred: frozenset[str] = frozenset()
    """Tables of which it reads all columns."""

    def words_of(self, read: str) -> frozenset[str] | None:
        """Words among which are the columns that it reads of a table; None for all columns."""
        return None if read in self.starred else self.words

    @property
    def schema(self) -> str:
        return self.name.partition(".")[0]

    @property
    def table(self) -> str:
        return self.name.partition(".")[2]


class ModelError(Exception):
    """A model whose file and table disagree."""


def parse(path: Path, parser: duckdb.DuckDBPyConnection) -> Model:
    """The model of a file. Raises `ModelError` where it is none."""
    text = path.read_text()
    if not text.startswith("/*"):
        raise ModelError(f"{path.name}: a model begins with its header")
    comment, _, sql = text.removeprefix("/*").partition("*/")
    header = _header(comment)
    if header.get("columns") is None and "metric" in header:
        is_adoption = header["metric"].get("area") == "adoption"
        folder = adoption.FOLDER if is_adoption else path.parents[1]
        shared = _header((folder / "metric.sql").read_text().removeprefix("/*").partition("*/")[0])
        header = shared | header
    parsed = Header.model_validate(header)
    named = [_named(sql, parser)]
    if parsed.metric and parsed.metric.area == "adoption":
        queries = adoption_queries(path.stem, parsed.metric)
        named += [_named(query, parser) for query in queries.values()]
    made = named
    if parsed.metric and parsed.metric.area == "delivery":
        figures, rows = _named_by_kind(
            parsed.metric.estimate, parsed.metric.coverage, path.parents[1], parser
        )
        made, named = [*named, figures], [*named, figures, rows]
    return Model(
        f"{path.parent.name}.{path.stem}",
        parsed,
        sql.strip(),
        reads=tuple(sorted({name for each in named for name in each.tables})),
        words=frozenset(word for each in named for word in each.words),
        figure_words=frozenset(word for each in made for word in each.words),
        starred=frozenset(name for each in named for name in each.starred),
    )


def metric_queries(name: str, header: Header, folder: Path) -> tuple[str, str]:
    """What makes a metric's figures of its observations, and its rows."""
    metric = header.metric
    assert metric
    is_census = metric.estimate in ("frequency", "count")
    values = {
        "table": name,
        "metric": _literal(name),
        "unit": _literal(metric.unit),
        "definition": _literal(metric.definition),
        "coverage": metric.coverage,
        "is_census": str(is_census).lower(),
        "is_sum": str(metric.estimate == "count").lower(),
        "has_interval": str(not is_census and metric.estimate != "given").lower(),
        "quantile": str(QUANTILES.get(metric.estimate)),
    }
    estimating = "quantile" if metric.estimate in QUANTILES else metric.estimate

    def filled(file: str) -> str:
        return Template((folder / file).read_text()).substitute(values)

    values["estimate"] = filled(f"estimates/{estimating}.sql")
    return filled("figures.sql"), filled("metric.sql").partition("*/")[2]


def adoption_queries(name: str, metric: Metric) -> dict[str, str]:
    """A metric of adoption's tables on the way to its rows, as `adoption.queries` says."""
    values = {
        "table": name,
        "metric": _literal(name),
        "unit": _literal(metric.unit),
        "definition": _literal(metric.definition),
        "matures": str(metric.matures),
    }
    return adoption.queries(metric.estimate, values, is_placed=metric.is_placed)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@cache
def _header(comment: str) -> dict[str, Any]:
    # libyaml, where it is there, takes a tenth of the time.
    header: dict[str, Any] = yaml.load(comment, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return header


@cache
def _named_by_kind(
    estimate: str, coverage: str, folder: Path, parser: duckdb.DuckDBPyConnection
) -> list[_Named]:
    """What the queries name that metrics of an estimate and a coverage share: of figures, and of rows."""
    metric = {"title": "", "unit": "", "definition": "", "estimate": estimate, "coverage": coverage}
    header = Header.model_validate(
        {"description": "", "grain": "", "key": (), "columns": {}, "metric": metric}
    )
    return [_named(query, parser) for query in metric_queries("x", header, folder)]


@dataclass
class _Named:
    """What a query names."""

    tables: set[str] = field(default_factory=set)
    """Those that it names with their schema."""
    words: set[str] = field(default_factory=set)
    starred: set[str] = field(default_factory=set)


def _named(sql: str, parser: duckdb.DuckDBPyConnection) -> _Named:
    ((text,),) = parser.execute(f"select json_serialize_sql({_literal(sql)})").fetchall()
    tree = json.loads(text)
    if tree["error"]:
        raise ModelError(f"{tree['error_message']}: {sql}")
    named = _Named()
    for node in _nodes(tree):
        named.words.update(
            word for value in node.values() for word in (value if isinstance(value, list) else [value])
            if isinstance(word, str)
        )  # fmt: skip
        if node.get("type") == "BASE_TABLE" and (name := _name(node)):
            named.tables.add(name)
        if node.get("type") == "SELECT_NODE":
            named.starred.update(_starred(node))
    return named


def _name(table: Mapping[str, Any]) -> str | None:
    schema = table["schema_name"]
    return f"{schema}.{table['table_name']}" if schema not in ("", FIGURES) else None


def _starred(select: Mapping[str, Any]) -> Iterator[str]:
    """The tables all columns of which a `select` yields, or takes as one value."""
    stars = {node["relation_name"] for node in _nodes(select["select_list"]) if node.get("type") == "STAR"}
    values = {
        node["column_names"][0]
        for node in _nodes(select)
        if node.get("type") == "COLUMN_REF" and len(node["column_names"]) == 1
    }
    tables = [select["from_table"]]
    while tables:
        table = tables.pop()
        if table["type"] == "JOIN":
            # Of a table to the right of these, nothing is yielded.
            tables += [table["left"], *([] if table["join_type"] in ("SEMI", "ANTI") else [table["right"]])]
        elif table["type"] == "BASE_TABLE" and (name := _name(table)):
            called = table["alias"] or table["table_name"]
            if called in values or not stars.isdisjoint({"", called}):
                yield name


def _nodes(tree: object) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            yield node
