"""Tasks: how examples are encoded for the model."""
