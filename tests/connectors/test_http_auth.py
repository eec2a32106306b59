"""Credentials: what is sent, when it is renewed, and what is said where it cannot be had."""

from __future__ import annotations

import base64
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.connector import SourceError
from connectors.http import (
    Auth,
    Client,
    NotFound,
    Unauthorized,
    Unavailable,
    basic,
    bearer,
    client_credentials,
    github_app,
)
from tests.connectors.http_script import Script, error, ok
from tests.serving import Received, serving


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        (bearer(SecretStr("abc-123")), "authorization", "Bearer abc-123"),
        (bearer(SecretStr("abc-123\n")), "authorization", "Bearer abc-123"),
        (bearer(SecretStr("abc-123"), scheme="Token token="), "authorization", "Token token= abc-123"),
        (bearer(SecretStr("abc-123"), "PRIVATE-TOKEN", ""), "private-token", "abc-123"),
        (
            basic("eve", SecretStr("pässword")),
            "authorization",
            "Basic " + base64.b64encode("eve:pässword".encode()).decode(),
        ),
    ],
)
def test_what_is_given_is_sent(script: Script, auth: Auth, header: str, value: str) -> None:
    with Client(script.url, auth=auth) as client:
        client.get("/", stream="thing")
    assert script.received[0].headers[header] == value
    assert "abc-123" not in repr(auth)
    assert "ssword" not in repr(auth)
    assert value.rpartition(" ")[2] not in repr(auth)


def test_a_basic_pair_is_secret_in_its_encoded_form(script: Script) -> None:
    auth = basic("eve", SecretStr("password"))
    pair = base64.b64encode(b"eve:password").decode()
    script.answers(error(400, {"message": f"Header {pair}"}))
    with Client(script.url, auth=auth) as client, pytest.raises(SourceError) as caught:
        client.get("/", stream="thing")
    assert str(caught.value).endswith("Header ***")


@pytest.mark.parametrize("token", ["", " ", "a b", "a\nb", "tökén", "a\x00b"])
def test_a_token_that_is_none(token: str) -> None:
    with pytest.raises(SourceError, match=r"^The token is empty or holds characters"):
        bearer(SecretStr(token))


def test_a_refused_token_is_not_sent_twice(script: Script) -> None:
    script.answers(error(401))
    auth = bearer(SecretStr("abc-123"))
    with Client(script.url, auth=auth) as client, pytest.raises(Unauthorized):
        client.get("/", stream="thing")
    assert len(script.received) == 1


class Issuer:
    """A tool with a GitHub App's and OAuth's token endpoints, which accepts the newest token alone."""

    def __init__(self) -> None:
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.pem = self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        self.claims: list[dict[str, Any]] = []
        self.forms: list[dict[str, str]] = []
        self.tokens: list[str] = []
        self.lasts_seconds = 3600.0
        self.clock_is_ahead = timedelta()
        self.installations: list[dict[str, Any]] = [{"id": 77, "suspended_at": None}]
        self.faults: list[Response] = []
        self.received: list[Received] = []
        self.url = ""

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/app/installations", self._installed),
                Route(
                    "/app/installations/{id:int}/access_tokens", self._installation_token, methods=["POST"]
                ),
                Route("/oauth/token", self._oauth_token, methods=["POST"]),
                Route("/{path:path}", self._thing),
            ]
        )

    def _verify(self, request: Request) -> None:
        token = request.headers["authorization"].removeprefix("Bearer ")
        in_time = not self.clock_is_ahead
        options: jwt.types.Options = {"verify_exp": in_time, "verify_iat": in_time}
        self.claims.append(jwt.decode(token, self.private.public_key(), ["RS256"], options=options))

    def _installed(self, request: Request) -> Response:
        self._verify(request)
        return JSONResponse(self.installations)

    def _installation_token(self, request: Request) -> Response:
        if self.faults:
            return self.faults.pop(0)
        self._verify(request)
        if request.path_params["id"] != 77:
            return error(404, {"message": "Integration not found"})
        now = datetime.now(UTC) + self.clock_is_ahead
        expires = (now + timedelta(seconds=self.lasts_seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
        answer = {"token": self._issued(), "expires_at": expires}
        return JSONResponse(answer, 201, {"Date": format_datetime(now, usegmt=True)})

    async def _oauth_token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.forms.append(form)
        if form["client_secret"] != "s3cret&=+ü":
            return error(401, {"error": "invalid_client", "error_description": f"No {form['client_secret']}"})
        return JSONResponse({"access_token": self._issued(), "expires_in": self.lasts_seconds})

    def _issued(self) -> str:
        self.tokens.append(f"issued-{len(self.tokens)}")
        return self.tokens[-1]

    def _thing(self, request: Request) -> Response:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not self.tokens or given != self.tokens[-1]:
            return error(401, {"message": f"Bad credentials {given}"})
        return ok({"id": 1})


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    with serving(issuer.app(), issuer.received, date_header=False) as issuer.url:
        yield issuer


def app_auth(issuer: Issuer, installation: int | None = 77) -> Auth:
    return github_app("12345", SecretStr(issuer.pem), installation)


def oauth(issuer: Issuer, secret: str = "s3cret&=+ü", scope: str | None = None) -> Auth:
    return client_credentials(f"{issuer.url}/oauth/token", "cairn", SecretStr(secret), scope)


def test_an_app_proves_who_it_is_and_uses_its_installations_token(issuer: Issuer) -> None:
    auth = app_auth(issuer)
    with Client(issuer.url, auth=auth) as client:
        assert client.get("/repos", stream="thing").json() == {"id": 1}
        client.get("/repos", stream="thing")
    now = datetime.now(UTC).timestamp()
    (claims,) = issuer.claims
    assert claims["iss"] == "12345"
    assert now - 120 < claims["iat"] <= now - 60
    assert now < claims["exp"] <= now + 600 - 60
    assert client.requests == {"thing": 2, "auth": 1}
    assert issuer.pem.splitlines()[3] not in repr(auth) + repr(vars(client))


def test_the_line_breaks_of_a_key_may_be_written_out(issuer: Issuer) -> None:
    auth = github_app(12345, SecretStr(issuer.pem.replace("\n", "\\n")), 77)
    with Client(issuer.url, auth=auth) as client:
        client.get("/repos", stream="thing")


def test_the_only_installation_is_found(issuer: Issuer) -> None:
    issuer.installations.append({"id": 78, "suspended_at": "2026-01-01T00:00:00Z"})
    with Client(issuer.url, auth=app_auth(issuer, None)) as client:
        client.get("/repos", stream="thing")


def test_which_of_several_installations_is_asked_without_naming_people(issuer: Issuer) -> None:
    issuer.installations = [
        {"id": 77, "account": {"login": "acme", "type": "Organization"}},
        {"id": 78, "account": {"login": "eve", "type": "User"}},
    ]
    auth = app_auth(issuer, None)
    with Client(issuer.url, auth=auth) as client, pytest.raises(SourceError) as caught:
        client.get("/repos", stream="thing")
    assert str(caught.value) == "The GitHub App is installed 2 times: 77 (acme), 78"
    assert "installation_id" in caught.value.mend
    issuer.installations = []
    with Client(issuer.url, auth=auth) as client, pytest.raises(SourceError, match="installed nowhere"):
        client.get("/repos", stream="thing")


def test_an_installation_that_is_none(issuer: Issuer) -> None:
    auth = app_auth(issuer, 99)
    with Client(issuer.url, auth=auth) as client, pytest.raises(NotFound, match="Integration not found"):
        client.get("/repos", stream="thing")


@pytest.mark.parametrize("pem", ["", "no key", "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----"])
def test_a_key_that_is_none(issuer: Issuer, pem: str) -> None:
    auth = github_app("1", SecretStr(pem), 77)
    with Client(issuer.url, auth=auth) as client, pytest.raises(SourceError, match="cannot be read"):
        client.get("/repos", stream="thing")


@pytest.mark.parametrize("make", [app_auth, oauth])
def test_a_token_that_expires_midway_is_renewed_once(issuer: Issuer, make: Any) -> None:
    with Client(issuer.url, auth=make(issuer)) as client:
        client.get("/repos", stream="thing")
        issuer.tokens.append("another")  # from now on the first is refused
        assert client.get("/repos", stream="thing").json() == {"id": 1}
        assert client.requests == {"thing": 3, "auth": 2}


def test_a_renewed_token_that_is_refused_as_well_is_an_error(script: Script) -> None:
    issued = ok({"access_token": "issued-1"})
    auth = client_credentials(f"{script.url}/token", "cairn", SecretStr("s3cret"))
    with (
        Client(
            script.answers(issued, error(401), issued, error(401, {"message": "No"})), auth=auth
        ) as client,
        pytest.raises(Unauthorized, match=r"No$"),
    ):
        client.get("/", stream="thing")
    assert client.requests == {"thing": 2, "auth": 2}


@pytest.mark.parametrize("make", [app_auth, oauth])
def test_a_token_is_renewed_before_it_expires(issuer: Issuer, make: Any) -> None:
    issuer.lasts_seconds = 0
    with Client(issuer.url, auth=make(issuer)) as client:
        client.get("/repos", stream="thing")
        client.get("/repos", stream="thing")
    assert client.requests == {"thing": 2, "auth": 2}


@pytest.mark.parametrize("ahead", [timedelta(hours=5), timedelta(hours=-5)])
def test_expiry_is_read_by_the_tools_clock(issuer: Issuer, ahead: timedelta) -> None:
    issuer.clock_is_ahead = ahead
    with Client(issuer.url, auth=app_auth(issuer)) as client:
        client.get("/repos", stream="thing")
        client.get("/repos", stream="thing")
        assert client.requests["auth"] == 1
        issuer.lasts_seconds = 0
        issuer.tokens.append("another")
        client.get("/repos", stream="thing")
        client.get("/repos", stream="thing")
        assert client.requests["auth"] == 3


def test_threads_share_a_token(issuer: Issuer) -> None:
    with Client(issuer.url, auth=app_auth(issuer)) as client:
        threads = [
            threading.Thread(target=client.get, args=("/",), kwargs={"stream": "thing"}) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert client.requests == {"thing": 8, "auth": 1}


def test_faults_while_a_token_is_obtained_are_waited_out(issuer: Issuer) -> None:
    issuer.faults = [error(502), error(503)]
    with Client(issuer.url, auth=app_auth(issuer)) as client:
        client.get("/repos", stream="thing")
        assert client.requests["auth"] == 3
    issuer.faults = [error(502)] * 9
    with Client(issuer.url, auth=app_auth(issuer), retries=2) as client, pytest.raises(Unavailable):
        client.get("/repos", stream="thing")


def test_client_credentials_are_sent_as_a_form(issuer: Issuer) -> None:
    with Client(issuer.url, auth=oauth(issuer, scope="a b")) as client:
        client.get("/repos", stream="thing")
    assert issuer.forms == [
        {
            "grant_type": "client_credentials",
            "client_id": "cairn",
            "client_secret": "s3cret&=+ü",
            "scope": "a b",
        }
    ]
    assert "authorization" not in issuer.received[0].headers


def test_wrong_client_credentials(issuer: Issuer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    auth = oauth(issuer, "wr0ng-s3cret")
    with Client(issuer.url, auth=auth) as client, pytest.raises(Unauthorized) as caught:
        client.get("/repos", stream="thing")
    assert str(caught.value).endswith("/oauth/token was answered with 401 Unauthorized: No ***")
    assert "wr0ng" not in repr(auth) + caplog.text + repr(caught.value)


def test_an_issued_token_is_as_secret_as_a_given_one(issuer: Issuer) -> None:
    with Client(issuer.url, auth=app_auth(issuer)) as client:
        client.get("/repos", stream="thing")
        issuer.tokens.append("another")
        issuer.faults = [error(400, {"message": "not issued-0"})]
        with pytest.raises(SourceError) as caught:
            client.get("/repos", stream="thing")
    assert "issued" not in str(caught.value)


@pytest.mark.parametrize("body", [{}, [], {"access_token": None}, {"access_token": 5}])
def test_an_answer_without_a_token(script: Script, body: object) -> None:
    script.answers(ok(body))
    auth = client_credentials(f"{script.url}/token", "cairn", SecretStr("s3cret"))
    with Client(script.url, auth=auth) as client, pytest.raises(SourceError, match="without access_token"):
        client.get("/", stream="thing")
