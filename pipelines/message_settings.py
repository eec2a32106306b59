"""The settings `goals`, `digest` and `alerts` of a workspace: what is aimed at, and who is told of what."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from pipelines.config_file import refusal, suggestion
from pipelines.setting_types import Name, Settings, length_of_time
from pipelines.survey_settings import Mailbox, Webhook

_MARTS = Path(__file__).with_name("models") / "marts"


@cache
def units() -> dict[str, str]:
    """Metric → unit, by the headers of the models alone: to read all of the models takes seconds."""
    headers = {path.stem: path.read_text().partition("*/")[0] for path in sorted(_MARTS.glob("*.sql"))}
    return {
        name: yaml.safe_load(header.removeprefix("/*"))["metric"]["unit"]
        for name, header in headers.items()
        if "\nmetric:" in header
    }


def _metric(name: str) -> str:
    if name not in units():
        raise refusal(
            f"there is no metric `{name}`", suggestion(name, units(), 3) + "docs/metrics.md has them all"
        )
    return name


class GoalConfig(Settings):
    """Where a figure is to be."""

    metric: Annotated[Name, AfterValidator(_metric)]
    at_most: float | None = Field(None, ge=0)
    """In the metric's unit: seconds, from 0 to 1, or a number."""
    at_least: float | None = Field(None, ge=0)
    team: Name | None = None
    service: Name | None = None
    """Without a team or a service, the organisation's figure."""
    capability: Name | None = None
    """Of a metric of adoption; without it, that of the platform as a whole."""
    grain: Literal["week", "month", "quarter"] = "month"

    @field_validator("at_most", "at_least", mode="before")
    @classmethod
    def _in_unit(cls, value: object, info: ValidationInfo) -> object:
        unit, text = units().get(info.data.get("metric", "")), str(value).replace(" ", "")
        if value is None or unit is None:
            # What metric it is comes first; its bound is judged once that is mended.
            return None if value is None else 0
        if unit == "seconds":
            try:
                return length_of_time(text).total_seconds()
            except ValueError:
                raise refusal("is no length of time", "Write it as `90m`, `24h` or `2d`") from None
        if unit == "ratio":
            share = re.fullmatch(r"(\d+(?:\.\d+)?)%|([01](?:\.\d+)?)", text)
            number = float(share[1]) / 100 if share and share[1] else float(share[2]) if share else 2.0
            if number > 1:
                raise refusal("is no share", "Write it as `15%` or `0.15`")
            return number
        return value

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.at_most is None) == (self.at_least is None):
            raise refusal("needs one bound", "Write `at_most` or `at_least`")
        if self.team is not None and self.service is not None:
            raise refusal("names a team and a service", "Remove one of them")
        return self


class ToldConfig(Settings):
    """Who is told."""

    to: tuple[Mailbox, ...] = ()
    """Mail addresses, best of lists; sent by `surveys.smtp` from `surveys.from_address`."""
    slack_webhook: Webhook | None = None
    """An incoming webhook of Slack."""


class DigestConfig(ToldConfig):
    """The report, sent by itself."""

    every: Literal["week", "month", "quarter"] = "month"
    """Of which it tells the last one that is over, once."""


class AlertsConfig(ToldConfig):
    """What is told as soon as the data shows it."""

    changes: Literal["none", "organisation", "team", "service"] = "organisation"
    """Down to which level new levels of figures are told."""
    most_per_day: int = Field(3, ge=1, le=50)
    """The rest waits for the next day."""
