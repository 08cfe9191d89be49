"""A gray "photograph" of an impression, as plate and early copy film saw it. Knows only pixels."""

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageFilter

from flows.archives.sample.drawing.press import Pixels

ORTHOCHROMATIC = np.array([0.22, 0.52, 0.26], dtype=np.float32)
"""How much red, green and blue blacken the plate: reds come out darker, blues lighter than to the eye."""


def photograph(pixels: Pixels, random: Generator) -> Pixels:
    """Photograph a print: uint8, (H, W); luminance with a mild plate response, falling light, blur and noise."""
    height, width = pixels.shape[:2]
    gray = (pixels.astype(np.float32) / 255) @ ORTHOCHROMATIC
    gray = gray + np.float32(random.uniform(0.03, 0.10)) * np.sin(2 * np.pi * gray) * -0.5
    y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None, :]
    lean, fall = random.uniform(-0.02, 0.02, 2), random.uniform(0.02, 0.07)
    light = 1 - fall * (x**2 + y**2) + lean[0] * x + lean[1] * y
    low, high = random.uniform(0.03, 0.08), random.uniform(0.96, 1.03)
    exposed = (low + (high - low) * gray * light + random.normal(0, 0.008, gray.shape)).clip(0, 1)
    plate = Image.fromarray((exposed * 255).astype(np.uint8))
    return np.asarray(plate.filter(ImageFilter.GaussianBlur(float(random.uniform(0.3, 0.55)) * width / 320)))
