"""Every page: where it stands, what it is drawn from, and who may read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dashboards.pages import home
from dashboards.pages.delivery import ci, compare, lead_time, overview, report, stability, work
from dashboards.pages.operate import data_health, notes, waves
from dashboards.pages.platform import adoption, conformance, funnel, migrations
from dashboards.pages.voice import actions, comments, drivers, results
from dashboards.roles import EVERYONE, RUNNERS, Role
from dashboards.view import Cached, View


@dataclass(frozen=True)
class Page:
    """A page that asks the snapshot itself, below no filter bar."""

    section: str
    """Empty for what stands above them all."""
    title: str
    path: str
    """In the URL, unique; empty for the landing."""
    icon: str
    """Name of a Material symbol."""
    draw: Callable[[Cached], None]
    readers: frozenset[Role] = EVERYONE


@dataclass(frozen=True)
class FilteredPage:
    """A page about the services and periods chosen in the filter bar."""

    section: str
    title: str
    path: str
    icon: str
    draw: Callable[[View], None]
    readers: frozenset[Role] = EVERYONE
    needs_deployments: bool = False
    """Without any it says what was read instead."""


PAGES: tuple[Page | FilteredPage, ...] = (
    FilteredPage("", "Home", "", "home", home.show),
    FilteredPage("Delivery", "Overview", "overview", "monitoring", overview.show, needs_deployments=True),
    FilteredPage("Delivery", "Lead time", "lead-time", "timer", lead_time.show, needs_deployments=True),
    FilteredPage("Delivery", "Stability", "stability", "healing", stability.show, needs_deployments=True),
    FilteredPage("Delivery", "CI", "ci", "construction", ci.show),
    FilteredPage("Delivery", "Compare", "compare", "compare_arrows", compare.show, needs_deployments=True),
    FilteredPage("Delivery", "Work", "work", "stacks", work.show),
    Page("Delivery", "Report", "report", "description", report.show),
    FilteredPage("Platform", "Adoption", "adoption", "group_add", adoption.show),
    FilteredPage("Platform", "Funnel & cohorts", "funnel", "filter_alt", funnel.show),
    FilteredPage("Platform", "Conformance", "conformance", "rule", conformance.show),
    FilteredPage("Platform", "Migrations", "migrations", "moving", migrations.show),
    Page("Voice", "Results", "results", "forum", results.show),
    Page("Voice", "Drivers", "drivers", "hub", drivers.show),
    Page("Voice", "Comments", "comments", "format_quote", comments.show),
    Page("Voice", "Actions", "actions", "task_alt", actions.show),
    Page("Operate", "Data health", "data-health", "fact_check", data_health.show, RUNNERS),
    Page("Operate", "Annotations", "annotations", "star", notes.show),
    Page("Operate", "Waves", "waves", "outgoing_mail", waves.show, RUNNERS),
)
