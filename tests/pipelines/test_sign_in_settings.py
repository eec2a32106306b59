"""The settings of sign-in: what is read, and what is refused with file, line and mend."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.sign_in_settings import SignInConfig
from pipelines.workspace import WorkspaceError, load, load_sign_in

HEAD = """organisation: Acme
sources: [{kind: github, organization: acme, token: "${NOT_SET_HERE}"}]
sign_in:
  issuer: https://login.acme.example/realms/acme/
  client_id: cairn
"""
REST = "  client_secret: ${PW}\n  public_url: https://cairn.acme.example\n"


def read(folder: Path, text: str) -> SignInConfig | None:
    (folder / "cairn.yaml").write_text(text)
    return load_sign_in(folder / "cairn.yaml", {"PW": "hunter2-hunter2"})


def test_all_of_it_is_read_without_other_settings_secrets(tmp_path: Path) -> None:
    sign_in = read(tmp_path, f"{HEAD}{REST}  everyone: developer\n")
    assert sign_in
    assert sign_in.issuer == "https://login.acme.example/realms/acme"
    assert (sign_in.claim, sign_in.session, sign_in.everyone) == ("groups", timedelta(hours=8), "developer")
    assert sign_in.client_secret.get_secret_value() == "hunter2-hunter2"
    assert "hunter2" not in repr(sign_in)
    with pytest.raises(WorkspaceError, match="NOT_SET_HERE"):
        load(tmp_path / "cairn.yaml", {"PW": "hunter2-hunter2"})


def test_none_is_configured_where_the_file_says_nothing_of_it(tmp_path: Path) -> None:
    assert read(tmp_path, HEAD.partition("sign_in")[0]) is None
    assert load_sign_in(tmp_path, {}) is None


def test_who_may_read_what_shapes_no_figure(tmp_path: Path) -> None:
    plain = "organisation: Acme\nsources: [{kind: git, repositories: [/srv/x]}]\n"
    (tmp_path / "plain.yaml").write_text(plain)
    (tmp_path / "cairn.yaml").write_text(f"{plain}{HEAD[HEAD.index('sign_in') :]}{REST}  everyone: admin\n")
    signed_in = load(tmp_path / "cairn.yaml", {"PW": "hunter2-hunter2"})
    assert signed_in.fingerprint() == load(tmp_path / "plain.yaml", {}).fingerprint()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + REST, r":3: sign_in: gives nobody a role\. Add `roles`"),
        (HEAD + REST + "  roles: {}", r":3: sign_in: gives nobody a role"),
        (HEAD + REST + "  everyone: boss", r":8: sign_in\.everyone: should be 'developer'"),
        (HEAD + REST + "  roles: {boss: [x]}", r":8: sign_in\.roles\.boss: is not a setting"),
        (HEAD + REST + "  everyone: admin\n  session: 30s", r":9: sign_in\.session: is no length of time"),
        (HEAD + REST + "  everyone: admin\n  session: 31d", r":9: sign_in\.session: should be less"),
        (HEAD + REST.replace("${PW}", "open-secret"), r":6: sign_in\.client_secret: is a secret and"),
        (HEAD + REST.replace("${PW}", "${PV}"), r":6: sign_in\.client_secret: the environment variable PV"),
        (HEAD.replace("https", "http") + REST, r":4: sign_in\.issuer: would send .* in clear"),
        (HEAD + REST.replace("https", "http"), r":7: sign_in\.public_url: would send .* in clear"),
        (HEAD + REST.replace(".example", ".example/x"), r":7: sign_in\.public_url: has a path\."),
        ("sign_in:\n", r":1: sign_in: has no value"),
        ("sign_in: yes\n", r":1: sign_in: must be a group"),
        ("sign_in: {", r"cairn\.yaml:\d+: "),
        ("[]", r":1: must be `key: value` lines"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(WorkspaceError) as error:
        read(tmp_path, text)
    assert re.search(expected, str(error.value)), str(error.value)
    assert "open-secret" not in str(error.value)


@pytest.mark.parametrize("host", ["http://127.0.0.1:9000", "http://localhost:8501", "http://[::1]:8501"])
def test_on_this_machine_nothing_is_sent_in_clear(tmp_path: Path, host: str) -> None:
    rest = REST.replace("https://cairn.acme.example", host)
    sign_in = read(tmp_path, f"{HEAD}{rest}  everyone: admin\n")
    assert sign_in
    assert sign_in.public_url == host
