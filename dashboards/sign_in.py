"""`/sign-in`, `/sign-out`: the way to the identity provider and back, by OpenID Connect.

The authorization code flow with PKCE, state and nonce, as Authlib does it. Of what the provider says only
roles are kept.
"""

from __future__ import annotations

import logging
import re
import secrets
import warnings
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router

from dashboards import notices
from dashboards.roles import Role
from dashboards.sessions import Session, Sessions

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from pipelines.sign_in_settings import SignInConfig

FLOW_SECONDS = 600
"""How long somebody may take at the provider."""

log = logging.getLogger(__name__)


class SignIn:
    """Sign-in as configured, and the sessions it has begun."""

    def __init__(self, config: SignInConfig) -> None:
        self._config = config
        self._sessions = Sessions(config.session)
        self.origin = config.public_url
        self.host = urlsplit(config.public_url).hostname or ""
        self.contact = config.contact
        self._is_secure = config.public_url.startswith("https:")
        # With the prefix, no neighbouring host can set it.
        self.cookie = "__Host-cairn" if self._is_secure else "cairn"

    def session(self, connection: HTTPConnection) -> Session | None:
        """The session of a request's cookie, as long as it lasts."""
        return self._sessions.find(connection.cookies.get(self.cookie))

    def routes(self) -> list[BaseRoute]:
        """What browsers are sent to."""
        flow = Router(
            [Route("/", self._begin), Route("/callback", self._finish)],
            middleware=[
                Middleware(
                    SessionMiddleware,
                    # A flow that a restart cuts off is begun again.
                    secret_key=secrets.token_urlsafe(32),
                    session_cookie="cairn_sign_in",
                    max_age=FLOW_SECONDS,
                    path="/sign-in",
                    https_only=self._is_secure,
                )
            ],
        )

        async def apart(scope: Scope, receive: Receive, send: Send) -> None:
            # On a scope of its own, or Streamlit's session cookie would hold the flow, too.
            await flow({**scope}, receive, send)

        return [
            Mount("/sign-in", apart),
            Route("/sign-out", self._leave),
            Route("/signed-out", self._left),
        ]

    async def _begin(self, request: Request) -> Response:
        request.session["next"] = after = _local(request.query_params.get("next", "/"))
        session = self.session(request)
        if session and session.roles:
            return RedirectResponse(after, 303)  # Signed in in another tab meanwhile.
        try:
            provider = await run_in_threadpool(lambda: self._provider)
            response: Response = await provider.authorize_redirect(
                request, f"{self._config.public_url}/sign-in/callback"
            )
        except Exception as error:  # noqa: BLE001 - Authlib passes on whatever its HTTP client raises
            return _failed(error)
        return response

    async def _finish(self, request: Request) -> Response:
        after = _local(request.session.pop("next", "/"))
        try:
            claims, id_token = await self._claims(request)
        except Exception as error:  # noqa: BLE001 - as above
            return _failed(error)
        self._sessions.end(request.cookies.get(self.cookie))
        known = self._sessions.begin(roles(claims, self._config), id_token)
        response = RedirectResponse(after, 303)
        response.set_cookie(self.cookie, known, secure=self._is_secure, httponly=True, samesite="lax")
        return response

    async def _claims(self, request: Request) -> tuple[dict[str, Any], str]:
        """What the provider says of the person, and its ID token; some tell groups only where asked again."""
        issuer = self._config.issuer
        expected = {"iss": {"values": [issuer, f"{issuer}/"]}, "aud": {"values": [self._config.client_id]}}
        token = await self._provider.authorize_access_token(request, claims_options=expected)
        if not token.get("userinfo"):
            raise _Unbelievable("no_id_token")
        claims: dict[str, Any] = dict(token["userinfo"])
        metadata = await self._provider.load_server_metadata()
        if _found(claims, self._config.claim) is None and metadata.get("userinfo_endpoint"):
            more = await self._provider.userinfo(token=token)
            if more.get("sub") != claims["sub"]:
                raise _Unbelievable("other_subject")
            claims |= more
        return claims, token["id_token"]

    async def _leave(self, request: Request) -> Response:
        session = self._sessions.end(request.cookies.get(self.cookie))
        away = "/signed-out"
        if session:
            try:
                address = await self._provider.create_logout_url(
                    post_logout_redirect_uri=f"{self._config.public_url}/signed-out",
                    id_token_hint=session.id_token,
                    client_id=self._config.client_id,
                )
                away = address["url"]
            except Exception as error:  # noqa: BLE001 - as above; a provider may know no sign-out
                log.info("The provider's own session goes on: %s", type(error).__name__)
        response = RedirectResponse(away, 303)
        response.delete_cookie(self.cookie, secure=self._is_secure, httponly=True, samesite="lax")
        return response

    async def _left(self, _request: Request) -> Response:
        return notices.farewell()

    @cached_property
    def _provider(self) -> Any:
        # Authlib's, of the HTTP client that all of Cairn uses; it insists on being heard.
        with warnings.catch_warnings(record=True):
            from authlib.integrations.starlette_client import OAuth
        return OAuth().register(
            "cairn",
            client_id=self._config.client_id,
            client_secret=self._config.client_secret.get_secret_value(),
            server_metadata_url=f"{self._config.issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": " ".join(["openid", *self._config.scopes]),
                "code_challenge_method": "S256",
            },
        )


class _Unbelievable(Exception):
    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


def roles(claims: Mapping[str, Any], config: SignInConfig) -> frozenset[Role]:
    """What the provider's words make of a person."""
    said = _found(claims, config.claim)
    values = {each for each in (said if isinstance(said, list) else [said]) if isinstance(each, str)}
    given = {role for role in Role if values & set(getattr(config.roles, role))}
    return frozenset(given | ({Role(config.everyone)} if config.everyone else set()))


def _found(claims: Mapping[str, Any], claim: str) -> Any:
    if claim in claims:
        return claims[claim]
    head, _, rest = claim.partition(".")
    inner = claims.get(head)
    return _found(inner, rest) if rest and isinstance(inner, Mapping) else None


def _local(path: str) -> str:
    """`path` where it is one of this server; browsers take `//host` and `/\\host` for another."""
    return path if re.fullmatch(r"/(?![/\\])[^\x00-\x20\\]{,1000}", path) else "/"


def _failed(error: Exception) -> Response:
    # What it says may hold an address or a code: only what kind it is is logged and shown.
    code = str(getattr(error, "error", None) or "")
    if code == "mismatching_state":
        return notices.failed("It took too long, or was begun in another window.", 400)
    if not re.fullmatch(r"[a-z_]{1,40}", code):
        log.warning("The identity provider could not be asked: %s", type(error).__name__)
        return notices.failed(f"The identity provider could not be asked ({type(error).__name__}).", 502)
    kind = f"{code} {getattr(error, 'claim_name', '')}".strip()
    log.warning("A sign-in failed: %s", kind)
    return notices.failed(f"The sign-in ended with `{kind}`.", 403)
