"""The survey store's history of tables."""
