"""``python -m analysis`` is ``federa-bench report``."""

import sys

from analysis.cli import main

sys.exit(main())
