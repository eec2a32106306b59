"""Repositories are found wherever they once were."""

from __future__ import annotations

from connectors.records import Repository
from tests.pipelines.acme import Acme
from tests.pipelines.modelled import making

_models = making("marts.change_lead_time", "marts.deployments")


def test_t29_a_repository_keeps_its_history_when_it_is_renamed_or_transferred() -> None:
    host = "https://git.example.invalid"
    acme = Acme()

    def sent(id_: str, name: str, address: str, sha: str, at: str) -> None:
        """A commit, and a deployment of which only the repository's address is known."""
        acme.commit(id_, sha, at)
        acme.add("github", id_, Repository(id_, name, f"{host}/{address}", "main", False))
        acme.deploy(None, sha, at, source="push", repository_url=f"{host}/{address}.git")

    sent("1", "shop", "acme/shop", "c0", "2026-01-06 00:00")
    sent("2", "till", "acme/till", "t0", "2026-01-06 00:00")
    acme.build()
    sent("1", "store", "sales/store", "c1", "2026-02-06 00:00")
    # The other one's name is taken by a third.
    sent("2", "desk", "acme/desk", "t1", "2026-02-06 00:00")
    sent("3", "till", "acme/till", "n0", "2026-02-07 00:00")
    acme.build()
    for month in ("2026-01-01", "2026-02-01"):
        assert acme.value("deployments", "store", month, grain="month", level="repository") == 1
    assert acme.row("change_lead_time", "store", level="repository")["n"] == 1
    addresses = acme.query("select address, repository_id from core.repository_address order by 1")
    assert [(*row.values(),) for row in addresses] == [
        ("git.example.invalid/acme/desk", "2"),
        ("git.example.invalid/acme/shop", "1"),
        ("git.example.invalid/acme/till", "3"),
        ("git.example.invalid/sales/store", "1"),
    ]
