"""Someone who has everything but the key files, and wants to know who answered what.

They watched a whole wave: the database after every submission, backups, logs, and the end. From that they
line up people and answers by every order there is, group by group, and count how often that is right.
"""

from __future__ import annotations

import itertools
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scipy.stats import binomtest, spearmanr
from sqlalchemy import Engine, create_engine, inspect, text

from surveys.cohorts import Cohort, coarsened
from surveys.store import Invitee
from tests.surveys.pulse import WAVE, pulse

Row = dict[str, Any]
Files = Callable[[], Sequence[Path]]

ROLES = ("dev", "ops", "lead")
CODE = "code"
"""The item that says whose answer it is: for the judge, not for the attacker."""
MARK = "the answer of "


@dataclass
class Watched:
    """All that was seen of a wave."""

    order: list[str] = field(default_factory=list)
    """Who submitted, the first first: backups one submission apart show it."""
    seen: dict[str, Row] = field(default_factory=dict)
    """Of each: the sealed row that came with the flag, and the invite before close and after."""
    answers: list[Row] = field(default_factory=list)
    """In the order in which the table gives them."""
    boxes: list[bytes] = field(default_factory=list)
    """Every sealed answer, and the partial ones there were when a backup was taken."""
    secrets: list[bytes] = field(default_factory=list)
    """Keys and tokens, for the judge."""
    backups: list[bytes] = field(default_factory=list)
    """What was in the files at some moments of the wave, end to end."""
    last: bytes = b""
    """What is in the files of the tables after close, while the store is still open."""


def watch(
    url: str, keys: Path, tables: Files = list, written: Files = list, teams: int = 16, team_size: int = 10
) -> Watched:
    """Run a wave in the store at `url` and see what there is to see.

    `tables` gives the files with its tables, `written` all files that it writes.
    """
    generator, watched = random.Random(teams), Watched()
    invitees = [
        Invitee(f"person{n:04}", ("acme", f"group{n % 3}", f"team{n % teams:02}"), None, ROLES[n % 7 % 3])
        for n in range(teams * team_size)
    ]
    responding = generator.sample(invitees, len(invitees) * 4 // 5)
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with pulse(url, keys, invitees) as survey:
        watched.secrets = [path.read_bytes() for path in (keys / WAVE.id).iterdir()]
        watched.secrets += [token.encode() for token in [*survey.tokens.values()][:5]]
        sealed: dict[int, str] = {}
        for number, (person, *_) in enumerate(responding):
            beginner = generator.choice(invitees).person
            survey.store.save_partial(survey.tokens[beginner], answers(beginner, generator))
            assert survey.store.submit(survey.tokens[person], answers(person, generator))
            watched.order.append(person)
            with engine.connect() as connection:
                (new,) = {*connection.scalars(text(f'select id from "sealed_{WAVE.id}"'))} - sealed.keys()
            sealed[new] = person
            if number % (len(responding) // 3) == 5:
                watched.backups.append(b"".join(path.read_bytes() for path in written()))
                watched.boxes += [row["box"] for row in rows(engine, f"partial_{WAVE.id}")]
        for row in rows(engine, f"sealed_{WAVE.id}"):
            watched.boxes.append(row["box"])
            watched.seen[sealed[row["id"]]] = {f"sealed {name}": value for name, value in row.items()}
        _see_invites(watched, engine, "open")
        survey.end()
        survey.store.close(WAVE.id)
        _see_invites(watched, engine, "closed")
        watched.answers = rows(engine, "answer")
        if engine.dialect.name == "postgresql":  # as it does by itself every five minutes
            with engine.connect() as connection:
                connection.execute(text("checkpoint"))
        watched.last = b"".join(path.read_bytes() for path in tables())
    engine.dispose()
    return watched


def answers(person: str, generator: random.Random) -> dict[str, Any]:
    """Ratings, and a comment of a length of its own."""
    ratings = {f"item{n}": generator.randint(1, 5) for n in range(5)}
    return {CODE: MARK + person, "comment": "x" * generator.randint(0, 4000), **ratings}


def rows(engine: Engine, table: str) -> list[Row]:
    """A table as it lies there, with what the database itself knows of each row."""
    system = ""
    if engine.dialect.name == "postgresql":
        system = (
            "xmin::text::bigint as xmin, ctid::text as ctid, pg_xact_commit_timestamp(xmin) as committed, "
        )
    with engine.connect() as connection:
        if not inspect(connection).has_table(table):
            return []
        found = connection.execute(text(f'select {system}* from "{table}"')).mappings().all()
    return [{**row, "position": n, "size": _size(row.values())} for n, row in enumerate(found)]


@dataclass(frozen=True)
class Attack:
    """One way to line people up with answers, and the chance of doing as well by guessing."""

    name: str
    p_value: float


def attacks(watched: Watched) -> Iterator[Attack]:
    """Every order of people against every order of answers within each group, both ways round."""
    people, found = _groups_of_people(watched), groups_of_answers(watched)
    assert {group: len(members) for group, members in people.items()} == {
        group: len(members) for group, members in found.items()
    }
    facts = {person: {"use": n, **_ordered(watched.seen[person])} for n, person in enumerate(watched.order)}
    evidence = [{**_ordered(row), **_values(row)} for row in watched.answers]
    whose = [row[CODE].removeprefix(MARK) for row in evidence]
    for by, of in itertools.product(_shared([*facts.values()]), _shared(evidence) - {CODE, "item_values"}):
        for is_reversed in (False, True):
            hits = 0
            for group, members in people.items():
                lined_up = sorted(members, key=lambda person: facts[person][by], reverse=is_reversed)
                theirs = sorted(found[group], key=lambda index: evidence[index][of])
                hits += sum(person == whose[index] for person, index in zip(lined_up, theirs, strict=True))
            chance = binomtest(hits, len(whose), len(people) / len(whose), alternative="greater")
            yield Attack(f"{by} against {'reversed ' * is_reversed}{of}: {hits} hits", chance.pvalue)


def orders_of_use(watched: Watched) -> Iterator[Attack]:
    """Whether anything of a closed wave's invites follows the order in which they were used."""
    facts = [_ordered(watched.seen[person]) for person in watched.order]
    for name in _shared(facts):
        places = {value: place for place, value in enumerate(sorted({fact[name] for fact in facts}))}
        if name.startswith("closed ") and len(places) > 1:
            correlation = spearmanr(range(len(facts)), [places[fact[name]] for fact in facts])
            yield Attack(name, correlation.pvalue)


def groups_of_answers(watched: Watched) -> dict[Cohort, list[int]]:
    """The answers of each group, by their place in `answers`."""
    groups = defaultdict(list)
    for index, row in enumerate(watched.answers):
        groups[Cohort(tuple(json.loads(row["team_path"])), row["tier"], row["role"])].append(index)
    return groups


def _groups_of_people(watched: Watched) -> dict[Cohort, list[str]]:
    """Who answered is known, and how cohorts are made coarse is no secret."""
    seen = [watched.seen[person] for person in watched.order]
    exact = [
        Cohort(tuple(json.loads(row["open team_path"])), row["open tier"], row["open role"]) for row in seen
    ]
    groups = defaultdict(list)
    for person, cohort in zip(watched.order, coarsened(exact, WAVE.minimum_group), strict=True):
        groups[cohort].append(person)
    return groups


def _see_invites(watched: Watched, engine: Engine, when: str) -> None:
    for row in rows(engine, "invite"):
        if row["is_used"]:
            watched.seen[row["person"]] |= {f"{when} {name}": value for name, value in row.items()}


def _ordered(row: Row) -> Row:
    """What of a row can be put in an order."""
    places = {
        name: tuple(int(part) for part in value.strip("()").split(","))
        for name, value in row.items()
        if name.endswith("ctid")
    }
    return {name: value for name, value in row.items() if value is not None} | places


def _values(row: Row) -> Row:
    values: Row = json.loads(row["item_values"])
    return values


def _shared(facts: Sequence[Row]) -> set[str]:
    """What is known of all of them."""
    return set.intersection(*(set(fact) for fact in facts))


def _size(values: Any) -> int:
    return sum(len(value) for value in values if isinstance(value, str | bytes))
