"""The gate before an app of a few lines: who gets past, by what name, and for how long."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection as Client
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from dashboards import viewer
from dashboards.gate import Gate
from dashboards.roles import EVERYONE, RUNNERS, Role
from dashboards.sessions import Session, Sessions
from dashboards.sign_in import SignIn, roles
from dashboards.site import PAGES
from pipelines.sign_in_settings import RolesConfig, SignInConfig
from tests.serving import serving

CONFIG = SignInConfig(
    issuer="https://login.acme.example",
    client_id="cairn",
    client_secret=SecretStr("x"),
    public_url="https://cairn.acme.example",
    claim="realm_access.roles",
    roles=RolesConfig(platform=("platform", "sre"), leadership=("cto",)),
)


class Doors(SignIn):
    """Sign-in whose sessions a test begins."""

    def __init__(self, sessions: Sessions) -> None:
        super().__init__(CONFIG)
        self.known = sessions

    def session(self, connection: HTTPConnection) -> Session | None:
        return self.known.find(connection.cookies.get(self.cookie))


@contextmanager
def gated(doors: SignIn | None = None) -> Iterator[str]:
    async def tell(request: Request) -> Response:
        told = [value for name, value in request.headers.items() if name.startswith("x-cairn")]
        return PlainTextResponse(f"{sorted(map(str, viewer.roles_of(request)))} {told}")

    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(text)

    routes = [Route("/page", tell), Route("/api/v1/x", tell), WebSocketRoute("/echo", echo)]
    with serving(Gate(Starlette(routes=routes), doors)) as address:
        yield address


def get(address: str, path: str, **headers: str) -> tuple[int, str]:
    client = Client(urlsplit(address).netloc, timeout=30)
    client.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = client.getresponse()
    return answer.status, answer.read().decode()


def test_without_sign_in_this_machine_reads_everything_by_its_own_names_alone() -> None:
    everyone = f"{sorted(map(str, EVERYONE))}"
    with gated() as address:
        code, text = get(address, "/page", X_Cairn_Roles="nobody", X_Cairn_Signed_In="yes")
        assert (code, text.startswith(everyone), "nobody" in text, "yes" in text) == (200, True, False, False)
        port = address.rpartition(":")[2]
        for host in ("localhost", f"LOCALHOST:{port}", f"[::1]:{port}"):
            assert get(address, "/page", Host=host)[0] == 200
        for host in ("evil.example", "evil_it.example", "127.0.0.1.evil.example", "127.0.0.1@evil", "[", ""):
            assert get(address, "/page", Host=host) == (400, "Unknown address")
            assert get(address, "/api/v1/x", Host=host) == (200, "[] ['']")
        code, text = get(address, "/page", Host="evil.example", Accept="text/html")
        assert (code, "This is not Cairn&#39;s address" in text) == (400, True)


def test_a_connection_ends_with_its_session_whether_or_not_anything_is_sent() -> None:
    sessions = Sessions(timedelta(hours=1))
    with gated(Doors(sessions)) as address:
        token = sessions.begin(frozenset({Role.platform}), "")
        cookie = {"Cookie": f"__Host-cairn={token}"}
        assert get(address, "/page", **cookie) == (200, "['platform'] ['platform', 'yes']")
        to = address.replace("http", "ws") + "/echo"
        for later in ((), ("too late",)):
            cookie = {"Cookie": f"__Host-cairn={(token := sessions.begin(frozenset({Role.platform}), ''))}"}
            with connect(to, additional_headers=cookie, legacy=True) as socket:
                socket.send("in time")
                assert socket.recv(timeout=30) == "in time"
                sessions.end(token)
                for text in later:
                    socket.send(text)
                last = socket.recv(timeout=30)
                assert isinstance(last, bytes)
                assert ForwardMsg.FromString(last).WhichOneof("type") == "auth_redirect"
                with pytest.raises(ConnectionClosed, match="1008"):
                    socket.recv(timeout=30)
        assert get(address, "/page", **cookie)[0] == 401
        # A cookie of another name, as http would have it, is none.
        plain = {"Cookie": f"cairn={sessions.begin(frozenset({Role.platform}), '')}"}
        assert get(address, "/page", **plain)[0] == 401


def test_over_https_no_cookie_goes_in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    doors = SignIn(CONFIG.model_copy(update={"issuer": "http://127.0.0.1:9"}))

    async def claims(_request: Request) -> tuple[dict[str, object], str]:
        return {"realm_access.roles": ["sre"]}, "id token"

    monkeypatch.setattr(doors, "_claims", claims)
    with serving(Starlette(routes=doors.routes())) as address:
        client = Client(urlsplit(address).netloc, timeout=30)
        for path, status, name in (
            ("/sign-in/", 502, "cairn_sign_in"),
            ("/sign-in/callback", 303, "__Host-cairn"),
        ):
            client.request("GET", path)
            answer = client.getresponse()
            body, cookie = answer.read().decode(), str(answer.headers["Set-Cookie"])
            assert (answer.status, cookie.startswith(f"{name}=")) == (status, True)
            assert {"httponly", "secure", "samesite=lax"} <= {*cookie.lower().split("; ")}
            assert ("could not be asked (ConnectError)" in body) == (status == 502)


def test_a_session_is_over_when_its_time_has_come() -> None:
    async def waited() -> None:
        sessions = Sessions(timedelta(milliseconds=50))
        session = sessions.find(token := sessions.begin(EVERYONE, ""))
        assert session
        await session.over()
        assert sessions.find(token) is None

    asyncio.run(asyncio.wait_for(waited(), 60))


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"realm_access": {"roles": ["sre", "coffee"]}}, {"platform"}),
        ({"realm_access.roles": "cto", "realm_access": {"roles": ["sre"]}}, {"leadership"}),
        ({"realm_access": {"roles": ["platform", "sre", "cto"]}}, {"platform", "leadership"}),
        ({"realm_access": {"roles": ["Platform", " sre", "sre,cto", None, 1, {"sre": 1}, ["sre"]]}}, set()),
        ({"realm_access": {"roles": {"sre": True}}}, set()),
        ({"realm_access": ["sre"]}, set()),
        ({"roles": ["sre"]}, set()),
        ({}, set()),
    ],
)
def test_a_claim_gives_the_roles_it_names_exactly(claims: dict[str, object], expected: set[str]) -> None:
    assert roles(claims, CONFIG) == expected
    with_default = CONFIG.model_copy(update={"everyone": "developer"})
    assert roles(claims, with_default) == expected | {"developer"}


def test_who_reads_what_is_documented() -> None:
    guide = Path(__file__).parents[2] / "docs" / "sign-in.md"
    row = re.search(r"^\| (.*) \| \| \| yes \| yes \|$", guide.read_text(), re.MULTILINE)
    assert row
    assert {page.title for page in PAGES if page.readers != EVERYONE} == {*row[1].split(", ")}
    assert {page.readers for page in PAGES} == {EVERYONE, RUNNERS}
