"""Names the program in all that leaves."""

from importlib.metadata import version
from typing import Final

SOFTWARE: Final = f"nishiki {version('nishiki')}"
