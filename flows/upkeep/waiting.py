"""Batches that cannot go on until a person does something; dispatch leaves them, and `nishiki doctor` names them."""

from collections.abc import Iterable

from colorize.encoders.weights import WeightsFile
from colorize.errors import ColorizeError
from db.catalogue import Catalogue
from db.doctor import Damage, Finding
from db.entries.claim import ENCODER
from db.entries.night import BatchEntry
from flows.plan import available_weights, model_path, weights_among
from flows.settings import Settings

REMEDY = (
    "set NISHIKI_WEIGHTS_DIR to their folder, or bring the model back into the home's folder `models`; "
    "then run: nishiki resume"
)


def what_it_waits_for(batch: BatchEntry, files: Iterable[WeightsFile], settings: Settings) -> str | None:
    """The weights that a batch was begun with and that are gone; None: it can go on."""
    if not batch.left:
        return None
    if weights_among(files, batch.encoder) is None:
        return f"waits for the weights it was begun with, {batch.encoder.name} ({batch.encoder.checksum[:12]})"
    trained = (key for key in batch.models if key.role != ENCODER)
    gone = next((key for key in trained if not model_path(settings, key).exists()), None)
    return f"waits for the model it was begun with, {gone.name} ({gone.checksum[:12]})" if gone else None


def waiting_batches(settings: Settings) -> list[Finding]:
    """The catalogue's waiting batches, as the doctor says it."""
    with Catalogue.open(settings, create=False) as catalogue:
        batches = catalogue.unfinished_batches()
    try:
        files = available_weights(settings) if batches else []
    except ColorizeError:  # the folder that the settings name holds none: each of them waits
        files = []
    told = ((batch, what_it_waits_for(batch, files, settings)) for batch in batches)
    return [
        Finding(Damage.WAITING, str(batch.id), f"{why}; {batch.left} of {batch.taken} attempts are left", REMEDY)
        for batch, why in told
        if why is not None
    ]
