"""Jenkins' builds, and which of them or of their stages deploy what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.connector import Context
from connectors.jenkins import JenkinsConnector, JenkinsOptions
from connectors.jenkins.builds import page_of
from connectors.records import Deployment, Job, PipelineRun
from demo.world import JenkinsJob, Stage
from tests.connectors.jenkins_host import JenkinsHost, build, job
from tests.connectors.jenkins_reader import NOW, SHA, STAGES, T0, Live, checkout, made, reading


class TestBuilds:
    def test_a_build_of_a_branch_with_its_stages_and_deployment(self, tmp_path: Path) -> None:
        live = Live(JenkinsJob(("shop", "api", "main"), is_branch=True, builds=[made(1)]))
        with reading(live, tmp_path, deployments=STAGES) as reader:
            reader.read()
        at = NOW + timedelta(hours=1)
        (run,) = reader.records(PipelineRun)
        id_ = f"shop/api/main#1@{round(at.timestamp() * 1000)}"
        assert run == PipelineRun(
            id=id_,
            attempt=1,
            repository=None,
            repository_url="https://git.acme.example/acme/shop",
            workflow="shop/api",
            branch="main",
            event="BranchEventCause",
            sha=SHA,
            queued_at=at - timedelta(milliseconds=2_500),
            started_at=at,
            finished_at=at + timedelta(seconds=20),
            result="success",
            url="https://jenkins.demo.example/job/shop/job/api/job/main/1/",
        )
        deploy, test = reader.records(Job)
        assert (deploy.id, deploy.name, deploy.result) == (f"{id_}/14", "deploy", "success")
        assert (test.run, test.attempt, test.name, test.runner) == (id_, 1, "test", None)
        assert (test.started_at, test.finished_at) == (at, at + timedelta(seconds=9))
        (deployment,) = reader.records(Deployment)
        assert deployment == Deployment(
            id=f"{id_}/14:production:api",
            repository=None,
            repository_url="https://git.acme.example/acme/shop",
            service="api",
            environment="production",
            is_production=None,
            sha=SHA,
            ref="main",
            status="success",
            created_at=at + timedelta(seconds=10),
            started_at=at + timedelta(seconds=10),
            finished_at=at + timedelta(seconds=19),
            url=run.url,
        )

    def test_the_names_of_branches_and_people_do_not_land(self, tmp_path: Path) -> None:
        builds = [made(1, branch="ada-lovelace/fix")]
        live = Live(JenkinsJob(("shop", "api", "ada-lovelace%2Ffix"), is_branch=True, builds=builds))
        rule = {"job": "shop/api/(?P<branch>.+)", "environment": "$branch"}
        with reading(live, tmp_path, deployments=[rule]) as reader:
            items = reader.read()
        (run,) = reader.records(PipelineRun)
        assert run.workflow == "shop/api"
        assert run.branch == Context(tmp_path, b"key").branch("ada-lovelace/fix")
        assert run.url == "https://jenkins.demo.example/job/shop/job/api/"
        assert "/job/shop/job/api/job/ada-lovelace%252Ffix/api/json" in reader.requests
        assert len(reader.records(Deployment)) == 1
        assert "lovelace" not in repr(items)

    def test_who_started_a_build_is_not_even_asked_for(self, tmp_path: Path) -> None:
        cause = {"_class": "hudson.model.Cause$UserIdCause", "shortDescription": "by Ada", "userId": "ada"}
        host = JenkinsHost(job("nightly", 1, T0), nightly=[build(1, T0, {"causes": [cause]})])
        with reading(host, tmp_path) as reader:
            items = reader.read()
        assert [run.event for run in reader.records(PipelineRun)] == ["UserIdCause"]
        assert "Ada" not in repr(items)
        assert not [query for each in reader.received for _, query in each.query if "userId" in query]

    @pytest.mark.parametrize(
        ("result", "is_building", "expected"),
        [
            ("SUCCESS", False, "success"),
            ("UNSTABLE", False, "failed"),
            ("FAILURE", False, "failed"),
            ("ABORTED", False, "cancelled"),
            ("NOT_BUILT", False, "skipped"),
            ("SOMETHING", False, "unknown"),
            (None, False, "unknown"),
            (None, True, "running"),
            ("SUCCESS", True, "running"),
        ],
    )
    def test_results(self, tmp_path: Path, result: str | None, is_building: bool, expected: str) -> None:
        made_so = build(1, T0, result=result, building=is_building)
        with reading(JenkinsHost(job("nightly", 1, T0), nightly=[made_so]), tmp_path) as reader:
            reader.read()
        (run,) = reader.records(PipelineRun)
        assert run.result == expected
        assert (run.finished_at is None) == is_building
        assert run.queued_at is None

    def test_of_several_checkouts_the_one_that_is_no_library_counts(self, tmp_path: Path) -> None:
        library = checkout("a" * 40, "ci/library")
        own = checkout("b" * 40, "acme/Shop")
        other = checkout("c" * 40, "acme/else", "detached")
        tagged = checkout("d" * 40, "acme/else", "refs/tags/2025-week-9")
        host = JenkinsHost(
            job("shop", 4, T0 + 4),
            shop=[
                build(4, T0 + 4, tagged),
                build(3, T0 + 3, library, other),
                build(2, T0 + 2, own, library),
                build(1, T0 + 1, library, own),
            ],
        )
        with reading(host, tmp_path) as reader:
            items = reader.read()
        runs = [(run.sha, run.branch, run.repository_url) for run in reader.records(PipelineRun)]
        assert runs == [
            ("b" * 40, "main", "https://git.acme.example/acme/Shop"),
            ("b" * 40, "main", "https://git.acme.example/acme/Shop"),
            ("c" * 40, None, "https://git.acme.example/acme/else"),
            ("d" * 40, "2025-week-9", "https://git.acme.example/acme/else"),
        ]
        assert "s3cret" not in repr(items)

    @pytest.mark.parametrize(
        ("remote", "page"),
        [
            ("git@github.com:acme/shop.git", "https://github.com/acme/shop"),
            ("github.com:acme/shop", "https://github.com/acme/shop"),
            ("ssh://git@git.acme.example:7999/acme/shop.git", "https://git.acme.example/acme/shop"),
            (
                "https://ada:token@git.acme.example:8443/acme/shop.git/",
                "https://git.acme.example:8443/acme/shop",
            ),
            ("http://git.acme.example/acme/shop", "http://git.acme.example/acme/shop"),
            ("/srv/git/shop.git", None),
        ],
    )
    def test_the_page_of_a_remote(self, remote: str, page: str | None) -> None:
        assert page_of(remote) == page


class TestDeployments:
    def deployed(self, tmp_path: Path, made_so: dict[str, Any], **rule: str) -> list[Deployment]:
        host = JenkinsHost(job("deploy-shop", 1, T0), **{"deploy-shop": [made_so]})
        with reading(host, tmp_path, deployments=[{"job": "^deploy-(?P<app>.+)", **rule}]) as reader:
            reader.read()
        assert len(reader.records(PipelineRun)) == 1
        return reader.records(Deployment)

    def test_environment_service_and_commit_come_from_groups_and_parameters(self, tmp_path: Path) -> None:
        values = [
            {"name": "ENVIRONMENT", "value": "prod-eu"},
            {"name": "COMMIT", "value": SHA.upper()},
            {"name": "DRY", "value": None},
        ]
        made_so = build(1, T0, {"parameters": values})
        (deployment,) = self.deployed(
            tmp_path, made_so, environment="$ENVIRONMENT", service="$app", sha="$COMMIT"
        )
        assert (deployment.environment, deployment.service, deployment.sha) == ("prod-eu", "shop", SHA)
        assert deployment.started_at == datetime.fromtimestamp(T0 / 1000, UTC)
        assert deployment.finished_at == datetime.fromtimestamp(T0 / 1000 + 60, UTC)

    def test_without_the_parameter_there_is_no_deployment(self, tmp_path: Path) -> None:
        assert not self.deployed(tmp_path, build(1, T0), environment="$ENVIRONMENT")

    def test_a_version_is_no_commit(self, tmp_path: Path) -> None:
        made_so = build(1, T0, {"parameters": [{"name": "COMMIT", "value": "1.2.3"}]})
        (deployment,) = self.deployed(tmp_path, made_so, environment="production", sha="$COMMIT")
        assert deployment.sha is None

    def test_several_repositories_that_go_out_together_are_one_rollout(self, tmp_path: Path) -> None:
        shop, cart, library = "acme/shop", "acme/cart", "ci/library"
        checkouts = [
            checkout("1" * 40, library),
            checkout("2" * 40, shop),
            checkout("3" * 40, cart, "refs/tags/v1"),
            checkout("4" * 40, shop),
        ]
        made_so = build(1, T0, *checkouts, result="FAILURE")
        deployments = self.deployed(
            tmp_path, made_so, environment="production", repositories="^https://git.acme.example/acme/"
        )
        rollout = f"deploy-shop#1@{T0}:production"
        assert [(each.id, each.repository_url, each.sha, each.ref) for each in deployments] == [
            (f"{rollout}/1", "https://git.acme.example/acme/cart", "3" * 40, "v1"),
            (f"{rollout}/2", "https://git.acme.example/acme/shop", "4" * 40, "main"),
        ]
        assert {each.rollout for each in deployments} == {rollout}
        assert {each.status for each in deployments} == {"failed"}

    def test_a_library_is_not_deployed_with_what_it_builds(self, tmp_path: Path) -> None:
        made_so = build(1, T0, checkout("1" * 40, "ci/library"), checkout("2" * 40, "acme/shop"))
        (deployment,) = self.deployed(tmp_path, made_so, environment="production")
        assert (deployment.sha, deployment.rollout) == ("2" * 40, None)

    @pytest.mark.parametrize(("checked_out", "sha"), [([], None), (["acme/shop"], SHA)])
    def test_more_may_come_of_what_is_one_as_yet_or_none(
        self, tmp_path: Path, checked_out: list[str], sha: str | None
    ) -> None:
        made_so = build(1, T0, *(checkout(SHA, name) for name in checked_out))
        (deployment,) = self.deployed(tmp_path, made_so, environment="production", repositories="/acme/")
        assert (deployment.id, deployment.sha) == (f"deploy-shop#1@{T0}:production/1", sha)
        assert deployment.rollout == f"deploy-shop#1@{T0}:production"

    @pytest.mark.parametrize(
        ("result", "status"),
        [("UNSTABLE", "success"), ("FAILURE", "failed"), ("ABORTED", "cancelled"), ("NOT_BUILT", "skipped")],
    )
    def test_statuses(self, tmp_path: Path, result: str, status: str) -> None:
        (deployment,) = self.deployed(tmp_path, build(1, T0, result=result), environment="production")
        assert deployment.status == status

    def test_one_that_runs_has_no_end(self, tmp_path: Path) -> None:
        made_so = build(1, T0, result=None, building=True, duration=0)
        (deployment,) = self.deployed(tmp_path, made_so, environment="production")
        assert (deployment.status, deployment.finished_at) == ("running", None)

    def test_a_stage_that_was_not_reached_is_skipped_and_one_that_is_not_there_is_none(
        self, tmp_path: Path
    ) -> None:
        skipped = replace(
            made(1),
            stages=(Stage(14, "deploy", "NOT_EXECUTED", NOW, 0), Stage(15, "deployment", "SUCCESS", NOW, 1)),
        )
        builds = [skipped, replace(made(2), stages=made(2).stages[:1])]
        live = Live(JenkinsJob(("shop", "api", "main"), is_branch=True, builds=builds))
        with reading(live, tmp_path, deployments=STAGES) as reader:
            reader.read()
        (deployment,) = reader.records(Deployment)
        assert (deployment.status, deployment.started_at) == ("skipped", None)
        assert deployment.created_at == skipped.started_at

    def test_a_stage_of_a_failed_build_deploys_all_the_same(self, tmp_path: Path) -> None:
        deployed = Stage(14, "deploy", "SUCCESS", NOW, 5_000)
        failed = replace(made(1, result="FAILURE"), stages=(deployed, Stage(15, "smoke", "FAILED", NOW, 1)))
        live = Live(JenkinsJob(("shop", "api", "main"), is_branch=True, builds=[failed]))
        with reading(live, tmp_path, deployments=STAGES) as reader:
            reader.read()
        (deployment,) = reader.records(Deployment)
        assert (deployment.status, deployment.finished_at) == ("success", NOW + timedelta(seconds=5))
        assert [run.result for run in reader.records(PipelineRun)] == ["failed"]
        assert {job.name: job.result for job in reader.records(Job)} == {
            "deploy": "success",
            "smoke": "failed",
        }

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"url": "ci.acme.example"}, "https://host/path"),
            ({"url": "https://ada:pw@ci.acme.example"}, "no user"),
            ({"url": "https://ci.example", "user": "ada"}, "belong together"),
            (
                {"url": "https://ci.example", "deployments": [{"job": "(", "environment": "x"}]},
                "not a pattern",
            ),
            ({"url": "https://ci.example", "deployments": [{"job": "x"}]}, "environment"),
            (
                {
                    "url": "https://ci.example",
                    "deployments": [{"job": "x", "environment": "x", "sha": "$S", "repositories": "x"}],
                },
                "not both",
            ),
            ({"url": "https://ci.example", "stages": -1}, "stages"),
        ],
    )
    def test_wrong_options_are_named_and_not_shown(self, options: dict[str, Any], said: str) -> None:
        with pytest.raises(ValidationError) as raised:
            JenkinsOptions.model_validate(options)
        assert said in str(raised.value)
        assert "pw" not in str(raised.value)

    def test_only_the_streams_that_are_asked_for_are_promised(self) -> None:
        options = JenkinsOptions.model_validate({"url": "https://ci.example", "stages": 0})
        assert JenkinsConnector.streams_of(options) == ("pipeline_run",)
        everything = JenkinsOptions.model_validate({"url": "https://ci.example", "deployments": STAGES})
        assert JenkinsConnector.streams_of(everything) == JenkinsConnector.streams
