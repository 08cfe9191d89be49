"""What lies on a curator's desk, on both databases: own views, comments, requests."""

from db.catalogue import Catalogue
from db.entries.desk import MOST_VIEWS
from db.entries.night import Verdict
from db.entries.review import Judgement
from tests.samples import Sample

APPROVED = Judgement(Verdict.APPROVED)


def test_a_view_is_kept_under_its_name_by_each_for_themselves(catalogue: Catalogue) -> None:
    assert catalogue.save_view("Sumire", "faces", "fault=face")
    assert catalogue.save_view("Sumire", "faces", "fault=face&queue=all")
    assert catalogue.save_view("Aoi", "faces", "words=x")
    ((mine,), (theirs,)) = catalogue.saved_views("Sumire"), catalogue.saved_views("Aoi")
    assert (mine.name, mine.query) == ("faces", "fault=face&queue=all")
    catalogue.forget_view("Sumire", theirs.id)
    assert catalogue.saved_views("Aoi") == [theirs]
    catalogue.forget_view("Sumire", mine.id)
    assert catalogue.saved_views("Sumire") == []


def test_there_is_an_end_of_views_but_not_of_changing_them(catalogue: Catalogue) -> None:
    assert all(catalogue.save_view("Sumire", f"{number}", "") for number in range(MOST_VIEWS))
    assert not catalogue.save_view("Sumire", "one more", "")
    assert catalogue.save_view("Sumire", "0", "queue=all")
    assert len(catalogue.saved_views("Sumire")) == MOST_VIEWS


def test_comments_reach_those_who_judged_or_spoke(catalogue: Catalogue, sample: Sample) -> None:
    judged, spoken_on, other = sample.entries(catalogue, 3)
    catalogue.give_verdict(judged, "Aoi", APPROVED)
    catalogue.comment(spoken_on, "Aoi", "is this indigo?")
    for entry in (judged, spoken_on, other):
        catalogue.comment(entry, "Sumire", f"on {entry}")
    assert [each.text for each in catalogue.comments_for("Aoi", 9)] == [f"on {spoken_on}", f"on {judged}"]
    assert [each.text for each in catalogue.comments_for("Aoi", 1)] == [f"on {spoken_on}"]
    assert [(each.curator, each.text) for each in catalogue.comments(spoken_on)] == [
        ("Aoi", "is this indigo?"), ("Sumire", f"on {spoken_on}"),
    ]  # fmt: skip


def test_no_comment_tells_a_blind_word(catalogue: Catalogue, sample: Sample) -> None:
    one, _ = sample.entries(catalogue, 2)
    catalogue.comment(one, "Aoi", "hm")
    catalogue.give_verdict(one, "Sumire", APPROVED, blind_share=1.0)
    catalogue.comment(one, "Sumire", "fine")
    assert catalogue.comments_for("Aoi", 9) == []
    catalogue.give_verdict(one, "Aoi", APPROVED, blind_share=1.0)
    assert [each.text for each in catalogue.comments_for("Aoi", 9)] == ["fine"]
