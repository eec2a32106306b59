"""GitLab: its projects, the files of their default branches, and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from connectors.connector import (
    Batch,
    Connector,
    Context,
    Covered,
    Note,
    Problem,
    Retained,
    SourceError,
)
from connectors.gitlab import GitLabConnector
from connectors.gitlab.options import GitLabOptions
from connectors.parsing import moment
from connectors.records import (
    CapabilityState,
    Commit,
    PullRequest,
    Ref,
    Repository,
)
from tests.connectors.contract import ConnectorContract, Tool
from tests.connectors.gitlab_host import (
    GitLabHost,
    Project,
    at,
    commit,
    deployment,
    issue,
    job,
    merge_request,
    note,
    pipeline,
    user,
)
from tests.connectors.gitlab_reader import of, reading
from tests.histories import Upstream
from tests.serving import serving

CI = "include: {project: acme/ci, ref: v3, file: [/build.yml, deploy.yml]}\ntest: {script: !reference [.a]}\n"


class GitLabTool(Tool):
    """A project with something of everything, and a group with two members."""

    secret = GitLabHost.token

    def __init__(self, host: GitLabHost, url: str, folder: Path) -> None:
        self.host = host
        self.url = url
        self.folder = folder
        self.upstream = Upstream(folder / "acme" / "shop.git")
        self.upstream.commit("first")
        self.project = project = Project(empty_repo=False)
        host.projects[7] = project
        host.members[1] = [{**user("ada"), "created_at": at(0), "expires_at": None}]
        project.merge_requests = [merge_request(n, n) for n in (1, 2, 3)]
        project.commits[2] = [commit(5, -60)]
        project.notes[2] = [note(1, "grace")]
        project.pipelines = [pipeline(n, n * 10) for n in (1, 2)] + [pipeline(3, 40, "running")]
        project.jobs = [job(n, n, n * 10) for n in (1, 2)] + [job(3, 3, 40, "running")]
        project.deployments = [deployment(n, n * 10) for n in (1, 2)]
        project.issues = [issue(1, 5)]
        project.releases = [{"tag_name": "v1.0.0", "released_at": at(9), "commit": {"id": "a" * 40}}]
        project.files[".gitlab-ci.yml"] = CI

    def connector(self, cache: Path) -> Connector:
        options = {"url": self.url, "token": self.secret, "group": "acme", "git": str(self.folder)}
        return GitLabConnector("gitlab", GitLabOptions.model_validate(options), Context(cache, b"key"))

    def grow(self) -> None:
        project = self.project
        project.merge_requests[0] |= {"updated_at": at(100), "labels": ["late"]}
        project.merge_requests.append(merge_request(9, 90))
        project.pipelines[2] |= {"status": "failed", "updated_at": at(55)}
        project.jobs[2] |= {"status": "failed", "finished_at": at(50)}
        project.jobs.append(job(4, 3, 41))
        project.deployments.append(deployment(4, 60, "failed"))
        project.issues[0] |= {"state": "closed", "closed_at": at(70), "updated_at": at(70)}
        self.host.members[1].append({**user("grace"), "created_at": at(0), "expires_at": "2026-01-31"})

    def spoil(self) -> str:
        self.project.merge_requests.append(merge_request(8, 80, created_at="yesterday"))
        return "8"

    def refuse(self) -> None:
        self.host.token = "another"


class TestContract(ConnectorContract):
    @pytest.fixture
    def tool(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tool]:
        monkeypatch.setattr("connectors.gitlab.api.PER_PAGE", 2)
        host = GitLabHost()
        with serving(host, date_header=False) as url:
            yield GitLabTool(host, url, tmp_path / "git")


class TestProjects:
    def test_a_group_is_read_with_its_subgroups_below_any_path(self, tmp_path: Path) -> None:
        host = GitLabHost(
            Project(7), Project(8, "acme/ops/tools"), Project(9, "other/shop"), prefix="/gitlab"
        )
        with reading(host, tmp_path) as reader:
            items = reader.read()
        assert {item.scope for item in of(items, Covered)} == {"7", "8", "teams"}
        repositories = {each.id: each for each in reader.records(Repository)}
        assert repositories["7"] == Repository(
            "7", "shop", "https://gitlab.acme.example/acme/shop", "main", False
        )
        assert repositories["8"].name == "ops/tools"
        assert all(each.path.startswith("/gitlab/api/") for each in reader.received)

    def test_without_a_group_the_accounts_projects_are_paged_by_keyset(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("connectors.gitlab.api.PER_PAGE", 2)
        host = GitLabHost(*(Project(n, f"p{n}/shop") for n in range(1, 6)))
        with reading(host, tmp_path, group=None, projects=["*", "!p3/*"]) as reader:
            items = reader.read()
            assert reader.asked("/projects") >= 3
            assert ("pagination", "keyset") in [pair for each in reader.received for pair in each.query]
        assert {item.scope for item in of(items, Covered)} == {"1", "2", "4", "5", "teams"}

    def test_archived_projects_and_forks_are_skipped_unless_read_before(self, tmp_path: Path) -> None:
        host = GitLabHost(Project(7), Project(8, "acme/old", archived=True), Project(9, "acme/fork"))
        host.projects[9].item["forked_from_project"] = {"id": 1}
        with reading(host, tmp_path) as reader:
            assert {item.scope for item in of(reader.read(), Covered)} == {"7", "teams"}
            host.projects[7].item["archived"] = True
            assert {item.scope for item in of(reader.read(), Covered)} == {"7", "teams"}
            assert reader.only(Repository).archived
            everything = reader.read(archived=True, forks=True)
        assert {item.scope for item in of(everything, Covered)} == {"7", "8", "9", "teams"}

    def test_a_project_in_a_persons_namespace_is_not_read(self, tmp_path: Path) -> None:
        host = GitLabHost(Project(7, "ada-lovelace/x", namespace={"kind": "user"}), Project(8, "acme/shop"))
        with reading(host, tmp_path, group=None, projects=["*"]) as reader:
            items = reader.read()
            found = list(reader.connector().check())
        assert {item.scope for item in of(items, Covered)} == {"8", "teams"}
        assert "lovelace" not in repr([*items, *found])
        assert "persons are skipped" in repr(found)

    def test_without_jobs_their_stream_is_not_promised(self) -> None:
        options = {"token": "t", "group": "acme"}
        without = GitLabOptions.model_validate({**options, "jobs": 0})
        assert GitLabConnector.streams_of(GitLabOptions.model_validate(options)) == GitLabConnector.streams
        assert "job" not in GitLabConnector.streams_of(without)

    def test_a_renamed_project_stays_itself_and_one_that_is_gone_is_retained(self, tmp_path: Path) -> None:
        host = GitLabHost(Project(7), Project(8, "acme/ops"))
        with reading(host, tmp_path, projects=["*", "!acme/new"]) as reader:
            reader.read()
            host.projects[7].item["path_with_namespace"] = "acme/store"
            del host.projects[8]
            items = reader.read()
            assert [item.scope for item in of(items, Retained)] == ["8"]
            assert {each.id: each.name for each in reader.records(Repository)} == {"7": "store", "8": "ops"}
            assert not of(reader.read(), Batch)
            # One that is no longer wanted is not.
            assert not of(reader.read(projects=["!acme/ops"]), Retained)

    def test_an_unchanged_project_costs_four_requests(self, tmp_path: Path) -> None:
        upstream = Upstream(tmp_path / "git" / "acme" / "shop.git")
        upstream.commit()
        project = Project(empty_repo=False)
        project.merge_requests = [merge_request(1, 0)]
        project.pipelines, project.jobs = [pipeline(1, 0)], [job(1, 1, 0)]
        project.releases = [{"tag_name": "v1", "released_at": at(0), "commit": None}]
        with reading(project, tmp_path, git=str(tmp_path / "git")) as reader:
            reader.read()
            assert not of(reader.read(), Batch)
            parts = ["deployments", "issues", "merge_requests", "pipelines"]
            assert sorted(path for path in reader.host.asked if "/projects/7/" in path) == [
                f"/projects/7/{part}" for part in parts
            ]

    @pytest.mark.parametrize("minutes", [30, 120])
    def test_a_push_within_the_hour_after_an_activity_is_not_missed(
        self, tmp_path: Path, minutes: int
    ) -> None:
        upstream = Upstream(tmp_path / "git" / "acme" / "shop.git")
        upstream.commit()
        project = Project(empty_repo=False, last_activity_at=at(0))
        host = GitLabHost(project)
        host.now = moment(at(minutes))
        with reading(host, tmp_path, git=str(tmp_path / "git")) as reader:
            reader.read()
            upstream.commit()
            if minutes > 60:
                project.item["last_activity_at"] = at(minutes + 10)
            host.now = moment(at(minutes + 10))
            reader.read()
            assert len(reader.records(Commit)) == 2
            host.now = moment(at(minutes + 200))
            reader.read()
            assert not of(reader.read(), Batch)

    def test_other_settings_of_commits_have_them_read_again_without_a_push(self, tmp_path: Path) -> None:
        upstream = Upstream(tmp_path / "git" / "acme" / "shop.git")
        upstream.commit()
        host = GitLabHost(Project(empty_repo=False, last_activity_at=at(0)))
        host.now = moment(at(200))
        with reading(host, tmp_path, git=str(tmp_path / "git")) as reader:
            reader.read()
            assert reader.only(Commit).folders is None
            reader.read(folders=1)
            assert reader.only(Commit).folders == ()
            assert not of(reader.read(folders=1), Batch)

    def test_commits_come_over_git_and_branches_are_masked(self, tmp_path: Path) -> None:
        upstream = Upstream(tmp_path / "git" / "acme" / "shop.git")
        upstream.commit()
        upstream.commit(branch="ada-lovelace/topic")
        with reading(Project(empty_repo=False), tmp_path, git=str(tmp_path / "git")) as reader:
            items = reader.read()
        assert {ref.name for ref in reader.records(Ref)} >= {"main"}
        assert {each.repository for each in reader.records(Commit)} == {"7"}
        assert "lovelace" not in repr(items)

    def test_git_is_given_the_token_only_for_gitlab_itself(self) -> None:
        options = {"url": "https://host/gitlab/", "token": "t", "group": "acme"}
        gitlab = GitLabOptions.model_validate(options)
        assert gitlab.clone_url("acme/shop") == "https://host/gitlab/acme/shop.git"
        assert gitlab.git_password() == SecretStr("t")
        mirror = GitLabOptions.model_validate({**options, "git": "https://mirror.example/git/"})
        assert mirror.clone_url("acme/shop") == "https://mirror.example/git/acme/shop.git"
        assert mirror.git_password() is None

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"group": "acme", "url": "gitlab.example"}, "https://host/path"),
            ({"group": "acme/"}, "group"),
            ({}, "give `group`"),
            ({"group": "acme", "hotfix_branches": "("}, "regular expression"),
            ({"group": "acme", "git": "https://ada:pw@host"}, "no user"),
        ],
    )
    def test_wrong_options_are_named_and_not_shown(self, options: dict[str, Any], said: str) -> None:
        with pytest.raises(ValidationError) as raised:
            GitLabOptions.model_validate({"token": "glpat-x", **options})
        assert said in str(raised.value)
        assert "pw" not in str(raised.value)


class TestFailures:
    def test_features_that_are_off_are_not_asked_for(self, tmp_path: Path) -> None:
        off: dict[str, Any] = {
            f"{name}_access_level": "disabled" for name in ("merge_requests", "builds", "issues", "releases")
        }
        with reading(Project(**off), tmp_path) as reader:
            items = reader.read()
            assert not reader.asked("/projects/7/")
        assert {item.scope for item in of(items, Covered)} == {"7", "teams"}
        with reading(Project(jobs_enabled=False), tmp_path) as reader:
            reader.read()
            assert not reader.asked("pipelines")
            assert reader.asked("merge_requests")

    @pytest.mark.parametrize("status", [403, 404])
    def test_a_part_that_is_refused_is_a_note_and_the_rest_is_read(self, tmp_path: Path, status: int) -> None:
        project = Project()
        project.merge_requests = [merge_request(1)]
        host = GitLabHost(project)
        host.refused = {"/pipelines": status, "/deployments": status}
        with reading(host, tmp_path) as reader:
            items = reader.read()
        notes = [
            item.message for item in of(items, Note) if item.scope == "7" and str(status) in item.message
        ]
        assert [each.partition(" are")[0] for each in notes] == ["pipelines", "deployments"]
        assert "7" in {item.scope for item in of(items, Covered)}
        assert len(reader.records(PullRequest)) == 1

    def test_a_project_where_everything_is_refused_is_a_problem(self, tmp_path: Path) -> None:
        host = GitLabHost(Project(7), Project(8, "acme/ops"))
        host.refused = {f"/projects/7/{part}": 403 for part in PARTS}
        with reading(host, tmp_path) as reader:
            items = reader.read()
        (problem,) = of(items, Problem)
        assert problem.scope == "7"
        assert {item.scope for item in of(items, Covered)} == {"8", "teams"}

    def test_a_project_that_goes_while_it_is_read_is_retained(self, tmp_path: Path) -> None:
        host = GitLabHost(Project(7), Project(8, "acme/ops"))
        host.refused = {"/projects/7": 404} | {f"/projects/7/{part}": 404 for part in PARTS}
        with reading(host, tmp_path) as reader:
            items = reader.read()
        assert [item.scope for item in of(items, Retained)] == ["7"]
        assert not of(items, Problem)
        assert {item.scope for item in of(items, Covered)} == {"8", "teams"}

    def test_one_project_that_fails_leaves_the_others_read(self, tmp_path: Path) -> None:
        host = GitLabHost(Project(7), Project(8, "acme/ops"))
        host.refused = {"/projects/7/deployments": 500}
        with reading(host, tmp_path) as reader:
            items = reader.read()
            (problem,) = of(items, Problem)
            assert (problem.scope, problem.is_transient) == ("7", True)
            assert {item.scope for item in of(items, Covered)} == {"8", "teams"}
            host.refused.clear()
            assert {item.scope for item in of(reader.read(), Covered)} == {"7", "8", "teams"}

    def test_a_token_that_expires_midway_is_one_error(self, tmp_path: Path) -> None:
        host = GitLabHost(*(Project(n, f"acme/p{n}") for n in range(1, 9)))
        host.refused = {"/merge_requests": 401}
        with reading(host, tmp_path) as reader, pytest.raises(SourceError, match="401"):
            reader.read()

    def test_a_repository_that_cannot_be_cloned_is_a_problem(self, tmp_path: Path) -> None:
        project = Project(empty_repo=False)
        project.merge_requests = [merge_request(1)]
        with reading(project, tmp_path, git=str(tmp_path / "nowhere")) as reader:
            items = reader.read()
        (problem,) = of(items, Problem)
        assert problem.message.startswith("commits:")
        assert len(reader.records(PullRequest)) == 1
        assert len(reader.records(Repository)) == 1


PARTS = ("merge_requests", "pipelines", "deployments", "issues", "releases")


class TestFiles:
    @pytest.mark.parametrize(
        ("ci_path", "seen"),
        [
            ("ci/main.yml", ["component:acme/ci/build"]),
            ("ci/main.yml@acme/ci", []),
        ],
    )
    def test_what_the_ci_configuration_includes_is_evidence(
        self, tmp_path: Path, ci_path: str, seen: list[str]
    ) -> None:
        upstream = Upstream(tmp_path / "git" / "acme" / "shop.git")
        upstream.hold(
            {
                "ci/main.yml": "include: [{component: $CI_SERVER_FQDN/acme/ci/build@1.4.0}]",
                ".gitlab-ci.yml": CI,
            }
        )
        upstream.commit()
        project = Project(empty_repo=False)
        project.item["ci_config_path"] = ci_path
        with reading(project, tmp_path, git=str(tmp_path / "git")) as reader:
            items = reader.read()
            assert [each.capability for each in reader.records(CapabilityState)] == seen
            assert not reader.asked("/repository/files/")
            assert not of(reader.read(), Batch)
        assert [item.looked_for for item in of(items, Covered) if item.scope != "teams"] == ["1"]


class TestCheck:
    def found(self, host: GitLabHost, tmp_path: Path, **options: Any) -> list[str]:
        with reading(host, tmp_path, **options) as reader:
            found = list(reader.connector().check())
            assert len(host.asked) <= 4
        return [f"{type(item).__name__}: {item.message}" for item in found]

    def test_it_says_who_may_read_what(self, tmp_path: Path) -> None:
        host = GitLabHost(
            Project(7), Project(8, "acme/old", archived=True), Project(9, "acme/x", jobs_enabled=False)
        )
        host.projects[9].item["forked_from_project"] = {"id": 1}
        host.expires_at = "2025-01-31"
        assert self.found(host, tmp_path, projects=["*", "!acme/sandbox*"]) == [
            "Note: GitLab 17.5.1-ee",
            "Note: The token has the scopes read_api, read_repository",
            "Note: The token expires on 2025-01-31",
            "Note: 1 of 3 projects are read",
            "Note: 1 archived ones are skipped, unless read before",
            "Note: 1 forks are skipped",
            "Note: The pattern !acme/sandbox* of `projects` matches no project",
            "Note: 1990 of 2000 requests are left until the limit resets",
        ]

    @pytest.mark.parametrize(
        ("scopes", "lacking"),
        [(["read_repository"], ["read_api"]), (["read_api"], ["read_repository"]), (["api"], []), (None, [])],
    )
    def test_missing_scopes_are_problems(
        self, tmp_path: Path, scopes: list[str] | None, lacking: list[str]
    ) -> None:
        host = GitLabHost(Project())
        host.scopes = scopes
        problems = [said for said in self.found(host, tmp_path) if said.startswith("Problem")]
        assert [said.split("scope ")[1].split(":")[0] for said in problems] == lacking

    def test_a_wrong_token_and_a_wrong_group_are_problems(self, tmp_path: Path) -> None:
        host = GitLabHost(Project())
        said = self.found(host, tmp_path, group="none")[-1]
        assert said.startswith("Problem")
        assert "404" in said
        with reading(host, tmp_path) as reader:
            (problem,) = reader.connector(token="wrong").check()
        assert isinstance(problem, Problem)
        assert "401" in problem.message
