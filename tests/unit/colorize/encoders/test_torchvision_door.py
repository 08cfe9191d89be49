import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.long

PROGRAM = """
import sys
from colorize.encoders import torchvision_door as vision
assert "torchvision" not in sys.modules, "torchvision is loaded before it is asked for"
models = vision.models()
assert vision.models() is models
print(models.VGG19_Weights.IMAGENET1K_V1.url)
print(*[name for name in ("vgg19", "mobilenet_v2") if hasattr(models, name)])
network = models.vgg19
"""


def test_torchvisions_models_load_beside_whatever_torch_is_here_and_name_verified_weights() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    url, models = done.stdout.splitlines()
    assert re.fullmatch(r"https://\S+/vgg19-[0-9a-f]{8,}\.pth", url), "the name carries the start of its SHA-256"
    assert models == "vgg19 mobilenet_v2"
