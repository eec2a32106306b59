"""PagerDuty's teams, services and changes; what is chosen of it, and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from connectors.connector import (
    Batch,
    Note,
    Problem,
    Quarantined,
    SourceError,
)
from connectors.http import Unauthorized
from connectors.pagerduty import PagerDutyConnector, PagerDutyOptions
from connectors.records import ChangeEvent, Incident, Membership, Service, Team
from tests.connectors.contract import scopes
from tests.connectors.pagerduty_account import ADA, BO, DAY, SHA, TOKEN, Account, minutes
from tests.connectors.pagerduty_reader import CONTEXT, Reader, lived, of, reading, spoilt
from tests.serving import Received, serving
from tests.specification import Specification


@pytest.fixture
def account() -> Account:
    return lived()


@pytest.fixture
def reader(account: Account) -> Iterator[Reader]:
    with reading(account) as reader:
        yield reader


class TestDirectory:
    def test_teams_their_people_and_services(self, reader: Reader) -> None:
        reader.read()
        assert reader.records(Team) == [
            Team("pay", "Payments", None, "team"),
            Team("web", "Web", None, "team"),
        ]
        ada, bo = CONTEXT.person(ADA.email), CONTEXT.person(BO.email)
        assert sorted(reader.records(Membership)) == [
            Membership("pay", ada, None, None),
            Membership("web", bo, None, None),
        ]
        assert [(service.id, service.name, service.team) for service in reader.records(Service)] == [
            ("PSHOP01", "shop", "pay"),
            ("PSITE02", "site", "web"),
        ]

    def test_a_plan_without_teams_is_noted(self, account: Account, reader: Reader) -> None:
        account.server.answers["/teams"] = (402, {"error": {"message": "Account lacks the ability: teams"}})
        items = reader.read()
        assert [note.scope for note in of(items, Note)] == ["teams"]
        assert not of(items, Problem)
        assert "teams" in scopes(items)

    def test_users_that_may_not_be_read_leave_teams(self, account: Account, reader: Reader) -> None:
        account.server.answers["/users"] = (403, {"error": {"message": "Access Denied", "code": 2010}})
        items = reader.read()
        (problem,) = of(items, Problem)
        assert problem.scope == "teams"
        assert len(reader.records(Team)) == 2
        assert {"services", "incidents", "change_events"} <= scopes(items)

    def test_a_service_without_a_team_has_none(self, account: Account, reader: Reader) -> None:
        account.server.change = spoilt("PSHOP01", teams=[], status="disabled")
        reader.read()
        (shop,) = [each for each in reader.records(Service) if each.name == "shop"]
        assert (shop.team, shop.lifecycle) == (None, "disabled")

    def test_whether_a_service_has_an_incident_is_no_news_of_the_service(
        self, account: Account, reader: Reader
    ) -> None:
        reader.read()
        account.server.change = spoilt("PSHOP01", status="critical")
        assert not of(reader.read(), Batch)

    def test_what_is_gone_is_gone(self, account: Account, reader: Reader) -> None:
        reader.read()
        account.world.pagerduty_services.pop()
        reader.read()
        assert [team.id for team in reader.records(Team)] == ["pay"]
        assert [service.id for service in reader.records(Service)] == ["PSHOP01"]

    def test_a_malformed_team_is_quarantined_once(self, account: Account, reader: Reader) -> None:
        account.server.change = spoilt("pay", name=None)
        (quarantined, *_) = of(reader.read(), Quarantined)
        assert (quarantined.stream, quarantined.id) == ("team", "pay")
        assert not of(reader.read(), Quarantined)


class TestChanges:
    def test_a_change_has_its_commit_and_a_link(self, reader: Reader) -> None:
        reader.read()
        url = f"https://github.demo.example/acme/shop/commit/{SHA}"
        assert reader.records(ChangeEvent) == [ChangeEvent("C1", "PSHOP01", minutes(1), SHA, url)]

    @pytest.mark.parametrize(
        ("details", "href", "sha", "url"),
        [
            ({"Git SHA": SHA.upper()}, "https://ci.example/job/ada/login-fix/12/", SHA, None),
            (
                {"sha": 5},
                f"https://u:p@git.example/acme/shop/-/commit/{SHA}?token=x",
                SHA,
                "/-/commit/" + SHA,
            ),
            ({}, "https://github.com/acme/shop/pull/12#issue", None, "/pull/12"),
            (None, "https://github.com/acme/shop/actions/runs/99/job/1", None, "/actions/runs/99"),
            ({"ref": "ada/login-fix"}, "https://git.example/acme/shop/tree/ada/login-fix", None, None),
            ({}, "not a [link", None, None),
        ],
    )
    def test_a_link_may_name_no_branch_and_no_secret(
        self, account: Account, reader: Reader, details: Any, href: str, sha: str | None, url: str | None
    ) -> None:
        account.server.change = spoilt("C1", custom_details=details, links=[{"href": href, "text": "x"}])
        reader.read()
        (event,) = reader.records(ChangeEvent)
        assert event.sha == sha
        assert (event.url is None) == (url is None)
        assert not url or (event.url or "").endswith(url)
        assert "u:p" not in repr(event)

    def test_one_of_several_services_is_one_of_each(self, account: Account, reader: Reader) -> None:
        services = [{"id": "PSHOP01"}, {"id": "PSITE02"}]
        account.server.change = spoilt("C1", services=services)
        reader.read()
        assert [(event.id, event.service) for event in reader.records(ChangeEvent)] == [
            ("C1", "PSHOP01"),
            ("C1:PSITE02", "PSITE02"),
        ]
        assert not of(reader.read(), Batch)

    def test_only_new_ones_are_yielded(self, account: Account, reader: Reader) -> None:
        reader.read()
        account.announced("C2", 2)
        account.announced("C3", 210 * DAY)
        batches = of(reader.read(), Batch)
        assert [[record.id for record in batch.records] for batch in batches] == [["C3"]]


class TestChoice:
    def test_services_by_pattern(self, account: Account, reader: Reader) -> None:
        account.announced("C2", 2, service="PSITE02")
        items = reader.read(services=["sh*"])
        assert [incident.id for incident in reader.records(Incident)] == ["Q1"]
        assert [service.id for service in reader.records(Service)] == ["PSHOP01"]
        assert [event.id for event in reader.records(ChangeEvent)] == ["C1"]
        assert not {"incidents", "change_events"} & scopes(items)

    def test_teams_by_pattern(self, reader: Reader) -> None:
        reader.read(teams=["!web"])
        assert [team.id for team in reader.records(Team)] == ["pay"]
        assert len(reader.records(Membership)) == 1
        assert [incident.id for incident in reader.records(Incident)] == ["Q1"]
        assert [service.id for service in reader.records(Service)] == ["PSHOP01"]

    def test_since_a_day(self, reader: Reader) -> None:
        reader.read(since=minutes(100 * DAY).date())
        assert [incident.id for incident in reader.records(Incident)] == ["Q2"]
        assert not reader.records(ChangeEvent)

    def test_another_choice_has_other_scopes(self, reader: Reader) -> None:
        one, other = (scopes(reader.read(services=[each])) for each in ("shop", "site"))
        assert one & other == {"teams", "services"}
        assert scopes(reader.read(services=["shop"])) == one


class TestFailures:
    def test_a_wrong_token_is_one_error_in_the_tools_words(self, reader: Reader) -> None:
        with pytest.raises(SourceError, match="Unauthorized"):
            reader.read(token="another")

    def test_a_dead_host_is_one_error(self) -> None:
        options = PagerDutyOptions(url="http://127.0.0.1:9", token=TOKEN)
        with pytest.raises(SourceError) as caught:
            list(PagerDutyConnector("pagerduty", options, CONTEXT).read({}))
        assert caught.value.is_transient

    def test_a_missing_scope_leaves_the_rest(self, account: Account, reader: Reader) -> None:
        account.server.answers["/log_entries"] = (403, {"error": {"message": "Access Denied", "code": 2010}})
        items = reader.read()
        (problem,) = of(items, Problem)
        assert problem.scope == "incidents"
        assert "incidents.read" in problem.mend
        assert scopes(items) == {"teams", "services", "change_events"}

    def test_a_token_that_expires_midway_keeps_what_was_read(self, account: Account, reader: Reader) -> None:
        account.server.answers["/incidents"] = (401, {"error": {"message": "Unauthorized", "code": 2006}})
        items = reader.read()
        assert [problem.scope for problem in of(items, Problem)] == ["incidents"]
        assert reader.records(Service)

    def test_an_answer_of_another_make_is_a_problem(self, account: Account, reader: Reader) -> None:
        account.server.answers["/services"] = (200, ["shop"])
        (problem,) = of(reader.read(), Problem)
        assert problem.scope == "services"

    def test_a_cursor_of_another_make_begins_anew(self, reader: Reader) -> None:
        reader.loaded.cursors = {"incidents": {"incident": {"until": "soon", "recent": 3}}, "teams": [1]}
        reader.read()
        assert len(reader.records(Incident)) == 2


class TestCheck:
    def test_it_tells_what_the_token_is_and_what_is_left(self, reader: Reader) -> None:
        told = [each.message for each in reader.connector().check()]
        assert told == ["the token is the account's own or an app's", "959 of 960 requests a minute are left"]

    def test_a_users_token_is_told(self, account: Account, reader: Reader) -> None:
        account.server.answers["/users/me"] = (200, {"user": {"id": "P1", "name": ADA.name}})
        told = [each.message for each in reader.connector().check()]
        assert told[0] == "the token is a user's: it sees what that user sees"
        assert ADA.name not in repr(told)

    def test_it_names_the_scope_that_is_missing(self, account: Account, reader: Reader) -> None:
        account.server.answers["/services"] = (403, {"error": {"message": "Access Denied", "code": 2010}})
        (problem,) = [each for each in reader.connector().check() if isinstance(each, Problem)]
        assert "services.read" in problem.mend

    def test_a_wrong_token_is_a_problem(self, reader: Reader) -> None:
        (problem,) = reader.connector(token="another").check()
        assert isinstance(problem, Problem)


class TestCredentials:
    def test_an_app_gets_its_token_by_its_secret(self, account: Account) -> None:
        granted = {"access_token": TOKEN, "token_type": "bearer", "expires_in": 864000}
        received: list[Received] = []
        token = Route("/oauth/token", lambda _: JSONResponse(granted), methods=["POST"])
        host = Starlette(routes=[token, Mount("/", account.server)])
        with serving(host, received) as url:
            client = {"id": "app", "secret": "s3cr3t", "scope": "x", "token_url": f"{url}/oauth/token"}
            options = PagerDutyOptions(url=url, client=client)
            items = list(PagerDutyConnector("pagerduty", options, CONTEXT).read({}))
        assert not of(items, Problem)
        assert received[1].headers["authorization"] == f"Bearer {TOKEN}"
        assert "s3cr3t" not in repr(options)

    def test_a_key_is_sent_as_pagerduty_wants_it(self, reader: Reader) -> None:
        reader.read()
        sent = {each.headers["authorization"] for each in reader.requests}
        assert sent == {f"Token token={TOKEN}"}
        assert {each.headers["accept"] for each in reader.requests} == {
            "application/vnd.pagerduty+json;version=2"
        }

    @pytest.mark.parametrize(
        "options", [{}, {"token": "x", "client": {"id": "a", "secret": "b", "scope": "c"}}]
    )
    def test_there_is_one_credential(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValidationError, match="either `token` or `client`"):
            PagerDutyOptions(**options)

    def test_a_key_that_no_header_carries_is_told_without_it(self) -> None:
        options = PagerDutyOptions(token="two\nlines")
        with pytest.raises(SourceError) as caught:
            list(PagerDutyConnector("pagerduty", options, CONTEXT).read({}))
        assert "two" not in str(caught.value)
        assert not isinstance(caught.value, Unauthorized)


class TestSpecification:
    def test_every_request_is_documented(self, account: Account, reader: Reader) -> None:
        specification = Specification("pagerduty")
        reader.read(cause_field="cause", cause_detail="commit")
        account.logged("Q1", 202 * DAY, "acknowledge", ADA)
        requests = reader.requests
        reader.read(cause_field="cause", cause_detail="commit")
        requests += reader.requests
        list(reader.connector().check())
        requests += reader.received
        assert {each.path for each in requests} >= {"/incidents/Q1", "/incidents/Q1/log_entries"}
        for each in requests:
            # The pattern documented for the times of change events is a text that no time is.
            query = [
                (name, value)
                for name, value in each.query
                if each.path != "/change_events" or name not in {"since", "until"}
            ]
            specification.request(each.method, each.path, query)

    def test_documented_examples_are_understood(self, account: Account, reader: Reader) -> None:
        specification = Specification("pagerduty")
        if not specification.is_full:
            pytest.skip("the full description is not here: ../shared/specs")
        for path in ("/teams", "/users", "/services", "/incidents", "/log_entries", "/change_events"):
            (example,) = specification.examples("GET", path)
            account.server.answers[path] = (200, {**example, "more": False})
        one = specification.examples("GET", "/incidents/PT4KHLK")[0]
        log = specification.examples("GET", "/incidents/PT4KHLK/log_entries")[0]
        fields = specification.examples("GET", "/incidents/PT4KHLK/custom_fields/values")[0]
        alerts = specification.examples("GET", "/incidents/PT4KHLK/alerts")[0]
        account.server.answers |= {
            "/incidents/PT4KHLK": (200, one),
            "/incidents/PT4KHLK/log_entries": (200, {**log, "more": False}),
            "/incidents/PT4KHLK/custom_fields/values": (200, fields),
            "/incidents/PT4KHLK/alerts": (200, {**alerts, "more": False}),
        }
        items = reader.read(cause_detail="customKey")
        assert not of(items, Quarantined | Problem)  # type: ignore[arg-type]
        incident = reader.incident("PT4KHLK")
        assert (incident.severity, incident.service) == ("P2", "PIJ90N7")
        assert incident.resolved_at == datetime(2015, 10, 6, 21, 38, 23, tzinfo=UTC)
        assert [team.name for team in reader.records(Team)] == ["Engineering"]
        assert len(reader.records(Membership)) == 2
        assert [service.team for service in reader.records(Service)] == ["PQ9K7I8"]
        assert len(reader.records(ChangeEvent)) == 2
