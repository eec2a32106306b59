"""Work in progress and its age as of the ends of periods, and how many changes a deployment brings."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pipelines.acme import DAY, HOUR, Acme, utc
from tests.pipelines.modelled import making
from tests.pipelines.reference.given import Service, Team

_models = making("marts.batch_size", "marts.wip", "marts.wip_age")


def proposed(
    acme: Acme, number: int, opened: str, closed: str | None = None, repository: str = "shop", **fields: Any
) -> None:
    """A pull request that is not merged."""
    closed_at = utc(closed) if closed else None
    acme.pull_request(repository, number, "x", opened=opened, closed_at=closed_at, **fields)


@pytest.fixture(scope="module")
def berlin() -> Acme:
    """A fortnight of March, of which the last day is read until noon; midnight there is 23:00 UTC."""
    acme = Acme(
        timezone="Europe/Berlin",
        covered_until="2026-03-13 11:00",
        services=(
            Service("cart", ("shop",), paths=("cart",)),
            Service("search", ("shop",), paths=("search",)),
            Service("both", ("shop", "other")),
        ),
    )
    acme.commit("shop", "root", "2026-03-02 12:00", folders=())
    acme.commit("shop", "in cart", "2026-03-02 12:00", folders=("cart/src",))
    acme.commit("other", "root", "2026-03-02 12:00")
    proposed(acme, 1, "2026-03-03 22:59")  # still the third
    proposed(acme, 2, "2026-03-03 23:00")  # the fourth
    proposed(acme, 3, "2026-03-04 12:00", "2026-03-05 23:00")  # open until the fifth is over
    proposed(acme, 4, "2026-03-04 12:00", "2026-03-05 22:59")
    proposed(acme, 5, "2026-03-04 12:00", is_bot=True)
    proposed(acme, 6, "2026-03-05 12:00", "2026-03-05 13:00")  # open at no day's end
    proposed(acme, 7, "2026-03-12 12:00", commit_shas=("in cart",))
    proposed(acme, 8, "2026-03-06 12:00", repository="other")
    proposed(acme, 9, "2026-03-14 12:00")  # after what was read
    return acme.build()


def counts(acme: Acme, key: str, level: str = "service") -> dict[str, float | None]:
    rows = acme.query(
        "select period_start, value from marts.wip where grain = 'day' and key = ? and level = ?", key, level
    )
    return {f"{row['period_start']:%d}": row["value"] for row in rows}


def test_open_are_those_opened_before_the_end_of_the_day_and_not_closed_by_then(berlin: Acme) -> None:
    found = counts(berlin, "shop", "repository")
    assert {day: found[day] for day in ("02", "03", "04", "05", "06", "12")} == {
        "02": None, "03": 1, "04": 4, "05": 3, "06": 2, "12": 3,
    }  # fmt: skip


def test_bots_are_counted_apart(berlin: Acme) -> None:
    row = berlin.row("wip", "shop", "2026-03-04", grain="day", level="repository")
    assert (row["n"], row["excluded"], row["low"], row["high"]) == (4, {"bot": 1}, None, None)


def test_a_service_has_those_that_touch_its_paths_and_those_of_all_its_repositories(berlin: Acme) -> None:
    assert counts(berlin, "cart")["12"] == 1
    assert counts(berlin, "search") == dict.fromkeys(counts(berlin, "search"))
    assert counts(berlin, "both")["12"] == 4


def test_age_is_that_at_the_end_of_the_period_or_of_what_was_read(berlin: Acme) -> None:
    day = berlin.row("wip_age", "shop", "2026-03-04", grain="day", level="repository")
    # Midnight is 23:00 UTC: a day and a minute, a day, and twice 11 hours.
    assert (day["value"], day["n"], day["excluded"]) == ((DAY + 11 * HOUR) / 2, 4, {"bot": 1})
    month = berlin.row("wip_age", "shop", "2026-03-01", grain="month", level="repository")
    assert (month["value"], month["n"], month["partial"]) == (9 * DAY + 12 * HOUR, 3, True)
    assert berlin.value("wip", "shop", "2026-03-01", grain="month", level="repository") == 3


def test_a_team_has_the_work_of_what_it_owns_at_the_end() -> None:
    acme = Acme(services=(Service("shop", ("shop",)),), teams=(Team("old"), Team("new")))
    acme.owned("shop", "old", until="2026-03-06 00:00")
    acme.owned("shop", "new", since="2026-03-06 00:00")
    acme.commits("shop", "2026-03-02 12:00", "root")
    for number, day in enumerate(("03", "05", "06", "08"), start=1):
        proposed(acme, number, f"2026-03-{day} 12:00")
    acme.build()
    rows = acme.query(
        "select key, period_start, value from marts.wip where grain = 'day' and level = 'team' and value > 0"
    )
    found = {(row["key"], f"{row['period_start']:%d}"): row["value"] for row in rows}
    assert found == {
        ("old", "03"): 1,
        ("old", "04"): 1,
        ("old", "05"): 2,
        ("new", "06"): 3,
        ("new", "07"): 3,
        ("new", "08"): 4,
    }


def test_a_batch_is_the_changes_that_a_deployment_shipped() -> None:
    acme = Acme(services=(Service("shop", ("api", "ui")),))
    for repository in ("api", "ui"):
        acme.commits(repository, "2026-03-01 00:00", *(f"{repository}{n}" for n in range(6)))
    acme.commit("api", "bot", "2026-03-01 00:00", bot=True)
    acme.commit("api", "late", "2026-04-01 00:00")
    acme.commit("api", "undated", None)

    def rollout(at: str, **shas: str) -> None:
        for repository, sha in shas.items():
            acme.deploy(repository, sha, at, rollout=at)

    rollout("2026-03-02 00:00", api="api0")
    rollout("2026-03-03 00:00", api="api2", ui="ui3")  # two changes, and a baseline
    rollout("2026-03-04 00:00", api="api3", ui="ui5")  # one and two
    rollout("2026-03-05 00:00", api="api2", ui="ui5")  # a rollback
    rollout("2026-03-06 00:00", api="undated")  # two, one of a bot, one of the future, one undated
    acme.build()
    batch = acme.row("batch_size")
    assert (batch["value"], batch["n"], batch["excluded"]) == (3, 3, {"baseline": 1, "empty": 1})
    sizes = {day: acme.value("batch_size", start=f"2026-03-{day}", grain="day") for day in ("03", "04", "06")}
    assert sizes == {"03": 2, "04": 3, "06": 4}
