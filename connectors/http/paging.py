"""Paging: small state machines that say, after each answer, what to ask for next."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connectors.http.reading import Answer

Params = Mapping[str, str | int | Sequence[str]]
"""A request's query parameters."""

_EMPTY_PAGES = 100


class Paging(ABC):
    """How a tool cuts its lists into pages."""

    @abstractmethod
    def start(self, params: Params) -> Params:
        """The parameters of the first page."""

    @abstractmethod
    def next(self, answer: Answer, params: Params) -> Params | str | None:
        """What to ask for after `answer`, which `params` asked for: parameters or a URL; None at the end."""


def listed(body: Any) -> list[Any]:
    """The items of a page: the body itself, or the first list in it."""
    if isinstance(body, dict):
        body = next((value for value in body.values() if isinstance(value, list)), [])
    return body if isinstance(body, list) else []


@dataclass(frozen=True)
class LinkPaging(Paging):
    """The `Link` header names the next page (GitHub)."""

    per_page: int | None = None

    def start(self, params: Params) -> Params:
        return params if self.per_page is None else {"per_page": self.per_page, **params}

    def next(self, answer: Answer, params: Params) -> str | None:  # noqa: ARG002
        return answer.links.get("next")


@dataclass(frozen=True)
class PagePaging(Paging):
    """Pages have numbers from 1."""

    per_page: int = 100
    parameter: str = "page"
    size_parameter: str = "per_page"

    def start(self, params: Params) -> Params:
        return {self.parameter: 1, self.size_parameter: self.per_page, **params}

    def next(self, answer: Answer, params: Params) -> Params | None:
        # A server may serve less than was asked for: a short page alone does not mean the end.
        if "x-next-page" in answer.headers:
            has_more = bool(answer.headers["x-next-page"].strip())
        elif answer.links:
            has_more = "next" in answer.links
        else:
            has_more = len(listed(answer.json())) >= self.per_page
        return {**params, self.parameter: _number(params, self.parameter) + 1} if has_more else None


def _says_more(body: Any) -> bool:
    return isinstance(body, dict) and bool(body.get("more"))


@dataclass(frozen=True)
class OffsetPaging(Paging):
    """An offset and a limit (PagerDuty)."""

    limit: int = 100
    more: Callable[[Any], bool] = _says_more
    """Whether pages follow the one with this body."""

    def start(self, params: Params) -> Params:
        return {"limit": self.limit, "offset": 0, **params}

    def next(self, answer: Answer, params: Params) -> Params | None:
        if not self.more(answer.json()):
            return None
        return {**params, "offset": _number(params, "offset") + _number(params, "limit")}


@dataclass(frozen=True)
class CursorPaging(Paging):
    """Each page holds the cursor of the next."""

    read: Callable[[Any], str | None]
    """The cursor in a body; None or empty on the last page."""
    parameter: str = "cursor"

    def start(self, params: Params) -> Params:
        return params

    def next(self, answer: Answer, params: Params) -> Params | None:
        cursor = self.read(answer.json())
        return {**params, self.parameter: cursor} if cursor else None


@dataclass(frozen=True)
class KeysetPaging(Paging):
    """Items by ascending id, each page beginning after the last id (GitLab)."""

    per_page: int = 100

    def start(self, params: Params) -> Params:
        return {"pagination": "keyset", "order_by": "id", "sort": "asc", "per_page": self.per_page, **params}

    def next(self, answer: Answer, params: Params) -> Params | str | None:
        if answer.links:
            return answer.links.get("next")
        items = listed(answer.json())
        if len(items) < self.per_page:
            return None
        return {**params, "id_after": items[-1]["id"]}


class Walk:
    """Notices where pages repeat themselves, which would never end."""

    def __init__(self) -> None:
        self._bodies: set[bytes] = set()
        self._steps: set[str] = set()
        self._empty = 0

    def is_repeated(self, items: Sequence[Any]) -> bool:
        """Whether an earlier page had the same items, by their ids; remembers these."""
        if not items:
            # A filter may leave a page empty that is not the last; many in a row are no filter's.
            self._empty += 1
            return self._empty > _EMPTY_PAGES
        self._empty = 0
        named = [item.get("id", item) if isinstance(item, dict) else item for item in items]
        digest = _digest(named)
        if digest in self._bodies:
            return True
        self._bodies.add(digest)
        return False

    def has_taken(self, step: Params | str) -> bool:
        """Whether this page was asked for before; remembers it."""
        name = step if isinstance(step, str) else json.dumps(dict(step), sort_keys=True, default=list)
        if name in self._steps:
            return True
        self._steps.add(name)
        return False


def _digest(value: Any) -> bytes:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("utf-8", "surrogatepass")).digest()


def _number(params: Params, name: str) -> int:
    value = params[name]
    return int(value) if isinstance(value, int | str) else 0
