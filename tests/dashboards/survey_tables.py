"""Survey marts made by hand: four waves of a team tree, one of whose questions was replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import duckdb

from pipelines.home import Home
from tests.dashboards import snapshot
from tests.dashboards.snapshot import Plan

MARKUP = "<b>Ship</b> [it](javascript:alert(1)) & `go` $x$"
"""Text that must stay text."""
COMMENTS = (
    ("", "The pipeline takes twenty minutes.\nI read the news meanwhile."),
    ("", f"<img src=x onerror=alert(1)> {MARKUP} <script>alert(1)</script>"),
    ("", '=HYPERLINK("https://evil.example","click")'),
    ("Commerce", "مرحبا بالعالم: the docs are old 🗿"),
    ("Commerce", "Réviews wait for days."),
)
WAVES = ("2025-11", "2026-02", "2026-05", "2026-08")
TREE: Mapping[str, str | None] = {
    "": None, "Commerce": "", "Payments": "Commerce", "Till <i>team</i>": "Commerce", "Discovery": "",
    "Search": "Discovery", "New": "",
}  # fmt: skip
"""Group → what it is part of."""
_INVITED = {
    "": 120,
    "Commerce": 64,
    "Payments": 34,
    "Till <i>team</i>": 30,
    "Discovery": 56,
    "Search": 8,
    "New": 0,
}
ITEMS = (
    ("satisfaction-overall", "satisfaction", "Satisfaction", "Overall satisfaction"),
    ("delivery-ease", "ease_of_delivery", "Ease of delivery", "From finished to live"),
    ("feedback-checks", "feedback_loops", "Feedback loops", "Fast checks"),
    ("flow-focus", "flow", "Flow", "Time to focus"),
    ("load-systems", "cognitive_load", "Cognitive load", "Systems to know"),
    ("docs-find-2", "documentation", "Documentation", MARKUP),
    ("platform-useful", "platform_usability", "Usability of the platform", "Does what I need"),
    ("platform-recommend", "platform_recommendation", "Recommending the platform", "Recommend it"),
)
REPLACED = {"docs-find-2": "docs-find"}
"""Question → the one it stands in the place of, which the first two waves asked."""

_TABLES = """
    create table marts.survey_wave (wave varchar, position bigint, instrument varchar,
        instrument_version bigint, title varchar, opened_on date, closed_on date, released_on date,
        invited bigint, answered bigint, response_rate double, minimum_group bigint, comment_group bigint,
        comments bigint, comments_withheld bigint);
    create table marts.survey_item (wave varchar, item_id varchar, item_version bigint, position bigint,
        construct varchar, construct_title varchar, label varchar, text varchar, direction varchar,
        low bigint, high bigint, low_label varchar, high_label varchar, replaces varchar, source varchar);
    create table marts.survey_cell (wave varchar, item_id varchar, construct varchar, statistic varchar,
        table_name varchar, group_name varchar, parent varchar, depth bigint, status varchar, value double,
        n bigint, low double, high double, dont_know bigint, counts map(varchar, bigint),
        rolls_up_to varchar, earlier_wave varchar, change double, change_low double, change_high double,
        p_holm double, is_change boolean, detectable double, change_says varchar);
    create table marts.survey_comment (wave varchar, position bigint, item_id varchar, group_name varchar,
        parent varchar, commenters bigint, text varchar);
    create table marts.survey_driver (wave varchar, outcome varchar, construct varchar, share double,
        direction varchar, status varchar, n bigint, r_squared double, threshold double, caption varchar);
    create table marts.survey_action (action_id bigint, wave varchar, theme varchar, said varchar,
        did varchar, status varchar, decided_on date, url varchar);
"""


def publish(home: Home, snapshot_id: str, amend: str = "") -> None:
    """Write a snapshot without any deployment, with these marts as `amend` leaves them; make it current."""
    snapshot.publish(home, Plan(last_on=date(2000, 1, 1), covered_until=datetime.now(UTC)), snapshot_id)
    with duckdb.connect(home.published / f"{snapshot_id}.duckdb") as connection:
        add(connection)
        connection.execute(amend)


def add(connection: duckdb.DuckDBPyConnection) -> None:
    """Four waves; the newest with comments, drivers and actions. Of Search everything is withheld."""
    connection.execute(_TABLES)
    for position, wave in enumerate(WAVES, 1):
        day = f"{wave}-03"
        connection.execute(
            "insert into marts.survey_wave values (?, ?, 'pulse', 1, 'Two minutes', ?::date, ?::date + 14,"
            " ?::date + 17, 120, 86, 86 / 120, 5, 10, ?, 3)",
            [wave, position, day, day, day, len(COMMENTS) if wave == WAVES[-1] else 0],
        )
        _insert(connection, "survey_item", _items(wave))
        _insert(connection, "survey_cell", _cells(wave))
    last = WAVES[-1]
    connection.executemany(
        "insert into marts.survey_comment values (?, ?, 'improve-one', ?, null, 12, ?)",
        [(last, position, *comment) for position, comment in enumerate(COMMENTS, 1)],
    )
    connection.executemany(
        "insert into marts.survey_driver values (?, 'satisfaction', ?, ?, ?, ?, ?, ?, ?, 'Association.')",
        [
            (last, "flow", 0.31, "rises", "ok", 110, 0.52, 0.06),
            (last, "cognitive_load", 0.14, "falls", "ok", 110, 0.52, 0.06),
            (WAVES[-2], None, None, None, "too_few", None, None, None),
            (WAVES[-3], None, None, None, "not_above_chance", None, None, None),
        ],
    )
    connection.executemany(
        "insert into marts.survey_action values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (1, last, "feedback_loops", "Checks take long.", "Twice the runners.", "done", "2026-09-01",
             "https://acme.example/checks"),
            (2, last, "technical-debt", MARKUP, "=1+1", "declined", "2026-09-02", "javascript:alert(1)"),
        ],
    )  # fmt: skip


def _items(wave: str) -> Iterator[dict[str, Any]]:
    for position, (item, construct, title, label) in enumerate(ITEMS, 1):
        old = REPLACED.get(item)
        is_old = old is not None and wave in WAVES[:2]
        yield {
            "wave": wave, "item_id": old if is_old else item, "item_version": 1, "position": position,
            "construct": construct, "construct_title": title, "label": "Old question" if is_old else label,
            "text": f"How is it with {label}?", "direction": "positive", "low": 1, "high": 5,
            "replaces": None if is_old else old, "source": "own",
        }  # fmt: skip
    yield {
        "wave": wave, "item_id": "improve-one", "item_version": 1, "position": 20, "construct": "open",
        "construct_title": "Open", "label": "What to improve", "text": "What?", "direction": "neutral",
        "source": "own",
    }  # fmt: skip


def _cells(wave: str) -> Iterator[dict[str, Any]]:
    tiers = {("tier", name): "" for name in ("tier-1", "tier-2")}
    for (table, group), parent in ({("team", name): above for name, above in TREE.items()} | tiers).items():
        invited = _INVITED.get(group, 60)
        status = "no_data" if invited == 0 else "suppressed" if group == "Search" else "ok"
        depth, above = 0, parent
        while above is not None:
            depth, above = depth + 1, TREE[above]
        where = {
            "wave": wave, "table_name": table, "group_name": group, "parent": parent, "depth": depth,
            "status": status, "rolls_up_to": None if status == "ok" else parent,
        }  # fmt: skip
        for named, figures in _figures(wave, table, invited, int(0.72 * invited)):
            yield where | named | (figures if status == "ok" else {})


def _figures(wave: str, table: str, invited: int, n: int) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """What is measured, and its figures where they are shown."""
    number = WAVES.index(wave)

    def figures(value: float, margin: float, **more: Any) -> dict[str, Any]:
        return {"value": value, "low": value - margin, "high": value + margin, "n": n} | more

    def named(item: str, construct: str, statistic: str) -> dict[str, str]:
        return {"item_id": item, "construct": construct, "statistic": statistic}

    counts = {"invited": invited, "answered": n}
    yield named("response", "response", "response"), figures(0.72, 0.05, n=invited, counts=counts)
    for place, item in enumerate(_items(wave)):
        if item["item_id"] in {"improve-one", "platform-useful"}:
            continue
        what = item["item_id"], item["construct"]
        value = 0.3 + 0.06 * place + 0.04 * number
        yield named(*what, "top2"), figures(value, 0.07, dont_know=2, **_compared(what[0], number))
        yield named(*what, "mean"), figures(55 + place, 5)
    yield named("platform-recommend", "platform_recommendation", "nps"), figures(-8, 14)
    yield named("platform_usability", "platform_usability", "umux_lite"), figures(61.4, 4)
    if table == "team":
        yield (
            named("builds", "theme", "theme"),
            figures(0.27, 0.07, counts={"mentioned": 23, "other": n - 23}),
        )


def _compared(item: str, number: int) -> dict[str, Any]:
    if not number:
        return {}
    before, is_change = WAVES[number - 1], item == "delivery-ease"
    says = f"No detectable change since {before}: a difference of about 13 points would have shown."
    return {
        "earlier_wave": before, "change": 0.21 if is_change else 0.04, "is_change": is_change,
        "change_says": f"Up by 21 points since {before}." if is_change else says,
    }  # fmt: skip


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterator[dict[str, Any]]) -> None:
    columns = connection.execute(f"describe marts.{table}").fetchall()
    structure = json.dumps([{name: kind for name, kind, *_ in columns}])
    connection.execute(
        f"insert into marts.{table} by name select unnest(from_json($1, $2), max_depth := 2)",
        [json.dumps([*rows]), structure],
    )
