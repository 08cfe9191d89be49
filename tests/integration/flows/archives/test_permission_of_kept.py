"""A written permission, and its end, among records that were harvested before; on both databases."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from db.catalogue import Catalogue
from db.entries.night import Derivatives, KeptRights, RightsEntry, Tone
from flows.archives.values.permission import PERMITTED, Permission
from flows.harvest import HarvestTally, harvest, lay_permission_over
from flows.upkeep.rejudging import judged

if TYPE_CHECKING:
    from tests.conftest import SettingsOf
    from tests.samples import Sample

LETTER = Permission(
    reference="Letter 12", document="12.pdf", given=date(2026, 3, 1), scope="review", identifiers=("held", "free")
)


def held(catalogue: Catalogue) -> dict[str, str]:
    return {each.identifier: each.reason for each in catalogue.held_records(None) if each.reason.startswith("rights")}


def laid(catalogue: Catalogue, permission: Permission | None) -> list[str]:
    tally = HarvestTally("sample")
    lay_permission_over(catalogue, permission, tally)
    return [text for _, text in tally.remarks]


def test_it_counts_for_records_that_were_read_before_until_it_ends(catalogue: Catalogue, sample: "Sample") -> None:
    for word, identifier in ((Derivatives.NO, "held-1"), (Derivatives.ASK, "held-2"), (Derivatives.NO, "other")):
        sample.store(catalogue, sample.record(identifier, derivatives=word), Tone.GRAYSCALE)
    sample.store(catalogue, sample.record("free"), Tone.GRAYSCALE)
    sample.store(catalogue, sample.record("held-3", derivatives=Derivatives.NO), Tone.GRAYSCALE, archive="another")
    before = held(catalogue)
    assert laid(catalogue, None) == []

    (told,) = laid(catalogue, LETTER)
    assert "2 kept records" in told
    assert held(catalogue) == {"other": "rights: no", "held-3": "rights: no"}
    assert laid(catalogue, LETTER) == []

    (told,) = laid(catalogue, LETTER.model_copy(update={"until": date(2026, 3, 2)}))
    assert "2 kept records" in told
    assert held(catalogue) == before
    changes = [(each.rights.derivatives, each.rights.basis) for each in catalogue.former_records(["held-1"])]
    assert [word for word, _ in changes] == [Derivatives.NO, Derivatives.YES]
    assert changes[1][1].startswith(PERMITTED)


def test_an_archive_that_nishiki_toml_names_no_more_has_none(
    settings_of: "SettingsOf", sample: "Sample", tmp_path: Path
) -> None:
    (tmp_path / "another").mkdir()
    settings = settings_of(tmp_path / "home", archives={"another": {"address": str(tmp_path / "another")}})
    with Catalogue.open(settings) as catalogue:
        sample.store(catalogue, sample.record("held-1", derivatives=Derivatives.NO), Tone.GRAYSCALE)
        laid(catalogue, LETTER)
        assert held(catalogue) == {}
    harvest(settings, [])
    with Catalogue.open(settings) as catalogue:
        assert held(catalogue) == {"held-1": "rights: no"}


def test_newer_rules_leave_what_it_allows(catalogue: Catalogue, sample: "Sample") -> None:
    sample.store(catalogue, sample.record("held-1", derivatives=Derivatives.NO), Tone.GRAYSCALE)
    laid(catalogue, LETTER)
    seen: list[KeptRights] = []

    def judge(kept: KeptRights) -> RightsEntry:
        seen.append(kept)
        return judged(kept)

    assert catalogue.judge_again(judge, 99) == []
    assert [each.rights.derivatives for each in seen] == [Derivatives.YES]
    laid(catalogue, None)
    assert catalogue.judged_by_older(1) == 1
