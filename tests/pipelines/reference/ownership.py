"""Which teams owned a service at a moment, they and the teams above them.

What an ownership record says goes before what the workspace lists. Before the first moment with an
owner, its owners then are taken to have owned it all along; a gap later on has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from connectors.records import Ownership
from tests.pipelines.reference.given import Given
from tests.pipelines.reference.repositories import Part

ALWAYS = datetime.min.replace(tzinfo=UTC)
FOREVER = datetime.max.replace(tzinfo=UTC)


class Fact(NamedTuple):
    """That a team owned a service, from a moment to before another."""

    team: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Owned:
    """A service and what is known of who owned it."""

    service: str
    said: list[Fact]
    listed: list[Fact]

    def owners(self, moment: datetime) -> set[str]:
        """Direct owners."""
        facts = [*self.said, *self.listed]
        moment = max([moment, *([min(fact.since for fact in facts)] if facts else [])])
        for facts in (self.said, self.listed):
            teams = {fact.team for fact in facts if fact.since <= moment < fact.until}
            if teams:
                return teams
        return set()


@dataclass(frozen=True)
class Tenure:
    """A service while it is in a team: owned by it or by one below it."""

    owned: Owned
    team: str
    parents: dict[str, str | None]

    @property
    def service(self) -> str:
        return self.owned.service

    @property
    def key(self) -> str:
        return f"{self.service} in {self.team}"

    def holds(self, moment: datetime) -> bool:
        return any(self.team in lineage(team, self.parents) for team in self.owned.owners(moment))


def lineage(team: str, parents: dict[str, str | None]) -> list[str]:
    """A team and those above it."""
    found = []
    above: str | None = team
    while above is not None:
        found.append(above)
        above = parents.get(above)
    return found


def ownership(given: Given, parts: list[Part]) -> dict[str, Owned]:
    services = sorted({part.service for part in parts})
    teams = {team.name for team in given.teams}
    listed = {service.name: service.teams for service in given.services}
    return {
        service: Owned(
            service,
            [
                Fact(record.team, record.valid_from or ALWAYS, record.valid_to or FOREVER)
                for _, record in given.all(Ownership)
                if record.service == service
                and record.team in teams
                and (record.valid_from or ALWAYS) < (record.valid_to or FOREVER)
            ],
            [Fact(team, ALWAYS, FOREVER) for team in listed.get(service, ())],
        )
        for service in services
    }


def tenures(given: Given, owned: dict[str, Owned]) -> list[Tenure]:
    """Every service in every team that ever had it."""
    parents = {team.name: team.parent for team in given.teams}
    found = []
    for one in owned.values():
        facts = [*one.said, *one.listed]
        for team in parents:
            tenure = Tenure(one, team, parents)
            if any(tenure.holds(moment) for fact in facts for moment in (fact.since, fact.until)):
                found.append(tenure)
    return found
