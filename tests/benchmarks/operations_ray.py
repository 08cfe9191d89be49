"""A night over Ray on two local nodes, one of them killed, beside the same night of processes, to the byte.

`python -m tests.benchmarks.operations_ray`, where `pip install '.[ray]'` was run. The batch is claimed once, and copies
of the home are worked through: by processes, over Ray with a node killed in the middle, and over nodes that are sent
the bytes of what they work on, as where they do not see the store.
"""

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

from db.catalogue import Catalogue
from flows.plan import Plan
from flows.settings import Settings
from flows.under_prefect import of_one_command
from flows.workers.ray_nodes import RayNodes
from tests.benchmarks.figures import Figure, publish
from tests.benchmarks.one_batch import GRAYS, batch_settings, results, take, worked_through
from tests.conftest import ROOT, _narrow_weights

PATIENCE_S = 600.0


def main() -> None:
    """Run the three nights and publish their figures."""
    # Without the second Ray's processes stand behind whatever else this machine does.
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    with tempfile.TemporaryDirectory(prefix="nishiki-ray-") as folder:
        publish("operations-ray", _figures(Path(folder)))


def _figures(folder: Path) -> Iterator[Figure]:
    _narrow_weights(folder / "weights")
    taken = batch_settings(folder, "taken")
    with of_one_command(gone=True):
        take(taken)
        nights = {name: _copy(folder, name, executor) for name, executor in NIGHTS.items()}
        began = time.monotonic()
        worked_through(nights["processes"])
        yield Figure("processes", time.monotonic() - began, "s")
        with _Cluster() as cluster:
            yield Figure("two nodes of Ray are there after", cluster.ready_s, "s")
            began = time.monotonic()
            killer = threading.Thread(target=_kill_a_node, args=(cluster, nights["ray, a node killed"]))
            killer.start()
            worked_through(nights["ray, a node killed"])
            killer.join()
            yield Figure(
                "Ray, a node killed", time.monotonic() - began, "s", note=f"after {cluster.done_before} pictures"
            )
            cluster.add()
            began = time.monotonic()
            _with_files_sent(lambda: worked_through(nights["ray, files sent"]))
            yield Figure("Ray, files sent to its nodes", time.monotonic() - began, "s")
    made = {name: results(settings) for name, settings in nights.items()}
    for name in list(NIGHTS)[1:]:
        same = sum(made[name][content] == data for content, data in made["processes"].items())
        yield Figure(f"{name}: pictures equal to the byte", same, "", str(GRAYS), same == GRAYS == len(made[name]))


NIGHTS = {"processes": "processes", "ray, a node killed": "ray", "ray, files sent": "ray"}


class _Cluster:
    """Two nodes of one core on this machine."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster  # noqa: PLC0415  (an extra)

        began = time.monotonic()
        self._cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        self._second: Any = None
        self.add()
        self.ready_s, self.done_before = time.monotonic() - began, 0
        os.environ["RAY_ADDRESS"] = self._cluster.address

    def add(self) -> None:
        """Another node joins."""
        self._second = self._cluster.add_node(num_cpus=1)

    def kill(self) -> None:
        """One node is gone with all its processes."""
        self._cluster.remove_node(self._second, allow_graceful=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cluster.shutdown()


def _copy(folder: Path, name: str, executor: str) -> Settings:
    shutil.copytree(folder / "taken", folder / name)
    return batch_settings(folder, name, executor=executor)


def _kill_a_node(cluster: _Cluster, settings: Settings) -> None:
    end = time.monotonic() + PATIENCE_S
    while cluster.done_before < 2 and time.monotonic() < end:
        time.sleep(0.1)
        with Catalogue.open(settings, create=False) as catalogue:
            cluster.done_before = catalogue.status()["attempts"]["succeeded"]
    cluster.kill()


def _with_files_sent(work: Callable[[], None]) -> None:
    """As where a node was met that does not see the store."""
    opened = RayNodes.open

    def sending(plan: Plan) -> RayNodes:
        nodes = opened(plan)
        nodes.sends_files = True
        return nodes

    with patch.object(RayNodes, "open", sending):
        work()


if __name__ == "__main__":
    main()
