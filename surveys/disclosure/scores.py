"""Scores of constructs by respondent, of which the organisation's drivers are told."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean

from surveys.disclosure.records import Wave
from surveys.statistics import Drivers, drivers
from surveys.statistics.drivers import MAX_DRIVERS

OUTCOME = "satisfaction"


def drivers_of(wave: Wave, outcome: str = OUTCOME) -> Drivers:
    """What goes together with the outcome, among the first six other constructs; too few where none is asked.

    A construct's score is the mean of its items on 0 to 100, without items that are asked of some only.
    """
    measures = [each for each in wave.measures if each.kind != "theme" and not each.is_conditional]
    constructs = list(dict.fromkeys(each.construct for each in measures))
    if outcome not in constructs or len(constructs) < 2:
        return Drivers(outcome, 0, "too_few", None, None, ())
    constructs = [outcome, *(each for each in constructs if each != outcome)][: MAX_DRIVERS + 1]
    scores: dict[str, list[float | None]] = {construct: [] for construct in constructs}
    for respondent in wave.respondents:
        mine = defaultdict(list)
        for measure in measures:
            score = measure.score(respondent.values)
            if score is not None:
                mine[measure.construct].append(score)
        for construct in constructs:
            scores[construct].append(fmean(mine[construct]) if construct in mine else None)
    return drivers(outcome, scores)
