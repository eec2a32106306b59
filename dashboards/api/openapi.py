"""The description of the API, OpenAPI 3.1: made from what checks the input, and from the tables' headers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema

from dashboards.api import asked, events, surveys
from dashboards.api.problems import TITLES
from pipelines.credentials import May
from pipelines.figures import ADOPTION_ROW_KEYS, ROW_KEYS, described

_EVENTS = {
    "deployments": "Tell of deployments; takes GitHub's and GitLab's webhooks for them as well.",
    "incidents": "Tell of incidents; takes Alertmanager's webhooks as well, each alert of which is one.",
    "adoption": "Tell of the use of what the platform offers.",
}
_SECURITY: dict[str, dict[str, str]] = {
    "token": {"type": "http", "scheme": "bearer", "description": "Made by `cairn token create NAME`."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-cairn",
        "description": "Of a person who signed in. Without sign-in configured, this machine needs none.",
    },
    "gitlabToken": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Gitlab-Token",
        "description": "The same token, as GitLab's webhooks send it.",
    },
    "githubSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Hub-Signature-256",
        "description": "As GitHub signs, by a secret of `cairn push secret NAME`.",
    },
    "webhookSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "Standard Webhooks, as GitLab signs, by a secret of `cairn push secret NAME`.",
    },
}
_TO_READ: list[dict[str, list[str]]] = [{"token": []}, {"session": []}, {}]
_TO_SEND: list[dict[str, list[str]]] = [{name: []} for name in _SECURITY if name != "session"]
_COUNT = {"type": "integer", "minimum": 0}
_ACCEPTED = {
    "description": "On disk; what was there under the same id is replaced. Loaded at the next sync.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"accepted": _COUNT, "quarantined": _COUNT},
                "required": ["accepted", "quarantined"],
            }
        }
    },
}
PROBLEM = {
    "type": "object",
    "description": "Why a request is refused (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the body"},
                    "parameter": {"type": "string", "description": "Of the query"},
                    "detail": {"type": "string"},
                    "mend": {"type": "string"},
                },
                "required": ["detail", "mend"],
            },
        },
    },
    "required": ["type", "title", "status", "detail"],
}
_TYPES: dict[str, dict[str, Any]] = {
    "varchar": {"type": "string"},
    "bigint": {"type": "integer"},
    "double": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "json": {"type": "object", "additionalProperties": {"type": "integer"}},
    "map(varchar, bigint)": {"type": "object", "additionalProperties": {"type": "integer"}},
}
_WITH_RETRY_AFTER = {429, 503}


@cache
def document() -> dict[str, Any]:
    """The description of everything that is served for programs."""
    template = "#/components/schemas/{model}"
    models = events.MODELS
    _, made = models_json_schema([(each, "validation") for each in models.values()], ref_template=template)
    metric, adoption = described("metric"), described("adoption/metric")
    cell = {
        **described("marts/survey_cell"),
        "label": {**described("marts/survey_item")["label"], "nullable": True},
        "opened_on": described("marts/survey_wave")["opened_on"],
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Cairn", "version": version("cairn")},
        "servers": [{"url": "/"}],
        "security": _TO_READ,
        "paths": {
            **{
                f"/api/v1/events/{name}": {"post": _event(name, template.format(model=model.__name__))}
                for name, model in models.items()
            },
            "/api/v1/metrics": {"get": _list("Figures of delivery.", asked.MetricQuery, May.metrics)},
            "/api/v1/adoption": {
                "get": _list("Figures of the platform's use.", asked.AdoptionQuery, May.adoption)
            },
            "/api/v1/surveys": {"get": _list("Released results of surveys.", asked.SurveyQuery, May.surveys)},
            "/api/v1/openapi.json": {"get": _open("This description.", "application/json")},
            "/healthz": {"get": _open("Whether the process answers.", "application/json")},
            "/readyz": {"get": _open("Whether there are figures to show.", "application/json", also=503)},
            "/metrics": {"get": _monitoring()},
        },
        "components": {
            "schemas": {
                **made["$defs"],
                "Problem": PROBLEM,
                May.metrics: _page({name: metric[name] for name in ROW_KEYS}),
                May.adoption: _page({name: adoption[name] for name in ADOPTION_ROW_KEYS}),
                May.surveys: _page({name: cell[name] for name in surveys.columns()}),
            },
            "securitySchemes": _SECURITY,
        },
    }


def _event(name: str, reference: str) -> dict[str, Any]:
    one = {"$ref": reference}
    several = {"type": "array", "items": one, "maxItems": events.MOST_EVENTS}
    return {
        "operationId": f"tell_{name}",
        "summary": _EVENTS[name],
        "security": _TO_SEND,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"oneOf": [one, several]}}},
        },
        "responses": {"202": _ACCEPTED, **_refusals(400, 401, 403, 405, 408, 413, 415, 422, 429, 503)},
    }


def _list(summary: str, query: type[asked.Query], may: May) -> dict[str, Any]:
    page = {"$ref": f"#/components/schemas/{may}"}
    headers = {
        "ETag": {"schema": {"type": "string"}, "description": "Of the snapshot and the query"},
        "Link": {"schema": {"type": "string"}, "description": "To the next page, where there is one"},
    }
    return {
        "operationId": may,
        "summary": summary,
        "parameters": [
            *(_parameter(*each) for each in query.model_json_schema()["properties"].items()),
            {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}},
        ],
        "responses": {
            "200": {
                "description": "A page of rows. CSV has the same columns; null is empty, an object JSON.",
                "headers": headers,
                "content": {"application/json": {"schema": page}, "text/csv": {"schema": {"type": "string"}}},
            },
            "304": {"description": "The page is as it was", "headers": {"ETag": headers["ETag"]}},
            **_refusals(401, 403, 405, 410, 422, 429, 503),
        },
    }


def _parameter(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in schema.items() if key not in {"title", "description"}}
    # None and no names at all stand for a parameter that is not there.
    if not kept.get("default", True):
        del kept["default"]
    return {"name": name, "in": "query", "description": schema["description"], "schema": kept}


def _page(columns: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    row = {
        "type": "object",
        "properties": {name: _cell(column) for name, column in columns.items()},
        "required": [*columns],
        "additionalProperties": False,
    }
    properties = {
        "snapshot": {"type": "string", "description": "Id of what is published, the same for all pages"},
        "next": {"type": ["string", "null"], "description": "Relative address of the next page"},
        "rows": {"type": "array", "items": row},
    }
    return {"type": "object", "properties": properties, "required": [*properties]}


def _cell(column: Mapping[str, Any]) -> dict[str, Any]:
    cell = {**_TYPES[column["type"]], "description": column["description"]}
    if "accepted" in column:
        cell["enum"] = [*column["accepted"], *([None] if column.get("nullable") else [])]
    if column.get("nullable"):
        cell["type"] = [cell["type"], "null"]
    return cell


def _open(summary: str, media_type: str, also: int | None = None) -> dict[str, Any]:
    answer = {"description": summary, "content": {media_type: {"schema": {"type": "object"}}}}
    codes = [200] if also is None else [200, also]
    return {"summary": summary, "security": [], "responses": {str(code): answer for code in codes}}


def _monitoring() -> dict[str, Any]:
    summary = "How Cairn itself is, for Prometheus."
    media = ("text/plain", "application/openmetrics-text")
    answer = {"description": summary, "content": {each: {"schema": {"type": "string"}} for each in media}}
    return {
        "operationId": May.monitoring,
        "summary": summary,
        "responses": {"200": answer, **_refusals(401, 403, 429)},
    }


def _refusals(*codes: int) -> dict[str, Any]:
    return {str(code): _refusal(code) for code in codes}


def _refusal(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    refusal: dict[str, Any] = {
        "description": TITLES[status],
        "content": {"application/problem+json": {"schema": schema}},
    }
    if status in _WITH_RETRY_AFTER:
        refusal["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds"}}
    return refusal
