"""Which Jenkins jobs, or stages of them, deploy where: the `deployments` rules of a workspace."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

_VARIABLE = re.compile(r"\$(\w+)")
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.IGNORECASE)


class DeploymentRule(BaseModel):
    """A job that deploys, or a stage of one.

    `environment`, `service` and `sha` may hold `$name`: a named group of `job` or `stage`, or else the
    build's parameter of that name. A build where one has no value is no deployment.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    job: str
    """Pattern searched for in the job's full name, as in `^deploy/(?P<app>.+)-prod$`; of a branch of a
    multibranch project `folder/project/branch`."""
    environment: str
    """As in `production`, or `$ENVIRONMENT`."""
    stage: str | None = None
    """Pattern searched for in a stage's name: that stage is the deployment, not the whole build."""
    service: str | None = None
    """What is deployed, as in `shop` or `$app`; without it, the repository that was checked out."""
    sha: str | None = None
    """Where the job checks nothing out: the deployed commit, as in `$COMMIT`."""
    repositories: str | None = None
    """Where the job checks out several repositories and deploys them together: pattern searched for in the
    addresses of those that it does, as in `^https://git.acme.example/shop/`. Without it one alone counts,
    for Jenkins does not tell shared libraries apart."""

    @model_validator(mode="after")
    def _names_commits_once(self) -> Self:
        if self.sha is not None and self.repositories is not None:
            raise ValueError("give `sha` or `repositories`, not both")
        return self

    @field_validator("job", "stage", "repositories")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"not a pattern: {error}") from None
        return pattern

    def takes(self, job: str) -> bool:
        """Whether it is about the job with this full name."""
        return re.search(self.job, job) is not None

    @property
    def parameters(self) -> set[str]:
        """Names that may be a build's parameters."""
        texts = (self.environment, self.service or "", self.sha or "")
        groups = {*re.compile(self.job).groupindex, *re.compile(self.stage or "").groupindex}
        return {name for text in texts for name in _VARIABLE.findall(text)} - groups


class Target(NamedTuple):
    """What a build or a stage deploys, and where."""

    environment: str
    service: str | None
    sha: str | None
    repositories: str | None = None
    """As in the rule."""


def targets(
    rules: Sequence[DeploymentRule], job: str, stage: str | None, parameters: Mapping[str, str]
) -> Iterator[Target]:
    """What the rules make of a build of `job`, or of its `stage`; each environment of a service once."""
    seen = set()
    for rule in rules:
        if (rule.stage is None) != (stage is None):
            continue
        by_job = re.search(rule.job, job)
        by_stage = re.search(rule.stage or "", stage or "")
        if by_job is None or by_stage is None:
            continue
        known = {**parameters, **_groups(by_job), **_groups(by_stage)}
        environment, service = _filled(rule.environment, known), _filled(rule.service, known)
        if not environment or (rule.service and not service) or (environment, service) in seen:
            continue
        seen.add((environment, service))
        sha = _filled(rule.sha, known)
        sha = sha.lower() if sha and _SHA.fullmatch(sha) else None
        yield Target(environment, service, sha, rule.repositories)


def _groups(match: re.Match[str]) -> dict[str, str]:
    return {name: value for name, value in match.groupdict().items() if value is not None}


def _filled(text: str | None, known: Mapping[str, str]) -> str | None:
    """`text` with its variables replaced; None where one has no value."""
    if text is None or not {*_VARIABLE.findall(text)} <= {name for name, value in known.items() if value}:
        return None
    return _VARIABLE.sub(lambda match: known[match[1]], text).strip()
