"""One picture file coloured by `flows.single`: formats, depths and marks, as `nishiki colorize` does it."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage.color import rgb2lab
from typer.testing import CliRunner

from colorize.errors import BadMarks, NotFit, StyleWithoutColour, UnreadableImage, UnwritableFormat
from colorize.images.decode import Pixels
from colorize.images.resize import to_gray
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print
from flows.cli.app import app
from flows.settings import Settings
from flows.single import Files, colorize_files
from tests.provenance import read_provenance

GRAY, COLOUR, MARKS = Path("gray.png"), Path("colour.png"), Path("marks.json")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """In a folder with a gray picture of two halves, a colour print, and a mark on the left half."""
    monkeypatch.chdir(tmp_path)
    halves = np.full((96, 128, 3), 90, np.uint8)
    halves[:, 64:] = 190
    Image.fromarray(halves).save(GRAY)
    Image.fromarray(draw_print(design(3), 0).pixels[::4, ::4]).save(COLOUR)
    MARKS.write_text(json.dumps({"marks": [{"points": [[20, 40]], "width": 9, "colour": "#b5402e"}]}))
    return Settings.model_validate({"home": tmp_path / "home", "device": "cpu", "size": 128})


def coloured(settings: Settings, output: str, style: Path | None = COLOUR, marks: Path | None = None) -> list[str]:
    return list(colorize_files(settings, Files(GRAY, (style,) if style else (), marks, Path(output))))


def lab(pixels: Pixels) -> np.ndarray:
    return np.asarray(rgb2lab(pixels))


@pytest.mark.parametrize("name", ["result.png", "result.tif", "result.jpg"])
def test_the_name_decides_the_format_and_each_says_how_it_was_made(settings: Settings, name: str) -> None:
    said = coloured(settings, name)
    assert said[0].startswith(f"{name}: 128×96 px, nishiki/colour, ")
    found = read_provenance(Path(name).read_bytes())
    assert found is not None
    assert (found.recipe_name, found.content.identifier, found.styles[0].identifier) == (
        "nishiki/colour", "gray.png", "colour.png",
    )  # fmt: skip
    assert "machine-colorized" in found.description


@pytest.mark.long
def test_the_map_of_trust_lies_beside_the_result_and_the_figure_is_said_in_words(settings: Settings) -> None:
    said = coloured(settings, "result.jpg")
    (told,) = (each for each in said if each.startswith("Trust in the colours: 0."))
    assert "result.trust.png maps where" in told
    assert np.array(Image.open("result.trust.png")).shape == (96, 128, 3)
    found = read_provenance(Path("result.trust.png").read_bytes())
    assert found is not None
    assert (found.map_of_trust, found.content.identifier) == (True, "gray.png")
    list(coloured(settings.model_copy(update={"recipe": "nishiki/tint"}), "tint.png"))
    assert not Path("tint.trust.png").exists(), "it tells no trust"


def test_no_map_of_trust_is_written_over_an_original(settings: Settings) -> None:
    COLOUR.rename("result.trust.png")
    with pytest.raises(OSError, match="map of trust, and is one of the originals"):
        coloured(settings, "result.png", style=Path("result.trust.png"))


@pytest.mark.long
def test_another_impression_of_the_design_gives_its_colours_in_place(settings: Settings) -> None:
    truth = draw_print(design(3), 1).pixels
    Image.fromarray(to_gray(truth)).save(GRAY)
    Image.fromarray(draw_print(design(3), 0).pixels).save(COLOUR)
    Image.fromarray(draw_print(design(5), 0).pixels).save("other.png")
    styles = (Path("other.png"), COLOUR)
    said = list(colorize_files(settings, Files(GRAY, styles, None, Path("result.png"))))
    measures = dict(each.rsplit(" ", 1) for each in said[2].split(", "))
    assert float(measures["in place"]) > 0.5
    assert "style 1" not in measures, "it is taken alone"
    assert float(measures["registration residual"]) < 8


def test_several_styles_are_chosen_from_and_named_in_the_result(settings: Settings) -> None:
    Image.fromarray(draw_print(design(5), 0).pixels[::4, ::4]).save("other.png")
    words = ["colorize", str(GRAY), str(COLOUR), "other.png", "-o", "result.png", "--size", "128", "--device", "cpu"]
    run = CliRunner().invoke(app, words)
    assert (run.exit_code, "style 1 " in run.stdout, "style 2 " in run.stdout) == (0, True, True), run.output
    found = read_provenance(Path("result.png").read_bytes())
    assert found is not None
    assert [each.identifier for each in found.styles] == ["colour.png", "other.png"]
    assert found.recipe_data["styles"] == 5


@pytest.mark.parametrize(
    ("recipe", "given", "said"),
    [("nishiki/colour", 6, "from up to 5"), ("classics/welsh2002", 2, "from one"), ("nishiki/tint", 3, "from one")],
)
def test_more_styles_than_a_recipe_chooses_from_are_refused_before_the_work(
    settings: Settings, recipe: str, given: int, said: str
) -> None:
    words = ["colorize", str(GRAY), *[str(COLOUR)] * given, "-o", "result.png", "--recipe", recipe, "--device", "cpu"]
    run = CliRunner().invoke(app, words)
    assert run.exit_code == 2
    assert f"{given} style images were given" in run.stderr
    assert said in run.stderr


def test_a_scan_of_sixteen_bits_gives_a_result_of_sixteen_bits(settings: Settings) -> None:
    ramp = np.tile(np.linspace(9000, 60000, 128).astype(np.uint16), (96, 1))
    Image.fromarray(ramp).save("gray.tif")
    list(colorize_files(settings, Files(Path("gray.tif"), (COLOUR,), None, Path("result.tif"))))
    found = tifffile.imread("result.tif")
    assert found.dtype == np.uint16
    assert found.shape == (96, 128, 3)
    assert len(np.unique(found)) > 256
    assert np.abs(lab(found)[..., 0] - lab(np.repeat(ramp[..., None], 3, 2))[..., 0]).max() < 0.01


def test_marks_alone_colour_their_region_and_the_file_names_them(settings: Settings) -> None:
    marked = settings.model_copy(update={"recipe": "nishiki/marks"})
    gray = {"points": [[110, 40]], "width": 9, "colour": "gray"}
    MARKS.write_text(json.dumps({"marks": [*json.loads(MARKS.read_text())["marks"], gray]}))
    coloured(marked, "result.png", style=None, marks=MARKS)
    chroma = np.hypot(*np.moveaxis(lab(np.array(Image.open("result.png")))[..., 1:], 2, 0))
    assert chroma[:, :56].mean() > 20
    assert chroma[:, 72:].mean() < 3
    found = read_provenance(Path("result.png").read_bytes())
    assert found is not None
    assert found.styles[0].identifier == "marks.json"
    assert found.marks_sha256 is not None


@pytest.mark.long
def test_marks_hold_whatever_the_recipe_found(settings: Settings) -> None:
    coloured(settings, "plain.png")
    coloured(settings, "marked.png", marks=MARKS)
    plain, marked = (lab(np.array(Image.open(name))) for name in ("plain.png", "marked.png"))
    assert np.abs(marked - plain)[40, 20, 1:].max() > 10
    assert marked[40, 20, 1] > 20, "red"
    assert np.abs(marked - plain)[..., 0].max() < 0.5, "the drawing stays"


def test_what_cannot_be_done_is_said_before_anything_is_written(settings: Settings) -> None:
    with pytest.raises(UnwritableFormat, match=r"result\.gif.*\.png"):
        coloured(settings, "result.gif")
    with pytest.raises(StyleWithoutColour, match="the style image is grayscale"):
        coloured(settings, "result.png", style=GRAY)
    MARKS.write_text(json.dumps({"marks": [{"points": [[900, 4]], "colour": "blau"}]}))
    with pytest.raises(BadMarks, match="mark 1 lies outside") as told:
        coloured(settings, "result.png", marks=MARKS)
    assert "blau" in str(told.value), "each fault is named"
    with pytest.raises(BadMarks, match="give some"):
        coloured(settings.model_copy(update={"recipe": "nishiki/marks"}), "result.png")
    assert not Path("result.png").exists()


@pytest.mark.long
def test_a_rejected_result_is_written_only_where_that_was_asked_for_and_says_so(settings: Settings) -> None:
    Image.new("L", (128, 96), 230).save(GRAY)
    with pytest.raises(NotFit, match=r"result\.png was not written.*nothing to colour.*--keep-rejected"):
        coloured(settings, "result.png")
    assert [path.name for path in Path.cwd().glob("result*")] == []
    said = list(colorize_files(settings, Files(GRAY, (COLOUR,), None, Path("result.png")), keep_rejected=True))
    assert said[0].startswith("result.png: 128×96 px")
    assert "Not fit to be shown: nothing to colour: the content is blank." in said
    found = read_provenance(Path("result.png").read_bytes())
    assert found is not None
    assert found.refusal == "nothing to colour: the content is blank"
    assert found.description.endswith("rejected by the machine: nothing to colour: the content is blank")


@pytest.mark.long
def test_the_command_ends_with_1_where_it_wrote_nothing(settings: Settings) -> None:
    Image.new("L", (128, 96), 230).save(GRAY)
    words = ["colorize", str(GRAY), str(COLOUR), "-o", "result.png", "--size", "128", "--device", "cpu"]
    run = CliRunner().invoke(app, words)
    assert (run.exit_code, run.stderr.count("nishiki: ")) == (1, 1)  # a line of progress may stand before it
    assert "nishiki: result.png was not written, for it is not fit to be shown: " in run.stderr
    assert not Path("result.png").exists()
    assert CliRunner().invoke(app, [*words, "--keep-rejected"]).exit_code == 0
    assert Path("result.png").exists()


def flat(*colour: int) -> Pixels:
    return np.full((96, 128, 3), colour, np.uint8)


def textured(height: int, width: int) -> Pixels:
    """Grain without a line."""
    random = np.random.default_rng(2).normal(128, 40, (height, width))
    return np.repeat(np.clip(random, 0, 255).astype(np.uint8)[..., None], 3, 2)


CONTENTS = {
    "black": (flat(0, 0, 0), "blank"),
    "white": (flat(255, 255, 255), "blank"),
    "scroll": (to_gray(draw_print(design(4), 0).pixels)[:40].repeat(2, 1), None),
    "small": (to_gray(draw_print(design(4), 0).pixels[::12, ::12])[:64, :64], None),
    "grain": (textured(96, 128), None),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_an_odd_content_is_coloured_or_said_to_be_blank(settings: Settings, name: str) -> None:
    content, refusal = CONTENTS[name]
    Image.fromarray(content).save(GRAY)
    if refusal:
        with pytest.raises(NotFit, match=refusal):
            coloured(settings, "result.png")
        assert not Path("result.png").exists()
        return
    list(colorize_files(settings, Files(GRAY, (COLOUR,), None, Path("result.png")), keep_rejected=True))
    found = np.array(Image.open("result.png"))
    assert found.shape == content.shape
    assert np.ptp(found.astype(int), axis=2).mean() > 3, "no gray picture passes for a coloured one"


@pytest.mark.parametrize("colour", [(128, 128, 128), (200, 40, 30), (30, 60, 160)])
def test_a_style_of_one_colour_is_refused(settings: Settings, colour: tuple[int, int, int]) -> None:
    Image.fromarray(flat(*colour)).save("flat.png")
    with pytest.raises(StyleWithoutColour, match=r"the style image is (grayscale|toned)"):
        coloured(settings, "result.png", style=Path("flat.png"))


@pytest.mark.long
@pytest.mark.parametrize("place", [1, 2])
def test_a_bad_style_among_several_is_left_out_and_said(settings: Settings, place: int) -> None:
    Path("broken.png").write_bytes(COLOUR.read_bytes()[:200])
    for bad, said in (
        (Path("broken.png"), f"Style image {place} cannot be read"),
        (GRAY, f"style image {place} gives"),
    ):
        styles = [COLOUR]
        styles.insert(place - 1, bad)
        told = list(colorize_files(settings, Files(GRAY, tuple(styles), None, Path(f"{bad.stem}-result.png"))))
        assert any(each.startswith(said) for each in told)
        (why,) = (each for each in told if each.startswith(f"{bad} was left out: "))
        found = read_provenance(Path(f"{bad.stem}-result.png").read_bytes())
        assert found is not None
        assert [each.identifier for each in found.styles] == ["colour.png"]
        assert [f"{each.style.identifier} was left out: {each.why}" for each in found.left_out] == [why]
        assert f"; {bad} gave no colours: " in found.description


def test_where_no_style_can_be_read_the_picture_is_refused(settings: Settings) -> None:
    Path("broken.png").write_bytes(b"no picture")
    broken = (Path("broken.png"),) * 2
    with pytest.raises(UnreadableImage):
        list(colorize_files(settings, Files(GRAY, broken, None, Path("result.png"))))
    assert not Path("result.png").exists()
