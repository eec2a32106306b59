"""The setting `annotations` of a workspace: what happened when, to be marked on the trends it is about."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from pipelines.config_file import ConfigFile, refusal, suggestion
from pipelines.setting_types import Name, Settings

Level = Literal["organisation", "team", "service", "capability"]

_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+")


def _of_nobody(text: str) -> str:
    if _ADDRESS.search(text):
        raise refusal("holds an e-mail address", "Name a team or a role, not a person")
    return text


Text = Annotated[Name, AfterValidator(_of_nobody)]


class AnnotationConfig(Settings):
    """Something that happened, or will."""

    date: dt.date
    """Local day."""
    text: Text
    """What happened, for people to read."""
    team: Name | None = None
    """Team it is about, and those below it; at most one of this and the next two is set."""
    service: Name | None = None
    capability: Name | None = None
    """Capability of the platform; it is marked on that one's adoption."""

    @model_validator(mode="after")
    def _about_one_thing(self) -> Self:
        if len([name for name in (self.team, self.service, self.capability) if name]) > 1:
            mend = "Keep one of `team`, `service` and `capability`, or write several annotations"
            raise refusal("is about several things", mend)
        return self

    @property
    def about(self) -> tuple[Level, str | None]:
        """Level and name of what it is about; the whole has no name here."""
        if self.team:
            return "team", self.team
        if self.service:
            return "service", self.service
        return ("capability", self.capability) if self.capability else ("organisation", None)


def check(
    file: ConfigFile, annotations: Sequence[AnnotationConfig | None], known: Mapping[Level, Sequence[str]]
) -> None:
    """Note names of things that are not there; of a level that is not in `known` any name may be right."""
    for number, annotation in enumerate(annotations):
        level, name = annotation.about if annotation else ("organisation", None)
        if name and name not in known.get(level, [name]):
            mend = suggestion(name, known[level]) + "Correct the name, or leave it out for the whole"
            file.add(("annotations", number, level), f"there is no {level} `{name}`", mend)
