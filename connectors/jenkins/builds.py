"""Records of Jenkins' builds and their stages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from connectors.connector import Context
from connectors.jenkins.deployments import DeploymentRule, targets
from connectors.jenkins.walk import Job as JenkinsJob
from connectors.jenkins.walk import address
from connectors.parsing import Malformed
from connectors.records import Deployment, Job, PipelineRun

RUN_FIELDS = (
    "number,timestamp,duration,building,result,"
    "actions[lastBuiltRevision[SHA1,branch[name]],remoteUrls,mercurialRevisionNumber,causes[_class],"
    "queuingDurationMillis]"
)
"""Of a build, as a `tree` query names them: who started it, and what its causes say, is not asked for."""
PARAMETER_FIELDS = "actions[parameters[name,value]]"

_RESULTS = {
    "SUCCESS": "success",
    # The steps ran, and found fault: tests that fail make a build unstable.
    "UNSTABLE": "failed",
    "FAILURE": "failed",
    "FAILED": "failed",
    "ABORTED": "cancelled",
    "NOT_BUILT": "skipped",
    "NOT_BUILD": "skipped",
    "NOT_EXECUTED": "skipped",
    "IN_PROGRESS": "running",
    "PAUSED_PENDING_INPUT": "running",
}
_REF = re.compile(r"refs/(?:remotes/[^/]+|heads)/|(?:remotes/)?origin/")
_SCP_LIKE = re.compile(r"(?:[^@/:]+@)?(?P<host>\[[^\]]+\]|[^@/:\[\]]+):(?!//)(?P<path>.+)")


class Revision(NamedTuple):
    """What a build checked out."""

    sha: str | None = None
    ref: str | None = None
    """Branch, or tag with `refs/tags/`. Personal where it is a branch."""
    url: str | None = None
    """Of the repository, without credentials."""


class Parser:
    """Makes records of the builds of one job."""

    def __init__(
        self, job: JenkinsJob, base_url: str, rules: Sequence[DeploymentRule], context: Context
    ) -> None:
        self._job = job
        self._rules = rules
        self._context = context
        masked = None if job.branch is None else context.branch(job.branch)
        self.name = job.workflow if masked is None else f"{job.workflow}/{masked}"
        """The job's full name, a branch masked."""
        # The page of a branch bears its name: where that is masked, the project's page must do.
        self._is_open = masked == job.branch
        self._page = base_url + address(job.path if self._is_open else job.path[:-1])

    def run(self, build: dict[str, Any]) -> PipelineRun:
        revision = revision_of(build, self._job)
        started_at = _moment(build["timestamp"])
        waited = next(
            (a["queuingDurationMillis"] for a in _actions(build) if "queuingDurationMillis" in a), None
        )
        ref = self._job.branch if self._job.branch is not None else revision.ref
        return PipelineRun(
            id=self.run_id(build),
            attempt=1,
            repository=None,
            repository_url=revision.url,
            workflow=self._job.workflow,
            branch=None if ref is None else self._shown(ref),
            event=_event(build),
            sha=revision.sha,
            queued_at=None if waited is None else started_at - _span(waited),
            started_at=started_at,
            finished_at=None if is_running(build) else started_at + _span(build["duration"]),
            result=_result(build),
            url=self._url(build),
        )

    def run_id(self, build: dict[str, Any]) -> str:
        """A job that is made anew counts from 1 again: its number alone does not name a build."""
        return f"{self.name}#{_whole(build['number'])}@{_whole(build['timestamp'])}"

    def stage(self, build: dict[str, Any], stage: dict[str, Any]) -> Job:
        started_at, finished_at = _stage_times(stage)
        return Job(
            id=f"{self.run_id(build)}/{stage['id']}",
            run=self.run_id(build),
            attempt=1,
            repository=None,
            name=_text(stage["name"]),
            runner=None,
            queued_at=None,
            started_at=started_at,
            finished_at=finished_at,
            result=_RESULTS.get(stage["status"], "unknown"),
            url=None,
        )

    def deployments(self, build: dict[str, Any], stages: Sequence[dict[str, Any]]) -> Iterator[Deployment]:
        """What the rules make of the build, and of its stages."""
        if not self._rules:
            return
        run = self.run(build)
        started_at = _moment(build["timestamp"])
        parameters = _parameters(build)
        parts: list[tuple[dict[str, Any] | None, str, datetime | None, datetime | None, object]] = [
            (None, run.id, started_at, run.finished_at, None if is_running(build) else build.get("result")),
            *((each, f"{run.id}/{each['id']}", *_stage_times(each), each["status"]) for each in stages),
        ]
        for stage, part, began_at, ended_at, said in parts:
            name = None if stage is None else _text(stage["name"])
            for target in targets(self._rules, self._job.name, name, parameters):
                # What is unstable ran to its end, and so did what it deployed.
                status = "success" if said == "UNSTABLE" else _RESULTS.get(str(said), "unknown")
                if stage is None and is_running(build):
                    status = "running"
                environment = target.environment
                if environment == self._job.branch:
                    environment = self._context.branch(environment)
                one = Deployment(
                    id=":".join(filter(None, (part, environment, target.service))),
                    repository=None,
                    repository_url=run.repository_url,
                    service=target.service,
                    environment=environment,
                    is_production=None,
                    sha=target.sha or run.sha,
                    ref=run.branch,
                    status=status,
                    created_at=began_at or started_at,
                    started_at=began_at,
                    finished_at=ended_at,
                    url=run.url,
                )
                yield from (
                    [one] if target.repositories is None else self._each(one, build, target.repositories)
                )

    def _each(self, rollout: Deployment, build: dict[str, Any], pattern: str) -> Iterator[Deployment]:
        """One of each repository, in the order of their addresses.

        While the build runs there may be more to come, and before it checked anything out there is none.
        """
        found = {each.url: each for each in _revisions(build) if each.url and re.search(pattern, each.url)}
        ordered = [found[url] for url in sorted(found, key=str)] or [Revision()]
        for number, revision in enumerate(ordered, 1):
            yield rollout._replace(
                id=f"{rollout.id}/{number}",
                repository_url=revision.url,
                sha=revision.sha,
                ref=None if revision.ref is None else self._shown(revision.ref),
                rollout=rollout.id,
            )

    def _shown(self, ref: str) -> str:
        tag = ref.removeprefix("refs/tags/")
        return tag if tag != ref else self._context.branch(ref)

    def _url(self, build: dict[str, Any]) -> str:
        return f"{self._page}/{_whole(build['number'])}/" if self._is_open else f"{self._page}/"


def is_running(build: Mapping[str, Any]) -> bool:
    """Jenkins may know the result before the build is over."""
    return build.get("building") is True


def revision_of(build: Mapping[str, Any], job: JenkinsJob) -> Revision:
    """What the build was of: of several checkouts, the one that is no shared library.

    Jenkins doesn't tell them apart. The one of the job's branch is taken; else the one whose repository
    is named like the job or a folder of it; else the last, as libraries are loaded first.
    """
    found = _revisions(build)
    if not found:
        numbers = (action.get("mercurialRevisionNumber") for action in _actions(build))
        return Revision(sha=next((number for number in numbers if isinstance(number, str)), None))
    names = {name.casefold() for name in job.path}
    by_branch = [each for each in found if job.branch is not None and each.ref == job.branch]
    among = by_branch or found
    by_name = [each for each in among if (each.url or "").rpartition("/")[2].casefold() in names]
    return (by_name or among)[-1]


def _revisions(build: Mapping[str, Any]) -> list[Revision]:
    """What the build checked out by git, in order."""
    return [
        _revision(action) for action in _actions(build) if isinstance(action.get("lastBuiltRevision"), dict)
    ]


def _revision(action: Mapping[str, Any]) -> Revision:
    built = action["lastBuiltRevision"]
    name = (built.get("branch") or [{}])[0].get("name")
    ref = None if name == "detached" else name
    if ref is not None and (prefix := _REF.match(ref)):
        ref = ref[prefix.end() :]
    urls = action.get("remoteUrls") or []
    return Revision(_text(built["SHA1"]), ref, page_of(urls[0]) if urls else None)


def page_of(remote: str) -> str | None:
    """The web address of a repository, without user, password and `.git`; None where it has none."""
    if match := _SCP_LIKE.fullmatch(remote):
        host, path, scheme = match["host"], match["path"], "https"
    else:
        url = urlsplit(remote)
        if url.scheme not in {"http", "https", "ssh", "git"} or not url.hostname:
            return None
        scheme = "http" if url.scheme == "http" else "https"
        host, path = url.netloc.rpartition("@")[2], url.path
        if url.scheme in {"ssh", "git"}:
            host = url.hostname
    return f"{scheme}://{host.lower()}/{path.strip('/').removesuffix('.git').rstrip('/')}"


def _actions(build: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [action for action in build.get("actions") or [] if isinstance(action, dict)]


def _event(build: Mapping[str, Any]) -> str:
    """Class of the first cause, as in `BranchEventCause`: its words name people."""
    for action in _actions(build):
        for cause in action.get("causes") or []:
            return re.split(r"[.$]", _text(cause["_class"]))[-1]
    return "unknown"


def _result(build: Mapping[str, Any]) -> str:
    return "running" if is_running(build) else _RESULTS.get(str(build.get("result")), "unknown")


def _parameters(build: Mapping[str, Any]) -> dict[str, str]:
    return {
        each["name"]: str(each["value"])
        for action in _actions(build)
        for each in action.get("parameters") or []
        if isinstance(each, dict) and isinstance(each.get("value"), str | int | float)
    }


def _stage_times(stage: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """Start and end of a stage; neither of one that never ran."""
    result = _RESULTS.get(stage["status"], "unknown")
    if result == "skipped" or not stage["startTimeMillis"]:
        return None, None
    started_at = _moment(stage["startTimeMillis"])
    return started_at, None if result == "running" else started_at + _span(stage["durationMillis"])


def _moment(milliseconds: object) -> datetime:
    whole = _whole(milliseconds)
    if not 0 < whole < 7_258_118_400_000:
        raise Malformed("is a time before 1970 or after 2199", milliseconds)
    return datetime.fromtimestamp(whole / 1000, UTC)


def _span(milliseconds: object) -> timedelta:
    return timedelta(milliseconds=max(_whole(milliseconds), 0))


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Malformed("is no whole number", value)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Malformed("is no text", value)
    return value
