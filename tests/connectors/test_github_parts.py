"""GitHub's deployments, releases, incidents and workflow files: what becomes of them and of their changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Batch, Covered, Item, Problem, Quarantined
from connectors.github import deployments as github_deployments
from connectors.records import CapabilityState, Deployment, Incident, Release
from tests.connectors.contract import Loaded
from tests.connectors.github_host import WORKFLOW, GitHubHost, at, deployment, github, issue, of, release, sha

MINUTE = timedelta(minutes=1)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitHubHost]:
    with github(tmp_path) as host:
        yield host


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def nothing_new(items: list[Item]) -> bool:
    return not [item for item in items if not isinstance(item, Covered)]


def batches(items: list[Item], stream: str) -> list[Batch]:
    return [item for item in items if isinstance(item, Batch) and item.stream == stream]


class TestDeployments:
    def test_all_of_it_is_read(self, host: GitHubHost, cache: Path) -> None:
        assert of(host.read(cache), Deployment)[0] == Deployment(
            id="901",
            repository="71",
            repository_url=None,
            service=None,
            environment="production",
            is_production=None,
            sha=sha("merge 1"),
            ref="main",
            status="success",
            created_at=at(1),
            started_at=at(1) + 2 * MINUTE,
            finished_at=at(1) + 3 * MINUTE,
            url="https://github.demo.example/acme/shop/deployments/production",
        )

    @pytest.mark.parametrize(
        ("states", "status", "started", "finished"),
        [
            (("success",), "success", None, 1),
            (("queued", "in_progress", "success", "inactive"), "success", 2, 3),
            (("in_progress", "success", "failure"), "success", 1, 2),
            (("success", "inactive", "success"), "success", None, 1),
            (("in_progress", "failure", "in_progress", "success"), "success", 1, 4),
            (("in_progress", "failure"), "failed", 1, 2),
            (("error",), "failed", None, 1),
            (("failure", "inactive"), "failed", None, 1),
            (("in_progress", "failure", "queued"), "running", 1, None),
            (("waiting",), "running", None, None),
            (("queued", "inactive"), "cancelled", None, 2),
            (("inactive",), "cancelled", None, 1),
        ],
    )
    def test_the_first_success_ends_it(
        self,
        host: GitHubHost,
        cache: Path,
        states: tuple[str, ...],
        status: str,
        started: int | None,
        finished: int | None,
    ) -> None:
        host.shop.deployments = [deployment(1, *states)]
        (record,) = of(host.read(cache), Deployment)
        assert record.status == status
        assert record.started_at == (None if started is None else at(1) + started * MINUTE)
        assert record.finished_at == (None if finished is None else at(1) + finished * MINUTE)

    def test_without_any_status_it_is_under_way(self, host: GitHubHost, cache: Path) -> None:
        host.shop.deployments = [replace(deployment(1), statuses=())]
        assert [each.status for each in of(host.read(cache), Deployment)] == ["running"]

    def test_states_of_the_same_second_are_in_their_order(self, host: GitHubHost, cache: Path) -> None:
        states = ("in_progress", at(1)), ("failure", at(1)), ("queued", at(1))
        host.shop.deployments = [replace(deployment(1), statuses=states)]
        assert [each.status for each in of(host.read(cache), Deployment)] == ["failed"]

    def test_a_tag_is_kept_a_branch_masked(self, host: GitHubHost, cache: Path) -> None:
        host.shop.deployments = [
            deployment(1, ref="v1.0.1"),
            deployment(2, ref="ada/topic"),
            deployment(3, environment="review/ada-topic"),
        ]
        tagged, branched, review = of(host.read(cache), Deployment)
        assert tagged.ref == "v1.0.1"
        assert str(branched.ref).startswith("~")
        assert review.environment == "review/*"
        assert "ada" not in str(review.url)

    def test_a_deleted_branch_is_none(self, host: GitHubHost, cache: Path) -> None:
        def after(path: str, body: Any, answer: Any) -> Any:
            if body and "query Deployments(" in body["query"]:
                for edge in answer["data"]["repository"]["items"]["edges"]:
                    edge["node"]["ref"] = None
            return answer

        host.after = after
        assert {each.ref for each in of(host.read(cache), Deployment)} == {None}

    def test_many_statuses_are_followed(self, host: GitHubHost, cache: Path) -> None:
        states = ["in_progress", "success", *["inactive"] * 150]
        host.shop.deployments = [deployment(1, *states)]
        (record,) = of(host.read(cache), Deployment)
        assert (record.status, record.finished_at) == ("success", at(1) + 2 * MINUTE)

    def test_one_under_way_is_followed_to_its_end(self, host: GitHubHost, cache: Path) -> None:
        host.shop.deployments = [deployment(1, "in_progress"), deployment(2)]
        loaded = Loaded()
        host.read(cache, loaded)
        # Behind the ten newest it ends.
        host.shop.deployments[0] = deployment(1, "in_progress", *["in_progress"] * 99, "success")
        host.shop.deployments += [deployment(number) for number in range(3, 20)]
        items = host.read(cache, loaded)
        (first, *_) = of(loaded, Deployment)
        assert (first.id, first.status) == ("901", "success")
        assert sum(len(batch.records) for batch in batches(items, "deployment")) == 18
        assert nothing_new(host.read(cache, loaded))

    def test_a_change_of_one_of_the_newest_is_seen(self, host: GitHubHost, cache: Path) -> None:
        host.shop.deployments = [deployment(number, "failure") for number in range(1, 10)]
        loaded = Loaded()
        host.read(cache, loaded)
        host.shop.deployments[2] = deployment(3, "failure", "success")
        items = host.read(cache, loaded)
        (batch,) = batches(items, "deployment")
        assert [(each.id, each.status) for each in batch.records if isinstance(each, Deployment)] == [
            ("903", "success")
        ]

    def test_of_those_that_never_end_the_newest_are_followed(
        self, host: GitHubHost, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(github_deployments, "MOST_UNDER_WAY", 5)
        host.shop.deployments = [deployment(number, "queued") for number in range(1, 30)]
        loaded = Loaded()
        host.read(cache, loaded)
        host.shop.deployments = [
            deployment(number, "queued", *["queued"] * 99, "success") for number in range(1, 30)
        ] + [deployment(number) for number in range(30, 45)]
        host.read(cache, loaded)
        ended = {int(each.id) - 900 for each in of(loaded, Deployment) if each.status == "success"}
        assert ended == {*range(25, 45)}

    def test_one_that_was_deleted_is_let_go(self, host: GitHubHost, cache: Path) -> None:
        host.shop.deployments = [deployment(1, "in_progress")]
        loaded = Loaded()
        host.read(cache, loaded)
        host.shop.deployments = [deployment(2)]
        items = host.read(cache, loaded)
        assert not [item for item in items if isinstance(item, Problem | Quarantined)]
        assert nothing_new(host.read(cache, loaded))

    def test_one_without_an_environment_is_quarantined(self, host: GitHubHost, cache: Path) -> None:
        host.shop.deployments = [deployment(1, environment=""), deployment(2)]
        items = host.read(cache)
        assert [item.id for item in items if isinstance(item, Quarantined)] == ["901"]
        assert [each.id for each in of(items, Deployment)] == ["902"]


class TestReleases:
    def test_all_of_it_is_read(self, host: GitHubHost, cache: Path) -> None:
        assert of(host.read(cache), Release)[-1] == Release(
            repository="71",
            tag="v1.0.1",
            sha=sha("merge 1"),
            published_at=at(1),
            is_prerelease=False,
            url="https://github.demo.example/acme/shop/releases/tag/v1.0.1",
        )

    def test_new_ones_cost_a_page(self, host: GitHubHost, cache: Path) -> None:
        host.shop.releases = [release(number) for number in range(1, 251)]
        loaded = Loaded()
        host.read(cache, loaded)
        assert len(of(loaded, Release)) == 250
        host.shop.releases.append(release(251))
        host.forget()
        items = host.read(cache, loaded)
        assert len(of(loaded, Release)) == 251
        assert [batch.is_whole for batch in batches(items, "release")] == [False]
        assert sum("query Releases(" in query for query, _ in host.queries) == 1
        assert nothing_new(host.read(cache, loaded))

    @pytest.mark.parametrize("gone", [0, 100, 249])
    def test_deleted_ones_are_dropped(self, host: GitHubHost, cache: Path, gone: int) -> None:
        host.shop.releases = [release(number) for number in range(1, 251)]
        loaded = Loaded()
        host.read(cache, loaded)
        del host.shop.releases[gone]
        host.read(cache, loaded)
        assert len(of(loaded, Release)) == 249
        host.shop.releases = []
        host.read(cache, loaded)
        assert not of(loaded, Release)

    def test_a_published_release_outweighs_a_draft_of_its_tag(self, host: GitHubHost, cache: Path) -> None:
        def after(path: str, body: Any, answer: Any) -> Any:
            if body and "query Releases(" in body["query"]:
                nodes = answer["data"]["repository"]["releases"]["nodes"]
                draft = {**nodes[0], "isDraft": True, "publishedAt": None, "tagCommit": None, "databaseId": 1}
                nodes += [draft, {**draft, "tagName": "v9"}]
            return answer

        host.after = after
        read = {each.tag: each for each in of(host.read(cache), Release)}
        assert read["v1.0.2"].published_at == at(2)
        assert (read["v9"].published_at, read["v9"].sha) == (None, None)


class TestIncidents:
    def test_all_of_it_is_read(self, host: GitHubHost, cache: Path) -> None:
        (record,) = of(host.read(cache), Incident)
        assert record == Incident(
            id=record.id,
            service=None,
            repository="71",
            severity=None,
            status="resolved",
            opened_at=at(50),
            acknowledged_at=None,
            resolved_at=at(60),
            deployment=None,
            sha=None,
            change_number=None,
            url="https://github.demo.example/acme/shop/issues/50",
        )
        assert int(record.id)

    def test_any_of_the_labels_makes_one(self, host: GitHubHost, cache: Path) -> None:
        host.shop.issues = [
            issue(1, "incident"),
            issue(2, "outage", "incident"),
            issue(3, "outage"),
            issue(4),
        ]
        items = host.read(cache, incident_labels=["incident", "outage"])
        assert {str(each.url)[-1] for each in of(items, Incident)} == {"1", "2", "3"}

    def test_without_labels_there_are_none(self, host: GitHubHost, cache: Path) -> None:
        connector = host.connector(cache, incident_labels=[])
        assert "incident" not in connector.streams_of(connector.options)
        assert not of(list(connector.read({})), Incident)
        assert not [query for query, _ in host.queries if "issues" in query]

    def test_changes_are_read_until_what_is_known(self, host: GitHubHost, cache: Path) -> None:
        host.shop.issues = [issue(number, "incident") for number in range(250)]
        loaded = Loaded()
        host.read(cache, loaded)
        assert len(of(loaded, Incident)) == 250
        host.shop.issues[3] = issue(3, "incident", closed=400)
        host.shop.issues.append(issue(401, "incident"))
        host.forget()
        items = host.read(cache, loaded)
        (batch,) = batches(items, "incident")
        assert (len(batch.records), batch.is_whole) == (3, False)
        assert len(of(loaded, Incident)) == 251
        assert sum(each.status == "resolved" for each in of(loaded, Incident)) == 1
        assert sum("query Incidents(" in query for query, _ in host.queries) == 1
        assert nothing_new(host.read(cache, loaded))

    def test_one_that_loses_its_label_is_none(self, host: GitHubHost, cache: Path) -> None:
        host.shop.issues = [issue(number, "incident") for number in range(20)]
        loaded = Loaded()
        host.read(cache, loaded)
        host.shop.issues[3] = issue(3, "bug")
        # Another one is given it, so that there are as many as before.
        host.shop.issues.append(issue(30, "incident"))
        host.read(cache, loaded)
        assert {int(str(each.url).rpartition("/")[2]) for each in of(loaded, Incident)} == {
            *range(20),
            30,
        } - {3}
        host.shop.issues = []
        host.read(cache, loaded)
        assert not of(loaded, Incident)

    def test_other_labels_begin_anew(self, host: GitHubHost, cache: Path) -> None:
        host.shop.issues = [issue(1, "incident"), issue(2, "outage")]
        loaded = Loaded()
        host.read(cache, loaded)
        host.read(cache, loaded, incident_labels=["outage"])
        assert [str(each.url)[-1] for each in of(loaded, Incident)] == ["2"]


class TestFiles:
    def test_what_files_use_is_seen_and_where(self, host: GitHubHost, cache: Path) -> None:
        own = "jobs: {a: {uses: acme/shop/.github/workflows/own.yml@v1}}"
        host.upstream.hold({".github/workflows/ci.yml": WORKFLOW, ".github/workflows/own.yml": own})
        host.upstream.commit()
        loaded = Loaded()
        items = host.read(cache, loaded)
        records = {each.capability: each for each in of(items, CapabilityState)}
        assert records.keys() == {
            "action:actions/checkout",
            "workflow:acme/ci/.github/workflows/deliver.yml",
        }
        assert records["action:actions/checkout"] == CapabilityState(
            capability="action:actions/checkout",
            subject_kind="repository",
            subject="71",
            place=".github/workflows/ci.yml",
            version="v4",
            folders=(),
            url="https://github.demo.example/acme/shop/blob/HEAD/.github/workflows/ci.yml",
        )
        assert [item.looked_for for item in items if isinstance(item, Covered) and item.scope == "71"] == [
            "1"
        ]
        host.upstream.hold({})
        host.upstream.commit()
        assert nothing_new(host.read(cache, loaded)), "GitHub tells nothing new before the next push"
        host.shop.pushed_at = at(120)
        host.read(cache, loaded)
        assert not of(loaded, CapabilityState)

    def test_files_that_are_not_wanted_are_not_read(self, host: GitHubHost, cache: Path) -> None:
        items = host.read(cache, evidence=False)
        assert "capability_state" not in {item.stream for item in items if isinstance(item, Batch)}
        assert {item.looked_for for item in items if isinstance(item, Covered)} == {None}
        assert "capability_state" not in host.connector(cache, evidence=False).streams_of(
            host.options(evidence=False)
        )
