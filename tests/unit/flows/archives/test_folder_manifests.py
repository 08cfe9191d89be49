"""IIIF manifests that lie in a folder: they describe the pictures beside them, and free nothing by being unclear."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from db.entries.night import Derivatives as Kept
from db.entries.night import KeptRights, RightsEntry
from flows.archives.folder.archive import FolderArchive
from flows.archives.record import Derivatives, Record, Remark, Unreadable, Window
from flows.archives.sample.drawing.collection import CC0, NO_DERIVATIVES, holdings
from flows.archives.sample.iiif import answer
from flows.archives.sample.oai import Shelf
from flows.reports.folder_account import account_lines
from flows.upkeep.rejudging import judged

YES, NO, UNKNOWN = Derivatives.YES, Derivatives.NO, Derivatives.UNKNOWN
PICTURE = b"\xff\xd8\xff\xe0 a picture"
SHELF = Shelf(holdings(2, 1, 7), "https://museum.example", 5)
Found = list[Record | Unreadable | Remark]


def manifest(name: str, rights: str | None = CC0, body: str = "", service: str = "") -> dict[str, object]:
    """Of version 2, with one picture."""
    resource = {
        "@id": body or f"https://m.example/{name}.jpg",
        **({"service": {"@id": service, "profile": "http://iiif.io/api/image/2/level1.json"}} if service else {}),
    }
    images = [{"@type": "oa:Annotation", "resource": resource}]
    return {
        "@context": "http://iiif.io/api/presentation/2/context.json", "@id": f"https://m.example/{name}/manifest.json",
        "@type": "sc:Manifest", "label": name, "metadata": [{"label": "絵師", "value": "何某"}],
        **({"license": rights} if rights else {}),
        "sequences": [{"canvases": [{"@type": "sc:Canvas", "images": images}]}],
    }  # fmt: skip


def made(folder: Path, files: Mapping[str, object]) -> FolderArchive:
    """JSON where a value is given, else a picture."""
    for name, value in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        data = value.encode() if isinstance(value, str) else json.dumps(value, ensure_ascii=False).encode()
        (folder / name).write_bytes(data if value is not None else PICTURE)
    return FolderArchive(folder, lambda _: False)


def listed(folder: Path, files: Mapping[str, object]) -> Found:
    return list(made(folder, files).records(Window()))


def rights(found: Found) -> dict[str, Derivatives]:
    return {path: each.rights.derivatives for each in found if isinstance(each, Record) for path in each.pictures}


def said(found: Found) -> str:
    return "\n".join(str(each) for each in found if not isinstance(each, Record))


def test_the_samples_manifests_in_a_folder_are_records_with_their_pictures(tmp_path: Path) -> None:
    keys = {each.key: each for each in SHELF.holdings if not each.deleted}
    files = {f"{key}/manifest.json": answer(f"{key}/manifest.json", [], SHELF) for key in keys}
    found = listed(tmp_path, {path: data.decode() for path, data in files.items() if isinstance(data, bytes)})
    assert all(isinstance(each, Record) and not each.pictures for each in found if not isinstance(each, Remark))
    (tmp_path / "0001-c/image.jpg").write_bytes(PICTURE)
    archive = FolderArchive(tmp_path, lambda _: False, genres=("役者絵",))
    records = {each.identifier: each for each in archive.records(Window()) if isinstance(each, Record)}
    one = records["https://museum.example/iiif/0001-c/manifest.json"]
    assert (one.title, one.genre, one.pictures, one.rights.uri) == (
        keys["0001-c"].title, "役者絵", ("0001-c/image.jpg",), CC0,
    )  # fmt: skip
    assert archive.picture("0001-c/image.jpg") is not None


@pytest.mark.parametrize(
    ("body", "service", "file"),
    [
        ("https://m.example/scans/P1.tif", "", "P1.tif"),
        ("https://m.example/scans/P1.jpg?v=2", "", "box/P1.png"),
        ("https://m.example/i/full/full/0/default.jpg", "https://m.example/iiif/P1", "P1.jpg"),
        ("https://m.example/P1.tif/full/843,/0/default.jpg", "", "P1.tif"),
        ("https://m.example/scans/P1.jpg", "https://m.example/iiif/77ab", "P1.jpg"),
        ("https://m.example/x.jpg", "https://m.example/iiif/box%2FP1.jpg", "box/P1.jpg"),
    ],
)
def test_a_picture_is_the_file_that_its_address_or_its_services_ends_in(
    tmp_path: Path, body: str, service: str, file: str
) -> None:
    found = listed(tmp_path, {"a.json": manifest("a", NO_DERIVATIVES, body, service), file: None, "other.jpg": None})
    assert rights(found) == {file: NO, "other.jpg": UNKNOWN}
    assert "no manifest names this picture" in "".join(each.rights.basis for each in found if isinstance(each, Record))


def test_what_states_no_rights_holds_its_picture_and_a_row_and_a_manifest_of_one_share_the_strictest(
    tmp_path: Path,
) -> None:
    files = {"a.json": manifest("a", None), "a.jpg": None, "b.json": manifest("b", NO_DERIVATIVES), "b.jpg": None}
    found = listed(tmp_path, {**files, "records.csv": "identifier,file,derivatives\nx,b.jpg,yes\n"})
    assert rights(found) == {"a.jpg": UNKNOWN, "b.jpg": NO}
    row = next(each for each in found if isinstance(each, Record) and each.identifier == "x")
    assert row.rights.derivatives is NO


def test_a_picture_that_lies_in_no_file_is_told_and_not_fetched(tmp_path: Path) -> None:
    found = listed(tmp_path, {"a.json": manifest("a"), "b.jpg": None})
    assert rights(found) == {"b.jpg": UNKNOWN}
    assert "lie in no file beside it and are not fetched: 1 of 1" in said(found)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (json.dumps(manifest("a"))[:-20], "speaks of IIIF and is no manifest"),
        (json.dumps({**manifest("a"), "@type": "sc:Canvas"}), "no manifest or collection"),
        (json.dumps({**manifest("a"), "@id": "https://m.example/" + "x" * 2000}), "its identifier has"),
    ],
)
def test_a_manifest_that_cannot_be_read_frees_nothing(tmp_path: Path, text: str, told: str) -> None:
    found = listed(tmp_path, {"a.json": text, "a.jpg": None})
    assert rights(found) == {"a.jpg": UNKNOWN}
    assert told in said(found)


def test_two_files_that_a_picture_may_be_are_held_back(tmp_path: Path) -> None:
    found = listed(tmp_path, {"a.json": manifest("a", CC0, "https://m.example/P1"), "P1.jpg": None, "P1.tif": None})
    assert rights(found) == {"P1.jpg": UNKNOWN, "P1.tif": UNKNOWN}
    assert "may be P1.jpg, P1.tif" in said(found)


def test_a_collection_gives_what_stands_whole_in_it_and_tells_what_it_only_names(tmp_path: Path) -> None:
    named = {"@id": "https://m.example/far/manifest.json", "@type": "sc:Manifest", "label": "far"}
    inner = {"@type": "sc:Collection", "@id": "https://m.example/in", "manifests": [manifest("b")]}
    whole = {"@type": "sc:Collection", "@id": "https://m.example/c", "members": [manifest("a"), named, inner]}
    archive = made(tmp_path, {"all.json": whole, "a.jpg": None, "b.jpg": None})
    found = list(archive.records(Window()))
    assert rights(found) == {"a.jpg": YES, "b.jpg": YES}
    assert "do not lie in the folder: 1, the first https://m.example/far/manifest.json" in said(found)
    lines = "\n".join(account_lines("scans", archive.account()))
    assert "scans: 2 pictures; 2 IIIF manifests." in lines
    assert "picture: b.jpg" in lines


def test_the_rights_of_a_manifest_in_a_folder_can_be_judged_again(tmp_path: Path) -> None:
    found = listed(tmp_path, {"a.json": manifest("a", NO_DERIVATIVES), "a.jpg": None})
    record = next(each for each in found if isinstance(each, Record))
    kept = RightsEntry(Kept.YES, "older rules", None, record.rights.text)
    assert judged(KeptRights(1, "scans", "folder", record.identifier, record.raw, kept)).derivatives is Kept.NO
