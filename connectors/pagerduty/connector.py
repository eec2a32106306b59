"""pagerduty: incidents with the times their log tells, change events, services, teams and their people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr, model_validator

from connectors.connector import Connector, Covered, Item, Note, Options, Problem
from connectors.http import (
    Auth,
    Client,
    Forbidden,
    HttpError,
    Refused,
    Unauthorized,
    Unavailable,
    bearer,
    client_credentials,
)
from connectors.pagerduty import changes as pagerduty_changes
from connectors.pagerduty import directory as pagerduty_directory
from connectors.pagerduty.incidents import Causes, Reading
from connectors.patterns import is_wanted
from connectors.records import Service, Team
from connectors.snapshot import Seen, changes, digest
from connectors.web_address import WebAddress

_CHANGES_FROM = datetime(2020, 1, 1, tzinfo=UTC)
"""PagerDuty has had no change events before."""
_HEADERS = {"Accept": "application/vnd.pagerduty+json;version=2", "Content-Type": "application/json"}
_LISTS = ("teams", "users", "services", "incidents", "change_events")
"""First parts of addresses; each is opened by an OAuth scope of this name."""


class PagerDutyClient(BaseModel):
    """An app registered with PagerDuty for Scoped OAuth."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    id: str = Field(min_length=1)
    secret: SecretStr
    scope: str
    """As `as_account-us.SUBDOMAIN incidents.read services.read teams.read users.read change_events.read`."""
    token_url: WebAddress = "https://identity.pagerduty.com/oauth/token"


class PagerDutyOptions(Options):
    """Settings of a `pagerduty` source. Either `token` or `client` must be given."""

    url: WebAddress = "https://api.pagerduty.com"
    """Address of the API; in the EU service region `https://api.eu.pagerduty.com`."""
    token: SecretStr | None = None
    """An API key of the account or of a user; a read-only one will do."""
    client: PagerDutyClient | None = None
    """Instead of a token: an app's `id`, `secret` and `scope`."""
    services: tuple[str, ...] = ("*",)
    """Patterns of names of services, as `["shop-*", "!*-sandbox"]`; what is of others is left out."""
    teams: tuple[str, ...] = ("*",)
    """Patterns of names of teams; where set, services and incidents of no such team are left out."""
    since: date | None = None
    """Incidents and changes before this day (UTC) are left out; all are read unless set."""
    cause_field: str | None = None
    """Custom field of incidents that names a cause: a commit's sha, a deployment's id, or a change as `#12`.
    Costs a request per incident."""
    cause_detail: str | None = None
    """Detail of an incident's alerts that names the same, where the custom field does not. Costs as much."""

    @model_validator(mode="after")
    def _has_one_credential(self) -> Self:
        if (self.token is None) == (self.client is None):
            raise ValueError("give either `token` or `client`")
        return self

    def auth(self) -> Auth:
        """Raises `SourceError` for a token that no header can carry."""
        if self.client:
            client = self.client
            return client_credentials(client.token_url, client.id, client.secret, client.scope)
        assert self.token is not None
        # `Token token=KEY` is how PagerDuty wants an API key.
        checked = bearer(self.token, scheme="")
        return bearer(SecretStr(f"token={checked.secrets[0]}"), scheme="Token")


class PagerDutyConnector(Connector):
    """Reads one PagerDuty account.

    A person is known by the address they sign in with. `Incident.service` is the `Service.id` here.
    """

    kind = "pagerduty"
    streams = ("incident", "change_event", "service", "team", "membership")
    options_type = PagerDutyOptions
    options: PagerDutyOptions

    def read(self, cursors: Mapping[str, JsonValue]) -> Iterator[Item]:
        """Teams, services, incidents and changes, each a scope of its own.

        What the options leave out has scopes of other names: changed options begin anew.
        """
        options = self.options
        incidents = f"incidents{_suffix(options.services, options.teams, options.since, _causes(options))}"
        announced = f"change_events{_suffix(options.services, options.teams, options.since)}"
        with self._client() as client:
            account = _Account(client, self)
            parts: dict[str, Callable[[JsonValue], Iterator[Item]]] = {
                "teams": lambda cursor: account.teams("teams", cursor),
                "services": lambda cursor: account.services("services", cursor),
                incidents: lambda cursor: account.incidents(incidents, cursor),
                announced: lambda cursor: account.changes(announced, cursor),
            }
            has_read = False
            for scope, part in parts.items():
                began = datetime.now(UTC)
                try:
                    yield from part(cursors.get(scope))
                except HttpError as error:
                    if not has_read and isinstance(error, Unauthorized | Unavailable):
                        raise
                    yield Problem(scope, str(error), _mend(scope, error), error.is_transient)
                else:
                    has_read = True
                    yield Covered(scope, began)

    def check(self) -> Iterator[Problem | Note]:
        """Ask for one of each, and for what the account can do."""
        with self._client() as client:
            account = _Account(client, self)
            try:
                yield from account.told()
            except HttpError as error:
                yield Problem(self.name, str(error), error.mend, error.is_transient)

    def _client(self) -> Client:
        return Client(self.options.url, auth=self.options.auth(), headers=_HEADERS)


def _causes(options: PagerDutyOptions) -> Causes:
    return Causes(options.cause_field, options.cause_detail)


def _suffix(*chosen: object) -> str:
    """What tells the scopes of one choice from those of another; empty where everything is read."""
    is_all = all(each in (("*",), None, Causes()) for each in chosen)
    return "" if is_all else f":{digest([chosen])[:8]}"


def _mend(scope: str, error: HttpError) -> str:
    needed = "teams.read and users.read" if scope == "teams" else f"{scope.partition(':')[0]}.read"
    return _permission(needed) if isinstance(error, Forbidden) else error.mend


def _permission(needed: str) -> str:
    return f"Give the token, or the app, the permission {needed}."


class _Account:
    """One reading of an account."""

    def __init__(self, client: Client, connector: PagerDutyConnector) -> None:
        self._client = client
        self._name = connector.name
        self._options = connector.options
        self._person = connector.context.person
        self._services: set[str] = set()
        """Ids of those that are taken."""

    def teams(self, scope: str, cursor: JsonValue) -> Iterator[Item]:
        """Teams and who is in them; none where the account has no teams."""
        try:
            raw = pagerduty_directory.everything(self._client, "/teams", "team")
        except Refused as error:
            if error.status != 402:
                raise
            yield Note(scope, "the account's plan has no teams")
            raw = []
        teams = pagerduty_directory.teams(raw, scope, self._options.teams)
        yield from changes(scope, cursor, self._directory(scope, teams))

    def _directory(self, scope: str, teams: Seen) -> Iterator[Seen]:
        yield teams
        known = [team for team in teams.records if isinstance(team, Team)]
        raw = pagerduty_directory.everything(self._client, "/users", "membership") if known else []
        yield pagerduty_directory.memberships(raw, scope, known, self._person)

    def services(self, scope: str, cursor: JsonValue) -> Iterator[Item]:
        raw = pagerduty_directory.everything(self._client, "/services", "service")
        services = pagerduty_directory.services(raw, scope, self._takes)
        self._services = {service.id for service in services.records if isinstance(service, Service)}
        yield from changes(scope, cursor, [services])

    def incidents(self, scope: str, cursor: JsonValue) -> Iterator[Item]:
        reading = Reading(
            self._client, scope, since=self._since(), causes=_causes(self._options), is_wanted=self._takes
        )
        yield from reading.items(cursor)

    def changes(self, scope: str, cursor: JsonValue) -> Iterator[Item]:
        takes_all = self._options.services == ("*",) and self._options.teams == ("*",)
        yield from pagerduty_changes.read(
            self._client,
            scope,
            cursor,
            self._since() or _CHANGES_FROM,
            lambda service: takes_all or service in self._services,
        )

    def told(self) -> Iterator[Problem | Note]:
        """What `cairn doctor` says; raises `HttpError` where nothing can be read."""
        for part in _LISTS:
            try:
                self._client.get(f"/{part}", {"limit": 1}, stream="check")
            except Forbidden as error:
                yield Problem(part, str(error), _permission(f"{part}.read"))
            except Refused as error:
                yield Note(part, f"left out, as the account's plan has none: {error}")
        try:
            self._client.get("/users/me", stream="check")
            yield Note(self._name, "the token is a user's: it sees what that user sees")
        except (Forbidden, Refused):
            yield Note(self._name, "the token is the account's own or an app's")
        if budget := self._client.budget:
            yield Note(self._name, f"{budget.remaining} of {budget.limit} requests a minute are left")

    def _takes(self, service: str | None, teams: Sequence[str]) -> bool:
        options = self._options
        is_team = options.teams == ("*",) or any(is_wanted(team, options.teams) for team in teams)
        return is_team and (options.services == ("*",) or is_wanted(service or "", options.services))

    def _since(self) -> datetime | None:
        day = self._options.since
        return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
