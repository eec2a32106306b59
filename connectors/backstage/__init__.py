"""backstage: the catalogue, and the runs of its templates."""

from connectors.backstage.connector import BackstageConnector, BackstageOptions

__all__ = ["BackstageConnector", "BackstageOptions"]
