"""Credentials go to the configured origin alone, and no secret is said."""

from __future__ import annotations

import logging
import pickle
from functools import partial

import pytest
from pydantic import SecretStr

from connectors.connector import SourceError
from connectors.http import (
    Auth,
    Client,
    HttpError,
    bearer,
)
from tests.connectors.http_script import Reply, Script, error, ok, redirect, scripted

SECRET = "s3cret-tok+en/of=the.tool"


TOKEN = bearer(SecretStr(SECRET))


@pytest.mark.parametrize("auth", [TOKEN, bearer(SecretStr(SECRET), "PRIVATE-TOKEN", "")])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_origin_is_not_followed(script: Script, auth: Auth, status: int) -> None:
    with scripted(ok()) as elsewhere:
        for target in (elsewhere.url, elsewhere.url.replace("127.0.0.1", "localhost")):
            with Client(script.answers(redirect(f"{target}/x?token={SECRET}", status)), auth=auth) as client:
                for send in (client.get, partial(client.post, body={})):
                    with pytest.raises(HttpError) as caught:
                        send("/", stream="thing")
                    assert f"was redirected to {target}, which is not followed" in str(caught.value)
                    assert SECRET not in str(caught.value)
    assert elsewhere.received == []


def test_another_scheme_of_the_host_is_another_origin(script: Script) -> None:
    with (
        Client(script.answers(redirect(script.url.replace("http:", "https:")))) as client,
        pytest.raises(HttpError, match=r"redirected to https://127"),
    ):
        client.get("/", stream="thing")


def test_a_redirect_to_no_address(script: Script) -> None:
    with (
        Client(script.answers(redirect("http://h:port/"))) as client,
        pytest.raises(HttpError, match=r"Invalid URL in location header"),
    ):
        client.get("/", stream="thing")


def test_a_redirect_within_the_origin_is_followed(script: Script) -> None:
    # With a user in it, which must not become credentials.
    target = script.url.replace("//", "//eve:password@") + "/repositories/7"
    with Client(script.answers(redirect(target, 301), ok({"id": 7})), auth=TOKEN) as client:
        answer = client.get("/repos/acme/shop", stream="thing")
    assert answer.json() == {"id": 7}
    assert answer.url == f"{script.url}/repositories/7"
    assert [(r.path, r.headers["authorization"]) for r in script.received] == [
        ("/repos/acme/shop", f"Bearer {SECRET}"),
        ("/repositories/7", f"Bearer {SECRET}"),
    ]


def test_what_is_posted_is_sent_on_as_it_was_or_not_at_all(script: Script) -> None:
    with Client(script.answers(redirect("/new", 308), ok())) as client:
        client.post("/", {"a": 1}, stream="thing")
        assert script.bodies == [b'{"a": 1}', b'{"a": 1}']
        script.answers(redirect("/new", 302))
        with pytest.raises(HttpError, match="was redirected"):
            client.post("/", {"a": 1}, stream="thing")


def test_redirects_end(script: Script) -> None:
    with (
        Client(script.answers(redirect("/"))) as client,
        pytest.raises(HttpError, match="redirected again and again"),
    ):
        client.get("/", stream="thing")
    assert client.requests["thing"] < 10


@pytest.mark.parametrize("path", ["http://tool.invalid/x", "HTTPS://tool.invalid/x", "http://127.0.0.1:1/x"])
def test_an_absolute_address_elsewhere_is_refused(path: str) -> None:
    with (
        Client("http://127.0.0.1:2", auth=bearer(SecretStr(SECRET))) as client,
        pytest.raises(HttpError, match="which is not followed"),
    ):
        client.get(path, stream="thing")
    assert not client.requests


@pytest.mark.parametrize("path", ["//tool.invalid/x", "@tool.invalid/x", "/\\tool.invalid", ":1/x", "?a=b"])
def test_no_path_leads_to_another_host(script: Script, path: str) -> None:
    with Client(script.answers(ok())) as client:
        client.get(path, stream="thing")
    assert len(script.received) == 1


# Secrets


@pytest.mark.parametrize(
    "reply",
    [
        error(401, {"message": f"{SECRET} is wrong"}),
        error(400, f"<title>{SECRET}</title>"),
        error(400, {"message": "x" * 190 + SECRET}),
        error(400, {"message": f"https://h/?private_token={SECRET[:5]}&x=1 https://u:pass%20word@h/"}),
        error(
            500, {"message": "ghp_abcdefghijklmnop eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNr"}
        ),
        error(404, {"message": "token=s3cret-tok%2Ben%2Fof%3Dthe.tool"}),
    ],
)
def test_no_secret_is_said(script: Script, reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    auth = bearer(SecretStr(SECRET))
    with Client(script.answers(reply), auth=auth, secrets=["other-s3cret"], retries=1) as client:
        with pytest.raises(HttpError) as caught:
            client.get(f"/{SECRET}/x", {"private_token": SECRET, "page": 1}, stream="thing")
        said = [
            repr(auth),
            repr(client),
            repr(vars(client)),
            repr(caught.value),
            caught.value.mend,
            caplog.text,
        ]
        said += [str(caught.value), str(caught.value.__context__), str(caught.value.__cause__)]
        said.append(pickle.dumps(caught.value.args).decode("latin-1"))
    for text in said:
        for secret in (SECRET, "s3cret", "pass%20word", "ghp_abc", "eyJh"):
            assert secret not in text


def test_no_secret_is_in_an_answers_address(script: Script, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Client(script.answers(ok()), secrets=["p4ssw0rd"]) as client:
        answer = client.get("/p4ssw0rd", {"private_token": "abc", "q": "p4ssw0rd", "page": 3}, stream="thing")
    assert answer.url == f"{script.url}/***?private_token=***&q=***&page=3"
    assert "p4ssw0rd" not in repr(answer) + caplog.text


def test_credentials_in_an_address_are_refused_unsaid() -> None:
    with pytest.raises(SourceError, match="holds a user or password") as caught:
        Client("https://eve:s3cret@tool.example")
    assert "s3cret" not in str(caught.value)
