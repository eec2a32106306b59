"""The settings of surveys: what is read, and what is refused with file, line and mend."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.workspace import Workspace, WorkspaceError, load

HEAD = "organisation: Acme\nsources: [{kind: git, repositories: [/srv/x]}]\nsurveys:\n"
MAIL = "  public_url: https://cairn.acme.example\n  from_address: Platform <platform@acme.example>\n"


def read(folder: Path, text: str) -> Workspace:
    (folder / "cairn.yaml").write_text(HEAD + text)
    return load(folder / "cairn.yaml", {"PW": "hunter2-hunter2", "HOOK": "https://hooks.example/T0/B0/x"})


def test_all_of_it_is_read(tmp_path: Path) -> None:
    surveys = read(
        tmp_path,
        MAIL
        + """  minimum_group: 6
  store: postgresql://cairn:${PW}@db/surveys
  instruments: ours
  roster: {file: people.csv}
  open_for: 10d
  rotation_groups: 3
  triggers: []
  smtp: {host: mail.acme.example, ca_file: ca.pem, user: cairn, password: "${PW}"}
  slack_webhook: ${HOOK}
""",
    ).surveys
    assert (surveys.minimum_group, surveys.rotation_groups, surveys.triggers) == (6, 3, ())
    assert (surveys.open_for, surveys.grace) == (timedelta(days=10), timedelta(days=2))
    assert surveys.instruments == str(tmp_path / "ours")
    assert surveys.roster
    assert surveys.roster.file == str(tmp_path / "people.csv")
    assert surveys.smtp
    assert (surveys.smtp.port, surveys.smtp.tls) == (587, "starttls")
    assert surveys.smtp.ca_file == str(tmp_path / "ca.pem")
    assert "hunter2" not in repr(surveys)
    assert "hooks.example" not in repr(surveys)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  minimum_group: 4", r":4: surveys\.minimum_group: should be greater than or equal to 5"),
        ("  comment_group: 9", r":4: surveys\.comment_group: should be greater than or equal to 10"),
        (
            "  rotation_week: 9",
            r":4: surveys\.rotation_week: is not a setting\. Did you mean",
        ),
        ("  rotation_weeks: 0", r":4: surveys\.rotation_weeks: should be greater"),
        ("  open_for: soon", r":4: surveys\.open_for: is no length of time"),
        ("  triggers: [birthday]", r":4: surveys\.triggers\[0\]: should be 'first_deployment'"),
        ("  store: mysql://db/x", r":4: surveys\.store: is no address of a database\. Write `postgres"),
        ("  store: postgresql://me:secret-word@db/x", r":4: surveys\.store: holds a password"),
        ("  roster: {}", r":4: surveys\.roster: is one of two\. Write `{from: SOURCE}`"),
        (
            "  roster: {from: gti}",
            r":4: surveys\.roster\.from: there is no source `gti`\. Did you mean",
        ),
        ("  roster: {from: git}", r":4: surveys\.roster\.from: .* tells of no members of teams\. Name a"),
        ("  from_address: nobody", r":4: surveys\.from_address: is no mail address"),
        ("  smtp: {host: mail}", r":4: surveys\.smtp: sends nothing without `public_url`\. Add"),
        (MAIL + "  smtp: {host: mail, user: me}", r":6: surveys\.smtp: needs `user` and `password` together"),
        (
            MAIL + '  smtp: {host: mail, tls: none, user: me, password: "${PW}"}',
            r":6: surveys\.smtp: would send the password in clear\.",
        ),
        (
            MAIL + "  smtp: {host: m, user: me, password: open}",
            r":6: surveys\.smtp\.password: is a secret and",
        ),
        ("  slack_webhook: https://hooks.example/T0", r":4: surveys\.slack_webhook: is a secret and"),
        ("  slack_webhook: ${PW}", r":4: surveys\.slack_webhook: is no address of a webhook"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_mend(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(WorkspaceError) as caught:
        read(tmp_path, text + "\n")
    (line,) = str(caught.value).splitlines()
    assert re.search(expected, line)
    assert not re.search("hunter2|secret-word", line)


def test_figures_do_not_follow_them(tmp_path: Path) -> None:
    assert read(tmp_path, "  minimum_group: 7\n").fingerprint() == read(tmp_path, "  {}\n").fingerprint()
