"""A step that is launched some hundred kernels at a time as one launch: a CUDA graph. Called by `descent`."""

import gc
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor


def captured(step: Callable[[], None], kept: Mapping[str, Tensor]) -> Callable[[], None]:
    """What replays `step` on the current stream; `kept`, which it changes in place, is left as it was.

    The step may not change a shape, make a tensor that outlives it, or wait for the device. Its memory is held for as
    long as what is returned.

    Raises:
        RuntimeError: the device has no room for it (`colorize.running.memory.is_out_of_memory`).
    """
    before = {name: each.clone() for name, each in kept.items()}
    stream: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    try:
        with torch.cuda.stream(stream):
            for _ in range(2):
                step()  # libraries choose their kernels and take their workspaces before the capture
    finally:  # also where there was no room: what is freed then may be in use yet
        torch.cuda.current_stream().wait_stream(stream)
    gc.collect()  # a graph or an event that is freed while the stream is recorded would end the recording
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        step()
    for name, each in before.items():
        kept[name].copy_(each)
    return graph.replay
