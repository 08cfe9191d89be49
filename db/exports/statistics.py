"""What results and verdicts come to as rows of a table: the page's files and `nishiki query` write the same."""

from typing import Any

from db.entries.statistics import Group, Mean, Paired, Share, Statistics


def group_row(found: Statistics, group: Group) -> dict[str, Any]:
    """A group's counts and figures, with intervals."""
    counts = ("results", "succeeded", "rejected", "approved", "returned", "withheld")
    encoder = found.encoder
    return {
        str(found.subject): group.name,
        **{name: getattr(group, name) for name in counts},
        **figures("approval_rate", group.approval),
        **figures("trust", group.trust),
        **{key: value for name, mean in group.errors.items() for key, value in figures(f"{name}_error", mean).items()},
        **figures("blind_pairs_agreed", group.agreed.share),
        "krippendorff_alpha": group.agreed.alpha,
        "encoder": encoder.name if encoder else None,
        "encoder_checksum": encoder.checksum if encoder else None,
    }


def pair_row(pair: Paired) -> dict[str, Any]:
    """Two recipes on the same contents."""
    differences = (figures(f"{name}_difference", mean) for name, mean in pair.differences.items())
    return {
        "recipe": pair.recipes[0],
        "other_recipe": pair.recipes[1],
        "contents": pair.contents,
        **{key: value for each in differences for key, value in each.items()},
        "judged": pair.judged,
        "only_recipe_approved": pair.only[0],
        "only_other_approved": pair.only[1],
        **figures("recipe_preferred", pair.preferred),
    }


def figures(name: str, figure: Mean | Share) -> dict[str, Any]:
    """A figure as cells of a table: itself, its interval, and of how many."""
    found = {name: figure.value, f"{name}_low": figure.low, f"{name}_high": figure.high, f"{name}_of": figure.of}
    return {key: round(value, 6) if isinstance(value, float) else value for key, value in found.items()}
