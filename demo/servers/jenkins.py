"""Jenkins' JSON API, and the Pipeline plugin's of stages, over the simulated organisation.

Jenkins has no published description; what it answers here is shaped like recorded answers.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from demo.world import Build, JenkinsJob, Stage, World

PUBLIC_URL = "https://jenkins.demo.example"
"""What addresses in answers begin with."""

_VERSION = "2.479.1"
_NEWEST = 100
"""Builds that `builds` lists; `allBuilds` lists all."""
_STAGE_RUNS = 11
_TOKEN = re.compile(r"\s*([\w*]+|[\[\],{}])")


@dataclass
class Item:
    """The root, a folder, a multibranch project, or a job."""

    path: tuple[str, ...]
    children: dict[str, Item] = field(default_factory=dict)
    job: JenkinsJob | None = None

    @property
    def kind(self) -> str:
        if not self.path:
            return "hudson.model.Hudson"
        if self.job is not None:
            return "org.jenkinsci.plugins.workflow.job.WorkflowJob"
        if any(child.job is not None and child.job.is_branch for child in self.children.values()):
            return "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
        return "com.cloudbees.hudson.plugins.folder.Folder"

    @property
    def address(self) -> str:
        return "".join(f"/job/{quote(name, safe='')}" for name in self.path)


Tree = dict[str, "Branch"]


@dataclass
class Branch:
    """What a `tree` asks of one property: its parts, and of a list the stretch."""

    parts: Tree | None = None
    stretch: slice = field(default_factory=lambda: slice(None))


def app(world: World, *, user: str | None = None, token: str | None = None) -> Starlette:
    """Serves `world.jenkins`; with `user` and `token`, to that account alone."""
    root = _items(world)

    def answer(request: Request) -> Response:
        if refusal := _refusal(request, user, token):
            return refusal
        parts = [part for part in request.path_params["path"].split("/") if part]
        item = root
        while len(parts) > 1 and parts[0] == "job" and parts[1] in item.children:
            item = item.children[parts[1]]
            parts = parts[2:]
        build = None
        if item.job is not None and parts and (build := _build(item.job, parts[0])):
            parts = parts[1:]
        try:
            body = _body(parts, item, build, request.query_params)
        except ValueError as error:
            return _page(400, "Bad Request", str(error))
        if body is None:
            return _page(404, "Not Found", "")
        return JSONResponse(body, headers=_HEADERS)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "HEAD"])])


def parse_tree(text: str) -> Tree:
    """A `tree` expression, as in `jobs[name,builds[number]{0,10}]`; raises `ValueError`."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != "".join(text.split()):
        raise ValueError("cannot parse the tree")
    tree, rest = _parse(tokens)
    if rest:
        raise ValueError("cannot parse the tree")
    return tree


def _parse(tokens: list[str]) -> tuple[Tree, list[str]]:
    tree: Tree = {}
    while tokens and re.fullmatch(r"[\w*]+", tokens[0]):
        name, tokens = tokens[0], tokens[1:]
        branch = tree.setdefault(name, Branch())
        if tokens[:1] == ["["]:
            parts, tokens = _parse(tokens[1:])
            if tokens[:1] != ["]"]:
                raise ValueError("a bracket is not closed")
            branch.parts = {**(branch.parts or {}), **parts}
            tokens = tokens[1:]
        if tokens[:1] == ["{"]:
            end = tokens.index("}")
            first, _, last = "".join(tokens[1:end]).partition(",")
            branch.stretch = slice(int(first or 0), int(last) if last else None)
            tokens = tokens[end + 1 :]
        if tokens[:1] != [","]:
            break
        tokens = tokens[1:]
    return tree, tokens


def _items(world: World) -> Item:
    root = Item(())
    for job in sorted(world.jenkins, key=lambda job: job.path):
        item = root
        for name in job.path:
            item = item.children.setdefault(name, Item((*item.path, name)))
        item.job = job
    return root


def _refusal(request: Request, user: str | None, token: str | None) -> Response | None:
    if user is None:
        return None
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return _page(403, "Forbidden", "Authentication required")
    try:
        given = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        given = ""
    if given != f"{user}:{token}":
        return _page(401, "Unauthorized", "Invalid password or token")
    return None


def _page(status: int, title: str, text: str) -> Response:
    html = f"<html><head><title>Error {status} {title}</title></head><body><p>{text}</p></body></html>"
    return HTMLResponse(html, status, headers=_HEADERS)


_HEADERS = {"X-Jenkins": _VERSION, "X-Jenkins-Session": "5e7a11ed", "X-Content-Type-Options": "nosniff"}


def _body(parts: list[str], item: Item, build: Build | None, query: Mapping[str, str]) -> Any:
    """What a path below an item or a build stands for; None where there is nothing."""
    match parts:
        case ["api", "json"]:
            tree = parse_tree(query["tree"]) if "tree" in query else None
            shown = _exported(item) if build is None else _run(item, build)
            return projected(
                shown, tree or dict.fromkeys(shown, Branch(parts={"name": Branch(), "url": Branch()}))
            )
        case ["whoAmI", "api", "json"] if not item.path:
            return {"_class": "hudson.security.WhoAmI", "anonymous": False, "authenticated": True}
        case ["wfapi"] | ["wfapi", "describe"] if item.job is not None and build is None:
            links = {
                "self": {"href": f"{item.address}/wfapi/describe"},
                "runs": {"href": f"{item.address}/wfapi/runs"},
            }
            return {"_links": links, "name": item.path[-1], "runCount": len(item.job.builds)}
        case ["wfapi", "runs"] if item.job is not None and build is None:
            return _stage_runs(item, item.job, query.get("since", ""))
        case ["wfapi"] | ["wfapi", "describe"] if build is not None:
            return _described(item, build)
    return None


def projected(value: Any, tree: Tree | None) -> Any:
    """What `tree` asks for; the class always shows, and what is not there does not."""
    if isinstance(value, list):
        return [projected(each, tree) for each in value]
    if not isinstance(value, dict):
        return value
    if tree is not None and "*" in tree:
        tree = {**dict.fromkeys(value, tree["*"]), **tree}
    shown = {"_class": value["_class"]} if "_class" in value else {}
    for name, branch in (tree or {}).items():
        if name in value and name != "_class":
            held = value[name]() if isinstance(value[name], _Lazy) else value[name]
            if isinstance(held, list):
                held = held[branch.stretch]
            shown[name] = projected(held, branch.parts)
    return shown


class _Lazy:
    """A property that is only worked out where it is asked for."""

    def __init__(self, value: Callable[[], Any]) -> None:
        self._value = value

    def __call__(self) -> Any:
        return self._value()


def _exported(item: Item) -> dict[str, Any]:
    shown: dict[str, Any] = {"_class": item.kind}
    if not item.path:
        shown |= {"mode": "NORMAL", "nodeDescription": "the built-in node", "url": f"{PUBLIC_URL}/"}
    else:
        shown |= {
            "name": item.path[-1],
            "fullName": "/".join(item.path),
            "displayName": item.path[-1],
            "description": None,
            "url": f"{PUBLIC_URL}{item.address}/",
        }
    job = item.job
    if job is None:
        shown["jobs"] = _Lazy(lambda: [_exported(child) for child in item.children.values()])
        return shown
    over = [build for build in job.builds if build.result is not None]
    return shown | {
        "buildable": True,
        "disabled": False,
        "color": _color(job),
        "inQueue": False,
        "nextBuildNumber": job.builds[-1].number + 1 if job.builds else 1,
        "firstBuild": _Lazy(lambda: _run(item, job.builds[0]) if job.builds else None),
        "lastBuild": _Lazy(lambda: _run(item, job.builds[-1]) if job.builds else None),
        "lastCompletedBuild": _Lazy(lambda: _run(item, over[-1]) if over else None),
        "builds": _Lazy(lambda: [_run(item, build) for build in job.builds[: -_NEWEST - 1 : -1]]),
        "allBuilds": _Lazy(lambda: [_run(item, build) for build in reversed(job.builds)]),
    }


def _color(job: JenkinsJob) -> str:
    if not job.builds:
        return "notbuilt"
    colors = {
        "SUCCESS": "blue",
        "UNSTABLE": "yellow",
        "FAILURE": "red",
        "ABORTED": "aborted",
        None: "blue_anime",
    }
    return colors[job.builds[-1].result]


def _run(item: Item, build: Build) -> dict[str, Any]:
    is_running = build.result is None
    return {
        "_class": "org.jenkinsci.plugins.workflow.job.WorkflowRun",
        "actions": _Lazy(lambda: _actions(build)),
        "building": is_running,
        "description": None,
        "displayName": f"#{build.number}",
        "duration": 0 if is_running else build.duration_ms,
        "estimatedDuration": build.duration_ms,
        "fullDisplayName": f"{' » '.join(item.path)} #{build.number}",
        "id": str(build.number),
        "inProgress": is_running,
        "keepLog": False,
        "number": build.number,
        "result": build.result,
        "timestamp": _milliseconds(build.started_at),
        "url": f"{PUBLIC_URL}{item.address}/{build.number}/",
    }


def _actions(build: Build) -> list[dict[str, Any]]:
    """As a pipeline that checks out a branch has them; those that export nothing are empty."""
    branch = {"SHA1": build.sha, "name": build.branch}
    return [
        {
            "_class": "hudson.model.CauseAction",
            "causes": [{"_class": build.cause, "shortDescription": "Push event"}],
        },
        {
            "_class": "jenkins.metrics.impl.TimeInQueueAction",
            "queuingDurationMillis": build.queued_ms,
            "totalDurationMillis": build.queued_ms + build.duration_ms,
        },
        {"_class": "jenkins.scm.api.SCMRevisionAction"},
        {},
        {
            "_class": "hudson.plugins.git.util.BuildData",
            "lastBuiltRevision": {"SHA1": build.sha, "branch": [branch]},
            "remoteUrls": [build.remote_url],
            "scmName": "",
        },
        {"_class": "org.jenkinsci.plugins.displayurlapi.actions.RunDisplayAction"},
        {"_class": "org.jenkinsci.plugins.pipeline.modeldefinition.actions.RestartDeclarativePipelineAction"},
        {},
        {"_class": "org.jenkinsci.plugins.workflow.job.views.FlowGraphAction"},
    ]


def _build(job: JenkinsJob, name: str) -> Build | None:
    if name == "lastBuild":
        return job.builds[-1] if job.builds else None
    return next((build for build in job.builds if str(build.number) == name), None)


def _stage_runs(item: Item, job: JenkinsJob, since: str) -> list[dict[str, Any]]:
    """The newest runs, down to the one named `since`; the plugin knows no further pages."""
    runs = []
    for build in job.builds[: -_STAGE_RUNS - 1 : -1]:
        runs.append(_described(item, build))
        if f"#{build.number}" == since.strip():
            break
    return runs


def _described(item: Item, build: Build) -> dict[str, Any]:
    began = _milliseconds(build.started_at)
    words = {"SUCCESS": "SUCCESS", "UNSTABLE": "UNSTABLE", "ABORTED": "ABORTED", None: "IN_PROGRESS"}
    return {
        "_links": {"self": {"href": f"{item.address}/{build.number}/wfapi/describe"}},
        "id": str(build.number),
        "name": f"#{build.number}",
        "status": words.get(build.result, "FAILED"),
        "startTimeMillis": began,
        "endTimeMillis": began + build.duration_ms,
        "durationMillis": build.duration_ms,
        "queueDurationMillis": build.queued_ms,
        "pauseDurationMillis": 0,
        "stages": [_stage(item, build, stage) for stage in build.stages],
    }


def _stage(item: Item, build: Build, stage: Stage) -> dict[str, Any]:
    href = f"{item.address}/{build.number}/execution/node/{stage.id}/wfapi/describe"
    shown: dict[str, Any] = {
        "_links": {"self": {"href": href}},
        "id": str(stage.id),
        "name": stage.name,
        "execNode": "",
        "status": stage.status,
        "startTimeMillis": _milliseconds(stage.started_at),
        "durationMillis": stage.duration_ms,
        "pauseDurationMillis": 0,
    }
    if stage.status in {"FAILED", "ABORTED"}:
        kind = (
            "hudson.AbortException"
            if stage.status == "FAILED"
            else ("org.jenkinsci.plugins.workflow.steps.FlowInterruptedException")
        )
        shown["error"] = {"message": None, "type": kind}
    return shown


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
