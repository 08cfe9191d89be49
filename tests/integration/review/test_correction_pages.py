"""An entry's page lets a curator put right what is said of its prints, tells both words, and takes it back."""

from collections.abc import Iterator

import pytest

from db.catalogue import Catalogue
from db.entries.corrections import Correctable
from db.entries.night import Tone
from db.entries.review import Role
from db.settings import CatalogueSettings
from tests.integration.review.desk import Desk, Desks, desks
from tests.samples import Sample

DATABASES = ("sqlite",)
"""The page is the subject; its queries run on both databases in `tests/integration/db`."""


@pytest.fixture
def desk(catalogue: Catalogue, settings: CatalogueSettings) -> Iterator[Desks]:
    with desks(settings, catalogue) as made:
        yield made


@pytest.fixture
def entry(catalogue: Catalogue, sample: Sample) -> int:
    return sample.entries(catalogue, 1)[0]


@pytest.fixture
def image(catalogue: Catalogue, entry: int) -> int:
    """The entry's original."""
    return catalogue.attempt(entry).content.image_id


def _put(desk: Desk, entry: int, image: int, **fields: str) -> str:
    answer = desk.post(f"/entries/{entry}/pictures/{image}", fields)
    assert answer.status_code == 303, answer.text
    return desk.see(answer.headers["location"])


@pytest.mark.long
def test_a_curator_puts_right_and_both_words_are_told(
    catalogue: Catalogue, desk: Desks, entry: int, image: int
) -> None:
    aoi = desk("Aoi")
    page = _put(aoi, entry, image, field="artists", said="Kunisada\nKuniyoshi <b>")
    assert "Corrected. The next night goes by it" in page
    assert "Kunisada, Kuniyoshi <b>" in page
    assert "Corrected; the archive says: Sample artist, Another" in page
    assert "Artists: Sample artist, Another → Kunisada, Kuniyoshi <b>: Aoi," in page
    assert "<b>" not in aoi.get(f"/entries/{entry}").text
    assert "Nothing was changed" in _put(aoi, entry, image, field="artists", said="Kunisada\nKuniyoshi <b>")
    _put(aoi, entry, image, field="years", said="1835")
    _put(aoi, entry, image, field="cast", said="Gorō / Danjūrō")
    page = _put(aoi, entry, image, field="genre", said="")
    assert "Danjūrō as Gorō" in page
    assert "the archive says: 1850–1852" in page
    assert "the archive says: 役者絵" in page
    page = _put(aoi, entry, image, field="artists", take_back="true")
    assert "The correction is taken back." in page
    assert "→ Sample artist, Another: Aoi," in page
    assert "(taken back)" in page
    assert catalogue.describe([image])[image].archive_words.keys() == {"years", "cast", "genre"}


@pytest.mark.long
def test_the_tone_is_set_and_taken_back_on_the_page_of_an_entry(
    catalogue: Catalogue, desk: Desks, entry: int, image: int
) -> None:
    page = _put(desk("Aoi"), entry, image, field="tone", said="colour")
    assert "colour, says Aoi; it was taken for grayscale before." in page
    assert "Tone: grayscale → colour: Aoi," in page
    assert catalogue.toned_picture(image).tone is Tone.COLOUR
    page = _put(desk("Ben"), entry, image, field="tone", take_back="true")
    assert "says Aoi" not in page
    assert "Tone: colour → grayscale: Ben," in page
    assert "(taken back)" in desk("Chie").see("/tones?tone=grayscale")


@pytest.mark.parametrize(
    ("field", "said"),
    [("years", "Kaei 3"), ("tone", "sepia"), ("tone", ""), ("title", "x"), ("genre", "x" * 2001), ("genre", "a\nb")],
)
def test_what_cannot_be_said_changes_nothing(
    catalogue: Catalogue, desk: Desks, entry: int, image: int, field: str, said: str
) -> None:
    answer = desk().post(f"/entries/{entry}/pictures/{image}", {"field": field, "said": said})
    assert answer.status_code == 422
    assert catalogue.put_right([image])[image].history == ()


@pytest.mark.long
def test_only_prints_of_the_entry_are_put_right(catalogue: Catalogue, desk: Desks, sample: Sample, entry: int) -> None:
    other = sample.store(catalogue, sample.record("other"), Tone.GRAYSCALE)
    answer = desk().post(f"/entries/{entry}/pictures/{other}", {"field": "genre", "said": "x"})
    assert answer.status_code == 404
    (style,) = catalogue.attempt(entry).styles
    assert "Corrected." in _put(desk("Aoi"), entry, style.image_id, field="genre", said="x")


def test_who_looks_reads_the_corrections_and_makes_none(
    catalogue: Catalogue, settings: CatalogueSettings, desk: Desks, entry: int, image: int
) -> None:
    catalogue.correct(image, "Aoi", Correctable.GENRE, ["美人画"])
    viewer = desk("Vera", Role.VIEWER)
    page = viewer.see(f"/entries/{entry}")
    assert "the archive says: 役者絵" in page
    assert "Correct what is said" not in page
    form = {"field": "genre", "said": "x"}
    assert viewer.post(f"/entries/{entry}/pictures/{image}", form).status_code == 403
    with desks(settings, catalogue, review_read_only=True) as shut:
        assert "Correct what is said" not in shut("Ren", Role.ADMIN).see(f"/entries/{entry}")


@pytest.mark.long
def test_people_lead_to_their_authority_files_until_another_name_is_put_in_their_place(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    known = [("Another", "http://vocab.getty.edu/ulan/500063446"), ("Sample actor", "http://viaf.org/viaf/7")]
    known += [("Another", "http://www.wikidata.org/entity/Q552021"), ("Nobody", "http://viaf.org/viaf/8")]
    entry = sample.entry(catalogue, sample.record("r1", authorities=tuple(known)))
    page = desk("Aoi").see(f"/entries/{entry}")
    for address, told in (("ulan/500063446", "ULAN 500063446"), ("viaf/7", "VIAF 7"), ("entity/Q552021", "Wikidata Q")):
        assert f'{address}" rel="noreferrer noopener external" target="_blank">{told}' in page
    assert "VIAF 8" not in page
    page = _put(desk("Ben"), entry, catalogue.attempt(entry).content.image_id, field="artists", said="Kunisada")
    assert "ULAN" not in page
    assert "VIAF 7" in page


@pytest.mark.long
def test_the_page_says_it_in_japanese(catalogue: Catalogue, desk: Desks, entry: int, image: int) -> None:
    catalogue.correct(image, "Aoi", Correctable.CAST, [["五郎", "団十郎"]])
    aoi = desk("Aoi")
    aoi.post("/preferences", {"name": "language", "value": "ja", "back": "/"})
    page = aoi.see(f"/entries/{entry}")
    assert "団十郎（五郎）" in page
    assert "訂正済み（提供元の記載：Sample actor（Gorō）、Second actor）" in page
