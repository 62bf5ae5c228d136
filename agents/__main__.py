"""``python -m agents``: the same command as ``federa-bench agent``."""

from __future__ import annotations

import sys

from agents.cli import main

if __name__ == "__main__":
    sys.exit(main())
