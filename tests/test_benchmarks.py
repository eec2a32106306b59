"""Benchmarks come to their end; what they measure is not asserted."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import attribution, organisation, rebuild, warehouses
from benchmarks.organisation import Size

TINY = Size(services=10, pull_requests=200, deployments=100)


@pytest.fixture(autouse=True)
def _kept_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warehouses, "_folder", lambda: tmp_path)


def test_attribution(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(organisation.SIZES, "S", TINY)
    attribution.main(TINY)
    assert "core.shipment" in capsys.readouterr().out


def test_rebuild(capsys: pytest.CaptureFixture[str]) -> None:
    rebuild.main(TINY)
    assert "refresh after 1 % of new data" in capsys.readouterr().out
