"""What Dagster is told, held against a file: every change of it is seen in review.

`make test ARGS="tests/pipelines/test_definitions.py --update-definitions"` writes the file anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines import modelling
from pipelines.home import Home
from pipelines.job import SYNC, definitions
from tests.pipelines.syncing import workspace

SNAPSHOT = Path(__file__).with_name("definitions.json")


@pytest.fixture(scope="module")
def defs(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return definitions(workspace(Path("/srv/git/shop.git")), Home(tmp_path_factory.mktemp("home")))


def test_the_definitions_are_those_on_file(defs: dg.Definitions, request: pytest.FixtureRequest) -> None:
    now = _described(defs)
    if request.config.getoption("--update-definitions"):
        SNAPSHOT.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n")
    assert now == json.loads(SNAPSHOT.read_text())


def _described(defs: dg.Definitions) -> dict[str, Any]:
    graph = defs.resolve_asset_graph()
    return {
        "assets": {
            key.to_user_string(): {
                "group": graph.get(key).group_name,
                "depends on": sorted(parent.to_user_string() for parent in graph.get(key).parent_keys),
                "checks": sorted(check.name for check in graph.get_check_keys_for_assets({key})),
            }
            for key in sorted(graph.get_all_asset_keys())
        },
        "jobs": [job.name for job in defs.jobs or []],
        "schedules": {
            schedule.name: [
                schedule.cron_schedule,
                schedule.execution_timezone,
                schedule.default_status.value,
            ]
            for schedule in defs.schedules or []
            if isinstance(schedule, dg.ScheduleDefinition)
        },
    }


def test_every_model_documents_its_columns_in_dagster(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    for name, model in modelling.models().items():
        node = graph.get(dg.AssetKey(name.split(".")))
        assert node.description == model.header.description
        schema = node.metadata["dagster/column_schema"]
        described = {column.name: column.description for column in schema.columns}
        assert described == {
            column: documented.description for column, documented in model.header.columns.items()
        }
        assert all(described.values())


def test_the_job_runs_everything_in_one_process(defs: dg.Definitions) -> None:
    job = defs.resolve_job_def(SYNC)
    assert job.executor_def.name == "in_process"
    assert set(job.asset_layer.executable_asset_keys) == set(defs.resolve_asset_graph().get_all_asset_keys())
