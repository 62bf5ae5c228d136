"""The tables and figures of the FeDeRA paper (arXiv 2404.18848), from runs; each only where its runs are there."""
