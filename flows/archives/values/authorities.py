"""People by authority files (ULAN, VIAF, Wikidata): the address of a person's entry, in one form for each file."""

import re
from typing import Final

_FILES: Final = (
    (re.compile(r"https?://vocab\.getty\.edu/(?:page/)?ulan/([0-9]{9})"), "http://vocab.getty.edu/ulan/"),
    (re.compile(r"https?://(?:www\.)?viaf\.org/viaf/([0-9]{1,22})/?"), "http://viaf.org/viaf/"),
    (re.compile(r"https?://(?:www\.)?wikidata\.org/(?:wiki|entity)/(Q[0-9]{1,12})"), "http://www.wikidata.org/entity/"),
)


def authority(text: str) -> str:
    """The address of an entry as its file itself writes it; empty for what is none."""
    found = ((begins, form.fullmatch(text.strip())) for form, begins in _FILES)
    return next((begins + match[1] for begins, match in found if match), "")
