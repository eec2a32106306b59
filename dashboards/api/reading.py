"""Answers with rows of a snapshot: a page of them as JSON or CSV, its ETag, and where the next one begins."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple
from urllib.parse import urlencode

import duckdb
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from dashboards import export
from dashboards.api import asked, cursors
from dashboards.api.cursors import Cursor
from dashboards.api.problems import Problem
from pipelines import warehouse
from pipelines.home import Home
from pipelines.warehouse import Snapshot, WarehouseError

log = logging.getLogger(__name__)


class Part(NamedTuple):
    """A query whose rows follow those of the part before."""

    name: str
    found: str
    """SQL of all its rows, with few columns: DuckDB sorts them for every page."""
    told: str
    """SQL of the answer's columns and those of `place`, over a page of these rows in the table `found`."""
    place: Mapping[str, str]
    """Columns that order the rows and find one again, none of them null → DuckDB's type."""
    params: Mapping[str, object]


class Row(NamedTuple):
    """A row of the answer."""

    part: str
    cells: tuple[Any, ...]
    """For JSON one alone, the whole row."""
    place: tuple[str, ...]


async def answer(
    request: Request,
    model: type[asked.Asked],
    columns: Sequence[str],
    parts: Callable[[Snapshot, asked.Asked], Sequence[Part]],
) -> Response:
    """The page that is asked for, or 304 where whoever asks has it.

    `parts` says where rows with these columns come from; it raises `Problem` for names there are not.
    """
    query = asked.read(model, request.query_params)
    form = query.format or _preferred(request.headers.get("accept", ""))
    return await run_in_threadpool(_answer, request, query, form, columns, parts)


def _answer(
    request: Request,
    query: asked.Asked,
    form: str,
    columns: Sequence[str],
    parts: Callable[[Snapshot, asked.Asked], Sequence[Part]],
) -> Response:
    home, cursor = Home.from_env(), cursors.of(query)

    def headers(snapshot_id: str) -> dict[str, str]:
        # What is sent is compressed on its way, and is then another representation.
        is_compressed = "gzip" in request.headers.get("accept-encoding", "")
        told = [snapshot_id, version("cairn"), request.url.path, form, query.model_dump_json(), is_compressed]
        return {
            "ETag": f'"{hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]}"',
            "Cache-Control": "private, no-cache",
            "Vary": "Accept, Authorization, Cookie",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
        }

    snapshot_id = cursor.snapshot if cursor else warehouse.current_id(home)
    if snapshot_id and _has(request, headers(snapshot_id)["ETag"]):
        return Response(status_code=304, headers=headers(snapshot_id))
    snapshot = _snapshot(home, cursor)
    # One row more than wanted says that others follow.
    rows = _rows(snapshot, parts(snapshot, query), columns, cursor, query.limit + 1, form)
    made, following = headers(snapshot.id), None
    if len(rows) > query.limit:
        rows, last = rows[:-1], rows[-2]
        same = [each for each in request.query_params.multi_items() if each[0] != "cursor"]
        cursor_text = cursors.written(query, snapshot.id, last.part, last.place)
        # Relative, so that it holds whatever a proxy puts before the path.
        following = "?" + urlencode([*same, ("cursor", cursor_text)])
        made["Link"] = f'<{following}>; rel="next"'
    if form == "csv":
        cells = export.text(columns, [row.cells for row in rows])
        return Response(cells, headers=made, media_type="text/csv")
    begin = json.dumps({"snapshot": snapshot.id, "next": following})[:-1]
    body = begin + ', "rows": [\n' + ",\n".join(row.cells[0] for row in rows) + "\n]}\n"
    return Response(body, headers=made, media_type="application/json")


def _rows(
    snapshot: Snapshot,
    parts: Sequence[Part],
    columns: Sequence[str],
    cursor: Cursor | None,
    most: int,
    form: str,
) -> list[Row]:
    """Rows after the cursor, of as many parts as it takes."""
    names = [part.name for part in parts]
    if cursor and cursor.part not in names:
        raise cursors.refused()
    rows: list[Row] = []
    for part in parts[names.index(cursor.part) if cursor else 0 :]:
        after = cursor.place if cursor and cursor.part == part.name else None
        rows += _rows_of(snapshot, part, columns, after, most - len(rows), form)
        if len(rows) == most:
            break
    return rows


def _rows_of(
    snapshot: Snapshot, part: Part, columns: Sequence[str], after: Sequence[str] | None, most: int, form: str
) -> list[Row]:
    order = ", ".join(part.place)
    beyond, params = "true", {**part.params, "most": most}
    if after is not None:
        if len(after) != len(part.place):
            raise cursors.refused()
        params |= {f"after_{name}": value for name, value in zip(part.place, after, strict=True)}
        values = ", ".join(f"$after_{name}::{kind}" for name, kind in part.place.items())
        beyond = f"({order}) > ({values})"
    cells = [*columns]
    if form == "json":
        cells = ["to_json({" + ", ".join(f"'{name}': {name}" for name in columns) + "})::varchar"]
    place = [f"{name}::varchar" for name in part.place]
    try:
        rows = snapshot.tuples(
            f"""
            with found as (from ({part.found}) where {beyond} order by {order} limit $most)
            select {", ".join([*cells, *place])} from ({part.told}) order by {order}
            """,
            params,
        )
    except duckdb.ConversionException:
        raise cursors.refused() from None
    return [Row(part.name, row[: len(cells)], row[len(cells) :]) for row in rows]


def _snapshot(home: Home, cursor: Cursor | None) -> Snapshot:
    try:
        snapshot = warehouse.kept(home, cursor.snapshot) if cursor else warehouse.published(home)
    except WarehouseError as error:
        log.error("A request could not be answered: %s", error)
        raise Problem(503, "What is published cannot be read", headers={"Retry-After": "60"}) from None
    if snapshot is None and cursor:
        raise Problem(410, "Newer figures are published, those of this cursor are gone: begin without it")
    if snapshot is None:
        raise Problem(503, "Nothing is published yet: run `cairn sync`", headers={"Retry-After": "60"})
    return snapshot


def _has(request: Request, tag: str) -> bool:
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or tag in [each.strip().removeprefix("W/") for each in given.split(",")]


def _preferred(accept: str) -> str:
    """CSV where the header `Accept` wants it more than JSON, which is for whoever names neither."""
    weights = {}
    for each in accept.lower().split(","):
        media, *params = (part.strip() for part in each.split(";"))
        weight = next((part for part in params if part.startswith("q=")), "q=1")[2:]
        weights[media] = float(weight) if re.fullmatch(r"[01](\.[0-9]{1,3})?", weight) else 0
    return "csv" if weights.get("text/csv", 0) > weights.get("application/json", 0) else "json"
