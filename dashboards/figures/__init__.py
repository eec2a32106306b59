"""Charts: pure functions from a frame of `queries` to a plotly figure.

Every mark of a trend carries its period's start (ISO date) as `customdata[0]`, which is how a page
knows what was chosen. Colours come from `theme`; text and background are left to the page's theme.
"""

from dashboards.figures.adoption import burn_up, cohorts, comings, funnel, shares
from dashboards.figures.notes import annotate
from dashboards.figures.peers import strip
from dashboards.figures.spreads import distribution, stages
from dashboards.figures.trends import bars, line
from dashboards.figures.voice import (
    INDENT,
    UNSHOWN,
    answers,
    drivers,
    group_name,
    heat,
    score,
    theme_name,
    themes,
    waves,
)

__all__ = [
    "INDENT", "UNSHOWN", "annotate", "answers", "bars", "burn_up", "cohorts", "comings", "distribution",
    "drivers", "funnel", "group_name", "heat", "line", "score", "shares", "stages", "strip", "theme_name",
    "themes", "waves",
]  # fmt: skip
