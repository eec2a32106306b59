"""Where a page of rows ends, as a text that only this API reads."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode

from pydantic import BaseModel, ConfigDict, ValidationError

from dashboards.api import asked
from dashboards.api.problems import Problem


class Cursor(BaseModel):
    """The last row of a page: of a snapshot, of what was asked, and where in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    snapshot: str
    query: str
    """Digest of what was asked, but for what may differ from page to page."""
    part: str
    place: tuple[str, ...]


def written(query: asked.Query, snapshot: str, part: str, place: tuple[str, ...]) -> str:
    """For the parameter `cursor`."""
    cursor = Cursor(snapshot=snapshot, query=_digest(query), part=part, place=place)
    return urlsafe_b64encode(cursor.model_dump_json().encode()).decode().rstrip("=")


def of(query: asked.Query) -> Cursor | None:
    """The query's cursor; raises `Problem` for what is none, or one of another query."""
    if query.cursor is None:
        return None
    try:
        cursor = Cursor.model_validate_json(urlsafe_b64decode(query.cursor + "=" * (-len(query.cursor) % 4)))
    except (ValidationError, ValueError):
        raise refused() from None
    if cursor.query != _digest(query):
        raise refused("belongs to another query")
    return cursor


def refused(detail: str = "is no cursor") -> Problem:
    """Of a cursor that leads nowhere."""
    mend = "Follow `next` of a page as it is, or begin without a cursor"
    return asked.refusal([{"parameter": "cursor", "detail": detail, "mend": mend}])


def _digest(query: asked.Query) -> str:
    told = query.model_dump_json(exclude={"limit", "cursor", "format"})
    return hashlib.sha256(f"{type(query).__name__}{told}".encode()).hexdigest()[:16]
