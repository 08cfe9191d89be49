"""One process for each device, or for each core of a CPU, that colorizes what it is handed.

`flows.dispatch` owns them. A process keeps its encoder between minibatches and recipes; it is given paths, decodes for
itself, keeps checkpoints of what it works on, and sends every result as soon as it is there. It dies with its owner: a
broken pipe ends it at the next message.
"""

import os
from collections.abc import Sequence
from typing import Self

from colorize.encoders.weights import WeightsFile
from flows.settings import Settings
from flows.workers.messages import Workplace
from flows.workers.process import DeviceProcess


def workplaces(device_names: Sequence[str], cpu_processes: int | None) -> list[str]:
    """A device name for each process: GPUs one each, the CPU as often as it has cores."""
    if list(device_names) == ["cpu"]:
        return ["cpu"] * (cpu_processes or len(os.sched_getaffinity(0)))
    return list(device_names)


class DevicePool:
    """The processes of all devices, for one encoder at a time."""

    def __init__(self, settings: Settings, device_names: Sequence[str]) -> None:
        self._settings, self.devices = settings, workplaces(device_names, settings.cpu_processes)
        self._weights: WeightsFile | None = None
        self._processes: list[DeviceProcess] = []

    def with_weights(self, weights: WeightsFile) -> list[DeviceProcess]:
        """The processes with this encoder; those that have another are ended first."""
        if weights != self._weights:
            self.close()
            self._weights = weights
            self._processes = [DeviceProcess(self._workplace(device, weights)) for device in self.devices]
        return self._processes

    def close(self) -> None:
        """End all processes, whatever they do; they are started again when they are needed."""
        for process in self._processes:
            process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _workplace(self, device: str, weights: WeightsFile) -> Workplace:
        settings = self._settings
        share = 1 / self.devices.count(device)
        return Workplace(device, weights, settings.max_pixels, settings.exact_precision, settings.checkpoint_s, share)
