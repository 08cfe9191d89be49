import math

import pytest

from colorize.measures.names import MEASURES
from colorize.recipes.limits import GRAY_CHROMA, Limits, limit_problems, refusal

SOUND = {"chroma_mean": 12.0, "lightness_ssim": 0.9996, "ink_chroma": 2.0}


def test_a_result_is_refused_below_the_least_chroma_and_not_at_it() -> None:
    assert refusal({"chroma_mean": GRAY_CHROMA}) is None
    assert refusal({"chroma_mean": GRAY_CHROMA - 1e-6}) is not None


def test_a_gray_result_is_refused_with_its_number_whatever_the_limits() -> None:
    assert refusal({"chroma_mean": 0.02}, {"chroma_mean": [0, 100]}) == "still gray: mean chroma 0.02, 1 is the least"


def test_a_picture_inside_its_limits_or_on_their_edge_passes() -> None:
    limits: Limits = {"lightness_ssim": [0.9996, 1], "ink_chroma": [0, 2]}
    assert refusal(SOUND, limits) is None


def test_a_picture_outside_its_limits_is_refused_with_every_number() -> None:
    limits: Limits = {"lightness_ssim": [0.999, 1], "ink_chroma": [0, 5]}
    assert refusal(SOUND | {"ink_chroma": 7.3}, limits) == "ink chroma 7.3, 5 is the most"
    both = refusal(SOUND | {"ink_chroma": 7.3, "lightness_ssim": 0.4}, limits)
    assert both == "lightness SSIM 0.4, 0.999 is the least; ink chroma 7.3, 5 is the most"


def test_a_number_is_shown_with_as_many_digits_as_tell_it_from_the_limit() -> None:
    assert (
        refusal(SOUND | {"lightness_ssim": 0.99899}, {"lightness_ssim": [0.999, 1]})
        == "lightness SSIM 0.99899, 0.999 is the least"
    )
    least_more = math.nextafter(5, 6)
    assert refusal(SOUND | {"ink_chroma": least_more}, {"ink_chroma": [0, 5]}) == (
        "ink chroma 5.0000000000000009, 5 is the most"
    )


def test_a_measure_that_is_not_there_refuses_nothing() -> None:
    assert refusal({"chroma_mean": 12.0}, {"ink_chroma": [0, 5]}) is None


def test_sound_limits_have_no_problem() -> None:
    assert list(limit_problems({name: [0, 1] for name in MEASURES})) == []


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"ink": [0, 5]}, "limits name 'ink', which nothing measures; give one of lightness_ssim, "),
        ({"chroma_texture_ratio": [0, 1]}, "limits name 'chroma_texture_ratio', which nothing measures; give one of "),
        ({"ink_chroma": [5, 0]}, "limits of ink_chroma are [5, 0]; give the least and the most"),
        ({"ink_chroma": [5]}, "limits of ink_chroma are [5]; "),
        ({"ink_chroma": [0, math.nan]}, "limits of ink_chroma are [0, nan]; "),
    ],
)
def test_limits_that_cannot_be_held_are_told(limits: dict[str, list[float]], words: str) -> None:
    (problem,) = limit_problems(limits)
    assert problem.startswith(words)
