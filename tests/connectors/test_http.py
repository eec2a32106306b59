"""The HTTP client: answers, errors, faults and threads, against real servers on this machine."""

from __future__ import annotations

import asyncio
import gzip
import re
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from connectors.connector import SourceError
from connectors.http import (
    Client,
    Forbidden,
    GraphQLError,
    HttpError,
    NotFound,
    Refused,
    Unauthorized,
    Unavailable,
    basic,
)
from tests.connectors.http_script import Reply, Script, cut_off, error, ok, scripted, silent
from tests.serving import serving

SECRET = "s3cret-tok+en/of=the.tool"


def test_an_answer_says_what_it_is(script: Script) -> None:
    script.answers(ok([{"id": 1}], ETag='W/"a"', Last_Modified="Wed, 21 Oct 2015 07:28:00 GMT", X_Total="1"))
    with Client(f"{script.url}/api/v3/") as client:
        answer = client.get("/things", {"state": "all", "page": 2, "ids[]": ["a", "b"]}, stream="thing")
    assert (answer.status, answer.json(), answer.is_unchanged) == (200, [{"id": 1}], False)
    assert answer.headers["x-total"] == "1"
    assert answer.validator == {"etag": 'W/"a"', "last_modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
    (request,) = script.received
    assert (request.method, request.path) == ("GET", "/api/v3/things")
    assert request.query == [("state", "all"), ("page", "2"), ("ids[]", "a"), ("ids[]", "b")]
    assert request.headers["user-agent"].startswith("cairn/")
    assert client.requests == {"thing": 1}


def test_a_percent_encoded_path_stays_so(script: Script) -> None:
    with Client(script.answers(ok())) as client:
        client.get("/projects/acme%2Fshop", stream="thing")
    assert script.received[0].path == "/projects/acme%2Fshop"


def test_json_is_posted(script: Script) -> None:
    with Client(script.answers(ok({"ok": True}))) as client:
        assert client.post("/things", {"name": "x"}, stream="thing").json() == {"ok": True}
    assert script.bodies == [b'{"name": "x"}']


def test_no_content_is_no_body(script: Script) -> None:
    with Client(script.answers(Response(status_code=204))) as client:
        assert client.get("/", stream="thing").json() is None


def test_what_is_unchanged_is_not_sent_again(script: Script) -> None:
    def reply(request: Request) -> Response:
        if request.headers.get("if-none-match") == '"a"':
            return Response(status_code=304)
        return ok([1], ETag='"a"', Last_Modified="Wed, 21 Oct 2015 07:28:00 GMT")

    with Client(script.answers(reply)) as client:
        first = client.get("/", stream="thing")
        second = client.get("/", stream="thing", validator=first.validator)
    assert second.is_unchanged
    assert second.json() is None
    assert second.validator == first.validator
    assert script.received[1].headers["if-modified-since"] == "Wed, 21 Oct 2015 07:28:00 GMT"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (410, NotFound),
        (451, NotFound),
        (409, Refused),
        (422, Refused),
    ],
)
def test_a_refusal_has_a_class(script: Script, status: int, kind: type[HttpError]) -> None:
    with (
        Client(script.answers(error(status, {"message": "So it is."}))) as client,
        pytest.raises(HttpError) as caught,
    ):
        client.get("/things", {"q": "x"}, stream="thing")
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert not caught.value.is_transient
    assert caught.value.mend
    assert str(caught.value).startswith(f"GET {script.url}/things was answered with {status} ")
    assert str(caught.value).endswith(": So it is.")
    assert client.requests == {"thing": 1}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"message": "Bad credentials", "documentation_url": "https://…"}, "Bad credentials"),
        ({"error": {"message": "Requester User Not Found", "code": 2010}}, "Requester User Not Found"),
        ({"error": {"name": "InputError", "message": "Malformed cursor"}}, "Malformed cursor"),
        ({"error": {"message": "Invalid Input", "errors": ["Since is bad"]}}, "Invalid Input: Since is bad"),
        ({"errors": [{"message": "one"}, {"detail": "two"}]}, "one; two"),
        ({"errors": ["one", "two"]}, "one; two"),
        ({"error": "invalid_grant", "error_description": "The grant is gone"}, "The grant is gone"),
        ({"error": "insufficient_scope", "scope": "api"}, "insufficient_scope"),
        ({"message": {"base": ["is too long"]}}, "base is too long"),
        (
            {
                "message": "Validation Failed",
                "errors": [{"resource": "X", "field": "title", "code": "missing"}],
            },
            "Validation Failed: title missing",
        ),
        ({"title": "Not allowed", "status": 422, "detail": "No such team"}, "No such team"),
        ("<html><head><title>Sign\n in &amp; wait</title></head><body>x</body></html>", "Sign in & wait"),
        ("<html><body>" + "x" * 500, ""),
        ("no\x00thing\x1b[31m to\r\nsee", "no thing [31m to see"),
        ("y" * 500, "y" * 199 + "…"),
        ({"unknown": 1}, ""),
        ([], ""),
        ("", ""),
    ],
)
def test_a_refusal_is_in_the_tools_own_words(script: Script, body: object, said: str) -> None:
    with Client(script.answers(error(400, body))) as client, pytest.raises(Refused) as caught:
        client.get("/", stream="thing")
    line = str(caught.value)
    assert line == f"GET {script.url}/ was answered with 400 Bad Request" + (f": {said}" if said else "")
    assert line.isprintable()


def test_the_permission_that_lacks_is_named(script: Script) -> None:
    lacking = error(403, {"message": "Not accessible"}, X_Accepted_GitHub_Permissions="deployments=read")
    with Client(script.answers(lacking)) as client, pytest.raises(Forbidden) as caught:
        client.get("/", stream="thing")
    assert "deployments=read" in caught.value.mend


def test_a_web_page_is_no_answer(script: Script) -> None:
    page = Response("<html><title>Sign in</title>", media_type="text/html")
    with (
        Client(script.answers(page)) as client,
        pytest.raises(HttpError, match="web page: Sign in") as caught,
    ):
        client.get("/", stream="thing")
    assert not caught.value.is_transient
    assert client.requests == {"thing": 1}


# Faults that pass


async def _connection_closed(scope: object, receive: object, send: object) -> None:
    """Ends without a word, which closes the connection after a status 500."""
    raise ConnectionResetError


@pytest.mark.parametrize(
    "fault",
    [
        error(500),
        error(502, "<html><title>Bad Gateway</title>"),
        error(503, Retry_After="0"),
        error(504),
        error(408),
        cut_off,
        silent,
        _connection_closed,
        Response(b'[{"id": 1}, {"id"', media_type="application/json"),
        Response(b"", media_type="application/json"),
        Response(b"[" * 100_000, media_type="application/json"),
        Response(b"\xff\xfe", media_type="application/json"),
        Response(b"no gzip", media_type="application/json", headers={"Content-Encoding": "gzip"}),
    ],
    ids=lambda fault: getattr(fault, "__name__", None),
)
def test_a_fault_that_passes_is_waited_out(script: Script, fault: Reply) -> None:
    with Client(script.answers(fault, fault, ok([1])), timeout_seconds=0.3) as client:
        assert client.get("/", stream="thing").json() == [1]
    assert client.requests == {"thing": 3}


@pytest.mark.parametrize(
    ("fault", "line", "status"),
    [
        (error(502, "<title>Bad Gateway</title>"), "was answered with 502 Bad Gateway", 502),
        (error(500, {"message": "oh"}), "was answered with 500 Internal Server Error: oh", 500),
        (silent, "was not answered within 0.2 s", None),
        (cut_off, "was cut off: peer closed connection", None),
        (Response(b"[", media_type="application/json"), "was answered with damaged JSON", 200),
    ],
)
def test_a_fault_that_lasts_is_one_line(script: Script, fault: Reply, line: str, status: int | None) -> None:
    with (
        Client(script.answers(fault), timeout_seconds=0.2, retries=2) as client,
        pytest.raises(Unavailable) as caught,
    ):
        client.get("/x", stream="thing")
    assert str(caught.value).startswith(f"GET {script.url}/x {line}")
    assert str(caught.value).isprintable()
    assert (caught.value.status, caught.value.is_transient) == (status, True)
    assert client.requests == {"thing": 3}


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with Client(f"http://127.0.0.1:{port}", retries=2) as client:
        with pytest.raises(Unavailable, match=f"^127.0.0.1:{port} refused the connection$"):
            client.get("/", stream="thing")
        assert client.requests["thing"] == 3
        with pytest.raises(Unavailable):
            client.get("/", stream="thing")
        # Where nothing answers, each further request is tried once: there may be hundreds.
        assert client.requests["thing"] == 4


def test_no_such_host() -> None:
    with (
        Client("http://tool.invalid", retries=1) as client,
        pytest.raises(Unavailable, match=r"^The host tool.invalid is not known: "),
    ):
        client.get("/", stream="thing")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate of 127.0.0.1 and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path / "tool.pem"
    path.write_bytes(private + made.public_bytes(pem))
    return path


def test_an_untrusted_certificate(certificate: Path) -> None:
    served = serving(Script(ok()), ssl_certfile=certificate, ssl_keyfile=certificate)
    with served as url, Client(url) as client, pytest.raises(HttpError) as caught:
        client.get("/", stream="thing")
    assert re.match(r"The certificate of 127\.0\.0\.1 is not trusted: \S", str(caught.value))
    assert "SSL_CERT_FILE" in caught.value.mend
    assert not caught.value.is_transient
    assert client.requests == {"thing": 1}


def test_tls_where_there_is_none(script: Script) -> None:
    with (
        Client(script.answers(ok()).replace("http:", "https:")) as client,
        pytest.raises(HttpError, match=r"^127\.0\.0\.1:\d+ does not speak TLS$"),
    ):
        client.get("/", stream="thing")


@pytest.mark.parametrize("address", ["", "tool.example", "ftp://tool.example", "https://", "https://h:x"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(SourceError, match="is no http"):
        Client(address)


# Threads


def test_so_many_at_once_and_no_more(script: Script) -> None:
    under_way, most = 0, 0
    lock = threading.Lock()

    async def counted(scope: object, receive: object, send: Callable[..., object]) -> None:
        nonlocal under_way, most

        with lock:
            under_way += 1
            most = max(most, under_way)
        await asyncio.sleep(0.05)
        with lock:
            under_way -= 1
        await JSONResponse([])(scope, receive, send)  # type: ignore[arg-type]

    with Client(script.answers(counted), at_once=3) as client:
        threads = [
            threading.Thread(target=client.get, args=("/",), kwargs={"stream": "thing"}) for _ in range(12)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most == 3
    assert client.requests == {"thing": 12}


@pytest.mark.parametrize("reply", [silent, error(429, Retry_After="600")], ids=["reading", "waiting"])
def test_closing_ends_what_is_under_way(reply: Reply) -> None:
    ended: list[Exception] = []

    def ask() -> None:
        try:
            client.get("/", stream="thing")
        except Unavailable as error:
            ended.append(error)

    with scripted(reply) as script:
        client = Client(script.url, at_once=2)
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        while not script.received:
            time.sleep(0.01)
        time.sleep(0.1)
        client.close()
        for thread in threads:
            thread.join(5)
            assert not thread.is_alive()
    assert [str(each) for each in ended] == ["Reading was ended"] * 4
    with pytest.raises(Unavailable, match="Reading was ended"):
        client.get("/", stream="thing")


def test_cookies_are_not_kept(script: Script) -> None:
    with Client(script.answers(ok(Set_Cookie="session=1"))) as client:
        client.get("/", stream="thing")
        client.get("/", stream="thing")
    assert "cookie" not in script.received[1].headers


# GraphQL


def test_graphql_gives_what_there_is(script: Script) -> None:
    answer = {"data": {"repository": None}, "errors": [{"type": "NOT_FOUND", "message": "Gone"}]}
    with Client(script.answers(ok(answer))) as client:
        assert client.graphql("query {x}", {"n": 1}, stream="thing") == answer
    assert script.bodies == [b'{"query": "query {x}", "variables": {"n": 1}}']


def test_graphql_without_data_is_an_error(script: Script) -> None:
    errors = [
        {"type": "FORBIDDEN", "path": ["x", 0], "message": f"No\n{SECRET}", "locations": []},
        {"message": "And"},
    ]
    script.answers(ok({"data": None, "errors": errors}))
    with (
        Client(script.url, auth=basic("eve", SecretStr(SECRET))) as client,
        pytest.raises(GraphQLError, match=r"without data: No \*\*\*$") as caught,
    ):
        client.graphql("query {x}", {}, stream="thing")
    assert caught.value.errors == [
        {"type": "FORBIDDEN", "path": ["x", 0], "message": "No ***"},
        {"type": None, "path": None, "message": "And"},
    ]
    assert client.requests == {"thing": 1}


@pytest.mark.parametrize("body", [[], {}, "x", {"errors": "x"}, {"errors": [1]}])
def test_graphql_that_is_none(script: Script, body: object) -> None:
    with Client(script.answers(ok(body))) as client, pytest.raises(GraphQLError):
        client.graphql("query {x}", {}, stream="thing")


def test_a_graphql_time_out_within_the_tool_is_retried(script: Script) -> None:
    words = "Something went wrong while executing your query. This may be the result of a timeout"
    late = ok({"data": None, "errors": [{"message": words}]})
    with Client(script.answers(late, ok({"data": {}}))) as client:
        assert client.graphql("query {x}", {}, stream="thing") == {"data": {}}


def test_a_plain_text_error(script: Script) -> None:
    with (
        Client(script.answers(PlainTextResponse("404 page not found\n", 404))) as client,
        pytest.raises(NotFound, match=r"404 Not Found: 404 page not found$"),
    ):
        client.get("/", stream="thing")


def test_a_body_that_is_too_large_is_not_taken_in(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.http.exchange.MOST_BYTES", 1 << 20)
    bomb = gzip.compress(b" " * (20 << 20))
    script.answers(Response(bomb, headers={"content-encoding": "gzip"}, media_type="application/json"))
    with Client(script.url) as client, pytest.raises(HttpError, match="more than 1 MiB"):
        client.get("/", stream="thing")
    assert client.requests == {"thing": 1}


def test_a_compressed_body_is_read(script: Script) -> None:
    body = gzip.compress(b'{"id": 7}')
    script.answers(Response(body, headers={"content-encoding": "gzip"}, media_type="application/json"))
    with Client(script.url) as client:
        assert client.get("/", stream="thing").json() == {"id": 7}
