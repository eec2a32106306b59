"""Every metric, at every level and grain, against the reference: plain Python over the same records.

`CAIRN_EXAMPLES=2000` tries so many random organisations, new ones each time, instead of the same few.
"""

from __future__ import annotations

import json
import math
import os
import random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.pipelines import modelled
from tests.pipelines.random_organisation import Maker
from tests.pipelines.reference.figures import METRICS, Place, rows
from tests.pipelines.reference.given import Given
from tests.pipelines.reference.waiting import Wait, every_wait
from tests.pipelines.reference.world import world

EXAMPLES = int(os.environ.get("CAIRN_EXAMPLES", "0"))
FEW = 8
"""As many as a run of all tests has time for; each builds every model."""
Difference = tuple[Place | str, str, object, object]
"""(place or change, column, what the reference says, what the models say)."""
COMPARED = ("value", "n", "low", "high", "status", "partial", "excluded")


def seeded(seed: int, most: int = 6) -> Given:
    return Maker(random.Random(seed).randrange, most=most).organisation()


@st.composite
def drawn(draw: st.DrawFn) -> Given:
    return Maker(lambda n: draw(st.integers(0, n - 1))).organisation()


# What is drawn can be shrunk, but is small and repeats itself; what is seeded is worth a build each.
ORGANISATIONS = st.integers(0, 2**32 - 1).map(seeded)
if EXAMPLES:
    ORGANISATIONS |= drawn()


def differences(organisation: Given) -> list[Difference]:
    """What the reference and the models say otherwise."""
    connection = modelled.build(organisation)
    models = modelled.figures(connection)
    waits = connection.execute(
        "select c.change_id, w.wait_seconds, w.queue_seconds, w.rerun_seconds, w.left_out"
        " from core.pull_request_wait as w left join core.change as c using (change_key)"
    ).fetchall()
    connection.close()
    reference = rows(organisation)
    assert {place[0] for place in models} <= METRICS.keys()
    found = waits_apart(organisation, {change: Wait(*told) for change, *told in waits})
    for place in sorted(models.keys() | reference.keys()):
        here, there = reference.get(place), models.get(place)
        if here is None or there is None:
            found.append((place, "row", here, there))
            continue
        there["excluded"] = json.loads(there["excluded"])
        found += [
            (place, name, here[name], there[name]) for name in COMPARED if not alike(here[name], there[name])
        ]
    return found


def waits_apart(organisation: Given, models: dict[str, Wait]) -> list[Difference]:
    """Figures show of the waits for CI no more than how long they are."""
    reference = {change.id: wait for change, wait in every_wait(world(organisation))}
    assert models.keys() == reference.keys()
    return [
        (change, name, here, there)
        for change, wait in reference.items()
        for name, here, there in zip(Wait._fields, wait, models[change], strict=True)
        if not alike(here, there)
    ]


def alike(here: object, there: object) -> bool:
    if isinstance(here, float) and isinstance(there, float):
        return math.isclose(here, there, rel_tol=1e-9, abs_tol=1e-9)
    return here == there


@settings(
    max_examples=EXAMPLES or FEW,
    deadline=None,
    derandomize=not EXAMPLES,
    database=None,
    # To shrink takes minutes: CAIRN_EXAMPLES does.
    phases=tuple(Phase) if EXAMPLES else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(ORGANISATIONS)
@pytest.mark.timeout(0 if EXAMPLES else 120)
def test_models_and_reference_say_the_same_of_any_organisation(organisation: Given) -> None:
    assert differences(organisation)[:5] == []


def test_models_and_reference_say_the_same_of_a_larger_organisation() -> None:
    assert differences(seeded(4, most=16))[:5] == []
