"""Real prints with the original weights, where they are present: the partner of each gray print is its match.

NISHIKI_SHARED names the folder that holds `prints` and `weights`; else it is `shared` beside the project.
"""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from db.catalogue import Catalogue
from db.settings import CatalogueSettings
from tests.e2e.conftest import Here, Nishiki
from tests.shared import SHARED

PARTNERS = {"pair_kirifuri_2": "pair_kirifuri_1_met_DP141256", "pair_mannen_2_keio": "pair_mannen_1"}
OTHERS = ("actor_01_sharaku_oniji_a.png", "actor_07_toyokuni3_umeomaru.jpg", "colour_02_harunobu.png",
          "colour_05_kiyonaga.jpg", "colour_08_yoshitoshi_1888.jpg")  # fmt: skip

pytestmark = pytest.mark.skipif(
    not ((SHARED / "prints").is_dir() and (SHARED / "weights").is_dir()), reason="there are no real prints here"
)


@pytest.mark.long
def test_a_gray_print_is_matched_with_another_impression_of_its_design(nishiki: Nishiki, tmp_path: Path) -> None:
    folder = tmp_path / "prints"
    folder.mkdir()
    for name in PARTNERS:
        with Image.open(SHARED / "prints" / f"{name}.jpg") as colour:
            colour.convert("L").save(folder / f"{name}.jpg", quality=95)
    for name in (*(f"{partner}.jpg" for partner in PARTNERS.values()), *OTHERS):
        shutil.copy(SHARED / "prints" / name, folder)
    own = {"NISHIKI_WEIGHTS_DIR": str(SHARED / "weights"), "NISHIKI_RECIPE": "jadh2016/config3_3_4"}
    own |= {"NISHIKI_ENCODER": ""}  # the recipe's own, as the night finds it
    real = Here(nishiki.home, {**nishiki.environment, **own})

    said = real.good("nightly", str(folder), "--size", "96", "--iterations", "5")
    assert "Encoder: vgg19-oxford" in said
    with Catalogue.open(CatalogueSettings(home=real.home), create=False) as catalogue:
        attempts = list(catalogue.attempts())
    assert {attempt.content.identifier: attempt.styles[0].identifier for attempt in attempts} == PARTNERS
    for attempt in attempts:
        assert attempt.result is not None
        assert attempt.result.total_error_mean is not None
        assert attempt.outcome in ("succeeded", "rejected")
