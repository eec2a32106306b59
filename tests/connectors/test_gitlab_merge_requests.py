"""GitLab's merge requests, by GraphQL and by REST; and how lists by time are paged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Batch, Quarantined
from connectors.parsing import moment
from connectors.records import PullRequest
from tests.connectors.gitlab_host import SHA, GitLabHost, Project, at, commit, merge_request, note, user
from tests.connectors.gitlab_reader import of, person, reading

BOTH_WAYS = pytest.mark.parametrize("has_graphql", [True, False], ids=["graphql", "rest"])


def only_one(project: Project, tmp_path: Path, *, has_graphql: bool = True) -> PullRequest:
    host = GitLabHost(project)
    host.has_graphql = has_graphql
    with reading(host, tmp_path) as reader:
        items = reader.read()
    assert not of(items, Quarantined)
    return reader.only(PullRequest)


class TestRecord:
    @BOTH_WAYS
    def test_one_with_commits_comments_and_approvals(self, tmp_path: Path, has_graphql: bool) -> None:
        project = Project()
        project.merge_requests = [
            merge_request(
                12, 100, labels=["team::shop"], title="Draft: fix(parser): mend", source_branch="hotfix/x"
            )
        ]
        project.commits[12] = [commit(2, 50), commit(1, -300)]
        project.notes[12] = [
            note(20, "ada", "marked this merge request as **draft**", is_system=True),
            note(30, "ada", "marked this merge request as **ready**", is_system=True),
            note(31, "ada", "please look"),
            note(32, "project_7_bot_2a", "coverage fell"),
            note(40, "grace", "why?"),
            note(41, "grace", "and here?"),
            note(50, "ada", "added 1 commit", is_system=True),
            note(60, "grace", "approved this merge request", is_system=True),
            note(61, "ada", "approved this merge request", is_system=True),
            note(70, "linus", "fine"),
        ]
        found = only_one(project, tmp_path, has_graphql=has_graphql)
        assert found == PullRequest(
            repository="7",
            number=12,
            url="https://gitlab.acme.example/acme/shop/-/merge_requests/12",
            author=person("ada"),
            is_bot=False,
            kind="fix",
            is_hotfix=True,
            base_ref="main",
            head_sha=SHA,
            merge_sha=f"{12:040x}",
            first_commit_at=moment(at(-300)),
            opened_at=moment(at(90)),
            ready_at=moment(at(30)),
            first_review_at=moment(at(40)),
            approved_at=moment(at(60)),
            merged_at=moment(at(100)),
            closed_at=moment(at(100)),
            additions=120 if has_graphql else None,
            deletions=12 if has_graphql else None,
            changed_files=3 if has_graphql else None,
            commits=2,
            reviews=3,
            labels=("team::shop",),
            reverts=None,
            commit_shas=(f"{1:040x}", f"{2:040x}"),
        )

    @pytest.mark.parametrize(
        ("more", "merge_sha"),
        [
            ({}, f"{1:040x}"),
            ({"merge_commit_sha": None, "squash_commit_sha": "5" * 40}, "5" * 40),
            ({"merge_commit_sha": "", "squash_commit_sha": None}, SHA),
            ({"state": "opened", "merged_at": None, "merge_commit_sha": "7" * 40}, None),
        ],
    )
    def test_the_commit_that_brought_it(
        self, tmp_path: Path, more: dict[str, Any], merge_sha: str | None
    ) -> None:
        project = Project()
        project.merge_requests = [merge_request(1, **more)]
        assert only_one(project, tmp_path).merge_sha == merge_sha

    @pytest.mark.parametrize(
        ("more", "ready"),
        [
            ({}, True),
            ({"state": "opened", "merged_at": None, "draft": True}, False),
            ({"state": "opened", "merged_at": None, "work_in_progress": True}, False),
            ({"draft": True}, True),
        ],
    )
    @pytest.mark.parametrize(
        "words",
        [
            "marked this merge request as **ready**",
            "unmarked as a **Work In Progress**",
            "unmarked this merge request as a Work In Progress",
            "unmarked as a **Draft**",
        ],
    )
    def test_one_that_is_a_draft_again_is_not_ready(
        self, tmp_path: Path, more: dict[str, Any], ready: bool, words: str
    ) -> None:
        project = Project()
        project.merge_requests = [merge_request(1, **more)]
        project.notes[1] = [note(-5, "ada", words, is_system=True)]
        assert (only_one(project, tmp_path).ready_at is not None) == ready

    def test_one_that_was_closed_and_one_whose_author_is_gone(self, tmp_path: Path) -> None:
        project = Project()
        closed = {"state": "closed", "merged_at": None, "closed_at": at(5), "merge_commit_sha": None}
        project.merge_requests = [
            merge_request(1, 1, **closed, author=None),
            merge_request(2, 2, **closed, author=user("ghost")),
            merge_request(3, 3, **closed, author=user("group_1_bot_ab12")),
            merge_request(4, 4, **closed, author={**user("renovate"), "bot": True}),
        ]
        project.notes[2] = [note(1, "ghost"), note(2, "grace")]
        with reading(project, tmp_path) as reader:
            reader.read()
        found = {each.number: each for each in reader.records(PullRequest)}
        assert {each.closed_at for each in found.values()} == {moment(at(5))}
        assert {each.merged_at for each in found.values()} == {None}
        assert found[1].author is found[2].author is None
        assert found[2].first_review_at == moment(at(2))
        assert [found[number].is_bot for number in (1, 2, 3, 4)] == [False, False, True, True]

    @pytest.mark.parametrize(
        ("description", "number"),
        [
            ("This reverts merge request !17", 17),
            ("Words.\n\nThis reverts merge request acme/shop!17", 17),
            ("This reverts merge request acme/other!17", None),
            ("See !17", None),
            (None, None),
        ],
    )
    def test_what_it_reverts(self, tmp_path: Path, description: str | None, number: int | None) -> None:
        project = Project()
        title = 'Revert "Mend the parser"'
        project.merge_requests = [merge_request(1, description=description, title=title)]
        found = only_one(project, tmp_path)
        assert (found.reverts, found.kind) == (number, "revert")

    def test_nothing_personal_lands(self, tmp_path: Path) -> None:
        project = Project()
        secrets: dict[str, Any] = {
            "title": "for Lovelace",
            "description": "by Lovelace",
            "source_branch": "lovelace/x",
        }
        project.merge_requests = [
            merge_request(1, author=user("lovelace"), target_branch="lovelace/y", **secrets)
        ]
        project.notes[1] = [note(1, "lovelace", "Lovelace was here")]
        with reading(project, tmp_path) as reader:
            items = reader.read()
        assert reader.only(PullRequest).base_ref.startswith("~")
        assert "lovelace" not in repr(items).lower()

    @pytest.mark.parametrize(
        ("more", "reason"),
        [
            ({"created_at": "yesterday"}, "created_at is no time"),
            ({"merged_at": None}, "was merged at a time that GitLab does not say"),
            ({"author": "ada"}, "another type"),
            ({"title": None}, "another type"),
        ],
    )
    def test_a_malformed_one_is_set_aside(self, tmp_path: Path, more: dict[str, Any], reason: str) -> None:
        project = Project()
        project.merge_requests = [merge_request(1, 0, **more), merge_request(2, 1)]
        without = merge_request(3, 2)
        del without["source_branch"], without["iid"]
        project.merge_requests += [without, "nonsense"]  # type: ignore[list-item]
        with reading(project, tmp_path) as reader:
            items = reader.read()
            again = reader.read()
        first, *others = of(items, Quarantined)
        assert first.id == "1"
        assert reason in first.reason
        assert [(each.id, each.reason) for each in others] == [
            ("without an id", "iid is missing"),
            ("without an id", "is no object"),
        ]
        assert reader.only(PullRequest).number == 2
        assert not of(again, Batch)


class TestRequests:
    def test_forty_cost_three_requests_by_graphql(self, tmp_path: Path) -> None:
        project = Project()
        project.merge_requests = [merge_request(n, n) for n in range(1, 41)]
        with reading(project, tmp_path) as reader:
            reader.read()
            assert len(reader.records(PullRequest)) == 40
            assert (reader.asked("merge_requests"), reader.asked("graphql")) == (1, 2)

    def test_where_there_is_no_graphql_it_is_tried_once(self, tmp_path: Path) -> None:
        project = Project()
        project.merge_requests = [merge_request(n, n) for n in range(1, 31)]
        host = GitLabHost(project)
        host.has_graphql = False
        with reading(host, tmp_path) as reader:
            reader.read()
            assert reader.asked("graphql") == 1
            assert reader.asked("/notes") == reader.asked("/commits") == 30

    def test_an_older_graphql_is_not_asked_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def misunderstood(*_: object) -> dict[str, Any]:
            return {"errors": [{"message": "Field 'bot' doesn't exist on type 'User'"}]}

        monkeypatch.setattr(GitLabHost, "_graphql", misunderstood)
        project = Project()
        project.merge_requests = [merge_request(n, n) for n in range(1, 31)]
        with reading(project, tmp_path) as reader:
            reader.read()
            assert reader.asked("graphql") == 1
            assert len(reader.records(PullRequest)) == 30

    def test_one_that_graphql_leaves_out_is_asked_for_alone(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        node = GitLabHost._node
        monkeypatch.setattr(GitLabHost, "_node", lambda self, p, iid: node(self, p, iid) if iid != 2 else {})
        project = Project()
        project.merge_requests = [merge_request(n, n) for n in (1, 2, 3)]
        project.commits[2] = [commit(4, -3)]
        with reading(project, tmp_path) as reader:
            reader.read()
            found = {each.number: each for each in reader.records(PullRequest)}
        assert found[2].commit_shas == (f"{4:040x}",)

    @BOTH_WAYS
    def test_ten_thousand_commits_are_read_at_both_ends(self, tmp_path: Path, has_graphql: bool) -> None:
        project = Project()
        project.merge_requests = [merge_request(1)]
        project.commits[1] = [commit(n, n) for n in range(10_000, 0, -1)]
        project.notes[1] = [note(n, "ada") for n in range(150)] + [note(200, "grace")]
        host = GitLabHost(project)
        host.has_graphql = has_graphql
        with reading(host, tmp_path) as reader:
            reader.read()
            assert reader.asked("/commits") == 6
            found = reader.only(PullRequest)
        assert found.commits == 10_000
        assert found.first_commit_at == moment(at(1))
        assert (found.commit_shas[0], found.commit_shas[-1]) == (f"{1:040x}", f"{10_000:040x}")
        assert len(found.commit_shas) == 600
        assert found.first_review_at == moment(at(200))

    def test_only_what_changed_is_asked_for(self, tmp_path: Path) -> None:
        project = Project()
        project.merge_requests = [merge_request(n, n) for n in range(1, 11)]
        host = GitLabHost(project)
        host.has_graphql = False
        with reading(host, tmp_path) as reader:
            reader.read()
            project.merge_requests[3] |= {"updated_at": at(50), "labels": ["x"]}
            (batch,) = of(reader.read(), Batch)
            assert [record.number for record in batch.records if isinstance(record, PullRequest)] == [4]
            assert reader.asked("/notes") == 1

    def test_since_bounds_the_first_reading(self, tmp_path: Path) -> None:
        project = Project()
        project.merge_requests = [merge_request(1, -24 * 60), merge_request(2, 1)]
        with reading(project, tmp_path, since="2025-03-03") as reader:
            reader.read()
            assert reader.only(PullRequest).number == 2


class TestPages:
    @pytest.fixture(autouse=True)
    def small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("connectors.gitlab.api.PER_PAGE", 3)

    def numbers(self, host: GitLabHost, tmp_path: Path) -> list[int]:
        with reading(host, tmp_path) as reader:
            items = reader.read()
            # The pages, one that shows whether time counts, and one for what has no time.
            assert reader.asked("/merge_requests") <= 8
            assert not of(reader.read(), Batch)
        batches = [batch for batch in of(items, Batch) if batch.stream == "pull_request"]
        return [
            record.number for batch in batches for record in batch.records if isinstance(record, PullRequest)
        ]

    @pytest.mark.parametrize("has_links", [True, False])
    @pytest.mark.parametrize("knows_time", [True, False])
    def test_every_item_comes_once(self, tmp_path: Path, has_links: bool, knows_time: bool) -> None:
        project = Project()
        project.merge_requests = [merge_request(n, n) for n in range(1, 12)]
        host = GitLabHost(project)
        host.has_links, host.knows_time = has_links, knows_time
        assert self.numbers(host, tmp_path) == list(range(1, 12))

    def test_more_than_a_page_may_have_changed_at_one_time(self, tmp_path: Path) -> None:
        project = Project()
        project.merge_requests = [merge_request(n, min(max(n, 3), 9)) for n in range(1, 15)]
        assert sorted(self.numbers(GitLabHost(project), tmp_path)) == list(range(1, 15))

    def test_what_changes_meanwhile_pushes_nothing_out_of_the_list(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By number, the second page would begin with the fifth: the first moved to the end."""
        project = Project()
        project.merge_requests = [merge_request(n, n) for n in range(1, 9)]
        answer = GitLabHost._by_time

        def moving(self: GitLabHost, request: Any, items: list[dict[str, Any]]) -> Any:
            response = answer(self, request, items)
            if items is project.merge_requests:
                items[0]["updated_at"] = at(100)
            return response

        monkeypatch.setattr(GitLabHost, "_by_time", moving)
        with reading(GitLabHost(project), tmp_path) as reader:
            reader.read()
            reader.read()
        assert sorted(each.number for each in reader.records(PullRequest)) == list(range(1, 9))

    def test_a_list_whose_pages_repeat_ends_with_a_problem(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        link = GitLabHost._link
        stuck = lambda self, request, query: link(self, request, {**query, "page": "2"})  # noqa: E731
        monkeypatch.setattr(GitLabHost, "_link", stuck)
        project = Project()
        project.merge_requests = [merge_request(n, n) for n in range(1, 12)]
        host = GitLabHost(project)
        host.knows_time = False
        with reading(host, tmp_path) as reader:
            said = repr(reader.read())
        assert "repeat themselves" in said
