"""What a response means: an answer, a reason to wait, or an error."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from connectors.http.errors import HttpError, Redaction, Unavailable, for_status, phrase, words
from connectors.http.limits import (
    is_graphql_limit,
    is_limit,
    is_used_up,
    reset_seconds,
    resource,
    retry_after_seconds,
)

_LATER = "Nothing is to be done unless it lasts: the next sync tries again."
_ELSEWHERE = "If that is where the tool is now, change the address of this source."


@dataclass(frozen=True)
class Answer:
    """A successful answer, its JSON parsed."""

    status: int
    url: str
    """Without secrets."""
    headers: Mapping[str, str] = field(repr=False)
    """By name, whatever the case."""
    links: Mapping[str, str] = field(repr=False)
    """Relation → absolute URL, of the `Link` header."""
    validator: dict[str, str] | None = field(repr=False)
    """`etag` and `last_modified`, to be given with the same request next time; None without either."""
    body: Any = field(repr=False)

    @property
    def is_unchanged(self) -> bool:
        """It is as it was when the validator was given out; there is no body."""
        return self.status == 304

    def json(self) -> Any:
        """The parsed body; None where there was none."""
        return self.body


@dataclass(frozen=True)
class Request:
    """What to ask for, and under which stream to count it."""

    method: str
    url: httpx.URL
    stream: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes | None = field(default=None, repr=False)
    is_graphql: bool = False
    is_for_grant: bool = False
    """It obtains credentials, and is sent without any."""
    is_telling: bool = False
    """It tells something: what the answer says, beside its status, is not read."""


@dataclass(frozen=True)
class Setback:
    """A request that came to nothing this time."""

    error: HttpError
    """What to raise once patience is over."""
    is_permanent: bool = False
    is_limit: bool = False
    seconds: float | None = None
    """How long the tool said to wait."""
    resource: str = ""
    """Which of the tool's budgets is used up; empty for all."""


class Reading:
    """Makes answers and errors, both without secrets."""

    def __init__(self, redacted: Redaction, timeout_seconds: float) -> None:
        self.redacted = redacted
        self._timeout = timeout_seconds

    def where(self, request: Request) -> str:
        """The request as messages name it: its query may be long, and may be secret."""
        url = request.url.copy_with(query=None, fragment=None, userinfo=b"")
        return self.redacted.line(f"{request.method} {url}")

    def response(self, request: Request, response: httpx.Response) -> Answer | Setback:
        """What a response that is no redirect comes to."""
        if not response.is_success and response.status_code != 304:
            return self._refusal(request, response)
        body: Any = None
        if response.status_code not in {204, 205, 304} and not request.is_telling:
            try:
                body = json.loads(response.content)
            except (ValueError, RecursionError):
                return self._unreadable(request, response)
        if request.is_graphql and isinstance(body, dict):
            setback = self._query_setback(request, response.headers, body)
            if setback:
                return setback
        validators = {
            "etag": response.headers.get("etag"),
            "last_modified": response.headers.get("last-modified"),
        }
        return Answer(
            status=response.status_code,
            url=self.redacted(str(response.url)),
            headers=response.headers,
            links=dict(_links(response)),
            validator={name: value for name, value in validators.items() if value} or None,
            body=body,
        )

    def misled(self, request: Request, response: httpx.Response, how: str) -> Setback:
        """What a redirect that is not followed comes to."""
        line = self.redacted.line(f"{self.where(request)} was redirected {how}", 400)
        return Setback(HttpError(line, _ELSEWHERE, status=response.status_code), is_permanent=True)

    def lost(self, request: Request, error: Exception) -> Setback:
        """What no response comes to. Does not hold on to `error`, which knows the headers that were sent."""
        where, host, address = self.where(request), request.url.host, request.url.netloc.decode()
        if isinstance(error, httpx.ConnectTimeout):
            return Setback(Unavailable(f"{address} cannot be reached: no answer in time", _LATER))
        if isinstance(error, httpx.TimeoutException):
            return Setback(Unavailable(f"{where} was not answered within {self._timeout:g} s", _LATER))
        for cause in _causes(error):
            match cause:
                case ssl.SSLCertVerificationError():
                    line = self.redacted.line(
                        f"The certificate of {host} is not trusted: {cause.verify_message}"
                    )
                    mend = "Name the file with your certificate authority in the variable SSL_CERT_FILE."
                    return Setback(HttpError(line, mend), is_permanent=True)
                case ssl.SSLError(reason="WRONG_VERSION_NUMBER" | "HTTP_REQUEST" | "RECORD_LAYER_FAILURE"):
                    line = f"{address} does not speak TLS"
                    mend = "Check the address: `http` or `https`, and the port."
                    return Setback(HttpError(line, mend), is_permanent=True)
                case socket.gaierror():
                    line = f"The host {host} is not known: {cause.strerror}"
                    return Setback(Unavailable(line, "Check the address, and that the network is up."))
                case ConnectionRefusedError():
                    line = f"{address} refused the connection"
                    return Setback(Unavailable(line, "Check the address, and that the tool is running."))
        said = self.redacted.line(str(error)) or type(error).__name__
        if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
            return Setback(HttpError(f"{where}: {said}", "Check the address."), is_permanent=True)
        return Setback(Unavailable(f"{where} was cut off: {said}", _LATER))

    def _refusal(self, request: Request, response: httpx.Response) -> Setback:
        status, headers = response.status_code, response.headers
        said = self.redacted.line(words(response.content))
        line = _line(self.where(request), status, said)
        seconds = retry_after_seconds(headers)
        if is_limit(status, headers, said):
            is_budget = seconds is None and is_used_up(headers)
            return Setback(
                Unavailable(line, _LATER, status=status),
                is_limit=True,
                seconds=reset_seconds(headers) if is_budget else seconds,
                resource=resource(headers) if is_budget else "",
            )
        if status >= 500 or status in {408, 425}:
            return Setback(Unavailable(line, _LATER, status=status), seconds=seconds)
        missing = self.redacted.line(headers.get("x-accepted-github-permissions", ""))
        return Setback(for_status(status, line, missing), is_permanent=True)

    def _unreadable(self, request: Request, response: httpx.Response) -> Setback:
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        where, status = self.where(request), response.status_code
        if kind in {"text/html", "application/xhtml+xml"}:
            said = self.redacted.line(words(response.content))
            line = f"{where} was answered with a web page" + (f": {said}" if said else "")
            mend = "Check that the address is the API's and that no sign-in page stands before it."
            return Setback(HttpError(line, mend, status=status), is_permanent=True)
        return Setback(Unavailable(f"{where} was answered with damaged JSON", _LATER, status=status))

    def _query_setback(
        self, request: Request, headers: Mapping[str, str], body: dict[str, Any]
    ) -> Setback | None:
        """Why a query that was answered with 200 is to be asked again, if it is."""
        errors = body.get("errors")
        where = self.where(request)
        if is_graphql_limit(errors):
            said = retry_after_seconds(headers)
            return Setback(
                Unavailable(f"{where} was answered with a rate limit", _LATER, status=200),
                is_limit=True,
                seconds=said if said is not None else reset_seconds(headers) if is_used_up(headers) else None,
                resource=resource(headers),
            )
        # GitHub's words when it takes too long.
        if body.get("data") is None and "something went wrong while executing" in str(errors).lower():
            return Setback(Unavailable(f"{where} failed within the tool", _LATER, status=200))
        return None


def _line(where: str, status: int, said: str) -> str:
    line = f"{where} was answered with {status} {phrase(status)}".rstrip()
    return f"{line}: {said}" if said and said != phrase(status) else line


def _links(response: httpx.Response) -> Iterator[tuple[str, str]]:
    for relation, link in response.links.items():
        try:
            yield str(relation), str(response.url.join(link["url"]))
        except (httpx.InvalidURL, KeyError, UnicodeError):
            continue


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what led to it."""
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
