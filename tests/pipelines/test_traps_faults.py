"""What peers get wrong about failures: T4 to T6 of DESIGN section 6."""

from __future__ import annotations

from collections.abc import Iterator

from tests.connectors.pagerduty_account import SHA, Account, minutes
from tests.connectors.pagerduty_reader import reading
from tests.pipelines.acme import HOUR, Acme
from tests.pipelines.modelled import making
from tests.pipelines.told import Stories

_models = making("marts.change_fail_rate", "marts.failed_deployment_recovery_time")

MINUTE = 60.0

usual = Stories(Acme)


def deployed(acme: Acme, repository: str, *shas: str) -> None:
    """A deployment of each commit, two hours apart, the first the baseline; each started an hour before."""
    for hour, commit in enumerate(shas):
        acme.commit(repository, commit, "2026-01-01 00:00")
        hours = (f"2026-01-05 {2 * hour + 1:02}:00", f"2026-01-05 {2 * hour + 2:02}:00")
        acme.deploy(repository, commit, hours[1], started=hours[0], name=f"{repository}/{commit}")


def charged(acme: Acme, *services: str) -> list[str]:
    rows = acme.query("select deployment_id from core.fault where service in $1", services)
    return sorted(str(row["deployment_id"]).rpartition("/")[2] for row in rows)


@usual.told
def test_t04_two_incidents_of_one_deployment_and_one_fault_blamed_twice_are_one_failure(
    acme: Acme,
) -> Iterator[None]:
    deployed(acme, "t04", "a", "b", "c")
    acme.incident("t04", "2026-01-05 04:30", "2026-01-05 05:10")
    acme.incident("t04", "2026-01-05 04:40", "2026-01-05 04:50")
    # The incident came after z, so by itself it would blame that; the revert that ends it says it was y.
    deployed(acme, "t04-till", "x", "y", "z")
    acme.pull_request("t04-till", 1, "y", merged="2026-01-02 00:00")
    acme.incident("t04-till", "2026-01-05 06:20", "2026-01-05 09:00")
    acme.commit("t04-till", "revert", "2026-01-05 06:30", kind="revert", reverts="y")
    acme.pull_request("t04-till", 2, "revert", merged="2026-01-05 07:00", kind="revert", reverts=1)
    acme.deploy("t04-till", "revert", "2026-01-05 08:00", started="2026-01-05 07:30")
    yield
    assert charged(acme, "t04", "t04-till") == ["b", "y"]
    assert acme.value("change_fail_rate", "t04") == 1 / 3
    assert acme.value("failed_deployment_recovery_time", "t04") == HOUR + 10 * MINUTE
    assert acme.value("change_fail_rate", "t04-till") == 1 / 4
    assert acme.value("failed_deployment_recovery_time", "t04-till") == 4 * HOUR


@usual.told
def test_t05_an_unresolved_incident_counts_in_the_rate_and_is_censored_in_recovery(
    acme: Acme,
) -> Iterator[None]:
    deployed(acme, "t05", "a", "b", "c", "d")
    acme.incident("t05", "2026-01-05 04:30", "2026-01-05 05:00")
    acme.incident("t05", "2026-01-05 06:30", "2026-01-05 09:00")
    acme.incident("t05", "2026-01-05 08:30")
    # Of two incidents of one deployment, both have to be over.
    deployed(acme, "t05-till", "x", "y")
    acme.incident("t05-till", "2026-01-05 04:20", "2026-01-05 05:00")
    acme.incident("t05-till", "2026-01-05 04:30")
    yield
    assert acme.value("change_fail_rate", "t05") == 3 / 4
    recovery = acme.row("failed_deployment_recovery_time", "t05")
    # One hour, three hours, and longer than is known: the middle one. Without the open one it would be two.
    assert (recovery["value"], recovery["n"]) == (3 * HOUR, 3)
    assert acme.value("change_fail_rate", "t05-till") == 1 / 2
    half = acme.row("failed_deployment_recovery_time", "t05-till")
    assert (half["value"], half["n"], half["status"]) == (None, 1, "no_data")


def test_t06_of_a_reopened_incident_the_last_resolution_counts() -> None:
    acme = Acme(covered_until=minutes(30 * 24 * 60).isoformat())
    account = Account()
    account.opened("Q1", 0, sha=SHA)
    for after, what in ((30, "resolve"), (40, "trigger"), (90, "resolve")):
        account.logged("Q1", after, what)
    acme.commit("shop", "base", minutes(-3000).isoformat())
    acme.deploy("shop", "base", minutes(-2000).isoformat())
    acme.commit("shop", SHA, minutes(-100).isoformat())
    acme.deploy("shop", SHA, minutes(-10).isoformat())
    year = f"{minutes(-10).year}-01-01"
    with reading(account) as reader:
        acme.take("pagerduty", reader.read())
    assert acme.build().value("failed_deployment_recovery_time", start=year) == 100 * MINUTE
    # Open again, it is not over.
    account.logged("Q1", 120, "trigger")
    with reading(account) as reader:
        acme.take("pagerduty", reader.read())
    recovery = acme.build().row("failed_deployment_recovery_time", start=year)
    assert (recovery["value"], recovery["n"]) == (None, 1)
