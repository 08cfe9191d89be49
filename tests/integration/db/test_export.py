"""Packages of approved entries, on both databases: what is in them, what stays out, and what an interruption leaves."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from xml.etree.ElementTree import fromstring

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from db.catalogue import Catalogue
from db.engine import writing
from db.entries.corrections import Correctable
from db.entries.night import Derivatives, Verdict
from db.entries.review import Judgement, QueueFilter, Reason
from db.errors import CatalogueFull, ExportUnusable, NothingApproved
from db.exports import package
from db.exports.entry_files import EntryFiles, Sources
from db.exports.package import Order, export
from db.files.home import UNFINISHED, HomeFolder
from db.files.tiles import TileStore
from db.settings import CatalogueSettings
from db.tables.review import Review
from flows.cli.app import app
from tests.samples import Sample

AT = "https://prints.example/nishiki/"
ALL = Order(AT, QueueFilter())
APPROVED = Judgement(Verdict.APPROVED)
RETURNED = Judgement(Verdict.RETURNED, Reason.OTHER)
CURATOR = "O-Kiku"


def fill(folder: Path) -> None:
    """What tiles of a small picture are."""
    (folder / "full/max/0").mkdir(parents=True)
    (folder / "luma").mkdir()
    (folder / "info.json").write_text(json.dumps({"id": "x", "profile": "level0", "width": 48, "height": 64}))
    for name in ("full/max/0/default.jpg", "preview.jpg", "thumb.jpg", "luma/thumb.jpg"):
        (folder / name).write_bytes(name.encode())


def packed(catalogue: Catalogue, settings: CatalogueSettings) -> Sources:
    """Makes tiles as they are asked for."""
    store = TileStore(settings.home / HomeFolder.TILES)

    def make(shown: Any) -> None:
        for sha256 in (shown.content, shown.output):
            store.add(sha256, fill)

    return Sources(catalogue, store, make)


@pytest.fixture
def sources(catalogue: Catalogue, settings: CatalogueSettings) -> Sources:
    return packed(catalogue, settings)


@pytest.fixture
def approved(catalogue: Catalogue, sample: Sample) -> list[int]:
    """Three entries that a curator approved, beside one that waits and one that was returned."""
    made = sample.entries(catalogue, 5)
    for number in made[:3]:
        catalogue.give_verdict(number, CURATOR, APPROVED)
    catalogue.give_verdict(made[3], CURATOR, RETURNED)
    return made[:3]


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "export.lock" and UNFINISHED not in path.parts
    }


def entries_in(target: Path) -> list[int]:
    return sorted(int(path.parent.name) for path in target.glob("data/entries/*/*/manifest.json"))


def assert_is_a_bag(target: Path) -> None:
    """Every payload file stands in the manifest with its sha256, and every tag file in the tags' one."""
    for manifest, inside in (("manifest-sha256.txt", True), ("tagmanifest-sha256.txt", False)):
        lines = (target / manifest).read_text().splitlines()
        said = {name: sha256 for sha256, _, name in (line.partition("  ") for line in lines)}
        there = {name: hashlib.sha256(data).hexdigest() for name, data in files(target).items()}
        assert said == {
            name: sha256
            for name, sha256 in there.items()
            if name.startswith("data/") == inside and name != "tagmanifest-sha256.txt"
        }
    oxum = (target / "bag-info.txt").read_text().split("Payload-Oxum: ")[1].strip()
    payload = [data for name, data in files(target).items() if name.startswith("data/")]
    assert oxum == f"{sum(map(len, payload))}.{len(payload)}"


def withhold(catalogue: Catalogue, sample: Sample, number: int) -> None:
    """Its archive forbids derivatives from now on."""
    record = sample.record(catalogue.attempt(number).content.identifier, derivatives=Derivatives.NO)
    catalogue.add_record(sample.archive(catalogue), record)


@pytest.mark.long
def test_a_package_holds_what_is_approved_and_nothing_else(
    sources: Sources, approved: list[int], tmp_path: Path
) -> None:
    done = export(sources, tmp_path / "bag", ALL)
    assert (done.new, done.entries, done.problems) == (3, 3, [])
    assert entries_in(tmp_path / "bag") == approved
    assert_is_a_bag(tmp_path / "bag")
    number = approved[0]
    folder = tmp_path / f"bag/data/entries/000000/{number}"
    attempt = sources.catalogue.attempt(number)
    assert hashlib.sha256((folder / "full-size.png").read_bytes()).hexdigest() == attempt.output_sha256
    manifest = json.loads((folder / "manifest.json").read_bytes())
    told = json.dumps(manifest, ensure_ascii=False)
    assert manifest["id"] == f"{AT}entries/000000/{number}/manifest.json"
    for words in ("Machine-colorized", "自動彩色", sources.catalogue.attempt(number).recipe.name, "encoder"):
        assert words in told
    body = manifest["items"][0]["items"][0]["items"][0]["body"]
    assert (body["type"], len(body["items"])) == ("Choice", 2)
    served = {each["id"] for each in [*manifest["seeAlso"], *manifest["thumbnail"], *body["items"]]}
    asked = ("info.json", "full/max/0/default.jpg")
    served |= {f"{choice['service'][0]['id']}/{part}" for choice in body["items"] for part in asked}
    assert [url for url in sorted(served) if not (tmp_path / "bag/data" / url.removeprefix(AT)).is_file()] == []
    assert not list(folder.rglob("*luma*"))
    for name in ("lido.xml", "dublin-core.xml"):
        assert "Machine-colorized" in "".join(fromstring((folder / name).read_bytes()).itertext())
    assert not [name for name, data in files(tmp_path / "bag").items() if CURATOR.encode() in data]


@pytest.mark.long
def test_without_tiles_a_package_has_whole_pictures_that_its_manifests_name(
    sources: Sources, approved: list[int], tmp_path: Path
) -> None:
    order = Order(AT, QueueFilter(), tiles=False)
    assert export(sources, tmp_path / "bag", order).problems == []
    assert_is_a_bag(tmp_path / "bag")
    folder = tmp_path / f"bag/data/entries/000000/{approved[0]}"
    assert {path.name for path in folder.iterdir() if path.is_dir()} == set()
    manifest = json.loads((folder / "manifest.json").read_bytes())
    choices = manifest["items"][0]["items"][0]["items"][0]["body"]["items"]
    assert [(folder / each["id"].rpartition("/")[2]).is_file() for each in choices] == [True, True]
    assert "service" not in json.dumps(manifest)
    kept = files(tmp_path / "bag")
    assert export(sources, tmp_path / "bag", order).unchanged == len(approved)
    assert files(tmp_path / "bag") == kept
    with pytest.raises(ExportUnusable, match="--no-tiles; give the same, or another folder"):
        export(sources, tmp_path / "bag", ALL)


@pytest.mark.long
def test_the_same_catalogue_makes_the_same_bytes(sources: Sources, approved: list[int], tmp_path: Path) -> None:
    for name in ("one", "two"):
        export(sources, tmp_path / name, ALL)
    first = files(tmp_path / "one")
    assert files(tmp_path / "two") == first
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "one").rglob("full-size.png")}
    again = export(sources, tmp_path / "one", ALL)
    assert (again.unchanged, again.new, again.changed) == (len(approved), 0, 0)
    assert files(tmp_path / "one") == first
    assert {path: path.stat().st_mtime_ns for path in written} == written


@pytest.mark.long
def test_what_may_not_leave_any_more_is_taken_out_with_a_tombstone_and_may_come_back(
    catalogue: Catalogue, sample: Sample, sources: Sources, approved: list[int], tmp_path: Path
) -> None:
    export(sources, tmp_path / "bag", ALL)
    withheld, returned, stays = approved
    withhold(catalogue, sample, withheld)
    catalogue.give_verdict(returned, CURATOR, RETURNED, seen=catalogue.queue_entry(returned).seen)
    assert export(sources, tmp_path / "bag", ALL).withdrawn == 2
    assert entries_in(tmp_path / "bag") == [stays]
    assert sorted(path.stem for path in tmp_path.glob("bag/data/withdrawn/*")) == [str(withheld), str(returned)]
    assert_is_a_bag(tmp_path / "bag")
    kept = files(tmp_path / "bag")
    assert export(sources, tmp_path / "bag", ALL).withdrawn == 0
    assert files(tmp_path / "bag") == kept
    catalogue.give_verdict(returned, CURATOR, APPROVED, seen=catalogue.queue_entry(returned).seen)
    assert export(sources, tmp_path / "bag", ALL).new == 1
    assert sorted(path.stem for path in tmp_path.glob("bag/data/withdrawn/*")) == [str(withheld)]


@pytest.mark.long
def test_records_words_forbid_even_where_the_queue_was_not_told(
    catalogue: Catalogue, sample: Sample, sources: Sources, approved: list[int], tmp_path: Path
) -> None:
    withhold(catalogue, sample, approved[0])
    with writing(catalogue.engine).begin() as connection:
        connection.execute(update(Review).values(withheld=False))
    export(sources, tmp_path / "bag", ALL)
    assert entries_in(tmp_path / "bag") == approved[1:]


@pytest.mark.long
def test_nobodys_settled_conflict_leaves(
    catalogue: Catalogue, sources: Sources, approved: list[int], tmp_path: Path
) -> None:
    unseen = catalogue.give_verdict(approved[0], "another", RETURNED, seen=None)
    assert unseen.conflict
    catalogue.give_verdict(approved[0], "third", APPROVED, seen=None)
    export(sources, tmp_path / "bag", ALL)
    assert approved[0] not in entries_in(tmp_path / "bag")


@pytest.mark.long
@pytest.mark.parametrize("step", ["add", "still_approved", "end"])
def test_what_is_withheld_while_an_export_is_at_work_is_not_in_it(
    step: str,
    catalogue: Catalogue,
    sample: Sample,
    sources: Sources,
    approved: list[int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner: Any = Catalogue if step == "still_approved" else package._Package
    before, done = getattr(owner, step), list[str]()

    def meanwhile(*given: Any, **named: Any) -> Any:
        if not done:
            done.append(step)
            withhold(catalogue, sample, approved[1])
        return before(*given, **named)

    monkeypatch.setattr(owner, step, meanwhile)
    export(sources, tmp_path / "bag", ALL)
    assert done
    assert entries_in(tmp_path / "bag") == [approved[0], approved[2]]
    assert f"/{approved[1]}/" not in (tmp_path / "bag/manifest-sha256.txt").read_text()
    assert f'"{AT}entries/000000/{approved[1]}/' not in (tmp_path / "bag/data/metadata.csv").read_text()


def _cut_off(sources: Sources, target: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """As kill -9 would, in the middle of an entry."""
    write, written = EntryFiles.write, iter(range(after))

    def cut(self: EntryFiles, folder: Path) -> None:
        if next(written, None) is None:
            (folder / "manifest.json").write_bytes(b'{"id": "half of')
            raise KeyboardInterrupt
        write(self, folder)

    with monkeypatch.context() as patch:
        patch.setattr(EntryFiles, "write", cut)
        patch.setattr("db.queries.review.approved.PAGE", 1)
        with pytest.raises(KeyboardInterrupt):
            export(sources, target, ALL)


@pytest.mark.long
def test_an_export_that_was_cut_off_is_no_bag_and_goes_on(
    sources: Sources, approved: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _cut_off(sources, tmp_path / "cut", monkeypatch, 2)
    assert entries_in(tmp_path / "cut") == approved[:2]
    assert not (tmp_path / "cut/manifest-sha256.txt").exists()
    done = export(sources, tmp_path / "cut", ALL)
    assert (done.unchanged, done.new) == (2, 1)
    export(sources, tmp_path / "whole", ALL)
    assert files(tmp_path / "cut") == files(tmp_path / "whole")


@pytest.mark.long
def test_a_removal_that_was_cut_off_leaves_nothing_of_what_is_withheld(
    catalogue: Catalogue,
    sample: Sample,
    sources: Sources,
    approved: list[int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    export(sources, tmp_path / "bag", ALL)
    withhold(catalogue, sample, approved[1])
    remove = shutil.rmtree

    def cut(folder: Path, **named: Any) -> None:
        if (folder / "sha256.txt").is_file():
            (folder / "sha256.txt").unlink()
            raise KeyboardInterrupt
        remove(folder, **named)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", cut)
        with pytest.raises(KeyboardInterrupt):
            export(sources, tmp_path / "bag", ALL)
    assert not list(tmp_path.glob(f"bag/data/entries/*/{approved[1]}"))
    export(sources, tmp_path / "bag", ALL)
    assert [path.stem for path in tmp_path.glob("bag/data/withdrawn/*")] == [str(approved[1])]
    assert not (tmp_path / "bag" / UNFINISHED).exists()
    assert_is_a_bag(tmp_path / "bag")


@pytest.mark.long
def test_a_file_that_somebody_took_from_the_package_is_written_again(
    sources: Sources, approved: list[int], tmp_path: Path
) -> None:
    export(sources, tmp_path / "bag", ALL)
    kept = files(tmp_path / "bag")
    next(tmp_path.glob(f"bag/data/entries/*/{approved[0]}/full-size.*")).unlink()
    assert export(sources, tmp_path / "bag", ALL).changed == 1
    assert files(tmp_path / "bag") == kept


def test_a_full_disk_is_said_and_leaves_what_is_whole(
    sources: Sources, approved: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: EntryFiles, folder: Path) -> None:
        (folder / "manifest.json").write_bytes(b"{")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(EntryFiles, "write", full)
        with pytest.raises(CatalogueFull, match="no room left"):
            export(sources, tmp_path / "bag", ALL)
    assert entries_in(tmp_path / "bag") == []
    assert export(sources, tmp_path / "bag", ALL).new == len(approved)


def test_an_export_that_ended_before_it_had_said_what_it_is_goes_on(
    sources: Sources, approved: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("db.exports.package.write_whole", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            export(sources, tmp_path / "bag", ALL)
    assert (tmp_path / "bag/data").is_dir()
    assert export(sources, tmp_path / "bag", ALL).new == len(approved)
    assert_is_a_bag(tmp_path / "bag")


@pytest.mark.long
def test_a_missing_and_an_altered_picture_are_named_and_the_others_leave(
    catalogue: Catalogue, sources: Sources, approved: list[int], tmp_path: Path
) -> None:
    gone, altered = (catalogue.pictures.path(catalogue.attempt(n).output_sha256 or "") for n in approved[:2])
    gone.unlink()
    altered.write_bytes(b"something else")
    done = export(sources, tmp_path / "bag", ALL)
    assert [entry for entry, _ in done.problems] == [f"entry {number}" for number in approved[:2]]
    assert "nishiki doctor" in done.problems[0][1]
    assert entries_in(tmp_path / "bag") == approved[2:]
    assert_is_a_bag(tmp_path / "bag")


@pytest.mark.long
def test_changed_words_of_a_record_change_its_entry_alone(
    catalogue: Catalogue, sample: Sample, sources: Sources, approved: list[int], tmp_path: Path
) -> None:
    export(sources, tmp_path / "bag", ALL)
    said = catalogue.attempt(approved[0]).content.identifier
    catalogue.add_record(sample.archive(catalogue), sample.record(said, title='=cmd|"/c calc"!A1 <b>&'))
    done = export(sources, tmp_path / "bag", ALL)
    assert (done.changed, done.unchanged) == (1, 2)
    assert "\"'=cmd|" in (tmp_path / "bag/data/metadata.csv").read_text()
    assert "<b>" not in (tmp_path / f"bag/data/entries/000000/{approved[0]}/lido.xml").read_text()
    assert_is_a_bag(tmp_path / "bag")


@pytest.mark.long
def test_what_a_curator_put_right_leaves_with_the_archives_own_word(
    catalogue: Catalogue, sources: Sources, approved: list[int], tmp_path: Path
) -> None:
    export(sources, tmp_path / "bag", ALL)
    catalogue.correct(catalogue.attempt(approved[0]).content.image_id, "Aoi", Correctable.ARTISTS, ["Kunisada"])
    done = export(sources, tmp_path / "bag", ALL)
    assert (done.changed, done.unchanged) == (1, 2)
    folder = tmp_path / f"bag/data/entries/000000/{approved[0]}"
    for name in ("metadata.csv", "manifest.json", "linked-art.json", "lido.xml", "dublin-core.xml"):
        text = (folder / name).read_text()
        assert "Kunisada" in text, name
        assert "artists corrected, the archive says: Sample artist, Another" in text, name
        assert "Aoi" not in text, name


def test_what_is_not_known_of_a_print_is_left_out_of_its_manifest(
    catalogue: Catalogue, sample: Sample, sources: Sources, tmp_path: Path
) -> None:
    number = sample.entry(catalogue, sample.record("r1", artists=(), cast=(), year_from=None, year_to=None, holder=" "))
    catalogue.give_verdict(number, CURATOR, APPROVED)
    export(sources, tmp_path / "bag", ALL)
    manifest = json.loads((tmp_path / f"bag/data/entries/000000/{number}/manifest.json").read_bytes())
    told = {each["label"]["en"][0] for each in manifest["metadata"]}
    assert told == {"Identifier", "Colours taken from", "Made by", "Rights"}


def test_artists_are_told_with_their_authority_files(
    catalogue: Catalogue, sample: Sample, sources: Sources, tmp_path: Path
) -> None:
    ulan, viaf = "http://vocab.getty.edu/ulan/500063446", "http://viaf.org/viaf/7"
    people = (("Another", viaf), ("Another", ulan))
    number = sample.entry(catalogue, sample.record("r1", authorities=people))
    catalogue.give_verdict(number, CURATOR, APPROVED)
    export(sources, tmp_path / "bag", ALL)
    folder = tmp_path / f"bag/data/entries/000000/{number}"
    named = json.loads((folder / "linked-art.json").read_text())["created_by"]["influenced_by"]
    assert [each for each in named if each["type"] == "Person"] == [
        {"id": address, "type": "Person", "_label": "Another"} for address in (viaf, ulan)
    ]
    lido = fromstring((folder / "lido.xml").read_text())
    actors = [[part.text for part in each if part.text] for each in lido.iter("{http://www.lido-schema.org}actor")]
    assert actors[:2] == [[], [viaf, ulan]]


def test_nothing_approved_writes_nothing(catalogue: Catalogue, sources: Sources, tmp_path: Path) -> None:
    with pytest.raises(NothingApproved, match="nothing was written"):
        export(sources, tmp_path / "bag", ALL)
    assert not (tmp_path / "bag").exists()


def test_a_folder_of_another_export_or_of_something_else_is_left_alone(
    sources: Sources, approved: list[int], tmp_path: Path
) -> None:
    export(sources, tmp_path / "bag", ALL)
    before = files(tmp_path / "bag")
    with pytest.raises(ExportUnusable, match="another --address or --filter"):
        export(sources, tmp_path / "bag", Order(AT, QueueFilter(archive="x"), "archive=x"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other/thesis.txt").write_text("mine")
    with pytest.raises(ExportUnusable, match="holds other things"):
        export(sources, tmp_path / "other", ALL)
    with pytest.raises(ExportUnusable, match="home of the catalogue"):
        export(sources, sources.tiles.root.parent / "bag", ALL)
    assert files(tmp_path / "bag") == before


@pytest.fixture
def run(settings: CatalogueSettings, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("NISHIKI_HOME", str(settings.home))
    monkeypatch.setenv("NISHIKI_DATABASE_URL", settings.url)
    return lambda *words: CliRunner().invoke(app, ["export", *words])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--address", AT), "say where it is to lie: --to DIR"),
        (("--no-tiles",), "say where it is to lie: --to DIR"),
        (("--to", "x", "--format", "csv"), "--format is for the list of attempts"),
        (("--to", "x", "--address", "ftp://x"), "no address of a folder on the web"),
        (("--to", "x", "--filter", "colour=red"), "the filter does not know 'colour'; it knows actor, archive"),
        (("--to", "x", "--filter", "batch_id=many"), "the filter's batch_id cannot be 'many'"),
    ],
)
def test_a_wrong_command_is_refused_in_words(run: Any, words: tuple[str, ...], said: str) -> None:
    ended = run(*words)
    assert ended.exit_code == 2
    assert said in " ".join(ended.stderr.split())


def test_the_command_takes_the_queues_address_as_a_filter(
    run: Any, catalogue: Catalogue, sources: Sources, approved: list[int], tmp_path: Path
) -> None:
    for page in catalogue.approved(QueueFilter()):
        for entry in page:
            sources.whole(entry.attempt)
    address = "?queue=all&verdict=returned&words=r1"
    ended = run("--to", str(tmp_path / "bag"), "--address", AT.rstrip("/"), "--filter", address)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert "1 entries, 1 of them new" in ended.stdout
    assert entries_in(tmp_path / "bag") == [approved[1]]


@pytest.mark.long
@pytest.mark.parametrize(
    ("setting", "words", "tiled"),
    [("false", (), False), ("false", ("--tiles",), True), ("true", ("--no-tiles",), False)],
)
def test_tiles_leave_as_the_command_says_or_else_the_setting(
    setting: str,
    words: tuple[str, ...],
    tiled: bool,
    run: Any,
    sources: Sources,
    approved: list[int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NISHIKI_EXPORT_TILES", setting)
    for page in sources.catalogue.approved(QueueFilter()):
        for entry in page:
            sources.whole(entry.attempt)
    assert run("--to", str(tmp_path / "bag"), *words).exit_code == 0
    assert (tmp_path / f"bag/data/entries/000000/{approved[0]}/colorized").is_dir() == tiled
