"""jenkins: builds, their stages, and what they deployed."""

from connectors.jenkins.connector import JenkinsConnector, JenkinsOptions

__all__ = ["JenkinsConnector", "JenkinsOptions"]
