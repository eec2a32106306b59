"""What peers get wrong about deployments: T7 to T13 and T28 to T30 of DESIGN section 6."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from connectors.connector import Context
from connectors.git import GitConnector, GitOptions
from connectors.records import Repository
from tests.connectors.github_host import deployment, github, sha
from tests.histories import Upstream
from tests.pipelines.acme import DAY, HOUR, RELEASES, Acme
from tests.pipelines.modelled import making
from tests.pipelines.reference.given import Service, Source
from tests.pipelines.told import Stories

_models = making(
    "marts.change_fail_rate", "marts.change_lead_time", "marts.deployment_success_rate", "marts.deployments",
    "marts.environment", "marts.rework_rate",
)  # fmt: skip

usual = Stories(lambda: Acme(jobs=("^deploy$",)))


def begun(acme: Acme, repository: str) -> None:
    """Commits a, b, c of 1 January and a deployment of a, the baseline, a day later."""
    acme.commits(repository, "2026-01-01 00:00", "a", "b", "c")
    acme.deploy(repository, "a", "2026-01-02 00:00")


def test_t07_only_what_is_called_production_is_production() -> None:
    acme = Acme(environments=("production", "^prod-eu$"))
    begun(acme, "shop")
    acme.deploy("shop", "b", "2026-01-03 00:00", environment="Production")
    acme.deploy("shop", "c", "2026-01-04 00:00", environment="prod-eu")
    for name in ("preprod", "non-prod", "product-catalog", "reproduction", "production-like"):
        acme.deploy("shop", "c", "2026-01-03 12:00", environment=name)
    acme.build()
    assert acme.value("deployments") == 3
    unmatched = acme.query("select environment from marts.environment where not is_production")
    assert {row["environment"] for row in unmatched} == {
        "preprod", "non-prod", "product-catalog", "reproduction", "production-like",
    }  # fmt: skip


def test_t08_what_github_calls_inactive_later_finished_when_it_first_succeeded(tmp_path: Path) -> None:
    acme = Acme(sources=(Source("github", "github", RELEASES),))
    with github(tmp_path) as host:
        host.shop.deployments = [
            deployment(1, sha=sha("merge 1")),
            deployment(30, "queued", "in_progress", "success", "inactive", "inactive"),
        ]
        acme.take("github", host.read(tmp_path / "cache"))
    acme.build()
    finishes = acme.query("select finished_at from core.deployment order by finished_at")
    assert [row["finished_at"].minute for row in finishes] == [3, 3], "the third status, a minute apart"


@usual.told
def test_t09_of_a_pipeline_the_job_that_deploys_counts(acme: Acme) -> Iterator[None]:
    acme.commits("t09", "2026-01-01 00:00", "a", "b", "c", "d")
    for day, (commit, run, job) in enumerate(
        (
            ("a", "success", "success"),
            ("b", "failed", "success"),
            ("c", "success", "skipped"),
            ("c", "cancelled", "cancelled"),
            ("d", "failed", "failed"),
        ),
        start=2,
    ):
        id_ = acme.run("t09", commit, f"2026-01-{day:02} 00:00", f"2026-01-{day:02} 02:00", result=run)
        acme.job(id_, "build", f"2026-01-{day:02} 00:00", f"2026-01-{day:02} 00:30", repository="t09")
        acme.job(
            id_, "deploy", f"2026-01-{day:02} 00:30", f"2026-01-{day:02} 01:00", result=job, repository="t09"
        )
    yield
    assert acme.value("deployments", "t09") == 2
    assert acme.value("change_lead_time", "t09") == 2 * DAY + HOUR
    tries = acme.row("deployment_success_rate", "t09")
    assert (tries["value"], tries["n"]) == (2 / 3, 3)
    assert tries["excluded"] == {"cancelled": 1, "skipped": 1}


@usual.told
def test_t10_a_rerun_of_the_live_version_ships_nothing_and_keeps_the_first_date(acme: Acme) -> Iterator[None]:
    begun(acme, "t10")
    acme.deploy("t10", "b", "2026-01-03 00:00")
    acme.deploy("t10", "b", "2026-01-09 00:00")
    acme.deploy("t10", "c", "2026-01-11 00:00")
    yield
    assert acme.value("deployments", "t10") == 3
    assert acme.value("deployments", "t10", start="2026-01-09", grain="day") == 0
    assert acme.value("change_lead_time", "t10", start="2026-01-03", grain="day") == 2 * DAY
    assert acme.row("change_lead_time", "t10")["n"] == 2


@usual.told
def test_t11_a_rollback_ships_nothing_and_the_roll_forward_keeps_the_first_date(acme: Acme) -> Iterator[None]:
    begun(acme, "t11")
    acme.deploy("t11", "b", "2026-01-03 00:00")
    acme.deploy("t11", "a", "2026-01-03 01:00")
    acme.deploy("t11", "c", "2026-01-05 00:00")
    yield
    lead_times = [
        acme.value("change_lead_time", "t11", start=f"2026-01-0{day}", grain="day") for day in (3, 5)
    ]
    assert lead_times == [2 * DAY, 4 * DAY]
    assert acme.row("change_lead_time", "t11")["n"] == 2
    assert acme.value("deployments", "t11") == 4
    assert acme.value("change_fail_rate", "t11") == 1 / 4
    assert acme.value("rework_rate", "t11") == 1 / 4


@usual.told
def test_t12_overlapping_deployments_are_in_order_of_finish_and_the_older_one_is_no_rollback(
    acme: Acme,
) -> Iterator[None]:
    begun(acme, "t12")
    acme.deploy("t12", "b", "2026-01-03 10:30", started="2026-01-03 10:00")
    acme.deploy("t12", "c", "2026-01-03 10:20", started="2026-01-03 10:10")
    # Begun when the newer one was live, it does go back.
    acme.commits("t12-till", "2026-01-01 00:00", "x", "y", "z")
    acme.deploy("t12-till", "x", "2026-01-02 00:00")
    acme.deploy("t12-till", "z", "2026-01-03 10:20", started="2026-01-03 10:10")
    acme.deploy("t12-till", "y", "2026-01-03 10:30", started="2026-01-03 10:20")
    # Behind what was live when it began, but not the next after that.
    acme.commits("t12-lap", "2026-01-01 00:00", "p", "q", "r")
    acme.deploy("t12-lap", "q", "2026-01-03 10:00")
    acme.deploy("t12-lap", "r", "2026-01-03 10:20", started="2026-01-03 10:10")
    acme.deploy("t12-lap", "p", "2026-01-03 10:30", started="2026-01-03 10:15")
    yield
    shipped = acme.query(
        "select shipped_at from core.shipment inner join core.change using (change_key)"
        " where change_id = 'github:t12@b'"
    )
    assert [f"{row['shipped_at']:%H:%M}" for row in shipped] == ["10:20"]
    assert acme.value("change_fail_rate", "t12") == 0
    assert acme.value("change_fail_rate", "t12-till") == 1 / 3
    assert acme.value("change_fail_rate", "t12-lap") == 0


def test_t13_one_rollout_of_several_repositories_is_one_deployment_with_a_chain_in_each() -> None:
    acme = Acme(services=(Service("web", ("shop", "till")),))
    for repository in ("shop", "till"):
        acme.commits(repository, "2026-01-01 00:00", f"{repository}-1", f"{repository}-2")
        for number in (1, 2):
            day = f"2026-01-0{number + 1} 00:00"
            url = "https://ci.example/till" if repository == "till" else None
            acme.deploy(repository, f"{repository}-{number}", day, rollout=f"r{number}", url=url)
    acme.build()
    assert acme.value("deployments", "web") == 2
    assert acme.value("deployments", "Acme", level="organisation") == 2
    assert [acme.value("deployments", key, level="repository") for key in ("shop", "till")] == [2, 2]
    lead_time = acme.row("change_lead_time", "web")
    assert (lead_time["value"], lead_time["n"], lead_time["excluded"]) == (2 * DAY, 2, {"baseline": 2})
    # It is told by its first record, and by the first that has a page of its own.
    first = acme.query("select distinct repository_id, left(sha, 5) as version, url from core.deployment")
    assert first == [{"repository_id": "shop", "version": "shop-", "url": "https://ci.example/till"}]


def test_t28_a_branch_that_is_rewritten_or_deleted_takes_nothing_back(tmp_path: Path) -> None:
    upstream = Upstream(tmp_path / "shop.git")
    first = upstream.commit("first")
    lost = upstream.commit("lost", first)
    gone = upstream.commit("gone", lost, branch="topic")
    connector = GitConnector(
        "git", GitOptions(repositories=(str(upstream.path),)), Context(tmp_path / "cache", b"key")
    )
    acme = Acme(sources=(Source("git", "git"),), covered_until="2024-01-01 00:00")
    for day, commit in enumerate((first, lost, gone), start=20):
        acme.deploy(None, commit, f"2023-11-{day} 00:00", source="push", service="shop")
    acme.take("git", connector.read({}))
    before = acme.build().row("change_lead_time", start="2023-01-01")
    assert (before["n"], before["excluded"]) == (2, {"baseline": 1})

    rewritten = upstream.commit("rewritten", first, branch=None)
    upstream.git("update-ref", "refs/heads/main", rewritten)
    upstream.git("update-ref", "-d", "refs/heads/topic")
    upstream.git("reflog", "expire", "--expire=now", "--all")
    upstream.git("gc", "--quiet", "--prune=now")
    acme.take("git", connector.read(acme.cursors("git")))
    assert acme.build().row("change_lead_time", start="2023-01-01") == before
    assert acme.query("from core.commit where sha = ?", rewritten)


def test_t29_a_renamed_or_transferred_repository_keeps_its_history() -> None:
    acme = Acme(sources=(Source("github", "github"), Source("jenkins", "jenkins")))
    old, new = "https://git.example.invalid/acme/shop", "https://git.example.invalid/other/store"
    acme.commits("shop", "2026-01-01 00:00", "a", "b")
    acme.deploy(None, "a", "2026-01-02 00:00", source="jenkins", repository_url=old)
    acme.deploy(None, "b", "2026-01-03 00:00", source="jenkins", repository_url=old)
    acme.build()
    assert (acme.value("deployments"), acme.value("change_lead_time")) == (2, 2 * DAY)

    acme.commit("shop", "c", "2026-01-03 00:00", url=new)
    acme.add("github", "shop", Repository("shop", "store", new, "main", False))
    acme.deploy(None, "c", "2026-01-05 00:00", source="jenkins", repository_url=new)
    acme.build()
    assert (acme.value("deployments", "store"), acme.row("change_lead_time", "store")["n"]) == (3, 2)
    assert acme.query("select key from marts.deployments where key = 'shop'") == []


@usual.told
def test_t30_shipped_at_the_first_environment_and_fully_when_every_live_one_has_it(
    acme: Acme,
) -> Iterator[None]:
    acme.commits("t30", "2026-01-01 00:00", "a")
    acme.deploy("t30", "a", "2026-01-02 00:00", environment="prod-old")
    acme.deploy("t30", "a", "2026-01-02 01:00", environment="prod-eu")
    acme.deploy("t30", "a", "2026-01-02 02:00", environment="prod-us")
    acme.commit("t30", "b", "2026-04-09 00:00")
    acme.deploy("t30", "b", "2026-04-10 00:00", environment="prod-eu")
    acme.commit("t30", "c", "2026-04-10 12:00")
    acme.deploy("t30", "c", "2026-04-11 00:00", environment="prod-eu")
    acme.deploy("t30", "c", "2026-04-12 00:00", environment="prod-us")
    acme.commit("t30", "d", "2026-04-12 12:00")
    acme.deploy("t30", "d", "2026-04-13 00:00", environment="prod-eu")
    acme.deploy("t30", "d", "2026-04-14 00:00", environment="prod-us")
    acme.commit("t30", "e", "2026-04-14 12:00")
    acme.deploy("t30", "e", "2026-04-15 00:00", environment="prod-eu")
    yield
    shipped = acme.query(
        "select right(change_id, 1) as sha, strftime(shipped_at, '%m-%d') as shipped,"
        " strftime(fully_shipped_at, '%m-%d') as fully"
        " from core.shipment inner join core.change using (change_key)"
        " where change_id like 'github:t30@%' order by sha"
    )
    assert [tuple(row.values()) for row in shipped] == [
        ("a", "01-02", "01-02"),
        ("b", "04-10", "04-10"),  # the others were silent for more than 90 days
        ("c", "04-11", "04-11"),
        ("d", "04-13", "04-14"),  # prod-us is alive again
        ("e", "04-15", None),
    ]
