"""Every metric of adoption, at every level and grain, against plain Python over the same evidence.

`CAIRN_EXAMPLES=500` tries so many random platforms, new ones each time, instead of the same few.
"""

from __future__ import annotations

import math
import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.pipelines.adoption import hand_filled, reference
from tests.pipelines.adoption.random_platform import Maker

EXAMPLES = int(os.environ.get("CAIRN_EXAMPLES", "0"))
FEW = 3
"""As many as a run of all tests has time for."""
COMPARED = ("value", "n", "low", "high", "status", "partial", "excluded")


def differences(seed: int) -> list[tuple[reference.Place, str, object, object]]:
    """(place, column, what the reference says, what the models say)."""
    platform = Maker(seed).given()
    connection = hand_filled.fill(platform)
    models = hand_filled.rows(connection, reference.METRICS)
    connection.close()
    counted = reference.rows(platform)
    told = {place[:3] for place in models}
    found: list[tuple[reference.Place, str, object, object]] = []
    for place in sorted(models.keys() | counted.keys(), key=str):
        here, there = counted.get(place), models.get(place)
        # Of what a metric is never about there are no rows.
        if there is None and place[:3] not in told and here and here["n"] in (0, None):
            continue
        if here is None or there is None:
            found.append((place, "row", here, there))
            continue
        found += [(place, n, here[n], there[n]) for n in COMPARED if not alike(here[n], there[n])]
    return found


def alike(here: object, there: object) -> bool:
    if isinstance(here, float) and isinstance(there, float):
        return math.isclose(here, there, rel_tol=1e-9, abs_tol=1e-9)
    return here == there


@settings(
    max_examples=EXAMPLES or FEW,
    deadline=None,
    derandomize=not EXAMPLES,
    database=None,
    phases=tuple(Phase) if EXAMPLES else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(st.integers(0, 2**32 - 1))
@pytest.mark.timeout(0 if EXAMPLES else 120)
def test_models_and_reference_say_the_same_of_any_platform(seed: int) -> None:
    assert differences(seed)[:5] == []
