"""Names that somebody could give a service, a team or a release, none of which may do anything."""

from __future__ import annotations

import duckdb

from pipelines.home import Home
from tests.dashboards import snapshot, survey_tables
from tests.dashboards.snapshot import Plan

NAMES = (
    "<img src=x onerror=alert(1)><script>alert(1)</script><a href='https://evil.example'>a</a>",
    "[a](https://evil.example) ![b](https://evil.example/b.png) **c** `d` $e^2$ :red[f] :material/home: # g",
    "https://evil.example/h www.evil.example mail@evil.example",
    '=HYPERLINK("https://evil.example","i")',
    "'; drop table marts.deployment; --",
    "\u202egnp.exe مرحبا",
    "🗿" * 40,
    "x" * 200,
    "a|b\n| --- |\n\n# h1\n<!-- c",
    "{{7*7}}{% raw %}%s{0}",
)
"""Markup, Markdown, addresses, a formula, SQL, right to left, emoji, length, lines, templates."""
SOUP = "&".join(
    f"{key}=<script>alert(1)</script>%27%3B--%00"
    for key in (
        "as", "at", "by", "capability", "clock", "grain", "group", "junk", "period", "question", "search",
        "service", "since", "stage", "until", "wave", "written",
    )
)  # fmt: skip
"""A query that no page asks for."""

_TEXTS = {
    "adoption_change": ("url",), "adoption_service": ("tier", "kind", "version"),
    "capability": ("title", "owner"), "change": ("kind", "ref"), "check_result": ("title", "tier"),
    "coverage": ("source", "repository", "releases"), "data_quality": ("affects", "meaning"),
    "deployment": ("environment", "ref"), "environment": ("source", "environment"),
    "fault": ("ref",), "incident": ("severity", "status"), "migration": ("title",),
    "quarantine": ("source", "stream", "reason", "example"), "source_stream": ("source", "stream"),
    "survey_action": ("said", "did"), "survey_comment": ("text",), "survey_item": ("label", "text"),
    "survey_wave": ("title",), "unmapped": ("source", "name", "affects"), "version_use": ("version",),
    "workspace": (),
}  # fmt: skip
"""Table → columns whose words come from outside, as far as names of their own do not tie them together."""


def publish(home: Home, plan: Plan, snapshot_id: str) -> None:
    """A snapshot in which whatever a tool or a person could have named has one of these names."""
    snapshot.publish(home, plan, snapshot_id)
    with duckdb.connect(home.published / f"{snapshot_id}.duckdb") as connection:
        survey_tables.add(connection)
        connection.execute("create temp table name as select unnest($1) as name", [[*NAMES]])
        connection.execute("set variable names = (select list(name) from name)")
        for table, columns in _TEXTS.items():
            known = {name for name, *_ in connection.execute(f"describe marts.{table}").fetchall()}
            for column in known.intersection(columns):
                connection.execute(
                    f"update marts.{table} set {column} ="
                    f" getvariable('names')[1 + (rowid % {len(NAMES)})::bigint]"
                )
