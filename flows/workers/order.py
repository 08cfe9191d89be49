"""In which order a batch's attempts are worked on, and which of them together; knows no executor and no catalogue."""

from collections import defaultdict, deque
from collections.abc import Sequence

from colorize.images.resize import working_size
from colorize.recipes.recipe import Recipe
from db.entries.night import PendingAttempt


def minibatches_of(
    pending: Sequence[PendingAttempt], recipe: Recipe, *, most: int, places: int
) -> list[list[PendingAttempt]]:
    """Attempts of equal working size together, no minibatch so large that a device would stay idle."""
    by_size: defaultdict[tuple[int, int], list[PendingAttempt]] = defaultdict(list)
    for attempt in pending:
        content = attempt.content
        by_size[working_size(content.width, content.height, recipe.long_edge_px)].append(attempt)
    share = min(most, max(1, -(-len(pending) // max(1, places))))
    return [group[at : at + share] for group in by_size.values() for at in range(0, len(group), share)]


class Order:
    """What nobody died over comes first, in minibatches; then one by one what somebody died over.

    Whatever has its last try is alone in work: a picture that takes the whole machine with it is blamed, and no other.

    Args:
        most: attempts in a minibatch, at most.
        places: parts into which the whole is cut, at least.
    """

    def __init__(self, recipe: Recipe, *, most: int, places: int, max_tries: int) -> None:
        self._recipe, self._most, self._places, self._max_tries = recipe, most, places, max_tries
        self._fresh: deque[list[PendingAttempt]] = deque()
        self._suspects: list[PendingAttempt] = []
        self._alone = False
        self.in_work = 0
        """Minibatches that were begun and are not over."""

    def __bool__(self) -> bool:
        """Is anything left to begin?"""
        return bool(self._fresh or self._suspects)

    def add(self, pending: Sequence[PendingAttempt]) -> None:
        """Attempts to be worked on."""
        fresh = [attempt for attempt in pending if not attempt.tries]
        self._fresh += minibatches_of(fresh, self._recipe, most=self._most, places=self._places)
        self._suspects += [attempt for attempt in pending if attempt.tries]

    def next(self) -> list[PendingAttempt]:
        """What may begin now; empty: nothing."""
        if self._alone and self.in_work:
            return []
        if self._fresh:
            self._alone = False
            return self._fresh.popleft()
        suspect = min(self._suspects, key=lambda attempt: attempt.tries, default=None)
        last = suspect is not None and suspect.tries + 1 >= self._max_tries
        if suspect is None or (last and self.in_work):
            return []
        self._alone = last
        self._suspects.remove(suspect)
        return [suspect]
