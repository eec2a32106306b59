"""What every test may use."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-definitions", action="store_true", help="Write tests/pipelines/definitions.json anew"
    )
