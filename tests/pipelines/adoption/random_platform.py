"""Random platforms: small, but with whatever can happen."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

from tests.pipelines.adoption.given import (
    Capability,
    Check,
    Evidence,
    Given,
    Migration,
    Pull,
    Service,
    daily,
)

FIRST = date(2025, 9, 1)


class Maker:
    """Makes a platform from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.last = FIRST + timedelta(days=self.random.randint(120, 300))

    def day(self, first: date | None = None) -> date:
        begin = first or FIRST
        return begin + timedelta(days=self.random.randint(0, max((self.last - begin).days, 0)))

    def maybe(self, share: float = 0.5) -> bool:
        return self.random.random() < share

    def given(self) -> Given:
        teams: dict[str, str | None] = {"top": None, "a": "top", "b": "top", "c": None, "platform": None}
        services = [self.service(f"s{n}", [*teams]) for n in range(self.random.randint(2, 6))]
        names = [s.name for s in services]
        given = Given(self.last, services, teams)
        people = [f"p{n}" for n in range(6)]
        for name in names:
            first = self.day() if self.maybe(0.3) else FIRST - timedelta(days=40)
            last = self.day(max(first, FIRST)) if self.maybe(0.3) else self.last
            who = self.random.sample(people, self.random.choice([1, 2, 3, 4, 5]))
            given.commits += daily(name, first, last, *who, every=self.random.choice([3, 20, 95]))
            given.commits += [(name, self.day(first), None)] if self.maybe() else []
            given.merges += [(name, self.day(), self.random.choice(people)) for _ in range(6)]
            given.deployments += [(name, self.day()) for _ in range(self.random.randint(0, 8))]
        given.capabilities = [self.capability(f"cap{n}", names) for n in range(self.random.randint(1, 3))]
        of = [c.name for c in given.capabilities]
        for capability in [*of, "check:own"]:
            given.evidence += [
                self.evidence(capability, names, people) for _ in range(self.random.randint(0, 14))
            ]
        for capability in of:
            if self.maybe(0.4):
                given.mandates.append((capability, self.day(), self.some(names)))
            if self.maybe(0.4):
                given.versions[capability] = [None, *sorted(self.day() for _ in range(3))]
        # Which version it is of is told by those that are known.
        given.evidence = [
            e if e.capability in given.versions else replace(e, ordinal=None) for e in given.evidence
        ]
        given.checks = [
            Check("one", 1.0, of[0], self.maybe(0.3), self.some(names)),
            Check("two", 0.5, of[-1], False, self.some(names)),
            Check("three", 2.1, "check:own", False, self.some(names)),
        ]
        given.migrations = [
            Migration("move", of[-1] if len(of) > 1 else None, of[0], self.day(), self.some(names))
        ]
        given.members = {person: self.random.choice([*teams]) for person in people[:4]}
        given.pulls = [Pull(self.random.choice(people), self.day(), self.maybe(0.2)) for _ in range(6)]
        return given

    def some(self, names: list[str]) -> frozenset[str]:
        return frozenset(name for name in names if self.maybe(0.8))

    def service(self, name: str, teams: list[str]) -> Service:
        first, second, moved = self.random.choice(teams), self.random.choice(teams), self.day()
        owners: tuple[tuple[str, date | None, date | None], ...] = ((first, None, None),)
        if second != first and self.maybe(0.4):
            owners = ((first, None, moved), (second, moved, None))
        return Service(
            name,
            self.random.choice([None, "tier-1", "tier-2"]),
            self.random.choice(["service", "website"]),
            owners if self.maybe(0.9) else (),
            self.day() if self.maybe(0.15) else None,
        )

    def capability(self, name: str, names: list[str]) -> Capability:
        return Capability(
            name,
            self.random.choice(["pipeline", "capability"]),
            self.random.choice([7, 30, 45]),
            self.day() if self.maybe(0.2) else None,
            self.last - timedelta(days=20) if self.maybe(0.2) else None,
            ("template:default/x",) if self.maybe() else (),
            self.some(names),
        )

    def evidence(self, capability: str, names: list[str], people: list[str]) -> Evidence:
        day = self.day()
        rule = self.random.choice(["workflow", "template", "template", "ticket"])
        subject = self.random.choice(["service"] * 5 + ["person", "team"])
        service = self.random.choice(names) if subject == "service" else None
        if rule == "workflow" and service and self.maybe():
            return Evidence(
                capability, service, day, True, self.day(day) if self.maybe() else None, self.maybe(0.2),
                ordinal=self.random.choice([None, 1, 2, 3, 4]),
            )  # fmt: skip
        result = self.random.choice([None, "success", "success", "failed", "running"])
        return Evidence(
            capability, service, day, result=result,
            seconds=self.random.choice([None, 60, 90, -5, 700]), rule=rule,
            team=self.random.choice(["a", "c", "top"]) if subject == "team" else None,
            person=self.random.choice(people) if subject == "person" else None,
            hour=self.random.choice([8, 10]),
        )  # fmt: skip
