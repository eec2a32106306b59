"""alertmanager: alerts that match a rule, as incidents; with Prometheus' memory of them where it is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self

from pydantic import Field, JsonValue, SecretStr, model_validator

from connectors.alertmanager import alerts as alertmanager_alerts
from connectors.alertmanager import history as alertmanager_history
from connectors.alertmanager.alerts import STREAM, Alert, Rule, identity
from connectors.alertmanager.firings import Firings
from connectors.alertmanager.history import LATE
from connectors.connector import Batch, Connector, Covered, Item, Note, Options, Problem, Quarantined
from connectors.http import Auth, Client, HttpError, basic, bearer
from connectors.http.limits import server_date
from connectors.parsing import Malformed, moment, parsed
from connectors.records import Incident
from connectors.snapshot import digest, fields
from connectors.web_address import WebAddress

_DEFAULT_RULES = (Rule(match={"severity": "critical|page"}),)


class AlertmanagerOptions(Options):
    """Settings of an `alertmanager` source."""

    url: WebAddress
    """Address of Alertmanager, with the path it is served under, without `/api`."""
    user: str | None = None
    """User of basic authentication."""
    password: SecretStr | None = None
    """Password of basic authentication."""
    token: SecretStr | None = None
    """Bearer token, instead of a user and a password."""
    rules: tuple[Rule, ...] = _DEFAULT_RULES
    """Which alerts are incidents, and of which service; the first rule that matches holds. Unless set, those
    with the severity `critical` or `page`, their service in the label `service`, else `job`."""
    prometheus_url: WebAddress | None = None
    """Address of the Prometheus that sends the alerts: it remembers those that Alertmanager has forgotten.
    The same credentials are sent to it."""
    history_days: int = Field(30, ge=1, le=3650)
    """How far back the first reading asks Prometheus, in days."""
    external_labels: dict[str, str] = Field(default_factory=dict)
    """The `external_labels` of that Prometheus: it adds them to alerts on their way to Alertmanager."""

    @model_validator(mode="after")
    def _has_one_credential(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("`user` and `password` go together")
        if self.user is not None and self.token is not None:
            raise ValueError("give either `token`, or `user` and `password`")
        return self

    def auth(self) -> Auth | None:
        """Raises `SourceError` for a token that no header can carry."""
        if self.user is not None and self.password is not None:
            return basic(self.user, self.password)
        return bearer(self.token) if self.token else None


class _Listing(NamedTuple):
    """What Alertmanager lists at a time, by its own clock."""

    at: datetime
    alerts: list[Alert]
    failed: list[Quarantined]


class AlertmanagerConnector(Connector):
    """Reads the alerts of one Alertmanager.

    Alertmanager lists what fires now and nothing else. Without Prometheus' history an alert that
    started and ended between two readings is not seen, and one that is listed no more is resolved at
    the time of the reading: its end is known to one interval between readings.
    """

    kind = "alertmanager"
    streams = (STREAM,)
    options_type = AlertmanagerOptions
    options: AlertmanagerOptions

    def read(self, cursors: Mapping[str, JsonValue]) -> Iterator[Item]:
        """One scope, of another name where the rules are not the default ones: other rules begin anew."""
        scope = scope_of(self.options)
        began = datetime.now(UTC)
        with self._client(self.options.url) as client:
            listing = _listing(client, self.options, scope)
        try:
            yield from self._read(scope, fields(cursors.get(scope)), listing)
        except HttpError as error:
            yield Problem(scope, str(error), error.mend, error.is_transient)
        else:
            yield Covered(scope, began)

    def check(self) -> Iterator[Problem | Note]:
        """Ask for Alertmanager's version and alerts, and for Prometheus' time."""
        scope = scope_of(self.options)
        try:
            with self._client(self.options.url) as client:
                status: Any = client.get("/api/v2/status", stream="check").json()
                alerts = _listing(client, self.options, scope).alerts
            version = fields(fields(status).get("versionInfo")).get("version")
            yield Note(scope, f"Alertmanager {version}; of the alerts that fire {len(alerts)} match a rule")
            if self.options.prometheus_url:
                with self._client(self.options.prometheus_url) as client:
                    alertmanager_history.now(client)
            else:
                yield Note(
                    scope, "alerts that start and end between two syncs are left out: no prometheus_url"
                )
        except HttpError as error:
            yield Problem(scope, str(error), error.mend, error.is_transient)

    def _client(self, url: str) -> Client:
        return Client(url, auth=self.options.auth())

    def _read(self, scope: str, cursor: Mapping[str, JsonValue], listing: _Listing) -> Iterator[Item]:
        """What is new of the alerts listed and, where Prometheus is named, of those it has seen."""
        state = fields(cursor.get(STREAM))
        firings = Firings(state.get("firings"))
        firings.listed(listing.alerts, listing.at)
        known = state.get("malformed")
        malformed: list[JsonValue] = [*sorted({each.id for each in listing.failed})]
        yield from (each for each in listing.failed if not isinstance(known, list) or each.id not in known)

        def moved(news: list[Incident], until: datetime | None) -> Batch:
            firings.forget(until)
            at = until.isoformat() if until else None
            kept: JsonValue = {"firings": firings.written(), "until": at, "malformed": malformed}
            return Batch(STREAM, scope, news, {**cursor, STREAM: kept})

        if self.options.prometheus_url is None:
            firings.settle(listing.at, listing.at)
            news = firings.news()
            if news or malformed != (known or []):
                yield moved(news, None)
            return
        with self._client(self.options.prometheus_url) as client:
            now = alertmanager_history.now(client)
            until = _time(state.get("until"))
            since = until - LATE if until else now - timedelta(days=self.options.history_days)
            for window in alertmanager_history.windows(client, since, now, self.options.external_labels):
                is_first = until is None and window.since == since
                is_last = window.until == now
                # Days without news move the cursor once, at their end.
                is_far = is_last and window.since != since
                firings.sampled(window, self.options.rules, is_first=is_first)
                if is_first and firings.undated:
                    message = f"{firings.undated} alerts fired already where the history begins: left out"
                    yield Note(scope, message)
                firings.settle(window.until, listing.at if is_last else None)
                news = firings.news()
                if news or is_far or malformed != (known or []):
                    yield moved(news, window.until)
                    known = malformed


def scope_of(options: AlertmanagerOptions) -> str:
    """The scope of the alerts that these options take."""
    chosen = (options.rules, sorted(options.external_labels.items()))
    return "alerts" if chosen == (_DEFAULT_RULES, []) else f"alerts:{digest([chosen])[:8]}"


def incidents(payload: Any, options: AlertmanagerOptions) -> Iterator[Incident | Quarantined]:
    """What a webhook of Alertmanager (version 4) tells, under the ids that reading gives it.

    Raises `Malformed` where the payload is none.
    """
    return alertmanager_alerts.incidents(payload, options.rules, scope_of(options))


def _listing(client: Client, options: AlertmanagerOptions, scope: str) -> _Listing:
    """The alerts that a rule takes, silenced and inhibited ones too; raises `HttpError`."""
    params = {"active": "true", "silenced": "true", "inhibited": "true"}
    answer = client.get("/api/v2/alerts", params, stream=STREAM)
    raw = answer.json()
    if not isinstance(raw, list):
        raise HttpError("The answer is no list of alerts", "Check that the address is Alertmanager's.")
    found, failed = parsed(
        raw, lambda each: alertmanager_alerts.read(each, options.rules), STREAM, scope, identity
    )
    return _Listing(server_date(answer.headers), [alert for alert in found if alert], failed)


def _time(value: JsonValue) -> datetime | None:
    try:
        return moment(value) if isinstance(value, str) else None
    except Malformed:
        return None
