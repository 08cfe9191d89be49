"""Which devices there are, and what a colorizer on one says of itself."""

import numpy as np
import pytest
import torch

from colorize.colorizer import colorizer_for
from colorize.device import device_names, library_versions
from colorize.encoders.vgg19 import Encoder
from colorize.errors import DeviceMissing
from colorize.recipes.library import recipe_named

RECIPE = recipe_named("jadh2016/config1_2_2")


def test_without_a_gpu_there_is_the_cpu_and_a_request_for_another_is_answered_with_what_there_is() -> None:
    if torch.cuda.is_available():
        gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
        assert device_names() == device_names("cuda") == gpus
    else:
        assert device_names() == ["cpu"]
        with pytest.raises(DeviceMissing, match=r"no device 'cuda' here; there is cpu$"):
            device_names("cuda")
    assert device_names("cpu") == ["cpu"]
    for asked in ("cuda:99", "tpu", ""):
        with pytest.raises(DeviceMissing, match=rf"no device '{asked}' here; there is cpu"):
            device_names(asked)


def test_a_colorizer_for_a_device_that_is_not_here_is_refused(narrow: Encoder) -> None:
    with pytest.raises(DeviceMissing, match="cuda:99 cannot be used"):
        colorizer_for(RECIPE, narrow, "cuda:99")
    assert colorizer_for(RECIPE, narrow, "cpu").encoder.device == torch.device("cpu")


def test_the_versions_that_a_result_depends_on_are_told() -> None:
    versions = library_versions()
    assert set(versions) == {"nishiki", "torch", "numpy", "pillow", "scikit-image"}
    assert versions["numpy"] == np.__version__
    assert versions["torch"] == torch.__version__
