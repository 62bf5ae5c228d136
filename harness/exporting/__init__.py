"""``federa-bench export``: what a run learned, as a model that other programs load, with a card of its figures."""
