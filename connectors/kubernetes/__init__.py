"""kubernetes: what the labels of workloads say, from a cluster's API or from exported manifests."""

from connectors.kubernetes.connector import KubernetesConnector, KubernetesOptions

__all__ = ["KubernetesConnector", "KubernetesOptions"]
