"""The demo's reorganisation in figures: services are the old team's before that day, the new one's since."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import pytest

from demo.organisation import Organisation
from demo.serve import Running
from pipelines import refresh, warehouse
from pipelines.home import Home
from tests.demo.pulling import workspace

pytestmark = pytest.mark.usefixtures("no_waiting")


def test_what_was_moved_counts_for_the_old_team_before_and_for_the_new_one_since(
    made: Organisation, home: Home, tools: Running
) -> None:
    truth = made.truth.reorganisation
    names = {team.slug: team.name for team in made.world.teams}
    old, new = names[truth.from_team], names[truth.to_team]
    (moved_at,) = {line.since for line in made.world.ownership if line.since}
    assert moved_at.date() == truth.on
    owners = {one.name: names.get(one.owner) for one in made.world.components}
    moved = owners.keys() & set(truth.services)
    with warehouse.writing(home) as connection:
        for built in refresh.build(connection, workspace(tools)):
            assert built.broken == {}, built.model.name
        deployments = connection.execute(
            "select service, deployment_id, finished_at, finished_on from marts.deployment"
        ).fetchall()
        figures = connection.execute(
            "select key, period_start, value from marts.deployments"
            " where level = 'team' and grain = 'day' and value > 0"
        ).fetchall()
    ids: dict[tuple[str, date], set[str]] = defaultdict(set)
    for service, deployment, at, on in deployments:
        owner = old if service in moved and at < moved_at else owners.get(service)
        if owner:
            ids[owner, on].add(deployment)
    for team in (old, new):
        by_day = {on: len(each) for (of, on), each in ids.items() if of == team}
        assert {on: value for key, on, value in figures if key == team} == by_day
    moments = [at for service, _, at, _ in deployments if service in moved]
    assert min(moments) < moved_at <= max(moments)
