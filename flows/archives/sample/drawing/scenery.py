"""A landscape (meisho-e): a mountain, the sea, boats and a pine under a shaded sky."""

import numpy as np
from numpy.random import Generator

from flows.archives.sample.drawing.curves import dots
from flows.archives.sample.drawing.grounds import pine_bough, wave_rows
from flows.archives.sample.drawing.sheet import Sheet

SKY = dots("-1,-1 101,-1 101,96 -1,96")


def draw_landscape(sheet: Sheet, random: Generator) -> None:
    """The whole view; the mountain's place and the boats are left to chance."""
    sheet.fill(SKY, "paper")
    sheet.shade("bero", -5, 46)
    sheet.shade("rose", 96, 50, 0.7)
    x = float(random.uniform(35, 65))
    mountain = [
        (x - 52, 97),
        (x - 52, 97),
        (x - 26, 76),
        (x - 9, 50),
        (x - 6, 46),
        (x + 5, 46),
        (x + 9, 50),
        (x + 28, 77),
        (x + 54, 97),
        (x + 54, 97),
    ]
    sheet.shape(mountain, "ai", width=0.6)
    sheet.shape(
        [
            (x - 14, 60),
            (x - 6, 46),
            (x + 5, 46),
            (x + 14, 59),
            (x + 9, 57),
            (x + 5, 63),
            (x, 56),
            (x - 4, 64),
            (x - 8, 57),
        ],
        "white",
        width=0.5,
    )
    sheet.shape(
        dots("-4,96 14,88 34,92 56,87 80,92 104,86 104,104 -4,104"),
        "moss",
        width=0.5,
    )
    wave_rows(sheet, 104.0)
    for left, y in zip(random.uniform(8, 66, 2), (112.0, 126.0), strict=True):
        _boat(sheet, float(left), y)
    pine_bough(sheet, dots("104,60 90,40 94,24 76,16"), 6.0, random)


def _boat(sheet: Sheet, x: float, y: float) -> None:
    sheet.shape([(x, y), (x + 10, y + 3), (x + 22, y - 1), (x + 18, y + 5), (x + 5, y + 5)], "ochre", width=0.5)
    sail = np.array([(x + 7, y + 1), (x + 6, y - 14), (x + 16, y - 13), (x + 15, y + 1)])
    sheet.shape(np.repeat(sail, 2, axis=0), "white", width=0.5)
