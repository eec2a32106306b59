"""Settings of the workspace file that are lists: what stands in them, be it valid or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.config_file import NOT_A_LIST, ConfigFile, Location, Model


def taken_entry(file: ConfigFile, key: str) -> dict[str, Any] | None:
    """What stands in the place of the list where that is taken from a source; None where it is not."""
    entry = (file.data or {}).get(key)
    return entry if isinstance(entry, dict) and "from" in entry else None


def entries_of(file: ConfigFile, key: str) -> list[Any]:
    """The entries as they stand; none where it is no list, which is then refused."""
    found = (file.data or {}).get(key, [])
    if isinstance(found, list):
        return found
    if taken_entry(file, key) is not None:
        return []
    if found is None:
        file.add((key,), "has no value", "Write a list after the colon, or remove the line")
    else:
        file.add((key,), *NOT_A_LIST)
    return []


def words(file: ConfigFile, key: str, field: str) -> list[str | None]:
    """The text of one field in each entry of a list, as far as it is text, valid or not.

    What one entry says of another is judged by these, so that no problem waits for another's mend.
    """
    values = [entry.get(field) if isinstance(entry, dict) else None for entry in entries_of(file, key)]
    return [value.strip() or None if isinstance(value, str) else None for value in values]


def named_in(file: ConfigFile, key: str, field: str) -> Iterator[tuple[Location, str]]:
    """As `words`, of a field that may also hold several; each with where it stands."""
    for index, entry in enumerate(entries_of(file, key)):
        value = entry.get(field) if isinstance(entry, dict) else None
        places = enumerate(value) if isinstance(value, list) else [(None, value)]
        for number, name in places:
            if isinstance(name, str) and name.strip():
                location = (key, index, field) if number is None else (key, index, field, number)
                yield location, name.strip()


def validated_entries(file: ConfigFile, key: str, model: type[Model]) -> list[Model | None]:
    """The entries of a list, with None in the place of one that has problems."""
    return [file.validated(model, entry, (key, i)) for i, entry in enumerate(entries_of(file, key))]
