"""Training of the learned prior from folders of colour prints.

`nishiki train prior` calls it. Takes the prints that may be learned from, holds out whole designs, and writes the
weights file with its card. What is durable when: the views of each print once made, the network every SAVE_EVERY
steps, both under HOME/training; killed and begun again with the same options, it goes on from there.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors import safe_open
from safetensors.torch import load_file, save

from colorize.encoders.loading import load_encoder, write_tensors
from colorize.encoders.vgg19 import Encoder
from colorize.encoders.weights import WeightsFile
from colorize.errors import UnreadableImage
from colorize.images.decode import decode
from colorize.images.frame import find_frame
from colorize.images.resize import resized
from colorize.methods.exemplar.prior import NAME
from colorize.training.prior import Course, Example, Judged, Learner, course, designs, example, judged, thumbnail, views
from db.files.atomic import write_whole
from db.files.home import HomeFolder
from flows.progress import track
from flows.settings import Settings
from flows.training.curves import losses_plot

TABLE: Final = "prints.csv"
"""Says of a folder's prints: file, licence_as_stated, group, tone; all but `file` may be missing."""
LONG_EDGE_PX = 512
SAVE_EVERY = 50
HELD_OUT_EVERY = 200
"""Steps between two looks at how well the prints that are held out are foretold."""
LICENCE: Final = "CC BY 4.0"
PICTURES: Final = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
_FORBIDS = re.compile(r"\b(NC|ND|non-?commercial|no ?-?deriv\w*|research|study)\b", re.IGNORECASE)
"""Words of a licence that allows no model which is given to others."""


@dataclass(frozen=True)
class Print:
    """A file that may be learned from."""

    path: Path
    licence: str
    """As it is stated, empty where nothing is."""
    groups: frozenset[str]
    """Words of the table, as `same:oniji`, with the folder before them."""

    @property
    def name(self) -> str:
        """Folder and file."""
        return f"{self.path.parent.name}/{self.path.name}"


@dataclass(frozen=True)
class Schedule:
    """How the prior is taught."""

    folders: tuple[Path, ...]
    steps: int = 800
    fold: tuple[int, int] | None = None
    """The designs that are held out: (1, 5) is the first of five parts."""
    rate: float = 2e-3
    seed: int = 0

    @property
    def words(self) -> str:
        """For the weights file."""
        held = "nothing held out" if self.fold is None else f"part {self.fold[0]} of {self.fold[1]} held out"
        return f"{self.steps} steps of AdamW (rate {self.rate:g}, cosine), seed {self.seed}, {held}"


@dataclass(frozen=True)
class Known:
    """A print whose views are made."""

    print: Print
    sha256: str
    views: Path

    def example(self, number: int = 0) -> Example:
        """One of its views."""
        return example(load_file(self.views), number)


def train_prior(
    settings: Settings, encoder_file: WeightsFile, schedule: Schedule, output: Path, folds: Sequence[Path] = ()
) -> Iterator[str]:
    """Teach a prior and write it; yields what a person should know.

    Args:
        folds: weights files of trainings with parts held out, whose figures the card of this one carries.

    Raises:
        ColorizeError: the encoder cannot be used.
        OSError: a file cannot be read or written.
    """
    encoder = load_encoder(encoder_file)
    prints, told = gather(schedule.folders)
    yield from told
    known, unread = _known(settings.home / HomeFolder.TRAINING / "prior-views", encoder, prints)
    yield from unread
    plain = [each.example() for each in known]
    names = [each.print.name for each in known]
    design_of = designs(names, [thumbnail(each) for each in plain], [each.print.groups for each in known])
    held = [place for place, design in enumerate(design_of) if held_out(design, schedule.fold)]
    taught = [place for place in range(len(known)) if place not in set(held)]
    yield f"{len(taught)} prints to learn from, {len(held)} held out; {len(set(design_of))} designs."
    plan = course([plain[place] for place in taught], [design_of[place] for place in taught])
    unseen = {names[place]: plain[place] for place in held}
    del plain
    folder = settings.home / HomeFolder.TRAINING / _name(schedule, encoder, [known[place] for place in taught])
    learner, losses = _taught(plan, [known[place] for place in taught], unseen, schedule, folder)
    found = {name: judged(learner.network, plan, each) for name, each in unseen.items()} or _found_by(folds)
    yield from summary(found)
    card = {
        "learned_from": [_entry(known[place], design_of[place]) for place in taught],
        "held_out": {name: [round(value, 4) for value in astuple(each)] for name, each in found.items()},
    }
    _write(output, learner, encoder, schedule, card)
    write_whole(output.with_suffix(".png"), losses_plot(losses, f"Prior: {schedule.words}"))
    yield f"Weights: {output}; losses: {output.with_suffix('.png')}"


def held_out(design: str, fold: tuple[int, int] | None) -> bool:
    """Is a design kept from training in this fold? Its name alone decides."""
    return fold is not None and int(sha256(design.encode()).hexdigest()[:8], 16) % fold[1] == fold[0] - 1


def gather(folders: Sequence[Path]) -> tuple[list[Print], list[str]]:
    """The prints of folders that may be learned from, and which are left out, counted by why."""
    found, left = [], Counter[str]()
    for folder in folders:
        for each, row in _rows(folder):
            if why := _unfit(row):
                left[f"{folder}: {why}"] += 1
            else:
                groups = frozenset(f"{folder.name} {word}" for word in row.get("group", "").split() if ":" in word)
                found.append(Print(each, row.get("licence_as_stated", ""), groups))
    return found, [f"{folder_why}: {count} left out." for folder_why, count in left.items()]


def _rows(folder: Path) -> Iterator[tuple[Path, Mapping[str, str]]]:
    """The table's files with their rows; without a table every picture, of which nothing is known."""
    table = folder / TABLE
    if not table.exists():
        yield from ((path, {}) for path in sorted(folder.iterdir()) if path.suffix.lower() in PICTURES)
        return
    with table.open(encoding="utf-8", newline="") as stream:
        yield from ((folder / row["file"], row) for row in csv.DictReader(stream))


def _unfit(row: Mapping[str, str]) -> str | None:
    if _FORBIDS.search(row.get("licence_as_stated", "")):
        return "prints whose licence allows no model that is given to others"
    if row.get("tone", "colour") != "colour" or "monochrome" in row.get("group", ""):
        return "prints without colours"
    return None


def _known(folder: Path, encoder: Encoder, prints: Sequence[Print]) -> tuple[list[Known], list[str]]:
    """The prints with their views, made where they were not before, and which could not be read."""
    folder.mkdir(parents=True, exist_ok=True)
    found, unread = [], []
    with track("views of the prints", len(prints), "prints") as advance:
        for each in prints:
            try:
                found.append(_one(folder, encoder, each))
            except (UnreadableImage, OSError) as error:
                unread.append(f"{each.name} is left out: {error}")
            advance(1)
    return found, unread


def _one(folder: Path, encoder: Encoder, each: Print) -> Known:
    data = each.path.read_bytes()
    checksum = sha256(data).hexdigest()
    place = folder / f"{checksum[:16]}-{encoder.checksum[:8]}.safetensors"
    if not place.exists():
        scan = decode(data).pixels
        pixels = resized(find_frame(scan).crop(scan), LONG_EDGE_PX)
        write_whole(place, save(views(encoder, pixels, int(checksum[:8], 16))))
    return Known(each, checksum, place)


def _name(schedule: Schedule, encoder: Encoder, taught: Sequence[Known]) -> str:
    facts = [repr(replace(schedule, folders=())), encoder.checksum, *(each.sha256 for each in taught)]
    return f"prior-{sha256(' '.join(facts).encode()).hexdigest()[:8]}"


def _taught(
    plan: Course,
    known: Sequence[Known],
    unseen: Mapping[str, Example],
    schedule: Schedule,
    folder: Path,
) -> tuple[Learner, list[dict[str, float]]]:
    """The learner at its last step, and the losses of all steps."""
    folder.mkdir(parents=True, exist_ok=True)
    kept, log = folder / "learner.safetensors", folder / "losses.jsonl"
    channels = [len(each) for each in known[0].example().features]
    learner = Learner(plan, channels, schedule.steps, schedule.rate, schedule.seed)
    if kept.exists():
        learner.take_up(load_file(kept))
    losses = [json.loads(line) for line in log.read_text().splitlines()][: learner.done] if log.exists() else []
    with track("prior", schedule.steps, "steps") as advance:
        advance(learner.done)
        while learner.done < schedule.steps:
            losses.append(learner.learn([known[place].example(number) for place, number in learner.chosen()]))
            if learner.done % HELD_OUT_EVERY == 0 and unseen:
                found = [judged(learner.network, plan, each).cross_entropy for each in unseen.values()]
                losses[-1]["held out"] = float(np.mean(found))
            if learner.done % SAVE_EVERY == 0 or learner.done == schedule.steps:
                write_whole(log, "".join(json.dumps(each) + "\n" for each in losses).encode())
                write_whole(kept, save(learner.state()))
            advance(1)
    return learner, losses


def _found_by(folds: Sequence[Path]) -> dict[str, Judged]:
    """What the trainings of these files found of the prints that each held out."""
    found: dict[str, Judged] = {}
    for path in folds:
        with safe_open(path, framework="pt") as file:
            rows = json.loads(file.metadata()["held_out"])
        found |= {name: Judged(*values) for name, values in rows.items()}
    return found


def summary(found: Mapping[str, Judged]) -> Iterator[str]:
    """How well prints that were held out are foretold, beside the table."""
    if not found:
        yield "No figures: nothing was held out."
        return
    rows = np.array([astuple(each) for each in found.values()])
    yield f"Of {len(rows)} prints held out: cross-entropy {rows[:, 0].mean():.3f} nats a cell."
    for name, ratios in (("the prior", rows[:, 1]), ("the mean a, b per 5 L", rows[:, 2])):
        yield (
            f"ΔE00 over gray's by {name}: median {np.median(ratios):.3f}, mean {ratios.mean():.3f}, "
            f"worse than gray {(ratios > 1).mean():.1%}, worst {ratios.max():.2f}"
        )


def _entry(each: Known, design: str) -> dict[str, str]:
    return {"file": each.print.name, "sha256": each.sha256, "licence_as_stated": each.print.licence, "design": design}


def _write(output: Path, learner: Learner, encoder: Encoder, schedule: Schedule, card: Mapping[str, Any]) -> None:
    metadata = {
        "name": NAME,
        "made": datetime.now(UTC).date().isoformat(),
        "licence": LICENCE,
        "encoder": f"{encoder.name} {encoder.checksum}",
        "training": schedule.words,
        "split": "by design: groups of the table, else likeness of the drawing",
        **{name: json.dumps(each, ensure_ascii=False) for name, each in card.items()},
    }
    halved = {name: each.half() for name, each in learner.network.state_dict().items()}
    write_tensors(output, {**halved, "chroma": learner.plan.classes}, metadata)
