"""Training of what nishiki learns for itself: the small encoder, distilled from VGG-19.

`nishiki train encoder` calls it. Gathers pictures (what the sample archive draws, scikit-image's photographs, folders),
holds some out by name, and writes the weights file. What is durable when: the student every SAVE_EVERY steps, under
HOME/training; killed and begun again with the same options, it goes on from there.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.torch import save
from skimage import data

from colorize.encoders.loading import INPUT_OXFORD, MEAN_ACTIVATIONS, calibrated, load_encoder, write_weights
from colorize.encoders.vgg19 import CONVOLUTIONS, OXFORD, Encoder
from colorize.encoders.weights import OXFORD as OXFORD_NAME
from colorize.encoders.weights import TORCHVISION, WeightsFile
from colorize.errors import UnreadableImage, WeightsMissing
from colorize.images.decode import Pixels, decode
from colorize.images.resize import resized
from colorize.training.dataset import crops, gray_views, split
from colorize.training.distillation import Student
from colorize.training.embedding import fit_embedding
from colorize.training.fitting import WIDTHS, layer_by_layer
from colorize.training.quality import Quality, quality
from colorize.training.teacher import Look, TeacherBatch, look, teacher_batch
from db.files.atomic import write_whole
from db.files.home import HomeFolder
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print
from flows.plan import available_weights
from flows.progress import track
from flows.settings import Settings
from flows.training.curves import losses_plot

DRAWN = 48
LONG_EDGE_PX = 512
BATCH_CROPS, BATCH_PX = 16, 112
LOOK_VIEWS, LOOK_PX = 12, (224, 160)
LOOK_EVERY = 4
"""Of so many steps and batches one is on telling gray pictures apart."""
LAYER_CROPS = 128
SAVE_EVERY = 100
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket", "immunohistochemistry", "retina", "hubble_deep_field")
PICTURES = ("*.png", "*.jpg", "*.jpeg", "*.tif", "*.tiff", "*.webp")


@dataclass(frozen=True)
class Schedule:
    """How the student is taught."""

    folders: tuple[Path, ...]
    steps: int = 4000
    batches: int = 320
    rate: float = 1e-4
    seed: int = 0

    @property
    def looks(self) -> int:
        """Batches of gray views."""
        return max(1, self.batches // LOOK_EVERY)

    @property
    def words(self) -> str:
        """For the weights file."""
        return (
            f"layer by layer by least squares, then {self.steps} steps of Adam (rate {self.rate:g}, cosine) over "
            f"{self.batches} batches of {BATCH_CROPS} crops of {BATCH_PX} px and, each {LOOK_EVERY}th step, "
            f"{self.looks} of {LOOK_VIEWS} gray views, seed {self.seed}"
        )


def train_encoder(settings: Settings, teacher_file: WeightsFile, schedule: Schedule, output: Path) -> Iterator[str]:
    """Distil the teacher into a weights file; yields what a person should know.

    Raises:
        ColorizeError: the teacher's weights cannot be used.
        OSError: a file cannot be read or written.
    """
    teacher = load_encoder(teacher_file)
    pictures, unread = gather(schedule.folders)
    yield from unread
    taught, held = split(pictures)
    yield f"{len(taught)} pictures to learn from, {len(held)} held out to measure by."
    folder = settings.home / HomeFolder.TRAINING / _name(schedule, teacher_file, pictures)
    folder.mkdir(parents=True, exist_ok=True)
    student = _student(teacher, taught, schedule, folder)
    looks = _looks(teacher, taught, schedule)
    batches = _batches(teacher, taught, schedule) if student.done < schedule.steps else []
    losses = _taught(student, batches, looks, schedule, folder)
    small = calibrated(Encoder("nishiki-small", "", OXFORD, _convolutions(student)))
    small = replace(small, embedding=fit_embedding(small, looks))
    found = quality(teacher, small, list(held.values()))
    _write(output, small, found, schedule, teacher_file)
    write_whole(output.with_suffix(".png"), losses_plot(losses, f"Distillation: {schedule.words}"))
    yield from _lines(found)
    yield f"Weights: {output}; losses: {output.with_suffix('.png')}"


def available_teacher(settings: Settings) -> WeightsFile:
    """Full VGG-19, the original before torchvision's.

    Raises:
        WeightsMissing: neither is here.
    """
    available = {file.name: file for file in available_weights(settings)}
    for name in (OXFORD_NAME, TORCHVISION):
        if name in available:
            return available[name]
    raise WeightsMissing("there is no full VGG-19 to learn from; run: nishiki weights download")


def gather(folders: Sequence[Path]) -> tuple[dict[str, Pixels], list[str]]:
    """Every picture to be had by name, and what could not be read."""
    photographs: Any = data
    found = {f"drawn {seed}": resized(draw_print(design(seed), seed % 2).pixels, LONG_EDGE_PX) for seed in range(DRAWN)}
    found |= {name: resized(np.asarray(getattr(photographs, name)())[..., :3], LONG_EDGE_PX) for name in PHOTOGRAPHS}
    unread = []
    for path in sorted(path for folder in folders for pattern in PICTURES for path in folder.rglob(pattern)):
        try:
            found[path.name] = resized(decode(path.read_bytes()).pixels, LONG_EDGE_PX)
        except UnreadableImage as error:
            unread.append(f"{path.name} is left out: {error}")
    return found, unread


def _name(schedule: Schedule, teacher: WeightsFile, pictures: Mapping[str, Pixels]) -> str:
    facts = [
        repr((schedule.steps, schedule.batches, schedule.rate, schedule.seed, WIDTHS)),
        teacher.checksum,
        *sorted(pictures),
    ]
    return f"encoder-{sha256(' '.join(facts).encode()).hexdigest()[:8]}"


def _student(teacher: Encoder, taught: Sequence[Pixels], schedule: Schedule, folder: Path) -> Student:
    """The student where it was put down, or fresh from the least squares."""
    kept = folder / "student.safetensors"
    first = folder / "first.safetensors"
    if not first.exists():
        pixels = crops(taught, LAYER_CROPS, BATCH_PX, schedule.seed)
        with track("layer by layer", len(CONVOLUTIONS), "layers") as advance:
            fitted = layer_by_layer(teacher, pixels, lambda _name, _explained: advance(1), WIDTHS)
        unit = calibrated(Encoder("student", "", OXFORD, fitted), (1.0,) * len(CONVOLUTIONS))
        pairs = unit.convolutions.items()
        weights = {f"{name}.weight": weight for name, (weight, _) in pairs}
        write_whole(first, save(weights | {f"{name}.bias": bias for name, (_, bias) in pairs}))
    with safe_open(first, framework="pt") as file:
        start = {name: (file.get_tensor(f"{name}.weight"), file.get_tensor(f"{name}.bias")) for name in CONVOLUTIONS}
    student = Student(start, teacher, schedule.steps, schedule.rate)
    if kept.exists():
        with safe_open(kept, framework="pt") as file:
            student.take_up({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    return student


def _batches(teacher: Encoder, taught: Sequence[Pixels], schedule: Schedule) -> list[TeacherBatch]:
    scales = dict(zip(CONVOLUTIONS, MEAN_ACTIVATIONS, strict=True))
    found = []
    with track("the teacher's features", schedule.batches, "batches") as advance:
        for number in range(schedule.batches):
            seed = schedule.seed + 1 + number
            found.append(teacher_batch(teacher, crops(taught, BATCH_CROPS, BATCH_PX, seed), scales, seed))
            advance(1)
    return found


def _looks(teacher: Encoder, taught: Sequence[Pixels], schedule: Schedule) -> list[Look]:
    found = []
    with track("the teacher's embeddings", schedule.looks, "batches") as advance:
        for number in range(schedule.looks):
            found.append(look(teacher, gray_views(taught, LOOK_VIEWS, LOOK_PX, schedule.seed + 1 + number)))
            advance(1)
    return found


def _taught(
    student: Student, batches: Sequence[TeacherBatch], looks: Sequence[Look], schedule: Schedule, folder: Path
) -> list[dict[str, float]]:
    """The student's way to the last step; the losses of all steps."""
    log = folder / "losses.jsonl"
    losses = [json.loads(line) for line in log.read_text().splitlines()][: student.done] if log.exists() else []
    if not student.done:
        student.fit_heads(batches[:8], looks[:16])
    order = _order(batches, looks, schedule) if batches else []
    with track("distil", schedule.steps, "steps") as advance:
        advance(student.done)
        while student.done < schedule.steps:
            losses.append(student.learn(order[student.done]))
            advance(1)
            if student.done % SAVE_EVERY == 0:
                write_whole(log, "".join(json.dumps(each) + "\n" for each in losses).encode())
                write_whole(folder / "student.safetensors", save(student.state()))
    return losses


def _order(batches: Sequence[TeacherBatch], looks: Sequence[Look], schedule: Schedule) -> list[TeacherBatch | Look]:
    """What each step learns from: everything once before anything again."""
    rng = np.random.default_rng(schedule.seed)
    batch_numbers, look_numbers = (_endless(len(each), rng) for each in (batches, looks))
    return [
        batches[next(batch_numbers)] if step % LOOK_EVERY else looks[next(look_numbers)]
        for step in range(schedule.steps)
    ]


def _endless(count: int, rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from rng.permutation(count)


def _convolutions(student: Student) -> dict[str, Any]:
    return {name: tuple(each.detach() for each in pair) for name, pair in student.encoder.convolutions.items()}


def _write(output: Path, small: Encoder, found: Quality, schedule: Schedule, teacher: WeightsFile) -> None:
    metadata = {
        "name": small.name,
        "input": INPUT_OXFORD,
        "calibrated": "yes",
        "licence": "CC BY 4.0",
        "attribution": "distilled from VGG-19 (Simonyan and Zisserman 2014, CC BY 4.0) by nishiki",
        "teacher": f"{teacher.name} {teacher.checksum}",
        "training": schedule.words,
        "pictures": "drawn by nishiki's sample archive; scikit-image's photographs; Japanese prints out of copyright",
        "quality": json.dumps(found.data()),
        "made": datetime.now(UTC).date().isoformat(),
    }
    halved = {name: (weight.half(), bias.half()) for name, (weight, bias) in small.convolutions.items()}
    matrices = {name: each.half() for name, each in (small.embedding or {}).items()}
    write_weights(output, halved, metadata, matrices)


def _lines(found: Quality) -> Iterator[str]:
    grams = ", ".join(f"{name} {value:.3f}" for name, value in found.gram.items())
    yield f"Correlation of pairwise Gram distances with the teacher's, on held-out pictures: {grams}"
    yield "Of content distances: " + ", ".join(f"{name} {value:.3f}" for name, value in found.content.items())
    yield f"Rank correlation of matching scores: {found.matching:.3f}"
