"""A connector as a third party might bring it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, JsonValue, SecretStr

from connectors.connector import Connector, Item, Note, Options, Problem


class Login(BaseModel):
    of: str
    """Account."""
    secret: SecretStr
    """Its password."""


class Rule(BaseModel):
    job: str
    when: str = "always"


class OtherOptions(Options):
    address: str
    """Where it is.
    On two lines."""
    login: Login
    key: SecretStr | None = None
    days: int
    rules: tuple[Rule, ...]
    verbose: bool = False


class OtherConnector(Connector):
    """Reads another tool."""

    kind = "other"
    streams = ("team",)
    options_type = OtherOptions

    def read(self, cursors: Mapping[str, JsonValue]) -> Iterator[Item]:  # noqa: ARG002
        yield from ()

    def check(self) -> Iterator[Problem | Note]:
        yield from ()
