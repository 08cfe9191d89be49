"""Where a part of a list ended, in any order of the queue, is taken by the API as its `after`."""

import pytest

from db.entries.review import Place
from db.review.api.messages import EntriesAsked
from db.review.view.filter_form import MOST_NUMBER, place_of, place_text


@pytest.mark.parametrize("first", [0.1 + 0.2, -0.5, 3.000000001, 1e-17, 1e9, 1e17, 5e-324, 1234, MOST_NUMBER])
def test_every_place_of_a_queue_can_be_gone_on_from(first: float) -> None:
    place = Place(first, MOST_NUMBER)
    after = EntriesAsked.model_validate({"after": place_text(place)}).after
    assert after is not None
    assert place_of(after) == place
