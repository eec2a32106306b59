"""gitlab: projects, merge requests, pipelines, deployments and groups of GitLab."""

from connectors.gitlab.connector import GitLabConnector

__all__ = ["GitLabConnector"]
