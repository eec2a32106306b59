"""When alerts fired, from Prometheus' own samples of them.

Prometheus writes a sample of `ALERTS` at every evaluation of a firing alert, the first one at
the very time that Alertmanager calls `startsAt`. So samples are asked for as they are, not at steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from connectors.http import Client, HttpError, Refused

LATE = timedelta(minutes=10)
"""How long after its time a sample may show up, as where it is written to a remote store."""

_WINDOW = timedelta(days=1)
_SHORTEST = timedelta(minutes=20)
_QUERY = 'ALERTS{{alertstate="firing"}}[{seconds}s]'
_UNKNOWN_GAP = timedelta(seconds=60)


class Firing(NamedTuple):
    """An uninterrupted run of samples."""

    labels: Mapping[str, str]
    began_at: datetime
    last_at: datetime
    step: timedelta | None
    """Time between its samples; None where there is but one."""


class Window(NamedTuple):
    """What fired in a stretch of time."""

    since: datetime
    until: datetime
    firings: list[Firing]


def gap(step: timedelta | None) -> timedelta:
    """How far apart samples may be and still be of one firing: under load an evaluation is left out."""
    return step * 2.5 if step else _UNKNOWN_GAP


def now(client: Client) -> datetime:
    """Prometheus' clock; raises `HttpError`."""
    result = _result(client, {"query": "time()"})
    try:
        return _at(result)
    except (TypeError, ValueError, IndexError, OverflowError):
        raise _strange() from None


def windows(
    client: Client, since: datetime, until: datetime, external_labels: Mapping[str, str]
) -> Iterator[Window]:
    """What fired from `since` to `until`, in windows of a day at most; raises `HttpError`."""
    length = _WINDOW
    while since < until:
        end = min(since + length, until)
        try:
            raw = _asked(client, since, end)
        except Refused:
            # Prometheus bounds the samples that one query may read.
            if length <= _SHORTEST:
                raise
            length /= 4
            continue
        yield Window(since, end, [firing for series in raw for firing in _firings(series, external_labels)])
        since = end


def _asked(client: Client, since: datetime, until: datetime) -> list[Any]:
    seconds = int((until - since).total_seconds()) + 1
    params = {"query": _QUERY.format(seconds=seconds), "time": f"{until.timestamp():.3f}"}
    return _result(client, params)


def _result(client: Client, params: dict[str, str]) -> list[Any]:
    body = client.get("/api/v1/query", params, stream="incident").json()
    data = body.get("data") if isinstance(body, dict) else None
    result = data.get("result") if isinstance(data, dict) else None
    if not isinstance(result, list):
        raise _strange()
    return result


def _strange() -> HttpError:
    return HttpError(
        "The answer to a query is none of Prometheus' API",
        "Check that prometheus_url is Prometheus' address.",
    )


def _firings(series: Any, external_labels: Mapping[str, str]) -> Iterator[Firing]:
    """The runs in a series; none where it cannot be understood, as Prometheus has no malformed ones."""
    try:
        labels = {name: str(value) for name, value in series["metric"].items()}
        times = sorted(_at(sample) for sample in series["values"])
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError):
        return
    for name in ("__name__", "alertstate"):
        labels.pop(name, None)
    # As Prometheus does it: an alert's own label stands.
    labels = {**external_labels, **labels}
    step = min((later - earlier for earlier, later in pairwise(times)), default=None)
    run: list[datetime] = []
    for at in times:
        if run and at - run[-1] > gap(step):
            yield Firing(labels, run[0], run[-1], step)
            run = []
        run.append(at)
    if run:
        yield Firing(labels, run[0], run[-1], step)


def _at(sample: Any) -> datetime:
    # Prometheus counts in milliseconds; a float of seconds is not exact.
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=round(float(sample[0]) * 1000))
