"""What Dagster loads: the assets of the workspace, the job that runs them, its schedule."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

from pipelines import workspace
from pipelines.home import Home
from pipelines.job import definitions


@dg.definitions
def cairn() -> dg.Definitions:
    """Definitions for the workspace and home that the environment names."""
    path = workspace.find(None, os.environ)
    found = workspace.load(path, os.environ) if path else workspace.standing_in(Path.cwd())
    return definitions(found, Home.from_env())
