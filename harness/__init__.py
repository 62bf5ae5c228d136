"""The controller of federa-bench, and what both sides share."""
