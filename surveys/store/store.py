"""The survey store: waves, who is invited, what was answered, what is released, what was done."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock
from pydantic import JsonValue
from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from surveys import waves
from surveys.cohorts import Cohort
from surveys.errors import (
    AlreadyReleased,
    NoSuchAction,
    NoSuchWave,
    NotClosed,
    StillCollecting,
    WaveExists,
)
from surveys.store import closing, tables
from surveys.store.answering import Answering, WaveTimes
from surveys.store.closing import Cell, Release
from surveys.store.database import Database
from surveys.store.records import (
    Action,
    Answer,
    Asked,
    Invited,
    Invitee,
    Link,
    NewAction,
    NewWave,
    Response,
    Wave,
)
from surveys.waves import Stage


def utc_now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


class Store(Answering):
    """The store at `url` (sqlite:///… or postgresql://…), the waves' keys in the folder `keys`.

    Opening it brings its tables up to date. One serves all threads of a process; several processes may
    have the same one open. Each method raises `StoreGone` where the database was deleted or fails.
    """

    def __init__(self, url: str, keys: Path, *, clock: Callable[[], datetime] = utc_now) -> None:
        keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(Database(url), keys, clock)
        self._lock_file = keys / ".lock"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.dispose()

    def dispose(self) -> None:
        """Close the connections."""
        self._database.dispose()

    # Waves

    def open_wave(self, new: NewWave, invitees: Sequence[Invitee]) -> None:
        """Freeze who is asked and begin; again with the same is harmless.

        Raises `WaveExists` where another wave has the id, `ValueError` for settings no wave may have.
        """
        waves.check(new)
        frozen = {Invitee(*invitee) for invitee in invitees}
        if len({invitee.person for invitee in frozen}) < len(invitees):
            raise ValueError("someone is invited twice")
        with FileLock(self._lock_file):
            if (row := self._find(new.id)) is not None:
                there = {Invitee(*invited[:-1]) for invited in self.invited(new.id)}
                if _opened(row) != new or (Stage(row.stage) is Stage.OPEN and there != frozen):
                    raise WaveExists(
                        f"there is a wave {new.id} already, and it is not the same: take another name"
                    )
                return
            # Keys first: without its wave a key is nothing, without its keys a wave is lost.
            keys = self._wave_keys(new.id)
            keys.destroy()
            public_key = keys.create()
            token, mark = keys.tokens(), keys.marks()
            with self._database.writing() as connection:
                values = dataclasses.asdict(new) | {"public_key": public_key, "stage": Stage.OPEN}
                values["grace_seconds"] = values.pop("grace").total_seconds()
                connection.execute(insert(tables.wave).values(values))
                if frozen:
                    rows = [
                        invitee._asdict()
                        | {"wave": new.id, "token_mark": mark(token(invitee.person)), "is_used": False}
                        for invitee in sorted(frozen, key=lambda invitee: invitee.person)
                    ]
                    connection.execute(insert(tables.invite), rows)
                for table in (tables.sealed(new.id), tables.partial(new.id)):
                    table.create(connection)

    def waves(self) -> list[Wave]:
        """All waves, the last to open first."""
        return self._waves(select(tables.wave).order_by(tables.wave.c.opens_at.desc(), tables.wave.c.id))

    def wave(self, wave_id: str) -> Wave:
        """One wave. Raises `NoSuchWave`, as every method does that takes a wave's id."""
        if found := self._waves(select(tables.wave).where(tables.wave.c.id == wave_id)):
            return found[0]
        raise _no_such_wave(wave_id)

    def links(self, wave_id: str) -> Iterator[Link]:
        """Each invitee's link, the same whenever asked until the wave closes; then `KeysGone`."""
        self._row(wave_id)
        token = self._wave_keys(wave_id).tokens()
        for invited in self.invited(wave_id):
            yield Link(invited.person, token(invited.person), invited.is_used)

    def invited(self, wave_id: str) -> list[Invited]:
        """Who was asked, in the order of their hashes."""
        invite = tables.invite
        columns = (invite.c.person, invite.c.team_path, invite.c.tier, invite.c.role, invite.c.is_used)
        with self._database.reading() as connection:
            rows = connection.execute(
                select(*columns).where(invite.c.wave == wave_id).order_by(invite.c.person)
            ).all()
        return [Invited(row.person, tuple(row.team_path), row.tier, row.role, row.is_used) for row in rows]

    def invitations(self, since: datetime | None = None) -> list[Asked]:
        """Who was asked in waves that opened at `since` or later, or in all; the first to open first."""
        wave, invite = tables.wave, tables.invite
        query = select(invite.c.person, invite.c.team_path, wave.c.opens_at).join_from(invite, wave)
        if since is not None:
            query = query.where(wave.c.opens_at >= since)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(wave.c.opens_at, invite.c.person)).all()
        return [Asked(row.person, tuple(row.team_path), row.opens_at) for row in rows]

    def response(self, wave_id: str) -> list[Response]:
        """Asked and answered by cohort, largest path last."""
        counts: dict[Cohort, tuple[int, int]] = {}
        for _, team_path, tier, role, is_used in self.invited(wave_id):
            cohort = Cohort(team_path, tier, role)
            invited, answered = counts.get(cohort, (0, 0))
            counts[cohort] = (invited + 1, answered + is_used)
        return [Response(cohort, *counts[cohort]) for cohort in sorted(counts, key=repr)]

    def close(self, wave_id: str, release: Release | None = None) -> None:
        """Close a wave whose grace has ended; see `closing`."""
        for _ in self.closing(wave_id, release):
            pass

    def closing(self, wave_id: str, release: Release | None = None) -> Iterator[str]:
        """Close a wave, naming each step that is done; again, or after a crash, is harmless.

        `release` gets all answers with their exact cohorts, the only time anyone does, and what it returns
        is released with the close; if it raises, the answers stay sealed and nothing is written.
        Raises `StillCollecting` before the grace has ended.
        """
        with FileLock(self._lock_file):
            row = self._row(wave_id)
            times = WaveTimes.of(row)
            accepts_until = times.closes_at + times.grace
            if Stage(row.stage) is Stage.OPEN and self._clock() < accepts_until:
                raise StillCollecting(
                    f"wave {wave_id} accepts answers until {accepts_until:%Y-%m-%d %H:%M} UTC"
                )
            yield from closing.steps(self._database, self._wave_keys(wave_id), row, release, self._clock)

    def purge(self, wave_id: str) -> None:
        """Delete a wave's invites, answers and keys, open or closed; what was released stays."""
        with FileLock(self._lock_file):
            for _ in closing.purge_steps(self._database, self._wave_keys(wave_id), self._row(wave_id)):
                pass

    # Results

    def answers(self, wave_id: str) -> list[Answer]:
        """Raw answers with coarse cohorts, in no order; never to be shown. Raises `NotClosed`."""
        answer = tables.answer
        with self._database.reading() as connection:
            _require_closed(connection, wave_id)
            rows = connection.execute(select(answer).where(answer.c.wave == wave_id)).all()
        return [Answer(Cohort(tuple(row.team_path), row.tier, row.role), row.item_values) for row in rows]

    def release(self, wave_id: str, cells: Sequence[Cell]) -> None:
        """Release a closed wave's cells, any JSON objects. Raises `NotClosed`, `AlreadyReleased`."""
        wave = tables.wave
        with self._database.writing() as connection:
            _require_closed(connection, wave_id)
            released = (
                update(wave)
                .where(wave.c.id == wave_id, wave.c.released_at.is_(None))
                .values(released_at=self._clock())
            )
            if not connection.execute(released).rowcount:
                raise AlreadyReleased(f"wave {wave_id} is released, and a wave is released once")
            closing.write_cells(connection, wave_id, cells)

    def released(self, wave_id: str) -> list[dict[str, JsonValue]]:
        """What was released of a wave, in its order; empty before."""
        cell = tables.released_cell
        self._row(wave_id)
        with self._database.reading() as connection:
            return [
                *connection.scalars(
                    select(cell.c.cell).where(cell.c.wave == wave_id).order_by(cell.c.position)
                )
            ]

    def export(self, wave_id: str) -> dict[str, JsonValue]:
        """All that may leave of a wave, as JSON: how it was asked, what was released, what was done."""
        wave = dataclasses.asdict(self.wave(wave_id))
        times = {name: value.isoformat() for name, value in wave.items() if isinstance(value, datetime)}
        actions: list[JsonValue] = [
            dataclasses.asdict(action) | {"decided_on": action.decided_on.isoformat()}
            for action in self.actions(wave_id)
        ]
        return {
            "wave": wave | times | {"grace": wave["grace"].total_seconds()},
            "released": [*self.released(wave_id)],
            "actions": actions,
        }

    # You said, we did

    def add_action(self, action: NewAction) -> int:
        """Keep what was done about a wave; its id."""
        self._row(action.wave)
        with self._database.writing() as connection:
            added = insert(tables.action).values(dataclasses.asdict(action)).returning(tables.action.c.id)
            return int(connection.execute(added).scalar_one())

    def change_action(self, action_id: int, action: NewAction) -> None:
        """Say it anew. Raises `NoSuchAction`."""
        table = tables.action
        with self._database.writing() as connection:
            changed = update(table).where(table.c.id == action_id).values(dataclasses.asdict(action))
            if not connection.execute(changed).rowcount:
                raise NoSuchAction(f"there is no action {action_id}")

    def remove_action(self, action_id: int) -> None:
        """Take it back. Raises `NoSuchAction`."""
        with self._database.writing() as connection:
            if not connection.execute(delete(tables.action).where(tables.action.c.id == action_id)).rowcount:
                raise NoSuchAction(f"there is no action {action_id}")

    def actions(self, wave_id: str | None = None) -> list[Action]:
        """What was done about one wave or all, the latest decision first."""
        table = tables.action
        query = select(table).order_by(table.c.decided_on.desc(), table.c.id.desc())
        if wave_id is not None:
            query = query.where(table.c.wave == wave_id)
        with self._database.reading() as connection:
            return [Action(**row._mapping) for row in connection.execute(query)]

    def _find(self, wave_id: str) -> Row[Any] | None:
        with self._database.reading() as connection:
            return connection.execute(select(tables.wave).where(tables.wave.c.id == wave_id)).one_or_none()

    def _row(self, wave_id: str) -> Row[Any]:
        if (row := self._find(wave_id)) is None:
            raise _no_such_wave(wave_id)
        return row

    def _waves(self, query: Select[Any]) -> list[Wave]:
        invite, now = tables.invite, self._clock()
        counts = select(invite.c.wave, func.count(), func.count().filter(invite.c.is_used)).group_by(
            invite.c.wave
        )
        with self._database.reading() as connection:
            counted = {
                wave_id: (invited, answered) for wave_id, invited, answered in connection.execute(counts)
            }
            rows = connection.execute(query).all()
        found = []
        for row in rows:
            invited, answered = counted.get(row.id, (0, 0))
            state = waves.state(Stage(row.stage), WaveTimes.of(row), row.released_at, now)
            found.append(
                Wave(
                    **_fields(row),
                    state=state,
                    closed_at=row.closed_at,
                    released_at=row.released_at,
                    invited=row.invited or invited,
                    answered=row.answered or answered,
                )
            )
        return found


def _fields(row: Row[Any]) -> dict[str, Any]:
    """What the wave was opened with."""
    names = {field.name for field in dataclasses.fields(NewWave)} - {"grace"}
    return {name: row._mapping[name] for name in names} | {"grace": timedelta(seconds=row.grace_seconds)}


def _opened(row: Row[Any]) -> NewWave:
    return NewWave(**_fields(row))


def _require_closed(connection: Connection, wave_id: str) -> None:
    stage = connection.scalar(select(tables.wave.c.stage).where(tables.wave.c.id == wave_id))
    if stage is None:
        raise _no_such_wave(wave_id)
    if stage != Stage.CLOSED:
        raise NotClosed(f"wave {wave_id} has no results: it is not closed, or was purged")


def _no_such_wave(wave_id: str) -> NoSuchWave:
    return NoSuchWave(f"there is no wave {wave_id!r}")
