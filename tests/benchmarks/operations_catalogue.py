"""The review benchmark's catalogue after years of nights: two attempts for each record, all described, nothing due.

Further rounds of attempts follow from the drawn shelf's by SQL alone, each as by another recipe; one of them is the
night's own. Vectors have two numbers instead of hundreds: whether there is one is all that a night asks at its start.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from db.entries.claim import MatcherKey, ModelKey, models_data, models_digest
from db.entries.match import RefitWord
from db.entries.night import COMPOSITION, TONES, EncoderKey, RecipeEntry
from db.tables.base import Base
from db.tables.night import Attempt, Batch, Image
from db.tables.review import Review
from flows.archives.values.rights import RULES_VERSION
from flows.errors import Faults
from flows.matching.weights import MatchWeights
from flows.plan import encoder_key, look_for_tools, matcher_key, models_of, recipe_entry
from flows.settings import Settings
from tests.benchmarks.review_catalogue import Counts

ATTEMPTS_OF_A_RECORD = 2
_BYTES = {"sqlite": "BLOB", "postgresql": "BYTEA"}


@dataclass(frozen=True)
class NightlyMade:
    """By what the nights of these settings colour and match."""

    recipe: RecipeEntry
    encoder: EncoderKey
    models: Sequence[ModelKey]
    weights: MatchWeights

    @classmethod
    def of(cls, settings: Settings) -> "NightlyMade":
        """As the plan of a night finds them."""
        faults = Faults(())
        tools = look_for_tools(settings, faults)
        faults.tell()
        assert tools is not None
        weights = tools.weights
        return cls(recipe_entry(tools.recipe), encoder_key(weights), models_of(weights), settings.match_weights)

    def years(self, there: Counts, kind: str) -> Sequence[str]:
        """What the nights have made since, as statements for this kind of database."""
        return [
            f"UPDATE rights SET rules = {RULES_VERSION}",
            *self._matched(),
            *self._rounds(*there),
            *(self._described(key, _BYTES[kind]) for key in (self.encoder, TONES, COMPOSITION)),
            self._learned(),
        ]

    @property
    def matcher(self) -> MatcherKey:
        """What their matches belong to."""
        return matcher_key(self.encoder, self.weights)

    def _matched(self) -> Iterator[str]:
        matcher = self.matcher
        values = dict.fromkeys(MatchWeights.model_fields, 0.5)
        reasons = json.dumps({"cosine": 0.7, "same_design": False, "values": values})
        yield (
            f"UPDATE matches SET matcher_name = '{matcher.name}', matcher_version = '{matcher.version}', "
            f"reasons = '{reasons}'"
        )

    def _rounds(self, records: int, attempts: int, batches: int) -> Iterator[str]:
        left, number = ATTEMPTS_OF_A_RECORD * records - attempts, 0
        while left > 0:
            number += 1
            yield from self._round(_Round(number, records, attempts, batches, min(attempts, left)))
            left -= attempts

    def _round(self, one: "_Round") -> Iterator[str]:
        recipe = self.recipe if one.number == 1 else RecipeEntry(f"earlier/{one.number}", {}, f"{one.number:064x}")
        by = {
            "recipe_name": _quoted(recipe.name),
            "recipe_data": _quoted(json.dumps(dict(recipe.data))),
            "recipe_digest": _quoted(recipe.digest),
            "models": _quoted(json.dumps(models_data(self.models))),
            "models_digest": _quoted(models_digest(self.models)),
            "encoder_name": _quoted(self.encoder.name),
        }
        new = {"id": f"id + {one.number * one.attempts}", "batch_id": f"batch_id + {one.number * one.batches}"}
        output = {"id": new["id"], "sha256": f"substr(sha256, {one.number + 1}) || substr(sha256, 1, {one.number})"}
        checksum = {"encoder_checksum": _quoted(self.encoder.checksum)}
        yield _copied(Batch, {"id": f"id + {one.number * one.batches}", **by, **checksum}, f"id <= {one.batches}")
        yield _copied(Image, output, f"id > {one.records} AND id <= {one.records + one.taken}")
        made = {**new, **by, "weights_checksum": checksum["encoder_checksum"]}
        made["output_image_id"] = f"output_image_id + {one.number * one.attempts}"
        yield _copied(Attempt, made, f"id <= {one.taken}")
        waiting = dict.fromkeys(("conflict_since", "verdict_id", "verdict", "reason", "curator", "returned_by"), "NULL")
        waiting |= {"attempt_id": f"attempt_id + {one.number * one.attempts}", "batch_id": new["batch_id"]}
        waiting |= {"recipe_name": by["recipe_name"], "blind": "false"}
        waiting["waiting_since"] = "(SELECT closed_at FROM batches WHERE batches.id = reviews.batch_id)"
        yield _copied(Review, waiting, f"attempt_id <= {one.taken}")

    def _described(self, key: EncoderKey, as_bytes: str) -> str:
        return (
            "INSERT INTO embeddings (image_id, encoder_name, encoder_checksum, dim, vector) "
            f"SELECT id, {_quoted(key.name)}, {_quoted(key.checksum)}, 2, CAST('12345678' AS {as_bytes}) "
            "FROM images WHERE record_id IS NOT NULL ORDER BY id"
        )

    def _learned(self) -> str:
        """The rule's weights were refitted last when all verdicts were there."""
        weights = _quoted(json.dumps(self.weights.model_dump()))
        judged = "SELECT count(*) FROM reviews WHERE verdict IN ('approved', 'returned')"
        return (
            "INSERT INTO matcher_refits (base, before, weights, verdicts, approved, loss_before, loss_after, why, "
            f"made_at) SELECT {weights}, {weights}, {weights}, ({judged}), 1, 0.5, 0.5, "
            f"{_quoted(RefitWord.NO_BETTER)}, '2026-03-01 00:00:00.000000'"
        )


@dataclass(frozen=True)
class _Round:
    """Attempts at the same contents, once more."""

    number: int
    records: int
    attempts: int
    """Of the shelf."""
    batches: int
    taken: int
    """Of the attempts, those that are made once more."""


def _copied(table: type[Base], values: Mapping[str, str], where: str) -> str:
    """Rows once more, with other values in some columns."""
    columns = [column.name for column in table.__table__.columns]
    chosen = ", ".join(values.get(name, name) for name in columns)
    name = table.__tablename__
    return f"INSERT INTO {name} ({', '.join(columns)}) SELECT {chosen} FROM {name} WHERE {where}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
