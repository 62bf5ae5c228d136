"""The part of a report about aggregating low-rank adapters: accuracy, bytes, seconds, errors and privacy of methods."""
