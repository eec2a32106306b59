"""Which jobs a Jenkins has: folders, organisations and multibranch projects, walked by `tree` queries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from connectors.connector import Problem
from connectors.http import Client, HttpError

_WEB_PAGE = re.compile(r"https?://[^/@]+(/|$)").match
_LEVELS = 4
"""Of folders that one query sees into; what lies deeper is asked for by itself."""
_FIELDS = "name,disabled,lastBuild[number,timestamp,building]"


class Build(NamedTuple):
    """What the walk says of a job's newest build."""

    number: int
    timestamp: int
    """Milliseconds since 1970."""
    is_running: bool


class Job(NamedTuple):
    """Something that has builds: a job, or one branch of a multibranch project."""

    path: tuple[str, ...]
    """Names from the root as Jenkins has them; of a branch percent-encoded."""
    branch: str | None
    """Of a multibranch project; None for any other job. Personal."""
    is_pipeline: bool
    is_disabled: bool
    last: Build | None

    @property
    def name(self) -> str:
        """Full name, the branch decoded. Personal where there is a branch."""
        return full_name(self.path) if self.branch is None else f"{self.workflow}/{self.branch}"

    @property
    def workflow(self) -> str:
        """Full name of what is run: the job, or the multibranch project."""
        return full_name(self.path if self.branch is None else self.path[:-1])

    @property
    def address(self) -> str:
        """Path below Jenkins' address."""
        return address(self.path)


def full_name(path: Sequence[str]) -> str:
    """How Jenkins names an item: `folder/job`."""
    return "/".join(path)


def address(path: Sequence[str]) -> str:
    """Path of an item below Jenkins' address, built from names: those in answers may lead elsewhere."""
    return "".join(f"/job/{quote(name, safe='')}" for name in path)


def walk(client: Client) -> tuple[str | None, Iterator[Job | Problem]]:
    """Where people open Jenkins, if it says so, and every job below the root that the credentials see.

    A folder that cannot be read is a problem. Raises `HttpError` where the root cannot be read.
    """
    root = _folder(client, ())
    url = root.get("url")
    page = url.rstrip("/") if isinstance(url, str) and _WEB_PAGE(url) else None
    return page, _jobs(client, _children(root), (), _LEVELS, is_multibranch=False)


def _folder(client: Client, path: tuple[str, ...]) -> dict[str, Any]:
    tree = "jobs[name]"
    for _ in range(_LEVELS):
        tree = f"jobs[{_FIELDS},{tree}]"
    body = client.get(f"{address(path)}/api/json", {"tree": f"url,{tree}"}, stream="walk").json()
    return body if isinstance(body, dict) else {}


def _children(folder: dict[str, Any]) -> list[Any]:
    jobs = folder.get("jobs")
    return jobs if isinstance(jobs, list) else []


def _jobs(
    client: Client, items: Sequence[Any], path: tuple[str, ...], levels: int, *, is_multibranch: bool
) -> Iterator[Job | Problem]:
    """The jobs among `items`, found at `path`, and below; `levels` is how many of them are known whole."""
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            yield Problem(
                full_name(path) or "/", "A job has no name", "This is a fault in Jenkins or a plugin."
            )
            continue
        here = (*path, item["name"])
        children = item.get("jobs")
        if not isinstance(children, list):
            branch = unquote(item["name"]) if is_multibranch else None
            is_pipeline = str(item.get("_class")).endswith("WorkflowJob")
            is_disabled = item.get("disabled") is True
            yield Job(here, branch, is_pipeline, is_disabled, _last(item.get("lastBuild")))
            continue
        below = levels - 1
        if children and not below:
            try:
                children, below = _children(_folder(client, here)), _LEVELS
            except HttpError as error:
                yield Problem(full_name(here), str(error), error.mend, error.is_transient)
                continue
        holds_branches = str(item.get("_class")).endswith("MultiBranchProject")
        yield from _jobs(client, children, here, below, is_multibranch=holds_branches)


def _last(build: Any) -> Build | None:
    """None where there is no build; 0 for what of it cannot be understood."""
    if not isinstance(build, dict):
        return None
    return Build(whole(build.get("number")), whole(build.get("timestamp")), build.get("building") is True)


def whole(value: object) -> int:
    """A number as it is, anything else as 0."""
    return value if isinstance(value, int) else 0
