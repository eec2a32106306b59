"""GitLab as one reading of it sees it: lists, a project, and the project's cursor."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from pydantic import JsonValue

from connectors.connector import Batch, Context
from connectors.http import Answer, Client, HttpError, Paging, Params, Refused
from connectors.http.limits import server_date
from connectors.parsing import Malformed, instant
from connectors.records import Record
from connectors.snapshot import digest, fields

PER_PAGE = 100
_BOT = re.compile(
    r"(?:project|group)_\d+_bot\w*|(?:support|alert|security|service)-bot|.*\[bot\]", re.IGNORECASE
)
# GitLab's times have microseconds, of which it shows three digits.
_BLUR = timedelta(milliseconds=1)


class Project(NamedTuple):
    """A project as the list of projects has it."""

    id: str
    path: str
    """Full path, with the groups before it."""
    name: str
    url: str
    default_branch: str | None
    is_archived: bool
    is_fork: bool
    is_personal: bool
    """In the namespace of a person, whose user name its path then begins with."""
    is_empty: bool
    is_mirror: bool
    """Fetched from elsewhere, which is no activity in GitLab's eyes."""
    ci_path: str
    active_at: datetime | None
    """Last activity that GitLab noted, which it does once an hour at most."""
    off: frozenset[str]
    """Features that are switched off, as in `merge_requests`, `builds`."""


class Marker(NamedTuple):
    """How far a list by time of change has been read."""

    at: datetime | None = None
    known: frozenset[tuple[int, str]] = frozenset()
    """Id and time of the items last changed at `at`."""

    @classmethod
    def of(cls, value: JsonValue) -> Marker:
        """From a cursor; the beginning where it holds none."""
        match value:
            case {"at": str(at), "known": list(known)}:
                pairs = [(int(str(one)), str(other)) for one, other in map(_pair, known)]
                return cls(instant(at), frozenset(pairs))
        return cls()

    def kept(self) -> JsonValue:
        """For a cursor to keep."""
        known: list[JsonValue] = [[id_, at] for id_, at in sorted(self.known)]
        return {"at": self.at.isoformat() if self.at else None, "known": known}

    def after(self, items: Sequence[Any]) -> Marker:
        """Once `items` are dealt with."""
        times = {_key(item): at for item in items if (at := changed_at(item))}
        newest = max([*times.values(), *([self.at] if self.at else [])], default=None)
        if newest is None:
            return self
        kept = self.known if self.at and self.at > newest - _BLUR else frozenset()
        return Marker(newest, kept | {key for key, at in times.items() if at > newest - _BLUR})


class GitLabPaging(Paging):
    """The `Link` header names the next page, or `X-Next-Page` does."""

    def start(self, params: Params) -> Params:
        return {"per_page": PER_PAGE, **params}

    def next(self, answer: Answer, params: Params) -> Params | None:
        return following(answer, params)


@dataclass(frozen=True)
class GitLab:
    """What every part of one reading needs."""

    client: Client
    context: Context
    since: date | None

    @property
    def begins_at(self) -> datetime | None:
        """Before it nothing is read."""
        return None if self.since is None else datetime.combine(self.since, time(), UTC)

    def get(self, path: str, stream: str, params: Params | None = None) -> Any:
        """What is at `path` of the API; raises `HttpError`."""
        return self.client.get(f"/v4{path}", params, stream=stream).json()

    def pages(self, path: str, stream: str, params: Params | None = None) -> Iterator[Answer]:
        """Every page of a list; raises `HttpError`."""
        yield from self.client.pages(f"/v4{path}", params, stream=stream, paging=GitLabPaging())

    def listed(
        self, path: str, stream: str, params: Params | None = None, most: int | None = None
    ) -> list[Any]:
        """A list, or its first `most` pages; raises `HttpError`."""
        found: list[Any] = []
        for number, page in enumerate(self.pages(path, stream, params), 1):
            found += _items(page)
            if number == most:
                break
        return found

    def newest_first(self, path: str, stream: str) -> Iterator[Answer]:
        """Every page of a list by descending id, by keyset where GitLab knows that; raises `HttpError`."""
        keyset: Params = {"pagination": "keyset", "order_by": "id", "sort": "desc"}
        try:
            pages = self.pages(path, stream, keyset)
            first = next(pages)
        except Refused:
            # Before 15.9, this list has no keyset.
            yield from self.pages(path, stream)
            return
        yield first
        yield from pages

    def changes(
        self, path: str, stream: str, marker: Marker, params: Params | None = None
    ) -> Iterator[tuple[list[Any], Marker]]:
        """What changed since `marker`, oldest first: a page's new items, and how far it goes.

        Numbered pages would lose items: what changes meanwhile moves to the end, and the rest moves up.
        So each page is asked for by the time the one before ends at, and by number only where that
        leads no further: more items than a page holds changed at one time, or time is ignored.
        Raises `HttpError`.
        """
        base: Params = {"order_by": "updated_at", "sort": "asc", "per_page": PER_PAGE, **(params or {})}
        at = begins_at = marker.at or self.begins_at
        query = _since(base, at)
        seen = set(marker.known)
        taken: set[str] = set()
        is_by_time = True
        while (step := str(sorted(query.items()))) not in taken:
            taken.add(step)
            answer = self.client.get(f"/v4{path}", query, stream=stream)
            items = _items(answer)
            fresh = [item for item in items if _key(item) not in seen and not _is_before(item, begins_at)]
            seen |= set(map(_key, items))
            marker = marker.after(items)
            if fresh:
                yield fresh, marker
            further = following(answer, query)
            if further is None:
                break
            is_by_time = is_by_time and bool(fresh)
            if is_by_time and marker.at and (at is None or marker.at > at):
                at = marker.at
                query = _since(base, at)
            else:
                query = further
        else:
            raise HttpError(
                f"The pages of {path} repeat themselves", "This is a fault in GitLab, or in a proxy."
            )
        if begins_at is None and len(taken) > 1:
            # What other tools reported may have no time of change, and no time leads to it.
            newest = self.listed(path, stream, {**base, "sort": "desc"}, most=1)
            if undated := [each for each in newest if changed_at(each) is None and _key(each) not in seen]:
                yield undated, marker


class Progress:
    """The cursor of one project: a JSON object with a field for each part."""

    def __init__(self, scope: str, cursor: JsonValue) -> None:
        self.scope = scope
        self.state: dict[str, JsonValue] = dict(fields(cursor))
        self._carried = self.state

    def move(self, **parts: JsonValue) -> None:
        """Have the next batch carry these parts of the cursor too."""
        self.state = {**self.state, **parts}

    def batch(
        self, stream: str, records: Sequence[Record], *, is_whole: bool = False, **parts: JsonValue
    ) -> Batch:
        """A batch with the whole cursor, moved by `parts`."""
        self.move(**parts)
        self._carried = self.state
        return Batch(stream, self.scope, records, self.state, is_whole)

    def rest(self) -> Iterator[Batch]:
        """Yield what of the cursor no batch has carried yet."""
        if self.state != self._carried:
            yield self.batch("repository", ())


def following(answer: Answer, params: Params) -> Params | None:
    """The parameters of the page after `answer`, which `params` asked for; None after the last."""
    if link := answer.links.get("next"):
        # GitLab's idea of its own address may differ from ours, so the address is not followed.
        return {name: values[0] if len(values) == 1 else values for name, values in _query(link).items()}
    page = str(answer.headers.get("x-next-page", "")).strip()
    return {**params, "page": page} if page else None


def changed_at(item: Any) -> datetime | None:
    """When an item was last changed; None where it does not say so in a way that can be understood."""
    try:
        return instant(item.get("updated_at"))
    except (AttributeError, Malformed):
        return None


def told_at(answer: Answer) -> datetime:
    """GitLab's clock when it answered."""
    return server_date(answer.headers)


def login(user: Any) -> str | None:
    """An account's name; None where the account is gone."""
    name = user["username"] if user else None
    return None if name is None or name == "ghost" else str(name)


def is_bot(user: Any) -> bool:
    """Whether an account is a bot's: GitLab says so of some, the names of the others do."""
    return bool(user) and (user.get("bot") is True or _BOT.fullmatch(str(user["username"])) is not None)


def _items(answer: Answer) -> list[Any]:
    body = answer.json()
    if not isinstance(body, list):
        raise HttpError("GitLab answered with no list", "Check that the address is that of GitLab.")
    return body


def _query(link: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(link).query, keep_blank_values=True)


def _since(params: Params, at: datetime | None) -> Params:
    if at is None:
        return params
    return {**params, "updated_after": (at - _BLUR).isoformat(timespec="milliseconds").replace("+00:00", "Z")}


def _is_before(item: Any, at: datetime | None) -> bool:
    changed = changed_at(item)
    return at is not None and changed is not None and changed <= at - _BLUR


def _key(item: Any) -> tuple[int, str]:
    """What tells an item from others and from itself before a change. Nothing of the item shows in it."""
    id_ = item.get("id") if isinstance(item, dict) else None
    at = item.get("updated_at") if isinstance(item, dict) else None
    if isinstance(id_, int) and (at is None or changed_at(item)):
        return id_, str(at)
    return 0, digest([item])


def _pair(value: Any) -> tuple[JsonValue, JsonValue]:
    return (value[0], value[1]) if isinstance(value, list) and len(value) == 2 else (0, "")
