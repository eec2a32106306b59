"""The organisation: as large and as odd as promised, and with what was planted in it."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from statistics import mean, median

import pytest

from demo.organisation import Organisation, make, organisation, personal
from demo.serve import SEED
from demo.truth import satisfied
from demo.world import PullRequest, Repository
from tests.demo.shipping import Shipped, landed, production, shipped

END = datetime(2026, 11, 20, 15, tzinfo=UTC)


@cache
def whole(seed: int = SEED) -> Organisation:
    """The organisation at full size."""
    return organisation(seed, END)


def pull_requests() -> list[PullRequest]:
    return [one for repository in repositories() for one in repository.pull_requests]


def repositories() -> list[Repository]:
    return list(whole().world.repositories.values())


def test_the_same_seed_and_end_make_the_same_world() -> None:
    assert make(3, END, scale=0.03) == make(3, END, scale=0.03)
    assert make(3, END, scale=0.03) != make(4, END, scale=0.03)
    assert make(3, END, scale=0.03) != make(3, END - timedelta(days=1), scale=0.03)


def test_it_is_as_large_as_promised() -> None:
    world = whole().world
    assert Counter(team.kind for team in world.teams) == {"team": 40, "department": 6}
    assert len([person for person in world.people if not person.is_bot]) == 600
    assert len([person for person in world.people if person.is_bot]) >= 2
    assert len(whole().truth.golden_path.services) == 160
    assert len([one for one in repositories() if one.name in whole().truth.golden_path.services]) == 139
    assert 11_500 < len(pull_requests()) < 13_000
    first = min(one.opened_at for one in pull_requests())
    assert 530 < (END - first).days < 560
    uses_jenkins = {job.path[1] for job in world.jenkins if job.is_branch}
    assert 0.6 < 1 - len(uses_jenkins) / 140 < 0.72
    assert not any(world.repositories[name].runs for name in uses_jenkins)


def test_people_are_told_apart_and_none_is_real() -> None:
    people = [person for person in whole().world.people if not person.is_bot]
    for field in ("login", "name", "email"):
        assert len({getattr(person, field).casefold() for person in people}) == 600
    assert all(person.email.endswith("@demo.example") for person in people)
    assert len(personal(whole().world)) == 1800
    teams = {team.slug for team in whole().world.teams}
    assert {one.team for one in whole().world.memberships} <= teams
    assert {one.login for one in whole().world.memberships} == {person.login for person in people}


def test_nothing_happens_after_its_end_or_out_of_order() -> None:
    for one in pull_requests():
        begun = one.commits[0].authored_at
        course = [begun, one.opened_at, one.closed_at or END]
        assert course == sorted(course)
        assert one.ready_at is None or one.opened_at <= one.ready_at <= (one.closed_at or END)
        assert all(begun <= commit.authored_at <= (one.closed_at or END) for commit in one.commits)
        assert all(one.opened_at <= review.submitted_at <= (one.closed_at or END) for review in one.reviews)
        assert max(course[:2]) <= one.updated_at <= END
        assert one.merged_at is None or (one.merged_at == one.closed_at and one.merge_sha is not None)
    for repository in repositories():
        assert repository.created_at <= repository.pushed_at <= repository.updated_at <= END
        for run in repository.runs:
            assert run.created_at <= run.started_at <= run.updated_at <= END
        for deployment in repository.deployments:
            times = [deployment.created_at, *(at for _, at in deployment.statuses)]
            assert times == sorted(times)
            assert deployment.updated_at == times[-1] <= END
    for incident in whole().world.incidents:
        times = [entry.at for entry in incident.log]
        assert times == sorted(times)
        assert incident.created_at == times[0] <= incident.updated_at == times[-1] <= END


def test_numbers_and_ids_are_given_once_and_in_order() -> None:
    for repository in repositories():
        numbers = [one.number for one in repository.pull_requests] + [one.number for one in repository.issues]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))
        opened = sorted((one.opened_at, one.number) for one in repository.pull_requests)
        assert [number for _, number in opened] == [one.number for one in repository.pull_requests]
        assert [run.id for run in repository.runs] == sorted(run.id for run in repository.runs)
    ids: Counter[tuple[str, int]] = Counter()
    for repository in repositories():
        ids.update(("deployment", one.id) for one in repository.deployments)
        ids.update(("release", one.id) for one in repository.releases)
        ids.update(("attempt", one.id * 10 + one.attempt) for one in repository.runs)
        ids.update(("job", job.id) for one in repository.runs for job in one.jobs)
        ids.update(("review", review.id) for one in repository.pull_requests for review in one.reviews)
    assert set(ids.values()) == {1}


def test_reviewers_approve_what_others_wrote() -> None:
    approvals = [
        (one.author, review.author)
        for one in pull_requests()
        for review in one.reviews
        if review.state == "APPROVED"
    ]
    assert len(approvals) > 8000
    assert all(author is None or author != reviewer for author, reviewer in approvals)


def test_production_runs_what_was_merged() -> None:
    count = 0
    for repository in repositories():
        merged = [one.merge_sha for one in landed(repository)]
        places = [merged.index(sha) for _, sha in production(whole().world, repository) if sha in merged]
        count += len(places)
        # Going forward, but for rollbacks.
        assert sum(now < before for before, now in pairwise(places)) <= 0.15 * len(places) + 1
    assert count > 6000


def test_the_oddities_of_real_tools_are_in_it() -> None:
    world, changes = whole().world, pull_requests()
    deployments = [one for repository in repositories() for one in repository.deployments]
    runs = [run for repository in repositories() for run in repository.runs]
    logins = [person.login for person in world.people if not person.is_bot]
    seen = {
        "a ghost": any(one.author is None for one in changes),
        "a ghost's review": any(review.author is None for one in changes for review in one.reviews),
        "a bot": any(one.author and one.author.login == "dependabot[bot]" for one in changes),
        "a draft": any(one.is_draft for one in changes),
        "one that was a draft": any(one.ready_at for one in changes),
        "an open one": any(one.closed_at is None for one in changes),
        "one that was refused": any(one.closed_at and not one.merged_at for one in changes),
        "one nobody reviewed": any(one.merged_at and not one.reviews for one in changes),
        "a revert": any(one.reverts and one.title.startswith('Revert "') for one in changes),
        "a hotfix": any(one.head_ref.startswith("hotfix/") for one in changes),
        "a branch with a login": any(one.head_ref.split("/")[0] in logins for one in changes),
        "a failed deployment": any(one.statuses[-1][0] == "failure" for one in deployments),
        "a success that became inactive": any(
            [state for state, _ in one.statuses][-2:] == ["success", "inactive"] for one in deployments
        ),
        "two production environments": any(one.environment == "prod-us" for one in deployments),
        "a run that was tried again": any(run.attempt > 1 for run in runs),
        "a release": any(repository.releases for repository in repositories()),
        "a release before its time": any(
            release.is_prerelease for repository in repositories() for release in repository.releases
        ),
        "archived": any(repository.archived for repository in repositories()),
        "forked": any(repository.fork for repository in repositories()),
        "empty": any(repository.is_empty for repository in repositories()),
        "renamed": any(repository.former_names for repository in repositories()),
        "another default branch": any(repository.default_branch != "main" for repository in repositories()),
        "an incident as an issue": any(
            "incident" in issue.labels for repository in repositories() for issue in repository.issues
        ),
        "an issue that is none": any(
            "incident" not in issue.labels for repository in repositories() for issue in repository.issues
        ),
        "an incident that names its commit": any(incident.sha for incident in world.incidents),
        "a reopened incident": any(
            [entry.type for entry in incident.log].count("resolve") > 1 for incident in world.incidents
        ),
        "an open incident": any(incident.status != "resolved" for incident in world.incidents),
        "a dangling owner": {one.owner for one in world.components} - {team.slug for team in world.teams},
        "a failed template run": any(task.status == "failed" for task in world.tasks),
        "services in a monorepo": len([one for one in world.components if one.source_path]) > 10,
        "a service the catalogue does not know": {*whole().truth.golden_path.services}
        - {one.name for one in world.components},
        "an announced change": world.change_events,
        "an unstable build": any(build.result == "UNSTABLE" for job in world.jenkins for build in job.builds),
        "a build under its old name": any(
            "/old-" in build.remote_url for job in world.jenkins for build in job.builds
        ),
    }
    assert [what for what, is_there in seen.items() if not is_there] == []


def test_named_commits_were_live() -> None:
    live = {
        sha
        for repository in repositories()
        for one in repository.deployments
        for sha in [one.sha]
        if one.environment.startswith("prod")
    } | {build.sha for job in whole().world.jenkins if "deploy" in job.path for build in job.builds}
    assert {incident.sha for incident in whole().world.incidents if incident.sha} <= live


@pytest.mark.parametrize("seed", [SEED, SEED + 1])
def test_the_golden_path_shortens_lead_time(seed: int) -> None:
    truth = whole(seed).truth.golden_path
    assert truth.effect == -0.3
    by_service: dict[str, list[Shipped]] = defaultdict(list)
    for change in shipped(whole(seed).world):
        by_service[change.service].append(change)
    never = [name for name in by_service if truth.services[name] is None]
    effects, weights = [], []
    for name, adopted in truth.services.items():
        if adopted and name in by_service:
            own, sizes = _ratio(by_service[name], adopted)
            others, _ = _ratio([change for other in never for change in by_service[other]], adopted)
            if min(sizes) >= 8:
                effects.append(math.log(own / others))
                weights.append(1 / (1 / sizes[0] + 1 / sizes[1]))
    assert len(effects) > 40
    assert len({when for when in truth.teams.values() if when}) >= 10
    assert len([when for when in truth.teams.values() if when is None]) >= 10
    effect = math.exp(sum(map(math.prod, zip(effects, weights, strict=True))) / sum(weights)) - 1
    assert effect == pytest.approx(truth.effect, abs=truth.tolerance)


def _ratio(changes: list[Shipped], adopted: date) -> tuple[float, tuple[int, int]]:
    """Median lead time after over before a day, and how many changes either rests on."""
    before = [change.seconds for change in changes if change.begun.date() < adopted]
    after = [change.seconds for change in changes if change.begun.date() >= adopted]
    return median(after or [1]) / median(before or [1]), (len(before), len(after))


def test_adoption_shows_in_the_workflow_and_in_its_runs() -> None:
    truth = whole().truth.golden_path
    for name, adopted in truth.services.items():
        repository = whole().world.repositories.get(name)
        if repository is None:
            continue
        uses = [text for text in repository.files.values() if truth.workflow in text]
        assert bool(uses) == bool(adopted), name
        calls = {run.created_at.date() for run in repository.runs if run.reusable}
        assert all(adopted and day >= adopted for day in calls)


def test_a_platform_release_made_ci_slow_for_six_weeks() -> None:
    truth = whole().truth.slow_ci
    assert (truth.until - truth.first_on).days == 42
    assert truth.factor == 1.8
    runs = [
        (run.started_at.date(), (run.updated_at - run.started_at).total_seconds())
        for repository in repositories()
        for run in repository.runs
        if run.conclusion == "success"
    ]
    assert _slowness(runs) == pytest.approx(truth.factor, abs=truth.tolerance)
    builds = [
        (build.started_at.date(), build.duration_ms / 1000)
        for job in whole().world.jenkins
        if job.is_branch
        for build in job.builds
        if build.result == "SUCCESS"
    ]
    assert _slowness(builds) == pytest.approx(1.0, abs=truth.tolerance)
    name, _, tag = truth.release.partition(",")[0].partition(" ")
    released = {one.tag: one.published_at.date() for one in whole().world.repositories[name].releases}
    assert released[tag] == truth.first_on


def _slowness(runs: list[tuple[date, float]]) -> float:
    """Median duration in the slow weeks over that of as many weeks before and after."""
    truth = whole().truth.slow_ci
    slow = [taken for day, taken in runs if truth.first_on <= day < truth.until]
    begin, end = truth.first_on - timedelta(42), truth.until + timedelta(42)
    usual = [taken for day, taken in runs if begin <= day < truth.first_on or truth.until <= day < end]
    assert min(len(slow), len(usual)) > 200
    return median(slow) / median(usual)


def test_a_team_was_reorganised() -> None:
    truth = whole().truth.reorganisation
    members = whole().world.memberships
    left = {one.login for one in members if one.team == truth.from_team and _on(one.until) == truth.on}
    came = {one.login for one in members if one.team == truth.to_team and _on(one.since) == truth.on}
    assert left == came
    assert len(left) == truth.members >= 4
    owners = {one.name: one.owner for one in whole().world.components}
    assert truth.services
    assert {owners.get(name, truth.to_team) for name in truth.services} == {truth.to_team}
    stayed = [name for name, owner in owners.items() if owner == truth.from_team]
    assert stayed


def _on(at: datetime | None) -> date | None:
    return at.date() if at else None


def test_a_capability_is_taken_up_no_more() -> None:
    truth = whole().truth.stall
    template = truth.capability.rpartition("/")[2]
    days = [
        task.created_at.date()
        for task in whole().world.tasks
        if task.template == template and task.status == "completed"
    ]
    assert min(days) >= truth.introduced_on
    before = sum(day < truth.stalled_on for day in days) * 7 / (truth.stalled_on - truth.introduced_on).days
    after = sum(day >= truth.stalled_on for day in days) * 7 / (END.date() - truth.stalled_on).days
    assert before == pytest.approx(truth.per_week_before, rel=truth.tolerance)
    assert after == pytest.approx(truth.per_week_after, abs=truth.tolerance)
    equipped = {one.name for one in whole().world.components if "demo.example/database" in one.annotations}
    assert equipped == {
        task.component for task in whole().world.tasks if task.template == template and task.component
    } & {one.name for one in whole().world.components}


def test_satisfaction_follows_ci() -> None:
    truth, slow = whole().truth, whole().truth.slow_ci
    expected = truth.surveys.expected
    assert len(expected) == 40
    for months in expected.values():
        for one in months.values():
            assert one.satisfied == pytest.approx(satisfied(one.ci_p50_seconds), abs=0.001)
    assert satisfied(300) > satisfied(720) == 0.5 > satisfied(1500)
    usual, in_slow = f"{slow.first_on - timedelta(45):%Y-%m}", f"{slow.first_on + timedelta(20):%Y-%m}"
    uses_jenkins = {"billing", "fraud", "ledger", "customs", "analytics", "reporting"}
    change = {
        team: months[in_slow].satisfied - months[usual].satisfied
        for team, months in expected.items()
        if {in_slow, usual} <= months.keys()
    }
    assert mean(change[team] for team in change.keys() & uses_jenkins) == pytest.approx(0, abs=0.08)
    assert mean(change[team] for team in ("cart", "search", "runtime", "tracking", "web-apps")) < -0.1


def test_the_truth_is_told_as_json_without_a_person() -> None:
    told = whole().truth.to_json()
    assert set(json.loads(told)) == {"golden_path", "slow_ci", "reorganisation", "stall", "surveys"}
    assert not [text for text in personal(whole().world) if text in told]
