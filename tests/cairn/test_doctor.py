"""`cairn doctor` on a workspace in which files say what was deployed, and who owned what."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from typer.testing import CliRunner

from cairn.cli import app
from pipelines import refresh, warehouse
from pipelines.home import Home
from pipelines.workspace import load
from tests.demo.pulling import pull
from tests.histories import Upstream
from tests.serving import serving

WORKSPACE = r"""
organisation: Acme
sources:
  - {kind: git, repositories: [./shop.git], evidence: true}
  - kind: files
    files:
      - {path: deploys.csv, record: deployment}
      - {path: ownership.csv, record: ownership}
services: [{name: shop, team: web, repositories: [shop]}]
teams: [{name: web}, {name: pay}, {name: idle}]
production: {environments: ["^prod-eu$", "^prod-us$"]}
platform:
  capabilities:
    - {name: images, evidence: [{image: "acme.example/*"}, {image: acme.exmple/python}, {label: x}]}
"""
DEPLOYS = """
id,repository_url,environment,sha,status,created_at,finished_at
1,shop,PROD-EU,{sha},success,2026-01-05 10:00,2026-01-05 10:05
2,shop,preprod-eu,{sha},success,2026-01-05 10:00,2026-01-05 10:05
3,elsewhere,prod-eu,{sha},success,2026-01-05 10:00,2026-01-05 10:05
"""
OWNERSHIP = """
service,team,valid_from,valid_to
shop,pay,,2026-02-01
shop,nobody,2026-02-01,
"""


def test_what_matched_nothing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CAIRN_HOME", "CAIRN_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    shop = Upstream(tmp_path / "shop.git")
    shop.hold({"Dockerfile": "FROM acme.example/python:3.12"})
    sha = shop.commit()
    deploys = DEPLOYS.format(sha=sha).replace(",shop,", f",{shop.path},")
    for file, text in (("cairn.yaml", WORKSPACE), ("deploys.csv", deploys), ("ownership.csv", OWNERSHIP)):
        Path(file).write_text(text.lstrip())
    home, workspace = Home(tmp_path / ".cairn"), load(Path("cairn.yaml"), {})
    assert all(read.is_ok for read in pull(home, workspace))
    with warehouse.writing(home) as connection:
        assert not [built for built in refresh.build(connection, workspace) if built.broken]
        warehouse.publish(connection, home, "first")
    result = CliRunner().invoke(app, ["doctor"])
    for said in (
        "production.environments: no environment matches ^prod-us$",
        "files: not production, and in no figure: 1 deployment(s) to preprod-eu",
        "deployment without repository: 1 of 2, which affects 50.0% of deployments.",
        "unknown owner: 1 of 3, which affects 33.3% of statements.",
        "idle: a team without services",
        "platform: images: the rule `image: acme.exmple/python` has matched nothing so far; there is acme.",
        "platform: images: the rule `label: x` has matched nothing so far: no label was seen; sources of",
    ):
        assert f"note  {said}" in result.output
    assert "matches ^prod-eu$" not in result.output
    assert "ok    1 of 3 evidence rule(s) match something" in result.output
    snapshot = warehouse.published(home)
    assert snapshot is not None
    owners = snapshot.rows("select team, is_owner, is_assumed from marts.tenure order by valid_from")
    assert [(*row.values(),) for row in owners] == [("pay", True, False), ("web", True, False)]


def test_the_identity_provider_is_asked_who_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIRN_HOME", str(tmp_path / "home"))
    workspace = tmp_path / "cairn.yaml"
    calls_itself = "https://login.acme.example"

    async def discovery(_request: Request) -> JSONResponse:
        return JSONResponse({"issuer": calls_itself})

    with serving(Starlette(routes=[Route("/.well-known/openid-configuration", discovery)])) as address:
        for issuer, told, says in (
            (
                address,
                f"{address}/",
                "ok    sign_in: the provider is reachable; it is to know the redirect URI",
            ),
            (address, calls_itself, f"wrong sign_in: the provider calls itself {calls_itself}. Set `issuer`"),
            (f"{address}/realm", "", "wrong sign_in: "),
        ):
            calls_itself = told
            workspace.write_text(f"""
organisation: Acme
sources: [{{kind: git, repositories: [/nowhere]}}]
sign_in: {{issuer: "{issuer}", client_id: cairn, client_secret: "${{SECRET}}", everyone: developer,
  public_url: "https://cairn.acme.example"}}
""")
            result = CliRunner().invoke(app, ["-w", str(workspace), "doctor"], env={"SECRET": "x" * 20})
            assert says in result.output
