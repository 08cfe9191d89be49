"""The version of the rules by which tones are judged; asking for it loads neither SciPy nor Pillow."""

from typing import Final

VERSION: Final = 2
"""Of the measures and limits in `tone.py`; `nishiki doctor --mend` judges again what an earlier version judged."""
