"""A sync killed at any stage: the next one ends as if nothing had happened.

Killed where it stands, a process leaves its files as they are. So one sync, whose home is copied at each
stage, leaves what as many killed ones would; `tests/demo/test_kill.py` kills.
"""

from __future__ import annotations

import pytest

from pipelines import status
from pipelines.home import Home
from tests.demo.pulling import tables
from tests.histories import Upstream
from tests.pipelines.syncing import published_rows, sync, workspace

pytestmark = pytest.mark.timeout(300)

# One function called at each stage of a sync, and which call of it.
READING_OR_LOADING = {
    "before anything": ("pipelines.status.begin", 1),
    "before the mirror is made": ("connectors.git.mirror.update", 1),
    "before the first batch": ("pipelines.landing.Landing.write_soon", 1),
    "between two batches": ("pipelines.landing.Landing.write_soon", 2),
    "all written, one with a name": ("pipelines.landing.Landing._name", 2),
    "all landed, outcome not noted": ("pipelines.reading._note_outcome", 1),
    "merging": ("pipelines.ingest._merge", 2),
    "merged, not committed": ("pipelines.ingest._name", 4),
}
LOADED = {
    "committed, files not deleted": ("pathlib.Path.unlink", 1),
    "before lineage": ("pipelines.lineage.first_containing", 1),
    "between two models": ("pipelines.building.checked", 9),
    "modelled, not published": ("pipelines.warehouse.publish", 1),
    "snapshot written, not current": ("pipelines.warehouse.write_atomically", 1),
    "published, not collected": ("pipelines.warehouse._collect", 1),
    "before the end": ("pipelines.status.end", 1),
}
MODELLING = ("pipelines.refresh.build", 1)
LOOKED_AT = (
    "marts.change", "marts.change_lead_time", "marts.coverage", "marts.deployment",
    "marts.deployment_frequency", "marts.period", "marts.service", "marts.workspace",
)  # fmt: skip
"""Models of every kind, with what they rest on. The others are made by the same steps."""


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Upstream:
    shop = Upstream(tmp_path_factory.mktemp("upstream") / "shop.git")
    for number in range(6):
        shop.commit(f"change {number}")
        shop.tag(f"1.{number}.0")
    return shop


@pytest.fixture(scope="module")
def homes(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Home]:
    """Stage → a home whose first sync stopped there; "" → one that none stopped. Then a release was made."""
    folder = tmp_path_factory.mktemp("homes")
    stages = READING_OR_LOADING | LOADED
    homes = {stage: Home(folder / stage) for stage in stages} | {"": Home(folder / "undisturbed")}
    copies = {homes[stage].root: call for stage, call in stages.items()}
    homes[""].create()
    assert len(homes[""].identity_key()) == 32
    assert sync(homes[""], workspace(upstream.path), copy_at=copies, models=LOOKED_AT).exitcode == 0
    upstream.commit("one more")
    upstream.tag("2.0.0")
    return homes


@pytest.fixture(scope="module")
def undisturbed(homes: dict[str, Home], upstream: Upstream) -> Home:
    assert sync(homes[""], workspace(upstream.path), models=LOOKED_AT).exitcode == 0
    assert len(published_rows(homes[""])["deployment"]) == 7
    return homes[""]


def is_clean(home: Home) -> bool:
    """Whether nothing half done is left."""
    return not [*home.landing.glob("*/*"), *home.published.glob("*.tmp*"), *home.root.glob(".*")]


@pytest.mark.parametrize("stage", LOADED)
def test_killed_once_all_is_loaded_the_next_sync_ends_as_if_nothing_had_happened(
    stage: str, homes: dict[str, Home], undisturbed: Home, upstream: Upstream
) -> None:
    home = homes[stage]
    assert status.read(home).syncing_since is None
    assert sync(home, workspace(upstream.path), models=LOOKED_AT).exitcode == 0
    assert published_rows(home) == published_rows(undisturbed)
    assert is_clean(home)
    assert status.read(home).syncing_since is None


@pytest.mark.parametrize("stage", READING_OR_LOADING)
def test_killed_before_the_next_sync_loads_the_same(
    stage: str, homes: dict[str, Home], undisturbed: Home, upstream: Upstream
) -> None:
    """And nothing was modelled: the rest of that sync is a first one's."""
    home = homes[stage]
    assert sync(home, workspace(upstream.path), kill_at=MODELLING, models=LOOKED_AT).exitcode == -9
    assert tables(home) == tables(undisturbed)
    assert is_clean(home)
