"""The words the organisation is made of: names of invented people, services, changes.

Names are put together from syllables, so that no real person's is among them.
"""

from __future__ import annotations

from random import Random

from demo.world import Person

MAIL_DOMAIN = "demo.example"

_GIVEN = (
    ("Ave", "Bori", "Cade", "Dela", "Enni", "Faro", "Gely", "Hari", "Ilme", "Jova", "Kelu", "Lumi", "Miro"),
    ("nika", "lind", "koro", "rist", "maru", "dith", "vane", "shel", "tani", "bren", "lyra", "soph"),
)
_FAMILY = (
    ("Bran", "Cald", "Dorn", "Elm", "Fenn", "Garr", "Hals", "Ister", "Jorn", "Kell", "Lorn", "Marr", "Ost"),
    (
        "abrook",
        "evane",
        "ithorpe",
        "omere",
        "uwick",
        "askil",
        "endahl",
        "istrand",
        "ovara",
        "unsby",
        "ograve",
    ),
)

DEPARTMENTS = {
    "commerce": (
        "catalog",
        "cart",
        "checkout",
        "pricing",
        "merchandising",
        "search",
        "storefront",
        "reviews",
    ),
    "payments": ("billing", "card-payments", "fraud", "invoicing", "ledger", "payouts", "subscriptions"),
    "logistics": (
        "carriers",
        "customs",
        "fulfilment",
        "inventory",
        "returns",
        "routing",
        "tracking",
        "warehouse",
    ),
    "customer": ("accounts", "campaigns", "loyalty", "messaging", "mobile-apps", "support-desk", "web-apps"),
    "data": ("analytics", "data-ingest", "experiments", "forecasting", "machine-learning", "reporting"),
    "platform": ("developer-platform", "observability", "runtime", "site-reliability"),
}
"""Department → its teams."""

SERVICE_ENDINGS = ("api", "worker", "web", "events", "gateway", "sync", "rules", "export")

_VERBS = ("Add", "Rework", "Simplify", "Extend", "Move", "Cache", "Split", "Validate", "Log", "Document")
_FIX_VERBS = ("Fix", "Mend", "Correct")
_OBJECTS = (
    "retries in the order import", "paging of the result list", "the health check", "time-outs upstream",
    "rounding of totals", "the currency table", "input checks of the form", "batch size of the export",
    "the feature switch", "error messages", "the nightly clean-up", "index on created_at", "request tracing",
    "the settings page", "duplicate events", "the address parser", "access rules", "the price cache",
    "handling of empty answers", "the metrics endpoint", "start-up order", "queue back-pressure",
    "the migration script", "stale sessions",
)  # fmt: skip
_PACKAGES = (
    "starling-http",
    "quartzite",
    "pebble-orm",
    "lattice-auth",
    "driftwood",
    "kestrel-json",
    "morrow",
)

STEPS = (
    "Start on it", "Cover it by tests", "Follow the review", "Clean up", "Name things better",
    "Handle the edge cases",
)  # fmt: skip


def people(random: Random, count: int) -> list[Person]:
    """`count` people with names, logins and addresses that differ, logins in the usual styles."""
    names = [
        (first + second, third + fourth)
        for first in _GIVEN[0]
        for second in _GIVEN[1]
        for third in _FAMILY[0]
        for fourth in _FAMILY[1]
    ]
    found: dict[str, Person] = {}
    for given, family in random.sample(names, len(names)):
        low, high = given.lower(), family.lower()
        login = random.choice((f"{low}-{high}", f"{low[0]}{high}", f"{high}{low[:3]}", f"{low}{high[:4]}"))
        found.setdefault(login, Person(login, f"{given} {family}", f"{low}.{high}@{MAIL_DOMAIN}"))
        if len(found) == count:
            break
    return list(found.values())


def bot(name: str) -> Person:
    """The account of an application."""
    login = f"{name}[bot]"
    return Person(login, login, f"{login}@users.noreply.{MAIL_DOMAIN}", is_bot=True)


def change_title(random: Random, *, is_fix: bool) -> str:
    """What a person would call a pull request."""
    return f"{random.choice(_FIX_VERBS if is_fix else _VERBS)} {random.choice(_OBJECTS)}"


def bump(random: Random) -> tuple[str, str]:
    """Title and branch of a dependency's update."""
    package, major, minor = random.choice(_PACKAGES), random.randrange(1, 5), random.randrange(20)
    title = f"Bump {package} from {major}.{minor}.0 to {major}.{minor + 1}.0"
    return title, f"dependabot/pip/{package}-{major}.{minor + 1}.0"


def slug(title: str) -> str:
    """The title's words for a branch's name."""
    return "-".join(
        word for word in title.lower().replace("_", "-").split() if word not in {"the", "of", "in"}
    )
