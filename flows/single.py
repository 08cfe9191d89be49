"""Colorizes a picture file, without catalogue and without Prefect; `nishiki colorize` calls it."""

import errno
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path

from colorize.colorizer import Conditions, colorizer_for
from colorize.encoders.loading import load_encoder
from colorize.errors import ColorizeError, NotFit
from colorize.jobs import Job, JobFiles, StyleFile, decoded_job
from colorize.matching.geometry import features, same_design
from colorize.output.provenance import Provenance, Source
from colorize.output.saving import check_suffix, encode, kept_trust
from colorize.output.whole_file import remove_whole
from colorize.recipes.recipe import Recipe
from colorize.results import Colorization
from colorize.running.progress import ProgressCallbacks
from db.files.atomic import write_whole
from db.files.home import checkpoint_path
from flows.errors import Faults, Misused
from flows.plan import encoder_key, look_for_tools, model_path, models_of, recipe_entry
from flows.progress import track
from flows.reports.encoder_note import weights_sentence
from flows.settings import Settings


@dataclass(frozen=True)
class Files:
    """What is read and written; styles, marks, or both."""

    content: Path
    styles: tuple[Path, ...]
    marks: Path | None
    output: Path
    mask: Path | None = None

    @property
    def originals(self) -> list[Path]:
        """Those that are read."""
        return [self.content, *self.styles, *(each for each in (self.marks, self.mask) if each)]

    @property
    def trust(self) -> Path:
        """The map of trust beside the output, where the recipe tells trust."""
        return self.output.with_name(f"{self.output.stem}.trust.png")


def colorize_files(
    settings: Settings, files: Files, *, keep_rejected: bool = False, wrong: Sequence[Exception] = ()
) -> Iterator[str]:
    """Write the colorization of a picture, in the format of the output's suffix; yields what a person should know.

    Args:
        settings: recipe, encoder, device.
        files: what is read and written.
        keep_rejected: write what is not fit to be shown too; the file says why it is not.
        wrong: what is known to be wrong already; it is told with the rest.

    Raises:
        Misconfigured: several things are wrong; one alone is raised as it is.
        NotFit: it is rejected; nothing was written.
        ColorizeError: a picture or the marks cannot be read, or no result came out; nothing was written.
        OSError: a file cannot be read or written.
    """
    faults = Faults(wrong)
    faults.of(partial(_check_output, files))
    tools = look_for_tools(settings, faults)
    if tools:
        faults.of(partial(_check_styles, tools.recipe, files))
    data: dict[Path | None, bytes] = {path: faults.of(path.read_bytes) or b"" for path in files.originals}
    faults.tell()
    assert tools is not None
    recipe, weights = tools.recipe, tools.weights
    key = encoder_key(weights)
    name = sha256(b"".join([*data.values(), recipe.digest().encode(), key.checksum.encode()])).hexdigest()
    checkpoint = checkpoint_path(settings.home, f"single-{name[:16]}")
    styles = tuple(StyleFile(data[each]) for each in files.styles)
    job = decoded_job(
        files.content.name,
        JobFiles(data[files.content], styles, data.get(files.marks), data.get(files.mask)),
        max_pixels=settings.max_pixels,
        checkpoint=checkpoint,
    )
    if files.styles:
        job = registered(job)
    conditions = Conditions(settings.exact_precision, settings.checkpoint_s)
    trained = {model.role: model_path(settings, model) for model in models_of(weights, recipe)[1:]}
    colorizer = colorizer_for(recipe, load_encoder(weights), tools.devices[0], conditions, trained)
    notes = list(job.notes)
    total, unit = (recipe.parameters.iterations, "iterations") if recipe.parameters.iterations else (1, "pictures")
    with track(f"colorize {files.content.name}", total, unit) as advance:
        (result,) = colorizer.colorize(
            [job], ProgressCallbacks(lambda part: advance(part * total), lambda _key, sentence: notes.append(sentence))
        )
    yield from notes
    if isinstance(result, ColorizeError):
        raise result
    colours = files.styles or ((files.marks,) if files.marks else ())
    sources = tuple(Source(each.name, sha256(data[each]).hexdigest()) for each in colours)
    provenance = Provenance(
        recipe_name=recipe.name,
        recipe_digest=recipe.digest(),
        recipe_data=recipe.data(),
        weights_name=key.name,
        weights_checksum=key.checksum,
        content=Source(files.content.name, sha256(data[files.content]).hexdigest()),
        style=sources[0] if sources else None,
        further_styles=sources[1:],
        created=datetime.now(UTC),
        marks_sha256=sha256(data[files.marks]).hexdigest() if files.marks else None,
        mask_sha256=sha256(data[files.mask]).hexdigest() if files.mask else None,
        refusal=result.refusal,
        uncoloured=result.measures.get("uncoloured"),
    ).without(result.left_out)
    if result.refusal and not keep_rejected:
        remove_whole(checkpoint)
        raise NotFit(
            f"{files.output.name} was not written, for it is not fit to be shown: {result.refusal}. "
            "Choose another style or recipe, or add --keep-rejected to have it all the same."
        )
    picture = result.picture if result.deep is None else result.deep
    write_whole(files.output, encode(picture, provenance, files.output))
    if trust := kept_trust(result, provenance):
        write_whole(files.trust, trust)
    remove_whole(checkpoint)
    yield from _lines(recipe, result, files, provenance)
    yield weights_sentence(key, recipe_entry(recipe))


def registered(job: Job) -> Job:
    """The job with how its styles lie on its content, where they are of one design."""
    ours = features(job.content)
    found = [same_design(ours, features(style.pixels)) for style in job.styles]
    laid = [None if each is None else each.data() for each in found]
    further = zip(job.further, laid[1:], strict=True)
    return replace(
        job,
        registration=laid[0],
        further=tuple(replace(style, registration=each) for style, each in further),
    )


def _check_styles(recipe: Recipe, files: Files) -> None:
    given, most = len(files.styles), max(1, recipe.needs.styles)
    if recipe.needs.styles and not given and files.marks is None:
        raise Misused(f"the recipe {recipe.name} takes its colours from a print; give STYLE")
    if given > most:
        takes = f"from up to {most}; leave some out" if most > 1 else "from one; give one, or another --recipe"
        raise Misused(f"{given} style images were given, and the recipe {recipe.name} takes colours {takes}")


def _check_output(files: Files) -> None:
    """Before the work, not after it: is there a place for the result that is not an original?"""
    check_suffix(files.output)
    if not files.output.parent.is_dir():
        raise OSError(errno.ENOENT, "there is no such folder for the result", str(files.output.parent))
    for written, what in ((files.output, "is"), (files.trust, "would hold the map of trust, and is")):
        if written.exists() and any(written.samefile(each) for each in files.originals if each.exists()):
            raise OSError(errno.EEXIST, f"{what} one of the originals; name another --output", str(written))


def _lines(recipe: Recipe, result: Colorization, files: Files, provenance: Provenance) -> Iterator[str]:
    height, width = result.picture.shape[:2]
    errors = result.errors
    steps = f", {result.iterations} iterations" if result.trace else ""
    yield f"{files.output}: {width}×{height} px, {recipe.name}{steps}, {result.seconds:.1f} s"
    yield (
        f"Relative errors (means): content {errors.content_mean:.4f}, style {errors.style_mean:.4f}, "
        f"total {errors.total_mean:.4f}; as printed (sums): {errors.content_sum:.4g}, {errors.style_sum:.4g}, "
        f"{errors.total_sum:.4g}"
    )
    yield ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in result.measures.items())
    if result.trust is not None:
        trust = result.measures["trust"]
        yield (
            f"Trust in the colours: {trust:.2f}, from 0 to 1. So about {trust:.0%} of the print is likely to be near "
            f"its own colours. {files.trust} maps where: the stronger the orange, the less the colours are trusted."
        )
    for each in provenance.left_out:
        yield f"{each.style.identifier} was left out: {each.why}"
    if result.refusal:
        yield f"Not fit to be shown: {result.refusal}."
