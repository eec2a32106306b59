"""Stand-ins for an Alertmanager and the Prometheus before it, which agree on what fired when."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.alertmanager.alerts import fingerprint

STEP = timedelta(seconds=60)
ALERT = {"alertname": "ErrorRate", "service": "shop", "severity": "critical"}
GENERATOR = "http://prometheus.example/graph?g0.expr=up+%3D%3D+0&g0.tab=1"


@dataclass
class Fired:
    """One firing, evaluated every minute."""

    labels: Mapping[str, str]
    began: datetime
    ended: datetime | None = None
    is_forwarded: bool = True
    """Whether Alertmanager hears of it."""


@dataclass
class AlertHost:
    """Both tools on one origin, Prometheus under `/prometheus`."""

    now: datetime = field(
        default_factory=lambda: (datetime.now(UTC) - timedelta(hours=5)).replace(microsecond=0)
    )
    fired: list[Fired] = field(default_factory=list)
    further: list[Any] = field(default_factory=list)
    """Alerts that Alertmanager lists as they are."""
    authorization: str | None = None
    external_labels: dict[str, str] = field(default_factory=dict)
    most_samples: int = 1_000_000
    """That one query may read."""
    is_strange: bool = False
    """Prometheus answers as another tool would."""

    def fire(
        self,
        began_hours: float,
        ended_hours: float | None = None,
        *,
        is_forwarded: bool = True,
        **labels: str,
    ) -> Fired:
        """A firing that began so many hours before now."""
        ended = None if ended_hours is None else self.now - timedelta(hours=ended_hours)
        began = self.now - timedelta(hours=began_hours)
        self.fired.append(Fired({**ALERT, **labels}, began, ended, is_forwarded))
        return self.fired[-1]

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/api/v2/alerts", self._alerts),
                Route("/api/v2/status", self._status),
                Route("/prometheus/api/v1/query", self._query),
            ]
        )

    def listed(self, fired: Fired) -> dict[str, Any]:
        labels = {**self.external_labels, **fired.labels}
        return {
            "labels": labels,
            "annotations": {"summary": "Ada, have a look"},
            "startsAt": text(fired.began),
            "endsAt": text(datetime.now(UTC) + timedelta(minutes=4)),
            "updatedAt": text(self.now),
            "fingerprint": fingerprint(labels),
            "receivers": [{"name": "web"}],
            "status": {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []},
        }

    def _refusal(self, request: Request) -> Response | None:
        if self.authorization in {None, request.headers.get("authorization")}:
            return None
        return JSONResponse("unauthorized", 401)

    async def _alerts(self, request: Request) -> Response:
        current = [each for each in self.fired if each.is_forwarded and each.ended is None]
        return self._refusal(request) or JSONResponse([*map(self.listed, current), *self.further])

    async def _status(self, request: Request) -> Response:
        return self._refusal(request) or JSONResponse({"versionInfo": {"version": "0.27.0"}})

    async def _query(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        if self.is_strange:
            return JSONResponse({"data": "hello"})
        query = request.query_params["query"]
        if query == "time()":
            now = self.now.timestamp()
            return JSONResponse(
                {"status": "success", "data": {"resultType": "scalar", "result": [now, str(now)]}}
            )
        seconds = re.fullmatch(r'ALERTS\{alertstate="firing"\}\[(\d+)s\]', query)
        assert seconds, query
        until = datetime.fromtimestamp(float(request.query_params["time"]), UTC)
        since = until - timedelta(seconds=int(seconds[1]))
        series: dict[str, dict[str, Any]] = {}
        samples = 0
        for fired in self.fired:
            metric = {"__name__": "ALERTS", "alertstate": "firing", **fired.labels}
            values = series.setdefault(repr(metric), {"metric": metric, "values": []})["values"]
            for at in self._samples(fired, since, until):
                values.append([at.timestamp(), "1"])
                samples += 1
        if samples > self.most_samples:
            error = "query processing would load too many samples into memory in query execution"
            return JSONResponse({"status": "error", "errorType": "execution", "error": error}, 422)
        result = [{**each, "values": sorted(each["values"])} for each in series.values() if each["values"]]
        return JSONResponse({"status": "success", "data": {"resultType": "matrix", "result": result}})

    def _samples(self, fired: Fired, since: datetime, until: datetime) -> list[datetime]:
        end = min(until, self.now, fired.ended - timedelta(seconds=1) if fired.ended else until)
        first = max((since - fired.began) // STEP, 0)
        last = (end - fired.began) // STEP
        times = [fired.began + number * STEP for number in range(first, last + 1)]
        return [at for at in times if since <= at <= end]


def text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
