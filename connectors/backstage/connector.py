"""backstage: teams, people and services of the catalogue as they are now, and what templates made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from pydantic import JsonValue, SecretStr

from connectors.backstage.catalog import Catalog, Choice, Entity
from connectors.backstage.references import reference, version
from connectors.backstage.tasks import PATH as TASKS
from connectors.backstage.tasks import Tasks
from connectors.connector import Batch, Connector, Covered, Item, Note, Options, Problem
from connectors.http import Client, HttpError, NotFound, Unauthorized, Unavailable, bearer
from connectors.patterns import is_wanted
from connectors.records import CapabilityUse
from connectors.snapshot import changes, digest, fields
from connectors.web_address import WebAddress

_CATALOG = "catalog"
_SCAFFOLDER = "scaffolder"
_STREAM = "capability_use"
_TEMPLATE = "backstage.io/source-template"
_SECRET = re.compile(
    r"(?:secret|token|password|(?:integration|api|access|private)[-_.]?key)$", re.IGNORECASE
).search
_NO = {"false", "no", "off", "0", "none", "disabled"}


class BackstageOptions(Options):
    """Settings of a `backstage` source."""

    url: WebAddress
    """Address of the backend, without `/api`."""
    token: SecretStr | None = None
    """A static token of `backend.auth.externalAccess`; not needed where the catalogue is open to all."""
    namespaces: tuple[str, ...] = ()
    """Only entities of these namespaces are read; all unless set."""
    filter: str | None = None
    """Backstage's own filter for components, as `spec.lifecycle=production,spec.type=service`."""
    tier: str | None = None
    """Path of the field that holds a component's tier, as `metadata.annotations.acme.example/tier`.
    Unless set, the label `tier` (with whatever prefix), else `spec.tier`."""
    annotations: tuple[str, ...] = ()
    """Patterns of annotations of components that are evidence of a capability, as `["sonarqube.org/*"]`.
    `backstage.io/source-template` always is."""
    labels: tuple[str, ...] = ()
    """The same for labels."""


class BackstageConnector(Connector):
    """Reads one Backstage: its catalogue in whole, whatever changed, and the runs of its templates.

    A person is known by the name of their User entity.
    """

    kind = "backstage"
    streams = ("team", "membership", "identity", "service", "capability_use")
    options_type = BackstageOptions
    options: BackstageOptions

    def read(self, cursors: Mapping[str, JsonValue]) -> Iterator[Item]:
        """The catalogue, then the template runs, each a scope of its own."""
        with self._client() as client:
            began = datetime.now(UTC)
            catalog_failed = False
            try:
                yield from self._catalog(client, cursors.get(_CATALOG))
                yield Covered(_CATALOG, began)
            except (Unauthorized, Unavailable):
                raise
            except HttpError as error:
                catalog_failed = True
                yield Problem(_CATALOG, str(error), error.mend, error.is_transient)
            began = datetime.now(UTC)
            try:
                yield from Tasks(client, _SCAFFOLDER, self.context.person).items(cursors.get(_SCAFFOLDER))
            except NotFound as error:
                if catalog_failed:
                    yield Problem(_SCAFFOLDER, str(error), error.mend)
                    return
                yield Note(_SCAFFOLDER, "this Backstage has no scaffolder: there are no template runs")
            except HttpError as error:
                yield Problem(_SCAFFOLDER, str(error), error.mend, error.is_transient)
                return
            yield Covered(_SCAFFOLDER, began)

    def check(self) -> Iterator[Problem | Note]:
        """Ask how many entities there are of each kind, and for one template run."""
        with self._client() as client:
            try:
                counts = _counts(client)
            except HttpError as error:
                yield Problem(_CATALOG, str(error), error.mend, error.is_transient)
                return
            told = ", ".join(f"{counts.get(kind, 0)} {kind}s" for kind in ("component", "group", "user"))
            yield Note(_CATALOG, f"the catalogue has {told}")
            if not counts.get("group"):
                yield Note(_CATALOG, "without groups services will have no team")
            try:
                client.get(TASKS, {"limit": 1}, stream="check")
            except NotFound:
                yield Note(_SCAFFOLDER, "this Backstage has no scaffolder: there are no template runs")
            except HttpError as error:
                yield Problem(_SCAFFOLDER, str(error), error.mend, error.is_transient)

    def _client(self) -> Client:
        token = self.options.token
        return Client(self.options.url, auth=bearer(token) if token else None)

    def _catalog(self, client: Client, cursor: JsonValue) -> Iterator[Item]:
        options = self.options
        choice = Choice(options.namespaces, options.filter, options.tier)
        catalog = Catalog(client, _CATALOG, choice, self.context.person)
        state = dict(fields(cursor))
        seen = list(catalog.read())
        if state and not any(each.records or each.quarantined for each in seen):
            raise HttpError(
                "The catalogue lists nothing any more, though it did before",
                "Check what the token may see. If it is truly empty, remove this source.",
            )
        for item in changes(_CATALOG, cursor, seen):
            if isinstance(item, Batch):
                state = dict(fields(item.cursor))
            yield item
        yield from catalog.notes
        yield from self._evidence(catalog.components, state)

    def _evidence(self, components: list[Entity], state: dict[str, JsonValue]) -> Iterator[Item]:
        """What the components show of capabilities today; yielded once a day, and when it changed."""
        today = _today()
        uses = [use for component in components for use in self._shown(component, today)]
        now = digest([today, *uses])
        if state.get(_STREAM) != now and (uses or _STREAM in state):
            yield Batch(_STREAM, _CATALOG, uses, {**state, _STREAM: now})

    def _shown(self, component: Entity, today: date) -> Iterator[CapabilityUse]:
        made_from = reference(component.annotations().get(_TEMPLATE), "template")
        if made_from:
            yield _use(component, str(made_from), "present", today)
        for kind, values, patterns in (
            ("annotation", component.annotations(), self.options.annotations),
            ("label", component.labels(), self.options.labels),
        ):
            for key, value in values.items():
                if is_wanted(key, patterns) and key != _TEMPLATE and not _SECRET(key):
                    is_no = str(value).strip().lower() in _NO
                    capability = f"{kind}:{key}"
                    yield _use(component, capability, "absent" if is_no else "present", today, version(value))


def _use(
    component: Entity, capability: str, kind: str, day: date, version: str | None = None
) -> CapabilityUse:
    service = str(component.reference)
    return CapabilityUse(
        id=f"{service}|{capability}|{day.isoformat()}",
        capability=capability,
        subject_kind="service",
        subject=service,
        happened_at=datetime(day.year, day.month, day.day, tzinfo=UTC),
        kind=kind,
        result=None,
        finished_at=None,
        version=version,
        url=None,
    )


def _today() -> date:
    return datetime.now(UTC).date()


def _counts(client: Client) -> dict[str, int]:
    """Kind in lower case → how many entities of it there are; raises `HttpError`."""
    body: Any = client.get("/api/catalog/entity-facets", {"facet": "kind"}, stream="check").json()
    facets = body.get("facets") if isinstance(body, dict) else None
    kinds = facets.get("kind") if isinstance(facets, dict) else None
    return {str(each["value"]).lower(): int(each["count"]) for each in kinds or []}
