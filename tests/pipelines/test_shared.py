"""What several services share: a row for each of them, and one that counts for every team and the whole."""

from __future__ import annotations

import random
from datetime import date

import pytest

from dashboards.queries import Scope
from dashboards.queries.happened import happened, within
from tests.pipelines import modelled
from tests.pipelines.random_organisation import Maker

EVER = date(1900, 1, 1), date(2200, 1, 1)
KEYS = {
    "deployment": ("deployment_id", "finished_at"),
    "change": ("change_id", "deployed_at"),
    "pull_request": ("source || repository || '#' || number", "merged_at"),
}


@pytest.mark.parametrize("seed", [1, 2])
def test_what_services_share_counts_once_for_each_team_and_for_all(seed: int) -> None:
    connection = modelled.build(Maker(random.Random(seed).randrange, most=8).organisation())
    repeated = 0
    for what, (key, moment) in KEYS.items():
        # The pairs of a thing and a team that had any of its services then, found without the model's help.
        of_teams = connection.execute(
            f"select distinct t.team, {key} from marts.{what} as x inner join marts.tenure as t"
            f" on t.service = x.service and t.valid_from <= x.{moment} and x.{moment} < t.valid_until"
        ).fetchall()
        of_all = connection.execute(
            f"select distinct 'all', {key} from marts.{what}"
            f" where service is not null and {moment} is not null"
        ).fetchall()
        for team in {team for team, _ in of_teams} | {"all"}:
            scope = Scope("organisation", "all") if team == "all" else Scope("team", team)
            listed = connection.execute(
                f"select {key} from {happened(what, scope)}", within(scope, *EVER)
            ).fetchall()
            assert sorted(listed) == sorted((one,) for of, one in of_teams + of_all if of == team)
        ((again,),) = connection.execute(f"select count(repeats_for) from marts.{what}").fetchall()
        repeated += again
    connection.close()
    assert repeated
