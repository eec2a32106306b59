"""Who may be asked in a survey, by the warehouse or a CSV file, and how the source says they are reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
from filelock import FileLock

import connectors
from connectors.connector import Contact, Context, Directory, SourceError
from pipelines import warehouse
from pipelines.home import Home
from pipelines.workspace import TakenFrom, Workspace
from surveys import roster as rosters
from surveys.roster import Place, RosterError
from surveys.store import Invitee

# Of two teams with one name, each goes by its id, as in `config.team`.
_TEAMS = """
    with team as (
        select id, if(count(*) over (partition by name) > 1, id, name) as name, parent
        from raw.team
        where source = $source
    )

    select t.id, t.name, p.name as parent
    from team as t
    left join team as p on p.id = t.parent
"""
_MEMBERS = """
    select distinct team, person
    from raw.membership
    where source = $source
        and coalesce(valid_from, '-infinity') <= $now and coalesce(valid_to, 'infinity') > $now
"""
# The tier of most of the team's services now; of as many the first.
_TIERS = """
    select o.team, s.tier
    from core.ownership as o
    inner join (select distinct name, id, tier from raw.service where tier is not null) as s
        on o.service in (s.name, s.id)
    where o.valid_until = 'infinity'
    group by o.team, s.tier
    qualify row_number() over (partition by o.team order by count(*) desc, s.tier) = 1
"""
_PARENTS = "select team, parent from core.team_version where valid_until = 'infinity'"
# Who shipped a change, or ran a template, in this time and not before: as person or service.
_FIRST_DEPLOYMENTS = """
    select a.author
    from core.author as a
    inner join core.shipment as s using (change_key)
    group by a.author
    having min(s.shipped_at) > $since and min(s.shipped_at) <= $now
"""
_TEMPLATE_RUNS = """
    select subject_kind, subject
    from raw.capability_use
    where kind = 'used' and result = 'success' and capability like 'template:%'
        and happened_at > $since and happened_at <= $now
"""
_OWNERS = """
    select s.id, o.team
    from core.ownership as o
    inner join (select distinct name, id from raw.service) as s on o.service in (s.name, s.id)
    where o.valid_until = 'infinity'
"""


@dataclass(frozen=True)
class Roster:
    """Everybody who may be asked, once."""

    people: tuple[Invitee, ...]
    first: frozenset[str]
    """Names of teams that come first, for what some of them did since the last wave."""


def read(home: Home, workspace: Workspace, since: datetime | None, now: datetime) -> Roster:
    """The roster now, with the triggers since the last ordinary wave, of which nothing is kept.

    Raises `RosterError` where there is none, `WarehouseError` where the warehouse cannot be opened.
    """
    person = _person(home)
    of = workspace.surveys.roster
    source = _source(workspace)
    with _reading(home, needs=source is not None) as connection:
        parents: dict[str, str | None]
        if of and of.file:
            places = rosters.places(rosters.read(Path(of.file)), person)
            parents = dict(connection.execute(_PARENTS).fetchall()) if connection else {}
        else:
            assert connection
            places, parents = _of_source(connection, source or "", now)
        if not places:
            raise RosterError(
                "The roster is empty: nobody is in a team. Run `cairn sync`, or set `surveys.roster`."
            )
        if connection:
            tiers = dict(connection.execute(_TIERS).fetchall())
            places = [_with_tier(place, tiers) for place in places]
        people = rosters.invitees(places, parents)
        first = _first(connection, workspace, people, since, now) if connection and since else set()
    return Roster(tuple(people), frozenset(first))


def _with_tier(place: Place, tiers: Mapping[str, str]) -> Place:
    """The place with its team's tier, where the roster names none."""
    return place._replace(tier=place.tier or tiers.get(place.team))


def contacts(home: Home, workspace: Workspace) -> dict[str, Contact]:
    """Person → how they are reached and called, asked of the roster's source now; kept by nobody.

    Raises `SourceError` or `RosterError`. Empty where the source knows no addresses.
    """
    of = workspace.surveys.roster
    if of and of.file:
        person = _person(home)
        rows = rosters.read(Path(of.file))
        return {
            person(row.address): Contact(
                person(row.address), row.address, tuple(filter(None, (row.name, row.address)))
            )
            for row in rows
        }
    name = _source(workspace)
    config = next((source for source in workspace.sources if source.name == name), None)
    if config is None:
        raise SourceError("There is no roster to take addresses from", "Set `surveys.roster`.")
    context = Context(cache=home.mirrors / config.name, identity_key=home.identity_key())
    connector = connectors.connector_type(config.kind)(config.name, config.options, context)
    if not isinstance(connector, Directory):
        return {}
    return {contact.person: contact for contact in connector.contacts()}


def _person(home: Home) -> Callable[[str], str]:
    return Context(cache=home.mirrors, identity_key=home.identity_key()).person


def _source(workspace: Workspace) -> str | None:
    """Name of the source whose memberships are the roster."""
    of = workspace.surveys.roster
    if of:
        return of.source
    if isinstance(workspace.teams, TakenFrom):
        return workspace.teams.source
    raise RosterError(
        "The workspace names no roster. Set `surveys: {roster: {from: SOURCE}}`, or `{file: roster.csv}`."
    )


@contextmanager
def _reading(home: Home, *, needs: bool) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """The warehouse, once no sync writes it; None where a roster does without and nothing is synced."""
    if not home.warehouse.exists():
        if needs:
            raise RosterError("Nothing is synced yet: run `cairn sync` first, so that the teams are known.")
        yield None
        return
    with FileLock(home.lock), warehouse.writing(home) as connection:
        if not connection.execute(
            "select 1 from information_schema.tables where table_schema = 'core' and table_name = 'author'"
        ).fetchall():
            raise RosterError("Nothing is modelled yet: run `cairn sync` first, so that the teams are known.")
        yield connection


def _of_source(
    connection: duckdb.DuckDBPyConnection, source: str, now: datetime
) -> tuple[list[Place], dict[str, str | None]]:
    """Places in the source's teams, and the teams' parents."""
    teams = connection.execute(_TEAMS, {"source": source}).fetchall()
    names = {id_: name for id_, name, _ in teams}
    members = connection.execute(_MEMBERS, {"source": source, "now": now}).fetchall()
    places = [Place(person, names[team]) for team, person in members if team in names]
    return places, {name: parent for _, name, parent in teams}


def _first(
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    people: list[Invitee],
    since: datetime,
    now: datetime,
) -> set[str]:
    """Teams in which somebody first deployed, or which ran a template."""
    span = {"since": since, "now": now}
    team_of = {each.person: each.team_path[-1] for each in people}
    persons: set[str] = set()
    services: set[str] = set()
    if "first_deployment" in workspace.surveys.triggers:
        persons |= {person for (person,) in connection.execute(_FIRST_DEPLOYMENTS, span).fetchall()}
    if "template_run" in workspace.surveys.triggers:
        for kind, subject in connection.execute(_TEMPLATE_RUNS, span).fetchall():
            (persons if kind == "person" else services).add(subject)
    same = connection.execute("select alias, person from raw.identity").fetchall() if persons else []
    teams = {team_of[each] for each in _with_aliases(persons, same) if each in team_of}
    owners = connection.execute(_OWNERS).fetchall() if services else []
    return teams | {team for id_, team in owners if id_ in services}


def _with_aliases(persons: set[str], same: Iterable[tuple[str, str]]) -> set[str]:
    """Keyed hashes with all others that sources say are the same people's, over any number of tools."""
    linked: dict[str, set[str]] = defaultdict(set)
    for alias, person in same:
        linked[alias].add(person)
        linked[person].add(alias)
    found, waiting = set(persons), list(persons)
    while waiting:
        new = linked[waiting.pop()] - found
        found |= new
        waiting += new
    return found
