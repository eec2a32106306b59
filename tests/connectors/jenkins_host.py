"""A Jenkins whose every answer a test sets by hand; `tree` works on them as on the real one."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from demo.servers.jenkins import parse_tree, projected


def job(name: str, number: int = 0, timestamp: int = 0, **more: Any) -> dict[str, Any]:
    """A pipeline job as its folder lists it; without a `number` it has no build."""
    last = {"number": number, "timestamp": timestamp, "building": False} if number else None
    kind = "org.jenkinsci.plugins.workflow.job.WorkflowJob"
    return {"_class": kind, "name": name, "disabled": False, "lastBuild": last, **more}


def folder(name: str, *jobs: dict[str, Any], kind: str = "Folder") -> dict[str, Any]:
    """A folder, or with another `kind` anything that holds jobs."""
    return {"_class": f"plugins.{kind}", "name": name, "jobs": list(jobs)}


def build(number: int, timestamp: int, *actions: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A finished build of a job that is no pipeline."""
    return {
        "_class": "hudson.model.FreeStyleBuild",
        "number": number,
        "timestamp": timestamp,
        "duration": 60_000,
        "building": False,
        "result": "SUCCESS",
        "actions": list(actions),
        **more,
    }


class JenkinsHost:
    """Answers by path; what it has no answer for is not found."""

    def __init__(self, *jobs: dict[str, Any], **builds: list[dict[str, Any]]) -> None:
        """The jobs at the root, and by the name of such a job its builds, newest first."""
        self.answers: dict[str, Any] = {"/api/json": {"_class": "hudson.model.Hudson", "jobs": list(jobs)}}
        for name, some in builds.items():
            self.answers[f"/job/{name}/api/json"] = {"allBuilds": some}
        self.asked: list[str] = []
        """Paths, decoded once."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        path = unquote(scope["raw_path"].decode()).removesuffix("/")
        self.asked.append(path)
        answer = self.answers.get(path, 404)
        if isinstance(answer, dict) and "tree" in request.query_params:
            answer = projected(answer, parse_tree(request.query_params["tree"]))
        if isinstance(answer, int):
            answer = HTMLResponse(f"<title>Error {answer}</title>", answer)
        response = (
            answer if isinstance(answer, Response) else JSONResponse(answer, headers={"X-Jenkins": "2.479.1"})
        )
        await response(scope, receive, send)
