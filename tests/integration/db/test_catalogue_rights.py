"""Rights judged again, results withheld and shown again, releases: what is decided after a record came in."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.catalogue import Catalogue
from db.doctor import Damage, Remedies, Rules, examine, mend
from db.entries.night import Derivatives, KeptRights, RecordEntry, RightsEntry, Tone
from db.entries.review import Queue, QueueFilter
from db.settings import CatalogueSettings
from db.tables.night import Record

if TYPE_CHECKING:
    from tests.samples import Sample

NO = RightsEntry(Derivatives.NO, "words that forbid", text="All rights reserved", rules=1)
ASK = RightsEntry(Derivatives.ASK, "words that leave it open", text="Permission required", rules=1)


def judging(forbidden: str) -> Callable[[KeptRights], RightsEntry]:
    """Rules by which this record is forbidden."""
    return lambda kept: NO if kept.identifier == forbidden else kept.rights


def waiting(catalogue: Catalogue) -> list[int]:
    return [entry.attempt_id for entry in catalogue.queue(QueueFilter()).entries]


def test_newer_rules_judge_again_and_withhold_what_they_forbid(catalogue: Catalogue, sample: "Sample") -> None:
    made = sample.entries(catalogue, 3)
    assert catalogue.judged_by_older(1) == 6
    (moved,) = catalogue.judge_again(judging("r1"), 1)
    assert (moved.identifier, moved.before.derivatives, moved.after) == ("r1", Derivatives.YES, NO)
    assert catalogue.judged_by_older(1) == 0
    assert waiting(catalogue) == [made[0], made[2]]
    assert catalogue.queue_entry(made[1]).withheld
    every = QueueFilter(queue=Queue.ALL)
    assert [catalogue.queue_count(every).number, len(catalogue.queue_entries(made))] == [2, 2]
    assert [choice.attempt_id for choice in catalogue.choices(made, "hana")] == [made[0], made[2]]


@pytest.mark.parametrize("side", ["r0", "colour of r0"])
def test_a_result_is_withheld_with_its_content_and_with_its_style_and_comes_back(
    catalogue: Catalogue, sample: "Sample", side: str
) -> None:
    made = sample.entries(catalogue, 1)
    archive, record = sample.archive(catalogue), sample.record(side)
    catalogue.add_record(archive, replace(record, rights=NO))
    assert waiting(catalogue) == []
    catalogue.add_record(archive, replace(record, rights=ASK))
    assert waiting(catalogue) == []
    catalogue.add_record(archive, record)
    assert waiting(catalogue) == made
    catalogue.add_record(archive, replace(record, deleted=True))  # given up, not forbidden
    assert waiting(catalogue) == made


def test_another_record_of_the_same_picture_withholds_the_result(catalogue: Catalogue, sample: "Sample") -> None:
    made = sample.entries(catalogue, 1)
    other = sample.record("other", derivatives=Derivatives.CONTRADICTORY)
    sample.store(catalogue, other, Tone.GRAYSCALE, data=b"r0")
    assert waiting(catalogue) == []
    catalogue.add_record(sample.archive(catalogue), replace(other, deleted=True))
    assert waiting(catalogue) == made


def open_record(catalogue: Catalogue, sample: "Sample", rights: RightsEntry = ASK) -> tuple[int, RecordEntry]:
    record = sample.record("open", rights=rights)
    sample.store(catalogue, record, Tone.GRAYSCALE)
    with Session(catalogue.engine) as session:
        return session.execute(select(Record.id).where(Record.identifier == "open")).scalar_one(), record


def test_a_release_frees_what_is_left_open_and_lapses_when_the_rights_change(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    number, record = open_record(catalogue, sample)

    def usable() -> int:
        return len(catalogue.images_to_embed(sample.encoder, [Tone.GRAYSCALE]))

    assert usable() == 0
    assert catalogue.release([number], "hana", "the museum wrote on 1 March") == 1
    assert (usable(), catalogue.releases([number])[number].note) == (1, "the museum wrote on 1 March")
    archive = sample.archive(catalogue)
    catalogue.add_record(archive, replace(record, title="another title"))
    assert usable() == 1
    catalogue.add_record(archive, replace(record, rights=replace(ASK, text="Permission is required, always")))
    assert (usable(), catalogue.releases([number])) == (0, {})
    catalogue.release([number], "hana", "")
    assert (catalogue.take_back_release([number]), usable()) == (1, 0)


@pytest.mark.parametrize("word", [Derivatives.NO, Derivatives.YES])
def test_nobody_releases_what_is_forbidden(catalogue: Catalogue, sample: "Sample", word: Derivatives) -> None:
    number, _ = open_record(catalogue, sample, replace(NO, derivatives=word))
    assert catalogue.release([number], "hana", "") == 0
    assert catalogue.releases([number]) == {}


def test_a_result_of_a_released_record_is_withheld_when_the_release_is_taken_back(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    number, _ = open_record(catalogue, sample)
    catalogue.release([number], "hana", "")
    made = [sample.entry(catalogue, replace(sample.record("open", rights=ASK), title="again"))]
    assert waiting(catalogue) == made
    catalogue.take_back_release([number])
    assert waiting(catalogue) == []
    catalogue.release([number], "hana", "")
    assert waiting(catalogue) == made


@pytest.mark.long
def test_the_doctor_finds_rights_that_older_rules_judged_and_judges_them_again(
    settings: CatalogueSettings, catalogue: Catalogue, sample: "Sample"
) -> None:
    made = sample.entries(catalogue, 2)
    sample.tile(catalogue)
    assert [each.damage for each in examine(settings, look_s=0)] == []
    findings = examine(settings, look_s=0, rules=1)
    assert [(each.damage, each.subject) for each in findings] == [(Damage.RIGHTS, "(4)")]
    told: list[str] = []
    rules = Rules(1, judging("r0"), lambda moved: f"now {moved.after.derivatives}")
    assert mend(settings, findings, Remedies(lambda *_: None, dict.fromkeys, rules), told.append) == findings
    assert told == ["record r0 of sample: now no"]
    assert (examine(settings, look_s=0, rules=1), waiting(catalogue)) == ([], made[1:])
