"""The house rules no other tool checks."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.conftest import LONGEST_FIRST

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["importlinter"]["root_packages"]
LOCKS = ["requirements.lock", "requirements-dev.lock"]


def distribution(requirement: str) -> str:
    """The normalised name at the start of `requirement`."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()


def imported(folder: Path) -> set[str]:
    """Top-level modules that the Python files below `folder` import, the standard library left out."""
    names: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {*PACKAGES, "tests", "benchmarks"}


def locked(lock: str) -> dict[str, str]:
    """Distribution → version in `lock`."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", (ROOT / lock).read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_machine_and_no_registry(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "make lock" in text.splitlines()[1]
    assert not re.findall(r"https?://|file:|(?:^|\s)/\w+|--(?:extra-)?index|--find-links", text)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_by_hash_all_that_is_declared(lock: str) -> None:
    text = (ROOT / lock).read_text()
    groups = PROJECT["dependency-groups"]
    declared = PROJECT["project"]["dependencies"] + groups["build"]
    if "dev" in lock:
        declared += [each for each in groups["dev"] if isinstance(each, str)]
    assert {distribution(each) for each in declared} <= locked(lock).keys()
    pins = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert not [pin.splitlines()[0] for pin in pins if "--hash=sha256:" not in pin]


def test_the_development_lock_holds_the_runtime_lock() -> None:
    assert locked("requirements.lock").items() <= locked("requirements-dev.lock").items()


@pytest.mark.parametrize("folder", [*PACKAGES, "tests", "benchmarks"])
def test_all_that_is_imported_is_declared(folder: str) -> None:
    declared = {distribution(each) for each in PROJECT["project"]["dependencies"]}
    if folder in {"tests", "benchmarks"}:
        declared |= {
            distribution(each) for each in PROJECT["dependency-groups"]["dev"] if isinstance(each, str)
        }
    providers = packages_distributions()
    undeclared = {
        name
        for name in imported(ROOT / folder)
        if not {distribution(each) for each in providers.get(name, [name])} & declared
    }
    assert not undeclared


def test_all_that_is_declared_is_used() -> None:
    providers = packages_distributions()
    names = {name for package in PACKAGES for name in imported(ROOT / package)}
    used = {distribution(each) for name in names for each in providers.get(name, [])}
    declared = {distribution(each) for each in PROJECT["project"]["dependencies"]}
    # A command, and a driver that SQLAlchemy loads: no modules to us.
    assert declared - used == {"dagster-webserver", "psycopg"}


def test_what_work_leaves_behind_is_ignored() -> None:
    left = [
        ".venv/x",
        ".cairn/x",
        ".env",
        "cairn/__pycache__/x",
        ".mypy_cache/x",
        ".hypothesis/x",
        "cairn.egg-info/x",
    ]
    result = subprocess.run(
        ["git", "check-ignore", "--no-index", *left], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.stdout.split() == left


@pytest.mark.parametrize("text", ["README.md", "CONTRIBUTING.md"])
def test_the_make_commands_a_text_names_exist(text: str) -> None:
    named = set(re.findall(r"(?:`|^|\$ )make ([a-z]+)", (ROOT / text).read_text(), re.MULTILINE))
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert named
    assert named <= set(targets)


def test_the_index_names_every_decision() -> None:
    folder = ROOT / "docs" / "adr"
    decisions = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text()) == decisions


def test_the_tests_that_are_begun_first_are_there() -> None:
    assert [name for name in LONGEST_FIRST if not (ROOT / "tests" / name).exists()] == []
