"""backstage: teams, people and services of the catalogue as they are now, and what templates made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import JsonValue, SecretStr

from connectors.backstage.catalog import Catalog, Choice, Entity
from connectors.backstage.references import reference
from connectors.backstage.tasks import PATH as TASKS
from connectors.backstage.tasks import Tasks
from connectors.connector import Connector, Contact, Covered, Item, Note, Options, Problem
from connectors.evidence import labels
from connectors.evidence.found import Found
from connectors.http import Client, HttpError, NotFound, Unauthorized, Unavailable, bearer
from connectors.records import CapabilityState
from connectors.snapshot import Seen, changes, digest, fields
from connectors.web_address import WebAddress

_CATALOG = "catalog"
_SCAFFOLDER = "scaffolder"
_STREAM = "capability_state"
_TEMPLATE = "backstage.io/source-template"


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
    """Patterns of annotations of components that are evidence of a capability, as `["sonarqube.org/*"]`, or
    `["acme.example/db=*"]` to keep the value too. `backstage.io/source-template` always is."""
    labels: tuple[str, ...] = ()
    """The same for labels."""


class BackstageConnector(Connector):
    """Reads one Backstage: its catalogue in whole, whatever changed, and the runs of its templates.

    A person is known by the name of their User entity.
    """

    kind = "backstage"
    streams = ("team", "membership", "identity", "service", "capability_use", "capability_state")
    options_type = BackstageOptions
    options: BackstageOptions

    def read(self, cursors: Mapping[str, JsonValue]) -> Iterator[Item]:
        """The catalogue, then the template runs, each a scope of its own."""
        with self._client() as client:
            began = datetime.now(UTC)
            catalog_failed = False
            try:
                yield from self._catalog(client, cursors.get(_CATALOG))
                yield Covered(_CATALOG, began, self._looked_for())
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

    def contacts(self) -> Iterator[Contact]:
        """The catalogue's users."""
        with self._client() as client:
            yield from self._whole(client).contacts()

    def _client(self) -> Client:
        token = self.options.token
        return Client(self.options.url, auth=bearer(token) if token else None)

    def _catalog(self, client: Client, cursor: JsonValue) -> Iterator[Item]:
        catalog = self._whole(client)
        seen = list(catalog.read())
        if fields(cursor) and not any(each.records or each.quarantined for each in seen):
            raise HttpError(
                "The catalogue lists nothing any more, though it did before",
                "Check what the token may see. If it is truly empty, remove this source.",
            )
        states = [state for component in catalog.components for state in self._shown(component)]
        yield from changes(_CATALOG, cursor, [*seen, Seen(_STREAM, states)])
        yield from catalog.notes

    def _whole(self, client: Client) -> Catalog:
        options = self.options
        choice = Choice(options.namespaces, options.filter, options.tier)
        return Catalog(client, _CATALOG, choice, self.context.person)

    def _looked_for(self) -> str:
        return digest([self.options.annotations, self.options.labels])

    def _shown(self, component: Entity) -> Iterator[CapabilityState]:
        """What a component shows of capabilities."""
        annotations = dict(component.annotations())
        template = reference(annotations.pop(_TEMPLATE, None), "template")
        found = [
            *([Found(str(template))] if template else []),
            *labels.read("annotation", annotations, self.options.annotations),
            *labels.read("label", component.labels(), self.options.labels),
        ]
        for each in found:
            yield CapabilityState(
                each.thing, "service", str(component.reference), "", each.version, each.folders, None
            )


def _counts(client: Client) -> dict[str, int]:
    """Kind in lower case → how many entities of it there are; raises `HttpError`."""
    body: Any = client.get("/api/catalog/entity-facets", {"facet": "kind"}, stream="check").json()
    facets = body.get("facets") if isinstance(body, dict) else None
    kinds = facets.get("kind") if isinstance(facets, dict) else None
    return {str(each["value"]).lower(): int(each["count"]) for each in kinds or []}
