"""Charts: pure functions from a frame of `queries` to a plotly figure.

Every mark of a trend carries its period's start (ISO date) as `customdata[0]`, which is how a page
knows what was chosen. Colours come from `theme`; text and background are left to the page's theme.
"""

from dashboards.figures.spreads import distribution, stages
from dashboards.figures.trends import bars, line

__all__ = ["bars", "distribution", "line", "stages"]
