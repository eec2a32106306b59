"""GitLab: groups, incidents, releases."""

from __future__ import annotations

from pathlib import Path

from connectors.connector import (
    Batch,
    Covered,
    Note,
    Problem,
    Quarantined,
)
from connectors.parsing import moment
from connectors.records import (
    Incident,
    Membership,
    Release,
    Team,
)
from tests.connectors.gitlab_host import (
    GitLabHost,
    Project,
    at,
    issue,
    user,
)
from tests.connectors.gitlab_reader import of, person, reading


class TestGroups:
    def test_groups_are_teams_with_parents_and_members_hashes(self, tmp_path: Path) -> None:
        host = GitLabHost()
        host.groups[1]["parent_id"] = 99
        host.groups[2] = {"id": 2, "full_path": "acme/ops", "name": "Ops", "parent_id": 1}
        host.members = {
            1: [{**user("ada"), "created_at": "2024-01-02T03:04:05.678+01:00", "expires_at": None}],
            2: [
                {**user("Grace"), "created_at": at(0), "expires_at": "2025-12-31"},
                {**user("group_2_bot_f00"), "created_at": at(0), "expires_at": None},
            ],
        }
        with reading(host, tmp_path) as reader:
            items = reader.read()
            assert not of(reader.read(), Batch)
            del host.members[2][0]
            reader.read()
        assert sorted(reader.records(Team)) == [
            Team("1", "acme", None, "group"),
            Team("2", "acme/ops", "1", "group"),
        ]
        assert reader.only(Membership) == Membership(
            "1", person("ada"), moment("2024-01-02T02:04:05.678Z"), None
        )
        (before,) = [b for b in of(items, Batch) if b.stream == "membership"]
        assert (
            Membership("2", person("grace"), moment(at(0)), moment("2025-12-31T00:00:00Z")) in before.records
        )
        assert "ada" not in repr(items)

    def test_a_group_whose_members_are_hidden_is_a_note(self, tmp_path: Path) -> None:
        host = GitLabHost()
        host.refused = {"/groups/1/members": 403}
        with reading(host, tmp_path) as reader:
            items = reader.read()
        assert "members of group 1" in of(items, Note)[0].message
        assert len(reader.records(Team)) == 1

    def test_without_the_right_to_see_groups_projects_are_still_read(self, tmp_path: Path) -> None:
        host = GitLabHost(Project())
        host.refused = {"/descendant_groups": 403}
        with reading(host, tmp_path) as reader:
            items = reader.read()
        assert [item.scope for item in of(items, Problem)] == ["teams"]
        assert [item.scope for item in of(items, Covered)] == ["7"]


class TestIncidents:
    def test_the_type_makes_an_incident(self, tmp_path: Path) -> None:
        project = Project()
        project.issues = [
            issue(1, 0, severity="HIGH"),
            issue(2, 5, state="closed", closed_at=at(9), updated_at=at(9), severity="UNKNOWN"),
            issue(3, 6, issue_type="issue", type="ISSUE", labels=["outage"]),
        ]
        with reading(project, tmp_path) as reader:
            reader.read()
            open_one, resolved = sorted(reader.records(Incident), key=lambda each: each.id)
            assert ("issue_type", "incident") in [pair for each in reader.received for pair in each.query]
            assert (open_one.status, open_one.severity, open_one.resolved_at) == ("open", "HIGH", None)
            assert (resolved.status, resolved.severity, resolved.resolved_at) == (
                "resolved",
                None,
                moment(at(9)),
            )
            assert open_one.repository == "7"
            # Reopened: no longer resolved.
            project.issues[1] |= {"state": "opened", "closed_at": None, "updated_at": at(20)}
            reader.read()
        assert {each.status for each in reader.records(Incident)} == {"open"}

    def test_labels_do_so_too(self, tmp_path: Path) -> None:
        project = Project()
        project.issues = [
            issue(1, 0, issue_type="issue", type="ISSUE", labels=["Outage", "x"]),
            issue(2, 1, issue_type="issue", type="ISSUE", labels=["x"]),
            issue(3, 2),
        ]
        with reading(project, tmp_path, incident_labels=["outage"]) as reader:
            reader.read()
            assert {each.id for each in reader.records(Incident)} == {"5001", "5003"}
            assert not of(reader.read(), Batch)


class TestReleases:
    def test_they_are_read_whole_where_one_changed(self, tmp_path: Path) -> None:
        project = Project()
        project.releases = [
            {
                "tag_name": "v2",
                "released_at": at(5),
                "commit": {"id": "a" * 40},
                "upcoming_release": True,
                "_links": {"self": "https://gitlab.acme.example/acme/shop/-/releases/v2"},
            },
            {"tag_name": "v1", "released_at": at(0), "commit": None},
            {"released_at": at(0)},
        ]
        with reading(project, tmp_path) as reader:
            items = reader.read()
            assert [item.stream for item in of(items, Quarantined)] == ["release"]
            del project.releases[1:]
            project.item["last_activity_at"] = at(60)
            reader.read()
        release = reader.only(Release)
        assert (release.tag, release.sha, release.is_prerelease) == ("v2", "a" * 40, True)
        assert release.published_at == moment(at(5))
