"""``python -m harness.deploy``: the same as ``federa-bench deploy``."""

import sys

from harness.deploy.command import main

if __name__ == "__main__":
    sys.exit(main())
