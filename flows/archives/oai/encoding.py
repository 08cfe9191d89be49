"""In which encoding an answer is written, whatever it says of itself. Called by `protocol.py`; knows no XML.

A declaration is believed where the bytes bear it out. UTF-8 that is sound is UTF-8, for nothing else looks like it;
what is neither may be Japanese of another encoding, if reading it so gives kana.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0?\0", "utf-16-le"),
    (b"\0<\0?", "utf-16-be"),
)
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']\s*([\w.:-]{1,40})""")
_WIDER = {"shift_jis": "cp932", "euc_jp": "euc_jis_2004", "iso8859-1": "cp1252"}
"""What writers mean who name these: the same and more letters."""
_GUESSES = ("euc_jis_2004", "cp932")
_KANA = re.compile("[ぁ-んァ-ヶ]")
_UTF8 = "utf-8"


@dataclass(frozen=True)
class Encoded:
    """An answer's bytes without what stands before its first letter, and how to read them."""

    data: bytes
    codec: str
    remark: str = ""
    """Why it is not read as it says; empty where it is."""


def encoded(data: bytes) -> Encoded:
    """Find the encoding. An encoding of 16 or 32 bits is turned into UTF-8, so that `<` is one byte in all others."""
    data = data.lstrip()
    for mark, wide in _BOMS:
        if data.startswith(mark):
            if wide != _UTF8:
                data = data.decode(wide, "replace").lstrip("\ufeff").encode(errors="replace")
            return Encoded(data.lstrip(codecs.BOM_UTF8 + b" \t\r\n"), _UTF8)
    codec, said = _declared(data)
    found = next((each for each in _candidates(data, codec) if _reads(data, each)), None)
    if found is None:
        return Encoded(data, codec or _UTF8)
    odd = not data.isascii() and found != codec
    return Encoded(data, found, f"it says {said or 'no encoding'} and is written in {found}" if odd else "")


def _declared(data: bytes) -> tuple[str | None, str]:
    """The codec that the declaration names, UTF-8 where it names none, None where nobody knows it; and its word."""
    named = _DECLARED.match(data)
    if named is None:
        return _UTF8, ""
    word = named[1].decode("ascii", "replace")
    try:
        name = codecs.lookup(re.sub(r"(?i)^(x-sjis|sjis|windows-31j|cp943c?)$", "cp932", word)).name
    except LookupError:
        return None, word
    return _WIDER.get(name, name), word


def _candidates(data: bytes, codec: str | None) -> Iterator[str]:
    """In the order in which they are believed."""
    if codec and codec.startswith("iso2022"):  # written in ASCII's bytes, as UTF-8 may be
        yield codec
    yield _UTF8
    multibyte = codec in ("cp932", "euc_jis_2004", "gb18030", "gbk", "gb2312", "big5", "euc_kr")
    if codec and multibyte:
        yield codec
    if not _KANA.search(data.decode(_UTF8, "ignore")):  # else UTF-8 with a bad byte
        yield from (guess for guess in _GUESSES if _KANA.search(data.decode(guess, "ignore")))
        if codec and not multibyte:
            yield codec


def _reads(data: bytes, codec: str) -> bool:
    try:
        data.decode(codec)
    except (UnicodeError, LookupError):  # LookupError: a codec of no text, such as `hex`
        return False
    return True
