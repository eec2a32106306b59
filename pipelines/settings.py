"""What a workspace holds: the settings as pydantic models, each judged by itself.

docs/workspace.md describes every one; `pipelines.workspace` reads them from a file.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    InstanceOf,
    SerializeAsAny,
    ValidationInfo,
    field_validator,
)

from connectors.connector import Options
from pipelines.annotation_settings import AnnotationConfig
from pipelines.config_file import refusal, suggestion
from pipelines.message_settings import AlertsConfig, DigestConfig, GoalConfig, ToldConfig
from pipelines.platform_settings import PlatformConfig
from pipelines.setting_types import Duration, Name, Settings
from pipelines.sign_in_settings import SignInConfig
from pipelines.survey_settings import SurveysConfig

PUSH = "push"
"""Source of the events that others send; no configured one may be called so."""

_WITH_ACCOUNT = re.compile(r"(://)[^/\s@\"]*@")


def _fit_for_a_folder(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise refusal(
            "is no name for a source",
            "Use up to 64 letters, digits, `.`, `_` and `-`, beginning with a letter or digit",
        )
    if name.casefold() == PUSH:
        raise refusal("is taken by the events that others send to Cairn", "Choose another name")
    return name


def _in_the_calendar(name: str) -> str:
    if name != "UTC" and name not in (zones := available_timezones()):
        raise refusal(
            f"there is no timezone `{name}`",
            suggestion(name, zones, 3) + "Use an IANA name such as `Europe/Berlin` or `UTC`",
        )
    return name


def _several(value: object) -> object:
    """One value as a list of it, none as an empty list."""
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def _folder(path: str) -> str:
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts or ".." in parts or "*" in path:
        raise refusal(
            "is no folder of a repository", "Write it from the repository's top, as `services/shop`"
        )
    return "/".join(parts)


def _country(code: str) -> str:
    import holidays  # Takes as long as the rest of the settings together.

    if code not in (known := holidays.list_supported_countries(include_aliases=False)):
        mend = suggestion(code, known, 3) + "Use the two letters of ISO 3166, such as `DE`"
        raise refusal(f"no holidays are known of a country `{code}`", mend)
    return code


Timezone = Annotated[str, AfterValidator(_in_the_calendar)]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class SourceConfig(Settings):
    """A tool to read."""

    kind: Name
    """Which connector reads it."""
    name: Annotated[str, AfterValidator(_fit_for_a_folder)]
    """Unique in the workspace, whatever the case; the kind unless set."""
    options: SerializeAsAny[InstanceOf[Options]] = Field(repr=False)
    """The connector's own settings: in the file, the keys beside `kind` and `name`."""


class ServiceConfig(Settings):
    """Something that is deployed as a whole."""

    name: Name
    team: Annotated[tuple[Name, ...], BeforeValidator(_several)] = ()
    """Who owns it: one or several of the teams."""
    repositories: tuple[Name, ...] = Field(min_length=1)
    """Names of the repositories it is built from; `*` stands for anything."""
    paths: tuple[Annotated[Name, AfterValidator(_folder)], ...] = ()
    """Folders that are its own in them; none where it has all of them."""


class CalendarConfig(Settings):
    """Which days are worked."""

    country: Annotated[str, AfterValidator(_country)] | None = None
    """ISO 3166 code of the country whose public holidays are free; None where none are."""
    subdivision: Name | None = None
    """The country's state, province or region, which has holidays of its own."""
    weekend: tuple[Weekday, ...] = Field(("saturday", "sunday"), max_length=6)

    @field_validator("subdivision")
    @classmethod
    def _of_the_country(cls, subdivision: str | None, info: ValidationInfo) -> str | None:
        country = info.data.get("country")
        if subdivision is None or "country" not in info.data:
            return subdivision
        if country is None:
            raise refusal("is a part of no country", "Add `country`")
        import holidays

        if subdivision not in (known := holidays.list_supported_countries()[country]):
            mend = suggestion(subdivision, known, 3) + (
                f"Known of {country}: {', '.join(known)}" if known else "Remove it"
            )
            raise refusal(f"no holidays are known of `{subdivision}` in {country}", mend)
        return subdivision


class TeamConfig(Settings):
    """A team, or a group of teams."""

    name: Name
    parent: Name | None = None
    """The team it belongs to; None at the top."""
    timezone: Timezone | None = None
    """Where its people work; the workspace's unless set."""
    calendar: CalendarConfig | None = None
    """The workspace's unless set."""


class TakenFrom(Settings):
    """In the place of a list: what a source's records say."""

    source: Name = Field(alias="from")
    """Configured name of the source."""


class ProductionConfig(Settings):
    """Which environments are production."""

    environments: tuple[str, ...] = ("^(prod|production|live)(-.+)?$",)
    """RE2 patterns, whatever the case."""
    jobs: tuple[str, ...] = ()
    """RE2 patterns of the CI jobs or workflows that deploy, where no tool records deployments."""


class Workspace(Settings):
    """Everything that is configured, checked."""

    organisation: Name
    timezone: Timezone = "UTC"
    """IANA name of the zone in which days, weeks and months begin."""
    sources: tuple[SourceConfig, ...]
    services: tuple[ServiceConfig, ...] | TakenFrom = ()
    """Empty: every repository is a service."""
    teams: tuple[TeamConfig, ...] | TakenFrom = ()
    production: ProductionConfig = ProductionConfig()
    failure_window: Duration = timedelta(hours=24)
    """How long after a deployment a failure may still be its doing."""
    hotfix_labels: tuple[Name, ...] = ("hotfix",)
    """Pull requests with one of these labels are hotfixes, whatever the case."""
    include_bots: bool = False
    """Whether changes that bots make count in lead time."""
    calendar: CalendarConfig = CalendarConfig()
    """Which days are worked, for the times that leave out the others."""
    surveys: SurveysConfig = SurveysConfig()
    platform: PlatformConfig = PlatformConfig()
    sign_in: SignInConfig | None = None
    """Without it, only the machine itself is served, and whoever is at it reads everything."""
    goals: tuple[GoalConfig, ...] = ()
    """What figures are to be, told of by alerts."""
    digest: DigestConfig | None = None
    """Without it, the report is sent to nobody."""
    alerts: AlertsConfig | None = None
    """Without it, nobody is told of anything."""
    annotations: tuple[AnnotationConfig, ...] = ()
    """What happened, or will, to be marked on the trends it is about."""
    demo: bool = False
    """The sources are a simulated organisation: every page says so."""

    @field_validator("digest", "alerts")
    @classmethod
    def _can_be_sent(cls, told: ToldConfig | None, info: ValidationInfo) -> ToldConfig | None:
        surveys = info.data.get("surveys")
        if told and not told.to and not told.slack_webhook:
            raise refusal("is told to nobody", "Add `to: [ADDRESS]` or `slack_webhook`")
        if told and told.to and surveys and surveys.smtp is None:
            raise refusal("can be mailed by no server", "Add `smtp` to `surveys`")
        return told

    def fingerprint(self) -> str:
        """SHA-256 (hex) of everything that shapes figures; the same after a change of secrets alone."""
        # What of surveys shapes figures is pinned to each wave.
        others = {"surveys", "sign_in", "annotations", "goals", "digest", "alerts"}
        settings = json.dumps(self.model_dump(mode="json", exclude=others), sort_keys=True)
        return hashlib.sha256(_WITH_ACCOUNT.sub(r"\1", settings).encode()).hexdigest()
