"""Tables that people really write: what reaches its pictures for certain does, and nothing else is freed."""

import io
import json
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from flows.archives.errors import MalformedAnswer
from flows.archives.folder import sheets
from flows.archives.folder.archive import FolderArchive
from flows.archives.folder.table import rights_in
from flows.archives.record import Derivatives, Record, Remark, Unreadable, Window

PICTURE = b"\xff\xd8\xff\xe0 a picture"
YES, NO, UNKNOWN, BOTH = Derivatives.YES, Derivatives.NO, Derivatives.UNKNOWN, Derivatives.CONTRADICTORY
NFC, NFD = unicodedata.normalize("NFC", "が"), unicodedata.normalize("NFD", "が")
Made = Callable[..., "Listed"]


class Listed:
    """What a folder gave."""

    def __init__(self, folder: Path, *, free: bool = False) -> None:
        found = list(FolderArchive(folder, lambda _: False, free_undescribed=free).records(Window()))
        self.records = [each for each in found if isinstance(each, Record)]
        self.unreadable = [each for each in found if isinstance(each, Unreadable)]
        self.remarks = [each for each in found if isinstance(each, Remark)]

    @property
    def said(self) -> str:
        """All that a person is told."""
        return "\n".join([f"{each.identifier}: {each.reason}" for each in self.unreadable] + self.remarked)

    @property
    def remarked(self) -> list[str]:
        return [f"{each.subject}: {each.text}" for each in self.remarks]

    @property
    def rights(self) -> dict[str, Derivatives]:
        """By picture, the most lenient of all records that name it."""
        lenient = sorted(self.records, key=lambda record: record.rights.derivatives is YES)
        return {path: record.rights.derivatives for record in lenient for path in record.pictures}

    @property
    def of_x1(self) -> tuple[str, ...]:
        return next((record.pictures for record in self.records if record.identifier == "x1"), ())


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Makes a folder of pictures with a table, and lists it."""

    def make(
        table: str | bytes, *pictures: str, name: str = "records.csv", free: bool = False, other: Iterable[str] = ()
    ) -> Listed:
        for path in (*pictures, *other, name):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        for path in pictures:
            (tmp_path / path).write_bytes(PICTURE)
        for path in other:
            (tmp_path / path).write_bytes(b"no picture")
        (tmp_path / name).write_bytes(table.encode() if isinstance(table, str) else table)
        return Listed(tmp_path, free=free)

    return make


def row(file: str, derivatives: str = "no", identifier: str = "x1") -> str:
    quoted = file.replace('"', '""')
    return f'identifier,file,derivatives\n{identifier},"{quoted}",{derivatives}\n'


@pytest.mark.parametrize(
    ("written", "pictures", "reached", "told"),
    [
        ("P001.png", ["P001.png", "p001.png"], ["P001.png"], ""),
        ("img_001.jpg", ["IMG_001.JPG"], ["IMG_001.JPG"], "capitals"),
        ("P001", ["P001.png"], ["P001.png"], "suffix"),
        ("P001.tif", ["P001.tiff"], ["P001.tiff"], "suffix"),
        ("P001.JPEG", ["P001.jpg", "P001.tif"], ["P001.jpg"], "suffix"),
        ("P001.tif", ["P001.png"], ["P001.png"], "suffix"),
        ("P001.jpg", ["P001.jpg.jpg"], ["P001.jpg.jpg"], "suffix"),
        ("No.12", ["No.12.jpg"], ["No.12.jpg"], "suffix"),
        (NFD + ".jpg", [NFC + ".jpg"], [NFC + ".jpg"], "Unicode form"),
        ("Ｐ００１．ｐｎｇ", ["P001.png"], ["P001.png"], "width"),
        ("ｶﾞ.png", ["ガ.png"], ["ガ.png"], "width"),
        ("a  b.png", ["a b.png"], ["a b.png"], "spaces"),
        ("a\u3000b.png", ["a b.png"], ["a b.png"], "spaces"),
        ("P001 .png", ["P001.png"], ["P001.png"], "suffix"),
        ("P\u200b001.png", ["P001.png"], ["P001.png"], "marks"),
        ("P–001.png", ["P-001.png"], ["P-001.png"], "marks"),
        ("一～三.png", ["一〜三.png"], ["一〜三.png"], "marks"),
        (" P001.png ", ["P001.png"], ["P001.png"], ""),
        ("./sub/P001.png", ["sub/P001.png"], ["sub/P001.png"], ""),
        ("sub\\P001.png", ["sub/P001.png"], ["sub/P001.png"], "separators"),
        ("C:\\scans\\2020\\P001.png", ["P001.png"], ["P001.png"], "folder"),
        ("scans/P001.png", ["P001.png", "P002.png"], ["P001.png"], "folder"),
        ("scans/box1/P001.png", ["box1/P001.png", "P001.png"], ["box1/P001.png"], "folder"),
        ("P001.png", ["sub/P001.png"], ["sub/P001.png"], "folder"),
        ("P001.png|P002.png", ["P001.png", "P002.png"], ["P001.png", "P002.png"], "read as 2 names"),
        ("P001.png, P002.png", ["P001.png", "P002.png"], ["P001.png", "P002.png"], "read as 2 names"),
        ("P001、P002", ["P001.png", "P002.png"], ["P001.png", "P002.png"], "read as 2 names"),
        ("P001.png\nP002.png", ["P001.png", "P002.png"], ["P001.png", "P002.png"], ""),
        ("P001.png; P002.png;", ["P001.png", "P002.png"], ["P001.png", "P002.png"], ""),
        ("a;b.png", ["a;b.png", "a.png", "b.png"], ["a;b.png"], ""),
        ("a;b.png;c.png", ["a;b.png", "c.png"], ["a;b.png", "c.png"], ""),
        ("Kunisada, actor.png", ["Kunisada, actor.png"], ["Kunisada, actor.png"], ""),
        ("a|b", ["a|b.png"], ["a|b.png"], "suffix"),
        # not certain, or not there
        ("p001.png", ["P001.PNG", "P001.png"], [], "may be P001.PNG, P001.png"),
        ("P001", ["P001.png", "P001.tif"], [], "may be P001.png, P001.tif"),
        ("P001.png", ["a/P001.png", "b/P001.png"], [], "may be a/P001.png, b/P001.png"),
        ("P001.PNG", ["P001.png", "a/P001.PNG"], [], "may be P001.png, a/P001.PNG"),
        ("box2/P001.png", ["P001.png", "box2/P002.png"], [], "no picture box2/P001.png"),
        ("box2/P001.png", ["box1/P001.png"], [], "no picture box2/P001.png"),
        ("../P001.png", ["P001.png"], [], "no picture ../P001.png"),
        ("P01.png", ["P001.png"], [], "no picture P01.png"),
        ("P001.png|P009.png", ["P001.png"], [], "no picture P009.png"),
        ("a,b", ["a,b.png", "a,b.tif", "a.png", "b.png"], [], "may be a,b.png, a,b.tif"),
        ("P001-P003.png", ["P001.png", "P002.png", "P003.png"], [], "no picture P001-P003.png"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("free", [False, True])
def test_a_row_reaches_the_pictures_that_it_means_for_certain(
    made: Made, written: str, pictures: Sequence[str], reached: Sequence[str], told: str, free: bool
) -> None:
    listed = made(row(written), *pictures, free=free)
    assert listed.of_x1 == tuple(reached)
    assert told in listed.said
    if reached and not told:
        assert "taken for" not in listed.said
    for path in reached:
        assert listed.rights[path] is NO
    if not free:
        assert YES not in listed.rights.values()
    elif "may be" in told:
        assert {listed.rights[path] for path in told.removeprefix("may be ").split(", ")} == {UNKNOWN}
    assert set(listed.rights) == set(pictures)


@pytest.mark.parametrize(
    ("identifier", "pictures", "reached"),
    [
        ("P001.png", ["P001.png"], ["P001.png"]),
        ("P001", ["P001.png"], ["P001.png"]),
        ("ｐ００１", ["P001.png"], ["P001.png"]),
        ("P001", ["scans/P001.png"], ["scans/P001.png"]),
        ("P001", ["P001.png", "P001.tif"], []),
        ("P001", ["P001_1.png"], []),
    ],
)
def test_a_table_of_identifiers_alone_reaches_its_files(
    made: Made, identifier: str, pictures: Sequence[str], reached: Sequence[str]
) -> None:
    listed = made(f"identifier,derivatives\n{identifier},no\n", *pictures)
    found = [record for record in listed.records if record.rights.derivatives is NO]
    assert [path for record in found for path in record.pictures] == reached
    assert YES not in listed.rights.values()
    assert "found by its identifier" in listed.said or not reached


def test_a_row_whose_cell_names_no_file_is_not_matched_by_its_identifier_instead(made: Made) -> None:
    listed = made(row("gone.png", "yes", "P001"), "P001.png")
    assert listed.rights == {"P001.png": UNKNOWN}
    assert "no picture gone.png" in listed.said


@pytest.mark.parametrize(
    ("rows", "rights"),
    [
        ("a,P001.png,yes\nb,P001.PNG,no", UNKNOWN),  # one exact, one that may mean it
        ("a,P001.png,yes\nb,P001.PNG,yes", YES),
        ("a,P001.tif,yes\nb,P001.jpg,yes", UNKNOWN),  # both may mean it
        ("a,P001.png,yes\nb,P001.png,no", NO),
        ("a,P001.png,yes\nb,P001.png,ask", Derivatives.ASK),
        ("a,P001,yes\nb,P001,ask", Derivatives.ASK),
        ("a,P001.png,yes\nb,P001.png;gone.png,no", UNKNOWN),
        ("a,P001.png,yes\na,P001.png,no", UNKNOWN),
    ],
)
def test_what_several_rows_say_of_one_picture_is_the_strictest(made: Made, rows: str, rights: Derivatives) -> None:
    listed = made(f"identifier,file,derivatives\n{rows}\n", "P001.png")
    assert listed.rights == {"P001.png": rights}
    again = [rights_in(raw, "its row") for record in listed.records if (raw := json.loads(record.raw))["row"]]
    assert {each.derivatives for each in again} <= {rights}, "judged again from what is kept of it"


def test_two_files_whose_names_differ_in_unicode_form_only_are_two_records(made: Made) -> None:
    listed = made("file\nother.png\n", f"{NFC}.png", f"{NFD}.png", "other.png")
    assert {record.identifier for record in listed.records} == {NFC, NFD, "other"}


@pytest.mark.parametrize("form", [NFC, NFD])
def test_of_two_such_files_a_name_means_the_one_that_is_written_the_same(made: Made, form: str) -> None:
    listed = made(row(f"{form}.png", "yes"), f"{NFC}.png", f"{NFD}.png")
    assert listed.of_x1 == (f"{form}.png",)
    assert sorted(listed.rights.values()) == [UNKNOWN, YES]


def test_a_name_that_fits_both_of_them_is_held_back(made: Made) -> None:
    listed = made(row("ｶﾞ.png".replace("ｶﾞ", "ｶﾞ"), "yes"), "ガ.png", unicodedata.normalize("NFD", "ガ.png"))
    assert set(listed.rights.values()) == {UNKNOWN}
    assert "may be" in listed.said


BOOK = [["identifier", "file", "derivatives"], ["x1", "P001.png", "no"]]


def workbook(*tables: Sequence[Sequence[Any]]) -> bytes:
    book = Workbook()
    book.remove(book.active)
    for number, table in enumerate(tables):
        sheet = book.create_sheet(f"Sheet{number + 1}")
        for line in table:
            sheet.append(list(line))
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


CSV = "identifier,file,derivatives\nx1,P001.png,no\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("Records.CSV", CSV),
        ("ＲＥＣＯＲＤＳ.csv", CSV),
        ("records.csv.txt", CSV),
        ("records.tsv", CSV.replace(",", "\t")),
        ("records.csv", CSV.replace(",", "\t")),
        ("records.csv", CSV.replace(",", ";")),
        ("records.csv", "sep=;\r\n" + CSV.replace(",", ";").replace("\n", "\r\n")),
        ("records.txt", CSV.replace(",", "\t").encode("utf-16")),
        ("records.csv", CSV.encode("utf-16-le")),
        ("records.csv", CSV.encode("utf-8-sig")),
        (
            "records.csv",
            ("題名," + CSV.replace("\n", "\n暫,", 1)).replace(",", ";").replace("\n", "\r\n").encode("cp932"),
        ),
        ("records.json", json.dumps([{"id": "x1", "file": "P001.png", "改変": "no"}]).encode("utf-8-sig")),
        ("records.csv", "\n,,\n" + CSV),
        ("records.csv", CSV.replace("\n", "\r")),
        ("records.csv", ("題名," + CSV.replace("\n", "\n暫,", 1)).encode("cp932")),
        ("records.csv", ("題名," + CSV.replace("\n", "\nしばらく,", 1)).encode("euc_jp")),
        ("records.json", json.dumps([{"identifier": "x1", "File": ["P001.png"], "Derivatives": "no"}])),
        (
            "records.json",
            json.dumps({"total": 1, "records": [{"identifier": "x1", "file": "P001.png", "derivatives": "no"}]}),
        ),
        ("Records.xlsx", workbook(BOOK)),
        ("records.xlsx", workbook([["notes"], ["about"]], BOOK)),
        ("records.xlsx", workbook([[None], *BOOK])),
    ],
)
@pytest.mark.parametrize("folder", ["", "box1/", "box1/a/"])
def test_a_table_is_known_by_its_name_in_any_form_and_speaks_for_its_own_folder(
    made: Made, name: str, data: str | bytes, folder: str
) -> None:
    listed = made(data, f"{folder}P001.png", "P009.png", name=folder + name)
    assert listed.of_x1 == (f"{folder}P001.png",)
    assert listed.rights == {f"{folder}P001.png": NO, "P009.png": UNKNOWN}


@pytest.mark.parametrize(
    "header",
    [
        "Identifier,FILE,Derivatives",
        "ＩＤ,ｆｉｌｅ　ｎａｍｅ,ｄｅｒｉｖａｔｉｖｅｓ",
        " id , File_Name , derivatives ",
        "資料番号,ファイル名,改変",
        "id,image / 画像,derivatives (改変)",
        "accession no.,Image file,Derivatives allowed",
        "Inventory number(s),Files,Colourisation",
        "管理番号,画像（表）,カラー化の可否",
    ],
)
def test_columns_are_known_by_their_usual_names(made: Made, header: str) -> None:
    listed = made(f"{header}\nx1,P001.png,no\n", "P001.png")
    assert listed.of_x1 == ("P001.png",)
    assert listed.rights == {"P001.png": NO}


IN_COPYRIGHT = "http://rightsstatements.org/vocab/InC/1.0/"


@pytest.mark.parametrize(
    "column",
    [
        "licence",
        "Use conditions",
        "©",
        "Access",
        "License",
        "RIGHTS",
        "権利",
        "ライセンス",
        "Copyright status",
        "利用条件",
        "Rights statement (URI)",
        "著作権",
    ],
)
def test_a_column_that_sounds_like_rights_is_one(made: Made, column: str) -> None:
    listed = made(f"identifier,file,{column}\nx1,P001.png,{IN_COPYRIGHT}\n", "P001.png")
    assert listed.rights == {"P001.png": NO}


def test_a_licence_in_a_column_of_any_name_counts(made: Made) -> None:
    listed = made(f"identifier,file,remarks\nx1,P001.png,see {IN_COPYRIGHT}\n", "P001.png")
    assert listed.rights == {"P001.png": NO}
    assert "records.csv: columns that are kept and not used: remarks" in listed.remarked


def test_columns_that_are_not_used_are_named_and_a_preferred_name_counts(made: Made) -> None:
    listed = made("No.,identifier,file,棚,derivatives\n7,x1,P001.png,A,no\n", "P001.png")
    assert listed.of_x1 == ("P001.png",)
    assert "records.csv: columns that are kept and not used: No., 棚" in listed.remarked


ULAN, VIAF, WIKIDATA = (
    "http://vocab.getty.edu/ulan/500063446",
    "http://viaf.org/viaf/69724466",
    "http://www.wikidata.org/entity/Q552021",
)


@pytest.mark.parametrize(
    ("header", "cells", "authorities"),
    [
        ("artist,artist_authority", f"豊国,{ULAN}", [("豊国", ULAN)]),
        ("Artist,Artist ULAN URL", f"豊国,{ULAN}", [("豊国", ULAN)]),
        ("絵師,絵師（典拠）", f"豊国,{ULAN}", [("豊国", ULAN)]),
        ("絵師名,絵師の典拠URL", f"豊国,{ULAN}", [("豊国", ULAN)]),
        ("Creators,Creator Wikidata", "豊国,https://www.wikidata.org/wiki/Q552021", [("豊国", WIKIDATA)]),
        ("作者,作者ＶＩＡＦ", f"豊国,{VIAF}", [("豊国", VIAF)]),
        ("artist,artist ULAN,artist VIAF", f"豊国;国貞,;{ULAN},{VIAF};", [("国貞", ULAN), ("豊国", VIAF)]),
        ("artist,artist ULAN,artist URI", f"豊国,{ULAN},{ULAN}", [("豊国", ULAN)]),
        ("artist,artist authorities", f"豊国；国貞,{VIAF}； {ULAN}", [("豊国", VIAF), ("国貞", ULAN)]),
        ("artist,artist authority", f"豊国;;国貞,{VIAF};;{ULAN}", [("豊国", VIAF), ("国貞", ULAN)]),
        ("artist,artist authority", f"豊国;国貞,{ULAN}", [("豊国", ULAN)]),
        ("role,actor,actor authority", f"弁慶;富樫,甲;乙,;{VIAF}", [("乙", VIAF)]),
        ("役名,役者,役者ULAN", f"弁慶;富樫,;乙,{ULAN};{VIAF}", [("乙", VIAF)]),
        ("cast,actor Wikidata", f"弁慶/甲;富樫/乙,;{WIKIDATA}", [("乙", WIKIDATA)]),
        ("cast,actor,actor VIAF", f"富樫/乙;弁慶/甲,甲;丙,{VIAF};{ULAN}", [("甲", VIAF)]),
        # not certain, or no address of a person
        ("artist,artist authority", f"豊国,{ULAN};{VIAF}", []),
        ("artist,artist authority", f",{ULAN}", []),
        ("artist,artist authority", '豊国,"http://viaf.org/viaf/1\nhttp://viaf.org/viaf/2"', []),
        ("artist,artist authority", "豊国,javascript:alert(1)", []),
        ("artist,artist authority", "豊国,http://vocab.getty.edu.evil.example/ulan/500063446", []),
        ("artist,artist authority", "豊国,https://evil.example/?http://viaf.org/viaf/69724466", []),
        ("artist,artist ULAN", "豊国,500063446", []),
        ("artist,creator,creator ULAN", f"豊国,館,{ULAN}", []),
        ("artist,ULAN", f"豊国,{ULAN}", []),
        ("title,actor ULAN", f"豊国,{ULAN}", []),
    ],
)
def test_addresses_of_people_belong_to_the_names_at_their_places(
    made: Made, header: str, cells: str, authorities: list[tuple[str, str]]
) -> None:
    listed = made(f"identifier,file,{header}\nx1,P001.png,{cells}\n", "P001.png")
    assert [*listed.records[0].authorities] == authorities
    assert listed.rights == {"P001.png": YES}


def test_addresses_in_json_are_lists_too_and_those_that_are_not_used_are_counted(made: Made) -> None:
    rows = [{"file": "P001.png", "artist": ["豊国", "国貞", "国芳"], "artist_ulan": [None, ULAN, "http://x.example/1"]}]
    listed = made(json.dumps(rows), "P001.png", name="records.json")
    assert listed.records[0].authorities == (("国貞", ULAN),)
    assert "records.json: addresses of people that are not used: 1, the first in records.json object 1" in listed.said


@pytest.mark.parametrize(
    ("header", "cells", "rights"),
    [
        ("identifier,file,derivatives,derivatives", "x1,P001.png,no,yes", BOTH),
        ("identifier,file,derivatives,Derivatives", "x1,P001.png,yes,no", BOTH),
        ("identifier,file,rights,rights", f"x1,P001.png,CC0,{IN_COPYRIGHT}", BOTH),
        ("identifier,file,title,title", "x1,P001.png,A,B", BOTH),
        ("identifier,file,derivatives,title,題名", "x1,P001.png,yes,Shibaraku,暫", YES),
        ("identifier,file,derivative,改変", "x1,P001.png,yes,no", NO),
        ("identifier,file,derivatives,derivatives", "x1,P001.png,yes,yes", YES),
        ("identifier,file,derivatives,derivatives", "x1,P001.png,,yes", YES),
        ("identifier,file,file,derivatives", "x1,P001.png,P002.png,yes", UNKNOWN),
        ("identifier,file,path,derivatives", "x1,P001.png,D:\\scans\\P001.png,yes", YES),
        ("identifier,identifier,file,derivatives", "x1,x2,P001.png,yes", BOTH),
    ],
)  # fmt: skip
def test_a_column_that_stands_twice_with_different_values_is_held_back(
    made: Made, header: str, cells: str, rights: Derivatives
) -> None:
    listed = made(f"{header}\n{cells}\n", "P001.png", "P002.png")
    assert listed.rights["P001.png"] is rights
    assert "twice" in listed.said or "different files" in listed.said or rights in (YES, NO)


def test_the_same_name_twice_in_json_is_held_back(made: Made) -> None:
    listed = made(
        '[{"identifier": "x1", "file": "P001.png", "derivatives": "no", "derivatives": "yes"}]',
        "P001.png", name="records.json",
    )  # fmt: skip
    assert listed.rights == {"P001.png": BOTH}


@pytest.mark.parametrize(
    "other",
    ["list.csv", "目録.xlsx", "records.ods", "Records (1).csv", "records.xls", "record.csv", "records", "box1/a.tsv",
     "records.csv.bak", "records.csv~", "inventory.numbers", "list.txt", "metadata.json"],
)  # fmt: skip
def test_a_table_of_another_name_stops_the_folder_and_frees_nothing(tmp_path: Path, other: str) -> None:
    (tmp_path / "box1").mkdir()
    (tmp_path / "P001.png").write_bytes(PICTURE)
    csv, json_ = b"file,derivatives\nP001.png,no\n", b'[{"file": "P001.png", "derivatives": "no"}]'
    (tmp_path / other).write_bytes(json_ if other.endswith(".json") else csv)
    found: list[Record | Unreadable | Remark] = []
    with pytest.raises(MalformedAnswer, match="looks like a table") as stopped:
        found.extend(FolderArchive(tmp_path, lambda _: False).records(Window()))
    assert other in str(stopped.value)
    assert [each.rights.derivatives for each in found if isinstance(each, Record)] == [UNKNOWN]


def test_an_operator_who_frees_what_is_not_described_is_told_of_other_tables(made: Made) -> None:
    listed = made("cost\n1\n", "P001.png", name="costs.csv", free=True)
    assert (listed.rights, listed.remarked) == ({"P001.png": YES}, ["costs.csv: is not read as a table"])


def test_what_was_free_before_is_held_until_its_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "P001.png").write_bytes(PICTURE)
    (tmp_path / "records.csv").write_bytes(b'file,derivatives\n"P001.png,no\n')
    records = FolderArchive(tmp_path, lambda _: False).records(Window())
    held = next(records)
    assert isinstance(held, Record)
    assert (held.identifier, held.rights.derivatives) == ("P001", UNKNOWN)
    with pytest.raises(MalformedAnswer, match=r"records\.csv cannot be read"):
        next(records)


def test_beside_a_table_that_is_read_another_is_only_named(made: Made) -> None:
    listed = made(row("P001.png", "yes"), "P001.png", other=["costs.xlsx", "box1/costs.csv", "data.json"])
    assert listed.rights == {"P001.png": YES}
    assert {each.subject for each in listed.remarks} == {"costs.xlsx", "box1/costs.csv"}
    assert [each.identifier for each in listed.unreadable] == ["data.json"]


def test_a_table_of_another_name_that_nobody_may_read_stops_the_folder_as_well(tmp_path: Path) -> None:
    (tmp_path / "P001.png").write_bytes(PICTURE)
    (tmp_path / "list.csv").symlink_to("gone.csv")
    with pytest.raises(MalformedAnswer, match=r"list\.csv looks like a table"):
        Listed(tmp_path)


def test_a_list_in_json_of_another_name_stops_the_folder(tmp_path: Path) -> None:
    (tmp_path / "P001.png").write_bytes(PICTURE)
    (tmp_path / "data.json").write_text('[{"file": "P001.png", "derivatives": "no"}]')
    with pytest.raises(MalformedAnswer, match=r"data\.json looks like a table"):
        Listed(tmp_path)


def test_two_tables_in_one_folder_stop_it_and_tables_of_two_folders_do_not(made: Made, tmp_path: Path) -> None:
    assert made(CSV, "box1/P001.png", name="box1/records.csv").of_x1 == ("box1/P001.png",)
    listed = made(CSV, "P001.png", "box1/P001.png", name="records.csv")
    assert {record.identifier: record.pictures for record in listed.records} == {
        "x1": ("P001.png",),
        "box1/x1": ("box1/P001.png",),
    }
    (tmp_path / "box1/Records.xlsx").write_bytes(workbook(BOOK))
    with pytest.raises(MalformedAnswer, match="more than one table"):
        Listed(tmp_path)


@pytest.mark.parametrize("text", ["Title\nImage\n", "No\n\n1\n", "file, please\n", "画像\n"])
def test_a_note_that_only_begins_like_a_table_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "P001.png").write_bytes(PICTURE)
    (tmp_path / "notes.txt").write_text(text, encoding="utf-8")
    assert Listed(tmp_path).rights == {"P001.png": YES}


@pytest.mark.parametrize(
    "litter",
    ["README.md", "readme", "notes.txt", "Notes.PDF", "CHANGELOG", "report.docx", "~$records.xlsx", ".DS_Store",
     "Thumbs.db", "index.html"],
)  # fmt: skip
def test_a_persons_notes_in_a_folder_are_no_finding(tmp_path: Path, litter: str) -> None:
    (tmp_path / "P001.png").write_bytes(PICTURE)
    (tmp_path / litter).write_bytes(b"some text")
    listed = Listed(tmp_path)
    assert (listed.rights, listed.said) == ({"P001.png": YES}, "")


@pytest.mark.parametrize(
    "name", ["LICENSE", "licence.txt", "box1/Copyright (2020).pdf", "利用条件.pdf", "image_rights.md"]
)
def test_a_text_on_rights_is_named_and_left_to_a_person(made: Made, name: str) -> None:
    listed = made(row("P001.png"), "P001.png", other=[name])
    assert listed.remarked == [
        f"{name}: is a text on rights and is not read; what it forbids has to stand in records.csv"
    ]


def test_pictures_that_no_row_reaches_are_held_counted_and_named_unless_the_operator_frees_them(made: Made) -> None:
    pictures = [f"a{number}.png" for number in range(13)]
    listed = made(row("P001.png", "yes"), "P001.png", *pictures)
    assert [path for path, rights in listed.rights.items() if rights is YES] == ["P001.png"]
    assert "records.csv: 13 pictures that no row reaches for certain, held back: a0.png, a1.png" in listed.said
    assert "and 3 more" in listed.said
    listed = made(row("P001.png", "yes"), "P001.png", *pictures, free=True)
    assert set(listed.rights.values()) == {YES}
    assert "13 pictures that no row reaches, freed by undescribed_pictures" in listed.said


def test_a_row_that_reaches_no_picture_is_told(made: Made) -> None:
    listed = made("identifier,file,title\nx1,,A\nx2,gone.png,B\n", "P001.png")
    assert "the record x1 reaches no picture" in listed.said
    assert "records.csv line 3: there is no picture gone.png" in listed.said


def test_what_an_unusable_list_names_stays_held_whatever_is_free(made: Made) -> None:
    listed = made(row("gone.png;a;b.png;P001"), "a;b.png", "P001.png", "P001.tif", "c.png", free=True)
    assert listed.rights == {"a;b.png": UNKNOWN, "P001.png": UNKNOWN, "P001.tif": UNKNOWN, "c.png": YES}


def test_a_row_does_not_take_another_picture_for_one_that_cannot_be_read(made: Made) -> None:
    listed = made(row("P001.tif", "yes"), "P001.png", other=["P001.tif"])
    assert listed.of_x1 == ()
    assert listed.rights == {"P001.png": UNKNOWN}
    assert "P001.tif is of no picture format" in listed.said


def formula_without_value() -> bytes:
    return workbook([["identifier", "file", "derivatives"], ["x1", "P001.png", '=IF(1,"no","yes")']])


def packed(**parts: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name.replace("__", "/") + ".xml", part)
    return data.getvalue()


def tampered(old: bytes, new: bytes) -> bytes:
    """A workbook with other bytes in its sheet."""
    source = zipfile.ZipFile(io.BytesIO(workbook(BOOK)))
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as changed:
        for part in source.infolist():
            content = source.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                assert old in content
                content = content.replace(old, new, 1)
            changed.writestr(part.filename, content)
    return data.getvalue()


WIDE = b"".join(b'<row r="%d"><c r="XFD%d"/></row>' % (row, row) for row in range(3, 200))
FAR = b'<row r="99999999999"><c r="A99999999999" t="inlineStr"><is><t>x</t></is></c></row>'


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"no zip", "no workbook"),
        (workbook(BOOK)[:-200], "no workbook"),
        (packed(other=b"<a/>"), "damaged"),
        (packed(xl__workbook=b"\0" * (sheets.MAX_BYTES + 1)), "unpacked it is larger"),
        (tampered(b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet'), "the workbook is damaged"),
        (tampered(b"</sheetData>", WIDE + b"</sheetData>"), "more than 2,000,000 cells"),
        (tampered(b"</sheetData>", FAR + b"</sheetData>"), "more than 200,000 rows"),
        (workbook(BOOK, BOOK), "2 of its sheets"),
        (workbook([["title"], ["A"]]), "no column `identifier` or `file` .it has title"),
        (formula_without_value(), "cannot be read: sheet Sheet1 row 2 has a formula without its value"),
    ],
)
def test_a_workbook_that_cannot_be_read_for_sure_stops_the_folder(made: Made, data: bytes, reason: str) -> None:
    with pytest.raises(MalformedAnswer, match=reason):
        made(data, "P001.png", name="records.xlsx")


def test_numbers_and_dates_of_a_workbook_are_read_as_they_look(made: Made) -> None:
    from datetime import datetime  # noqa: PLC0415

    table: list[list[Any]] = [["id", "file", "year_from", "date"], [17, 1, 1863.0, datetime(1863, 5, 1)]]  # noqa: DTZ001
    listed = made(workbook(table), "1.png", name="records.xlsx")
    (record,) = listed.records
    assert (record.identifier, record.pictures, record.year_from) == ("17", ("1.png",), 1863)
    assert record.date_text == "1863-05-01"


def test_a_table_that_is_a_link_out_of_the_folder_stops_it(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "records.csv"
    outside.write_text(CSV)
    (tmp_path / "P001.png").write_bytes(PICTURE)
    (tmp_path / "records.csv").symlink_to(outside)
    with pytest.raises(MalformedAnswer, match="outside the folder"):
        Listed(tmp_path)
