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
    path = workspace.find(None, os.environ) or Path.cwd()
    return definitions(workspace.load(path, os.environ), Home.from_env())
