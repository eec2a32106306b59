"""The files of a repository that say what it uses of the platform, as they were at a time."""

from __future__ import annotations

from demo.plan import GOLDEN_PATH, GOLDEN_PATH_WORKFLOW, RepositoryPlan, ServicePlan

_WORKFLOWS = ".github/workflows"

_OWN_WORKFLOW = """\
name: {name}
on:
  push: {{branches: [{branch}]{paths}}}
  pull_request: {{{paths_alone}}}
jobs:
  build:
    runs-on: demo-linux
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
      - run: make build
  test:
    needs: build
    runs-on: demo-linux
    steps:
      - uses: actions/checkout@v4
      - run: make test
"""
_GOLDEN_WORKFLOW = """\
name: {name}
on:
  push: {{branches: [{branch}]{paths}}}
  pull_request: {{{paths_alone}}}
jobs:
  deliver:
    uses: {workflow}@v{version}
    with: {{service: {service}}}
    secrets: inherit
"""
_REUSABLE_WORKFLOW = """\
name: deliver
on:
  workflow_call:
    inputs:
      service: {type: string, required: true}
jobs:
  build:
    runs-on: demo-linux
    steps: [{uses: actions/checkout@v4}, {run: make build}]
  test:
    needs: build
    runs-on: demo-linux
    steps: [{uses: actions/checkout@v4}, {run: make test}]
"""
_JENKINSFILE = """\
pipeline {
  agent { label 'demo-linux' }
  stages {
    stage('Build') { steps { sh 'make build' } }
    stage('Test') { steps { sh 'make test' } }
    stage('Publish') { when { branch 'BRANCH' } steps { sh 'make publish' } }
  }
}
"""


def workflow(service: ServicePlan | None, at: float) -> str:
    """Path of the workflow file that builds the service, or the repository, at that time."""
    if service is None:
        return f"{_WORKFLOWS}/ci.yml"
    name = service.name if service.path else "ci" if service.golden_path_version(at) is None else "deliver"
    return f"{_WORKFLOWS}/{name}.yml"


def files(repository: RepositoryPlan, at: float) -> dict[str, str]:
    """Path → text of the workflows and image files at that time."""
    found: dict[str, str] = {}
    branch = repository.default_branch
    if repository.uses_jenkins:
        found["Jenkinsfile"] = _JENKINSFILE.replace("BRANCH", branch)
    elif not repository.services:
        found[workflow(None, at)] = _OWN_WORKFLOW.format(name="ci", branch=branch, paths="", paths_alone="")
    if repository.name == GOLDEN_PATH:
        found[f"{_WORKFLOWS}/deliver.yml"] = _REUSABLE_WORKFLOW
    for service in repository.services:
        version = service.golden_path_version(at)
        if not repository.uses_jenkins:
            name = service.name if service.path else "ci" if version is None else "deliver"
            paths = f'paths: ["{service.path}/**"]' if service.path else ""
            found[workflow(service, at)] = (_OWN_WORKFLOW if version is None else _GOLDEN_WORKFLOW).format(
                name=name,
                branch=branch,
                paths=paths and f", {paths}",
                paths_alone=paths,
                workflow=GOLDEN_PATH_WORKFLOW,
                version=version,
                service=service.name,
            )
        image = "python:3.11-slim" if version is None else f"registry.demo.example/platform/python:{version}"
        found[f"{service.path or '.'}/Dockerfile".removeprefix("./")] = f"FROM {image}\nCOPY . /app\n"
    return found


def changes_at(repository: RepositoryPlan) -> list[int]:
    """When its files change, oldest first."""
    return sorted({since for service in repository.services for since, _ in service.adopted})
