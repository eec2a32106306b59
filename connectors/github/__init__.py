"""github: repositories, pull requests, Actions, deployments and teams of GitHub or an Enterprise Server."""

from connectors.github.connector import GitHubConnector

__all__ = ["GitHubConnector"]
