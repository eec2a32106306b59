"""Where each comment is shown: at one node of the team tree, with enough others."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from surveys.disclosure.records import ORGANISATION, PlacedComment, Wave
from surveys.disclosure.tables import Tables


def placed(wave: Wave, tables: Tables) -> tuple[tuple[PlacedComment, ...], int]:
    """Comments in random order, each at the smallest node where enough people wrote, and how many have none.

    Whose comments are shown at a node don't count again above it. A member of several teams counts in the
    first by name, since in two teams a comment would tell who is in both.
    """
    shown: list[PlacedComment] = []
    withheld = 0
    for item in wave.comment_items:
        waiting: dict[str, list[str]] = {}
        for respondent in wave.respondents:
            text = respondent.values.get(item)
            if isinstance(text, str) and text.strip():
                path = min(respondent.cohort.team_paths, default=())
                waiting.setdefault(path[-1] if path else ORGANISATION, []).append(text)
        for team in _upwards(tables):
            texts = waiting.pop(team, [])
            parent = tables.parent(("team", team))
            if len(texts) >= wave.comment_group:
                shown += [PlacedComment(item, team, parent, len(texts), text) for text in texts]
            elif parent is not None:
                waiting.setdefault(parent, []).extend(texts)
            else:
                withheld += len(texts)
    secrets.SystemRandom().shuffle(shown)
    return tuple(shown), withheld


def _upwards(tables: Tables) -> Sequence[str]:
    """Teams, each before the one above it."""
    teams = [name for table, name in tables.groups if table == "team"]
    return sorted(teams, key=lambda team: -tables.depth(("team", team)))
