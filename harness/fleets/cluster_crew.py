"""The trainers of a run on the nodes of a cluster: started, replaced, ended; and what they build their models from."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from harness.errors import TrainerError, UsageError
from harness.fleets.cluster_goods import Goods
from harness.fleets.cluster_holder import Holder
from harness.fleets.cluster_ray import Cluster, Handle, Node, Ref
from harness.fleets.cluster_trainer import ClusterTrainer
from harness.fleets.cluster_turns import spread
from harness.fleets.cluster_versions import check_versions, fit
from harness.fleets.cluster_wire import packed
from harness.learning.workload import Workload

MOST_FALSE_STARTS = 3
"""So many trainers in a row that are lost before their model is built, and the node is given up."""
MOST_FAULTS = 3
"""So many files in a row that a node cannot keep, as where its disk is full, and it is given up."""
ANSWER_S = 20.0
"""Of a holder that lives: it is idle, or writes a file. By then Ray has found out about a node that is gone."""
Begun = Callable[[int, Ref], None]
log = logging.getLogger(__name__)


class Plan(NamedTuple):
    """What is wanted of a cluster: at most ``trainers``, ``threads`` each, and ``fused`` works in a batch at most."""

    trainers: int
    threads: int
    fused: int


class Loss(NamedTuple):
    """Trainers that are gone; ``counts``: it may be what they trained that cost them, and not a file of their node."""

    trainers: list[int]
    counts: bool


@dataclass
class Post:
    """A node with its holder of files and its trainers by number; ``seats`` is how many of them it is to have.

    ``files`` are those of ``base``, the folder of the model; ``init`` is the file of the first factors.
    """

    node: Node
    holder: Handle
    place: Ref
    seats: int = 0
    files: tuple[Ref, ...] = ()
    base: Ref | None = None
    init: Ref | None = None
    trainers: dict[int, Handle] = field(default_factory=dict)


class ClusterCrew:
    """Trainers by number. ``begun`` is told of each that is started, and of its answer that is to come.

    Raises:
        UsageError: no node has the cores that a trainer is to have, or one has other versions than this machine.
    """

    def __init__(self, cluster: Cluster, workload: Workload, plan: Plan, begun: Begun) -> None:
        self._cluster, self._workload, self._plan, self._begun = cluster, workload, plan, begun
        self._spec = packed(workload.prepare)
        self._started = 0
        self._posts: dict[str, Post] = {}
        self._holders: dict[str, Handle] = {}
        self._given: dict[int, tuple[Ref, ...]] = {}
        self._false_starts: Counter[str] = Counter()  # by node, as faults: a node that is opened again keeps its own
        self._faults: Counter[str] = Counter()
        self.goods = Goods(cluster, self._holders)
        nodes = self._roomy(cluster.nodes())
        holders = self._hold(nodes)
        check_versions(self._versions(nodes, holders))
        self._open(nodes, holders)

    def of(self, trainer: int) -> tuple[Post, Handle] | None:
        """The post of a trainer, and the trainer; None of one that is gone."""
        post = next((post for post in self._posts.values() if trainer in post.trainers), None)
        return None if post is None else (post, post.trainers[trainer])

    def give(self, trainer: int, files: Sequence[str]) -> tuple[Ref, ...]:
        """Where these files are on the trainer's node, for it to be given now."""
        found = self.of(trainer)
        assert found is not None, "who is given files is not gone"
        self._given[trainer] = tuple(self.goods.on(found[0].node.id, file) for file in files)
        return self._given[trainer]

    def built(self, trainer: int) -> Node:
        """A trainer has built its model; the node it is on, where trainers can start."""
        node = self._node(trainer)
        del self._false_starts[node.id]
        return node

    def trained(self, trainer: int) -> None:
        """A trainer has carried out works: its node keeps files."""
        del self._faults[self._node(trainer).id]

    def lost(self, trainer: int, ready: bool, why: str) -> Loss:
        """A trainer is gone: another takes its seat, or, where its node is gone too, all of that node are gone.

        Returns those that are gone, with this one.

        Raises:
            TrainerError: no node is left.
        """
        if (found := self.of(trainer)) is None:
            return Loss([], counts=False)
        post, handle = found
        del post.trainers[trainer]
        self._cluster.end(handle)
        lives, given = self._lives(post), self._given.pop(trainer, ())
        spoiled = lives and self._spoiled(post, given)
        self._false_starts[post.node.id] += not ready and not spoiled
        gone = [trainer]
        if not lives or self._useless(post.node):
            gone += self._give_up(post)
        if self._posts:
            self._seat()
        else:
            self._open_again(why)
        return Loss(gone, counts=not spoiled)

    def close(self) -> None:
        """End all trainers, and let the nodes forget what they held."""
        for post in self._posts.values():
            for handle in post.trainers.values():
                self._cluster.end(handle)
        self._cluster.get({node: holder.clear.remote() for node, holder in self._holders.items()}, ANSWER_S)
        for holder in self._holders.values():
            self._cluster.end(holder)

    def _roomy(self, nodes: Sequence[Node]) -> list[Node]:
        """The nodes that have the cores of a trainer."""
        roomy = [node for node in nodes if node.cores >= self._plan.threads]
        if not roomy:
            most = max((node.cores for node in nodes), default=0)
            raise UsageError(
                f"no node of the Ray cluster has {self._plan.threads} cores, which device.threads asks for (the "
                f"largest has {most}); choose fewer threads, or start nodes with more: ray start --num-cpus"
            )
        return roomy

    def _hold(self, nodes: Sequence[Node]) -> dict[str, Handle]:
        return {node.id: self._cluster.start(Holder, node.id, 0) for node in nodes}

    def _versions(self, nodes: Sequence[Node], holders: Mapping[str, Handle]) -> dict[Node, bytes | Exception]:
        told = self._cluster.get({node: holder.versions.remote() for node, holder in holders.items()})
        return {node: told[node.id] for node in nodes}

    def _open(self, nodes: Sequence[Node], holders: dict[str, Handle]) -> None:
        """Take posts on these nodes, spread the seats over them, and start who sits there."""
        self._holders.update(holders)
        for node in nodes:
            post = Post(node, holders[node.id], holders[node.id].place.remote())
            self._furnish(post)
            self._posts[node.id] = post
        self._seat()

    def _furnish(self, post: Post) -> None:
        """Have what models are built from put on a node."""
        base, init = self._workload.base, self._workload.init
        post.files = tuple(self.goods.on(post.node.id, str(file)) for file in base.values())
        post.base = post.holder.gather.remote(list(base), *post.files) if base else None
        post.init = self.goods.on(post.node.id, str(init)) if init else None

    def _seat(self) -> None:
        """Spread the seats over the posts there are, and start who sits there: a lost node's fall to the others."""
        room = {post.node.id: post.node.cores // self._plan.threads for post in self._posts.values()}
        seats = spread(room, self._plan.trainers)
        for post in self._posts.values():
            post.seats = seats[post.node.id]
            self._fill(post)

    def _fill(self, post: Post) -> None:
        """Start trainers until the post has as many as it is to have."""
        threads = self._plan.threads
        while len(post.trainers) < post.seats:
            self._started += 1
            trainer = self._cluster.start(ClusterTrainer, post.node.id, threads, threads)
            post.trainers[self._started] = trainer
            self._given[self._started] = (*post.files, *(ref for ref in (post.base, post.init) if ref is not None))
            built = trainer.prepare.remote(self._spec, self._plan.fused, post.place, post.base, post.init)
            self._begun(self._started, built)

    def _lives(self, post: Post) -> bool:
        """Whether a node can hold what trainers are given."""
        answer = self._cluster.get({"": post.holder.place.remote()}, ANSWER_S)[""]
        return not isinstance(answer, Exception)

    def _spoiled(self, post: Post, given: Sequence[Ref]) -> bool:
        """Whether a file that a trainer was given did not come to be on its node; it is put there anew.

        Several trainers may have waited for one file: it is a fault once.
        """
        told = self._cluster.get({str(number): ref for number, ref in enumerate(given)}, ANSWER_S)
        failed = [ref for number, ref in enumerate(given) if isinstance(told[str(number)], Exception)]
        dropped = self.goods.drop(post.node.id, failed)
        stale = any(ref is post.base or ref is post.init for ref in failed)
        if stale:
            self._furnish(post)
        self._faults[post.node.id] += dropped or stale
        return bool(failed)

    def _useless(self, node: Node) -> bool:
        """Whether a node failed so often that no more is asked of it."""
        return self._false_starts[node.id] >= MOST_FALSE_STARTS or self._faults[node.id] >= MOST_FAULTS

    def _node(self, trainer: int) -> Node:
        found = self.of(trainer)
        assert found is not None, "who answers is not gone"
        return found[0].node

    def _give_up(self, post: Post) -> list[int]:
        log.warning("node %s of the Ray cluster is given up; what it trained is trained elsewhere", post.node.host)
        for handle in (*post.trainers.values(), post.holder):
            self._cluster.end(handle)
        self.goods.lost(post.node.id)
        del self._holders[post.node.id], self._posts[post.node.id]
        return list(post.trainers)

    def _open_again(self, why: str) -> None:
        """Begin anew on whichever nodes there are now, where all that there were are lost; ``why`` the last one was."""
        living = [node for node in self._cluster.nodes() if node.cores >= self._plan.threads]
        nodes = [node for node in living if not self._useless(node)]
        holders = self._hold(nodes)
        usable = [node for node, told in self._versions(nodes, holders).items() if fit(told)]
        for node in set(nodes).difference(usable):
            self._cluster.end(holders[node.id])
        if not usable:
            raise TrainerError(
                f"all nodes of the Ray cluster are lost or given up ({why}), and no other has this machine's versions; "
                "mend them or start others, then go on with the run"
            )
        self._open(usable, {node.id: holders[node.id] for node in usable})
