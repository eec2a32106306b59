"""A wave for tests: a store, a clock that is set, and everyone's tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from surveys.store import Invitee, NewWave, Store

OPENS_AT = datetime(2026, 1, 5, 8, tzinfo=UTC)
WAVE = NewWave(
    id="2026-q1",
    instrument_id="core",
    instrument_version=1,
    instrument='{"id": "core"}',
    minimum_group=5,
    comment_group=10,
    opens_at=OPENS_AT,
    closes_at=OPENS_AT + timedelta(days=14),
    grace=timedelta(days=2),
    settings={"title": "Winter"},
)
ENDED = WAVE.closes_at + WAVE.grace


def people(number: int, team_size: int = 8) -> list[Invitee]:
    """Invitees in teams of one group."""
    return [Invitee(f"person{n:04}", ("acme", f"team{n // team_size:02}")) for n in range(number)]


@dataclass
class Clock:
    """The time as a test sets it."""

    now: datetime = OPENS_AT

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Pulse:
    """A store with an open wave."""

    store: Store
    keys: Path
    clock: Clock
    tokens: dict[str, str] = field(default_factory=dict)
    """Person → token."""

    def end(self) -> None:
        self.clock.now = ENDED


@contextmanager
def pulse(url: str, keys: Path, invitees: Sequence[Invitee], wave: NewWave = WAVE) -> Iterator[Pulse]:
    """Open `wave` in the store at `url`."""
    clock = Clock(wave.opens_at)
    with Store(url, keys, clock=clock) as store:
        store.open_wave(wave, invitees)
        tokens = {link.person: link.token for link in store.links(wave.id)}
        yield Pulse(store, keys, clock, tokens)
