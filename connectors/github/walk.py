"""Going through one connection of a repository, oldest first, in pages as large as GitHub manages to answer.

GitHub gives up on a query after ten seconds, and some pull requests are huge: a page that fails
is asked for again at half its size, and one item that fails alone is stepped over.
The place reached is GitHub's own cursor; it names (time, id), so it stays good while items change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import JsonValue

from connectors.connector import Quarantined
from connectors.github.api import Found, GitHub, Listed, connection, failure, message_of
from connectors.http import GraphQLError, HttpError, Unavailable
from connectors.http.paging import Walk
from connectors.parsing import Malformed, moment

LARGEST_PAGE = 50
_LARGEST_PAGE_OF_TIMES = 100
# GitHub's servers do not all see a change in the same instant.
_OVERLAP = timedelta(minutes=1)
_TOO_MUCH = ("timeout", "timed out", "resource limit", "something went wrong", "too complex")


class Connection(NamedTuple):
    """What to walk through."""

    stream: str
    query: str
    """Takes `first` and `after`, and calls the connection `items`."""
    times_query: str
    """The same, for `id` and `time` alone."""
    id: str
    """Field that names an item."""
    time: str
    """Field by which items are in ascending order."""


class Place(NamedTuple):
    """Up to where a connection has been read."""

    after: str | None = None
    """Everything up to GitHub's cursor."""
    seen: tuple[str, ...] = ()
    """And these behind it: identifier and time."""

    @classmethod
    def of(cls, state: Mapping[str, JsonValue]) -> Place:
        """As a cursor keeps it."""
        after, seen = state.get("after"), state.get("seen")
        return cls(
            after if isinstance(after, str) else None, tuple(map(str, seen)) if isinstance(seen, list) else ()
        )

    def kept(self) -> dict[str, JsonValue]:
        """For a cursor to keep."""
        return {"after": self.after, "seen": list(self.seen)}


class Page(NamedTuple):
    """A few items that are new since the place the walk began at."""

    nodes: list[dict[str, Any]]
    failed: list[Quarantined]
    """Those that GitHub could not show."""
    place: Place
    """Behind all of them."""
    is_last: bool


def pages(github: GitHub, repository: Listed, walked: Connection, place: Place) -> Iterator[Page]:
    """Every page since `place`; from the oldest where GitHub no longer knows it. Raises `HttpError`."""
    seen = set(place.seen)
    after = place.after
    size = LARGEST_PAGE
    walk = Walk()
    while True:
        try:
            page, failed = _ask(github, repository, walked, walk, size, after)
        except HttpError as error:
            if after is not None and after == place.after and _is_unknown_cursor(error):
                after = None
            elif not is_too_much(error):
                raise
            elif size > 1:
                size //= 2
            else:
                size = LARGEST_PAGE
                yield (stepped := _stepped_over(github, repository, walked, after, error))
                if stepped.is_last:
                    return
                after = stepped.place.after
            continue
        fresh = [edge for edge in page.items if _name(edge, walked) not in seen]
        yield Page(
            [edge["node"] for edge in fresh if edge["cursor"] not in failed],
            [failed[edge["cursor"]] for edge in fresh if edge["cursor"] in failed],
            Place(page.end) if page.end else _last_place(page.items, walked, after),
            is_last=page.end is None or not page.items,
        )
        if page.end is None or not page.items:
            return
        after = page.end


def start(github: GitHub, repository: Listed, walked: Connection, begins_at: datetime | None) -> Place:
    """The place before the first item that is not older than `begins_at`; raises `HttpError`."""
    after: str | None = None
    walk = Walk()
    while begins_at is not None:
        page = _times(github, repository, walked, walk, _LARGEST_PAGE_OF_TIMES, after)
        for edge in page.items:
            at = _time(edge, walked)
            if at is None or at >= begins_at:
                return Place(after)
            after = edge["cursor"]
        if page.end is None:
            break
    return Place(after)


def _ask(
    github: GitHub, repository: Listed, walked: Connection, walk: Walk, size: int, after: str | None
) -> tuple[Found, dict[str, Quarantined]]:
    """A page, and those of its edges, by cursor, that came with an error."""

    def ask() -> tuple[Found, list[dict[str, Any]]]:
        found, errors = github.repository(walked.query, repository, walked.stream, first=size, after=after)
        if any(_is_temporary(error) for error in errors):
            raise GraphQLError(message_of(errors[0]), "Sync again.", errors)
        return connection(found, "items", errors), errors

    page, errors = github.client.unrepeated(walk, ask, lambda asked: _cursors(asked[0]))
    failed = {}
    for error in errors:
        path = error.get("path") or []
        number = path[3] if len(path) > 3 and path[1:3] == ["items", "edges"] else None
        if not isinstance(number, int) or not 0 <= number < len(page.items):
            raise failure([error]) or GraphQLError(message_of(error), "Sync again.", [error])
        edge = page.items[number]
        reason = f"GitHub did not show it: {error.get('type') or 'an error without a type'}"
        failed[edge["cursor"]] = Quarantined(walked.stream, repository.id, _id(edge, walked), reason)
    for edge in page.items:
        if edge["node"] is None and edge["cursor"] not in failed:
            reason = "GitHub did not show it"
            failed[edge["cursor"]] = Quarantined(walked.stream, repository.id, edge["cursor"], reason)
    return page, failed


def _times(
    github: GitHub, repository: Listed, walked: Connection, walk: Walk, size: int, after: str | None
) -> Found:
    def ask() -> Found:
        found, errors = github.repository(
            walked.times_query, repository, walked.stream, first=size, after=after
        )
        return connection(found, "items", errors)

    return github.client.unrepeated(walk, ask, _cursors)


def _cursors(page: Found) -> list[str]:
    return [edge["cursor"] for edge in page.items]


def _stepped_over(
    github: GitHub, repository: Listed, walked: Connection, after: str | None, error: HttpError
) -> Page:
    """The item behind `after`, which GitHub cannot show."""
    page = _times(github, repository, walked, Walk(), 1, after)
    if not page.items:
        raise error
    (edge,) = page.items
    skipped = Quarantined(walked.stream, repository.id, _id(edge, walked), "GitHub cannot show it in time")
    return Page([], [skipped], Place(edge["cursor"]), is_last=page.end is None)


def _last_place(edges: Sequence[dict[str, Any]], walked: Connection, after: str | None) -> Place:
    """A little before the end, so that what GitHub shows late is seen next time."""
    times = [_time(edge, walked) for edge in edges]
    newest = max((at for at in times if at), default=None)
    settled = 0
    for at in times:
        if newest is None or at is None or at > newest - _OVERLAP:
            break
        settled += 1
    return Place(
        edges[settled - 1]["cursor"] if settled else after,
        tuple(_name(edge, walked) for edge in edges[settled:]),
    )


def _time(edge: Mapping[str, Any], walked: Connection) -> datetime | None:
    try:
        return moment(edge["node"][walked.time])
    except (KeyError, TypeError, Malformed):
        return None


def _id(edge: Mapping[str, Any], walked: Connection) -> str:
    node = edge["node"]
    return str(node[walked.id]) if node and node.get(walked.id) is not None else str(edge["cursor"])


def _name(edge: Mapping[str, Any], walked: Connection) -> str:
    node = edge["node"] or {}
    return f"{_id(edge, walked)}@{node.get(walked.time)}"


def is_too_much(error: HttpError) -> bool:
    """Whether GitHub may answer the same question about less."""
    if isinstance(error, GraphQLError):
        return any(_is_temporary(each) for each in error.errors)
    # 429 and 403 are rate limits, which a smaller page does not help.
    return isinstance(error, Unavailable) and error.status not in {403, 429}


def _is_temporary(error: Mapping[str, Any]) -> bool:
    said = f"{error.get('type')} {error.get('message')}".lower().replace("_", " ")
    return any(words in said for words in _TOO_MUCH)


def _is_unknown_cursor(error: HttpError) -> bool:
    return isinstance(error, GraphQLError) and any(
        each.get("type") == "INVALID_CURSOR_ARGUMENTS" or "valid cursor" in str(each.get("message"))
        for each in error.errors
    )
