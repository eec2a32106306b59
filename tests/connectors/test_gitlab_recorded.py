"""GitLab: what real servers answered, served again page by page and read by the connector."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Batch, Item, Quarantined
from connectors.records import Deployment, Incident, Job, Membership, PipelineRun, PullRequest
from tests.connectors.gitlab_host import GitLabHost, Project
from tests.connectors.gitlab_reader import Reader, of, person, reading
from tests.recorded import BOTH, recorded

RESULTS = {"success": "success", "failed": "failed", "canceled": "cancelled", "skipped": "skipped"}
OPEN = {
    "created",
    "waiting_for_resource",
    "preparing",
    "pending",
    "running",
    "manual",
    "scheduled",
    "blocked",
}


class Replay:
    """A GitLab of recorded items, in pages of three."""

    def __init__(self, recordings: Path) -> None:
        self.recordings = recordings
        self.shop = Project(12345678, "acme/shop", default_branch="master")
        self.pip = Project(44, "acme/pip", default_branch="master")
        self.host = GitLabHost(self.shop, self.pip)
        self.host.has_graphql = False
        self.host.per_page = 3
        self.host.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.shop.merge_requests = list(self.items("merge_requests*", "iid").values())
        self.shop.commits = self.by_merge_request("merge_request_commits")
        self.shop.notes = self.by_merge_request("merge_request_notes")
        self.shop.deployments = list(self.items("deployments", "id").values())
        self.shop.issues = list(self.items("issues", "id").values())
        # The first of them was served where it is asked for alone, and without times in a list.
        self.shop.details = self.items("pipeline_details", "id")
        in_lists = (
            "id",
            "iid",
            "project_id",
            "sha",
            "ref",
            "status",
            "source",
            "created_at",
            "updated_at",
            "web_url",
        )
        listed = self.items("pipeline", "id") | self.shop.details
        self.shop.pipelines = [{key: each[key] for key in in_lists} for each in listed.values()]
        self.pip.jobs = list((self.items("job", "id") | self.items("trigger_job", "id")).values())
        self.members = self.items("users*", "username")
        self.host.members[1] = list(self.members.values())

    def items(self, kind: str, key: str) -> dict[Any, Any]:
        return {
            each.item[key]: each.item for each in recorded(self.recordings, "gitlab", f"gitlab_api_{kind}")
        }

    def by_merge_request(self, kind: str) -> dict[int, list[Any]]:
        found: dict[int, list[Any]] = defaultdict(list)
        for each in recorded(self.recordings, "gitlab", f"gitlab_api_{kind}"):
            found[each.input["Iid"]].append(each.item)
        return found


def instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


@pytest.fixture
def replay(recordings: Path) -> Replay:
    return Replay(recordings)


def read(replay: Replay, tmp_path: Path) -> tuple[Reader, list[Item]]:
    with reading(replay.host, tmp_path, incident_labels=["Enhancement"]) as reader:
        items = reader.read()
        again = reader.read()
    assert not of(items, Quarantined)
    assert not of(again, Batch)
    return reader, items


@BOTH
def test_merge_requests(replay: Replay, tmp_path: Path) -> None:
    reader, items = read(replay, tmp_path)
    found = {each.number: each for each in reader.records(PullRequest)}
    assert found.keys() == {each["iid"] for each in replay.shop.merge_requests}
    for item in replay.shop.merge_requests:
        record = found[item["iid"]]
        commits = replay.shop.commits.get(item["iid"], [])
        authors = {item["author"]["username"]} if item["author"] else set()
        comments = [
            note["created_at"]
            for note in replay.shop.notes.get(item["iid"], [])
            if not note["system"] and note["author"]["username"] not in authors
        ]
        assert record.opened_at == instant(item["created_at"])
        assert record.merged_at == instant(item["merged_at"])
        assert record.closed_at == instant(item["merged_at"] or item["closed_at"])
        assert (record.merge_sha is not None) == (item["state"] == "merged")
        assert record.author == person(item["author"]["username"])
        assert record.base_ref == "master"
        assert record.head_sha == item["sha"]
        assert list(record.commit_shas) == [commit["id"] for commit in reversed(commits)]
        assert record.first_commit_at == instant(min((c["authored_date"] for c in commits), default=None))
        assert record.first_review_at == instant(min(comments, default=None))
        assert record.labels == tuple(item["labels"])
    assert any(each.first_commit_at for each in found.values())
    people = set(re.findall(r"\bp[0-9a-f]{8}\b", repr(replay.shop.merge_requests) + repr(replay.shop.notes)))
    landed = repr(items)
    assert people
    assert not [name for name in people if name in landed]
    branches = {each["source_branch"] for each in replay.shop.merge_requests} - {"master"}
    assert not [name for name in branches if name in landed]


@BOTH
def test_pipelines_and_their_details(replay: Replay, tmp_path: Path) -> None:
    reader, _ = read(replay, tmp_path)
    found = {int(each.id): each for each in reader.records(PipelineRun)}
    assert found.keys() == {each["id"] for each in replay.shop.pipelines}
    for item in replay.shop.pipelines:
        record = found[item["id"]]
        assert record.result == RESULTS.get(item["status"], "running")
        assert item["status"] in {*RESULTS, *OPEN}
        assert record.queued_at == instant(item["created_at"])
        assert record.event == item["source"]
        if record.result == "running":
            assert record.finished_at is None
        if detail := replay.shop.details.get(item["id"]):
            assert record.started_at == instant(detail["started_at"])
            assert record.finished_at == instant(detail["finished_at"])
            assert record.started_at
            assert record.finished_at
            assert record.queued_at
            assert record.queued_at < record.started_at < record.finished_at


@BOTH
def test_jobs(replay: Replay, tmp_path: Path) -> None:
    reader, _ = read(replay, tmp_path)
    found = {int(each.id): each for each in reader.records(Job)}
    assert found.keys() == {each["id"] for each in replay.pip.jobs}
    for item in replay.pip.jobs:
        record = found[item["id"]]
        expected = "skipped" if item["status"] == "manual" else RESULTS.get(item["status"], "running")
        assert record.result == expected
        assert record.run == str(item["pipeline"]["id"])
        assert record.started_at == instant(item["started_at"])
        assert record.finished_at == (None if expected == "running" else instant(item["finished_at"]))
        if record.started_at and record.finished_at:
            assert (record.finished_at - record.started_at).total_seconds() == pytest.approx(
                item["duration"], abs=0.1
            )
        assert record.runner is None


@BOTH
def test_deployments(replay: Replay, tmp_path: Path) -> None:
    reader, _ = read(replay, tmp_path)
    found = {int(each.id): each for each in reader.records(Deployment)}
    assert found.keys() == {each["id"] for each in replay.shop.deployments}
    for item in replay.shop.deployments:
        record = found[item["id"]]
        expected = "running" if item["status"] in OPEN else RESULTS.get(item["status"], "unknown")
        assert record.status == expected
        assert record.environment == item["environment"]["name"]
        assert record.sha == item["sha"]
        assert record.created_at == instant(item["created_at"])
        assert record.started_at == instant(item["deployable"]["started_at"])
        if expected in {"success", "failed", "cancelled"}:
            assert record.finished_at == instant(item["deployable"]["finished_at"] or item["updated_at"])
    statuses = Counter(each.status for each in found.values())
    assert statuses["success"] == 1


@BOTH
def test_issues(replay: Replay, tmp_path: Path) -> None:
    reader, _ = read(replay, tmp_path)
    found = {int(each.id): each for each in reader.records(Incident)}
    labelled = {each["id"]: each for each in replay.shop.issues if "Enhancement" in each["labels"]}
    assert found.keys() == labelled.keys()
    for id_, item in labelled.items():
        assert found[id_].opened_at == instant(item["created_at"])
        assert found[id_].resolved_at == instant(item["closed_at"])
        assert found[id_].status == ("resolved" if item["state"] == "closed" else "open")
        assert found[id_].severity is None


@BOTH
def test_users_as_members(replay: Replay, tmp_path: Path) -> None:
    reader, _ = read(replay, tmp_path)
    found = {each.person: each for each in reader.records(Membership)}
    assert found.keys() == {person(name) for name in replay.members}
    for name, item in replay.members.items():
        assert found[person(name)].valid_from == instant(item["created_at"])
        assert found[person(name)].valid_to is None
