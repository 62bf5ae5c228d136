"""Statistics over runs that differ by their seeds."""
