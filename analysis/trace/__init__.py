"""A run over time: what each agent and the controller did when, on the run's clock, and as a file for trace viewers."""
