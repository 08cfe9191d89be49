"""What the unit tests share."""

import sys

import pytest


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tensors this small only wait for a second thread, and each worker of pytest has but one core."""
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(1)
