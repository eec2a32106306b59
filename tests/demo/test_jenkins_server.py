"""The demo's Jenkins: its `tree`, its addresses, its refusals; and its answers' likeness to recorded ones."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from demo.servers.jenkins import app
from demo.world import Build, JenkinsJob, Stage, World
from tests.recorded import BOTH, Recorded, recorded
from tests.serving import serving

NOW = datetime(2025, 3, 3, 12, tzinfo=UTC)


def made(number: int, result: str | None = "SUCCESS") -> Build:
    at = NOW + timedelta(minutes=number)
    status = {"SUCCESS": "SUCCESS", "ABORTED": "ABORTED"}.get(str(result), "FAILED")
    stages = (Stage(6, "checkout", "SUCCESS", at, 900), Stage(13, "build", status, at, 100))
    url = "https://github.demo.example/acme/shop.git"
    return Build(
        number, at, 250, 1_000, result, "a" * 40, "main", url, "jenkins.branch.BranchEventCause", stages
    )


@pytest.fixture(scope="module")
def world() -> World:
    builds = [made(1), made(2, "FAILURE"), made(3, "ABORTED"), *map(made, range(4, 120)), made(120, None)]
    return World(
        "acme",
        NOW,
        jenkins=[
            JenkinsJob(("shop", "api", "main"), is_branch=True, builds=builds),
            JenkinsJob(("shop", "api", "feature%2Flogin"), is_branch=True, builds=[made(1)]),
            JenkinsJob(("nightly",), is_branch=False),
        ],
    )


class Client:
    """Asks a server, and takes what it answers as it is."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)

    def response(
        self, path: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection(str(self._address.hostname), self._address.port or 80)
        connection.request("GET", f"{path}?{urlencode(params or {})}", headers=headers or {})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, body

    def status(
        self, path: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> int:
        return self.response(path, params, headers)[0].status

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        response, body = self.response(path, params)
        assert response.status == 200
        return json.loads(body)


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[Client]:
    with serving(app(world)) as url:
        yield Client(url)


MAIN = "/job/shop/job/api/job/main"


class TestTree:
    def test_only_what_is_asked_for_shows_and_the_class(self, client: Client) -> None:
        body = client.get("/api/json", params={"tree": "jobs[name,jobs[name,none]],mode"})
        assert body == {
            "_class": "hudson.model.Hudson",
            "jobs": [
                {"_class": "org.jenkinsci.plugins.workflow.job.WorkflowJob", "name": "nightly"},
                {
                    "_class": "com.cloudbees.hudson.plugins.folder.Folder",
                    "name": "shop",
                    "jobs": [
                        {
                            "_class": "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject",
                            "name": "api",
                        }
                    ],
                },
            ],
            "mode": "NORMAL",
        }

    @pytest.mark.parametrize(
        ("stretch", "numbers"),
        [
            ("{0,3}", [120, 119, 118]),
            ("{118,130}", [2, 1]),
            ("{119}", [1]),
            ("{,2}", [120, 119]),
            ("{200,300}", []),
        ],
    )
    def test_stretches_count_from_the_newest(self, client: Client, stretch: str, numbers: list[int]) -> None:
        body = client.get(f"{MAIN}/api/json", params={"tree": f"allBuilds[number]{stretch}"})
        assert [build["number"] for build in body["allBuilds"]] == numbers

    def test_builds_are_the_newest_hundred(self, client: Client) -> None:
        body = client.get(f"{MAIN}/api/json", params={"tree": "builds[number],lastCompletedBuild[number]"})
        assert len(body["builds"]) == 100
        assert body["lastCompletedBuild"]["number"] == 119

    def test_a_star_is_everything(self, client: Client) -> None:
        body = client.get(f"{MAIN}/1/api/json", params={"tree": "actions[causes[*]],*"})
        assert body["actions"][0]["causes"][0]["shortDescription"]
        assert {"number", "result", "url", "displayName"} <= body.keys()

    @pytest.mark.parametrize("tree", ["jobs[name", "jobs]", "jobs{1,", "a b;"])
    def test_a_broken_one_is_refused(self, client: Client, tree: str) -> None:
        assert client.status("/api/json", params={"tree": tree}) == 400

    def test_without_one_there_is_an_overview(self, client: Client) -> None:
        body = client.get("/job/shop/api/json")
        assert body["fullName"] == "shop"
        assert body["jobs"][0]["url"] == "https://jenkins.demo.example/job/shop/job/api/"


class TestAddresses:
    def test_a_branch_is_encoded_twice(self, client: Client) -> None:
        body = client.get(
            "/job/shop/job/api/job/feature%252Flogin/api/json", params={"tree": "name,fullName"}
        )
        assert body["fullName"] == "shop/api/feature%2Flogin"

    @pytest.mark.parametrize(
        "path", ["/job/none/api/json", f"{MAIN}/999/api/json", "/job/nightly/lastBuild/api/json", "/x"]
    )
    def test_what_is_not_there_is_not_found(self, client: Client, path: str) -> None:
        response, _ = client.response(path)
        assert response.status == 404
        assert str(response.headers["content-type"]).startswith("text/html")

    def test_every_answer_names_the_version(self, client: Client) -> None:
        for path in ("/api/json", "/nothing"):
            assert re.fullmatch(r"[\d.]+", str(client.response(path)[0].headers["x-jenkins"]))

    def test_runs_are_listed_down_to_one_or_to_the_most_there_can_be(self, client: Client) -> None:
        runs = client.get(f"{MAIN}/wfapi/runs", params={"since": "#118"})
        assert [run["name"] for run in runs] == ["#120", "#119", "#118"]
        assert len(client.get(f"{MAIN}/wfapi/runs")) == 11
        assert client.get(f"{MAIN}/wfapi")["runCount"] == 120
        assert client.status("/job/shop/wfapi/runs") == 404


class TestAccount:
    @pytest.mark.parametrize(
        ("authorization", "status"),
        [
            (None, 403),
            ("Bearer t0ken", 403),
            ("Basic " + base64.b64encode(b"reader:wrong").decode(), 401),
            ("Basic ???", 401),
            ("Basic " + base64.b64encode(b"reader:t0ken").decode(), 200),
        ],
    )
    def test_only_the_account_is_answered(self, world: World, authorization: str | None, status: int) -> None:
        with serving(app(world, user="reader", token="t0ken")) as url:
            headers = {"Authorization": authorization} if authorization else {}
            assert Client(url).status("/api/json", headers=headers) == status


@BOTH
class TestLikeness:
    def test_builds(self, client: Client, recordings: Path) -> None:
        for each in recorded(recordings, "jenkins", "jenkins_api_builds_multibranch"):
            number = {"SUCCESS": 1, "FAILURE": 2, "ABORTED": 3}[each.item["result"]]
            tree = (
                "number,timestamp,duration,building,estimatedDuration,fullDisplayName,result,"
                "actions[lastBuiltRevision[SHA1,branch[name]],remoteUrls,mercurialRevisionNumber,causes[*]],"
                "changeSet[kind,revisions[revision]]"
            )
            served = client.get(f"{MAIN}/{number}/api/json", params={"tree": tree})
            assert shape({**served, "actions": []}) == shape({**each.item, "actions": []})
            known = {action.get("_class"): shape(action) for action in served["actions"]}
            for action in each.item["actions"]:
                # An interrupted build has another action with causes, and not every cause has the same class.
                kind = action.get("_class")
                if kind in known and kind != "jenkins.model.InterruptedBuildAction":
                    assert known[kind] == shape(action)
            assert "hudson.plugins.git.util.BuildData" in known

    def test_stages(self, client: Client, recordings: Path) -> None:
        for number, status in ((1, "SUCCESS"), (3, "ABORTED")):
            run = client.get(f"{MAIN}/{number}/wfapi/describe")
            (served,) = [stage for stage in run["stages"] if stage["name"] == "build"]
            alike: list[Recorded] = [
                each
                for each in recorded(recordings, "jenkins", "jenkins_api_stages_multibranch")
                if each.item["status"] == status
            ]
            assert alike
            for each in alike:
                assert shape(served) == shape(each.item)
                assert re.fullmatch(
                    r"(/\w+)*/job/.*/\d+/execution/node/\d+/wfapi/describe", served["_links"]["self"]["href"]
                )

    def test_branches(self, client: Client, recordings: Path) -> None:
        tree = "jobs[fullName,name,class,url,color,description]"
        served = client.get("/job/shop/job/api/api/json", params={"tree": tree})["jobs"][0]
        for each in recorded(recordings, "jenkins", "jenkins_api_jobs_multibranch"):
            assert shape(served) == shape(each.item)


def shape(value: Any) -> Any:
    """Keys and kinds of values, whatever the values."""
    if isinstance(value, dict):
        return {key: shape(held) for key, held in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__
