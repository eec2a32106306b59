"""One request and its answer: credentials, retries, rate limits, redirects.

Credentials go to the configured origin (scheme, host and port) alone: a redirect elsewhere is
refused. Rate limits are waited for, faults that pass are retried, and what remains is raised
as one line without secrets.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import version
from typing import Any
from weakref import WeakSet

import httpx

from connectors.http.auth import Auth, Grant
from connectors.http.errors import HttpError, Redaction, Unavailable
from connectors.http.limits import Budget, budget, reset_seconds, resource
from connectors.http.reading import Answer, Reading, Request, Setback

FIRST_PAUSE_SECONDS = 0.5
"""Upper bound of the pause before the first retry of a fault; doubled for each further one."""
LONGEST_PAUSE_SECONDS = 20.0
UNSAID_LIMIT_SECONDS = 60.0
"""Pause after a rate limit that does not say how long it lasts, as GitHub advises; doubled each time."""

MOST_BYTES = 64 << 20
"""Of a body once it is decompressed; no page of any tool comes near."""

_CONNECT_SECONDS = 10.0
_RENEWAL_SECONDS = 300.0
"""How long before they expire credentials are renewed, or a fifth of their life where that is less."""
_REDIRECTS = 5
_OF_THE_TRANSFER = {"content-encoding", "content-length", "transfer-encoding"}
"""Headers that are about a body as it was sent."""
_AUTH_STREAM = "auth"

log = logging.getLogger(__name__)


class Exchange:
    """Sends requests to one tool; may be used by several threads at once."""

    def __init__(
        self,
        base: httpx.URL,
        auth: Auth | None,
        headers: Mapping[str, str],
        *,
        at_once: int,
        retries: int,
        patience_seconds: float,
        timeout_seconds: float,
        secrets: Sequence[str],
        transport: httpx.BaseTransport | None,
    ) -> None:
        self.base = base
        self.requests: Counter[str] = Counter()
        self.budget: Budget | None = None
        self.redacted = Redaction([*secrets, *(auth.secrets if auth else ())])
        self.reading = Reading(self.redacted, timeout_seconds)
        self.retries = retries
        self._auth = auth
        self._patience = patience_seconds
        self._lock = threading.Lock()
        self._granting = threading.Lock()
        self._grant: Grant | None = None
        self._grant_ends = float("inf")
        self._closed = threading.Event()
        self._slots = threading.BoundedSemaphore(at_once)
        self._blocked_until: dict[str, float] = {}
        self._resources: dict[str, str] = {}
        self._is_unreachable = False
        self._sockets: WeakSet[socket.socket] = WeakSet()
        # They log addresses and headers, in which secrets may stand.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._http = httpx.Client(
            headers={"Accept": "application/json", "User-Agent": f"cairn/{version('cairn')}", **headers},
            timeout=httpx.Timeout(timeout_seconds, connect=min(_CONNECT_SECONDS, timeout_seconds)),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=at_once),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            verify=_trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")),
            transport=transport,
        )

    def close(self) -> None:
        """End what is under way, in any thread, with `Unavailable`."""
        self._closed.set()
        with self._lock:
            for each in self._sockets:
                _shut_down(each)
        self._http.close()

    def send(self, request: Request) -> Answer:
        """The answer, however often it takes; raises `HttpError`, or `SourceError` of the credentials."""
        faults = 0
        patience = self._patience
        refused: Grant | None = None
        while True:
            patience -= self._wait_for_limits(request, patience)
            grant = None if request.is_for_grant else self._granted(refused)
            outcome = self._attempt(request, grant)
            if isinstance(outcome, Answer):
                return outcome
            is_renewable = grant is not None and self._auth is not None and self._auth.is_renewable
            if outcome.error.status == 401 and is_renewable and refused is None:
                refused = grant
                continue
            if outcome.is_permanent:
                raise outcome.error
            seconds = outcome.seconds or 0.0
            # Waiting as long as a limit says uses up patience; everything else uses up retries.
            if not outcome.is_limit or seconds < 1:
                faults += 1
                if faults > (0 if self._is_unreachable else self.retries):
                    self._is_unreachable |= outcome.error.status is None
                    raise outcome.error
                seconds = max(seconds, self._pause_seconds(outcome, faults))
            if outcome.is_limit:
                self._block(outcome.resource, seconds)
            elif seconds > patience:
                raise outcome.error
            else:
                self.pause(seconds, str(outcome.error))
                patience -= seconds

    def pause(self, seconds: float, reason: str) -> None:
        """Wait; raises `Unavailable` where the client is closed meanwhile."""
        if seconds >= 1:
            log.info("Waiting %.0f s: %s", seconds, reason)
        if self._closed.wait(seconds):
            raise _ended()

    @staticmethod
    def fault_seconds(faults: int) -> float:
        """How long to wait after so many faults in a row; at random, for threads not to come back at once."""
        longest: float = min(FIRST_PAUSE_SECONDS * 2 ** (faults - 1), LONGEST_PAUSE_SECONDS)
        return random.uniform(0, longest)

    def _pause_seconds(self, setback: Setback, faults: int) -> float:
        if setback.is_limit and setback.seconds is None:
            return UNSAID_LIMIT_SECONDS * 2.0 ** (faults - 1)
        return self.fault_seconds(faults)

    # Rate limits

    def _wait_for_limits(self, request: Request, patience: float) -> float:
        """Wait until no known limit forbids the request; returns the seconds waited."""
        waited = 0.0
        while True:
            with self._lock:
                resources = {"", self._resources.get(request.stream, "")}
                until = max((self._blocked_until.get(each, 0.0) for each in resources), default=0.0)
            seconds = until - time.monotonic()
            if seconds <= 0:
                return waited
            if seconds > patience - waited:
                raise Unavailable(
                    f"{request.url.host} limits the rate of requests for another {_duration(seconds)}",
                    "Sync again after that; the limit may also be raised in the tool.",
                    status=429,
                )
            # Not all threads at the same moment; and the clocks' whole seconds are rounded down.
            seconds += random.uniform(0, min(1.0, seconds))
            self.pause(seconds, f"{request.url.host} limits the rate of requests")
            waited += seconds

    def _block(self, resource: str, seconds: float) -> None:
        with self._lock:
            until = time.monotonic() + seconds
            self._blocked_until[resource] = max(until, self._blocked_until.get(resource, 0.0))

    def _note_budget(self, request: Request, headers: Mapping[str, str]) -> None:
        stated = budget(headers)
        if stated is None or request.is_for_grant:
            return
        self.budget = stated
        self._resources[request.stream] = resource(headers)
        if stated.remaining == 0 and (seconds := reset_seconds(headers)):
            self._block(resource(headers), seconds)

    # Credentials

    def _granted(self, refused: Grant | None) -> Grant | None:
        """The credentials to send; new ones where they expire soon or were `refused`."""
        if self._auth is None:
            return None
        with self._granting:
            if self._grant is None or self._grant is refused or time.monotonic() >= self._grant_ends:
                began = time.monotonic()
                grant = self._auth.grant(self._send_for_grant)
                self.redacted.add(grant.value, grant.value.rpartition(" ")[2])
                lasts = grant.lasts_seconds
                # What is under way when they expire would be refused.
                early = min(_RENEWAL_SECONDS, (lasts or 0) / 5)
                self._grant_ends = float("inf") if lasts is None else began + lasts - early
                self._grant = grant
            return self._grant

    def _send_for_grant(
        self, method: str, path: str, headers: Mapping[str, str], form: Mapping[str, str] | None
    ) -> Answer:
        url = httpx.URL(path) if "://" in path else joined(self.base, path)
        self.redacted.add(*(value.rpartition(" ")[2] for value in headers.values()))
        content = str(httpx.QueryParams(form)).encode() if form is not None else None
        extra = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
        return self.send(
            Request(method, url, _AUTH_STREAM, {**headers, **extra}, content=content, is_for_grant=True)
        )

    # One attempt

    def _attempt(self, request: Request, grant: Grant | None) -> Answer | Setback:
        url = request.url
        redirects = 0
        while True:
            response = self._round_trip(request, url, grant)
            if isinstance(response, Setback):
                return response
            self._is_unreachable = False
            self._note_budget(request, response.headers)
            if response.next_request is None:
                return self.reading.response(request, response)
            target = response.next_request.url
            redirects += 1
            if not is_same_origin(target, request.url):
                where = f"{target.scheme}://{target.netloc.decode()}"
                return self.reading.misled(request, response, f"to {where}, which is not followed")
            if request.method != "GET" and response.status_code not in {307, 308}:
                return self.reading.misled(request, response, "to something to be read, not sent to")
            if redirects > _REDIRECTS:
                return self.reading.misled(request, response, "again and again")
            url = target.copy_with(userinfo=b"")

    def _round_trip(self, request: Request, url: httpx.URL, grant: Grant | None) -> httpx.Response | Setback:
        headers = {**request.headers, **({grant.header: grant.value} if grant else {})}
        with self._slots:
            if self._closed.is_set():
                raise _ended()
            with self._lock:
                self.requests[request.stream] += 1
            try:
                with self._http.stream(
                    request.method,
                    url,
                    headers=headers,
                    content=request.content,
                    extensions={"trace": self._note_socket},
                ) as response:
                    return self._received(request, response)
            except (httpx.RequestError, httpx.InvalidURL) as error:
                setback = self.reading.lost(replace(request, url=url), error)
            except RuntimeError:  # of a client that was closed
                if not self._closed.is_set():
                    raise
        if self._closed.is_set():
            raise _ended()
        return setback

    def _received(self, request: Request, response: httpx.Response) -> httpx.Response | Setback:
        """The response with its body, which may be compressed, unless it is too large to be meant."""
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MOST_BYTES:
                error = HttpError(
                    f"{self.reading.where(request)} is answered with more than {MOST_BYTES >> 20} MiB",
                    "Check that the address of this source is the tool's API.",
                )
                return Setback(error, is_permanent=True)
        headers = [pair for pair in response.headers.multi_items() if pair[0].lower() not in _OF_THE_TRANSFER]
        whole = httpx.Response(
            response.status_code, headers=headers, content=bytes(body), request=response.request
        )
        whole.next_request = response.next_request
        return whole

    def _note_socket(self, event: str, info: Mapping[str, Any]) -> None:
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            opened = info["return_value"].get_extra_info("socket")
            if isinstance(opened, socket.socket):
                with self._lock:
                    self._sockets.add(opened)
                    if self._closed.is_set():
                        _shut_down(opened)


@cache
def _trusted(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """The authorities that are trusted: to read them takes longer than ten requests."""
    return httpx.create_ssl_context()


def _shut_down(connection: socket.socket) -> None:
    """End it for a thread, too, that waits for something to read from it, which closing would not."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # also of TLS without a farewell


def joined(base: httpx.URL, path: str) -> httpx.URL:
    """The address of `path` below `base`, whatever path the base has itself."""
    return httpx.URL(f"{str(base).rstrip('/')}/{path.lstrip('/')}")


def is_same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    """Whether scheme, host and port are the same."""
    return (one.scheme, one.host, _port(one)) == (other.scheme, other.host, _port(other))


def _port(url: httpx.URL) -> int | None:
    return url.port or {"http": 80, "https": 443}.get(url.scheme)


def _duration(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _ended() -> Unavailable:
    return Unavailable("Reading was ended", "Sync again.")
