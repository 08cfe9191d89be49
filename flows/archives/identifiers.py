"""Identifiers that were met, in little memory. A list's progress and the harvest keep theirs here, for one night."""

from array import array
from collections.abc import Iterable

_FEWEST = 1 << 10
"""Places at first; a power of two, as every later number of them."""
_WORD = (1 << 64) - 1


class Identifiers:
    """A set of identifiers that takes 12 to 24 bytes for each, however long they are.

    It keeps 64 bits of each, by the interpreter's own hash, which is another in every process. Of ten million, two are
    taken for one with a probability of 1 in 370,000.
    """

    def __init__(self) -> None:
        self._places = array("Q", bytes(8 * _FEWEST))  # 0: nothing lies here
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, identifier: object) -> bool:
        return self._places[self._place(_digest(identifier))] != 0

    def add(self, identifier: str) -> bool:
        """Keep it; was it new?"""
        digest = _digest(identifier)
        place = self._place(digest)
        if self._places[place]:
            return False
        self._places[place] = digest
        self._count += 1
        if 3 * self._count > 2 * len(self._places):
            self._widen()
        return True

    def update(self, identifiers: Iterable[str]) -> None:
        """Keep them."""
        for identifier in identifiers:
            self.add(identifier)

    def _place(self, digest: int) -> int:
        """Where it lies, or would."""
        places, last = self._places, len(self._places) - 1
        place = digest & last
        while places[place] not in (0, digest):
            place = (place + 1) & last
        return place

    def _widen(self) -> None:
        kept, self._places = self._places, array("Q", bytes(16 * len(self._places)))
        for digest in kept:
            if digest:
                self._places[self._place(digest)] = digest


def _digest(identifier: object) -> int:
    return hash(identifier) & _WORD or 1
