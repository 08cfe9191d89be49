"""Where real prints, weights and protocol answers may lie; tests use them when they are there."""

import os
from pathlib import Path

SHARED = Path(os.environ.get("NISHIKI_SHARED") or Path(__file__).parents[2] / "shared")
"""`shared` beside the project, or the folder that NISHIKI_SHARED names."""
