"""pagerduty: incidents, change events, services and teams."""

from connectors.pagerduty.connector import PagerDutyConnector, PagerDutyOptions

__all__ = ["PagerDutyConnector", "PagerDutyOptions"]
