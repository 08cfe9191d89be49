"""Why a night had nothing to colour, and what to do about it: what a person reads in place of results.

`flows.cli.app` prints it under "nothing is due".
"""

from collections.abc import Iterator, Mapping

from db.entries.night import Prospects, Tone

_NOTHING_YET = "No picture has come in yet; the harvest says above what it found."


def nothing_due_lines(prospects: Prospects, tones: Mapping[Tone, int], held_back: Mapping[str, int]) -> Iterator[str]:
    """The reason and the next step; the tones themselves are told with the matches.

    Args:
        prospects: what the catalogue holds to work on.
        tones: of all pictures of live records.
        held_back: records that are not content for now, by reason.
    """
    lines = _reasons(prospects, tones, held_back) if sum(tones.values()) else [_NOTHING_YET]
    yield from (f"  {line}" for line in lines)


def _reasons(prospects: Prospects, tones: Mapping[Tone, int], held_back: Mapping[str, int]) -> Iterator[str]:
    waiting = prospects.contents - prospects.done
    if not prospects.contents:
        yield from _no_content(tones, held_back)
    elif not waiting:
        yield f"All {prospects.contents} that can be coloured have a result; nishiki review shows them."
    elif not prospects.styles:
        held = f"; the rights of the {tones[Tone.COLOUR]} that there are do not allow it" if tones[Tone.COLOUR] else ""
        yield f"{_pictures(waiting)} could be coloured, and there is no colour print that may lend its colours{held}."
        yield "Add colour prints to the folder, or name an archive that has some."
    else:
        failed = f", {prospects.failed} of them because every try failed" if prospects.failed else ""
        yield f"{_pictures(waiting)} could be coloured and had no result{failed}; nishiki status counts what there is."


def _no_content(tones: Mapping[Tone, int], held_back: Mapping[str, int]) -> Iterator[str]:
    if tones[Tone.GRAYSCALE]:
        counts = [f"{why}: {count}" for why, count in held_back.items() if count and not why.startswith("tone")]
        yield f"Every gray print is held back ({', '.join(counts) or 'its records are gone'})."
        yield "nishiki records --held-back names them, with the reasons."
    else:
        yield "No picture is a gray print, and only gray prints are coloured."
    if tones[Tone.TONED]:
        yield f"{_pictures(tones[Tone.TONED])}: ink on toned paper; among such are prints that never had colour."
        yield "NISHIKI_COLORIZE_TONED=true (colorize_toned in nishiki.toml) has them coloured too."


def _pictures(number: int) -> str:
    return f"{number:,} picture{'' if number == 1 else 's'}"
