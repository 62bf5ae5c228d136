"""How updates become the next global state."""
