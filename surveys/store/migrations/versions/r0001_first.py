"""Waves, invites, answers, released cells and actions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_RANDOM_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "wave",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("instrument_id", sa.Text, nullable=False),
        sa.Column("instrument_version", sa.Integer, nullable=False),
        sa.Column("instrument", sa.Text, nullable=False),
        sa.Column("minimum_group", sa.Integer, nullable=False),
        sa.Column("comment_group", sa.Integer, nullable=False),
        sa.Column("opens_at", _TIME, nullable=False),
        sa.Column("closes_at", _TIME, nullable=False),
        sa.Column("grace_seconds", sa.Integer, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("stage", sa.String(10), nullable=False),
        sa.Column("closed_at", _TIME),
        sa.Column("released_at", _TIME),
        sa.Column("invited", sa.Integer, comment="kept when the invites are purged"),
        sa.Column("answered", sa.Integer, comment="kept when the invites are purged"),
    )
    op.create_table(
        "invite",
        sa.Column("wave", sa.String(40), sa.ForeignKey("wave.id"), primary_key=True),
        sa.Column("person", sa.String(128), primary_key=True),
        sa.Column("team_path", sa.Text, nullable=False),
        sa.Column("tier", sa.Text),
        sa.Column("role", sa.Text),
        sa.Column(
            "token_mark", sa.LargeBinary, unique=True, comment="keyed hash of the token; null once closed"
        ),
        sa.Column("is_used", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "answer",
        sa.Column("id", _RANDOM_ID, primary_key=True, autoincrement=False),
        sa.Column("wave", sa.String(40), sa.ForeignKey("wave.id"), nullable=False, index=True),
        sa.Column("team_path", sa.Text, nullable=False),
        sa.Column("tier", sa.Text),
        sa.Column("role", sa.Text),
        sa.Column("item_values", sa.Text, nullable=False),
    )
    op.create_table(
        "released_cell",
        sa.Column("wave", sa.String(40), sa.ForeignKey("wave.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("cell", sa.Text, nullable=False),
    )
    op.create_table(
        "action",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("wave", sa.String(40), sa.ForeignKey("wave.id"), nullable=False, index=True),
        sa.Column("theme", sa.Text, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("did", sa.Text, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("decided_on", sa.Date, nullable=False),
        sa.Column("url", sa.Text),
    )
