"""The API against its own description: the one is the other's, whatever is asked."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from typing import Any

import pytest
import schemathesis
from hypothesis import given, settings
from openapi_spec_validator import validate
from schemathesis import Case, GenerationMode
from schemathesis.config import (
    ChecksConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)

from dashboards.api import openapi
from pipelines import credentials
from pipelines.credentials import May
from pipelines.home import Home
from tests.dashboards import reading_api
from tests.dashboards.reading_api import FORMULA, Reader

home, reader = reading_api.home, reading_api.reader

NAMES = {
    "metric": ["wip", "deployments", "change_lead_time", "reach", "depth"],
    "key": ["shop", FORMULA, "Payments", "Acme"],
    "capability": ["jenkins", ""],
    "wave": ["2026-08", "2025-11"],
    "item_id": ["response", "delivery-ease"],
    "group_name": ["", "Commerce", "Search"],
}
"""Of the snapshot: without them hardly any query would be about something."""
OPERATIONS = [
    (path, method, mode)
    for path, methods in openapi.document()["paths"].items()
    if path.startswith("/api/v1/") or path == "/metrics"
    for method, operation in methods.items()
    for mode in GenerationMode
    # Without input there is none that does not fit.
    if mode is GenerationMode.POSITIVE or {"parameters", "requestBody"} & {*operation}
]


@pytest.fixture(scope="module")
def described() -> Any:
    """The description with names there are, as schemathesis reads it."""
    document = deepcopy(openapi.document())
    for methods in document["paths"].values():
        for parameter in methods.get("get", {}).get("parameters", []):
            if parameter["name"] in NAMES:
                parameter["schema"]["items"] = {"type": "string", "enum": NAMES[parameter["name"]]}
    # A query that fits may still name a metric of the other area, or a cursor of another query.
    accepted = PositiveDataAcceptanceConfig(expected_statuses=["2xx", 304, 401, 422])
    checks = ChecksConfig(positive_data_acceptance=accepted)
    config = SchemathesisConfig(projects=ProjectsConfig(default=ProjectConfig(checks=checks)), seed=7)
    return schemathesis.openapi.from_dict(document, config=config)


@pytest.fixture(scope="module")
def token(home: Home) -> str:
    return credentials.new_token(home, "fuzz", set(May))


@pytest.mark.parametrize("has_token", [True, False], ids=["token", "none"])
@pytest.mark.parametrize(("path", "method", "mode"), OPERATIONS)
def test_every_check_of_schemathesis(
    described: Any, reader: Reader, token: str, path: str, method: str, mode: GenerationMode, has_token: bool
) -> None:
    headers = {"Authorization": f"Bearer {token}"} if has_token else {}
    answered: Counter[int] = Counter()

    @settings(max_examples=8, deadline=None, database=None, derandomize=True)
    @given(case=described[path][method].as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        response = case.call(base_url=reader.url, headers=headers)
        answered[response.status_code] += 1
        case.validate_response(response, headers=headers)

    ask()
    assert (401 in answered) == (not has_token and method == "post")
    if method == "get" and mode is GenerationMode.POSITIVE:
        assert answered[200]


def test_the_description_is_valid_and_agrees_with_the_routes(reader: Reader) -> None:
    from dashboards import api

    document = reader.get("openapi.json").body
    validate(document)
    described = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in document["paths"].items()
        for method in methods
        if path.startswith("/api/v1/")
    }
    served = {
        (method, route.path) for route in api.routes() for method in (route.methods or ()) if method != "HEAD"
    }
    assert described == served
