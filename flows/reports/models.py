"""Trained colorizers as a table."""

from collections.abc import Sequence

from rich.table import Table

from flows.upkeep.models import KnownModel

_PLACES = {"nishiki": "with nishiki", "home": "this home", "retired": "retired"}


def models_table(models: Sequence[KnownModel]) -> Table:
    """One row each, the newest first."""
    heads = ("Recipe", "SHA-256", "Made", "Learned from", "Held out", "ΔE00 over gray's", "with our finish", "Where")
    table = Table(*heads, title="Trained colorizers")
    for each in models:
        entry = each.entry
        ratios = [f"{entry.measures[finish]['ratio']:.3f}" for finish in ("plain", "areas")]
        counts = str(entry.learned_from), str(entry.held_out)
        name, made = f"{entry.method}/{entry.name}", f"{entry.made_at:%Y-%m-%d}"
        table.add_row(name, entry.checksum[:12], made, *counts, *ratios, _PLACES[each.place])
    return table
