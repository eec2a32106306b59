"""What the texts on the API and on other tools say can be done: it is done, and nothing is left out."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from dashboards.api.asked import AdoptionQuery, MetricQuery, SurveyQuery
from dashboards.api.problems import TITLES
from pipelines.credentials import May
from pipelines.home import Home
from tests.dashboards import reading_api
from tests.dashboards.reading_api import Reader

home, reader = reading_api.home, reading_api.reader

ROOT = Path(__file__).parents[1]
API, TOOLS = (ROOT / "docs" / name for name in ("api.md", "other-tools.md"))
MARTS = ROOT / "pipelines" / "models" / "marts"


def blocks(text: Path, language: str) -> list[str]:
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```", text.read_text(), re.MULTILINE | re.DOTALL)
    assert found
    return found


@pytest.fixture(scope="module")
def place(home: Home, reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which `.cairn` is the home that is served."""
    folder = tmp_path_factory.mktemp("place")
    (folder / ".cairn").symlink_to(home.root)
    home.current_snapshot.symlink_to("published/first.duckdb")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


def run(command: list[str], script: str, reader: Reader, place: Path) -> str:
    script = script.replace("http://127.0.0.1:8501", reader.url)
    path = os.pathsep.join([str(place), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [*command, script], env=os.environ | {"PATH": path}, cwd=place, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_commands_work(reader: Reader, place: Path) -> None:
    if shutil.which("curl") is None:
        pytest.fail("no curl") if os.environ.get("CI") else pytest.skip("no curl")
    # DuckDB's own command line, where there is none.
    (place / "duckdb").write_text(
        f"#!{sys.executable}\nimport duckdb, sys\n_, option, path, sql = sys.argv\n"
        "print(duckdb.connect(path, read_only=option == '-readonly').sql(sql).fetchall())\n"
    )
    (place / "duckdb").chmod(0o700)
    strict = 'set -euo pipefail\ncurl() { command curl --fail --silent --show-error "$@"; }\n'
    scripts = [*blocks(API, "sh"), *blocks(TOOLS, "sh")]
    told = run(["bash", "-c"], strict + "\necho ---\n".join(scripts), reader, place).split("---\n")
    assert '"key":"shop"' in told[0]
    assert told[2].count('"snapshot"') == 1  # the second time nothing is sent
    assert (place / "lead-time.csv").read_text().startswith("metric,level,key")
    assert "grafana" in told[4]
    assert "change_lead_time" in told[5]


@pytest.mark.parametrize("text", [API, TOOLS], ids=lambda text: str(text.name))
def test_the_programs_work(reader: Reader, place: Path, text: Path) -> None:
    for script in blocks(text, "python"):
        shown = "\nprint(len(globals().get('rows', globals().get('lead_time', ()))))"
        assert int(run([sys.executable, "-W", "ignore", "-c"], script + shown, reader, place)) > 0


def test_the_queries_work(home: Home, place: Path) -> None:
    with duckdb.connect(home.current_snapshot, read_only=True) as connection:
        for query in blocks(TOOLS, "sql"):
            assert connection.execute(query).fetchall()


def test_every_filter_refusal_and_area_is_named() -> None:
    text = API.read_text()
    for model in (MetricQuery, AdoptionQuery, SurveyQuery):
        for name, field in model.model_fields.items():
            assert re.search(rf"[`*]{name}[`*]|{name}=", text), name
            if name in {"level", "grain", "table_name"}:
                options = [each for each in re.findall(r"'(\w+)'", str(field.annotation)) if each]
                assert options
                assert all(option in text for option in options), name
    assert all(f"`{each}`" in text for each in May)
    assert all(f"`{code}`" in text for code in {*TITLES} & {401, 403, 410, 422, 429, 503})


def test_every_metric_of_cairn_itself_is_named(reader: Reader) -> None:
    served = set(re.findall(r"^# TYPE (cairn_\w+) ", reader.get("/metrics").text, re.MULTILINE))
    named = set(re.findall(r"`(cairn_\w+)`", API.read_text()))
    told_of = {name for name in served if not name.endswith(("_created", "_info"))}
    assert named == told_of


def test_the_tables_that_are_named_exist() -> None:
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \|", TOOLS.read_text(), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert len(named) > 15
    assert named <= {path.stem for path in MARTS.glob("*.sql")}
