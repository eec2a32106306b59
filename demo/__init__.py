"""A simulated organisation behind servers that speak its tools' real APIs."""
