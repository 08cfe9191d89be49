"""No folder of the machine leaves it by an error's words or an archive's name."""

import pytest

from db.exports.tables import cell
from db.pathless import archive_label, without_paths


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("no room left in /srv/nishiki/home/pictures; free some", "no room left in …/pictures; free some"),
        ("[Errno 2] No such file: '/home/mio/my prints/a b.png'", "[Errno 2] No such file: '…/a b.png'"),
        ('cannot read "/a/b.tif"', 'cannot read "…/b.tif"'),
        ("/opt/weights/vgg19.safetensors is damaged", "…/vgg19.safetensors is damaged"),
        ("(/tmp/x/)", "(…/)"),
        ("see https://example.org/a/b.html and 3/4 and and/or", "see https://example.org/a/b.html and 3/4 and and/or"),
        ("luma SSIM 0.2, 0.9 is the least", "luma SSIM 0.2, 0.9 is the least"),
        ("oai:example.org:a/b/c", "oai:example.org:a/b/c"),
    ],
)
def test_words_of_an_error_name_no_folder(said: str, left: str) -> None:
    assert without_paths(said) == left


def test_an_archive_that_is_a_folder_goes_by_the_folder_s_own_name_and_is_told_from_its_likes() -> None:
    one, other = archive_label("/home/mio/prints"), archive_label("/srv/prints")
    assert one != other
    assert all(label.startswith("prints (") and "/" not in label for label in (one, other))
    assert archive_label("waseda") == "waseda"
    assert archive_label("https://example.org/oai") == "https://example.org/oai"


@pytest.mark.parametrize(
    "text",
    [
        "=1", "+1", "-1", "@x", "\t=1", "\ra", "\na", "\ta", " =1", "\u3000=1", "\u00a0@x", "\ufeff=1", "\u200b+1",
        "\x00=1",         "＝1", "＋1", "－1", "＠x", "　＝1", "\u202e=1", "﹦1", "﹢1", "﹣1", "﹫x", "\u2028-1",
    ],
)  # fmt: skip
def test_what_a_spreadsheet_would_compute_is_text(text: str) -> None:
    assert cell(text) == f"'{text}"
    assert cell([text, "b"]) == f"'{text}; b"


@pytest.mark.parametrize("text", ["", " ", "豊国", "a=1", "1-2", "ー", "−1", "'=1", " a", "〜"])
def test_what_it_would_not_compute_stays_as_it_is(text: str) -> None:
    assert cell(text) == text
