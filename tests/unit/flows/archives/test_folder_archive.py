"""A folder of pictures, with every sort of table and litter that people have."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from db.files.home import HomeFolder, written_by_nishiki
from flows.archives.errors import BadRecord, MalformedAnswer, NotAnArchive, TooLarge
from flows.archives.folder.archive import FolderArchive
from flows.archives.record import Archive, Derivatives, Record, Role, Unreadable, Window

PICTURE = b"\xff\xd8\xff\xe0 a picture"
Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def put_(name: str, data: bytes | str = PICTURE) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return put_


def listed(folder: Path) -> tuple[list[Record], list[Unreadable]]:
    archive: Archive = FolderArchive(folder, written_by_nishiki)
    found = list(archive.records(Window()))
    archive.close()
    return [f for f in found if isinstance(f, Record)], [f for f in found if isinstance(f, Unreadable)]


def identifiers(folder: Path) -> list[str]:
    return [record.identifier for record in listed(folder)[0]]


def test_every_picture_is_a_record_in_natural_order(tmp_path: Path, put: Put) -> None:
    for name in ("print10.jpg", "print2.jpg", "b/1.png", "b/c/図.jpg", "B2.jpg"):
        put(name)
    records, unreadable = listed(tmp_path)
    assert [record.identifier for record in records] == ["b/1", "b/c/図", "B2", "print2", "print10"]
    assert records[0].pictures == ("b/1.png",)
    assert records[0].genre is None
    assert (records[0].rights.derivatives, records[0].rights.basis) == (Derivatives.YES, "operator's own folder")
    assert unreadable == []


def test_two_files_with_one_stem_keep_their_suffixes(tmp_path: Path, put: Put) -> None:
    for name in ("a.jpg", "a.png", "b.jpg"):
        put(name)
    assert identifiers(tmp_path) == ["a.jpg", "a.png", "b"]


def test_what_is_no_picture_is_reported_and_litter_is_not(tmp_path: Path, put: Put) -> None:
    put("right.txt")
    put("wrong.jpg", b"GIF89a")
    put("empty.jpg", b"")
    for litter in (".DS_Store", "Thumbs.db", ".hidden/a.jpg", "__MACOSX/a.jpg", "sub/desktop.ini"):
        put(litter, b"x")
    os.mkfifo(tmp_path / "pipe.jpg")
    records, unreadable = listed(tmp_path)
    assert [record.pictures for record in records] == [("right.txt",)]
    assert {u.identifier for u in unreadable} == {"wrong.jpg", "empty.jpg", "pipe.jpg"}
    assert "empty" in {u.identifier: u.reason for u in unreadable}["empty.jpg"]


IN_A_HOME = (
    *(
        "pictures/ab/cd/abc.jpg",
        "tiles/ab/cd/abc/thumb.jpg",
        "working-copies/1/ab/cd/abc.png",
        "checkpoints/preview.jpg",
        "reports/batch-0001/1.png",
    ),
    *("sweeps/jadh/figure.png", "training/first/losses.png", "prefect/storage/x.jpg", "catalogue.db.before-4.jpg"),
    *("hosts/a.png", "models/sheet.png", "exports/0123/data/entries/000000/1/full-size.png"),
)
"""A picture in each folder that nishiki writes."""
SIGNS = (
    *("catalogue.db", "pictures/unfinished/x.png", "prefect/prefect.db", "checkpoints/single-1.safetensors"),
    "training/first/student.safetensors",
)


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("home", ["data/", "deep/er/", ""])
def test_a_home_of_nishiki_in_the_folder_is_no_part_of_the_archive(
    tmp_path: Path, put: Put, sign: str, home: str
) -> None:
    put("a.jpg")
    put("shelf/pictures/b.jpg")
    for name in (sign, *IN_A_HOME):
        put(home + name)
    records, unreadable = listed(tmp_path)
    assert [record.identifier for record in records] == ["a", "shelf/pictures/b"]
    assert unreadable == []


def test_every_folder_of_the_layout_is_among_those_that_are_tried() -> None:
    assert {name.partition("/")[0] for name in IN_A_HOME} >= set(HomeFolder)


def test_the_nights_own_home_is_known_before_anything_tells_it(tmp_path: Path, put: Put) -> None:
    put("a.jpg")
    put("prefect/anything.jpg")
    archive = FolderArchive(tmp_path, partial(written_by_nishiki, home=tmp_path))
    assert [record.identifier for record in archive.records(Window()) if isinstance(record, Record)] == ["a"]


@pytest.mark.parametrize("inside", ["pictures", "tiles/ab", "reports/batch-0001"])
def test_a_folder_that_nishiki_writes_is_refused_as_an_archive(tmp_path: Path, put: Put, inside: str) -> None:
    for name in ("catalogue.db", f"{inside}/a.jpg"):
        put(name)
    with pytest.raises(NotAnArchive, match="nishiki itself writes"):
        FolderArchive(tmp_path / inside, written_by_nishiki)


def test_a_folder_of_ones_own_inside_a_home_is_an_archive(tmp_path: Path, put: Put) -> None:
    put("catalogue.db")
    put("prints/a.jpg")
    assert identifiers(tmp_path / "prints") == ["a"]


def test_no_link_leads_into_a_home(tmp_path: Path, put: Put) -> None:
    put("catalogue.db")
    put("pictures/ab/abc.jpg")
    (tmp_path / "a.jpg").symlink_to("pictures/ab/abc.jpg")
    records, (unreadable,) = listed(tmp_path)
    assert records == []
    assert "home of nishiki" in unreadable.reason


def test_links_are_followed_inside_the_folder_only(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, put: Put
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.jpg").write_bytes(PICTURE)
    put("a.jpg")
    (tmp_path / "inside.jpg").symlink_to("a.jpg")
    (tmp_path / "out.jpg").symlink_to(outside / "secret.jpg")
    (tmp_path / "outfolder").symlink_to(outside)
    (tmp_path / "nothing.jpg").symlink_to("gone.jpg")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    records, unreadable = listed(tmp_path)
    assert [record.identifier for record in records] == ["a", "inside"]
    assert {u.identifier for u in unreadable} == {"out.jpg", "outfolder", "nothing.jpg", "loop.jpg"}


def test_a_name_that_is_not_utf_8_is_reported(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.jpg")).write_bytes(PICTURE)
    records, unreadable = listed(tmp_path)
    assert records == []
    assert unreadable[0].identifier.encode() == b"\\udcff.jpg"
    assert "UTF-8" in unreadable[0].reason


FULL = """\
\ufeffIdentifier,file,Title,artists,roles,actors,date,genre,holder,url,rights,derivatives,shelf
p1,sub\\one.jpg;two.jpg,暫,豊国; 広重,暫; ;奴,団十郎;半四郎;,文久３年,役者絵,Museum,https://m.example/1,,,A 1
p2,three.jpg,,,,,,,,,https://creativecommons.org/licenses/by-nd/4.0/,,
p3,,,,,,,,,,https://creativecommons.org/licenses/by-nd/4.0/,Yes,
"""


def test_a_csv_table_describes_its_pictures(tmp_path: Path, put: Put) -> None:
    put("records.csv", FULL)
    for name in ("sub/one.jpg", "two.jpg", "three.jpg", "four.jpg"):
        put(name)
    (one, two, three, four), unreadable = listed(tmp_path)
    assert [u.identifier for u in unreadable] == []
    assert (one.identifier, one.title, one.artists) == ("p1", "暫", ("豊国", "広重"))
    assert one.cast == (Role("暫", "団十郎"), Role("", "半四郎"), Role("奴", ""))
    assert (one.date_text, one.year_from, one.year_to, one.genre) == ("文久３年", 1863, 1863, "役者絵")
    assert (one.holder, one.credit_line, one.landing_url) == ("Museum", "Museum, p1", "https://m.example/1")
    assert one.pictures == ("sub/one.jpg", "two.jpg")
    assert one.rights.derivatives == Derivatives.YES
    assert json.loads(one.raw)["row"]["shelf"] == "A 1"
    assert two.rights.derivatives == Derivatives.NO
    assert (three.rights.derivatives, three.pictures) == (Derivatives.NO, ())  # the strictest of both columns
    assert three.rights.uri == "http://creativecommons.org/licenses/by-nd/4.0/"
    assert (four.identifier, four.rights.derivatives) == ("four", Derivatives.UNKNOWN)
    assert four.rights.basis == "no row of records.csv names this picture"


def test_a_json_table_describes_its_pictures(tmp_path: Path, put: Put) -> None:
    put("a.jpg")
    rows = [{"file": "a.jpg", "artist": ["x", "y"], "cast": "暫/団十郎; 半四郎", "year_from": 1850, "year_to": 1852}]
    put("records.json", json.dumps([*rows, "no object", {"identifier": "\ud800"}]))
    (record,), unreadable = listed(tmp_path)
    assert (record.identifier, record.artists) == ("a", ("x", "y"))
    assert record.cast == (Role("暫", "団十郎"), Role("", "半四郎"))
    assert (record.year_from, record.year_to) == (1850, 1852)
    assert ["object 2" in u.reason or "object 3" in u.reason for u in unreadable] == [True, True]
    for u in unreadable:
        (u.identifier + u.reason).encode()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",,no,,,", "neither an identifier nor a file"),
        ("x,gone.jpg,,,,", "no picture gone.jpg"),
        ("x,../a.jpg,,,,", r"no picture \.\./a\.jpg"),
        ("x,a.jpg,,soon,,", "year_from 'soon' is no year"),
        ("x,a.jpg,,1850,1840,", "year_from 1850 is after year_to 1840"),
        ("x,a.jpg,,,,javascript:alert(1)", "no http or https address"),
        ("x,a.jpg,no,,,,surplus", "more cells than the header"),
    ],
)
def test_a_bad_row_is_reported_with_its_place_and_frees_no_picture(
    tmp_path: Path, put: Put, row: str, reason: str
) -> None:
    put("a.jpg")
    put("records.csv", f"identifier,file,derivatives,year_from,year_to,url\ngood,,,,,\n{row}\n")
    records, unreadable = listed(tmp_path)
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(unreadable[0].reason)
    assert "records.csv line 3" in unreadable[0].reason
    assert [record.identifier for record in records] == ["good", "a"]
    assert records[1].rights.derivatives is Derivatives.UNKNOWN
    if "a.jpg" in row and ".." not in row:
        assert records[1].rights.basis == "records.csv line 3 may mean this picture, and cannot be used"


def test_a_file_that_is_no_picture_is_told_once_by_its_row_where_it_has_one(tmp_path: Path, put: Put) -> None:
    put("empty.png", "")
    put("loose.png", "")
    put("records.csv", "file,title\nempty.png,x\n")
    records, unreadable = listed(tmp_path)
    assert records == []
    assert [(each.identifier, each.reason) for each in unreadable] == [
        ("loose.png", "loose.png is empty; copy it again"),
        ("empty", "records.csv line 2: empty.png is empty; copy it again"),
    ]


def test_rows_of_one_identifier_are_held_back_together_since_nobody_knows_which_is_meant(
    tmp_path: Path, put: Put
) -> None:
    put("g1.png")
    put("records.csv", "identifier,file,derivatives\ng1,g1.png,yes\ng2,,yes\ng1,g1.png,yes\n")
    records, unreadable = listed(tmp_path)
    told = "records.csv lines 2 and 4 have the same identifier; it is held back until one of them is left or has an "
    assert {(each.identifier, each.reason) for each in unreadable} == {("g1", told + "identifier of its own")}
    assert [(each.identifier, each.rights.derivatives) for each in records] == [
        ("g2", Derivatives.YES),
        ("g1", Derivatives.UNKNOWN),
    ]
    put("records.csv", "identifier,derivatives\n" + "g1,yes\n" * 12)
    _, (first, *_) = listed(tmp_path)
    assert first.reason.startswith("records.csv lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more have the same")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("records.csv", b"title\nx\n"),
        ("records.csv", b"title;shelf\nx;a.jpg\n"),
        ("records.csv", b""),
        ("records.csv", "identifier,title\nx,écossais\n".encode("latin-1")),
        ("records.csv", "identifier,title\nx,Hiroshige’s\n".encode("cp1252")),
        ("records.csv", b'identifier,title\nx,"never closed\n'),
        ("records.json", b"[{"),
        ("records.json", b'{"file": "a.jpg"}'),
        ("records.json", b"[" * 100_000),
    ],
)
def test_an_unreadable_table_stops_the_folder(tmp_path: Path, put: Put, name: str, data: bytes) -> None:
    put("a.jpg")
    put(name, data)
    with pytest.raises(MalformedAnswer, match=name):
        listed(tmp_path)


def test_an_identifier_without_end_is_reported_and_long_text_is_cut(tmp_path: Path, put: Put) -> None:
    put("a.jpg")
    rows = [{"identifier": "i" * 1001, "title": "long name"}, {"file": "a.jpg", "title": "t" * 20_000}]
    put("records.json", json.dumps(rows))
    (record,), (unreadable,) = listed(tmp_path)
    assert record.title == "t" * 10_000
    assert "t" * 20_000 in record.raw
    assert unreadable.identifier == "i" * 1000
    assert "1,001 characters" in unreadable.reason


def test_two_tables_are_one_too_many(tmp_path: Path, put: Put) -> None:
    put("records.csv", "file\na.jpg\n")
    put("records.json", "[]")
    with pytest.raises(MalformedAnswer, match="keep one"):
        listed(tmp_path)


def test_a_composed_and_a_decomposed_name_are_the_same(tmp_path: Path, put: Put) -> None:
    put("か\u3099.jpg")
    put("records.csv", "identifier,file\np,\u304c.jpg\n")
    (record,), unreadable = listed(tmp_path)
    assert unreadable == []
    assert record.pictures == ("か\u3099.jpg",)


def test_a_picture_never_takes_a_rows_identifier(tmp_path: Path, put: Put) -> None:
    put("a.jpg")
    put("b.jpg")
    put("records.csv", "identifier,file\na,b.jpg\n")
    assert identifiers(tmp_path) == ["a", "a.jpg"]


def test_raw_follows_the_row_and_the_size_and_the_datestamp_the_file(tmp_path: Path, put: Put) -> None:
    path = put("a.jpg")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    before = listed(tmp_path)[0][0]
    assert before.datestamp == datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)
    os.utime(path, (1_000_000_001, 1_000_000_001))
    touched = listed(tmp_path)[0][0]
    assert (touched.identifier, touched.raw) == (before.identifier, before.raw)
    assert touched.datestamp > before.datestamp
    path.write_bytes(PICTURE + b"!")
    assert listed(tmp_path)[0][0].raw != before.raw


def test_the_window_reaches_from_the_last_night_to_now(tmp_path: Path) -> None:
    since = datetime(2024, 1, 1, tzinfo=UTC)
    (window,) = FolderArchive(tmp_path, written_by_nishiki).windows(since)
    assert window.start == since
    assert window.until is not None
    assert abs((datetime.now(UTC) - window.until).total_seconds()) < 60


def test_an_unchanged_picture_is_not_read_again(tmp_path: Path, put: Put) -> None:
    path = put("a.jpg")
    archive = FolderArchive(tmp_path, written_by_nishiki)
    picture = archive.picture("a.jpg")
    assert picture is not None
    assert picture.data == PICTURE
    assert archive.picture("a.jpg", picture.validators) is None
    os.utime(path, (1, 1))
    assert archive.picture("a.jpg", picture.validators) is not None


@pytest.mark.parametrize("reference", ["../secret.jpg", "/etc/passwd", "gone.jpg", "sub", "zero\0byte", "link.jpg", ""])
def test_a_reference_leads_to_a_file_inside_the_folder_or_nowhere(tmp_path: Path, reference: str) -> None:
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "secret.jpg").write_bytes(PICTURE)
    (folder / "link.jpg").symlink_to("../secret.jpg")
    with pytest.raises(BadRecord):
        FolderArchive(folder, written_by_nishiki).picture(reference)


def test_a_picture_beyond_the_limit_or_of_no_format_is_refused(tmp_path: Path, put: Put) -> None:
    put("a.jpg")
    put("b.jpg", b"<html>")
    with pytest.raises(TooLarge, match="raise the limit"):
        FolderArchive(tmp_path, written_by_nishiki, max_bytes=3).picture("a.jpg")
    with pytest.raises(BadRecord, match="no picture format"):
        FolderArchive(tmp_path, written_by_nishiki).picture("b.jpg")


def test_a_missing_folder_and_a_file_are_no_archive(tmp_path: Path, put: Put) -> None:
    with pytest.raises(NotAnArchive, match="does not exist"):
        FolderArchive(tmp_path / "gone", written_by_nishiki)
    with pytest.raises(NotAnArchive, match="is not a folder"):
        FolderArchive(put("a.jpg"), written_by_nishiki)


def test_an_archive_is_called_as_its_folder_unless_it_is_named(tmp_path: Path) -> None:
    assert FolderArchive(tmp_path, written_by_nishiki).name == tmp_path.name
    assert FolderArchive(tmp_path, written_by_nishiki, "prints").name == "prints"
    assert FolderArchive(tmp_path, written_by_nishiki).address == str(tmp_path)
