"""Jenkins: what real servers answered, served again and read by the connector."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from connectors.connector import Batch, Context, Quarantined
from connectors.jenkins import JenkinsConnector, JenkinsOptions
from connectors.records import Deployment, Job, PipelineRun
from tests.connectors.contract import Loaded
from tests.connectors.jenkins_host import JenkinsHost, build, folder, job
from tests.recorded import BOTH, Recorded, recorded
from tests.serving import serving

RESULTS = {
    "SUCCESS": "success",
    "FAILURE": "failed",
    "FAILED": "failed",
    "UNSTABLE": "failed",
    "ABORTED": "cancelled",
    "NOT_BUILD": "skipped",
    None: "unknown",
}


class Replay:
    """Recorded builds and stages, by the path of their job."""

    def __init__(self, recordings: Path) -> None:
        self.builds: dict[str, dict[int, Any]] = defaultdict(dict)
        self.stages: dict[tuple[str, int], list[Any]] = defaultdict(list)
        for each in recorded(recordings, "jenkins", "jenkins_api_builds*"):
            self.builds[job_path(each)][each.item["number"]] = each.item
        for each in recorded(recordings, "jenkins", "jenkins_api_stages*"):
            path, _, last = job_path(each).rpartition("/")
            self.stages[path, int(last)].append(each.item)
        for (path, number), stages in self.stages.items():
            # Of these builds nothing but the stages was recorded.
            began = min(stage["startTimeMillis"] for stage in stages)
            self.builds[path].setdefault(
                number, build(number, began, _class="org.jenkinsci.plugins.workflow.job.WorkflowRun")
            )
        branches = recorded(recordings, "jenkins", "jenkins_api_jobs_multibranch")
        self.projects = {job_path(each) for each in branches}
        self.branches = [each.item for each in branches]

    def host(self) -> JenkinsHost:
        host = JenkinsHost(*self.listed(""))
        for path, builds in self.builds.items():
            newest_first = sorted(builds.values(), key=lambda one: -one["number"])
            host.answers[f"{unquote(path)}/api/json"] = {"allBuilds": newest_first}
        for (path, number), stages in self.stages.items():
            described = {"id": str(number), "name": f"#{number}", "stages": stages}
            host.answers[f"{unquote(path)}/{number}/wfapi/describe"] = described
        return host

    def listed(self, below: str) -> list[dict[str, Any]]:
        """What a folder lists, the recorded branches as they were listed."""
        names = {
            path.removeprefix(f"{below}/job/").split("/job/")[0]
            for path in self.builds
            if path.startswith(f"{below}/job/")
        }
        found = []
        for name in sorted(names):
            path = f"{below}/job/{name}"
            if path in self.builds:
                newest = max(self.builds[path].values(), key=lambda one: one["number"])
                listed: dict[str, Any] = next(
                    (
                        each
                        for each in self.branches
                        if each["name"] == unquote(name) and below in self.projects
                    ),
                    {},
                )
                found.append({**job(unquote(name), newest["number"], newest["timestamp"]), **listed})
            else:
                kind = "WorkflowMultiBranchProject" if path in self.projects else "Folder"
                found.append(folder(unquote(name), *self.listed(path), kind=kind))
        return found


def job_path(each: Recorded) -> str:
    """Without the view that the request came by."""
    path = re.sub(r"^/view/\w+", "", each.path)
    return re.sub(r"(/api/json|/wfapi/describe)$", "", path)


@BOTH
def test_recorded_builds_and_stages_are_read(recordings: Path, tmp_path: Path) -> None:
    replay = Replay(recordings)
    with serving(replay.host()) as url:
        rules = [{"job": ".", "stage": "^deploy$", "environment": "production"}]
        options = JenkinsOptions.model_validate({"url": url, "deployments": rules})
        items = list(JenkinsConnector("jenkins", options, Context(tmp_path, b"key")).read({}))
    assert not [item for item in items if isinstance(item, Quarantined)]
    loaded = Loaded(items).records.values()
    runs = {run.id.partition("@")[0]: run for run in loaded if isinstance(run, PipelineRun)}
    assert len(runs) == sum(map(len, replay.builds.values()))
    for path, builds in replay.builds.items():
        *parents, last = [unquote(name) for name in path.split("/job/")[1:]]
        is_branch = path.rpartition("/job/")[0] in replay.projects
        name = "/".join([*parents, Context(tmp_path, b"key").branch(last) if is_branch else last])
        for number, item in builds.items():
            run = runs[f"{name}#{number}"]
            assert run.workflow == "/".join(parents if is_branch else [*parents, last])
            began = datetime.fromtimestamp(item["timestamp"] / 1000, UTC)
            assert run.started_at == began
            if item.get("building"):
                assert (run.result, run.finished_at) == ("running", None)
            else:
                assert run.finished_at == began + timedelta(milliseconds=item["duration"])
                assert run.result == RESULTS[item["result"]]
            shas = re.findall(r"'SHA1': '(\w+)'", str(item["actions"]))
            assert run.sha == (shas[0] if shas else None)
            assert (run.repository_url is not None) == bool(shas)
    check_stages(replay, [each for each in loaded if isinstance(each, Job)])
    deployments = [each for each in loaded if isinstance(each, Deployment)]
    deploying = [each for some in replay.stages.values() for each in some if each["name"] == "deploy"]
    assert sorted(each.status for each in deployments) == sorted(
        RESULTS[each["status"]] for each in deploying
    )
    assert {each.sha for each in deployments} <= {run.sha for run in runs.values()}
    people = set(re.findall(r"\bp[0-9a-f]{8}\b", str(replay.builds)))
    landed = str([item for item in items if isinstance(item, Batch)])
    assert not [person for person in people if person in landed]


def check_stages(replay: Replay, jobs: list[Job]) -> None:
    # Some were recorded twice over, under other words: the last of them stays.
    expected = {(key, stage["id"]): stage for key, stages in replay.stages.items() for stage in stages}
    assert len(jobs) == len(expected)
    spans = sorted(
        (stage["name"], stage["durationMillis"], RESULTS[stage["status"]])
        for stage in expected.values()
        if stage["status"] != "NOT_BUILD"
    )
    assert spans == sorted((each.name, milliseconds(each), each.result) for each in jobs if each.started_at)


def milliseconds(each: Job) -> int:
    assert each.started_at
    assert each.finished_at
    return round((each.finished_at - each.started_at).total_seconds() * 1000)
