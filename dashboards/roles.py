"""What a person is to Cairn, and with that what they may read."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Somebody may have several, and reads what any of them may."""

    developer = "developer"
    leadership = "leadership"
    platform = "platform"
    admin = "admin"


EVERYONE = frozenset(Role)
"""Also who everybody is where no sign-in is configured: then only the machine itself is served."""
RUNNERS = frozenset({Role.platform, Role.admin})
"""Those who look after the data and the surveys."""
