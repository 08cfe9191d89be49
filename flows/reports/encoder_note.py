"""What every table and page says of the encoder that its figures come from."""

from collections.abc import Sequence

from colorize.encoders.weights import PREFERENCE, RANDOM, SMALL
from db.entries.night import EncoderKey, RecipeEntry


def weights_sentence(encoder: EncoderKey, *used_by: RecipeEntry) -> str:
    """What every table and page says of its encoder, and of recipes that were tuned for another."""
    mark = encoder.checksum[:12]
    if encoder.name == RANDOM:
        return (
            f"Encoder: {RANDOM} weights ({mark}): seeded random numbers, nothing learned. Matches "
            f"and colours are a demonstration; name {SMALL}, or run nishiki weights download, for real work."
        )
    if encoder.name != SMALL:
        return f"Encoder: {encoder.name} ({mark}).{_tuned_for_others(encoder, used_by)}"
    return (
        f"Encoder: {SMALL} ({mark}), a small encoder distilled from VGG-19, shipped with nishiki."
        f"{_tuned_for_others(encoder, used_by)}"
    )


def _tuned_for_others(encoder: EncoderKey, used_by: Sequence[RecipeEntry]) -> str:
    """A sentence where the encoder is not the one that the values were tuned for; torchvision's VGG-19 is as good."""
    others = {recipe.name: recipe.data.get("encoder") for recipe in used_by}
    as_good = {encoder.name, *(PREFERENCE if encoder.name in PREFERENCE else ())}
    names = [name for name, tuned_for in others.items() if tuned_for and tuned_for not in as_good]
    if not names:
        return ""
    who = f"Recipe {names[0]} was" if len(names) == 1 else f"{len(names)} recipes were"
    remedy = " (nishiki weights download gets VGG-19)" if encoder.name == SMALL else ""
    tuned_for = ", ".join(dict.fromkeys(str(others[name]) for name in names))
    return f" {who} tuned for {tuned_for}; {encoder.name} was used{remedy}."
