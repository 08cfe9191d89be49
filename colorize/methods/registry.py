"""Every way to colour that there is, a line each; the only list of methods. Loads neither torch nor numpy."""

from collections.abc import Mapping
from typing import Final

from colorize.errors import BadRecipe
from colorize.methods.base import ENCODER, Method, Needs
from colorize.methods.exemplar.parameters import Blocks, Exemplar
from colorize.methods.neural_style.parameters import NeuralStyle
from colorize.methods.trained import COLORIZER, CieluvNet, MaskGan

_LEARNED: Final = Needs(styles=0, models=(ENCODER, COLORIZER))

METHODS: Final[Mapping[str, Method]] = {
    method.name: method
    for method in (
        Method("neural_style", "colorize.methods.neural_style.painting", NeuralStyle, paints=True),
        Method("blocks", "colorize.methods.exemplar.printing", Blocks),
        Method("exemplar", "colorize.methods.exemplar.transfer", Exemplar),
        Method("reinhard", "colorize.methods.reinhard"),
        Method("welsh", "colorize.methods.welsh"),
        Method("levin", "colorize.methods.levin", needs=Needs(styles=0, marks="required")),
        Method("cieluv_net", "colorize.methods.cieluv_net", CieluvNet, _LEARNED),
        Method("mask_gan", "colorize.methods.mask_gan", MaskGan, _LEARNED),
    )
}


def method_named(name: str) -> Method:
    """The method of that name.

    Raises:
        BadRecipe: there is none.
    """
    if name not in METHODS:
        raise BadRecipe(f"method is {name!r}; give one of {', '.join(METHODS)}")
    return METHODS[name]
