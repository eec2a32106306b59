"""What waves released, as the store keeps it: rows of several kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from surveys.instruments import Instrument
from surveys.store import Store, Wave

Kind = Literal["cell", "comment", "driver", "withheld"]
"""Of a row: its `kind`."""


@dataclass(frozen=True)
class Released:
    """What was released of one wave, by kind; each row as its statistic, comment or driver is."""

    wave: Wave
    rows: tuple[dict[str, JsonValue], ...]

    @property
    def instrument(self) -> Instrument:
        """As it was asked."""
        return Instrument.model_validate_json(self.wave.instrument)

    def of(self, kind: Kind) -> list[dict[str, JsonValue]]:
        """The rows of a kind, in their order."""
        return [row for row in self.rows if row["kind"] == kind]


def released(store: Store) -> list[Released]:
    """Every wave that was released, the first to open first."""
    waves = [wave for wave in store.waves() if wave.released_at]
    return [Released(wave, tuple(store.released(wave.id))) for wave in reversed(waves)]
