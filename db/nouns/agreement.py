"""Krippendorff's alpha for words without an order, from the coincidence of values (Krippendorff 2011, section C).

Pure arithmetic; only the verdicts' sentences call it.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import permutations


def nominal_alpha(units: Sequence[Sequence[Hashable]]) -> float | None:
    """1 - observed / expected disagreement; units are what several observers said of one thing.

    None where fewer than two units can be compared, or where only one word was ever said: then there is nothing by
    which chance could be told from agreement.
    """
    coincidences: Counter[tuple[Hashable, Hashable]] = Counter()
    weights: Counter[Hashable] = Counter()
    paired = [unit for unit in units if len(unit) > 1]
    for unit in paired:
        for one, other in permutations(unit, 2):
            coincidences[one, other] += 1 / (len(unit) - 1)  # type: ignore[assignment]  # Counter of fractions
        weights.update(unit)
    total = sum(weights.values())
    expected = total**2 - sum(number**2 for number in weights.values())
    if len(paired) < 2 or not expected:
        return None
    observed = sum(number for (one, other), number in coincidences.items() if one != other)
    return 1 - (total - 1) * observed / expected
