"""Captions of the ARC portal: the table of the documents, what is not understood, and whatever else may come."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.archives.apis.captions import Caption, Person, read_caption
from flows.archives.values.dates import SPANS

TABLE = Path(__file__).parents[4] / "docs" / "captions.md"
ROWS = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in TABLE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| `")
]
KANJI_ERAS = sorted(name for name, (start, _) in SPANS.items() if not name.isascii() and start < 1912)
LIKELY = "x1０３文久元天保治年末頃閏～-・、〈〉「」『』(（〔三世代目∥画豊国　 &#;<>★"
DIGITS = str.maketrans("0123456789", "０１２３４５６７８９")


def in_words(caption: Caption) -> list[str]:
    """A row of the table in docs/captions.md."""
    month = f"{'intercalary ' if caption.intercalary else ''}{caption.month}" if caption.month else ""
    years = [str(year or "?") for year in (caption.first_year, caption.last_year)]
    said = "–".join(dict.fromkeys(years)) if set(years) != {"?"} else ""
    return [
        f"`{caption.raw}`",
        caption.accession or "",
        said,
        month,
        *(", ".join(map(person, people)) for people in (caption.artists, caption.actors)),
        " / ".join(caption.titles),
    ]


def person(one: Person) -> str:
    role = f" ({one.role})" if one.role else ""
    return f"{one.name}{f' {one.generation}' if one.generation else ''}{role}"


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_caption_is_read_as_the_documents_say(row: list[str]) -> None:
    assert in_words(read_caption(row[0].strip("`"))) == row


def test_the_documents_show_thirty_captions() -> None:
    assert len(ROWS) >= 30


@pytest.mark.parametrize(
    ("text", "years", "month"),
    [
        ("x1文久０３０５・芳幾「題」", (None, None), None),
        ("x1文久００・０５・芳幾「題」", (None, None), 5),
        ("x1文久０５・・芳幾「題」", (None, None), None),
        ("x1嘉永０９～１２・・芳幾「題」", (None, None), None),
        ("x1明治２９～０９・・芳幾「題」", (None, None), None),
        ("x1文久０３・１３・芳幾「題」", (1863, 1863), None),
        ("x1文久０３・０４～０５・芳幾「題」", (1863, 1863), None),
        ("x1863・・芳幾「文久０３」", (None, None), None),
        ("x1・・天明老人「天保水滸伝」", (None, None), None),
        ("x1・文久０３・芳幾「題」", (None, None), None),
        ("x1芳幾文久・「題」", (None, None), None),
        ("BM-1863,0101.3・・芳幾「題」", (None, None), None),
        ("", (None, None), None),
        ("x1明治２０年代・・芳幾「題」", (1887, 1896), None),
        ("x1明治４０年代・・芳幾「題」", (1907, 1912), None),
        ("x1明治２５年代・・芳幾「題」", (None, None), None),
        ("x1弘化０４・０３～嘉永０５・０２・芳幾「題」", (1847, 1852), None),
        ("x1弘化０４・０３・芳幾「題」", (1847, 1847), 3),
        ("x1天保年代・・芳幾「題」", (1830, 1844), None),
        ("安政見聞誌-01安政０２・・芳幾「題」", (1855, 1855), None),
    ],
)
def test_what_is_not_understood_stays_open(text: str, years: tuple[int | None, int | None], month: int | None) -> None:
    found = read_caption(text)
    assert ((found.first_year, found.last_year), found.month, found.raw) == (years, month, text)


@pytest.mark.parametrize("month", ["０７閏", "閏０７", "０７・閏", "閏七月", "七月閏"])
def test_an_intercalary_month_is_one_wherever_its_mark_stands(month: str) -> None:
    found = read_caption(f"x1安政０１・{month}・何某「題」")
    assert (found.month, found.intercalary, found.artists) == (7, True, (Person("何某"),))


@given(st.text(LIKELY, max_size=60) | st.text(max_size=60))
def test_no_caption_raises_and_none_is_changed(text: str) -> None:
    found = read_caption(text)
    assert found.raw == text
    years = [year for year in (found.first_year, found.last_year) if year is not None]
    assert years == sorted(years)
    assert all(1596 <= year <= 2019 for year in years)
    assert found.month is None or 1 <= found.month <= 12


@given(
    st.from_regex(r"[A-Za-z]{2,5}[-0-9_.]{0,8}[0-9a-z](\([0-9]{2}\))?", fullmatch=True),
    st.sampled_from(KANJI_ERAS),
    st.integers(1, 15),
    st.integers(1, 12) | st.none(),
    st.booleans(),
    st.lists(st.tuples(st.sampled_from(["豊国", "国芳", "何某"]), st.integers(1, 8) | st.none()), max_size=3),
    st.lists(st.sampled_from(["題", "揃物(そろい)", "天保水滸伝 三", "「内」外"]), max_size=3),
    st.lists(st.tuples(st.sampled_from(["由良之助", "静", ""]), st.integers(1, 13)), max_size=3),
    st.booleans(),
)
def test_a_caption_that_is_put_together_comes_apart_again(
    accession: str,
    era: str,
    year: int,
    month: int | None,
    intercalary: bool,
    artists: list[tuple[str, int | None]],
    titles: list[str],
    cast: list[tuple[str, int]],
    wide: bool,
) -> None:
    start, end = SPANS[era]
    date = f"{era}{year:02}・" + (f"{month:02}{'閏' if intercalary else ''}" if month else "")
    names = "、".join(name + (f"〈{number}〉" if number else "") for name, number in artists)
    title = "".join(f"「{each}」" for each in titles or ["題"])
    actors = "、".join(f"{role}〈{number}〉市川　団十郎" for role, number in cast)
    found = read_caption(accession + (date.translate(DIGITS) if wide else date) + f"・{names}{title}{actors}")
    assert found.accession == accession
    assert found.first_year == found.last_year == (start + year - 1 if start + year - 1 <= end else None)
    assert (found.month, found.intercalary) == (month, intercalary and month is not None)
    assert found.artists == tuple(Person(name, number) for name, number in artists)
    assert found.titles == tuple(titles or ["題"])
    assert found.actors == tuple(Person("市川　団十郎", number, role or None) for role, number in cast)


@pytest.mark.long
def test_a_page_of_captions_takes_no_time() -> None:
    """No pattern backtracks without end on what an archive may send."""
    for part in ("文久", "～", "(", "〈", "「", "年", "１", "・", " ", "一"):
        read_caption(part * 10_000)
