"""Publication: what waves released, from the survey store into the warehouse's schema `survey`.

Raw answers are never asked for here. What is written is what the marts publish, and nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import duckdb

from pipelines import deltas
from pipelines.home import Home
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from surveys.released import Released
    from surveys.store import Action, Store

_TABLES = {
    "wave": """
        wave varchar, instrument varchar, instrument_version bigint, title varchar, opened_on date,
        closed_on date, released_on date, invited bigint, answered bigint, minimum_group bigint,
        comment_group bigint, comments_withheld bigint""",
    "item": """
        wave varchar, item_id varchar, item_version bigint, position bigint, construct varchar,
        construct_title varchar, label varchar, text varchar, direction varchar, low bigint, high bigint,
        low_label varchar, high_label varchar, replaces varchar, source varchar""",
    "cell": """
        wave varchar, item_id varchar, construct varchar, statistic varchar, table_name varchar,
        group_name varchar, parent varchar, depth bigint, status varchar, value double, n bigint, low double,
        high double, dont_know bigint, counts map(varchar, bigint), rolls_up_to varchar, earlier_wave varchar,
        change double, change_low double, change_high double, p_holm double, is_change boolean,
        detectable double, change_says varchar""",
    "comment": """
        wave varchar, position bigint, item_id varchar, group_name varchar, parent varchar, commenters bigint,
        text varchar""",
    "driver": """
        wave varchar, outcome varchar, construct varchar, share double, direction varchar, status varchar,
        n bigint, r_squared double, threshold double, caption varchar""",
    "action": """
        action_id bigint, wave varchar, theme varchar, said varchar, did varchar, status varchar,
        decided_on date, url varchar""",
}
Rows = dict[str, list[tuple[object, ...]]]


def open_store(home: Home, workspace: Workspace) -> Store:
    """The survey store, brought up to date; raises `StoreError`."""
    from surveys.store import Store

    home.create()
    return Store(address(home, workspace), home.survey_keys)


def address(home: Home, workspace: Workspace) -> str:
    """The store's database URL, with its password."""
    return workspace.surveys.store or f"sqlite:///{home.survey_database}"


def is_there(home: Home, workspace: Workspace) -> bool:
    """Whether there may be any wave; asked before the store is opened, which would make one."""
    return workspace.surveys.store is not None or home.survey_database.exists()


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables of `survey` where they are missing."""
    connection.execute("create schema if not exists survey")
    for table, columns in _TABLES.items():
        connection.execute(f"create table if not exists survey.{table} ({columns})")


def load(connection: duckdb.DuckDBPyConnection, home: Home, workspace: Workspace) -> str | None:
    """Bring `survey.*` in line with what is released; where the store cannot be read, why, in a line.

    Then what was loaded before stays, and the rest of a sync goes on.
    """
    prepare(connection)
    if not is_there(home, workspace):
        return None
    from surveys.errors import StoreError
    from surveys.released import released

    try:
        with open_store(home, workspace) as store:
            rows = _rows(released(store), store.actions(), ZoneInfo(workspace.timezone))
    except StoreError as error:
        return f"surveys: {error}"
    if any(_held(connection, table) != sorted(map(repr, rows[table])) for table in _TABLES):
        _replace(connection, rows)
    return None


def _replace(connection: duckdb.DuckDBPyConnection, rows: Rows) -> None:
    connection.execute("begin")
    try:
        for table, columns in _TABLES.items():
            connection.execute(f"create or replace table survey.{table} ({columns})")
            if rows[table]:
                marks = ", ".join("?" for _ in rows[table][0])
                connection.executemany(f"insert into survey.{table} values ({marks})", rows[table])
        connection.execute("update raw.version set version = version + 1")
        deltas.note_load(connection)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def _held(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    return sorted(map(repr, connection.execute(f"from survey.{table}").fetchall()))


def _rows(waves: Sequence[Released], actions: Sequence[Action], zone: ZoneInfo) -> Rows:
    shown = {each.wave.id for each in waves}
    return {
        "wave": [_wave(each, zone) for each in waves],
        "item": [row for each in waves for row in _items(each)],
        "cell": [_cell(row) for each in waves for row in each.of("cell")],
        "comment": [
            (each.wave.id, position, *(row[key] for key in ("item_id", "group", "parent", "n", "text")))
            for each in waves
            for position, row in enumerate(each.of("comment"), 1)
        ],
        "driver": [row for each in waves for found in each.of("driver") for row in _drivers(each, found)],
        "action": [
            (a.id, a.wave, a.theme, a.said, a.did, a.status, a.decided_on, a.url)
            for a in actions
            if a.wave in shown
        ],
    }


def _wave(released: Released, zone: ZoneInfo) -> tuple[object, ...]:
    wave, instrument = released.wave, released.instrument
    assert wave.released_at
    withheld = sum(int(str(row["comments"])) for row in released.of("withheld"))
    return (
        wave.id,
        wave.instrument_id,
        wave.instrument_version,
        instrument.title[instrument.languages[0]],
        wave.opens_at.astimezone(zone).date(),
        wave.closes_at.astimezone(zone).date(),
        wave.released_at.astimezone(zone).date(),
        wave.invited,
        wave.answered,
        wave.minimum_group,
        wave.comment_group,
        withheld,
    )


def _items(released: Released) -> list[tuple[object, ...]]:
    instrument = released.instrument
    language = instrument.languages[0]
    rows: list[tuple[object, ...]] = []
    for position, item in enumerate(instrument.items, 1):
        scale = item.scale
        ends = (scale.low, scale.high) if scale else (None, None)
        labels = (scale.labels[scale.low], scale.labels[scale.high]) if scale else ({}, {})
        construct = instrument.constructs[item.construct_id]
        rows.append(
            (
                released.wave.id,
                item.id,
                item.version,
                position,
                item.construct_id,
                construct.title[language],
                item.label[language],
                item.text[language],
                item.direction,
                *ends,
                *(label.get(language) for label in labels),
                item.replaces,
                construct.source,
            )
        )
    return rows


def _cell(row: Mapping[str, Any]) -> tuple[object, ...]:
    compared: Mapping[str, Any] = row.get("comparison") or {}
    keys = (
        "wave",
        "item_id",
        "construct",
        "statistic",
        "table",
        "group",
        "parent",
        "depth",
        "status",
        "value",
    )
    more = ("n", "low", "high", "dont_know", "counts", "rolls_up_to")
    changes = ("wave", "change", "low", "high", "p_holm", "is_change", "detectable", "says")
    return (*(row[key] for key in (*keys, *more)), *(compared.get(key) for key in changes))


def _drivers(released: Released, found: Mapping[str, Any]) -> list[tuple[object, ...]]:
    is_shown = found["status"] == "ok"
    head = (released.wave.id, found["outcome"])
    # Exactly, it would tell how few left out one of the questions.
    n = found["n"] // 10 * 10 if is_shown else None
    tail = (found["status"], n, *(found[key] for key in ("r_squared", "threshold", "caption")))
    shares = found["shares"] if is_shown else []
    rows = [(*head, each["construct"], each["share"], each["direction"], *tail) for each in shares]
    return rows or [(*head, None, None, None, *tail)]
