"""Colorizes one pair of picture files, without catalogue and without Prefect; `nishiki colorize` calls it."""

import errno
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from colorize.checkpoint import remove_checkpoint
from colorize.colorizer import Conditions, colorizer_for
from colorize.device import device_names
from colorize.errors import ColorizeError
from colorize.images import decode
from colorize.provenance import Provenance, Source, encode_png
from colorize.recipe import Colorization, Job, Recipe
from colorize.vgg.loading import load_encoder
from colorize.watch import Listener
from flows.choice import encoder_key, encoder_weights, night_recipe, recipe_entry, weights_sentence
from flows.files import checkpoint_path, write_whole
from flows.progress import track
from flows.settings import Settings


def colorize_files(settings: Settings, content: Path, style: Path, output: Path) -> Iterator[str]:
    """Write the colorization of a pair as PNG; yields what a person should know of it.

    Raises:
        ColorizeError: a picture cannot be read, or no result came out; nothing was written.
        OSError: a file cannot be read or written.
    """
    _check_output(content, style, output)
    recipe = night_recipe(settings)
    weights = encoder_weights(settings, recipe)
    data = [path.read_bytes() for path in (content, style)]
    pixels = [decode(each, max_pixels=settings.max_pixels).pixels for each in data]
    key = encoder_key(weights)
    name = sha256(b"".join([*data, recipe.digest().encode(), key.checksum.encode()])).hexdigest()
    checkpoint = checkpoint_path(settings, f"single-{name[:16]}")
    conditions = Conditions(settings.exact_precision, settings.checkpoint_s)
    colorizer = colorizer_for(recipe, load_encoder(weights), device_names(settings.device)[0], conditions)
    notes: list[str] = []
    with track(f"colorize {content.name}", recipe.iterations, "iterations") as advance:
        (result,) = colorizer.colorize(
            [Job(content.name, pixels[0], pixels[1], checkpoint)],
            Listener(lambda part: advance(part * recipe.iterations), lambda _key, sentence: notes.append(sentence)),
        )
    yield from notes
    if isinstance(result, ColorizeError):
        raise result
    provenance = Provenance(
        recipe_name=recipe.name,
        recipe_digest=recipe.digest(),
        recipe_data=recipe.data(),
        weights_name=key.name,
        weights_checksum=key.checksum,
        content=Source(content.name, sha256(data[0]).hexdigest()),
        style=Source(style.name, sha256(data[1]).hexdigest()),
        created=datetime.now(UTC),
    )
    write_whole(output, encode_png(result.picture, provenance))
    remove_checkpoint(checkpoint)
    yield from _lines(recipe, result, output)
    yield weights_sentence(key, recipe_entry(recipe))


def _check_output(content: Path, style: Path, output: Path) -> None:
    """Before the work, not after it: is there a place for the result that is no original?"""
    if not output.parent.is_dir():
        raise OSError(errno.ENOENT, "there is no such folder for the result", str(output.parent))
    if output.exists() and (output.samefile(content) or output.samefile(style)):
        raise OSError(errno.EEXIST, "is one of the two originals; name another --output", str(output))


def _lines(recipe: Recipe, result: Colorization, output: Path) -> Iterator[str]:
    height, width = result.picture.shape[:2]
    errors = result.errors
    yield f"{output}: {width}×{height} px, {recipe.name}, {result.iterations} iterations, {result.seconds:.1f} s"
    yield (
        f"Relative errors (means): content {errors.content_mean:.4f}, style {errors.style_mean:.4f}, "
        f"total {errors.total_mean:.4f}; as printed (sums): {errors.content_sum:.4g}, {errors.style_sum:.4g}, "
        f"{errors.total_sum:.4g}"
    )
    yield ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in result.measures.items())
    if result.refusal:
        yield f"This is no colorization to show: {result.refusal}."
