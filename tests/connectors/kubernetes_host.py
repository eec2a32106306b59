"""A stand-in for a cluster's API: lists of workloads in pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

TOKEN = "s3cr3t-service-account"
RUNTIME = "acme.example/runtime"


def item(name: str, namespace: str = "shop", **labels: str) -> dict[str, Any]:
    """As the API shows a workload, with what is not to land."""
    known = {
        "app.kubernetes.io/name": name,
        **{key.replace("__", "/"): value for key, value in labels.items()},
    }
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": known,
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "PASSWORD=pw-in-spec"},
        },
        "spec": {"env": [{"name": "PASSWORD", "value": "pw-in-spec"}]},
    }


@dataclass
class Cluster:
    """What it has, by the last part of the path."""

    items: dict[str, list[Any]] = field(default_factory=dict)
    token: str = TOKEN
    expires: int = 0
    """How many of the next continued lists have expired."""
    forbidden: set[str] = field(default_factory=set)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/apis/{group}/v1/{kind}", self._list)])

    def _list(self, request: Request) -> JSONResponse:
        kind = request.path_params["kind"]
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return _status(401, "Unauthorized")
        if kind in self.forbidden:
            return _status(403, f"{kind} is forbidden: cannot list resource at the cluster scope")
        start = int(request.query_params.get("continue") or 0)
        if start and self.expires:
            self.expires -= 1
            return _status(410, "The provided continue parameter is too old")
        end = start + min(int(request.query_params["limit"]), 2)
        held = self.items.get(kind, [])
        more = {"continue": str(end)} if end < len(held) else {}
        is_short = "PartialObjectMetadataList" in request.headers["accept"]
        shown = [
            {"metadata": each["metadata"]} if is_short and "metadata" in each else each
            for each in held[start:end]
        ]
        return JSONResponse({"kind": "List", "metadata": more, "items": shown})


def _status(code: int, message: str) -> JSONResponse:
    return JSONResponse({"kind": "Status", "status": "Failure", "message": message, "code": code}, code)
