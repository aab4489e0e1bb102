"""`python -m tcpclose_model`: the command line."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # The working directory comes first on the path, and may have a `reports` of its own.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from reports.cli import main

    sys.exit(main())
