"""A small Backstage, served by the demo's server, that changes as a test wants."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from demo.servers.backstage import app
from demo.world import Component, Membership, Person, Task, Team, World
from tests.connectors.twisted import Twisted

TOKEN = "s3cr3t-t0k3n"
BEGIN = datetime(2025, 3, 3, 12, tzinfo=UTC)
PEOPLE = [Person(name, f"{name.capitalize()} Byron", f"{name}@demo.example") for name in ("ada", "bo", "cy")]


def hours(number: float) -> datetime:
    """So many hours after the beginning."""
    return BEGIN + timedelta(hours=number)


def component(name: str, **fields: Any) -> Component:
    made = Component(
        name, name.capitalize(), "pay", "checkout", "service", "production", "tier-1", name, None, {}
    )
    return replace(made, **fields)


def task(number: int, *, at: float, status: str = "completed", made: str | None = None) -> Task:
    """A run of a template by Ada that took ten minutes."""
    id_ = f"00000000-0000-4000-8000-{number:012}"
    finished = None if status == "processing" else hours(at) + timedelta(minutes=10)
    return Task(id_, "service", "ada", hours(at), finished, status, made)


class Portal:
    """Three people in two teams of a department, with two components and two runs of a template."""

    def __init__(self) -> None:
        teams = [
            Team("shop", "The shop", None, "department"),
            Team("pay", "Payments", "shop", "team"),
            Team("web", "Web", "shop", "team"),
        ]
        members = [("pay", "ada"), ("pay", "bo"), ("web", "cy")]
        self.world = World(
            "acme",
            BEGIN,
            people=list(PEOPLE),
            teams=teams,
            memberships=[Membership(team, login, hours(-9)) for team, login in members],
            components=[
                component("cart", annotations={"backstage.io/source-template": "template:default/service"}),
                component("site", owner="web", type="website"),
            ],
            templates=["service"],
            tasks=[task(1, at=1, made="cart"), task(2, at=2, status="failed")],
        )
        self.server = Twisted(app(self.world, TOKEN))

    def change(self, name: str, **fields: Any) -> None:
        """Replace fields of a component."""
        components = self.world.components
        place = next(place for place, each in enumerate(components) if each.name == name)
        components[place] = replace(components[place], **fields)

    def twist(self, name: str, **fields: Any) -> None:
        """From now on, answer with other parts of the entity with this name: `metadata`, `spec`, `relations`.

        Of the first two the given fields are laid over the others.
        """

        def change(path: str, body: Any) -> Any:
            for item in body.get("items", []) if isinstance(body, dict) else []:
                if item["metadata"].get("name") == name:
                    for part, value in fields.items():
                        item[part] = {**item[part], **value} if isinstance(value, dict) else value
            return body

        self.server.change = change
