"""The survey store's tables. `migrations/` makes them; a test holds the two together.

No table dates or orders a submission: ids are random, an invite has no time, an answer no date.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class Json(TypeDecorator[Any]):
    """JSON as plain ASCII text: PostgreSQL's own types refuse the NULs and lone surrogates people paste."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else json.dumps(value, allow_nan=False, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(value)


class UtcDateTime(TypeDecorator[datetime]):
    """Times with their zone, which SQLite does not keep."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite stores a table in the order of its INTEGER PRIMARY KEY: with random ids, in no order.
RandomId = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

wave = Table(
    "wave",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("instrument_id", Text, nullable=False),
    Column("instrument_version", Integer, nullable=False),
    Column("instrument", Text, nullable=False),
    Column("minimum_group", Integer, nullable=False),
    Column("comment_group", Integer, nullable=False),
    Column("opens_at", UtcDateTime, nullable=False),
    Column("closes_at", UtcDateTime, nullable=False),
    Column("grace_seconds", Integer, nullable=False),
    Column("settings", Json, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("stage", String(10), nullable=False),
    Column("closed_at", UtcDateTime),
    Column("released_at", UtcDateTime),
    Column("invited", Integer, comment="kept when the invites are purged"),
    Column("answered", Integer, comment="kept when the invites are purged"),
)

invite = Table(
    "invite",
    metadata,
    Column("wave", ForeignKey("wave.id"), primary_key=True),
    Column("person", String(128), primary_key=True),
    Column("team_path", Json, nullable=False),
    Column("tier", Text),
    Column("role", Text),
    Column("token_mark", LargeBinary, unique=True, comment="keyed hash of the token; null once closed"),
    Column("is_used", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

answer = Table(
    "answer",
    metadata,
    Column("id", RandomId, primary_key=True, autoincrement=False),
    Column("wave", ForeignKey("wave.id"), nullable=False, index=True),
    Column("team_path", Json, nullable=False),
    Column("tier", Text),
    Column("role", Text),
    Column("item_values", Json, nullable=False),
)

released_cell = Table(
    "released_cell",
    metadata,
    Column("wave", ForeignKey("wave.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("cell", Json, nullable=False),
)

action = Table(
    "action",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("wave", ForeignKey("wave.id"), nullable=False, index=True),
    Column("theme", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("did", Text, nullable=False),
    Column("status", String(10), nullable=False),
    Column("decided_on", Date, nullable=False),
    Column("url", Text),
)


@cache
def sealed(wave_id: str) -> Table:
    """Submissions of one wave until it closes: a table of its own, so that it can be dropped whole."""
    return Table(
        f"sealed_{wave_id}",
        MetaData(),
        Column("id", RandomId, primary_key=True, autoincrement=False),
        Column("box", LargeBinary, nullable=False),
    )


@cache
def partial(wave_id: str) -> Table:
    """Answers begun, one row an invite, until they are submitted or the wave closes."""
    return Table(
        f"partial_{wave_id}",
        MetaData(),
        Column("token_mark", LargeBinary, primary_key=True),
        Column("box", LargeBinary, nullable=False),
    )
