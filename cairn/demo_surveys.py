"""The demo organisation's waves, made by the store, the audit and the release that real ones go through."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from connectors.connector import Context
from pipelines import survey_waves, surveys
from pipelines.home import Home
from pipelines.workspace import Workspace
from surveys import releasing
from surveys.store import Invitee, NewAction, Store

INSTRUMENT = "pulse"


class _Clock:
    """The time at which the organisation does something."""

    def __init__(self) -> None:
        self.at: datetime

    def __call__(self) -> datetime:
        return self.at


def prepare(home: Home, workspace: Workspace) -> bool:
    """Live through the waves that the demo planned, as far as the store has none of them; whether any was."""
    person = Context(cache=home.mirrors, identity_key=home.identity_key()).person
    clock = _Clock()
    plan = json.loads((home.root / "organisation" / "surveys.json").read_text())
    is_news = False
    with Store(surveys.address(home, workspace), home.survey_keys, clock=clock) as store:
        clock.at = datetime.fromisoformat(plan["waves"][-1]["opens_at"])
        known = {wave.id for wave in store.waves() if wave.state not in {"ended", "closing"}}
        for wave in plan["waves"]:
            if wave["id"] in known:
                continue
            is_last = wave is plan["waves"][-1]
            people = {person(each["login"]): each for each in wave["people"]}
            is_news = True
            _live(store, workspace, clock, wave, people)
            if not is_last:
                clock.at = datetime.fromisoformat(wave["closes_at"]) + workspace.surveys.grace
                for _ in releasing.close(store, wave["id"], plan["names"]):
                    pass
        if not store.actions():
            action = plan["action"]
            decided_on = datetime.fromisoformat(plan["waves"][2]["opens_at"]).date()
            store.add_action(
                NewAction(action["wave"], action["theme"], action["said"], action["did"], "done", decided_on)
            )
    return is_news


def a_link(home: Home, workspace: Workspace, port: int) -> str:
    """Somebody's link into the open wave, who has not answered yet, on this machine."""
    with surveys.open_store(home, workspace) as store:
        token = next(link.token for link in store.links(store.waves()[0].id) if not link.is_used)
    return f"http://127.0.0.1:{port}/pulse/{token}"


def _live(
    store: Store,
    workspace: Workspace,
    clock: _Clock,
    wave: Mapping[str, Any],
    people: Mapping[str, Mapping[str, Any]],
) -> None:
    """Open a wave and have its people answer."""
    clock.at = datetime.fromisoformat(wave["opens_at"])
    closes_at = datetime.fromisoformat(wave["closes_at"])
    new = survey_waves.new_wave(workspace, store, wave["id"], INSTRUMENT, clock.at, closes_at)
    invitees = [Invitee(hash_, tuple(each["team"]), each["tier"]) for hash_, each in people.items()]
    store.open_wave(new, invitees)
    answering = [
        (link.token, answers)
        for link in store.links(wave["id"])
        if not link.is_used and (answers := people[link.person]["answers"]) is not None
    ]
    # What arrives at once shares a commit.
    with ThreadPoolExecutor(16) as threads:
        for _ in threads.map(store.submit, *zip(*answering, strict=True)):
            pass
