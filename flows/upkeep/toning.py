"""Tones that older rules judged, judged again from the working copies; a curator's word on a picture holds.

`nishiki doctor` names them and `--mend` judges. Nights go by the old tones until then.
"""

from collections import Counter

from colorize.errors import UnreadableImage
from colorize.images.tone_rules import VERSION
from db.catalogue import Catalogue
from db.doctor import Damage, Finding
from db.entries.night import Tone
from db.entries.tones import KeptPicture
from db.errors import PictureMissing
from db.soundness import Tell
from flows.settings import Settings


def older_tones(settings: Settings) -> list[Finding]:
    """How many pictures older rules judged, as the doctor says it; none: no finding."""
    with Catalogue.open(settings, create=False) as catalogue:
        count = len(catalogue.judged_before(VERSION))
    problem = "so many pictures' tones were judged by older rules, which left many colour prints unsure"
    return [Finding(Damage.TONES, f"({count:,})", problem, "nishiki doctor --mend")] if count else []


def judge_tones_again(settings: Settings, tell: Tell) -> bool:
    """Judge what older rules judged, and tell what changed; is nothing of them left?"""
    from flows.progress import track  # noqa: PLC0415  # the doctor needs it seldom

    moved: Counter[tuple[Tone, Tone]] = Counter()
    with Catalogue.open(settings, create=False) as catalogue:
        pictures = catalogue.judged_before(VERSION)
        with track("tones", len(pictures), "pictures") as advance:
            for picture in pictures:
                try:
                    moved[_judged(catalogue, picture, settings.max_pixels)] += 1
                except (PictureMissing, UnreadableImage, OSError) as error:
                    tell(f"the tone of picture {picture.image_id} stays as it was judged: {error}")
                advance(1)
        changed = {pair: count for pair, count in moved.items() if pair[0] is not pair[1]}
        told = ", ".join(f"{count:,} from {before} to {now}" for (before, now), count in sorted(changed.items()))
        tell(f"{moved.total():,} tones were judged again; changed: {told or 'none'}.")
        return not catalogue.judged_before(VERSION)


def _judged(catalogue: Catalogue, picture: KeptPicture, max_pixels: int) -> tuple[Tone, Tone]:
    """The tone before and the tone now."""
    from colorize.images.tone import judge_tone  # noqa: PLC0415
    from flows.upkeep.working_copies import read_working_copy  # noqa: PLC0415

    copy = read_working_copy(catalogue, picture.sha256, max_pixels)
    report = judge_tone(copy.framed, picture.mode)
    return catalogue.judge_tone_again(picture.image_id, Tone(report.tone.value), report.measures)
