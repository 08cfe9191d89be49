"""Why a night had nothing to colour, and what to do about it: what a person reads in place of results.

`flows.cli.app` prints it under "nothing is due".
"""

from collections.abc import Iterator, Mapping

from db.entries.night import Prospects, Tone


def nothing_due_lines(prospects: Prospects, held_back: Mapping[str, int]) -> Iterator[str]:
    """How many pictures there are of each tone, the reason, and the next step.

    Args:
        prospects: what the catalogue holds.
        held_back: records that are not content for now, by reason.
    """
    tones, pictures = prospects.tones, sum(prospects.tones.values())
    if not pictures:
        yield "  No picture has come in yet; the harvest says above what it found."
        return
    counts = ", ".join(f"{tones[tone]} {tone}" for tone in Tone)
    yield f"  {_pictures(pictures)} in the catalogue: {counts}."
    yield from (f"  {line}" for line in _reasons(prospects, held_back))


def _reasons(prospects: Prospects, held_back: Mapping[str, int]) -> Iterator[str]:
    tones, waiting = prospects.tones, prospects.contents - prospects.done
    if not prospects.contents:
        yield from _no_content(tones, held_back)
        yield from _undecided(tones)
    elif not waiting:
        yield f"All {prospects.contents} that can be coloured have a result; nishiki review shows them."
    elif not prospects.styles:
        held = f"; the rights of the {tones[Tone.COLOUR]} that there are do not allow it" if tones[Tone.COLOUR] else ""
        yield f"{_pictures(waiting)} could be coloured, and there is no colour print that may lend its colours{held}."
        yield "Add colour prints to the folder, or name an archive that has some."
        yield from _undecided(tones)
    else:
        failed = f", {prospects.failed} of them because every try failed" if prospects.failed else ""
        yield f"{_pictures(waiting)} could be coloured and had no result{failed}; nishiki status counts what there is."


def _no_content(tones: Mapping[Tone, int], held_back: Mapping[str, int]) -> Iterator[str]:
    if not tones[Tone.GRAYSCALE]:
        yield "None of them is a gray print, and only gray prints are coloured."
        return
    counts = [f"{why}: {count}" for why, count in held_back.items() if count and not why.startswith("tone")]
    yield f"Every gray print is held back ({', '.join(counts) or 'its records are gone'})."
    yield "nishiki records --held-back names them, with the reasons."


def _undecided(tones: Mapping[Tone, int]) -> Iterator[str]:
    """What a person may decide on, where the tone stands in the way."""
    if tones[Tone.UNSURE]:
        yield f"{_pictures(tones[Tone.UNSURE])}: nishiki is not sure whether gray or colour."
        yield "nishiki review shows them, and there a curator sets the tone."
    if tones[Tone.TONED]:
        yield f"{_pictures(tones[Tone.TONED])}: ink on toned paper; among such are prints that never had colour."
        yield "NISHIKI_COLORIZE_TONED=true (colorize_toned in nishiki.toml) has them coloured too."


def _pictures(number: int) -> str:
    return f"{number:,} picture{'' if number == 1 else 's'}"
