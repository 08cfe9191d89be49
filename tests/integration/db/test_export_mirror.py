"""Packages in object storage: the copy of one in a folder, and never more than it."""

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from db.catalogue import Catalogue
from db.entries.night import Verdict
from db.entries.review import Judgement, QueueFilter
from db.errors import ExportUnusable, PicturesUnreachable
from db.exports.entry_files import Sources
from db.exports.mirror import Sent, check_place, send
from db.exports.package import Order, export
from db.files.bucket import Bucket
from db.settings import CatalogueSettings
from flows.cli.app import app
from tests.integration.db.test_export import ALL, AT, files, packed, withhold
from tests.samples import Sample


class Copied:
    """A package and its copy."""

    def __init__(self, folder: Path, sources: Sources) -> None:
        self.package, self.copy, self.sources = folder / "bag", folder / "storage", sources
        self.there = Bucket(f"file://{self.copy}", wait_s=2)
        self.told: list[Sent] = []

    def export(self, order: Order = ALL) -> None:
        """As the command does."""
        self.told = []
        export(self.sources, self.package, order, follow=lambda whole: self.told.append(self.send(whole=whole)))

    def send(self, *, whole: bool = True) -> Sent:
        return send(self.package, self.there, whole)

    def is_the_same(self) -> bool:
        own = {name: data for name, data in files(self.package).items() if name != "sent.txt"}
        return files(self.copy) == own


@pytest.fixture
def approved(catalogue: Catalogue, sample: Sample) -> list[int]:
    """Three entries that a curator approved."""
    made = sample.entries(catalogue, 3)
    for number in made:
        catalogue.give_verdict(number, "O-Kiku", Judgement(Verdict.APPROVED))
    return made


@pytest.fixture
def copied(catalogue: Catalogue, settings: CatalogueSettings, approved: list[int], tmp_path: Path) -> Copied:
    """After the first export."""
    assert approved
    made = Copied(tmp_path, packed(catalogue, settings))
    made.export()
    return made


def test_the_copy_is_the_package_and_is_sent_once(copied: Copied) -> None:
    assert copied.is_the_same()
    assert [sent.sent > 0 for sent in copied.told] == [False, True]
    copied.export()
    assert copied.told == [Sent(0, 0)] * 2


def test_what_may_not_leave_any_more_is_gone_there_before_what_is_new_comes(
    copied: Copied, catalogue: Catalogue, sample: Sample, approved: list[int]
) -> None:
    withhold(catalogue, sample, approved[0])
    seen: list[tuple[bool, bool, bool]] = []

    def follow(whole: bool) -> None:
        copied.send(whole=whole)
        entry, bag = f"data/entries/000000/{approved[0]}/manifest.json", "manifest-sha256.txt"
        seen.append((whole, (copied.copy / entry).exists(), (copied.copy / bag).exists()))

    export(copied.sources, copied.package, ALL, follow=follow)
    assert seen == [(False, False, False), (True, False, True)]
    assert copied.is_the_same()


def test_what_was_cut_off_goes_on_and_sends_nothing_twice(copied: Copied, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = copied.told[1].sent
    for path in sorted(copied.copy.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (copied.package / "sent.txt").unlink()
    left, replace = [10], Bucket.replace

    def cut_off(bucket: Bucket, name: str, data: bytes | Path, kind: str | None = None) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise PicturesUnreachable("it does not answer")
        replace(bucket, name, data, kind)

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "replace", cut_off)
        with pytest.raises(PicturesUnreachable):
            copied.send()
    assert not (copied.copy / "manifest-sha256.txt").exists()
    assert 0 < copied.send().sent < everything
    assert copied.is_the_same()


def test_what_was_altered_or_lost_there_is_sent_again(copied: Copied) -> None:
    table, tags = copied.copy / "data/metadata.csv", copied.copy / "tagmanifest-sha256.txt"
    table.unlink()
    assert copied.send() == Sent(1, 0)
    tags.write_bytes(b"")
    (copied.copy / "data" / "of-an-earlier-time.json").write_bytes(b"{}")
    assert copied.send() == Sent(0, 1)
    (copied.copy / "manifest-sha256.txt").unlink()
    copied.send()
    assert copied.is_the_same()


def test_what_lies_beside_the_package_is_left_alone(copied: Copied) -> None:
    beside = copied.copy / "pictures/ab/cd/a-picture.png"
    beside.parent.mkdir(parents=True)
    beside.write_bytes(b"of the nights")
    copied.export()
    copied.send(whole=False)
    assert beside.exists()


def test_a_folder_made_anew_takes_nothing_away(copied: Copied, tmp_path: Path) -> None:
    kept = files(copied.copy)
    with pytest.raises(ExportUnusable, match="holds an export that was made elsewhere; bring its folder to"):
        check_place(tmp_path / "anew", copied.there)
    check_place(copied.package, copied.there)
    check_place(tmp_path / "anew", Bucket(f"file://{tmp_path}/empty", wait_s=2))
    assert files(copied.copy) == kept


def test_other_things_and_other_exports_are_left_alone(copied: Copied, tmp_path: Path) -> None:
    other = Copied(tmp_path / "other", copied.sources)
    other.there = copied.there
    kept = files(copied.copy)
    with pytest.raises(ExportUnusable, match="holds an export with another --address"):
        other.export(Order("https://other.example/", QueueFilter()))
    assert files(copied.copy) == kept
    third = Copied(tmp_path / "third", copied.sources)
    third.copy.mkdir(parents=True)
    (third.copy / "index.html").write_bytes(b"theirs")
    with pytest.raises(ExportUnusable, match="holds other things; give an empty prefix"):
        third.export()
    assert files(third.copy) == {"index.html": b"theirs"}


def test_the_command_makes_it_in_the_home_and_copies_it(
    settings: CatalogueSettings, copied: Copied, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NISHIKI_HOME", str(settings.home))
    if settings.database_url:
        monkeypatch.setenv("NISHIKI_DATABASE_URL", settings.database_url.get_secret_value())
    there = f"file://{tmp_path}/web/prints"
    words = ["export", "--to", there, "--address", AT, "--no-tiles"]
    for news, sent in (("3 of them new", r"[1-9]\d* files were sent"), ("0 of them new", "0 files were sent")):
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
        assert f"Package {there}: 3 entries, {news}" in done.stdout
        assert re.search(rf"{sent} there and 0 removed", done.stdout)
    assert (tmp_path / "web/prints/data/collection.json").is_file()
    (folder,) = (settings.home / "exports").iterdir()
    shutil.rmtree(folder)
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, "was made elsewhere" in done.stderr) == (1, True)
    monkeypatch.setenv("NISHIKI_PICTURE_STORE", f"file://{tmp_path}/web")
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, "lie within each other" in done.stderr) == (2, True)


def test_what_is_no_place_is_refused(settings: CatalogueSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NISHIKI_HOME", str(settings.home))
    for there in ("https://prints.example/", "s3://key:secret@prints"):
        done = CliRunner().invoke(app, ["export", "--to", there])
        assert (done.exit_code, "give s3://BUCKET/PREFIX" in done.stderr) == (2, True)
        assert "secret" not in done.stderr
