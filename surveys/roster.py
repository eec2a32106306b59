"""The roster: who may be asked, each in one team, as it is frozen when a wave opens."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from surveys.store import Invitee

_REQUIRED = ("address", "team")
_OPTIONAL = ("name", "tier", "role")


class RosterError(Exception):
    """A roster that cannot be used; `str()` is one line that says what to do, without an address."""


class Row(NamedTuple):
    """A row of a CSV roster: a person in a team."""

    address: str
    team: str
    name: str | None
    tier: str | None
    role: str | None


class Place(NamedTuple):
    """A person's place in one team."""

    person: str
    """Keyed hash."""
    team: str
    tier: str | None = None
    role: str | None = None


def read(path: Path) -> list[Row]:
    """The rows of a CSV file with the columns address, team and, as may be, name, tier, role."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise RosterError(f"{path}: {error.strerror}. Correct `surveys.roster.file`.") from error
    except UnicodeDecodeError as error:
        raise RosterError(f"{path}: is not UTF-8 text. Save the file as UTF-8.") from error
    lines = text.splitlines()
    delimiter = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    reader = csv.DictReader(lines, delimiter=delimiter)
    reader.fieldnames = [name.strip().casefold() for name in reader.fieldnames or ()]
    if missing := [name for name in _REQUIRED if name not in reader.fieldnames]:
        raise RosterError(
            f"{path}:1: there is no column {' and no '.join(missing)}."
            f" Begin the file with the line {','.join((*_REQUIRED, *_OPTIONAL))}."
        )
    return list(_rows(path, reader))


def _rows(path: Path, reader: csv.DictReader[str]) -> Iterator[Row]:
    for raw in reader:
        row = {name: (raw.get(name) or "").strip() for name in (*_REQUIRED, *_OPTIONAL)}
        if not any(row.values()):
            continue
        user, _, domain = row["address"].rpartition("@")
        if not (user and domain and row["address"].isprintable() and " " not in row["address"]):
            raise RosterError(f"{path}:{reader.line_num}: address is no mail address. Correct it.")
        if not row["team"]:
            raise RosterError(f"{path}:{reader.line_num}: team is empty. Name the person's team.")
        yield Row(row["address"], row["team"], *(row[name] or None for name in _OPTIONAL))


def places(rows: Iterable[Row], person: Callable[[str], str]) -> list[Place]:
    """The rows with people as keyed hashes of their addresses."""
    return [Place(person(row.address), row.team, row.tier, row.role) for row in rows]


def invitees(places: Iterable[Place], parents: Mapping[str, str | None]) -> list[Invitee]:
    """Everybody once, in one team with all that it is part of; `parents` is team → the one above it.

    Who is in several teams is counted in the largest of them, where one more hides the best.
    """
    of: dict[str, list[Place]] = {}
    for place in sorted(set(places), key=lambda each: tuple(part or "" for part in each)):
        of.setdefault(place.person, []).append(place)
    sizes = Counter(team for own in of.values() for team in {place.team for place in own})
    chosen = [min(own, key=lambda place: (-sizes[place.team], place.team)) for own in of.values()]
    return [
        Invitee(place.person, path(place.team, parents), place.tier, place.role)
        for place in sorted(chosen, key=lambda place: place.person)
    ]


def path(team: str, parents: Mapping[str, str | None]) -> tuple[str, ...]:
    """The team and all above it, the topmost first."""
    found = [team]
    while (above := parents.get(found[-1])) is not None and above not in found:
        found.append(above)
    return tuple(reversed(found))
