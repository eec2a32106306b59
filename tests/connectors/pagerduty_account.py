"""A small PagerDuty account, served by the demo's server, that changes as a test wants."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from demo.servers.pagerduty import app
from demo.world import (
    ChangeEvent,
    Incident,
    LogEntry,
    Membership,
    PagerDutyService,
    Person,
    Team,
    World,
)
from tests.connectors.twisted import Twisted

TOKEN = "s3cr3t-t0k3n"
ADA = Person("ada", "Ada Byron", "ada@demo.example")
BO = Person("bo", "Bo Diddley", "bo@demo.example")
BEGIN = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(days=220)
DAY = 60 * 24
"""In minutes."""
SHA = "c83ae02076382670e286ac2474b7a7327fc28cde"


def minutes(number: float) -> datetime:
    """So many minutes after the beginning."""
    return BEGIN + timedelta(minutes=number)


class Account:
    """Two services of two teams; incidents are opened, acknowledged and resolved by its methods."""

    def __init__(self) -> None:
        self.world = World(
            "acme",
            minutes(0),
            people=[ADA, BO],
            teams=[Team("pay", "Payments", None, "team"), Team("web", "Web", None, "team")],
            memberships=[Membership("pay", "ada", minutes(-9)), Membership("web", "bo", minutes(-9))],
            pagerduty_services=[
                PagerDutyService("PSHOP01", "shop", "pay", minutes(-9)),
                PagerDutyService("PSITE02", "site", "web", minutes(-9)),
            ],
        )
        self.server = Twisted(app(self.world, TOKEN))
        self._entries = 0

    def opened(self, id_: str, at: float, *, service: str = "PSHOP01", sha: str | None = None) -> None:
        incident = Incident(
            id_, len(self.world.incidents) + 1, service, "It burns", "high", "P1", "triggered",
            minutes(at), minutes(at), (), sha,
        )  # fmt: skip
        self.world.incidents.append(incident)
        self.logged(id_, at, "trigger")

    def logged(self, id_: str, at: float, kind: str, person: Person | None = None) -> None:
        """Add an entry to an incident's log, and set its status by it."""
        statuses = {"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}
        self._entries += 1
        entry = LogEntry(f"R{self._entries:05}", kind, minutes(at), person)
        self.change(
            id_,
            status=statuses.get(kind, self[id_].status),
            updated_at=minutes(at),
            log=(*self[id_].log, entry),
        )

    def announced(self, id_: str, at: float, *, service: str = "PSHOP01") -> None:
        url = f"https://github.demo.example/acme/shop/commit/{SHA}"
        self.world.change_events.append(ChangeEvent(id_, service, minutes(at), "shop deployed", SHA, url))

    def __getitem__(self, id_: str) -> Incident:
        return next(each for each in self.world.incidents if each.id == id_)

    def change(self, id_: str, **changes: object) -> None:
        incidents = self.world.incidents
        place = incidents.index(self[id_])
        incidents[place] = replace(incidents[place], **changes)  # type: ignore[arg-type]
