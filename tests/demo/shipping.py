"""Which changes reached production when, told from a `World` alone, in plain Python."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from demo.world import PullRequest, Repository, World


class Shipped(NamedTuple):
    """A human's change that reached production."""

    service: str
    begun: datetime
    seconds: float
    """From its first commit to the end of the first deployment that holds it."""


def production(world: World, repository: Repository) -> list[tuple[datetime, str]]:
    """(end, commit) of each successful deployment to production of a repository that holds one service."""
    found = [
        (next(at for state, at in one.statuses if state == "success"), one.sha)
        for one in repository.deployments
        if one.environment.startswith("prod") and any(state == "success" for state, _ in one.statuses)
    ]
    for job in world.jenkins:
        if job.path[1:] == ("deploy", f"{repository.name}-production"):
            found += [
                (build.started_at + timedelta(milliseconds=build.duration_ms), build.sha)
                for build in job.builds
                if build.result == "SUCCESS"
            ]
    return sorted(found)


def landed(repository: Repository) -> list[PullRequest]:
    """In the order in which they came to the default branch."""
    merged = [one for one in repository.pull_requests if one.merged_at and one.merge_sha]
    return sorted(merged, key=lambda one: (one.merged_at, one.number))


def shipped(world: World) -> Iterator[Shipped]:
    """Changes of services that have a repository of their own, those of the first deployment left out."""
    alone = [one for one in world.repositories.values() if one.name != "commerce"]
    for repository in alone:
        changes = landed(repository)
        place = {change.merge_sha: index for index, change in enumerate(changes)}
        reached = None
        for at, sha in production(world, repository):
            now = place.get(sha, -1)
            for change in changes[(now if reached is None else reached) + 1 : now + 1]:
                if change.author is None or not change.author.is_bot:
                    begun = min(commit.authored_at for commit in change.commits)
                    yield Shipped(repository.name, begun, (at - begun).total_seconds())
            reached = max(now, -1 if reached is None else reached)
