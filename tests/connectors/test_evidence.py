"""What files say they use of others: each kind of file, however it is written, and rubbish."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.evidence import EvidenceFault, example, is_evidence, read


def masked(branch: str) -> str:
    return f"~{len(branch)}"


def found(path: str, text: str) -> list[tuple[str, str | None]]:
    return [(each.thing, each.version) for each in read(path, text, masked)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM python:3.12-slim", [("image:python", "3.12-slim")]),
        ("from docker.io/library/python:3.12", [("image:python", "3.12")]),
        (
            "FROM --platform=$BUILDPLATFORM acme.example:5000/a/b AS x",
            [("image:acme.example:5000/a/b", None)],
        ),
        ("FROM a/b:1@sha256:" + "0" * 64, [("image:a/b", "1")]),
        ("FROM a/b@sha256:" + "0" * 64, [("image:a/b", "sha256:" + "0" * 64)]),
        ("FROM a:1 AS Base\nFROM base AS next\nFROM NEXT\nFROM scratch", [("image:a", "1")]),
        ("ARG V=3.12\nARG R=acme.example/p\nFROM ${R}/python:$V", [("image:acme.example/p/python", "3.12")]),
        ("ARG A=1 B=2\nARG C=$A.$B\nFROM x:$C", [("image:x", "1.2")]),
        ("FROM ${BASE:-acme/base:2}", [("image:acme/base", "2")]),
        ("FROM x:${V:+9}\nFROM $UNKNOWN", [("image:x", None)]),
        ("FROM a:1\nARG V=2\nFROM b:$V", [("image:a", "1")]),
        ("FROM \\\n  # why\n  a:1 \\\n  AS x", [("image:a", "1")]),
        ("# escape=`\nFROM `\n  a:1", [("image:a", "1")]),
        (
            "FROM a:1\nRUN <<EOF cat <<-'B'\nFROM evil:1\nEOF\nFROM evil:2\nB\nFROM c:1",
            [("image:a", "1"), ("image:c", "1")],
        ),
        ("# FROM evil:1\nFROM a:ada-test", [("image:a", "~8")]),
        ("FROM a:1 b c", []),
        ("", []),
    ],
)
def test_images_that_stages_are_built_from(text: str, expected: list[tuple[str, str | None]]) -> None:
    assert found("web/Dockerfile", text) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('source = "acme/postgres/aws"\n  version = "~> 1.2"', ("module:acme/postgres/aws", "~> 1.2")),
        (
            'source = "app.terraform.io/acme/vpc/aws//modules/x"',
            ("module:app.terraform.io/acme/vpc/aws//modules/x", None),
        ),
        (
            'source = "git::https://ada:pw@github.com/acme/tf.git//db?ref=v1.2.0"',
            ("module:github.com/acme/tf//db", "v1.2.0"),
        ),
        ('source = "git@github.com:acme/tf.git//db?ref=ada/test"', ("module:github.com/acme/tf//db", "~8")),
        ('source = "github.com/acme/tf"\n  tags = { a = "}" }', ("module:github.com/acme/tf", None)),
        ('source = "./own"', None),
        ('source = "../own"', None),
        ('source = "${var.where}/x/y"', None),
        ("source = var.where", None),
    ],
)
def test_terraform_modules(source: str, expected: tuple[str, str | None] | None) -> None:
    block = f'module "x" {{\n  {source}\n}}\n'
    text = f'locals {{\n  a = "module"\n}}\n{block}resource "y" "z" {{}}\n'
    assert found("main.tf", text) == ([expected] if expected else [])
    # As nobody formats it, the whole file is parsed.
    assert found("main.tf", text.replace("\nmodule", "\n  module")) == ([expected] if expected else [])


def test_charts_of_helm_helmfile_argo_and_kustomize() -> None:
    assert found(
        "deploy/Chart.yaml",
        "dependencies:\n"
        "- {name: web, version: ^1.2.0, repository: 'https://ada:pw@charts.acme.example/'}\n"
        "- {name: db, version: 2, repository: 'oci://acme.example:5000/charts'}\n"
        "- {name: own, repository: 'file://../own'}\n"
        "- {name: other, repository: '@alias'}\n",
    ) == [("chart:charts.acme.example/web", "^1.2.0"), ("chart:acme.example:5000/charts/db", "2")]
    assert found(
        "helmfile.yaml",
        "repositories:\n- {name: acme, url: https://charts.acme.example}\n"
        "- {name: o, url: acme.example, oci: true}\n"
        "---\nreleases: [{chart: acme/web, version: 1.2.3}, {chart: o/x}, {chart: ./own}, {chart: oci://a.b/c/d}]",
    ) == [("chart:charts.acme.example/web", "1.2.3"), ("chart:acme.example/x", None), ("chart:a.b/c/d", None)]
    assert found(
        "argocd/shop.yaml",
        "kind: Application\nspec:\n  sources:\n"
        "  - {repoURL: 'https://charts.acme.example', chart: web, targetRevision: 1.2.*}\n"
        "  - {repoURL: 'https://github.com/acme/values', path: x}\n"
        "---\nkind: Other\nspec: {source: {chart: no}}\n",
    ) == [("chart:charts.acme.example/web", "1.2.*")]
    assert found(
        "base/kustomization.yaml",
        "resources:\n- a.yaml\n- ../base\n- https://github.com/acme/bases//web?ref=v1.2\n"
        "- github.com/acme/b/x?ref=main\n"
        "helmCharts: [{name: web, repo: 'https://charts.acme.example', version: '1'}]",
    ) == [
        ("chart:charts.acme.example/web", "1"),
        ("kustomize:github.com/acme/bases//web", "v1.2"),
        ("kustomize:github.com/acme/b/x", "~4"),
    ]


def test_workflows_and_includes() -> None:
    path = ".github/workflows/ci.yml"
    sha = "a" * 40
    assert found(
        path,
        "jobs: {a: {uses: acme/ci/.github/workflows/d.yml@v2}, b: {steps: ["
        f"{{uses: actions/cache/save@{sha}}},"
        "{uses: ./own}, {uses: 'docker://a.example:5000/x:v1'}, {uses: acme/x@ada/test}, 7, {run: x}]}}",
    ) == [
        ("workflow:acme/ci/.github/workflows/d.yml", "v2"),
        ("action:actions/cache/save", sha),
        ("action:docker://a.example:5000/x", "v1"),
        ("action:acme/x", "~8"),
    ]
    paths = (
        "on: {push: {paths: ['services/shop/**', '!**.md', '.github/**']}, pull_request: }\n"
        "jobs: {a: {uses: a/b/.github/workflows/c.yml@v1}}"
    )
    assert read(path, paths, masked)[0].folders == ("services/shop",)
    assert read(path, paths.replace("services/shop/**", "**.py"), masked)[0].folders == ()
    assert found(
        ".gitlab-ci.yml",
        "spec: {inputs: {x: }}\n---\ninclude:\n- {local: /own.yml}\n- {remote: 'https://ada:pw@e.example/x.yml'}\n"
        "- {template: Jobs/Build.gitlab-ci.yml}\n- {component: $CI_SERVER_FQDN/acme/ci/build@1.4.0}\n"
        "- {component: $OTHER/x@1}\n- {project: acme/ci, file: [/a.yml, b.yml], ref: v3}\n- plain.yml\n"
        "test: {script: [!reference [.setup, script]]}",
    ) == [
        ("gitlab-template:Jobs/Build.gitlab-ci.yml", None),
        ("component:acme/ci/build", "1.4.0"),
        ("include:acme/ci/a.yml", "v3"),
        ("include:acme/ci/b.yml", "v3"),
    ]


FILES = (
    ".github/workflows/a.yml",
    ".gitlab-ci.yml",
    "Dockerfile",
    "Chart.yaml",
    "helmfile.yaml",
    "kustomization.yaml",
    "argocd/a.yaml",
    "main.tf",
)
RUBBISH = (
    "a: [",
    "[" * 20_000,
    "x" * 1_000_001,
    "a: &a [*a]",
    'module "x" {\n',
    "jobs: 3",
    "jobs: {a: {steps: 3, uses: [x]}}\nreleases: {a: 1}\nrepositories: [{name: [x]}]",
    "kind: Application\nspec: {source: 5}\ninclude: [{project: 5}, 7, null]",
    "dependencies: [7, {name: [a]}, {name: x, repository: 'http://[', version: {}}]",
    "resources: ['https://[x', 7]\nhelmCharts: 5",
    "\0\ud800",
    "!!python/object/apply:os.system [x]",
    "",
)


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("text", RUBBISH, ids=range(len(RUBBISH)))
def test_rubbish_is_a_fault_or_nothing(path: str, text: str) -> None:
    things = []
    with suppress(EvidenceFault):
        things = [each.thing for each in read(path, text, masked)]
    assert all(map(str.isprintable, things))


@given(st.sampled_from(FILES[:-1]), st.text(max_size=200))
def test_no_text_is_more_than_a_fault(path: str, text: str) -> None:
    with suppress(EvidenceFault):
        read(path, text, masked)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        *((path, True) for path in FILES),
        ("a/b/Dockerfile.prod", True),
        ("a/web.Dockerfile", True),
        ("Containerfile", True),
        ("a/modules/x.tf", True),
        ("Dockerfile.dockerignore", False),
        ("vendor/x/Dockerfile", False),
        ("node_modules/x/.github/workflows/a.yml", False),
        ("docs/.github/workflows/a.yml", False),
        ("requirements.txt", False),
        ("src/values.yaml", False),
        ("x.tf.json", False),
    ],
)
def test_which_files_are_looked_at(path: str, expected: bool) -> None:
    assert is_evidence(path) == expected


@pytest.mark.parametrize(
    ("kind", "text", "thing"),
    [
        ("workflow", "uses: acme/ci/.github/workflows/d.yml@v2", "workflow:acme/ci/.github/workflows/d.yml"),
        ("workflow", "- uses: actions/checkout@v4", "action:actions/checkout"),
        ("image", "FROM --platform=x acme.example/p:1 AS build", "image:acme.example/p"),
        ("module", 'source = "acme/postgres/aws"', "module:acme/postgres/aws"),
        ("chart", "oci://acme.example/charts/web:1.2", "chart:acme.example/charts/web"),
        ("kustomize", "https://github.com/acme/b//x?ref=v1", "kustomize:github.com/acme/b//x"),
        ("component", "component: $CI_SERVER_FQDN/acme/ci/build@1", "component:acme/ci/build"),
        ("annotation", "acme.example/db: postgres", "annotation:acme.example/db=postgres"),
        ("label", "acme.example/runtime", "label:acme.example/runtime"),
        ("template", "template:default/web", "template:default/web"),
        ("step", "Scan image", "step:Scan image"),
    ],
)
def test_an_example_is_what_a_line_of_a_file_is(kind: str, text: str, thing: str) -> None:
    assert example(kind, text) == thing
