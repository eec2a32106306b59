"""The demo organisation, a little of it, read through the real connectors."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

import demo
from connectors.records import STREAMS
from demo.serve import Running
from pipelines import ingest, warehouse
from pipelines.home import Home
from pipelines.reading import SourceRead, read_source
from pipelines.workspace import Workspace, load

SCALE = 0.02
FEW = ("commerce", "customs-*")
"""The monorepo and four of GitHub's other repositories, of 147."""
WORKSPACE = Path(demo.__file__).with_name("cairn.yaml")


def workspace(running: Running, **environ: str) -> Workspace:
    return load(WORKSPACE, {**running.environ, **environ})


def few(settings: Workspace) -> Workspace:
    """The same with a few of GitHub's repositories, which are most of the work."""
    sources = tuple(
        source.model_copy(update={"options": source.options.model_copy(update={"repositories": FEW})})
        if source.kind == "github"
        else source
        for source in settings.sources
    )
    return settings.model_copy(update={"sources": sources})


def pull(home: Home, settings: Workspace) -> list[SourceRead]:
    """Land and load every source, as a sync does."""
    home.create()
    reads = [
        read_source(home, source, is_full=False, progress=lambda *_: None) for source in settings.sources
    ]
    with warehouse.writing(home) as connection:
        ingest.load(connection, home.landing, {read.source: read.outcome() for read in reads})
    return reads


def like(home: Home, folder: Path) -> Home:
    """An empty home that hashes people as `home` does."""
    other = Home(folder / "home")
    other.create()
    shutil.copy(home.root / "identity.key", other.root)
    return other


def tables(home: Home) -> dict[str, list[str]]:
    """Every raw record, in order."""
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        return {
            stream: sorted(map(str, connection.execute(f'from raw."{stream}"').fetchall()))
            for stream in STREAMS
        }
