"""Jenkins: builds, stages, and which of them deploy where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial

from pydantic import Field, JsonValue, SecretStr, model_validator

from connectors.connector import Connector, Item, Note, Options, Problem, Retained
from connectors.http import Client, HttpError, NotFound, basic
from connectors.jenkins.deployments import DeploymentRule
from connectors.jenkins.reading import Reading
from connectors.jenkins.walk import Job, walk
from connectors.parallel import interleaved
from connectors.patterns import is_wanted
from connectors.web_address import WebAddress

_AT_ONCE = 6


class JenkinsOptions(Options):
    """Settings of a `jenkins` source."""

    url: WebAddress
    """Address of Jenkins, with the path it is served below, as in `https://ci.acme.example/jenkins`."""
    user: str | None = Field(default=None, repr=False)
    """Account that `token` belongs to. Without both, what Jenkins shows to everybody is read."""
    token: SecretStr | None = None
    """API token of the account; it needs the permissions Overall/Read and Job/Read."""
    jobs: tuple[str, ...] = ("*",)
    """Patterns of full names, as in `shop/*`; those that begin with `!` are left out. A branch of a
    multibranch project is named `folder/project/branch`."""
    deployments: tuple[DeploymentRule, ...] = ()
    """Which jobs, or stages of them, deploy where."""
    stages: int | None = Field(default=None, ge=0)
    """Days back that stages are read, by the build's start; none for 0, all without it. On the first run they
    cost a request for each build of a pipeline."""
    since: date | None = None
    """Day (UTC) before which builds are not read."""

    @model_validator(mode="after")
    def _both_or_none(self) -> JenkinsOptions:
        if (self.user is None) != (self.token is None):
            raise ValueError("user and token belong together")
        return self


class JenkinsConnector(Connector):
    """Reads a Jenkins with whatever folders and multibranch projects.

    A scope is a job, or a multibranch project with all its branches. One walk over all jobs says
    which have new builds; only those are asked.
    """

    kind = "jenkins"
    streams = ("pipeline_run", "job", "deployment")
    options_type = JenkinsOptions
    options: JenkinsOptions

    @classmethod
    def streams_of(cls, options: Options) -> tuple[str, ...]:
        """Runs, and stages and deployments where those are asked for."""
        assert isinstance(options, JenkinsOptions)
        asked = {"pipeline_run": True, "job": options.stages != 0, "deployment": bool(options.deployments)}
        return tuple(stream for stream in cls.streams if asked[stream])

    def read(self, cursors: Mapping[str, JsonValue]) -> Iterator[Item]:
        """Per job or multibranch project: its new builds, their stages, and what they deployed.

        Raises `SourceError` where the jobs cannot be listed.
        """
        client = self._client()
        try:
            workflows: dict[str, list[Job]] = defaultdict(list)
            page, walked = walk(client)
            for each in walked:
                if isinstance(each, Problem):
                    yield each
                elif is_wanted(each.name, self.options.jobs):
                    workflows[each.workflow].append(each)
            reading = Reading(self.name, page or self.options.url, client, self.options, self.context)
            readers = [
                partial(reading.items, name, jobs, cursors.get(name))
                for name, jobs in workflows.items()
                if name in cursors or not all(job.is_disabled for job in jobs)
            ]
            # Not `yield from`: closed early, it would wait for the threads before the client ends them.
            for item in interleaved(readers, _AT_ONCE):  # noqa: UP028
                yield item
            yield from reading.notes()
        finally:
            client.close()
        for scope in sorted(cursors.keys() - workflows.keys()):
            if is_wanted(scope, self.options.jobs) or self._wants_branches(scope, cursors[scope]):
                yield Retained(
                    scope, "Jenkins no longer lists it: deleted, renamed, or hidden from the account"
                )

    def check(self) -> Iterator[Problem | Note]:
        """Sign in, list the jobs, and see whether stages can be read."""
        client = self._client()
        try:
            yield from self._greeting(client)
            found = list(walk(client)[1])
            yield from (each for each in found if isinstance(each, Problem))
            jobs = [each for each in found if isinstance(each, Job)]
            yield from self._about(jobs)
            yield from self._about_stages(client, jobs)
        except HttpError as error:
            yield Problem(self.name, str(error), error.mend, error.is_transient)
        finally:
            client.close()

    def _wants_branches(self, scope: str, cursor: JsonValue) -> bool:
        branches = cursor if isinstance(cursor, dict) else {}
        return any(is_wanted(f"{scope}/{branch}", self.options.jobs) for branch in branches if branch)

    def _client(self) -> Client:
        user, token = self.options.user, self.options.token
        auth = basic(user, token) if user is not None and token is not None else None
        return Client(self.options.url, auth=auth, at_once=_AT_ONCE)

    def _greeting(self, client: Client) -> Iterator[Problem | Note]:
        version = client.get("/api/json", {"tree": "mode"}, stream="check").headers.get("x-jenkins")
        if version is None:
            yield Problem(
                self.name,
                "The answer names no version of Jenkins",
                "Check that the address is that of Jenkins.",
            )
        else:
            yield Note(self.name, f"Jenkins {version}")
        if self.options.user is None:
            yield Note(self.name, "Read without an account: only what Jenkins shows to everybody")

    def _about_stages(self, client: Client, jobs: Sequence[Job]) -> Iterator[Note]:
        job = next((job for job in jobs if job.is_pipeline and job.last), None)
        if job is None or self.options.stages == 0:
            return
        try:
            client.get(f"{job.address}/wfapi", stream="check")
        except NotFound:
            yield Note(self.name, "No stages are read: the plugin Pipeline: REST API is not installed")

    def _about(self, jobs: Sequence[Job]) -> Iterator[Problem | Note]:
        wanted = [job for job in jobs if is_wanted(job.name, self.options.jobs)]
        disabled = sum(job.is_disabled for job in wanted)
        if not jobs:
            yield Problem(self.name, "Jenkins lists no jobs", "Give the account the permission Job/Read.")
            return
        yield Note(self.name, f"{len(wanted)} of {len(jobs)} jobs and branches are read")
        if disabled:
            yield Note(self.name, f"{disabled} of them are disabled: skipped, unless read before")
        for pattern in self.options.jobs:
            if not any(is_wanted(job.name, [pattern.removeprefix("!")]) for job in jobs):
                yield Note(self.name, f"The pattern {pattern} of `jobs` matches no job")
        for rule in self.options.deployments:
            if not any(rule.takes(job.name) for job in wanted):
                yield Note(self.name, f"The pattern {rule.job} of `deployments` matches no job")
        if not self.options.deployments:
            yield Note(self.name, "No job counts as a deployment: `deployments` has no rules")
