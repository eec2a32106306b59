"""GitHub's pull requests: what becomes of them, of their reviews and commits, and of answers that fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Batch, Context, Covered, Problem, Quarantined
from connectors.github import pull_requests as github_pull_requests
from connectors.github import walk as github_walk
from connectors.parsing import kind_of_change
from connectors.records import Identity, PullRequest
from demo.world import Commit, Review
from tests.connectors.contract import Loaded
from tests.connectors.github_host import (
    ADA,
    BOT,
    GRACE,
    GitHubHost,
    at,
    commit,
    github,
    of,
    pull_request,
    sha,
)

PERSON = Context(Path(), b"key").person


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitHubHost]:
    with github(tmp_path) as host:
        yield host


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def only(host: GitHubHost, cache: Path, **other: Any) -> PullRequest:
    """What becomes of the one pull request there is."""
    host.shop.pull_requests = [pull_request(1, **other)]
    loaded = Loaded()
    items = host.read(cache, loaded)
    assert not [item for item in items if isinstance(item, Problem | Quarantined)]
    (record,) = of(loaded, PullRequest)
    return record


def pages_asked(host: GitHubHost) -> list[dict[str, Any]]:
    return [variables for query, variables in host.queries if "query PullRequests(" in query]


class TestRecord:
    def test_all_of_it_is_read(self, host: GitHubHost, cache: Path) -> None:
        assert only(host, cache) == PullRequest(
            repository="71",
            number=1,
            url="https://github.demo.example/acme/shop/pull/1",
            author=PERSON("ada-l"),
            is_bot=False,
            kind="change",
            is_hotfix=False,
            base_ref="main",
            head_sha=sha("commit 11"),
            merge_sha=sha("merge 1"),
            first_commit_at=at(10),
            opened_at=at(12),
            ready_at=at(13),
            first_review_at=at(14),
            approved_at=at(15),
            merged_at=at(16),
            closed_at=at(16),
            additions=10,
            deletions=2,
            changed_files=3,
            commits=2,
            reviews=2,
            labels=("size/S",),
            reverts=None,
            commit_shas=(sha("commit 10"), sha("commit 11")),
        )

    def test_only_other_humans_review(self, host: GitHubHost, cache: Path) -> None:
        reviews = [
            Review(1, BOT, "APPROVED", at(13)),
            Review(2, ADA, "COMMENTED", at(14)),
            Review(3, None, "COMMENTED", at(15)),
            Review(4, GRACE, "CHANGES_REQUESTED", at(16)),
            Review(5, GRACE, "APPROVED", at(17)),
            Review(6, GRACE, "APPROVED", at(18)),
        ]
        record = only(host, cache, reviews=tuple(reversed(reviews)))
        assert (record.first_review_at, record.approved_at, record.reviews) == (at(15), at(17), 4)

    def test_nobody_knows_whether_two_ghosts_are_one(self, host: GitHubHost, cache: Path) -> None:
        record = only(host, cache, author=None, reviews=(Review(3, None, "COMMENTED", at(15)),))
        assert (record.author, record.is_bot, record.first_review_at, record.reviews) == (
            None,
            False,
            None,
            0,
        )

    def test_a_pending_review_is_none(self, host: GitHubHost, cache: Path) -> None:
        host.after = _changed(
            lambda node: node["reviews"]["nodes"][0].update(submittedAt=None, state="PENDING")
        )
        assert only(host, cache).reviews == 1

    def test_bots_are_bots(self, host: GitHubHost, cache: Path) -> None:
        record = only(host, cache, author=BOT)
        assert (record.is_bot, record.author) == (True, PERSON("renovate"))

    def test_an_open_one_has_no_merge(self, host: GitHubHost, cache: Path) -> None:
        record = only(host, cache, merged_at=None, closed_at=None, merge_sha=sha("trial"), reviews=())
        assert (record.merged_at, record.closed_at, record.merge_sha) == (None, None, None)
        assert (record.first_review_at, record.approved_at, record.reviews) == (None, None, 0)

    @pytest.mark.parametrize(
        ("is_draft", "ready_at", "expected"),
        [(False, None, None), (True, None, None), (False, at(13), at(13)), (True, at(13), None)],
    )
    def test_it_is_ready_once_it_is_no_draft_any_more(
        self, host: GitHubHost, cache: Path, is_draft: bool, ready_at: object, expected: object
    ) -> None:
        assert only(host, cache, is_draft=is_draft, ready_at=ready_at).ready_at == expected

    @pytest.mark.parametrize(
        ("branch", "reverts", "expected"),
        [
            ("undo", 7, 7),
            ("revert-12-ada/topic", None, 12),
            ("revert-12-ada/topic", 7, 7),
            ("revert-the-thing", None, None),
        ],
    )
    def test_what_it_reverts_is_read_where_github_writes_it(
        self, host: GitHubHost, cache: Path, branch: str, reverts: int | None, expected: int | None
    ) -> None:
        assert only(host, cache, head_ref=branch, reverts=reverts).reverts == expected

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ("Reverts #5", 5),
            ("Reverts ACME/shop#5 as it broke", 5),
            ("Reverts other/shop#5", None),
            (None, None),
        ],
    )
    def test_what_another_repository_reverts_is_another_thing(
        self, host: GitHubHost, cache: Path, body: str | None, expected: int | None
    ) -> None:
        host.after = _changed(lambda node: node.update(body=body))
        assert only(host, cache).reverts == expected

    def test_a_hotfix_comes_from_its_branch(self, host: GitHubHost, cache: Path) -> None:
        assert only(host, cache, head_ref="hotfix/ada").is_hotfix
        host.shop.pull_requests = [pull_request(1, head_ref="urgent-1")]
        loaded = Loaded()
        host.read(cache, loaded, hotfix_branches="^urgent")
        assert of(loaded, PullRequest)[0].is_hotfix

    @pytest.mark.parametrize(
        ("title", "kind"),
        [
            ('Revert "Add a thing"', "revert"),
            ("revert: add a thing", "revert"),
            ("Revert to the old parser", "change"),
            ("fix(parser)!: mend", "fix"),
            ("Hotfix: mend", "fix"),
            ("Fixes the parser", "change"),
            ("", "change"),
        ],
    )
    def test_the_kind_is_read_from_the_title(self, title: str, kind: str) -> None:
        assert kind_of_change(title) == kind

    def test_branches_are_masked(self, host: GitHubHost, cache: Path) -> None:
        assert only(host, cache, base_ref="release/1.2").base_ref == "release/1.2"
        host.shop.pull_requests = [pull_request(1, base_ref="ada/topic")]
        loaded = Loaded()
        host.read(cache, loaded)
        assert of(loaded, PullRequest)[0].base_ref.startswith("~")

    def test_a_commits_odd_date_is_no_reason_to_lose_it(self, host: GitHubHost, cache: Path) -> None:
        odd = Commit(sha("odd"), ADA, at(-500_000), at(10), "odd")
        record = only(host, cache, commits=(odd, commit(11)))
        assert (record.first_commit_at, record.commits) == (at(11), 2)

    def test_identities_join_addresses_and_accounts_once(self, host: GitHubHost, cache: Path) -> None:
        host.shop.pull_requests = [
            pull_request(1, commits=(commit(1), commit(2, GRACE), commit(3, BOT)), author=ADA),
            pull_request(2, commits=(commit(4),)),
        ]
        items = host.read(cache)
        batches = [item for item in items if isinstance(item, Batch) and item.stream == "identity"]
        assert sorted(record for batch in batches for record in batch.records) == sorted(
            Identity(PERSON(person.email), PERSON(person.login)) for person in (ADA, GRACE)
        )


class TestLarge:
    def test_of_ten_thousand_commits_the_first_are_read(self, host: GitHubHost, cache: Path) -> None:
        record = only(host, cache, commits=tuple(commit(number) for number in range(10_000)))
        assert record.commits == 10_000
        assert record.first_commit_at == at(0)
        assert record.commit_shas == tuple(
            sha(f"commit {number}") for number in range(100 + 100 * github_pull_requests.FURTHER_PAGES)
        )
        assert len(host.queries) < 15

    def test_many_reviews_are_followed(self, host: GitHubHost, cache: Path) -> None:
        reviews = [Review(number, ADA, "COMMENTED", at(number)) for number in range(120)]
        record = only(host, cache, reviews=(*reviews, Review(500, GRACE, "APPROVED", at(130))))
        assert (record.approved_at, record.reviews) == (at(130), 1)

    def test_fifty_are_asked_for_at_once(self, host: GitHubHost, cache: Path) -> None:
        host.shop.pull_requests = [pull_request(number) for number in range(1, 121)]
        loaded = Loaded()
        host.read(cache, loaded)
        assert len(of(loaded, PullRequest)) == 120
        assert [variables["first"] for variables in pages_asked(host)] == [50, 50, 50]


class TestFailures:
    @pytest.mark.parametrize("spoilt", ["node", "below"])
    @pytest.mark.parametrize("kind", ["FORBIDDEN", None])
    def test_one_that_github_does_not_show_is_quarantined(
        self, host: GitHubHost, cache: Path, spoilt: str, kind: str | None
    ) -> None:
        def spoil(path: str, body: Any, answer: Any) -> Any:
            if body and "query PullRequests(" in body["query"]:
                edge = answer["data"]["repository"]["items"]["edges"][1]
                where = ["repository", "items", "edges", 1, "node"]
                if spoilt == "node":
                    edge["node"] = None
                else:
                    edge["node"]["mergeCommit"] = None
                    where.append("mergeCommit")
                answer["errors"] = [{"type": kind, "path": where, "message": "No"}]
            return answer

        host.after = spoil
        loaded = Loaded()
        items = host.read(cache, loaded)
        (quarantined,) = [item for item in items if isinstance(item, Quarantined)]
        assert quarantined.stream == "pull_request"
        assert quarantined.id == "2" if spoilt == "below" else quarantined.id
        assert str(kind or "without a type") in quarantined.reason
        assert {record.number for record in of(loaded, PullRequest)} == {1, 3}
        assert "71" in {item.scope for item in items if isinstance(item, Covered)}
        assert not [item for item in host.read(cache, loaded) if not isinstance(item, Covered)]

    @pytest.mark.parametrize("how", ["502", "resources", "data", "words"])
    def test_what_is_too_much_is_asked_for_in_smaller_pages(
        self, host: GitHubHost, cache: Path, how: str
    ) -> None:
        host.shop.pull_requests = [pull_request(number) for number in range(1, 61)]

        def is_too_much(body: Any) -> bool:
            return bool(body) and "query PullRequests(" in body["query"] and body["variables"]["first"] > 20

        limits = {"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Resource limits for this query exceeded."}

        def before(path: str, body: Any) -> tuple[int, Any] | None:
            if not is_too_much(body):
                return None
            match how:
                case "502":
                    return 502, {"message": "Server Error"}
                case "data":
                    return 200, {"data": None, "errors": [limits]}
                case "words":
                    said = "Something went wrong while executing your query. This may be a timeout."
                    return 200, {"data": None, "errors": [{"message": said}]}
            return None

        def after(path: str, body: Any, answer: Any) -> Any:
            if how == "resources" and is_too_much(body):
                answer["data"]["repository"]["items"]["edges"][40]["node"] = None
                where = ["repository", "items", "edges", 40, "node"]
                return answer | {"errors": [{**limits, "path": where}]}
            return answer

        host.before, host.after = before, after
        loaded = Loaded()
        items = host.read(cache, loaded)
        assert not [item for item in items if isinstance(item, Problem | Quarantined)]
        assert len(of(loaded, PullRequest)) == 60
        sizes = [variables["first"] for variables in pages_asked(host)]
        assert sizes[-5:] == [12] * 5
        assert sizes[0] == 50

    def test_one_that_takes_too_long_alone_is_stepped_over(self, host: GitHubHost, cache: Path) -> None:
        host.shop.pull_requests = [pull_request(number) for number in range(1, 8)]

        def after(path: str, body: Any, answer: Any) -> Any:
            if body and "query PullRequests(" in body["query"]:
                edges = answer["data"]["repository"]["items"]["edges"]
                if any(edge["node"]["number"] == 4 for edge in edges):
                    return {"data": None, "errors": [{"message": "timeout"}]}
            return answer

        host.after = after
        loaded = Loaded()
        items = host.read(cache, loaded)
        (quarantined,) = [item for item in items if isinstance(item, Quarantined)]
        assert quarantined.id == "4"
        assert {record.number for record in of(loaded, PullRequest)} == {1, 2, 3, 5, 6, 7}
        assert not [item for item in items if isinstance(item, Problem)]

    def test_a_cursor_that_github_has_forgotten_begins_anew(self, host: GitHubHost, cache: Path) -> None:
        loaded = Loaded()
        host.read(cache, loaded)
        state = loaded.cursors["71"]
        assert isinstance(state, dict)
        assert isinstance(state["pull_request"], dict)
        state["pull_request"] |= {"after": "bm9uc2Vuc2U=", "mark": None}
        host.shop.pull_requests.append(pull_request(9))
        items = host.read(cache, loaded)
        assert not [item for item in items if isinstance(item, Problem)]
        assert {record.number for record in of(loaded, PullRequest)} == {1, 2, 3, 9}

    def test_a_page_that_comes_twice_is_asked_for_again(self, host: GitHubHost, cache: Path) -> None:
        host.shop.pull_requests = [pull_request(number) for number in range(1, 121)]
        earlier: list[Any] = []

        def after(path: str, body: Any, answer: Any) -> Any:
            if body and "query PullRequests(" in body["query"]:
                earlier.append(answer)
                if len(earlier) == 2:
                    return earlier[0]
            return answer

        host.after = after
        loaded = Loaded()
        assert not [item for item in host.read(cache, loaded) if isinstance(item, Problem)]
        assert len(of(loaded, PullRequest)) == 120


class TestResuming:
    def test_a_first_reading_cut_short_goes_on_where_it_was(
        self, host: GitHubHost, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(github_walk, "LARGEST_PAGE", 5)
        host.shop.pull_requests = [pull_request(number) for number in range(1, 23)]
        items = host.read(cache)
        cut = [
            number
            for number, item in enumerate(items, 1)
            if isinstance(item, Batch) and item.scope == "71" and item.stream == "pull_request"
        ][2]
        loaded = Loaded(items[:cut])
        assert len(of(loaded, PullRequest)) == 15
        # Whatever moves meanwhile comes later.
        host.shop.pull_requests[1] = replace(host.shop.pull_requests[1], additions=99, updated_at=at(5000))
        host.forget()
        news = host.read(cache, loaded)
        again = [item for item in news if isinstance(item, Batch) and item.stream == "pull_request"]
        assert sum(len(item.records) for item in again) == 8
        records = {record.number: record for record in of(loaded, PullRequest)}
        assert len(records) == 22
        assert records[2].additions == 99

    def test_what_shows_up_a_little_late_is_seen(self, host: GitHubHost, cache: Path) -> None:
        loaded = Loaded()
        host.read(cache, loaded)
        last = host.shop.pull_requests[-1]
        # In the same second as the last, and before it in GitHub's order.
        late = pull_request(0, updated_at=last.updated_at)
        host.shop.pull_requests.append(late)
        earlier = pull_request(4, updated_at=last.updated_at - timedelta(seconds=30))
        host.shop.pull_requests.append(earlier)
        news = host.read(cache, loaded)
        (batch,) = [item for item in news if isinstance(item, Batch) and item.stream == "pull_request"]
        assert {record.number for record in batch.records if isinstance(record, PullRequest)} == {0, 4}
        assert not [item for item in host.read(cache, loaded) if not isinstance(item, Covered)]

    def test_what_was_not_touched_since_is_not_read(self, host: GitHubHost, cache: Path) -> None:
        host.shop.pull_requests = [pull_request(number) for number in range(1, 121)]
        loaded = Loaded()
        host.read(cache, loaded, since=at(1000).date())
        assert {record.number for record in of(loaded, PullRequest)} == {
            each.number for each in host.shop.pull_requests if each.updated_at >= at(1000).replace(hour=0)
        }
        assert len(pages_asked(host)) == 1
        host.shop.pull_requests[3] = replace(host.shop.pull_requests[3], updated_at=at(3000))
        host.read(cache, loaded, since=at(1000).date())
        assert 4 in {record.number for record in of(loaded, PullRequest)}


def _changed(change: Any) -> Any:
    """Changes every pull request of an answer."""

    def after(path: str, body: Any, answer: Any) -> Any:
        if body and "query PullRequests(" in body["query"]:
            for edge in answer["data"]["repository"]["items"]["edges"]:
                change(edge["node"])
        return answer

    return after
