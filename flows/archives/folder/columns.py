"""The columns of a table by the many names that people give them, in English and Japanese. Called by `table.py`.

A name is compared without capitals, width, spaces and marks: `File_Name`, `ＦＩＬＥ　ＮＡＭＥ` and `file name` are one.
A column that sounds like rights is one, known or not, so that no restriction is passed over for its heading.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_NAMES = {
    "identifier": (
        "identifier|識別子 id|資料id|作品id|recordid|objectid|itemid accessionnumber|accessionno|accession"
        " inventorynumber|inventoryno objectnumber|objectno recordnumber|recordno callnumber|callno|請求記号"
        " 資料番号|管理番号|作品番号|整理番号|登録番号|所蔵番号|収蔵番号|目録番号 number|no|nr|番号"
    ),
    "file": (
        "file|filename|filepath|path|image|imagefile|imagefilename|imagename|imagepath|picture"
        "|picturefile|photo|photofile|photograph|scan|scanfile|ファイル|ファイル名|ファイルパス"
        "|ファイル名称|画像|画像名|画像ファイル|画像ファイル名|写真|写真ファイル|図版|パス"
    ),
    "title": "title|タイトル|題名|題|作品名|画題|外題|標題|名称|資料名 objecttitle|name",
    "artist": ("artist|絵師|絵師名|画家|画工 creator|作者|作者名|作家|制作者|作成者 designer|painter|maker"),
    "actor": "actor|役者|役者名|俳優|俳優名 performer",
    "role": "role|役|役名|役柄 character",
    "cast": "cast|配役",
    "date": (
        "date|年月日|年代|年月|制作年|制作年代|製作年|刊年|出版年|上演年月|成立年 datecreated|dated|period|日付"
        " year|年|西暦"
    ),
    "year_from": "yearfrom|startyear|yearstart|datefrom|開始年",
    "year_to": "yearto|endyear|yearend|dateto|終了年",
    "genre": "genre|ジャンル|分類|画種 category|種別|種類",
    "holder": (
        "holder|所蔵|所蔵者|所蔵館|所蔵先|所蔵機関 institution|repository|museum owner|所有者 collection|コレクション"
    ),
    "credit": "credit|creditline|クレジット|クレジットライン",
    "url": "url|link landingpage|landingurl|permalink",
    "rights": "right|権利|権利表記|権利情報 licence|license|ライセンス",
    "derivatives": ("derivative|derivativeworks|derivativesallowed|改変|改変可否|改変の可否|二次的著作物|派生物"),
}
"""By column: its names in order of preference; those with `|` between them are equally good."""
_AUTHORITY_FILES = ("authority", "authorities", "ulan", "viaf", "wikidata", "典拠", "の典拠")
_ADDRESSES = ("url", "uri", "link", "リンク", "アドレス")
_ENDINGS = (*_AUTHORITY_FILES, *_ADDRESSES, *(file + address for file in _AUTHORITY_FILES for address in _ADDRESSES))
AUTHORITIES = {f"{person}_authority": person for person in ("artist", "actor")}
"""Columns of people's addresses in authority files, each as preferred as its people are; all of a row's count."""
_NAMES |= {
    column: " ".join("|".join(name + end for name in group.split("|") for end in _ENDINGS) for group in groups.split())
    for column, groups in ((column, _NAMES[person]) for column, person in AUTHORITIES.items())
}
_KNOWN = {
    name.removesuffix("s"): (column, rank)
    for column, groups in _NAMES.items()
    for rank, group in enumerate(groups.split())
    for name in group.split("|")
}
_LIKE = {
    "derivatives": re.compile(
        "derivati[vo]|modif(?:y|ication)|adaptation|alteration|colou?ri[sz]|改変|改作|翻案|カラー化|着色"
    ),
    "rights": re.compile(
        "right|licen[cs]|copyleft|permi(?:t|ssion)|restrict|reuse|usage|^use(?!r)|conditionsofuse|termsof|allowed|embargo"
        "|access(?!ion)|著作|権|許諾|許可|利用|使用|ライセンス|転載|複製|二次|条件|クリエイティブ"
    ),
}
"""Headings that sound like a column, whatever else stands in them."""
_MARKS = str.maketrans({
    **dict.fromkeys("‐‑‒–—―−", "-"), **dict.fromkeys("〜～", "~"), **dict.fromkeys("’‘`´", "'"),
    **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"),
})  # fmt: skip
"""Marks that programs put for one another, and those that nobody sees."""
RIGHTS = ("rights", "derivatives")
"""Columns whose every cell is a statement of its own: the strictest holds."""


@dataclass(frozen=True)
class Columns:
    """What the headings of a table mean."""

    meant: tuple[str, ...]
    """For each heading the column; empty where it is none that we use."""
    unknown: tuple[str, ...]
    """Headings of columns that are kept and not used."""


@lru_cache(maxsize=64)
def understand(headings: Sequence[str]) -> Columns:
    """The columns of these headings; of several names for one column the preferred one counts."""
    found = [_column(heading) for heading in headings]
    best: dict[str, int] = defaultdict(lambda: len(_KNOWN))
    for column, rank in found:
        best[column] = min(best[column], rank)
    # An address of a `creator` says nothing of those in the column `artist` beside it.
    best |= {column: best[person] for column, person in AUTHORITIES.items() if person in best}
    meant = tuple(column if column in RIGHTS or rank == best[column] else "" for column, rank in found)
    unknown = dict.fromkeys(
        heading.strip() or "a column without a name"
        for heading, column in zip(headings, meant, strict=True)
        if not column
    )
    return Columns(meant, tuple(unknown))


def names_something(headings: Sequence[str]) -> bool:
    """Do these headings belong to a table whose rows name files or records?"""
    return bool({"identifier", "file"} & set(understand(tuple(headings)).meant))


def plain(text: str) -> str:
    """Text for comparison: without capitals, width, kinds of dashes, and more than one space at a time."""
    folded = unicodedata.normalize("NFKC", text.translate(_MARKS)).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def bare(heading: str) -> str:
    """A heading for comparison: nothing but its letters and digits, and no plural."""
    return re.sub(r"[\W_]", "", plain(heading)).removesuffix("s")


def _column(heading: str) -> tuple[str, int]:
    """The column and the rank of its name; a bilingual heading (`file / ファイル名`) is known by either half."""
    for part in (heading, *re.split(r"[/／・|(（)）\n]", heading)):
        if known := _KNOWN.get(bare(part)):
            return known
    like = "rights" if "©" in heading else next((c for c, words in _LIKE.items() if words.search(bare(heading))), "")
    return like, len(_KNOWN)
