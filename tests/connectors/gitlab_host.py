"""A GitLab to change at will: its lists, pages, filters, limits, refusals, and a little GraphQL."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

EPOCH = datetime(2025, 3, 3, 9, tzinfo=UTC)
SHA = "0123456789abcdef0123456789abcdef01234567"

Item = dict[str, Any]


def at(minutes: float) -> str:
    """A time as GitLab writes it, so many minutes after the epoch of these tests."""
    return (EPOCH + timedelta(minutes=minutes)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def user(name: str) -> Item:
    return {"id": sum(map(ord, name)), "username": name, "name": name.title(), "state": "active"}


def merge_request(iid: int, minutes: float = 0, **more: Any) -> Item:
    """One that was merged as it was last changed, ten minutes after it was opened."""
    return {
        "id": 1000 + iid,
        "iid": iid,
        "title": "Mend the parser",
        "description": "",
        "state": "merged",
        "created_at": at(minutes - 10),
        "updated_at": at(minutes),
        "merged_at": at(minutes),
        "closed_at": None,
        "author": user("ada"),
        "source_branch": "ada/topic",
        "target_branch": "main",
        "labels": [],
        "draft": False,
        "work_in_progress": False,
        "sha": SHA,
        "merge_commit_sha": f"{iid:040x}",
        "squash_commit_sha": None,
        "web_url": f"https://gitlab.acme.example/acme/shop/-/merge_requests/{iid}",
        **more,
    }


def note(minutes: float, who: str, body: str = "Looks good", *, is_system: bool = False) -> Item:
    return {
        "id": round(minutes * 10),
        "body": body,
        "author": user(who),
        "created_at": at(minutes),
        "system": is_system,
    }


def commit(number: int, minutes: float) -> Item:
    return {"id": f"{number:040x}", "authored_date": at(minutes), "created_at": at(minutes)}


def pipeline(id_: int, minutes: float, status: str = "success", **more: Any) -> Item:
    """One that was last changed eight minutes after it was created."""
    return {
        "id": id_,
        "iid": id_,
        "project_id": 7,
        "sha": SHA,
        "ref": "main",
        "status": status,
        "source": "push",
        "created_at": at(minutes),
        "updated_at": at(minutes + 8),
        "web_url": f"https://gitlab.acme.example/acme/shop/-/pipelines/{id_}",
        **more,
    }


def job(id_: int, pipeline_id: int, minutes: float, status: str = "success", **more: Any) -> Item:
    """One that began after a minute and took five."""
    is_begun = status not in {"created", "pending", "manual", "skipped"}
    is_over = is_begun and status != "running"
    return {
        "id": id_,
        "status": status,
        "stage": "test",
        "name": f"job {id_}",
        "ref": "main",
        "tag": False,
        "created_at": at(minutes),
        "started_at": at(minutes + 1) if is_begun else None,
        "finished_at": at(minutes + 6) if is_over else None,
        "queued_duration": 12.5 if is_begun else None,
        "user": user("ada"),
        "pipeline": {"id": pipeline_id, "sha": SHA, "ref": "main", "status": "success"},
        "web_url": f"https://gitlab.acme.example/acme/shop/-/jobs/{id_}",
        "runner": {"id": 2, "description": "ada's laptop", "runner_type": "instance_type"},
        "tag_list": [],
        **more,
    }


def deployment(
    id_: int, minutes: float, status: str = "success", name: str = "production", **more: Any
) -> Item:
    is_over = status in {"success", "failed", "canceled"}
    return {
        "id": id_,
        "iid": id_,
        "ref": "main",
        "sha": SHA,
        "created_at": at(minutes),
        "updated_at": at(minutes + 5),
        "status": status,
        "user": user("ada"),
        "environment": {"id": sum(map(ord, name)), "name": name, "updated_at": at(0)},
        "deployable": {
            "id": 100 + id_,
            "status": status,
            "name": "deploy",
            "tag": False,
            "started_at": at(minutes + 1),
            "finished_at": at(minutes + 4) if is_over else None,
            "web_url": f"https://gitlab.acme.example/acme/shop/-/jobs/{100 + id_}",
        },
        **more,
    }


def issue(iid: int, minutes: float, **more: Any) -> Item:
    return {
        "id": 5000 + iid,
        "iid": iid,
        "state": "opened",
        "issue_type": "incident",
        "type": "INCIDENT",
        "severity": "UNKNOWN",
        "labels": [],
        "created_at": at(minutes),
        "updated_at": at(minutes),
        "closed_at": None,
        "author": user("ada"),
        "web_url": f"https://gitlab.acme.example/acme/shop/-/issues/{iid}",
        **more,
    }


class Project:
    """A project and all that hangs on it."""

    def __init__(self, id_: int = 7, path: str = "acme/shop", **more: Any) -> None:
        self.item: Item = {
            "id": id_,
            "path_with_namespace": path,
            "web_url": f"https://gitlab.acme.example/{path}",
            "default_branch": "main",
            "archived": False,
            "empty_repo": True,
            "last_activity_at": at(-600),
            **more,
        }
        self.merge_requests: list[Item] = []
        self.commits: dict[int, list[Item]] = {}
        """By merge request, newest first."""
        self.notes: dict[int, list[Item]] = {}
        self.pipelines: list[Item] = []
        self.details: dict[int, Item] = {}
        """Of pipelines without jobs."""
        self.jobs: list[Item] = []
        self.deployments: list[Item] = []
        self.tiers: dict[str, str] = {"production": "production", "staging": "staging"}
        self.issues: list[Item] = []
        self.releases: list[Item] = []
        self.files: dict[str, str] = {}


class GitLabHost:
    """Answers under `/api` of `prefix`, to `token` alone."""

    token = "glpat-s3cr3tT0kenF0rTests"

    def __init__(self, *projects: Project, prefix: str = "") -> None:
        self.projects = {project.item["id"]: project for project in projects}
        self.prefix = prefix
        self.groups: dict[int, Item] = {1: {"id": 1, "full_path": "acme", "name": "Acme", "parent_id": None}}
        self.members: dict[int, list[Item]] = {1: []}
        self.scopes: list[str] | None = ["read_api", "read_repository"]
        self.expires_at: str | None = None
        self.has_graphql = True
        self.has_keyset = True
        self.has_links = True
        self.knows_time = True
        """Whether `updated_after` filters."""
        self.refused: dict[str, int] = {}
        """End of a path → status."""
        self.now = EPOCH + timedelta(days=30)
        self.per_page = 100
        """The most on a page, whatever is asked for."""
        self.asked: list[str] = []
        """Paths below `/api/v4`, and `/graphql`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        path = scope["raw_path"].decode().removeprefix(f"{self.prefix}/api")
        response = self._refusal(request, path)
        if response is None and path == "/graphql":
            response = JSONResponse(self._graphql(json.loads(await request.body())))
        elif response is None:
            response = self._rest(request, path.removeprefix("/v4"))
        response.headers["date"] = self.now.strftime("%a, %d %b %Y %H:%M:%S GMT")
        response.headers["ratelimit-limit"] = "2000"
        response.headers["ratelimit-remaining"] = "1990"
        await response(scope, receive, send)

    def _refusal(self, request: Request, path: str) -> Response | None:
        self.asked.append(path.removeprefix("/v4"))
        if request.headers.get("private-token") != self.token:
            return JSONResponse({"message": "401 Unauthorized"}, 401)
        for end, status in self.refused.items():
            if path.endswith(end):
                return JSONResponse({"message": f"{status} no"}, status)
        if path == "/graphql" and not self.has_graphql:
            return JSONResponse({"error": "404 Not Found"}, 404)
        return None

    def _rest(self, request: Request, path: str) -> Response:
        keyset = request.query_params.get("pagination") == "keyset"
        match [unquote(part) for part in path.split("/")[1:]]:
            case ["version"]:
                return JSONResponse({"version": "17.5.1-ee", "revision": "5e7a11ed"})
            case ["personal_access_tokens", "self"] if self.scopes is not None:
                return JSONResponse({"id": 1, "scopes": self.scopes, "expires_at": self.expires_at})
            case ["projects"]:
                items = [project.item for project in self.projects.values()]
                return self._by_id(request, items) if keyset else self._page(request, items)
            case ["groups"]:
                return self._page(request, list(self.groups.values()))
            case ["groups", path] if found := [
                each for each in self.groups.values() if each["full_path"] == path
            ]:
                return JSONResponse(found[0])
            case ["groups", path, "descendant_groups"]:
                below = [each for each in self.groups.values() if each["full_path"].startswith(f"{path}/")]
                return self._page(request, below)
            case ["groups", path, "projects"] if path in {each["full_path"] for each in self.groups.values()}:
                inside = [
                    p.item
                    for p in self.projects.values()
                    if p.item["path_with_namespace"].startswith(f"{path}/")
                ]
                return self._page(request, inside)
            case ["groups", id_, "members"] if id_.isdecimal():
                return self._page(request, self.members[int(id_)])
            case ["projects", id_, *rest] if id_.isdecimal() and int(id_) in self.projects:
                found_so = self._of_project(request, self.projects[int(id_)], rest, keyset=keyset)
                if found_so is not None:
                    return found_so
        return JSONResponse({"message": "404 Not found"}, 404)

    def _of_project(
        self, request: Request, project: Project, path: list[str], *, keyset: bool
    ) -> Response | None:
        match path:
            case []:
                return JSONResponse(project.item)
            case ["merge_requests"]:
                return self._by_time(request, project.merge_requests)
            case ["merge_requests", iid, "commits"]:
                return self._page(request, project.commits.get(int(iid), []))
            case ["merge_requests", iid, "notes"]:
                return self._page(request, project.notes.get(int(iid), []))
            case ["pipelines"]:
                return self._by_time(request, project.pipelines)
            case ["pipelines", id_]:
                found = next((each for each in project.pipelines if str(each["id"]) == id_), None)
                return JSONResponse({**found, **project.details.get(int(id_), {})}) if found else None
            case ["pipelines", id_, "jobs"]:
                own = [each for each in project.jobs if str(each["pipeline"]["id"]) == id_]
                return self._page(request, sorted(own, key=lambda each: -each["id"]))
            case ["jobs"]:
                newest_first = sorted(project.jobs, key=lambda each: -each["id"])
                return self._by_id(request, newest_first) if keyset else self._page(request, newest_first)
            case ["deployments"]:
                if (
                    "updated_after" in request.query_params
                    and request.query_params.get("order_by") != "updated_at"
                ):
                    return JSONResponse({"message": "400 Bad request"}, 400)
                return self._by_time(request, project.deployments)
            case ["environments", id_]:
                names = {str(sum(map(ord, name))): name for name in project.tiers}
                return (
                    JSONResponse({"id": int(id_), "tier": project.tiers[names[id_]]})
                    if id_ in names
                    else None
                )
            case ["issues"]:
                kind = request.query_params.get("issue_type")
                return self._by_time(
                    request, [each for each in project.issues if kind in {None, each["issue_type"]}]
                )
            case ["releases"]:
                return self._page(request, project.releases)
            case ["repository", "files", name] if name in project.files:
                content = base64.b64encode(project.files[name].encode()).decode()
                return JSONResponse({"file_name": name, "encoding": "base64", "content": content})
        return None

    def _by_time(self, request: Request, items: list[Item]) -> Response:
        assert request.query_params["order_by"] == "updated_at"
        after = request.query_params.get("updated_after")
        if after and self.knows_time:
            items = [each for each in items if _changed(each) != "~" and _changed(each) >= after]
        return self._page(
            request, sorted(items, key=_changed, reverse=request.query_params["sort"] == "desc")
        )

    def _page(self, request: Request, items: list[Item]) -> Response:
        query = dict(request.query_params)
        number, size = int(query.get("page", 1)), min(int(query.get("per_page", 20)), self.per_page)
        last = max(-(-len(items) // size), 1)
        headers = {
            "x-total": str(len(items)),
            "x-total-pages": str(last),
            "x-page": str(number),
            "x-next-page": str(number + 1) if number < last else "",
        }
        if self.has_links:
            pages = {"first": 1, "last": last} | ({"next": number + 1} if number < last else {})
            headers["link"] = ", ".join(
                f'<{self._link(request, {**query, "page": str(page)})}>; rel="{relation}"'
                for relation, page in pages.items()
            )
        return JSONResponse(items[(number - 1) * size : number * size], headers=headers)

    def _by_id(self, request: Request, items: list[Item]) -> Response:
        """By keyset: the link names what the page ends at."""
        if not self.has_keyset:
            return JSONResponse(
                {"error": "Keyset pagination is not yet available for this type of request"}, 405
            )
        query = dict(request.query_params)
        size = min(int(query.get("per_page", 20)), self.per_page)
        ids = [each["id"] for each in items]
        start = ids.index(int(query["cursor"])) + 1 if "cursor" in query else 0
        page = items[start : start + size]
        headers = {}
        if start + size < len(items):
            headers["link"] = f'<{self._link(request, {**query, "cursor": str(page[-1]["id"])})}>; rel="next"'
        return JSONResponse(page, headers=headers)

    def _link(self, request: Request, query: dict[str, str]) -> str:
        """As GitLab writes it that takes itself to be elsewhere."""
        return f"https://gitlab.acme.example{request.url.path}?{urlencode(query)}"

    def _graphql(self, body: Item) -> Item:
        variables = body["variables"]
        asked = set(re.findall(r"\w+", body["query"]))
        assert {"project", "mergeRequests", "commits", "notes", "diffStatsSummary"} <= asked
        found = [p for p in self.projects.values() if p.item["path_with_namespace"] == variables["path"]]
        if not found:
            return {"data": {"project": None}}
        nodes = [self._node(found[0], int(iid)) for iid in variables["iids"]]
        return {"data": {"project": {"mergeRequests": {"nodes": nodes}}}}

    def _node(self, project: Project, iid: int) -> Item:
        commits, notes = project.commits.get(iid, []), project.notes.get(iid, [])
        return {
            "iid": str(iid),
            "commitCount": len(commits),
            "diffStatsSummary": {"additions": 10 * iid, "deletions": iid, "fileCount": 3},
            "commits": {
                "nodes": [
                    {"sha": each["id"], "authoredDate": each["authored_date"]} for each in commits[:100]
                ],
                "pageInfo": {"hasNextPage": len(commits) > 100},
            },
            "notes": {
                "nodes": [
                    {
                        "system": each["system"],
                        "createdAt": each["created_at"],
                        "body": each["body"],
                        "author": each["author"] and {"username": each["author"]["username"], "bot": False},
                    }
                    for each in notes[:100]
                ],
                "pageInfo": {"hasNextPage": len(notes) > 100},
            },
        }


def _changed(item: Any) -> str:
    """By which lists are in order; those without a time come last."""
    return str((item.get("updated_at") if isinstance(item, dict) else None) or "~")
