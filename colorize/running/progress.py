"""Progress of a minibatch while it descends: callbacks are told, checkpoints kept. Called by `colorize.colorizer`."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from safetensors import SafetensorError

from colorize.methods.neural_style.descent import Optimisation
from colorize.running.checkpoint import Identity, write_checkpoint
from colorize.running.prepare import Prepared

_AFTER_COSTS = 20
"""A large minibatch's checkpoints take seconds: no more than a twentieth of the time goes into them."""

OnProgress = Callable[[float], None]
"""Told the pictures done since it was last called, in parts of pictures; less than none where work was lost."""
Tell = Callable[[str, str], None]
"""Told a job's key and a sentence that a person should read."""


@dataclass(frozen=True)
class ProgressCallbacks:
    """What is called while pictures are colorized; by default nothing."""

    on_progress: OnProgress = lambda _pictures: None
    tell: Tell = lambda _key, _sentence: None


NO_CALLBACKS = ProgressCallbacks()


class MinibatchProgress:
    """One minibatch's: called after every iteration."""

    def __init__(
        self,
        minibatch: Sequence[Prepared],
        identities: Sequence[Identity],
        callbacks: ProgressCallbacks,
        checkpoint_s: float,
    ) -> None:
        self._minibatch, self._identities, self._callbacks = minibatch, identities, callbacks
        self._checkpoint_s = checkpoint_s
        self._began = self._kept = time.monotonic()
        self._told, self._cost = 0.0, 0.0
        self._told_of_failure = False

    @property
    def seconds(self) -> float:
        """What each picture has taken so far, before it was last put down too."""
        earlier = max((each.state[1]["seconds"] for each in self._minibatch if each.state), default=0.0)
        return float(earlier) + (time.monotonic() - self._began) / len(self._minibatch)

    def __call__(self, descent: Optimisation) -> None:
        """Tell how far it is, and keep checkpoints when they are due."""
        self._tell_share(descent.done / descent.iterations)
        began = time.monotonic()
        pause_s = self._checkpoint_s and max(self._checkpoint_s, _AFTER_COSTS * self._cost)
        due = began - self._kept >= pause_s
        if due and descent.done < descent.iterations:
            self._keep(descent)
            self._kept = time.monotonic()
            self._cost = self._kept - began

    def take_back(self) -> None:
        """What was told is not so: the minibatch begins anew."""
        self._tell_share(0.0)

    def _tell_share(self, share: float) -> None:
        self._callbacks.on_progress((share - self._told) * len(self._minibatch))
        self._told = share

    def _keep(self, descent: Optimisation) -> None:
        for row, (each, identity) in enumerate(zip(self._minibatch, self._identities, strict=True)):
            if each.job.checkpoint is None:
                continue
            tensors, words = descent.state(row)
            try:
                write_checkpoint(each.job.checkpoint, identity, (tensors, {**words, "seconds": self.seconds}))
            except (OSError, SafetensorError) as error:
                self._tell_failure(each, error)

    def _tell_failure(self, prepared: Prepared, error: Exception) -> None:
        """Once: the picture itself does not need a checkpoint."""
        if not self._told_of_failure:
            self._callbacks.tell(prepared.job.key, f"no checkpoint could be kept ({error}); free some room on the disk")
        self._told_of_failure = True
