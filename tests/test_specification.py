"""The check of requests and responses: it has to find what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.specification import Specification


@pytest.fixture(scope="module")
def alertmanager() -> Specification:
    """Swagger 2.0."""
    return Specification("alertmanager")


@pytest.fixture(scope="module")
def pagerduty() -> Specification:
    """OpenAPI 3.0."""
    return Specification("pagerduty")


@pytest.mark.parametrize("prefix", ["", "/api/v2"])
def test_a_request_that_fits(alertmanager: Specification, prefix: str) -> None:
    alertmanager.request("GET", f"{prefix}/alerts", [("active", "true"), ("filter", "a"), ("filter", "b")])


def test_a_parameter_that_repeats(pagerduty: Specification) -> None:
    statuses = [("statuses[]", "triggered"), ("statuses[]", "resolved")]
    pagerduty.request("GET", "/incidents", [*statuses, ("limit", "100"), ("since", "2026-03-01T00:00:00Z")])


@pytest.mark.parametrize(
    ("method", "path", "query", "complaint"),
    [
        ("GET", "/alert", {}, "knows no GET /alert"),
        ("DELETE", "/alerts", {}, "knows no DELETE"),
        ("GET", "/api/v1/alerts", {}, "knows no GET"),
        ("GET", "/alerts", {"actve": "true"}, "has no parameter"),
        ("GET", "/alerts", {"active": "1"}, "is not of type 'boolean'"),
        ("GET", "/alerts", [("active", "true"), ("active", "true")], "is given 2 times"),
    ],
)
def test_a_request_that_does_not_fit(
    alertmanager: Specification, method: str, path: str, query: Any, complaint: str
) -> None:
    with pytest.raises(AssertionError, match=complaint):
        alertmanager.request(method, path, query)


@pytest.mark.parametrize("query", [{"limit": "many"}, {"statuses[]": "over"}])
def test_a_value_that_does_not_fit(pagerduty: Specification, query: dict[str, str]) -> None:
    with pytest.raises(AssertionError):
        pagerduty.request("GET", "/incidents", query)


ALERT = {
    "labels": {"alertname": "Down"},
    "annotations": {},
    "receivers": [{"name": "web"}],
    "fingerprint": "0",
    "startsAt": "2026-03-01T12:00:00.000Z",
    "updatedAt": "2026-03-01T12:00:00.000Z",
    "endsAt": "2026-03-01T12:00:00.000Z",
    "status": {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []},
}


def test_responses(alertmanager: Specification) -> None:
    alertmanager.response("GET", "/api/v2/alerts", 200, [ALERT])
    for spoilt in (ALERT | {"startsAt": "today"}, ALERT | {"labels": {"a": 1}}, {}, None):
        with pytest.raises(AssertionError, match="does not fit alertmanager"):
            alertmanager.response("GET", "/api/v2/alerts", 200, [spoilt])
    with pytest.raises(AssertionError, match="has no response 302"):
        alertmanager.response("GET", "/api/v2/alerts", 302, None)


def test_what_the_tool_itself_gets_wrong_may_be_passed_over(alertmanager: Specification) -> None:
    spoilt = ALERT | {"startsAt": "today"}
    alertmanager.response("GET", "/alerts", 200, [spoilt], despite=[r"startsAt: 'today'"])
    with pytest.raises(AssertionError):
        alertmanager.response("GET", "/alerts", 200, [spoilt], despite=[r"endsAt"])


def test_documented_examples_are_found(pagerduty: Specification) -> None:
    if not pagerduty.is_full:
        pytest.skip("the full description is not here")
    for example in pagerduty.examples("GET", "/teams"):
        pagerduty.response("GET", "/teams", 200, example)
    assert pagerduty.examples("GET", "/teams")
