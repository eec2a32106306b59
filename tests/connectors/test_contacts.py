"""How people are reached is asked of Backstage and GitHub when it is needed, and of nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import connectors
from connectors.connector import Contact, Context, Directory, SourceError
from tests.connectors.backstage_portal import Portal
from tests.connectors.backstage_reader import BY_QUERY, CONTEXT, Reader, reading
from tests.connectors.github_host import ADA, github


@pytest.fixture
def portal() -> Portal:
    return Portal()


@pytest.fixture
def reader(portal: Portal) -> Iterator[Reader]:
    with reading(portal) as reader:
        yield reader


def test_those_of_the_catalogue(reader: Reader, portal: Portal) -> None:
    found = {contact.person: contact for contact in reader.connector().contacts()}
    humans = [person for person in portal.world.people if not person.is_bot]
    assert found == {
        CONTEXT.person(each.login): Contact(CONTEXT.person(each.login), each.email, (each.name, each.login))
        for each in humans
    }


def test_a_sync_asks_for_no_name_and_contacts_for_nothing_else(reader: Reader) -> None:
    reader.read()
    (synced,) = reader.asked("user")
    assert "displayName" not in synced["fields"]
    reader.received.clear()
    list(reader.connector().contacts())
    assert {each.path for each in reader.received} == {BY_QUERY}
    (asked,) = reader.asked("user")
    assert "displayName" in asked["fields"]


def test_who_has_no_address_and_no_name_is_one_all_the_same(reader: Reader, portal: Portal) -> None:
    portal.twist("ada", spec={"profile": {}})
    found = {contact.person: contact for contact in reader.connector().contacts()}
    assert found[CONTEXT.person("ada")] == Contact(CONTEXT.person("ada"), None, ("ada",))
    assert len(found) == 3


def test_those_of_an_organisation_on_github_however_many(tmp_path: Path) -> None:
    with github(tmp_path) as host:
        people = [
            replace(ADA, login=f"person-{number}", name=f"Person {number}", email=f"p{number}@acme.example")
            for number in range(230)
        ]
        host.world.people[:] = people
        found = list(host.connector(tmp_path).contacts())
    person = Context(tmp_path, b"key").person
    assert sorted(found) == sorted(
        Contact(person(each.login), each.email, (each.name, each.login)) for each in people
    )


def test_without_a_verified_domain_it_is_the_address_that_is_shown(tmp_path: Path) -> None:
    def without(_path: str, _body: Any, answer: Any) -> Any:
        for node in answer["data"]["organization"]["membersWithRole"]["nodes"]:
            node["organizationVerifiedDomainEmails"] = []
            node["email"] = "ada@home.example" if node["login"] == "ada-l" else ""
            node["name"] = None
        return answer

    with github(tmp_path) as host:
        host.after = without
        found = {contact.names: contact.address for contact in host.connector(tmp_path).contacts()}
    assert found == {("ada-l",): "ada@home.example", ("ghopper",): None}


def test_a_server_that_says_no_says_so(reader: Reader) -> None:
    with pytest.raises(SourceError):
        list(reader.connector(token="wrong").contacts())


def test_which_tools_know_addresses() -> None:
    known = {kind for kind in connectors.kinds() if issubclass(connectors.connector_type(kind), Directory)}
    assert known == {"backstage", "github"}
