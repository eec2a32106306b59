"""The roster from the warehouse: teams, tiers and what brings a team to the front, of people as hashes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.connector import Batch, Contact, Context, Options
from connectors.records import CapabilityUse, Identity, Membership, Record, Service, Team
from pipelines import ingest, refresh, survey_roster, survey_waves, surveys, warehouse
from pipelines.home import Home
from pipelines.landing import Landing
from pipelines.survey_settings import RosterConfig, SurveysConfig
from pipelines.workspace import SourceConfig, TakenFrom, Workspace
from surveys.roster import RosterError

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
WEEKS = timedelta(weeks=1)
"""Since the wave before."""
TEAMS = (
    Team("g:product", "Product", None, "department"),
    Team("g:web", "Web", "g:product", "team"),
    Team("g:pay", "Pay", "g:product", "team"),
    Team("g:core", "Core", None, "team"),
    Team("g:core2", "Core", None, "team"),
)
"""Two of one name."""
MEMBERS = (
    *(Membership("g:web", f"web{number}", None, None) for number in range(6)),
    *(Membership("g:pay", f"pay{number}", None, None) for number in range(7)),
    Membership("g:pay", "web0", None, None),
    Membership("g:core", "core0", None, None),
    Membership("g:core2", "core1", None, None),
    Membership("g:web", "left", None, NOW - WEEKS),
    Membership("g:web", "coming", NOW + WEEKS, None),
    Membership("g:gone", "nobody", None, None),
)


def service(name: str, team: str, tier: str | None) -> Service:
    url = f"https://x.example/{name}"
    return Service(f"c:{name}", name, team, None, "service", tier, None, (url,), (), ())


SERVICES = (
    service("shop", "g:web", "tier-2"),
    service("cart", "g:web", "tier-2"),
    service("blog", "g:web", "tier-1"),
    service("bank", "g:pay", "tier-3"),
    service("fees", "g:pay", "tier-1"),
)


def run(id_: str, kind: str, subject: str, at: datetime, result: str = "success") -> CapabilityUse:
    return CapabilityUse(id_, "template:default/service", kind, subject, at, "used", result, at, None, None)


RUNS = (
    run("1", "person", "alias-of-web2", NOW - timedelta(days=1)),
    run("2", "service", "c:bank", NOW - 2 * WEEKS),
    run("3", "person", "core0", NOW - timedelta(days=1), "failed"),
    run("4", "person", "stranger", NOW - timedelta(days=1)),
)
SAME = (Identity("alias-of-web2", "mail"), Identity("mail", "web2"))
"""Known under another account of another tool, two steps away."""


def workspace(**more: object) -> Workspace:
    source = SourceConfig(kind="backstage", name="portal", options=Options())
    return Workspace.model_validate(
        {
            "organisation": "Acme",
            "sources": (source,),
            "teams": TakenFrom.model_validate({"from": "portal"}),
            "services": TakenFrom.model_validate({"from": "portal"}),
            **more,
        }
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Landed, loaded and modelled."""
    home = Home(tmp_path_factory.mktemp("home"))
    home.create()
    landing = Landing(home.landing, "portal")
    streams: dict[str, Sequence[Record]] = {
        "team": TEAMS,
        "membership": MEMBERS,
        "service": SERVICES,
        "capability_use": RUNS,
        "identity": SAME,
    }
    for stream, records in streams.items():
        assert not landing.write(Batch(stream, "catalog", records, is_whole=True))
    with warehouse.writing(home) as connection:
        ingest.load(connection, home.landing, {"portal": ingest.Read({"catalog": NOW})})
        for _ in refresh.build(connection, workspace()):
            pass
        for change, author, shipped_at in (
            (1, "core0", NOW - timedelta(days=2)),
            (2, "pay1", NOW - 5 * WEEKS),
            (3, "pay1", NOW - timedelta(days=2)),
        ):
            connection.execute("insert into core.author values (?, ?, true)", [change, author])
            connection.execute(
                "insert into core.shipment by name select ? as change_key, ?::timestamptz as shipped_at",
                [change, shipped_at],
            )
    return home


def test_the_roster_is_of_now_by_tree_and_tier(home: Home) -> None:
    roster = survey_roster.read(home, workspace(), None, NOW)
    people = {each.person: each for each in roster.people}
    assert len(people) == 5 + 8 + 2
    assert people["web1"].team_path == ("Product", "Web")
    # In two teams: the larger counts.
    assert people["web0"].team_path == ("Product", "Pay")
    # That of most services; of as many of each the first.
    assert (people["web1"].tier, people["pay1"].tier, people["core0"].tier) == ("tier-2", "tier-1", None)
    assert {people["core0"].team_path, people["core1"].team_path} == {("g:core",), ("g:core2",)}
    assert roster.first == frozenset()


def test_what_somebody_did_brings_their_team_to_the_front(home: Home) -> None:
    def first(since: datetime, *triggers: str) -> frozenset[str]:
        settings = workspace(surveys=SurveysConfig.model_validate({"triggers": triggers}))
        return survey_roster.read(home, settings, since, NOW).first

    assert first(NOW - WEEKS, "template_run") == {"Web"}
    assert first(NOW - 3 * WEEKS, "template_run") == {"Web", "Pay"}
    # Who deployed before does not deploy for the first time.
    assert first(NOW - WEEKS, "first_deployment") == {"g:core"}
    assert first(NOW - WEEKS, "first_deployment", "template_run") == {"Web", "g:core"}
    assert first(NOW - WEEKS) == set()


def test_the_trigger_is_kept_nowhere(home: Home, tmp_path: Path) -> None:
    settings = workspace(surveys=SurveysConfig(rotation_groups=3, store=f"sqlite:///{tmp_path}/surveys.db"))
    with surveys.open_store(home, settings) as store:
        for wave, now in (("one", NOW - 9 * WEEKS), ("two", NOW)):
            new = survey_waves.new_wave(settings, store, wave, "pulse", now, None)
            turn = survey_waves.choose(home, settings, store, wave, now)
            store.open_wave(new, turn.invitees)
        # The whole team is asked, and whoever sees that cannot tell for whom, or whether it was its turn.
        asked = [each.person for each in store.invitations(NOW) if each.team_path[-1] == "Web"]
        assert sorted(asked) == [f"web{number}" for number in range(1, 6)]
        assert store.wave("two").settings.keys() == {"organisation", "timezone", "languages"}
        assert {field for each in store.invited("two") for field in each._fields} == {
            *("person", "team_path", "tier", "role", "is_used")
        }


def test_a_file_goes_before_and_its_teams_are_found_in_the_tree(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text("address,team,name,tier,role\nada@x.example,Web,Ada,gold,lead\nbo@x.example,Web,Bo,,\n")
    settings = workspace(surveys=SurveysConfig(roster=RosterConfig(file=str(path))))
    person = Context(cache=home.mirrors, identity_key=home.identity_key()).person
    people = {each.person: each for each in survey_roster.read(home, settings, None, NOW).people}
    ada, bo = people[person("ada@x.example")], people[person("bo@x.example")]
    assert (ada.team_path, ada.tier, ada.role) == (("Product", "Web"), "gold", "lead")
    assert (bo.team_path, bo.tier, bo.role) == (("Product", "Web"), "tier-2", None)
    known = survey_roster.contacts(home, settings)
    assert known[ada.person] == Contact(ada.person, "ada@x.example", ("Ada", "ada@x.example"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (workspace(), "Nothing is synced yet: run `cairn sync`"),
        (workspace(teams=(), services=()), r"names no roster\. Set `surveys: {roster"),
        (
            workspace(surveys=SurveysConfig(roster=RosterConfig(file="/nowhere/people.csv"))),
            r"people\.csv: No such file",
        ),
    ],
)
def test_without_a_roster_it_is_said_what_to_do(tmp_path: Path, settings: Workspace, said: str) -> None:
    home = Home(tmp_path)
    home.create()
    with pytest.raises(RosterError, match=said):
        survey_roster.read(home, settings, None, NOW)


def test_a_source_without_anybody_in_a_team_is_no_roster(home: Home) -> None:
    settings = workspace(surveys=SurveysConfig(roster=RosterConfig.model_validate({"from": "other"})))
    with pytest.raises(RosterError, match="The roster is empty"):
        survey_roster.read(home, settings, None, NOW)
