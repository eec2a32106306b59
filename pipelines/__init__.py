"""The pipeline: land, load, model, publish."""
