"""What `cairn doctor` says of a GitHub source, in a handful of requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

from connectors.connector import Note, Problem
from connectors.github import actions as github_actions
from connectors.github import queries as github_queries
from connectors.github import teams as github_teams
from connectors.github.api import GitHub, Listed, connection, is_out_of_bounds, out_of_bounds
from connectors.github.listing import Listing
from connectors.github.options import GitHubOptions
from connectors.http import Forbidden, HttpError, NotFound
from connectors.patterns import is_wanted

_ORGANIZATION_SCOPES = {"read:org", "write:org", "admin:org"}


def check(source: str, github: GitHub, options: GitHubOptions) -> Iterator[Problem | Note]:
    """Yield who the credentials are, what the rate limit leaves, and what is not read; raises `HttpError`."""
    scopes, found = _credentials(source, github, options)
    yield from found
    yield from _budget(source, github)
    listing = Listing(github, source, options.organization, options.incident_labels)
    listed: list[Listed] = []
    for each in listing.repositories():
        if isinstance(each, Listed):
            listed.append(each)
        elif isinstance(each, Problem):
            yield each
    yield from _selection(source, options, listed)
    probe = next((each for each in listed if is_wanted(each.name, options.repositories)), None)
    if probe is not None:
        yield from _probed(source, github, probe)
    if listing.is_organization:
        yield from _teams(github, options.organization, scopes)


def _credentials(
    source: str, github: GitHub, options: GitHubOptions
) -> tuple[set[str] | None, list[Problem | Note]]:
    """The scopes of a classic token, None for other credentials; and what to say of them."""
    if options.app:
        count = github.client.get("/installation/repositories", {"per_page": 1}, stream="check").json()
        return None, [Note(source, f"a GitHub App, installed for {count['total_count']} repositories")]
    try:
        answer = github.client.get("/user", stream="check")
    except Forbidden:
        return None, [Note(source, "a token of a GitHub App or of Actions")]
    said: list[Problem | Note] = []
    if "partial-results" in answer.headers.get("x-github-sso", ""):
        mend = "Authorise the token for single sign-on, in its settings on GitHub."
        said.append(
            Problem(source, "the token is not authorised for every organisation's single sign-on", mend)
        )
    header = answer.headers.get("x-oauth-scopes")
    if header is None:
        return None, [Note(source, "a fine-grained personal access token"), *said]
    scopes = {scope.strip() for scope in header.split(",")} - {""}
    said.insert(
        0, Note(source, f"a classic personal access token, scopes: {', '.join(sorted(scopes)) or 'none'}")
    )
    if "repo" not in scopes:
        said.append(Note(source, "private repositories are not seen: the token lacks the scope repo"))
    return scopes, said


def _budget(source: str, github: GitHub) -> Iterator[Note]:
    try:
        resources = github.client.get("/rate_limit", stream="check").json()["resources"]
    except NotFound:
        yield Note(source, "the server limits no rate of requests")
        return
    for resource, what in (("core", "REST"), ("graphql", "GraphQL")):
        if resource in resources:
            left = resources[resource]
            until = datetime.fromtimestamp(left["reset"], UTC)
            yield Note(
                source, f"{what}: {left['remaining']} of {left['limit']} points left until {until:%H:%M} UTC"
            )


def _selection(source: str, options: GitHubOptions, listed: Sequence[Listed]) -> Iterator[Note]:
    """Which repositories are taken, and why others are not."""
    wanted = [each for each in listed if is_wanted(each.name, options.repositories)]
    taken = [each for each in wanted if options.forks or not each.is_fork]
    counts = {
        "left out by the patterns": len(listed) - len(wanted),
        "left out as forks": len(wanted) - len(taken),
        "archived, and so read only once": sum(each.is_archived for each in taken),
    }
    said = [f"reads {len(taken)} of {len(listed)} repositories"]
    said += [f"{what}: {count}" for what, count in counts.items() if count]
    yield Note(source, "; ".join(said))
    for pattern in options.repositories:
        if not any(is_wanted(each.name, [pattern.removeprefix("!")]) for each in listed):
            yield Note(source, f"the pattern {pattern} matches no repository")


def _probed(source: str, github: GitHub, repository: Listed) -> Iterator[Problem]:
    """What the list of repositories does not tell: whether runs and files may be read."""
    runs = f"/repos/{repository.full_name}/actions/runs"
    probes: dict[str, Callable[[], object]] = {
        github_actions.STREAM: partial(github.client.get, runs, {"per_page": 1}, stream="check"),
        "commit": partial(github.repository, github_queries.FILES, repository, "check"),
    }
    for part, ask in probes.items():
        try:
            ask()
        except HttpError as error:
            if not is_out_of_bounds(error):
                raise
            yield out_of_bounds(source, part, str(error))


def _teams(github: GitHub, owner: str, scopes: set[str] | None) -> Iterator[Problem]:
    if scopes is not None and not scopes & _ORGANIZATION_SCOPES:
        yield Problem(
            github_teams.SCOPE, "no teams are read: the token lacks the scope read:org", github_teams.MEND
        )
        return
    try:
        data, errors = github.graphql(
            github_queries.TEAMS, {"owner": owner, "first": 1, "after": None}, "check"
        )
        connection(data.get("organization"), "teams", errors)
    except HttpError as error:
        yield Problem(github_teams.SCOPE, f"no teams are read: {error}", github_teams.MEND)
