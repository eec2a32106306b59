"""Connectors: one module per tool; each yields canonical records and knows nothing downstream."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.connector import Connector

ENTRY_POINT_GROUP = "cairn.connectors"


def kinds() -> list[str]:
    """Kinds of source that can be configured, built-in and installed, in alphabetical order."""
    return sorted(entry_points(group=ENTRY_POINT_GROUP).names)


def connector_type(kind: str) -> type[Connector]:
    """The connector class registered for `kind`; raises `KeyError` for an unknown one."""
    (entry,) = entry_points(group=ENTRY_POINT_GROUP, name=kind) or [None]
    if entry is None:
        raise KeyError(kind)
    loaded: type[Connector] = entry.load()
    return loaded
