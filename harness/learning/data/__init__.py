"""Data: where it comes from, how it becomes clients, and how it is encoded."""
