"""The description of the API, OpenAPI 3.1, made from the models that check what is sent."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    503: "Service Unavailable",
}
"""Every status that refuses → what RFC 9110 calls it."""

_SUMMARIES = {
    "deployments": "Tell of deployments; takes GitHub's and GitLab's webhooks for them as well.",
    "incidents": "Tell of incidents; takes Alertmanager's webhooks as well, each alert of which is one.",
    "adoption": "Tell of the use of what the platform offers.",
}
_SECURITY = {
    "token": {"type": "http", "scheme": "bearer", "description": "Made by `cairn push token NAME`."},
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
                    "detail": {"type": "string"},
                    "mend": {"type": "string"},
                },
                "required": ["pointer", "detail", "mend"],
            },
        },
    },
    "required": ["type", "title", "status", "detail"],
}
_WITH_RETRY_AFTER = {429, 503}


def document(models: Mapping[str, type[BaseModel]], *, most_events: int) -> dict[str, Any]:
    """The description of `/events/…`; `models` are by the last part of the path."""
    template = "#/components/schemas/{model}"
    _, made = models_json_schema([(each, "validation") for each in models.values()], ref_template=template)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Cairn", "version": version("cairn")},
        "servers": [{"url": "/api/v1"}],
        "security": [{name: []} for name in _SECURITY],
        "paths": {
            f"/events/{name}": {"post": _operation(name, template.format(model=model.__name__), most_events)}
            for name, model in models.items()
        },
        "components": {
            "schemas": {**made["$defs"], "Problem": PROBLEM},
            "securitySchemes": _SECURITY,
        },
    }


def _operation(name: str, reference: str, most_events: int) -> dict[str, Any]:
    one = {"$ref": reference}
    several = {"type": "array", "items": one, "maxItems": most_events}
    return {
        "operationId": name,
        "summary": _SUMMARIES[name],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"oneOf": [one, several]}}},
        },
        "responses": {
            "202": _ACCEPTED,
            **{str(status): _refusal(status) for status in TITLES if status != 404},
        },
    }


def _refusal(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    refusal: dict[str, Any] = {
        "description": TITLES[status],
        "content": {"application/problem+json": {"schema": schema}},
    }
    if status in _WITH_RETRY_AFTER:
        refusal["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds"}}
    return refusal
