"""By which labels fields are known, of a manifest's `metadata` or on a page, in Japanese and English."""

from typing import Final

from flows.archives.folder.columns import understand
from flows.archives.values.formats import plain

LONGEST_LABEL: Final = 200
"""Characters by which a label is known."""

FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "title": ("title", "titles", "作品名", "画題", "画題等", "題名", "タイトル", "資料名", "書名", "name"),
    "artist": (
        *("artist", "artists", "creator", "author", "maker", "painter", "designer", "printmaker"),
        *("絵師", "作者", "著者", "画家", "画工", "筆者", "制作者", "作家", "著者名", "作者名"),
    ),
    "date": (
        *("date", "dates", "date created", "date made", "created", "creation date", "published", "publication date"),
        *("date issued", "issued", "year", "period", "出版年", "出版年月日", "年代", "制作年", "刊年", "和暦", "西暦"),
        *("時代", "成立年", "作成年", "年月日", "制作年代", "出版年月日等", "上演年月日"),
    ),
    "genre": ("genre", "subject", "subjects", "type", "category", "ジャンル", "分類", "主題", "種別", "画種", "件名"),
    "holder": (
        *("holder", "holding institution", "repository", "institution", "owner", "provider", "collection", "museum"),
        *("所蔵", "所蔵者", "所蔵機関", "所蔵館", "コレクション", "提供者"),
    ),
    "number": (
        *("identifier", "accession number", "object number", "call number", "shelfmark", "shelf mark", "inventory"),
        *("資料番号", "請求記号", "登録番号", "整理番号", "所蔵番号", "識別子", "id", "inventory number"),
    ),
    "credit": ("credit", "credit line", "attribution", "クレジット", "帰属"),
    "cast": ("cast", "配役", "役名・役者"),
    "role": ("role", "roles", "character", "characters", "役名", "役"),
    "actor": ("actor", "actors", "performer", "sitter", "actor depicted", "役者", "役者名", "俳優"),
    "rights": (
        *("rights", "right", "license", "licence", "copyright", "terms of use", "use", "usage", "conditions of use"),
        *("rights statement", "usage rights", "権利", "権利情報", "利用条件", "ライセンス", "著作権", "二次利用"),
        *("利用規定", "画像利用", "二次利用条件", "access rights", "reuse"),
    ),
}
"""Field → labels, as `plain` writes them: lower case, plain width, without a colon."""

COLUMNS: Final = {
    **{name: name for name in ("title", "artist", "date", "genre", "holder", "credit", "cast", "role", "actor")},
    "identifier": "number", "rights": "rights", "derivatives": "rights",
}  # fmt: skip
"""Column by the names that tables give it (`flows.archives.folder.columns`) → field, for labels that are not above."""

_FIELD_OF: Final = {plain(label): field for field, labels in FIELDS.items() for label in labels}


def field_of(label: str) -> str:
    """What a label names, else what a column so called would; what sounds like rights does name them."""
    said = plain(label).strip(" :：")
    return _FIELD_OF.get(said) or COLUMNS.get(understand((said[:LONGEST_LABEL],)).meant[0], "")
