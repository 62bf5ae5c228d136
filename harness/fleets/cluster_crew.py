"""The trainers of a run on the nodes of a cluster: started, replaced, ended; and what they build their models from."""

from __future__ import annotations

import logging
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
ANSWER_S = 20.0
"""Of a holder that lives: it is idle, or writes a file. By then Ray has found out about a node that is gone."""
Begun = Callable[[int, Ref], None]
log = logging.getLogger(__name__)


class Plan(NamedTuple):
    """What is wanted of a cluster: at most ``trainers``, ``threads`` each, and ``fused`` works in a batch at most."""

    trainers: int
    threads: int
    fused: int


@dataclass
class Post:
    """A node with its holder of files and its trainers by number; ``seats`` is how many of them it is to have."""

    node: Node
    holder: Handle
    seats: int
    place: Ref
    base: Ref | None
    init: Ref | None
    false_starts: int = 0
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
        self.goods = Goods(cluster, self._holders)
        nodes = self._roomy(cluster.nodes())
        holders = self._hold(nodes)
        check_versions(self._versions(nodes, holders))
        self._open(nodes, holders)

    def of(self, trainer: int) -> tuple[Post, Handle] | None:
        """The post of a trainer, and the trainer; None of one that is gone."""
        post = next((post for post in self._posts.values() if trainer in post.trainers), None)
        return None if post is None else (post, post.trainers[trainer])

    def lost(self, trainer: int, ready: bool) -> list[int]:
        """A trainer is gone: another takes its seat, or, where its node is gone too, all of that node are gone.

        Returns those that are gone, with this one.

        Raises:
            TrainerError: no node is left.
        """
        if (found := self.of(trainer)) is None:
            return []
        post, handle = found
        gone = [trainer]
        del post.trainers[trainer]
        self._cluster.end(handle)
        post.false_starts = 0 if ready else post.false_starts + 1
        if post.false_starts < MOST_FALSE_STARTS and self._lives(post):
            self._fill(post)
        else:
            gone += self._give_up(post)
        if not self._posts:
            self._open_again()
        return gone

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
        threads, wanted, workload = self._plan.threads, self._plan.trainers, self._workload
        seats = spread({node.id: node.cores // threads for node in nodes}, wanted)
        self._holders.update(holders)
        for node in nodes:
            holder = holders[node.id]
            files = [self.goods.on(node.id, str(file)) for file in workload.base.values()]
            base = holder.gather.remote(list(workload.base), *files) if files else None
            init = self.goods.on(node.id, str(workload.init)) if workload.init else None
            self._posts[node.id] = Post(node, holder, seats[node.id], holder.place.remote(), base, init)
            self._fill(self._posts[node.id])

    def _fill(self, post: Post) -> None:
        """Start trainers until the post has as many as it is to have."""
        threads = self._plan.threads
        while len(post.trainers) < post.seats:
            self._started += 1
            trainer = self._cluster.start(ClusterTrainer, post.node.id, threads, threads)
            post.trainers[self._started] = trainer
            built = trainer.prepare.remote(self._spec, self._plan.fused, post.place, post.base, post.init)
            self._begun(self._started, built)

    def _lives(self, post: Post) -> bool:
        """Whether a node can hold what trainers are given."""
        answer = self._cluster.get({"": post.holder.place.remote()}, ANSWER_S)[""]
        return not isinstance(answer, Exception)

    def _give_up(self, post: Post) -> list[int]:
        log.warning("node %s of the Ray cluster is given up; what it trained is trained elsewhere", post.node.host)
        for handle in (*post.trainers.values(), post.holder):
            self._cluster.end(handle)
        self.goods.lost(post.node.id)
        del self._holders[post.node.id], self._posts[post.node.id]
        return list(post.trainers)

    def _open_again(self) -> None:
        """Begin anew on whichever nodes there are now, where all that there were are lost."""
        nodes = [node for node in self._cluster.nodes() if node.cores >= self._plan.threads]
        holders = self._hold(nodes)
        usable = [node for node, told in self._versions(nodes, holders).items() if fit(told)]
        for node in set(nodes).difference(usable):
            self._cluster.end(holders[node.id])
        if not usable:
            raise TrainerError(
                "all nodes of the Ray cluster are lost, and no other has this machine's versions; start others, then "
                "go on with the run"
            )
        self._open(usable, {node.id: holders[node.id] for node in usable})
