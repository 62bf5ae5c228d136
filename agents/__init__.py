"""What runs on a device: the agent and, in a process of its own, the trainer."""
