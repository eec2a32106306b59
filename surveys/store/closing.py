"""Closing a wave: its sealed answers become rows that nothing ties to an invite.

Each step finds what an earlier attempt left, so a close cut short loses nothing and doubles nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from random import SystemRandom
from typing import Any

from pydantic import JsonValue
from sqlalchemy import Connection, Row, delete, func, insert, inspect, select, update

from surveys.cohorts import Cohort, coarsened
from surveys.errors import NoSuchWave
from surveys.keys import WaveKeys
from surveys.sealing import unseal
from surveys.store import tables
from surveys.store.database import Database
from surveys.store.records import Answer
from surveys.waves import Stage

Cell = Mapping[str, JsonValue]
Release = Callable[[Sequence[Answer]], Sequence[Cell]]
"""From all answers of a wave, with their exact cohorts, to what is released of them."""


def steps(
    database: Database, keys: WaveKeys, wave: Row[Any], release: Release | None, clock: Callable[[], datetime]
) -> Iterator[str]:
    """Close a wave that accepts no more answers, naming each step that is done.

    Exact cohorts exist only while this runs: `release` sees them, the rows written have coarser ones.
    """
    stage = Stage(wave.stage)
    if stage is Stage.OPEN:
        with database.writing() as connection:
            _advance(connection, wave.id, Stage.CLOSING)
        stage = Stage.CLOSING
        yield "stopped accepting answers"
    if stage is Stage.CLOSING:
        answers = _unsealed(database, keys, wave.id)
        cells = release(answers) if release else None
        yield "opened the sealed answers"
        with database.writing() as connection:
            _write(connection, wave, answers)
            _drop_staging(connection, wave.id)
            if cells is not None:
                write_cells(connection, wave.id, cells)
            _advance(connection, wave.id, Stage.WRITTEN, released_at=None if cells is None else clock())
        stage = Stage.WRITTEN
        yield "wrote the answers"
    if stage is Stage.WRITTEN:
        yield from _swept(database, keys)
        with database.writing() as connection:
            _advance(connection, wave.id, Stage.CLOSED, closed_at=clock())
        yield "closed"


def purge_steps(database: Database, keys: WaveKeys, wave: Row[Any]) -> Iterator[str]:
    """Delete who was invited and what was answered, in any stage; released cells and actions stay."""
    stage, invite = Stage(wave.stage), tables.invite
    if stage is Stage.PURGED:
        return
    if stage is not Stage.PURGING:
        with database.writing() as connection:
            counts = select(func.count(), func.count().filter(invite.c.is_used)).where(
                invite.c.wave == wave.id
            )
            invited, answered = connection.execute(counts).one()
            for table in (invite, tables.answer):
                connection.execute(delete(table).where(table.c.wave == wave.id))
            _drop_staging(connection, wave.id)
            _advance(connection, wave.id, Stage.PURGING, invited=invited, answered=answered)
        yield "deleted invites and answers"
    yield from _swept(database, keys)
    with database.writing() as connection:
        _advance(connection, wave.id, Stage.PURGED)
    yield "purged"


def write_cells(connection: Connection, wave_id: str, cells: Sequence[Cell]) -> None:
    """Store cells in their order."""
    rows = [{"wave": wave_id, "position": n, "cell": dict(cell)} for n, cell in enumerate(cells)]
    if rows:
        connection.execute(insert(tables.released_cell), rows)


def random_id() -> int:
    """An id that tells nothing of when it was given."""
    return secrets.randbits(63)


def _unsealed(database: Database, keys: WaveKeys, wave_id: str) -> list[Answer]:
    table = tables.sealed(wave_id)
    private_key = keys.sealing
    answers = []
    with database.reading() as connection:
        for (box,) in connection.execute(select(table.c.box)).yield_per(100):
            opened = unseal(private_key, wave_id, box)
            answers.append(
                Answer(Cohort(tuple(opened["team_path"]), opened["tier"], opened["role"]), opened["values"])
            )
    _shuffle(answers)
    return answers


def _write(connection: Connection, wave: Row[Any], answers: Sequence[Answer]) -> None:
    cohorts = coarsened([answer.cohort for answer in answers], wave.minimum_group)
    rows = [
        {
            "id": random_id(),
            "wave": wave.id,
            "team_path": cohort.team_path,
            "tier": cohort.tier,
            "role": cohort.role,
            "item_values": answer.values,
        }
        for cohort, answer in zip(cohorts, answers, strict=True)
    ]
    if rows:
        connection.execute(insert(tables.answer), rows)
    _rewrite_invites(connection, wave.id)


def _rewrite_invites(connection: Connection, wave_id: str) -> None:
    """Rewritten together: PostgreSQL keeps the transaction and the place of each row's last change."""
    invite = tables.invite
    of_wave = invite.c.wave == wave_id
    rows = [
        dict(row._mapping) | {"token_mark": None} for row in connection.execute(select(invite).where(of_wave))
    ]
    _shuffle(rows)
    connection.execute(delete(invite).where(of_wave))
    if rows:
        connection.execute(insert(invite), rows)


def _drop_staging(connection: Connection, wave_id: str) -> None:
    for table in (tables.sealed(wave_id), tables.partial(wave_id)):
        if inspect(connection).has_table(table.name):
            table.drop(connection)


def _swept(database: Database, keys: WaveKeys) -> Iterator[str]:
    """The keys go last: by then the vacuum has the answers on disk, not in a log alone."""
    database.vacuum()
    yield "vacuumed"
    keys.destroy()
    yield "destroyed the keys"


def _advance(connection: Connection, wave_id: str, stage: Stage, **values: datetime | int | None) -> None:
    wave = tables.wave
    if not connection.execute(
        update(wave).where(wave.c.id == wave_id).values(stage=stage, **values)
    ).rowcount:
        raise NoSuchWave(f"there is no wave {wave_id}")


def _shuffle(rows: list[Any]) -> None:
    SystemRandom().shuffle(rows)
