"""git: commits, branches and tags over the git protocol, for every host alike."""

from connectors.git.connector import GitConnector, GitOptions

__all__ = ["GitConnector", "GitOptions"]
