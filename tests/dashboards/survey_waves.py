"""A workspace whose survey store holds waves in several states."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.home import Home
from surveys.instrument_files import shipped
from surveys.store import Invitee, NewWave, Store

PEOPLE = [
    Invitee(f"person-{number}", path)
    for number, path in enumerate(
        [("Commerce", "Payments")] * 12 + [("Commerce", "Till <i>team</i>")] * 10 + [("Duo",)] * 2
    )
]


def workspace(folder: Path) -> Path:
    """A workspace file in `folder`."""
    path = folder / "cairn.yaml"
    path.write_text(
        "organisation: Acme\ntimezone: Europe/Berlin\nsources: [{kind: git, repositories: [/srv/none.git]}]\n"
    )
    return path


class Clock:
    """The time that a wave is opened, answered and closed at."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.at


def opened(home: Home, wave: str, days_ago: int, answering: int, *, is_released: bool = False) -> None:
    """Open a wave of two weeks and two days of grace, answered by the first so many."""
    clock = Clock()
    clock.at -= timedelta(days=days_ago)
    with Store(f"sqlite:///{home.survey_database}", home.survey_keys, clock=clock) as store:
        store.open_wave(
            NewWave(
                id=wave,
                instrument_id="pulse",
                instrument_version=1,
                instrument=shipped()["pulse"].model_dump_json(),
                minimum_group=7,
                comment_group=12,
                opens_at=clock.at,
                closes_at=clock.at + timedelta(days=14),
                grace=timedelta(days=2),
            ),
            PEOPLE,
        )
        tokens = {link.person: link.token for link in store.links(wave)}
        for invitee in PEOPLE[:answering]:
            assert store.submit(tokens[invitee.person], {"docs-find": 3})
        if is_released:
            clock.at += timedelta(days=17)
            store.close(wave, release=lambda _answers: [])
