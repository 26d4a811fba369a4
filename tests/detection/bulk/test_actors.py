"""How many actors a job has, and which chunk each of them gets, on a Ray that is imitated."""

from dataclasses import dataclass, field

import pytest

from ssd300.detection.bulk import on_ray
from ssd300.detection.bulk.plan import Entry
from ssd300.detection.bulk.work import Done
from ssd300.errors import RunError

MANY = "--actors {}: {} work at the same time, the others wait for a place in the cluster"
FEW = "2 CPUs: Ray's own processes share them with {} detectors, so this is not faster than --engine local here"


class Cluster:
    """Ray as it tells of its nodes."""

    def __init__(self, nodes: int, **resources: float) -> None:
        self._nodes, self._resources = nodes, resources

    def nodes(self) -> list[int]:
        return list(range(self._nodes))

    def cluster_resources(self) -> dict[str, float]:
        return self._resources


@pytest.mark.parametrize(
    ("real", "nodes", "has", "wanted", "device", "actors", "notes"),
    [
        (8, 1, {"CPU": 8.0}, None, "cpu", 8, []),
        (2, 1, {"CPU": 4.0}, None, "cpu", 2, [FEW.format(2)]),
        (2, 1, {"CPU": 4.0}, 8, "cpu", 8, [FEW.format(4), MANY.format(8, 4)]),
        (2, 3, {"CPU": 24.0}, None, "cpu", 24, []),
        (8, 1, {"CPU": 8.0}, 3, "cpu", 3, []),
        (8, 1, {"CPU": 8.0}, 9, "cpu", 9, [MANY.format(9, 8)]),
        (8, 1, {"CPU": 8.0, "GPU": 2.0}, None, "cuda", 2, []),
        (8, 2, {"CPU": 8.0, "GPU": 2.0}, 3, "cuda", 3, [MANY.format(3, 2)]),
    ],
)  # fmt: skip
def test_there_is_an_actor_per_processor(real, nodes, has, wanted, device, actors, notes, monkeypatch):
    monkeypatch.setattr(on_ray, "processors", lambda: real)
    said: list[str] = []
    assert on_ray._actors(Cluster(nodes, **has), wanted, device, said.append) == actors
    assert said == notes


@pytest.mark.parametrize(("has", "device", "kind"), [({"CPU": 8.0}, "cuda", "GPU"), ({"memory": 1e9}, "cpu", "CPU")])
def test_a_cluster_without_room_is_refused(has, device, kind):
    with pytest.raises(RunError, match=f"the cluster has no {kind}, so no actor can start"):
        on_ray._actors(Cluster(2, **has), 1, device, print)


@dataclass
class Answer:
    value: object

    def __hash__(self) -> int:
        return id(self)


@dataclass
class Method:
    call: object

    def remote(self, *arguments) -> Answer:
        return self.call(*arguments)


@dataclass(eq=False)
class Actor:
    """One that starts, or one that waits for room and so never answers."""

    starts: bool = True
    given: list[str] = field(default_factory=list)

    @property
    def start(self) -> Method:
        return Method(lambda: Answer(None) if self.starts else Answer(WAITS))

    @property
    def do(self) -> Method:
        def do(entry, copies) -> Answer:
            self.given.append(entry.name)
            return Answer(Done(entry.name, 1, 1, 0, 0, 0.0))

        return Method(do)


WAITS = object()


class Imitated:
    """Ray, whose answers come the latest first, or the earliest; it shows how many were asked for at a time."""

    most = 0

    def __init__(self, latest_first: bool) -> None:
        self._step = -1 if latest_first else 1

    def wait(self, answers: list[Answer], num_returns: int) -> tuple[list[Answer], list[Answer]]:
        self.most = max(self.most, len(answers))
        return [next(one for one in answers[:: self._step] if one.value is not WAITS)], []

    def get(self, answer: Answer) -> object:
        return answer.value


@pytest.mark.parametrize("chunks", [1, 2, 3, 5, 40])
@pytest.mark.parametrize("waiting", [0, 2])
@pytest.mark.parametrize("latest_first", [True, False])
def test_each_chunk_is_given_out_once_and_an_actor_without_room_stops_nobody(chunks, waiting, latest_first):
    actors = [Actor() for _ in range(3)] + [Actor(starts=False) for _ in range(waiting)]
    entries = [Entry(f"{number:08d}", 1, "plan/0.jsonl", 0, 1) for number in range(chunks)]
    ray = Imitated(latest_first)
    done = list(on_ray._spread(ray, list(actors), entries, None))
    assert sorted(one.chunk for one in done) == [entry.name for entry in entries]
    assert sorted(name for actor in actors for name in actor.given) == [entry.name for entry in entries]
    assert not any(actor.given for actor in actors if not actor.starts)
    assert ray.most <= on_ray.PER_ACTOR * 3 + waiting
