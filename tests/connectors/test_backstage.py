"""Backstage's teams and services, read from the demo's server over a small catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from connectors.backstage import BackstageConnector, BackstageOptions
from connectors.backstage import catalog as backstage_catalog
from connectors.connector import Batch, Connector, Context, Quarantined
from connectors.records import Identity, Membership, Service, Team
from tests.connectors.backstage_portal import PEOPLE, TOKEN, Portal, component
from tests.connectors.backstage_reader import CONTEXT, Reader, notes, of, reading
from tests.connectors.contract import ConnectorContract, Tool


@pytest.fixture
def portal() -> Portal:
    return Portal()


@pytest.fixture
def reader(portal: Portal) -> Iterator[Reader]:
    with reading(portal) as reader:
        yield reader


class BackstageTool(Tool):
    """The portal behind its token."""

    secret = TOKEN

    def __init__(self, portal: Portal, url: str) -> None:
        self.portal = portal
        self.url = url

    def connector(self, cache: Path) -> Connector:
        return BackstageConnector(
            "backstage", BackstageOptions(url=self.url, token=TOKEN), Context(cache, b"key")
        )

    def grow(self) -> None:
        self.portal.world.components.append(component("search"))
        self.portal.change("cart", lifecycle="deprecated")

    def spoil(self) -> str:
        self.portal.world.components.append(component("broken"))
        self.portal.twist("broken", spec={"type": None})
        return "component:default/broken"

    def refuse(self) -> None:
        body = {
            "error": {"name": "AuthenticationError", "message": "Illegal token"},
            "request": {"method": "GET", "url": "/entities/by-query"},
            "response": {"statusCode": 401},
        }
        refused = Route("/{path:path}", lambda _: JSONResponse(body, 401))
        self.portal.server.app = Starlette(routes=[refused])


class TestContract(ConnectorContract):
    @pytest.fixture
    def tool(self, portal: Portal, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> Tool:
        monkeypatch.setattr(backstage_catalog, "_LIMIT", 2)
        return BackstageTool(portal, reader.url)


class TestTeams:
    def test_groups_are_teams_with_parents(self, reader: Reader) -> None:
        reader.read()
        assert reader.records(Team) == [
            Team("group:default/pay", "Payments", "group:default/shop", "team"),
            Team("group:default/shop", "The shop", None, "department"),
            Team("group:default/web", "Web", "group:default/shop", "team"),
        ]

    def test_people_are_in_teams_and_have_addresses_and_accounts(
        self, portal: Portal, reader: Reader
    ) -> None:
        portal.twist("bo", metadata={"annotations": {"github.com/user-login": "Bo-GH"}})
        reader.read()
        ada, bo, cy = (CONTEXT.person(person.login) for person in PEOPLE)
        assert {(each.team, each.person) for each in reader.records(Membership)} == {
            ("group:default/pay", ada),
            ("group:default/pay", bo),
            ("group:default/web", cy),
        }
        assert {(each.alias, each.person) for each in reader.records(Identity)} == {
            *((CONTEXT.person(person.email), CONTEXT.person(person.login)) for person in PEOPLE),
            (CONTEXT.person("bo-gh"), bo),
        }

    def test_a_group_knows_members_that_are_no_users(self, portal: Portal, reader: Reader) -> None:
        relations = [{"type": "hasMember", "targetRef": "user:default/ghost"}]
        portal.twist("web", relations=relations)
        reader.read()
        ghost = CONTEXT.person("ghost")
        assert [each.team for each in reader.records(Membership) if each.person == ghost] == [
            "group:default/web"
        ]

    def test_a_parent_or_group_that_is_not_there_is_told(self, portal: Portal, reader: Reader) -> None:
        portal.world.teams = [team for team in portal.world.teams if team.slug != "shop"]
        portal.twist("ada", spec={"memberOf": ["gone", "pay"]}, relations=[])
        items = reader.read()
        assert [team.parent for team in reader.records(Team)] == [None, None]
        assert "2 groups have a parent that is no group of the catalogue: group:default/shop" in notes(items)
        assert "1 memberships are of no group of the catalogue: group:default/gone" in notes(items)

    def test_without_relations_the_specification_tells(self, portal: Portal, reader: Reader) -> None:
        portal.twist(
            "pay", relations=[], spec={"parent": "SHOP", "profile": None}, metadata={"title": "Pay!"}
        )
        reader.read()
        assert reader.records(Team)[0] == Team("group:default/pay", "Pay!", "group:default/shop", "team")
        assert len(reader.records(Membership)) == 3

    def test_of_people_no_more_is_asked_for_than_is_hashed(self, reader: Reader) -> None:
        items = reader.read()
        (query,) = reader.asked("user")
        fields = query["fields"].split(",")
        assert not {
            "spec",
            "spec.profile",
            "metadata",
            "metadata.annotations",
            "spec.profile.displayName",
        } & {*fields}
        told = repr(items) + repr(list(reader.connector().check()))
        for person in PEOPLE:
            assert person.name not in told
            assert person.email not in told
            assert f"'{person.login}'" not in told
            assert f"/{person.login}" not in told


class TestServices:
    def test_components_are_services(self, portal: Portal, reader: Reader) -> None:
        portal.change(
            "cart", source_path="services/cart", annotations={"pagerduty.com/service-id": "PSHOP01"}
        )
        reader.read()
        assert reader.service("cart") == Service(
            id="component:default/cart",
            name="cart",
            team="group:default/pay",
            system="checkout",
            kind="service",
            tier="tier-1",
            lifecycle="production",
            repositories=("https://github.demo.example/acme/cart",),
            paths=("services/cart",),
            aliases=("pagerduty:PSHOP01",),
        )

    @pytest.mark.parametrize(
        ("owner", "relations", "team"),
        [
            ("web", [], "group:default/web"),
            ("Group:Web", [], "group:default/web"),
            ("group:default/web", [], "group:default/web"),
            ("gone", [{"type": "ownedBy", "targetRef": "group:default/web"}], "group:default/web"),
            ("user:default/ada", [], None),
            ("group:elsewhere/web", [], None),
            (None, [], None),
            (7, [], None),
        ],
    )
    def test_the_owner_is_a_group_or_nobody(
        self, portal: Portal, reader: Reader, owner: Any, relations: list[Any], team: str | None
    ) -> None:
        portal.twist("cart", spec={"owner": owner}, relations=relations)
        reader.read()
        assert reader.service("cart").team == team

    def test_dangling_owners_are_told_but_people_only_counted(self, portal: Portal, reader: Reader) -> None:
        portal.change("cart", owner="team-phoenix")
        portal.change("site", owner="ada")
        portal.world.components.append(component("search", owner="team-phoenix"))
        said = notes(reader.read())
        who = "a person, group:default/team-phoenix"
        assert said == [f"3 components have an owner that is no group of the catalogue: {who}"]
        assert {service.team for service in reader.records(Service)} == {None}

    def test_another_namespace_shows(self, portal: Portal, reader: Reader) -> None:
        portal.twist(
            "cart", metadata={"namespace": "Shop"}, spec={"system": "billing", "owner": "pay"}, relations=[]
        )
        reader.read()
        cart = reader.service("cart")
        assert (cart.id, cart.system, cart.team) == ("component:shop/cart", "shop/billing", None)

    @pytest.mark.parametrize(
        ("metadata", "spec", "option", "tier"),
        [
            ({"labels": {"tier": "gold"}}, {}, None, "gold"),
            ({"labels": {"acme.example/tier": "gold"}}, {}, None, "gold"),
            ({"labels": {}}, {"tier": 1}, None, "1"),
            ({"labels": None}, {}, None, None),
            (
                {"annotations": {"acme.example/tier": "t0"}},
                {},
                "metadata.annotations.acme.example/tier",
                "t0",
            ),
            ({"labels": {"tier": "gold"}}, {"level": {"of": "x"}}, "spec.level.of", "x"),
            ({"labels": {"tier": "gold"}}, {}, "spec.level", None),
        ],
    )
    def test_the_tier_is_where_it_is_said_to_be(
        self,
        portal: Portal,
        reader: Reader,
        metadata: dict[str, Any],
        spec: dict[str, Any],
        option: str | None,
        tier: str | None,
    ) -> None:
        portal.twist("cart", metadata=metadata, spec=spec)
        reader.read(tier=option)
        assert reader.service("cart").tier == tier
        (query,) = reader.asked("component")
        assert option is None or option in query["fields"].split(",")

    @pytest.mark.parametrize(
        ("annotations", "aliases"),
        [
            ({"jenkins.io/job-full-name": "default:shop/cart"}, ("jenkins:shop/cart",)),
            ({"jenkins.io/job-full-name": "s/c", "jenkins.io/github-folder": "s/c"}, ("jenkins:s/c",)),
            ({"argocd/app-name": "cart-prod"}, ("argocd:cart-prod",)),
            ({"pagerduty.com/integration-key": "0123456789abcdef0123456789abcdef"}, ()),
            ({"pagerduty.com/service-id": " "}, ()),
        ],
    )  # fmt: skip
    def test_what_other_tools_call_it(
        self, portal: Portal, reader: Reader, annotations: dict[str, str], aliases: tuple[str, ...]
    ) -> None:
        portal.change("cart", annotations=annotations)
        items = reader.read(annotations=["*"])
        assert reader.service("cart").aliases == aliases
        assert "0123456789abcdef" not in repr(items)

    @pytest.mark.parametrize(
        ("metadata", "spec"),
        [
            ({}, {"type": None}),
            ({"annotations": ["a"]}, {}),
            ({"labels": "gold"}, {}),
        ],
    )
    def test_a_malformed_component_is_quarantined_once_and_the_rest_read(
        self, portal: Portal, reader: Reader, metadata: Any, spec: Any
    ) -> None:
        portal.twist("cart", metadata=metadata, spec=spec)
        (quarantined,) = of(reader.read(), Quarantined)
        assert (quarantined.stream, quarantined.id) == ("service", "component:default/cart")
        assert quarantined.reason
        assert [service.name for service in reader.records(Service)] == ["site"]
        assert not of(reader.read(), Quarantined | Batch)  # type: ignore[arg-type]

    def test_a_malformed_person_is_quarantined_under_no_name(self, portal: Portal, reader: Reader) -> None:
        portal.twist("ada", metadata={"annotations": 3})
        (quarantined,) = of(reader.read(), Quarantined)
        assert quarantined.stream == "membership"
        assert "ada" not in quarantined.id
        assert len(reader.records(Identity)) == 2

    def test_an_entity_without_a_name_is_quarantined(self, portal: Portal, reader: Reader) -> None:
        portal.twist("cart", metadata={"name": None})
        (quarantined,) = of(reader.read(), Quarantined)
        assert (quarantined.stream, quarantined.reason) == ("service", "metadata.name is no name")

    def test_namespaces_and_a_filter_choose(self, reader: Reader) -> None:
        reader.read(namespaces=["default", "shop"], filter="spec.type=website")
        assert [service.name for service in reader.records(Service)] == ["site"]
        filters = [value for name, value in reader.received[0].query if name == "filter"]
        assert filters == ["kind=group,metadata.namespace=default", "kind=group,metadata.namespace=shop"]
