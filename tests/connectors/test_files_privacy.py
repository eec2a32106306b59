"""What is personal in a file does not leave the connector."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from connectors.connector import Context
from connectors.records import Membership
from tests.connectors.contract import Loaded
from tests.connectors.files_folder import Files, refused


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


class TestPrivacy:
    def test_persons_are_hashed_on_reading(self, files: Files) -> None:
        files.write("a.csv", "team,person", "web,Grace@Acme.example")
        files.read("a.csv", "membership")
        (member,) = files.records()
        assert isinstance(member, Membership)
        assert member.person == Context(files.folder, b"key").person("grace@acme.example")

    def test_hashes_are_kept_where_that_is_said_and_nothing_else(self, files: Files) -> None:
        kept = Context(files.folder, b"key").person("grace")
        files.write("a.csv", "team,person", f"web,{kept}", "web,grace")
        items = files.read("a.csv", "membership", persons="keep")
        (member,) = files.records()
        assert member.person == kept
        assert refused(items) == {
            "a.csv:3": "person is no hash of a person, of 32 hexadecimal digits",
        }
        files.read("a.csv", "membership")
        assert {record.person for record in files.records()} == {
            kept,
            Context(files.folder, b"key").person(kept),
        }

    def test_the_person_of_a_use_is_hashed(self, files: Files) -> None:
        header = "id,capability,subject_kind,subject,happened_at,kind"
        files.write("a.csv", header, "1,ci,Person,grace,2026-01-01,used", "2,ci,team,web,2026-01-01,used")
        files.read("a.csv", "capability_use")
        person = Context(files.folder, b"key").person("grace")
        assert [record.subject for record in files.records()] == [person, "web"]
        items = files.read("a.csv", "capability_use", persons="keep")
        assert refused(items) == {"a.csv:2": "subject is no hash of a person, of 32 hexadecimal digits"}

    def test_branches_are_masked_and_tags_are_not(self, files: Files) -> None:
        header = "repository,name,kind,sha"
        files.write("a.csv", header, "r,grace/fix,branch,1", "r,main,branch,1", "r,grace/fix,tag,1")
        files.read("a.csv", "ref")
        names = sorted(record.name for record in files.records())
        assert names[:2] == ["grace/fix", "main"]
        assert names[2].startswith("~")
        refs = ["refs/tags/grace/x", "refs/heads/grace/x", "grace/x", "v1.2"]
        rows = [f"{n},prod,success,2026-01-01,{ref}" for n, ref in enumerate(refs)]
        files.write("b.csv", "id,environment,status,created_at,ref", *rows)
        files.loaded = Loaded()
        files.read("b.csv")
        tag, branch, same, version = [record.ref for record in files.records()]
        assert (tag, version) == ("grace/x", "v1.2")
        assert branch == same == Context(files.folder, b"key").branch("grace/x")

    def test_addresses_lose_their_credentials_and_review_apps_their_branch(self, files: Files) -> None:
        header = "id,repository_url,url,environment,status,created_at"
        row = (
            "1,https://grace:pw@host.example/x,ssh://git:pw@host.example/x,review/grace-x,success,2026-01-01"
        )
        files.write("a.csv", header, row)
        files.read("a.csv")
        (record,) = files.records()
        assert record.repository_url == "https://host.example/x"
        assert record.url == "ssh://git@host.example/x"
        assert record.environment == "review/*"

    def test_nothing_personal_waits_on_the_disk(self, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("connectors.files.connector._BATCH_SIZE", 10)
        monkeypatch.setattr("connectors.files.connector._IN_MEMORY", 10)
        people = [f"person-{n}@acme.example" for n in range(100)]
        files.write("a.csv", "team,person", *(f"web,{person}" for person in people))
        files.settings = [{"path": "a.csv", "record": "membership"}]
        held = b""
        for _ in files.connector().read({}):
            for descriptor in Path("/proc/self/fd").iterdir():
                with suppress(FileNotFoundError):  # the listing's own
                    if str(files.folder / "cache") in str(descriptor.readlink()):
                        held += descriptor.read_bytes()
        assert b"Membership" in held
        assert b"acme.example" not in held
        assert not list((files.folder / "cache").iterdir())
