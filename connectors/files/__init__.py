"""files: records of any kind from CSV, JSONL and Parquet."""

from connectors.files.connector import FilesConnector

__all__ = ["FilesConnector"]
