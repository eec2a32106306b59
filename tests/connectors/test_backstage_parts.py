"""How Backstage's catalogue is walked, what it shows of capabilities, and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.backstage import BackstageConnector, BackstageOptions
from connectors.backstage import catalog as backstage_catalog
from connectors.connector import Batch, Covered, Problem, SourceError
from connectors.records import CapabilityState, CapabilityUse, Service, Team
from tests.connectors.backstage_portal import TOKEN, Portal, component
from tests.connectors.backstage_reader import BY_QUERY, CONTEXT, Reader, notes, of, reading
from tests.connectors.contract import Loaded, scopes
from tests.serving import Received, serving
from tests.specification import Specification


@pytest.fixture
def portal() -> Portal:
    return Portal()


@pytest.fixture
def reader(portal: Portal) -> Iterator[Reader]:
    with reading(portal) as reader:
        yield reader


class TestWalk:
    def test_every_page_is_read_to_the_end(
        self, portal: Portal, reader: Reader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backstage_catalog, "_LIMIT", 2)
        portal.world.components += [component(f"more-{number}") for number in range(7)]
        reader.read()
        assert len(reader.records(Service)) == 9
        queries = [dict(each.query) for each in reader.received if each.path == BY_QUERY]
        assert all("orderField" not in query for query in queries)
        assert all(("cursor" in query) != ("filter" in query) for query in queries)
        assert all(query["fields"] for query in queries)

    def test_a_cursor_that_goes_bad_midway_begins_the_walk_anew(
        self, portal: Portal, reader: Reader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backstage_catalog, "_LIMIT", 1)
        seen: list[str] = []

        def spoil(path: str, body: Any) -> Any:
            # The catalogue was set up anew: cursors that were given out are worth nothing.
            page = body.get("pageInfo", {}) if isinstance(body, dict) else {}
            if page.get("nextCursor") and not seen:
                seen.append(path)
                page["nextCursor"] = "nonsense"
            return body

        portal.server.change = spoil
        items = reader.read()
        assert not of(items, Problem)
        assert seen
        assert len(reader.records(Team)) == 3

    def test_a_cursor_that_is_always_bad_is_a_problem(
        self, portal: Portal, reader: Reader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backstage_catalog, "_LIMIT", 1)

        def spoil(path: str, body: Any) -> Any:
            if isinstance(body, dict) and body.get("pageInfo", {}).get("nextCursor"):
                body["pageInfo"]["nextCursor"] = "nonsense"
            return body

        portal.server.change = spoil
        items = reader.read()
        (problem,) = of(items, Problem)
        assert problem.scope == "catalog"
        assert "Malformed cursor" in problem.message
        assert scopes(items) == {"scaffolder"}

    def test_a_walk_that_comes_out_short_is_begun_anew_and_then_told(
        self, portal: Portal, reader: Reader
    ) -> None:
        lost = [2]

        def lose(path: str, body: Any) -> Any:
            items = body.get("items", []) if isinstance(body, dict) else []
            if items and items[0]["kind"] == "Group" and lost[0]:
                lost[0] -= 1
                items.pop()
            return body

        portal.server.change = lose
        items = reader.read()
        assert "1 of 3 entities of kind group were not listed" in notes(items)
        lost[0] = 1
        assert not notes(reader.read())
        assert len(reader.records(Team)) == 3

    def test_what_is_gone_is_gone_and_what_is_as_before_is_no_batch(
        self, portal: Portal, reader: Reader
    ) -> None:
        reader.read()
        portal.world.components.pop()
        items = reader.read()
        assert [batch.stream for batch in of(items, Batch)] == ["service"]
        assert [service.name for service in reader.records(Service)] == ["cart"]
        assert not of(reader.read(), Batch)


class TestEvidence:
    def test_the_template_a_component_was_made_from_is_evidence(self, reader: Reader) -> None:
        reader.read()
        assert reader.records(CapabilityState) == [
            CapabilityState(
                capability="template:default/service",
                subject_kind="service",
                subject="component:default/cart",
                place="",
                version=None,
                folders=(),
                url=None,
            )
        ]

    def test_annotations_and_labels_by_pattern(self, portal: Portal, reader: Reader) -> None:
        annotations = {
            "sonarqube.org/project-key": "cart",
            "acme.example/delivery-version": "v2.1",
            "acme.example/observability": "False",
            "acme.example/api-token": "1234",
            "acme.example/db": "postgres",
            "other.example/thing": "x",
        }
        labels = {"acme.example/golden-path": "true", "tier": "tier-1"}
        portal.twist("site", metadata={"annotations": annotations, "labels": labels})
        patterns = ["sonarqube.org/*", "acme.example/*", "acme.example/db=*"]
        reader.read(annotations=patterns, labels=["acme.example/*"])
        assert {
            (state.capability, state.version)
            for state in reader.records(CapabilityState)
            if state.subject == "component:default/site"
        } == {
            ("annotation:acme.example/delivery-version", "v2.1"),
            ("annotation:acme.example/db", None),
            ("annotation:acme.example/db=postgres", None),
            ("annotation:sonarqube.org/project-key", None),
            ("label:acme.example/golden-path", None),
        }

    def test_what_is_there_no_more_is_gone(self, portal: Portal, reader: Reader) -> None:
        portal.twist("site", metadata={"labels": {"path": "golden"}})
        reader.read(labels=["path"])
        assert len(reader.records(CapabilityState)) == 2
        portal.twist("site", metadata={"labels": {}})
        (batch,) = of(reader.read(labels=["path"]), Batch)
        assert (batch.stream, batch.is_whole) == ("capability_state", True)
        assert len(reader.records(CapabilityState)) == 1

    def test_a_snapshot_says_what_was_looked_for(self, reader: Reader) -> None:
        def looked_for(**options: list[str]) -> list[str | None]:
            return [each.looked_for for each in of(reader.read(**options), Covered)]

        first = looked_for()
        assert first[0] is not None
        assert first[1] is None, "runs of templates are no states"
        assert looked_for() == first
        assert looked_for(labels=["path"]) != first


class TestFailures:
    def test_a_wrong_token_is_one_error_in_the_tools_words(self, reader: Reader) -> None:
        with pytest.raises(SourceError, match="Illegal token"):
            reader.read(token="another")

    def test_a_dead_host_is_one_error(self) -> None:
        options = BackstageOptions(url="http://127.0.0.1:9")
        with pytest.raises(SourceError) as caught:
            list(BackstageConnector("backstage", options, CONTEXT).read({}))
        assert caught.value.is_transient

    def test_without_a_token_none_is_sent(self, portal: Portal) -> None:
        received: list[Received] = []
        with serving(portal.server, received) as url:
            (problem,) = BackstageConnector("backstage", BackstageOptions(url=url), CONTEXT).check()
        assert isinstance(problem, Problem)
        assert "Missing credentials" in problem.message
        assert "authorization" not in received[0].headers

    def test_a_backstage_of_old_is_a_problem_of_the_catalogue(self, portal: Portal, reader: Reader) -> None:
        portal.server.answers[BY_QUERY] = (404, {"error": {"name": "NotFoundError", "message": "Not found"}})
        items = reader.read()
        (problem,) = of(items, Problem)
        assert problem.scope == "catalog"
        assert scopes(items) == {"scaffolder"}

    def test_a_catalogue_that_shows_nothing_any_more_takes_nothing_away(
        self, portal: Portal, reader: Reader
    ) -> None:
        reader.read()
        portal.server.answers[BY_QUERY] = (200, {"items": [], "totalItems": 0, "pageInfo": {}})
        items = reader.read()
        (problem,) = of(items, Problem)
        assert problem.scope == "catalog"
        assert not of(items, Batch)
        reader.loaded = Loaded()
        assert not of(reader.read(), Problem)

    def test_another_tool_at_the_address_is_a_problem(self, portal: Portal, reader: Reader) -> None:
        portal.server.answers[BY_QUERY] = (200, ["hello"])
        (problem,) = of(reader.read(), Problem)
        assert problem.scope == "catalog"

    def test_a_cursor_of_another_make_begins_anew(self, reader: Reader) -> None:
        reader.loaded.cursors = {"catalog": [1], "scaffolder": {"capability_use": {"until": 3, "recent": 3}}}
        reader.read()
        assert len(reader.records(Team)) == 3
        assert len([use for use in reader.records(CapabilityUse) if use.kind == "used"]) == 2

    @pytest.mark.parametrize("url", ["backstage.example", "ftp://x", "https://u:p@x", "https://"])
    def test_the_address_is_checked(self, url: str) -> None:
        with pytest.raises(ValidationError):
            BackstageOptions(url=url)


class TestCheck:
    def test_it_counts_what_there_is(self, reader: Reader) -> None:
        assert notes(list(reader.connector().check())) == [
            "the catalogue has 2 components, 3 groups, 3 users"
        ]
        assert len(reader.received) == 2

    def test_it_says_what_is_missing(self, portal: Portal, reader: Reader) -> None:
        portal.world.teams.clear()
        portal.world.memberships.clear()
        portal.server.answers["/api/scaffolder/v2/tasks"] = (404, {"error": {"name": "NotFoundError"}})
        assert notes(list(reader.connector().check()))[1:] == [
            "without groups services will have no team",
            "this Backstage has no scaffolder: there are no template runs",
        ]

    def test_a_wrong_token_is_a_problem(self, reader: Reader) -> None:
        (problem,) = reader.connector(token="another").check()
        assert isinstance(problem, Problem)
        assert TOKEN not in repr(problem)


def test_every_request_is_documented(portal: Portal, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backstage_catalog, "_LIMIT", 2)
    reader.read(namespaces=["default"], filter="spec.type", tier="metadata.labels.tier")
    requests = list(reader.received)
    list(reader.connector().check())
    requests += reader.received
    assert len({each.path for each in requests}) >= 5
    for each in requests:
        name = "backstage-catalog" if each.path.startswith("/api/catalog") else "backstage-scaffolder"
        Specification(name).request(each.method, each.path, each.query)
