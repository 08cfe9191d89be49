"""Batches that cannot go on until a person does something; dispatch leaves them, and `nishiki doctor` names them."""

from collections.abc import Iterable

from colorize.encoders.weights import WeightsFile
from colorize.errors import ColorizeError
from db.catalogue import Catalogue
from db.doctor import Damage, Finding
from db.entries.night import BatchEntry
from flows.plan import available_weights, weights_among
from flows.settings import Settings

REMEDY = "set NISHIKI_WEIGHTS_DIR to their folder and run: nishiki resume"


def what_it_waits_for(batch: BatchEntry, files: Iterable[WeightsFile]) -> str | None:
    """The weights that a batch was begun with and that are gone; None: it can go on."""
    if not batch.left or weights_among(files, batch.encoder) is not None:
        return None
    return f"waits for the weights it was begun with, {batch.encoder.name} ({batch.encoder.checksum[:12]})"


def waiting_batches(settings: Settings) -> list[Finding]:
    """The catalogue's waiting batches, as the doctor says it."""
    with Catalogue.open(settings, create=False) as catalogue:
        batches = catalogue.unfinished_batches()
    try:
        files = available_weights(settings) if batches else []
    except ColorizeError:  # the folder that the settings name holds none: each of them waits
        files = []
    told = ((batch, what_it_waits_for(batch, files)) for batch in batches)
    return [
        Finding(Damage.WAITING, str(batch.id), f"{why}; {batch.left} of {batch.taken} attempts are left", REMEDY)
        for batch, why in told
        if why is not None
    ]
