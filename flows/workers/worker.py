"""Carries out minibatches on one device: from a message to events, in whatever process an executor runs it.

Every result is told as soon as it is there. Models are kept from one minibatch to the next; torch is loaded with the
first.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from colorize.errors import ColorizeError, PictureAltered, PictureGone
from colorize.jobs import Job, JobFiles, StyleFile, decoded_job
from colorize.recipes.recipe import Recipe
from flows.workers.messages import Event, Failed, Finished, Limits, Minibatch, ModelFile, Note, PictureJob, Progress

if TYPE_CHECKING:  # loaded in the process that needs it
    from colorize.colorizer import Colorizer
    from colorize.results import Colorization

Tell = Callable[[Event], None]


class Worker:
    """A device with the models that it works with.

    Args:
        device: its name.
        memory_share: how much of the device's memory is its own, in (0, 1].
    """

    def __init__(self, device: str, memory_share: float) -> None:
        self._device, self._memory_share = device, memory_share
        self._colorizer: Colorizer | None = None
        self._made_of: tuple[tuple[ModelFile, ...], Limits] | None = None

    def colorize(self, minibatch: Minibatch, tell: Tell) -> None:
        """Colorize a minibatch, telling what becomes of each job.

        Raises:
            ColorizeError: the models or the device cannot be used at all.
        """
        colorizer = self._ready(minibatch)
        # A CPU gains nothing from a minibatch, and one picture at a time is recorded sooner.
        step = 1 if self._device == "cpu" else len(minibatch.jobs)
        for start in range(0, len(minibatch.jobs), step):
            self._together(colorizer, minibatch.jobs[start : start + step], minibatch.limits, tell)

    def _ready(self, minibatch: Minibatch) -> "Colorizer":
        recipe, made_of = Recipe.from_data(minibatch.recipe), (minibatch.models, minibatch.limits)
        if self._colorizer is not None and self._made_of == made_of:
            self._colorizer = replace(self._colorizer, recipe=recipe)
            return self._colorizer
        self._colorizer = None  # before others are loaded beside it
        self._colorizer, self._made_of = self._made(recipe, minibatch), made_of
        return self._colorizer

    def _made(self, recipe: Recipe, minibatch: Minibatch) -> "Colorizer":
        from colorize.colorizer import Conditions, colorizer_for  # noqa: PLC0415
        from colorize.device import use_one_thread  # noqa: PLC0415
        from colorize.encoders.loading import load_encoder  # noqa: PLC0415
        from colorize.encoders.weights import check_unchanged, weights_file  # noqa: PLC0415

        if self._device == "cpu":
            use_one_thread()
        others = {model.role: Path(model.path) for model in minibatch.models}
        (encoder,) = (model for model in minibatch.models if model.role == "encoder")
        weights = weights_file(Path(encoder.path))
        check_unchanged(weights.path, weights.checksum, encoder.checksum)
        limits = minibatch.limits
        conditions = Conditions(limits.precision, limits.checkpoint_s, self._memory_share)
        return colorizer_for(recipe, load_encoder(weights), self._device, conditions, others)

    def _together(self, colorizer: "Colorizer", jobs: Sequence[PictureJob], limits: Limits, tell: Tell) -> None:
        from colorize.running.progress import ProgressCallbacks  # noqa: PLC0415  (loads torch, as above)

        readable: list[Job] = []
        for job in jobs:
            try:
                readable.append(decoded(job, limits.max_pixels))
            except ColorizeError as error:
                tell(Failed.of(job.key, self._device, error))
        callbacks = ProgressCallbacks(
            lambda pictures: tell(Progress(pictures)), lambda key, sentence: tell(Note(key, sentence))
        )
        asked = {job.key: job for job in jobs}
        for each, result in zip(readable, colorizer.colorize(readable, callbacks), strict=True):
            if isinstance(result, ColorizeError):
                tell(Failed.of(each.key, self._device, result))
            else:
                tell(finished(asked[each.key], result))


def decoded(job: PictureJob, max_pixels: int) -> Job:
    """A job with its pictures in memory, each decoded once.

    Raises:
        ColorizeError: a file is gone or altered, or no sound picture or marks.
    """
    styles = tuple(StyleFile(_bytes(style.path), style.registration) for style in job.styles)
    marks, mask = (None if path is None else _bytes(path) for path in (job.marks, job.mask))
    files = JobFiles(_bytes(job.content), styles, marks, mask)
    checkpoint = None if job.checkpoint is None else Path(job.checkpoint)
    return decoded_job(job.key, files, max_pixels=max_pixels, checkpoint=checkpoint)


def finished(job: PictureJob, result: "Colorization") -> Finished:
    """A result as a file's bytes, with where it came from inside, its map of trust, and its figures."""
    from colorize.device import library_versions  # noqa: PLC0415
    from colorize.images.tone import judge_tone  # noqa: PLC0415
    from colorize.output.provenance import Provenance  # noqa: PLC0415
    from colorize.output.saving import kept, kept_trust  # noqa: PLC0415

    uncoloured = result.measures.get("uncoloured")
    given = Provenance.from_json(job.provenance).without(result.left_out)
    provenance = replace(given, refusal=result.refusal, uncoloured=uncoloured)
    report, made = judge_tone(result.picture, "RGB"), kept(result, provenance)
    height, width = result.picture.shape[:2]
    return Finished(
        key=job.key,
        device=result.device,
        picture=made.data,
        suffix=made.suffix,
        mode=made.mode,
        trust=kept_trust(result, provenance),
        width=width,
        height=height,
        tone=report.tone.value,
        tone_measures=report.measures,
        versions={**library_versions(), "precision": result.precision},
        seed=result.seed,
        iterations=result.iterations,
        seconds=result.seconds,
        errors=result.errors,
        measures=result.measures,
        trace=result.trace,
        refusal=result.refusal,
    )


def _bytes(path: str) -> bytes:
    """What a stored file holds, hashed as it was read: a result names the sha256 of the bytes that it was made of."""
    sha256 = Path(path).stem
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        why = f"cannot be read ({error.strerror})"
        raise PictureGone(f"the stored file {sha256} {why}; run: nishiki doctor") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise PictureAltered(
            f"the stored file {sha256} has other bytes than when it was stored; run: nishiki doctor --mend"
        )
    return data
