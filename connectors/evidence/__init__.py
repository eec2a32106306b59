"""Evidence: what the files of a repository say it uses of others, read off each kind of file."""

from connectors.evidence.examples import example
from connectors.evidence.found import EvidenceFault, Found
from connectors.evidence.reading import GITLAB_FILE, VERSION, is_evidence, read

__all__ = ["GITLAB_FILE", "VERSION", "EvidenceFault", "Found", "example", "is_evidence", "read"]
