"""Incidents that a real PagerDuty answered, replayed in its envelopes and read by the connector."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.connector import Batch, Context, Problem, Quarantined
from connectors.pagerduty import PagerDutyConnector, PagerDutyOptions
from connectors.records import Incident
from tests.recorded import BOTH, recorded
from tests.serving import serving


def replaying(incidents: list[dict[str, Any]]) -> Starlette:
    """Serves recorded incidents, which have their log entries in them, as PagerDuty lists them."""
    entries = [entry for incident in incidents for entry in incident["log_entries"]]

    def listed(key: str, found: list[Any]) -> Any:
        async def answer(request: Request) -> Response:
            query = request.query_params
            since, until = query.get("since", ""), query.get("until", "9")
            here = [each for each in found if since <= str(each.get("created_at")) < until]
            limit, offset = int(query["limit"]), int(query.get("offset", 0))
            page = {key: here[offset : offset + limit], "limit": limit, "offset": offset, "total": len(here)}
            return JSONResponse({**page, "more": offset + limit < len(here)})

        return answer

    empty = [Route(f"/{name}", listed(name, [])) for name in ("teams", "users", "services", "change_events")]
    return Starlette(
        routes=[
            Route("/incidents", listed("incidents", incidents)),
            Route("/log_entries", listed("log_entries", entries)),
            *empty,
        ]
    )


@BOTH
def test_every_recorded_incident_is_read(recordings: Path, tmp_path: Path) -> None:
    items = recorded(recordings, "pagerduty", "pagerduty_incidents")
    with serving(replaying([each.item for each in items])) as url:
        options = PagerDutyOptions(url=url, token="x")
        read = list(PagerDutyConnector("pagerduty", options, Context(tmp_path, b"key")).read({}))
    assert not [item for item in read if isinstance(item, Quarantined | Problem)]
    incidents = {
        record.id: record
        for item in read
        if isinstance(item, Batch)
        for record in item.records
        if isinstance(record, Incident)
    }
    assert set(incidents) == {each.item["id"] for each in items}
    for each in items:
        read_one = incidents[each.item["id"]]
        assert read_one.service == each.item["service"]["id"]
        assert read_one.severity == each.item["urgency"]
        assert (read_one.status == "resolved") == (each.item["status"] == "resolved")
    resolved = incidents["Q1OHFWFP3GPXOG"]
    assert resolved.acknowledged_at == datetime(2022, 11, 3, 6, 45, 46, tzinfo=UTC)
    assert resolved.resolved_at == datetime(2022, 11, 3, 6, 51, 44, tzinfo=UTC)
    acknowledged = incidents["Q3CZAU7Q4008QD"]
    assert (acknowledged.status, acknowledged.resolved_at) == ("acknowledged", None)
    assert acknowledged.acknowledged_at == datetime(2022, 11, 3, 6, 44, 37, tzinfo=UTC)
    open_one = incidents["Q3YON8WNWTZMRQ"]
    assert (open_one.status, open_one.resolved_at) == ("open", None)
