"""Disclosure control: which numbers of a wave may be released so that nobody's answers are told."""

from surveys.disclosure.measures import Measure, measures_of
from surveys.disclosure.records import (
    ORGANISATION,
    Breach,
    Cell,
    Cohort,
    Comparison,
    Invited,
    PlacedComment,
    Release,
    Released,
    Respondent,
    Wave,
)
from surveys.disclosure.release import audit, release
from surveys.disclosure.scores import drivers_of

__all__ = [
    "ORGANISATION",
    "Breach",
    "Cell",
    "Cohort",
    "Comparison",
    "Invited",
    "Measure",
    "PlacedComment",
    "Release",
    "Released",
    "Respondent",
    "Wave",
    "audit",
    "drivers_of",
    "measures_of",
    "release",
]
