"""What answers say: estimates with their intervals, changes between waves, drivers. All at 90 %."""

from surveys.statistics.comparisons import Change, holm, nps_change, two_proportions, welch
from surveys.statistics.drivers import Driver, Drivers, drivers
from surveys.statistics.estimates import CONFIDENCE, Estimate, mean_score, nps, umux_lite, wilson

__all__ = [
    "CONFIDENCE",
    "Change",
    "Driver",
    "Drivers",
    "Estimate",
    "drivers",
    "holm",
    "mean_score",
    "nps",
    "nps_change",
    "two_proportions",
    "umux_lite",
    "welch",
    "wilson",
]
