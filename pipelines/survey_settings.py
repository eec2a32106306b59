"""The settings `surveys` of a workspace: who is asked, how often, by what way, and what is released."""

from __future__ import annotations

import re
from datetime import timedelta
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator, model_validator

from connectors.web_address import WebAddress
from pipelines.config_file import refusal
from pipelines.setting_types import Duration, Name, Settings

_HOOK = "Write `${NAME}`, and put the whole address of the webhook into that environment variable"


def _path(entry: str, info: ValidationInfo) -> str:
    folder = (info.context or {}).get("folder") or Path()
    return str(Path(folder, Path(entry).expanduser()).absolute())


def _mailbox(text: str) -> str:
    name, address = parseaddr(text)
    try:
        parsed = Address(display_name=name, addr_spec=address)
    except (HeaderParseError, ValueError, IndexError):
        parsed = Address()
    if not parsed.username or not parsed.domain or not text.isprintable():
        raise refusal(
            "is no mail address", "Write it as `surveys@acme.example` or `Name <surveys@acme.example>`"
        )
    return str(parsed)


def _database(url: str) -> str:
    if not re.match(r"(sqlite|postgresql)(\+\w+)?://", url):
        raise refusal(
            "is no address of a database",
            "Write `postgresql://USER:${PASSWORD}@HOST/NAME`; without it, answers are in CAIRN_HOME",
        )
    return url


def _webhook(secret: SecretStr) -> SecretStr:
    parts = urlsplit(secret.get_secret_value())
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path in {"", "/"}:
        raise refusal("is no address of a webhook", _HOOK)
    return secret


Mailbox = Annotated[str, AfterValidator(_mailbox)]
"""`name@host`, or `Name <name@host>`."""
Webhook = Annotated[SecretStr, AfterValidator(_webhook)]
"""The whole address, which is the secret."""
FilePath = Annotated[Name, AfterValidator(_path)]
"""A relative one begins at the workspace file's folder, `~` at the user's home."""


class SmtpConfig(Settings):
    """The server that invitations are sent through."""

    host: Name
    port: int = Field(587, ge=1, le=65535)
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    """`none` sends links in clear, and no password."""
    ca_file: FilePath | None = None
    """Certificates to trust beside those of the system, PEM."""
    user: Name | None = None
    password: SecretStr | None = None

    @model_validator(mode="after")
    def _signs_in_safely(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise refusal("needs `user` and `password` together", "Add the other, or remove both")
        if self.password and self.tls == "none":
            raise refusal("would send the password in clear", "Set `tls: starttls` or `tls: implicit`")
        return self


class RosterConfig(Settings):
    """Who may be asked, and where their addresses are."""

    source: Name | None = Field(None, alias="from")
    """Configured name of a source with memberships."""
    file: FilePath | None = None
    """A CSV file with a row for each person and team."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.source is None) == (self.file is None):
            raise refusal("is one of two", "Write `{from: SOURCE}` or `{file: roster.csv}`")
        return self


class SurveysConfig(Settings):
    """Who is asked, how often, by what way, and what is released."""

    minimum_group: int = Field(5, ge=5)
    """People under whom a group's answers are withheld."""
    comment_group: int = Field(10, ge=10)
    """People with a comment under whom none of the group is shown."""
    store: Annotated[str, AfterValidator(_database)] | None = Field(None, repr=False)
    """Where answers are kept; a SQLite file in `CAIRN_HOME` unless set."""
    instruments: FilePath | None = None
    """Folder of the workspace's own instruments, beside those shipped."""
    languages: tuple[Name, ...] = ()
    """Those that are offered, of the instrument's; all unless set."""
    roster: RosterConfig | None = None
    """Unless set, the source that `teams` is taken from."""
    open_for: Duration = timedelta(days=14)
    grace: Duration = timedelta(days=2)
    """For how long after its end a form that was begun may still be sent."""
    rotation_weeks: int = Field(8, ge=1, le=104)
    """Nobody is asked more often than every so many weeks."""
    rotation_groups: int = Field(1, ge=1, le=52)
    """In how many parts the teams take turns: each wave asks one, in whole teams."""
    triggers: tuple[Literal["first_deployment", "template_run"], ...] = ("first_deployment", "template_run")
    """What makes a person's team come first in the next ordinary wave."""
    reminders: int = Field(2, ge=0, le=5)
    """How often those are reminded, at most, who have not answered."""
    public_url: WebAddress | None = None
    """Address under which people reach Cairn: links to the form begin with it."""
    from_address: Mailbox | None = None
    """Who invitations are from."""
    smtp: SmtpConfig | None = None
    slack_webhook: Webhook | None = None
    """An incoming webhook, whose channel is told that a wave is open, without any link."""

    @field_validator("smtp")
    @classmethod
    def _can_be_sent(cls, smtp: SmtpConfig | None, info: ValidationInfo) -> SmtpConfig | None:
        for key in ("public_url", "from_address"):
            if smtp and info.data.get(key, "") is None:
                raise refusal(f"sends nothing without `{key}`", f"Add `{key}` to `surveys`")
        return smtp
