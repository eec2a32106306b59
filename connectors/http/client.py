"""HTTP: the one client all connectors speak through."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import JsonValue

from connectors.connector import SourceError
from connectors.http.auth import Auth
from connectors.http.errors import (
    GraphQLError,
    HttpError,
)
from connectors.http.exchange import Exchange, is_same_origin, joined
from connectors.http.limits import Budget
from connectors.http.paging import (
    Paging,
    Params,
    Walk,
    listed,
)
from connectors.http.reading import Answer, Request

Page = TypeVar("Page")


class Client:
    """One tool over HTTP, for one reading of it; may be used by several threads at once."""

    def __init__(
        self,
        base_url: str,
        *,
        auth: Auth | None = None,
        headers: Mapping[str, str] | None = None,
        at_once: int = 8,
        retries: int = 5,
        patience_seconds: float = 900,
        timeout_seconds: float = 30,
        secrets: Sequence[str] = (),
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`patience_seconds` bounds what one request waits for rate limits, `timeout_seconds` each silence.

        `at_once` bounds the requests under way; `secrets` are to show nowhere, beside those of `auth`.
        """
        self._exchange = Exchange(
            _base(base_url),
            auth,
            headers or {},
            at_once=at_once,
            retries=retries,
            patience_seconds=patience_seconds,
            timeout_seconds=timeout_seconds,
            secrets=secrets,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._exchange.redacted(str(self._exchange.base))!r})"

    @property
    def requests(self) -> Counter[str]:
        """Stream → requests sent, retries included; those for credentials under `auth`."""
        return self._exchange.requests

    @property
    def budget(self) -> Budget | None:
        """Of the last answer that stated one."""
        return self._exchange.budget

    def close(self) -> None:
        """End what is under way, in any thread, with `Unavailable`."""
        self._exchange.close()

    def get(
        self,
        path: str,
        params: Params | None = None,
        *,
        stream: str,
        validator: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask for `path` below the base URL, or for an absolute URL on its origin; raises `HttpError`.

        With the `validator` of an earlier answer to the same, the answer may be `is_unchanged`.
        """
        conditions = {"etag": "If-None-Match", "last_modified": "If-Modified-Since"}
        headers = {conditions[name]: value for name, value in (validator or {}).items() if name in conditions}
        answer = self._exchange.send(Request("GET", self._url(path, params), stream, headers))
        if answer.is_unchanged:
            return replace(answer, validator={**(validator or {}), **(answer.validator or {})})
        return answer

    def post(self, path: str, body: JsonValue, *, stream: str) -> Answer:
        """Send JSON; raises `HttpError`. May be sent more than once, so it must be harmless to repeat."""
        return self._exchange.send(self._posted(path, body, stream))

    def tell(self, path: str, body: JsonValue, *, stream: str) -> None:
        """As `post`, where nothing is to be read of the answer, as of a webhook's."""
        self._exchange.send(replace(self._posted(path, body, stream), is_telling=True))

    def graphql(
        self, query: str, variables: Mapping[str, JsonValue], *, stream: str, path: str = "/graphql"
    ) -> dict[str, Any]:
        """The whole answer to a query: `data`, and `errors` where a part of it failed.

        Raises `GraphQLError` where there is no data at all, else as `get` does.
        """
        body: JsonValue = {"query": query, "variables": dict(variables)}
        request = replace(self._posted(path, body, stream), is_graphql=True)
        answer = self._exchange.send(request).json()
        if isinstance(answer, dict) and answer.get("data") is not None:
            return answer
        errors = answer.get("errors") if isinstance(answer, dict) else None
        kept = [
            {
                "type": error.get("type"),
                "path": error.get("path"),
                "message": self._exchange.redacted.line(str(error.get("message"))),
            }
            for error in (errors if isinstance(errors, list) else [])
            if isinstance(error, dict)
        ]
        said = kept[0]["message"] if kept else "neither data nor errors"
        raise GraphQLError(
            f"{self._exchange.reading.where(request)} was answered without data: {said}",
            "Check the permissions of the credentials, and the address.",
            kept,
        )

    def pages(
        self,
        path: str,
        params: Params | None = None,
        *,
        stream: str,
        paging: Paging,
        validator: Mapping[str, str] | None = None,
    ) -> Iterator[Answer]:
        """Every page, each asked for when the one before it has been taken; raises `HttpError`.

        An unchanged first page is the only one. A page that repeats an earlier one is asked for again.
        """
        asked = paging.start(params or {})
        step: Params | str = asked
        walk = Walk()
        while not walk.has_taken(step):
            where, query = (step, None) if isinstance(step, str) else (path, step)
            ask = partial(self.get, where, query, stream=stream, validator=validator)
            answer = self.unrepeated(walk, ask, lambda answer: listed(answer.json()))
            yield answer
            following = None if answer.is_unchanged else paging.next(answer, asked)
            if following is None:
                return
            step, validator = following, None
            if not isinstance(following, str):
                asked = following
        raise _endless(stream)

    def unrepeated(self, walk: Walk, ask: Callable[[], Page], items: Callable[[Page], Sequence[Any]]) -> Page:
        """A page whose items none before it in `walk` had, asked for again where one had them."""
        for faults in range(1, self._exchange.retries + 2):
            page = ask()
            if not walk.is_repeated(items(page)):
                return page
            self._exchange.pause(self._exchange.fault_seconds(faults), "a page came twice")
        raise _endless("")

    def _posted(self, path: str, body: JsonValue, stream: str) -> Request:
        headers = {"Content-Type": "application/json"}
        return Request("POST", self._url(path, None), stream, headers, json.dumps(body).encode())

    def _url(self, path: str, params: Params | None) -> httpx.URL:
        base = self._exchange.base
        redacted = self._exchange.redacted
        try:
            url = httpx.URL(path) if _is_absolute(path) else joined(base, path)
        except (httpx.InvalidURL, UnicodeError):
            line = redacted.line(f"{path} is no address")
            raise HttpError(line, "This is a fault in Cairn: please report it.") from None
        if not is_same_origin(url, base):
            line = redacted.line(f"{base.host} said to go on at {url.scheme}://{url.netloc.decode()}")
            raise HttpError(
                f"{line}, which is not followed",
                "If that is where the tool is now, change the address of this source.",
            )
        return url.copy_with(userinfo=b"", **({"params": _listed_values(params)} if params else {}))


def graphql_pages(
    client: Client,
    query: str,
    variables: Mapping[str, JsonValue],
    *,
    connection: Callable[[Any], Any],
    stream: str,
    variable: str = "cursor",
    path: str = "/graphql",
) -> Iterator[dict[str, Any]]:
    """Every page's whole answer, as `Client.graphql` gives it; raises as that does.

    `connection` finds, in `data`, what has `pageInfo` and `nodes` or `edges`, or None. The query takes
    the cursor of the page before as the `variable`.
    """
    asked = dict(variables)
    walk = Walk()

    def items(answer: dict[str, Any]) -> list[Any]:
        found = connection(answer["data"]) or {}
        return found.get("nodes") or found.get("edges") or []

    while not walk.has_taken({variable: str(asked.get(variable))}):
        ask = partial(client.graphql, query, asked, stream=stream, path=path)
        answer = client.unrepeated(walk, ask, items)
        yield answer
        page = (connection(answer["data"]) or {}).get("pageInfo") or {}
        if not page.get("hasNextPage"):
            return
        asked = {**asked, variable: page.get("endCursor")}
    raise _endless(stream)


def _base(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address.strip())
    except (httpx.InvalidURL, UnicodeError):
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not url.host:
        raise SourceError("The address is no http(s) URL", "Write it as `https://host/path`.")
    if url.userinfo:
        raise SourceError(
            f"The address of {url.host} holds a user or password", "Take them out and use the options for it."
        )
    return url.copy_with(query=None, fragment=None)


def _is_absolute(path: str) -> bool:
    return path.lower().startswith(("http://", "https://"))


def _listed_values(params: Params) -> dict[str, str | list[str]]:
    return {name: str(v) if isinstance(v, str | int) else list(v) for name, v in params.items()}


def _endless(stream: str) -> HttpError:
    return HttpError(
        f"The pages of {stream} repeat themselves and do not end",
        "This is a fault in the tool, or in a proxy before it.",
    )
