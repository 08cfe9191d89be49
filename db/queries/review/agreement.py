"""Krippendorff's alpha for words without an order; only the verdicts' queries call it."""

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import chain


def nominal_alpha(units: Sequence[Sequence[Hashable]]) -> float | None:
    """1 - observed / expected disagreement; units are what several observers said of one thing.

    None where fewer than two units can be compared, or where only one word was ever said: then there is nothing by
    which chance could be told from agreement.
    """
    paired = Counter(tuple(unit) for unit in units if len(unit) > 1)
    words = list(dict.fromkeys(chain.from_iterable(paired)))
    if paired.total() < 2 or len(words) < 2:
        return None
    import numpy as np  # noqa: PLC0415  # most commands open the catalogue and need none of the two
    from krippendorff import alpha  # noqa: PLC0415

    counts = np.array([[unit.count(word) for word in words] for unit in paired])
    return float(alpha(value_counts=counts.repeat([*paired.values()], axis=0), level_of_measurement="nominal"))
