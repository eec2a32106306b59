"""What the form asks of the survey store: whose turn a token is, what they began, what they submit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import JsonValue
from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from surveys import waves
from surveys.errors import KeysGone
from surveys.keys import WaveKeys
from surveys.sealing import lock, seal, unlock
from surveys.store import tables
from surveys.store.closing import random_id
from surveys.store.database import Database
from surveys.store.group_commit import GroupCommit
from surveys.store.records import Invitation
from surveys.waves import Stage

# Built once: building a statement takes longer than running it.
_OPEN_WAVES = select(tables.wave).where(tables.wave.c.stage == Stage.OPEN)
_WAVE_HELD = select(tables.wave).where(tables.wave.c.id == bindparam("wave_id")).with_for_update(read=True)
_UNUSED = select(tables.invite).where(
    tables.invite.c.token_mark.in_(bindparam("marks", expanding=True)), ~tables.invite.c.is_used
)
# In one order, so that two processes never wait for each other's rows.
_UNUSED_HELD = _UNUSED.order_by(tables.invite.c.token_mark).with_for_update()
_USE = (
    update(tables.invite)
    .where(tables.invite.c.token_mark.in_(bindparam("marks", expanding=True)))
    .values(is_used=True)
)


@dataclass(frozen=True)
class WaveTimes:
    """When a wave in the store accepts answers."""

    opens_at: datetime
    closes_at: datetime
    grace: timedelta

    @classmethod
    def of(cls, row: Row[Any]) -> WaveTimes:
        return cls(row.opens_at, row.closes_at, timedelta(seconds=row.grace_seconds))


@dataclass(frozen=True)
class _Box:
    """What is to be kept of one invite."""

    wave_id: str
    mark: bytes
    content: bytes


@dataclass(frozen=True)
class _Seat:
    """An invite that may still be answered."""

    wave: Row[Any]
    invite: Row[Any]


class Answering:
    """Answers by token. Wrong, used, expired, early, foreign and malformed tokens are one and the same."""

    def __init__(self, database: Database, keys: Path, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        self._submissions = GroupCommit(database, self._write_submissions)
        self._partials = GroupCommit(database, self._write_partials)

    def look_up(self, token: str) -> Invitation | None:
        """The invitation behind any text; None for every token that can't be used, after the same work."""
        seat = self._seat(token)
        if seat is None:
            return None
        wave, times = seat.wave, WaveTimes.of(seat.wave)
        return Invitation(
            wave=wave.id,
            instrument=wave.instrument,
            minimum_group=wave.minimum_group,
            comment_group=wave.comment_group,
            closes_at=times.closes_at,
            accepts_until=times.closes_at + times.grace,
            settings=wave.settings,
        )

    def partial(self, token: str) -> dict[str, JsonValue]:
        """What was begun under this token; empty without, or for a token that can't be used."""
        seat = self._seat(token)
        if seat is None:
            return {}
        wave_id = seat.wave.id
        table = tables.partial(wave_id)
        with self._database.reading() as connection:
            box = connection.scalar(select(table.c.box).where(table.c.token_mark == seat.invite.token_mark))
        return {} if box is None else unlock(self._wave_keys(wave_id).partial_key(token), wave_id, box)

    def save_partial(self, token: str, answers: Mapping[str, JsonValue]) -> bool:
        """Keep what was begun, instead of what was kept before. Raises `TooLong`."""
        seat = self._seat(token)
        if seat is None:
            return False
        wave_id = seat.wave.id
        locked = lock(self._wave_keys(wave_id).partial_key(token), wave_id, answers)
        return self._partials.put(_Box(wave_id, seat.invite.token_mark, locked))

    def submit(self, token: str, answers: Mapping[str, JsonValue]) -> bool:
        """Take the answers: True once a token, on disk by then. Raises `TooLong`."""
        seat = self._seat(token)
        if seat is None:
            return False
        wave_id, invite = seat.wave.id, seat.invite
        content: dict[str, JsonValue] = {
            "team_path": list(invite.team_path),
            "tier": invite.tier,
            "role": invite.role,
            "values": dict(answers),
        }
        sealed = seal(seat.wave.public_key, wave_id, content)
        return self._submissions.put(_Box(wave_id, invite.token_mark, sealed))

    def _write_submissions(self, connection: Connection, boxes: Sequence[_Box]) -> list[bool]:
        accepted = self._accepted(connection, boxes)
        if accepted:
            connection.execute(_USE, {"marks": [*accepted]})
        for wave_id, marks in _by_wave(accepted.values()).items():
            sealed, partial = tables.sealed(wave_id), tables.partial(wave_id)
            rows = [{"id": random_id(), "box": accepted[mark].content} for mark in marks]
            connection.execute(insert(sealed), rows)
            connection.execute(delete(partial).where(partial.c.token_mark.in_(marks)))
        return [accepted.get(box.mark) is box for box in boxes]

    def _write_partials(self, connection: Connection, boxes: Sequence[_Box]) -> list[bool]:
        accepted = self._accepted(connection, boxes)
        for wave_id, marks in _by_wave(accepted.values()).items():
            partial = tables.partial(wave_id)
            connection.execute(delete(partial).where(partial.c.token_mark.in_(marks)))
            rows = [{"token_mark": mark, "box": accepted[mark].content} for mark in marks]
            connection.execute(insert(partial), rows)
        return [box.mark in accepted for box in boxes]

    def _accepted(self, connection: Connection, boxes: Sequence[_Box]) -> dict[bytes, _Box]:
        """The boxes that may be kept, one a mark: by now some may have been submitted, or a wave closed."""
        held = {}
        for wave_id in {box.wave_id for box in boxes}:
            # The shared lock makes a close in another process wait, so that it reads all that is sealed.
            row = connection.execute(_WAVE_HELD, {"wave_id": wave_id}).one()
            held[wave_id] = waves.accepts(Stage(row.stage), WaveTimes.of(row), self._clock())
        by_mark = {box.mark: box for box in boxes if held[box.wave_id]}
        unused = connection.execute(_UNUSED_HELD, {"marks": [*by_mark]})
        return {row.token_mark: by_mark[row.token_mark] for row in unused}

    def _wave_keys(self, wave_id: str) -> WaveKeys:
        return WaveKeys(self._keys / wave_id)

    def _seat(self, token: str) -> _Seat | None:
        # Every wave that accepts answers is asked, and one statement looks for all: what is done and how
        # long it takes depend on the waves, not on the token.
        now, marked = self._clock(), {}
        with self._database.reading() as connection:
            for row in connection.execute(_OPEN_WAVES):
                if waves.accepts(Stage(row.stage), WaveTimes.of(row), now):
                    with suppress(KeysGone):  # being closed just now
                        marked[self._wave_keys(row.id).marks()(token)] = row
            found = connection.execute(_UNUSED, {"marks": [*marked]}).one_or_none()
        return None if found is None else _Seat(marked[found.token_mark], found)


def _by_wave(boxes: Iterable[_Box]) -> dict[str, list[bytes]]:
    """The marks of each wave."""
    marks: dict[str, list[bytes]] = {}
    for box in boxes:
        marks.setdefault(box.wave_id, []).append(box.mark)
    return marks
