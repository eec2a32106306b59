"""alertmanager: alerts as incidents."""

from connectors.alertmanager.connector import AlertmanagerConnector, AlertmanagerOptions

__all__ = ["AlertmanagerConnector", "AlertmanagerOptions"]
