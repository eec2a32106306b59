"""A sync killed at any stage: the next one ends as if nothing had happened."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipelines import status
from pipelines.home import Home
from tests.histories import Upstream
from tests.pipelines.syncing import published_rows, sync, workspace

pytestmark = pytest.mark.timeout(300)

# One function called at each stage of a sync, and which call of it.
STAGES = {
    "before anything": ("pipelines.status.begin", 1),
    "before the mirror is made": ("connectors.git.mirror.update", 1),
    "before the first batch": ("pipelines.landing.Landing.write", 1),
    "between two batches": ("pipelines.landing.Landing.write", 2),
    "a batch written, not renamed": ("os.fsync", 4),
    "all landed, outcome not noted": ("pipelines.reading._note_outcome", 1),
    "merging": ("pipelines.ingest._merge", 2),
    "merged, not committed": ("pipelines.ingest._name", 4),
    "committed, files not deleted": ("pathlib.Path.unlink", 1),
    "before lineage": ("pipelines.lineage.first_containing", 1),
    "between two models": ("pipelines.modelling._compare", 9),
    "modelled, not published": ("pipelines.warehouse.publish", 1),
    "snapshot written, not current": ("pipelines.warehouse.write_atomically", 1),
    "published, not collected": ("pipelines.warehouse._collect", 1),
    "before the end": ("pipelines.status.end", 1),
}


IDENTITY_KEY = "0" * 64


def home_in(folder: Path) -> Home:
    home = Home(folder)
    home.create()
    (home.root / "identity.key").write_text(IDENTITY_KEY)
    return home


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Upstream:
    shop = Upstream(tmp_path_factory.mktemp("upstream") / "shop.git")
    for number in range(6):
        shop.commit(f"change {number}")
        shop.tag(f"1.{number}.0")
    return shop


@pytest.fixture(scope="module")
def killed(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Home]:
    """Stage → a home whose first sync was killed there; after them all a release was made."""
    homes = {stage: home_in(tmp_path_factory.mktemp("home")) for stage in STAGES}
    with ThreadPoolExecutor(2) as pool:
        ends = pool.map(
            lambda stage: sync(homes[stage], workspace(upstream.path), kill_at=STAGES[stage]), STAGES
        )
        assert {stage: end.exitcode for stage, end in zip(STAGES, ends, strict=True)} == dict.fromkeys(
            STAGES, -9
        )
    upstream.commit("one more")
    upstream.tag("2.0.0")
    return homes


@pytest.fixture(scope="module")
def undisturbed(
    killed: dict[str, Home], upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Home:
    home = home_in(tmp_path_factory.mktemp("undisturbed"))
    assert sync(home, workspace(upstream.path)).exitcode == 0
    assert len(published_rows(home)["deployment"]) == 7
    return home


@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_any_stage_the_next_sync_ends_as_if_nothing_had_happened(
    stage: str, killed: dict[str, Home], undisturbed: Home, upstream: Upstream
) -> None:
    home = killed[stage]
    assert sync(home, workspace(upstream.path)).exitcode == 0
    assert published_rows(home) == published_rows(undisturbed)
    assert list(home.landing.glob("*/*")) == []
    assert list(home.published.glob("*.tmp*")) == []
    assert list(home.root.glob(".*")) == []
    assert status.read(home).syncing_since is None
