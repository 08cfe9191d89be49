"""Which encoder works: the one named, the recipe's own, another full VGG-19 in its place, else the small one."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from colorize.encoders.weights import FULL_WIDTHS, WeightsFile
from colorize.errors import UnknownEncoder, WeightsMissing
from colorize.recipes.library import recipe_named, recipes
from db.entries.night import EncoderKey, RecipeEntry
from flows.plan import chosen_for, encoder_named, encoder_weights, recipe_entry, sized_recipe, users_of
from flows.reports.encoder_note import weights_sentence as sentence
from flows.settings import Settings

OXFORD, TORCHVISION, SMALL = "vgg19-oxford", "vgg19-torchvision", "nishiki-small"
DOWNLOAD = "nishiki weights download gets VGG-19"
PAPERS, TINT = recipe_named("jadh2016/config3_3_4"), recipe_named("nishiki/tint")
SettingsWith = Callable[..., Settings]


def file(name: str, widths: Sequence[int] = FULL_WIDTHS) -> WeightsFile:
    return WeightsFile(name, Path(f"/{name}.safetensors"), f"{name:0<64}", 1, tuple(widths), {})


HERE = {
    OXFORD: file(OXFORD), TORCHVISION: file(TORCHVISION), "own": file("own"), "narrow": file("narrow", [4] * 5),
    SMALL: file(SMALL, [16] * 5), "random-seeded": file("random-seeded"),
}  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path, narrow_weights: Path) -> SettingsWith:
    """Settings whose own folder holds a narrow encoder that calls itself random-seeded, and whose cache is empty."""
    return lambda **given: Settings(**{"weights_dir": narrow_weights, "cache_dir": tmp_path, **given})


@pytest.mark.parametrize(
    ("available", "tuned_for", "chosen"),
    [
        ([SMALL], OXFORD, SMALL),
        ([OXFORD, SMALL], OXFORD, OXFORD),
        ([OXFORD, SMALL], SMALL, SMALL),
        ([OXFORD, SMALL], None, SMALL),
        ([SMALL, TORCHVISION], OXFORD, TORCHVISION),
        ([TORCHVISION, SMALL, OXFORD], OXFORD, OXFORD),
        (["own", SMALL, TORCHVISION], OXFORD, "own"),
        (["narrow", SMALL], OXFORD, SMALL),
        (["narrow", SMALL], "narrow", "narrow"),
        ([SMALL, "random-seeded"], OXFORD, SMALL),
        (["random-seeded", SMALL], None, SMALL),
    ],
)
def test_without_a_name_the_recipes_own_encoder_works_or_a_full_vgg19_in_its_place_or_the_small_one(
    available: list[str], tuned_for: str | None, chosen: str
) -> None:
    assert chosen_for(tuned_for, [HERE[name] for name in available]) == HERE[chosen]


def test_a_night_without_any_configuration_works_with_the_shipped_encoder(settings: SettingsWith) -> None:
    for recipe in (PAPERS, TINT):
        assert encoder_weights(settings(weights_dir=None), recipe).name == SMALL


def test_a_name_is_sought_in_the_operators_folder_first_and_nothing_is_made_that_is_there(
    settings: SettingsWith, narrow_weights: Path, tmp_path: Path
) -> None:
    named = settings(encoder="random-seeded")
    assert encoder_weights(named, PAPERS).path.parent == narrow_weights
    assert encoder_named(settings(), SMALL).path.parent != narrow_weights
    assert list(tmp_path.iterdir()) == []


def test_an_encoder_that_is_not_there_is_told_what_there_is_and_how_to_get_more(settings: SettingsWith) -> None:
    named = settings(encoder=OXFORD)
    with pytest.raises(UnknownEncoder, match=f"no encoder '{OXFORD}'; there is random-seeded, {SMALL} "):
        encoder_weights(named, PAPERS)
    with pytest.raises(UnknownEncoder, match=r"nishiki weights download gets .* and NISHIKI_WEIGHTS_DIR names"):
        encoder_named(settings(), "misspelt")


def test_an_operators_folder_without_weights_is_told_whatever_is_named(settings: SettingsWith, tmp_path: Path) -> None:
    for name in (None, SMALL):
        with pytest.raises(WeightsMissing, match="holds no VGG-19 weights"):
            encoder_weights(settings(weights_dir=tmp_path, encoder=name), PAPERS)


def test_the_list_tells_which_recipes_would_use_which_file(settings: SettingsWith) -> None:
    here = [HERE[TORCHVISION], HERE[SMALL]]
    assert users_of(settings(), here) == {
        HERE[TORCHVISION].path: ["asiagraph2016", "asiagraph2016/*", "jadh2016/*", "locked/*"],
        HERE[SMALL].path: ["nishiki/*", "classics/*", "cieluv_net/*", "mask_gan/*"],
    }
    assert users_of(settings(encoder=SMALL), here) == {HERE[SMALL].path: ["every recipe"]}
    assert users_of(settings(encoder=OXFORD), here) == {}


def entry(name: str, tuned_for: str | None) -> RecipeEntry:
    return RecipeEntry(name, {} if tuned_for is None else {"encoder": tuned_for}, "d1")


@pytest.mark.parametrize(
    ("encoder", "tuned_for", "said"),
    [
        (SMALL, OXFORD, f" Recipe Mine was tuned for {OXFORD}; {SMALL} was used ({DOWNLOAD})."),
        ("own", OXFORD, f" Recipe Mine was tuned for {OXFORD}; own was used."),
        (OXFORD, SMALL, f" Recipe Mine was tuned for {SMALL}; {OXFORD} was used."),
        (TORCHVISION, OXFORD, ""),
        (OXFORD, OXFORD, ""),
        (SMALL, SMALL, ""),
        (SMALL, None, ""),
    ],
)  # fmt: skip
def test_a_recipe_that_was_tuned_for_another_encoder_is_named_beside_the_results(
    encoder: str, tuned_for: str | None, said: str
) -> None:
    key, mine = EncoderKey(encoder, "c0ffee"), entry("Mine", tuned_for)
    assert sentence(key, mine) == sentence(key) + said


def test_several_such_recipes_are_counted() -> None:
    some = [entry("a", OXFORD), entry("b", OXFORD), entry("c", SMALL)]
    assert f"2 recipes were tuned for {OXFORD};" in sentence(EncoderKey(SMALL, "c0ffee"), *some)
    assert recipe_entry(PAPERS).data["encoder"] == OXFORD


def test_a_recipe_needs_the_style_whose_paper_it_takes_and_else_what_its_method_says() -> None:
    several = {"nishiki/colour": 5, "nishiki/likeness": 5}
    several |= {name: 0 for name in recipes() if name.startswith(("cieluv_net/", "mask_gan/"))}
    assert {name: recipe_entry(recipe).styles for name, recipe in recipes().items()} == dict.fromkeys(
        recipes(), 1
    ) | several
    assert recipe_entry(recipe_named("nishiki/marks").changed(paper="own")).styles == 0
    assert recipe_entry(recipe_named("nishiki/colour").changed(paper="own", styles=1)).styles == 1


def test_the_small_encoder_says_what_it_is_and_random_weights_what_they_are_not() -> None:
    assert sentence(EncoderKey(SMALL, "c0ffee" * 9)) == (
        "Encoder: nishiki-small (c0ffeec0ffee), a small encoder distilled from VGG-19, shipped with nishiki."
    )
    assert sentence(EncoderKey(OXFORD, "c0ffee")) == f"Encoder: {OXFORD} (c0ffee)."
    random = sentence(EncoderKey("random-seeded", "c0ffee"), entry("a", OXFORD))
    assert "nothing learned" in random
    assert "demonstration" in random


def test_settings_of_least_trust_change_the_recipes_that_tell_trust_and_no_others() -> None:
    settings = Settings.model_validate({"least_trust": 0.3, "least_trust_area": 0.2})
    changed, named = sized_recipe("nishiki/colour", settings), recipe_named("nishiki/colour")
    assert changed.limits == {**named.limits, "trust": [0.3, 1.0]}
    assert changed.data()["least_trust"] == 0.2
    welsh = "classics/welsh2002"
    assert sized_recipe(welsh, settings).digest() == recipe_named(welsh).digest()


def test_the_setting_says_from_how_many_styles_a_recipe_chooses_where_it_can() -> None:
    settings = Settings.model_validate({"styles": 3, "size": 128})
    assert recipe_entry(sized_recipe("nishiki/colour", settings)).styles == 3
    assert (
        sized_recipe("classics/welsh2002", settings).digest()
        == recipe_named("classics/welsh2002").changed(long_edge_px=128).digest()
    )
