"""Verdicts, exports and the doctor, on both databases."""

import csv
import json
import os
import shutil
import time
from collections.abc import Collection
from dataclasses import replace
from io import StringIO
from math import inf, nan
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DatabaseError
from typer.testing import CliRunner

from db.catalogue import Catalogue
from db.doctor import Damage, Remedies, examine, mend
from db.engine import HEAD, connect, upgrade, writing
from db.entries.night import Tone, Verdict
from db.entries.review import Judgement, Reason
from db.errors import UnknownEntry
from db.exports.attempts import rows, write_csv, write_json
from db.files.home import HomeFolder
from db.files.tiles import TileStore
from db.files.working_copies import VERSION
from db.settings import CatalogueSettings
from db.tables.night import BatchLease
from flows.cli.app import app

if TYPE_CHECKING:
    from tests.samples import Sample


REPLACE = {
    "sqlite": "INSERT OR REPLACE INTO verdicts (id, attempt_id, curator, verdict, reason, note, given_at)"
    " SELECT id, attempt_id, '', 'approved', '', '', given_at FROM verdicts",
    "postgresql": "TRUNCATE verdicts CASCADE",
}


def _dialect(catalogue: Catalogue) -> str:
    return catalogue.engine.dialect.name


def _one_attempt(catalogue: Catalogue, sample: "Sample") -> int:
    sample.pairs(catalogue, 1)
    batch = catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None)
    assert batch is not None
    (pending,) = catalogue.pending_attempts(batch)
    catalogue.close_attempt(batch, pending.id, sample.succeeded(catalogue))
    catalogue.close_batch(batch)
    return pending.id


def _damage(settings: CatalogueSettings, *, deep: bool = False) -> list[Damage]:
    return [finding.damage for finding in examine(settings, look_s=inf if deep else 0)]


def _nothing_back(names: Collection[str]) -> dict[str, str | None]:
    return dict.fromkeys(names, "the archive has it no more")


_NO = Remedies(lambda *_: None, _nothing_back)
"""No working copy is made again, and no original comes back."""


def _long_ago(path: Path) -> None:
    os.utime(path, (time.time() - 7200,) * 2)


def _checkpoint(settings: CatalogueSettings, name: str) -> Path:
    folder = settings.home / HomeFolder.CHECKPOINTS
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"a picture at work")
    return folder / name


def test_an_attempt_is_found_by_its_number_before_and_after_it_is_closed(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    with pytest.raises(UnknownEntry, match="no attempt 1; `nishiki dispatch` makes some"):
        catalogue.attempt(1)
    sample.pairs(catalogue, 2)
    batch = sample.take(catalogue)
    first, second = catalogue.pending_attempts(batch)
    catalogue.close_attempt(batch, first.id, sample.succeeded(catalogue))
    closed, pending = catalogue.attempt(first.id), catalogue.attempt(second.id)
    assert (closed.id, closed.content.identifier, closed.styles[0].identifier) == (first.id, "gray-0", "colour-0")
    assert closed.result is not None
    assert closed.result.total_error_mean == 0.3
    assert (pending.id, pending.outcome, pending.result) == (second.id, None, None)
    with pytest.raises(UnknownEntry, match="no attempt 999; there are 2, and `nishiki export` lists them all"):
        catalogue.attempt(999)


def test_the_command_shows_an_attempt_and_draws_its_trace(
    settings: CatalogueSettings, sample: "Sample", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NISHIKI_HOME", str(settings.home))
    monkeypatch.setenv("NISHIKI_DATABASE_URL", settings.url)
    points = [{"iteration": 10 * n, "content": 1.0, "style": 9.0 / (n + 1), "tv": nan, "total": inf} for n in range(4)]
    with Catalogue.open(settings) as catalogue:
        sample.pairs(catalogue, 2)
        batch = sample.take(catalogue)
        done, pending = catalogue.pending_attempts(batch)
        catalogue.close_attempt(batch, done.id, replace(sample.succeeded(catalogue), trace=tuple(points)))
        catalogue.give_verdict(done.id, "curator", Judgement(Verdict.APPROVED))
        place = catalogue.pictures.path(catalogue.attempt(done.id).output_sha256 or "")
    show = ("show", str(done.id))
    run = CliRunner().invoke(app, [*show, "--png", "trace.png"])
    assert (run.exit_code, run.stderr) == (0, "")
    for words in ("gray-0 (sample)", "approved by curator", str(place), "Weighted losses", "total: 4 of 4 losses"):
        assert words in run.stdout
    assert (tmp_path / "trace.png").read_bytes().startswith(b"\x89PNG")
    told = json.loads(CliRunner().invoke(app, [*show, "--json"]).stdout)
    assert (told["result"]["trace"][0]["total"], told["files"]["result"]) == (None, str(place))
    run = CliRunner().invoke(app, ["show", str(pending.id), "--trace"])
    assert (run.exit_code, "pending" in run.stdout) == (1, True)
    assert run.stderr.startswith(f"nishiki: attempt {pending.id} has no trace to draw: it is pending")


def test_a_verdict_is_never_changed_or_deleted(catalogue: Catalogue, sample: "Sample") -> None:
    attempt = _one_attempt(catalogue, sample)
    catalogue.give_verdict(attempt, "curator", Judgement(Verdict.WITHHELD, note="the face"))
    for attack in ("UPDATE verdicts SET verdict = 'approved'", "DELETE FROM verdicts", REPLACE[_dialect(catalogue)]):
        with (
            pytest.raises(DatabaseError, match="verdicts are never"),
            writing(catalogue.engine).begin() as connection,
        ):
            connection.execute(text(attack))
    assert catalogue.verdicts([attempt])[attempt].verdict == Verdict.WITHHELD


def test_a_later_verdict_stands_above_the_first(catalogue: Catalogue, sample: "Sample") -> None:
    attempt = _one_attempt(catalogue, sample)
    returned = Judgement(Verdict.RETURNED, Reason.COLOUR_BLEEDING, "the sleeve is blue")
    catalogue.give_verdict(attempt, "curator", returned)
    catalogue.give_verdict(attempt, "another curator", Judgement(Verdict.APPROVED))
    assert catalogue.verdicts([attempt])[attempt].curator == "another curator"
    assert catalogue.status()["verdicts"] == {"approved": 1, "returned": 1, "withheld": 0}
    with pytest.raises(UnknownEntry, match="no attempt 999"):
        catalogue.give_verdict(999, "curator", Judgement(Verdict.APPROVED))


def test_the_export_carries_record_rights_recipe_errors_and_verdict(catalogue: Catalogue, sample: "Sample") -> None:
    attempt = _one_attempt(catalogue, sample)
    catalogue.give_verdict(attempt, "curator", Judgement(Verdict.APPROVED, note="=HYPERLINK(1)"))
    as_json, as_csv = StringIO(), StringIO(newline="")
    assert (write_json(catalogue, as_json), write_csv(catalogue, as_csv)) == (1, 1)
    (row,) = json.loads(as_json.getvalue())
    (line,) = csv.DictReader(StringIO(as_csv.getvalue(), newline=""))
    assert row["content_cast"][0] == {"role": "Gorō", "actor": "Sample actor"}
    assert (row["style_rights_derivatives"], row["recipe_data"]["iterations"]) == ("yes", 60)
    assert (row["total_error_mean"], row["verdict"], row["encoder_checksum"]) == (0.3, "approved", "c0ffee")
    assert line["content_cast"] == "Sample actor as Gorō; Second actor"
    assert (line["outcome"], line["content_identifier"]) == ("succeeded", "gray-0")
    assert line["verdict_note"] == "'=HYPERLINK(1)"


def test_an_export_of_nothing_is_an_empty_list(catalogue: Catalogue) -> None:
    stream = StringIO()
    assert write_json(catalogue, stream) == 0
    assert json.loads(stream.getvalue()) == []


def test_attempts_are_streamed_in_pages(
    catalogue: Catalogue, sample: "Sample", monkeypatch: pytest.MonkeyPatch
) -> None:
    sample.pairs(catalogue, 5)
    catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None)
    monkeypatch.setattr("db.queries.night.attempts.PAGE", 2)
    assert [each.content.identifier for each in catalogue.attempts()] == [f"gray-{n}" for n in range(5)]


def test_a_crash_between_file_and_row_leaves_a_file_that_the_doctor_finds_and_deletes(
    settings: CatalogueSettings, sample: "Sample"
) -> None:
    with Catalogue.open(settings) as catalogue:
        kept = sample.store(catalogue, sample.record("r1"), Tone.COLOUR)
        sha256 = catalogue.pictures.add(b"and here the power went", ".png")
        forgotten = catalogue.pictures.path(sha256)
        assert _damage(settings) == []  # young: its row may be on the way
        _long_ago(forgotten)
        findings = examine(settings)
        assert [finding.damage for finding in findings] == [Damage.UNREFERENCED]
        assert forgotten.exists()
        assert mend(settings, findings, _NO, print) == findings
        assert not forgotten.exists()
        assert _damage(settings, deep=True) == []
        assert catalogue.pictures.read(catalogue.describe([kept])[kept].sha256) == b"r1"


def test_a_file_whose_row_came_after_all_is_left_alone(settings: CatalogueSettings, sample: "Sample") -> None:
    with Catalogue.open(settings) as catalogue:
        _long_ago(catalogue.pictures.path(catalogue.pictures.add(b"r1", ".png")))
        findings = examine(settings)
        sample.store(catalogue, sample.record("r1"), Tone.COLOUR)
        assert mend(settings, findings, _NO, print) == []
        assert _damage(settings, deep=True) == []


def test_the_doctor_finds_missing_altered_and_unfinished_files(settings: CatalogueSettings, sample: "Sample") -> None:
    with Catalogue.open(settings) as catalogue:
        for name in ("gone", "altered"):
            sample.store(catalogue, sample.record(name), Tone.COLOUR)
        names = {catalogue.pictures.read(each): each for each in catalogue.picture_names()}
        catalogue.pictures.path(names[b"gone"]).unlink()
        catalogue.pictures.path(names[b"altered"]).write_bytes(b"damaged")
        unfinished = catalogue.pictures.root / "unfinished" / "half"
        unfinished.write_bytes(b"half a pic")
        _long_ago(unfinished)
    assert sorted(_damage(settings)) == [Damage.LEFTOVER, Damage.MISSING]
    findings = examine(settings, look_s=inf)
    assert sorted(each.damage for each in findings) == [Damage.ALTERED, Damage.LEFTOVER, Damage.MISSING]
    assert [each.damage for each in mend(settings, findings, _NO, print)] == [Damage.LEFTOVER]
    assert not unfinished.exists()


def test_a_file_that_is_none_of_nishikis_is_told_wherever_it_lies_and_left_alone(
    settings: CatalogueSettings, sample: "Sample"
) -> None:
    with Catalogue.open(settings) as catalogue:
        sample.store(catalogue, sample.record("r1"), Tone.COLOUR)
        (kept,) = catalogue.pictures.files()
        files = [catalogue.pictures.root / "stray.txt", kept.parents[1] / "stray.txt", kept.parent / "stray.txt"]
        for file in files:
            file.write_text("notes")
            _long_ago(file)
        findings = examine(settings)
        assert [each.damage for each in findings] == [Damage.STRAY] * 3
        assert {catalogue.pictures.root / each.subject for each in findings} == set(files)
        assert mend(settings, findings, _NO, print) == []
        assert all(file.exists() for file in files)


def test_a_map_of_trust_belongs_to_its_result_and_a_lost_one_is_forgotten_without_it(
    settings: CatalogueSettings, sample: "Sample"
) -> None:
    with Catalogue.open(settings) as catalogue:
        trust = catalogue.pictures.add(b"a map of trust", ".png")
        attempt = sample.entry(catalogue, sample.record("r"), trust_sha256=trust, measures={"trust": 0.25})
        output = catalogue.attempt(attempt).output_sha256
        sample.tile(catalogue)
        assert next(catalogue.pictures_shown()).trust == trust
        assert catalogue.queue_entry(attempt).trust == 0.25
        assert [row["trust_sha256"] for row in rows(catalogue)] == [trust]
        _long_ago(catalogue.pictures.path(trust))
        assert _damage(settings) == []
        catalogue.pictures.path(trust).unlink()
        (finding,) = examine(settings)
        assert (finding.damage, finding.subject) == (Damage.MISSING, trust)
        assert "without its map of trust" in finding.remedy
        assert mend(settings, [finding], _NO, print) == [finding]
        assert _damage(settings) == []
        assert (catalogue.attempt(attempt).output_sha256, next(catalogue.pictures_shown()).trust) == (output, None)


def test_what_the_doctor_did_not_look_at_is_said(settings: CatalogueSettings, sample: "Sample") -> None:
    with Catalogue.open(settings) as catalogue:
        sample.pairs(catalogue, 2)
    said: list[str] = []
    assert examine(settings, look_s=0, tell=said.append) == []
    assert any(line.startswith("4 of 4 pictures") and "nishiki doctor --deep reads all" in line for line in said)
    assert any("amcheck is not installed" in line for line in said) is (settings.database_url is not None)
    assert examine(settings, tell=said.append) == []
    assert len(said) == (3 if settings.database_url else 1)


def test_checkpoints_are_left_over_when_no_attempt_is_pending(settings: CatalogueSettings, sample: "Sample") -> None:
    with Catalogue.open(settings) as catalogue:
        sample.pairs(catalogue, 1)
        batch = sample.take(catalogue)
        (pending,) = catalogue.pending_attempts(batch)
        files = [_checkpoint(settings, f"attempt-{pending.id}.safetensors"), _checkpoint(settings, "attempt-8.tmp")]
        foreign = _checkpoint(settings, "notes.txt")
        assert _damage(settings) == []  # the batch is at work
        catalogue.close_attempt(batch, pending.id, sample.succeeded(catalogue))
        catalogue.close_batch(batch)
        sample.tile(catalogue)
        findings = examine(settings)
        assert [each.damage for each in findings] == [Damage.CHECKPOINT] * 2
        assert {settings.home / each.subject for each in findings} == set(files)
        assert {each.remedy for each in findings} == {"nishiki doctor --mend"}
        assert mend(settings, findings, _NO, print) == findings
        assert not any(file.exists() for file in files)
        assert foreign.exists()
        assert _damage(settings) == []


def test_a_batch_that_is_unfinished_keeps_its_checkpoints_and_loses_what_was_never_finished(
    settings: CatalogueSettings, sample: "Sample"
) -> None:
    with Catalogue.open(settings) as catalogue:
        finished, torn = _checkpoint(settings, "attempt-1.safetensors"), _checkpoint(settings, "attempt-1.tmp")
        for file in (finished, torn):
            _long_ago(file)
        early = examine(settings)
        assert len(early) == 2
        sample.pairs(catalogue, 1)
        catalogue.release_batch(sample.take(catalogue))
        findings = examine(settings)
        assert [each.subject for each in findings] == [f"{HomeFolder.CHECKPOINTS}/attempt-1.tmp"]
        assert mend(settings, early, _NO, print) == findings  # the batch has come since the first look
        assert finished.exists()
        assert not torn.exists()


def test_tiles_of_no_picture_and_unfinished_ones_are_left_over_unless_they_are_young(
    settings: CatalogueSettings, sample: "Sample"
) -> None:
    store = TileStore(settings.home / HomeFolder.TILES)
    with Catalogue.open(settings) as catalogue:
        image = sample.store(catalogue, sample.record("shown"), Tone.COLOUR)
        shown = catalogue.describe([image])[image].sha256
    for sha256 in (shown, "cd" * 32):
        store.add(sha256, lambda folder: folder.joinpath("info.json").touch())
    torn = store.root / "unfinished" / f"{shown}.0123456789abcdef"
    (torn / "0,0,512,512").mkdir(parents=True)
    assert _damage(settings) == []
    for folder in (*store.folders(), torn):
        _long_ago(folder)
    findings = examine(settings)
    assert [each.damage for each in findings] == [Damage.TILES] * 2
    assert mend(settings, findings, _NO, print) == findings
    assert [folder.name for folder in store.folders()] == [shown]
    assert list(store.leftovers()) == []
    assert mend(settings, findings, _NO, print) == []


@pytest.mark.long
def test_lost_and_left_over_working_copies_are_found_and_mended(settings: CatalogueSettings, sample: "Sample") -> None:
    with Catalogue.open(settings) as catalogue:
        _one_attempt(catalogue, sample)
        sample.tile(catalogue)
        store, (*_, lost) = catalogue.working_copies, sorted(catalogue.harvested_names())
    assert examine(settings, young_s=-1) == []
    left = [store.root / each for each in ("0/ab/cd/" + lost, f"{VERSION}/ab/cd/{'0' * 64}.png", "unfinished/torn")]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"left")
        _long_ago(path)
    shutil.rmtree(store.root / VERSION / lost[:2])
    found = examine(settings)
    assert [each.damage for each in found] == [Damage.COPY] * 3 + [Damage.LOST_COPIES]
    assert found[-1].subject == "(1)"
    assert mend(settings, found, _NO, print) == found[:-1], "what could not be made again is not mended"
    assert not any(path.exists() for path in left)
    asked: list[str] = []

    def remake(catalogue: Catalogue, names: Collection[str]) -> None:
        for sha256 in names:
            asked.append(sha256)
            catalogue.working_copies.add(sha256, b"a new one")

    again = examine(settings)
    assert mend(settings, again, Remedies(remake, _nothing_back), print) == again
    assert asked == [lost]
    assert examine(settings) == []


def test_the_doctor_gives_a_dead_batch_free(settings: CatalogueSettings, sample: "Sample") -> None:
    with Catalogue.open(settings) as catalogue:
        sample.pairs(catalogue, 1)
        batch = catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None)
        assert _damage(settings) == []
        with writing(catalogue.engine).begin() as connection:
            connection.execute(update(BatchLease).values(process_start="another boot:1"))
        findings = examine(settings)
        assert [finding.damage for finding in findings] == [Damage.DEAD_BATCH]
        assert mend(settings, findings, _NO, print) == findings
        assert _damage(settings) == []
        assert batch is not None
        assert [each.id for each in catalogue.unfinished_batches()] == [batch.id]


def test_the_doctor_tells_of_a_schema_it_cannot_read(
    settings: CatalogueSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.engine.HEAD", "9998")  # as a later program would see this catalogue
    (finding,) = examine(settings)
    assert (finding.damage, finding.mendable) == (Damage.SCHEMA, False)
    assert f"has schema {HEAD}" in finding.problem
    engine = connect(settings.url)
    copy = upgrade(engine)
    engine.dispose()
    assert (copy is None) == (settings.database_url is not None)
