"""Credentials: what each opens, until when; they show nowhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines import credentials
from pipelines.credentials import CredentialError, May
from pipelines.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


def new_token(home: Home, name: str, expires_at: datetime | None = None) -> str:
    return credentials.new_token(home, name, {May.metrics}, expires_at)


def opened(home: Home, token: str) -> str | None:
    found = credentials.by_token(home, token)
    return found and found.name


def signer(home: Home, headers: Mapping[str, str], body: bytes) -> str | None:
    found = credentials.by_signature(home, headers, body)
    return found and found.name


def test_a_token_opens_and_is_kept_as_its_hash(home: Home) -> None:
    token = new_token(home, "ci")
    assert token.startswith("cairn_")
    assert len(base64.urlsafe_b64decode(token.removeprefix("cairn_") + "=")) >= 16
    assert opened(home, token) == "ci"
    kept = home.root / "credentials.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert token not in kept.read_text()
    assert hashlib.sha256(token.encode()).hexdigest() in kept.read_text()
    assert [each[:2] for each in credentials.credentials(home)] == [("ci", "token")]


@pytest.mark.parametrize("wrong", ["", "cairn_", "\ud800", "ü", "cairn_" + "A" * 43])
def test_a_wrong_token_opens_nothing(home: Home, wrong: str) -> None:
    assert opened(home, wrong) is None
    new_token(home, "ci")
    credentials.new_secret(home, "github")
    assert opened(home, wrong) is None


def test_neither_a_hash_nor_a_secret_is_a_token(home: Home) -> None:
    token = new_token(home, "ci")
    assert opened(home, hashlib.sha256(token.encode()).hexdigest()) is None
    assert opened(home, credentials.new_secret(home, "github")) is None


def test_a_credential_is_taken_back(home: Home) -> None:
    token = new_token(home, "ci")
    other = new_token(home, "other")
    assert credentials.revoke(home, "ci")
    assert not credentials.revoke(home, "ci")
    assert opened(home, token) is None
    assert opened(home, other) == "other"


def test_a_name_is_taken_once_and_has_a_form(home: Home) -> None:
    new_token(home, "ci")
    with pytest.raises(CredentialError, match="revoke it first"):
        credentials.new_secret(home, "ci")
    for name in ("", "a b", "../x", "x" * 65, "ü", "-x"):
        with pytest.raises(CredentialError, match="letters, digits"):
            new_token(home, name)


def test_a_damaged_file_says_what_to_do_and_nothing_else(home: Home) -> None:
    secret = credentials.new_secret(home, "github")
    path = home.root / "credentials.json"
    path.write_text(path.read_text().replace("created_at", "created"))
    with pytest.raises(CredentialError, match="is damaged: delete it") as caught:
        opened(home, "x")
    assert secret not in str(caught.value)
    assert caught.value.__context__ is None


def github_signed(secret: str, body: bytes) -> dict[str, str]:
    return {"x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def gitlab_signed(secret: str, body: bytes, at: float | None = None) -> dict[str, str]:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    stamp = str(int(time.time() if at is None else at))
    made = base64.b64encode(hmac.new(key, f"id-1.{stamp}.".encode() + body, hashlib.sha256).digest())
    return {"webhook-id": "id-1", "webhook-timestamp": stamp, "webhook-signature": f"v1,{made.decode()}"}


def test_githubs_own_example_of_a_signature() -> None:
    # From GitHub's documentation on validating webhook deliveries.
    made = github_signed("It's a Secret to Everybody", b"Hello, World!")["x-hub-signature-256"]
    assert made == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_a_signature_by_a_kept_secret_opens(home: Home) -> None:
    new_token(home, "ci")
    github, gitlab = credentials.new_secret(home, "github"), credentials.new_secret(home, "gitlab")
    body = b'{"a": "\xc3\xbc"}'
    assert signer(home, github_signed(github, body), body) == "github"
    signed = gitlab_signed(gitlab, body)
    assert signer(home, signed, body) == "gitlab"
    rotating = signed | {"webhook-signature": f"v1,bm9uZQ== {signed['webhook-signature']} v1a,x"}
    assert signer(home, rotating, body) == "gitlab"


def test_any_other_signature_does_not(home: Home) -> None:
    secret = credentials.new_secret(home, "hook")
    body = b"{}"
    by_github, by_gitlab = github_signed(secret, body), gitlab_signed(secret, body)
    wrong: list[dict[str, str]] = [
        {},
        github_signed("whsec_" + base64.b64encode(b"x" * 32).decode(), body),
        github_signed(secret, b"{} "),
        {"x-hub-signature-256": by_github["x-hub-signature-256"].removeprefix("sha256=")},
        {"x-hub-signature-256": "sha256="},
        {"x-hub-signature-256": "ü"},
        gitlab_signed(secret, b"{ }"),
        by_gitlab | {"webhook-id": "id-2"},
        by_gitlab | {"webhook-signature": ""},
        by_gitlab | {"webhook-signature": by_gitlab["webhook-signature"].replace("v1,", "v2,")},
        by_gitlab | {"webhook-timestamp": ""},
        by_gitlab | {"webhook-timestamp": "²"},
        by_gitlab | {"webhook-timestamp": "9" * 400},
        gitlab_signed(secret, body, time.time() - 400),
        gitlab_signed(secret, body, time.time() + 400),
        # A signature of one kind is none of the other.
        by_github | {"webhook-signature": "v1,x"},
    ]
    for headers in wrong:
        assert signer(home, headers, body) is None, headers


def test_a_token_opens_what_it_was_made_for(home: Home) -> None:
    token = credentials.new_token(home, "bi", {May.metrics, May.surveys})
    found = credentials.by_token(home, token)
    assert found
    assert found.may == {May.metrics, May.surveys}


def test_a_token_ends_with_its_time(home: Home) -> None:
    now = datetime.now(UTC)
    assert opened(home, new_token(home, "late", now - timedelta(seconds=1))) is None
    assert opened(home, new_token(home, "early", now + timedelta(minutes=5))) == "early"
    assert {each.name: each.has_expired for each in credentials.credentials(home)} == {
        "late": True, "early": False,
    }  # fmt: skip


def test_the_last_use_is_kept_by_day_and_written_once(home: Home) -> None:
    token, secret = new_token(home, "bi"), credentials.new_secret(home, "hook")
    assert [each.last_used_on for each in credentials.credentials(home)] == [None, None]
    opened(home, "cairn_wrong")
    assert credentials.credentials(home)[0].last_used_on is None
    opened(home, token)
    signer(home, github_signed(secret, b"{}"), b"{}")
    today = datetime.now(UTC).date()
    assert {each.last_used_on for each in credentials.credentials(home)} == {today}
    kept = (home.root / "credentials.json").stat()
    opened(home, token)
    assert (home.root / "credentials.json").stat().st_mtime_ns == kept.st_mtime_ns


def test_a_full_disk_shuts_nobody_out(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    token = new_token(home, "bi")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(credentials, "write_atomically", full)
    assert opened(home, token) == "bi"
