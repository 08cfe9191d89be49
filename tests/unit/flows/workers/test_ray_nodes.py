"""What becomes of a minibatch on a node of Ray, without Ray: files that are sent, a store unseen, a lost node."""

import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from colorize.errors import WeightsMissing, WorkerDied
from flows.errors import Misused
from flows.plan import Plan
from flows.settings import Settings
from flows.workers import ray_nodes
from flows.workers.messages import Event, Failed, Limits, Minibatch, ModelFile, PictureJob, StylePath, Unable
from flows.workers.ray_nodes import RayNodes, Unseen, answers_on_node, files_of, laid_down


class LostNode(Exception):
    """As Ray tells it."""


class FakeRay:
    """A cluster in this process, whose tasks answer by a script: one list of messages for each task."""

    class exceptions:
        RayError = LostNode

    def __init__(self, *answers: list[Any]) -> None:
        self._answers = list(answers)
        self.given: list[Any] = []
        self.cancelled = 0

    def remote(self, **how: Any) -> Any:
        assert (how["num_returns"], how["max_retries"], how["num_cpus"]) == ("streaming", 0, 1)

        def begin(_minibatch: Minibatch, _device: str, held: list[Any]) -> Iterator[Any]:
            self.given.append(held[0])
            return iter(self._answers.pop(0))

        return lambda _work: SimpleNamespace(remote=begin)

    def put(self, files: Any) -> Any:
        return files

    def wait(self, tasks: list[Any], **_: Any) -> tuple[list[Any], list[Any]]:
        return tasks, []

    def get(self, message: Any) -> Any:
        if isinstance(message, LostNode):
            raise message
        return message

    def cancel(self, _task: Any, **_: Any) -> None:
        self.cancelled += 1


@pytest.fixture
def minibatch(tmp_path: Path) -> Minibatch:
    """Of a store with one content and one style, and a model."""
    for name in ("c0.png", "51.png", "small.safetensors"):
        (tmp_path / name).write_bytes(name.encode())
    style = StylePath(str(tmp_path / "51.png"))
    job = PictureJob("1", str(tmp_path / "c0.png"), (style,), None, str(tmp_path / "checkpoint"), "{}")
    models = (ModelFile("encoder", "small", "0", str(tmp_path / "small.safetensors")),)
    return Minibatch(7, {}, models, Limits(1, None, 60.0), (job,))


def nodes(cluster: FakeRay) -> RayNodes:
    return RayNodes(cluster, "cpu", 2, 60.0)


def answers(opened: RayNodes, minibatch: Minibatch) -> list[Event]:
    with opened.place() as place:
        return list(place.colorize(minibatch))


DONE: Any = Failed("1", "cpu", "Diverged", "no number")


def test_a_node_that_does_not_see_the_store_is_sent_the_bytes_and_so_are_all_later(minibatch: Minibatch) -> None:
    cluster = FakeRay([Unseen()], [DONE], [DONE])
    opened = nodes(cluster)
    assert answers(opened, minibatch) == answers(opened, minibatch) == [DONE]
    assert cluster.given == [None, files_of(minibatch), files_of(minibatch)]
    assert sorted(files_of(minibatch).values()) == [b"51.png", b"c0.png", b"small.safetensors"]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray is there, and must not be asked: it would wait for minutes."""
    monkeypatch.setitem(sys.modules, "ray", ModuleType("ray"))


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "localhost:1"])
def test_where_no_cluster_answers_it_is_told_at_once_and_ray_is_not_asked(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    settings = Settings(executor="ray")
    plan = cast("Plan", SimpleNamespace(settings=settings))
    for look in (lambda: RayNodes.look(settings), lambda: RayNodes.open(plan)):
        with pytest.raises(Misused, match=f"no Ray cluster answers at {address} .*refused.*; run: ray start --head"):
            look()


@pytest.mark.usefixtures("installed")
def test_a_cluster_that_takes_a_connection_and_addresses_that_are_rays_to_know_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as cluster:
        port = cluster.getsockname()[1]
        for address in (f"127.0.0.1:{port}", f"ray://127.0.0.1:{port}", "local", "provider://cluster"):
            monkeypatch.setenv("RAY_ADDRESS", address)
            RayNodes.look(Settings(executor="ray"))


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("address", ["head", "head:ray", "head:99999", ":6379", "[::1:6379"])
def test_an_address_that_is_none_is_told_with_what_one_is(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(Misused, match="and a cluster's address is HOST:PORT, or ray://HOST:PORT"):
        RayNodes.look(Settings(executor="ray"))


def test_where_ray_is_not_installed_it_is_told_how_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(Misused, match=r"Ray is not installed, and executor is ray; run: pip install '\.\[ray\]'"):
        RayNodes.look(Settings(executor="ray"))


@pytest.mark.parametrize("last_started", [None, "127.0.0.1:1"])
def test_without_an_address_the_cluster_last_started_here_is_looked_for(
    last_started: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr("ray._private.services.find_gcs_addresses", dict)
    monkeypatch.setattr("ray._private.services.find_bootstrap_address", lambda _: last_started)
    with pytest.raises(Misused, match=r"^no Ray cluster answers( at 127.0.0.1:1 \(.*)?; run: ray start"):
        RayNodes.look(Settings(executor="ray"))


def test_a_lost_node_is_a_worker_that_died(minibatch: Minibatch) -> None:
    opened = nodes(FakeRay([LostNode("the node is gone\nand more")]))
    with pytest.raises(WorkerDied, match=r"^a worker of Ray on cpu was lost \(the node is gone\)$"):
        answers(opened, minibatch)


def test_what_a_node_cannot_do_at_all_is_the_error_that_it_met(minibatch: Minibatch) -> None:
    opened = nodes(FakeRay([Unable("WeightsMissing", "no such file")]))
    with pytest.raises(WeightsMissing, match="no such file"):
        answers(opened, minibatch)


def test_files_that_were_sent_go_with_their_minibatch_and_models_stay(minibatch: Minibatch, tmp_path: Path) -> None:
    folder = tmp_path / "node"
    folder.mkdir()
    mask = tmp_path / "ma.png"
    mask.write_bytes(b"a mask")
    minibatch = replace(minibatch, jobs=tuple(replace(job, mask=str(mask)) for job in minibatch.jobs))
    with laid_down(minibatch, files_of(minibatch), folder) as here:
        (job,) = here.jobs
        assert job.checkpoint is None
        assert job.mask is not None
        assert Path(job.mask).parent == folder
        assert Path(job.mask).read_bytes() == b"a mask"
        assert [Path(path).read_bytes() for path in (job.content, job.styles[0].path)] == [b"c0.png", b"51.png"]
        assert Path(here.models[0].path) == folder / "small.safetensors"
    assert [file.name for file in folder.iterdir()] == ["small.safetensors"]


def test_a_node_says_when_it_sees_nothing_of_what_is_named(
    minibatch: Minibatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [cast("Any", DONE)]
    monkeypatch.setattr(ray_nodes, "_told_by", lambda _worker, _minibatch: iter(told))
    assert list(answers_on_node(minibatch, "cpu", [None])) == told
    (tmp_path / "c0.png").unlink()  # one alone fails alone
    assert list(answers_on_node(minibatch, "cpu", [None])) == told
    (tmp_path / "small.safetensors").unlink()
    assert list(answers_on_node(minibatch, "cpu", [None])) == [Unseen()]
