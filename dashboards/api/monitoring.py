"""`GET /metrics`: how Cairn itself is, for Prometheus.

Of requests those to the API alone are counted: of a survey's form they would tell when people answer.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from functools import cache
from typing import NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    exposition,
)
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.api import access, problems
from dashboards.rates import Rates
from pipelines import status, warehouse
from pipelines.credentials import May
from pipelines.home import Home
from pipelines.warehouse import WarehouseError


class _Meters(NamedTuple):
    registry: CollectorRegistry
    requests: Counter
    seconds: Histogram
    rates: Rates


@cache
def _meters() -> _Meters:
    """Of this process."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    registry.register(_Data())
    return _Meters(
        registry,
        Counter(
            "cairn_http_requests", "Requests to the API.", ["method", "path", "status"], registry=registry
        ),
        Histogram(
            "cairn_http_request_duration_seconds",
            "Time until the API's answer was sent.",
            ["path"],
            registry=registry,
        ),
        Rates(access.PER_MINUTE),
    )


class _Data(Collector):
    """What is published, and how fresh the sources are."""

    def describe(self) -> Iterator[Metric]:
        """Nothing: there need be no data yet when this is registered."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Read at every scrape."""
        home = Home.from_env()
        yield from _snapshot(home)
        now = status.read(home)
        yield GaugeMetricFamily(
            "cairn_sync_running", "Whether a sync is under way.", float(now.syncing_since is not None)
        )
        labels = ["source", "kind"]
        attempted = GaugeMetricFamily(
            "cairn_source_attempt_timestamp_seconds", "When the source was last asked.", labels=labels
        )
        read = GaugeMetricFamily(
            "cairn_source_read_timestamp_seconds",
            "Start of its last whole read.",
            labels=labels,
        )
        problem = GaugeMetricFamily(
            "cairn_source_problems", "Parts of the source that could not be read.", labels=labels
        )
        for name, source in now.sources.items():
            of = [name, source.kind]
            attempted.add_metric(of, source.attempted_at.timestamp())
            if source.succeeded_at:
                read.add_metric(of, source.succeeded_at.timestamp())
            problem.add_metric(of, len(source.problems) + (source.error is not None))
        yield from (attempted, read, problem)


def _snapshot(home: Home) -> Iterator[Metric]:
    """Without a snapshot to read, its times are missing, which `absent()` tells."""
    try:
        snapshot = warehouse.published(home)
    except WarehouseError:
        snapshot = None
    yield GaugeMetricFamily(
        "cairn_snapshot_readable", "Whether there are figures to show.", float(snapshot is not None)
    )
    if snapshot:
        yield InfoMetricFamily("cairn_snapshot", "What is published.", {"id": snapshot.id})
        ((published_at, covered_until),) = snapshot.tuples(
            "select epoch(published_at), epoch(covered_until) from marts.workspace"
        )
        yield GaugeMetricFamily(
            "cairn_snapshot_published_timestamp_seconds", "When it was published.", published_at
        )
        if covered_until is not None:
            yield GaugeMetricFamily(
                "cairn_snapshot_covered_timestamp_seconds", "Until when every source was read.", covered_until
            )


async def show(request: Request) -> Response:
    """In the text format of Prometheus, or OpenMetrics where that is asked for."""
    meters = _meters()
    try:
        await access.check_reader(request, May.monitoring, meters.rates)
    except problems.Problem as problem:
        return await problems.refused(request, problem)
    encode, media_type = exposition.choose_encoder(request.headers.get("accept", ""))
    body = await run_in_threadpool(encode, meters.registry)
    return Response(body, headers={"Cache-Control": "no-store", "Content-Type": media_type})


def measured(app: ASGIApp, paths: Collection[str]) -> ASGIApp:
    """The app, its requests counted: by path where it is one of `paths`."""

    async def called(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        meters, began, code = _meters(), time.perf_counter(), 500
        path = scope["path"] if scope["path"].removeprefix(scope.get("root_path", "")) in paths else "other"
        method = scope["method"] if scope["method"] in {"GET", "HEAD", "POST", "OPTIONS"} else "other"

        async def sent(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        try:
            await app(scope, receive, sent)
        finally:
            meters.requests.labels(method, path, code).inc()
            meters.seconds.labels(path).observe(time.perf_counter() - began)

    return called
