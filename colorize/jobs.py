"""Jobs from files' bytes: `flows.devices` hands over stored ones, `flows.single` those that a person named."""

from dataclasses import dataclass, field
from pathlib import Path

from colorize.images import decode
from colorize.marks import read_marks
from colorize.recipe import Job


@dataclass(frozen=True)
class JobFiles:
    """The bytes of a job's files; a style, marks, or both."""

    content: bytes = field(repr=False)
    style: bytes | None = field(repr=False)
    marks: bytes | None = field(repr=False, default=None)


def decoded_job(key: str, files: JobFiles, *, max_pixels: int, checkpoint: Path | None = None) -> Job:
    """The job with its pictures decoded, and its marks read for the content at full size.

    Raises:
        UnreadableImage, OversizedImage: a picture.
        BadMarks: the marks, with every fault.
    """
    content = decode(files.content, max_pixels=max_pixels)
    style = content if files.style is None else decode(files.style, max_pixels=max_pixels)
    marks = None if files.marks is None else read_marks(files.marks, content.width, content.height)
    return Job(key, content.pixels, style.pixels, checkpoint, content.gray16, marks)
