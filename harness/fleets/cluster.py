"""A workforce over a Ray cluster: works spread over the trainers of all nodes, again where a worker or a node is lost.

Seconds, records and bits are those of any other virtual fleet: who trains, and where, changes nothing of them.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from harness.durable import replace_whole
from harness.errors import TrainerError, UsageError
from harness.fleets.cluster_answers import Answer, Answers
from harness.fleets.cluster_crew import ClusterCrew, Plan
from harness.fleets.cluster_ray import Cluster, Ref
from harness.fleets.cluster_turns import MOST_TRIES, Turns
from harness.fleets.cluster_wire import built_of, ended_of, packed
from harness.fleets.workforce import LONGEST_WAIT_S, Ended, Work, Workforce
from harness.learning.workload import Workload
from harness.profiles import Experiment

log = logging.getLogger(__name__)


def ray_workforce(workload: Workload, experiment: Experiment, count: int, address: str | None) -> Workforce:
    """Trainers on the nodes of the cluster at ``address``, ``device.threads`` cores each, ``count`` of them at most.

    None: the cluster of RAY_ADDRESS, else one of this machine alone, which ends with the workforce.

    Raises:
        UsageError: there is no such cluster, or it is not fit for this run; the sentence says why.
    """
    simulation = experiment.simulation
    plan = Plan(min(count, simulation.processes or count), experiment.device.threads, simulation.fused_clients)
    cluster = Cluster.joined(address)
    try:
        return RayWorkforce(cluster, workload, plan)
    except BaseException:
        cluster.close()
        raise


class RayWorkforce:
    """Implements :class:`harness.fleets.workforce.Workforce` over a cluster, which it leaves at its end."""

    def __init__(self, cluster: Cluster, workload: Workload, plan: Plan) -> None:
        self._cluster = cluster
        files = (*workload.base.values(), *workload.shards.values(), *((workload.init,) if workload.init else ()))
        self._lasting = frozenset(map(str, files))
        self._round, self._closed = 0, False
        self._turns = Turns()
        self._answers = Answers()
        with ExitStack() as undo:
            undo.callback(self._answers.close)
            self._crew = ClusterCrew(cluster, workload, plan, self._begun)
            undo.pop_all()

    def send(self, works: Sequence[Work]) -> None:
        """See :class:`Workforce`. States of rounds before, on which nobody trains any more, are let go of."""
        self._turns.send(works)
        if works[0].round != self._round:
            self._round = works[0].round
            self._crew.goods.forget(but=self._lasting.union(work.state for work in self._turns.works))
        self._hand_out()

    def ended(self, wake_fds: Sequence[int] = ()) -> list[Ended]:
        """See :class:`Workforce`."""
        ended = [one for answer in self._answers.wait(LONGEST_WAIT_S, wake_fds) for one in self._hear(answer)]
        self._hand_out()
        return ended

    def close(self) -> None:
        """End the trainers and leave the cluster; a second time nothing is left to do."""
        if self._closed:
            return
        self._closed = True
        self._answers.close()
        self._crew.close()
        self._cluster.close()

    def _hand_out(self) -> None:
        while (turn := self._turns.next()) is not None:
            number, group = turn
            found = self._crew.of(number)
            assert found is not None, "who has a turn is not gone"
            _, trainer = found
            files = [*(work.state for work in group.works), *(work.shard for work in group.works)]
            paths = self._crew.give(number, files)
            self._listen(number, trainer.train.remote(packed(group.works), *paths), ready=True)

    def _begun(self, number: int, built: Ref) -> None:
        self._listen(number, built, ready=False)

    def _listen(self, number: int, answer: Ref, *, ready: bool) -> None:
        self._cluster.listen(answer, lambda value, lost: self._answers.put(Answer(number, ready, value, lost)))

    def _hear(self, answer: Answer) -> list[Ended]:
        """What an answer means; nothing that of a trainer which is gone: its works were sent again."""
        found = self._crew.of(answer.trainer)
        if found is None:
            return []
        post, _ = found
        if answer.lost is not None:
            return self._lost(answer, post.node.host, answer.lost)
        if answer.ready:
            return self._landed(answer, post.node.host)
        built = built_of(answer.answer)
        if built.broken is not None:
            raise (UsageError if built.usage else TrainerError)(built.broken)
        self._turns.joined(answer.trainer, self._crew.built(answer.trainer).id)
        return []

    def _landed(self, answer: Answer, host: str) -> list[Ended]:
        """A group ended: its updates land, whole and checked."""
        works = {work.number: work for work in self._turns.group(answer.trainer).works}
        ended = ended_of(answer.answer[0])
        updates = dict(zip((one for one in ended if one.update is not None), answer.answer[1:], strict=True))
        for one, update in updates.items():
            if one.update is None or hashlib.sha256(update).hexdigest() != one.update.sha256:
                return self._lost(answer, host, f"the update of client {works[one.number].client} has another hash")
        for one, update in updates.items():
            replace_whole(Path(works[one.number].update), update)
        self._turns.ended(answer.trainer)
        self._crew.trained(answer.trainer)
        return list(ended)

    def _lost(self, answer: Answer, host: str, reason: str) -> list[Ended]:
        """A trainer is lost, perhaps with its node; what it trained is tried elsewhere, or given up."""
        log.warning("a trainer on node %s of the Ray cluster was lost: %s", host, reason)
        gone = self._crew.lost(answer.trainer, answer.ready, f"the last one, {host}: {reason}")
        given_up = [work for one in gone.trainers for work in self._turns.lost(one, counts=gone.counts)]
        failed = f"its trainer was lost {MOST_TRIES} times, the last time on node {host}: {reason}"
        return [Ended(number=work.number, failed=failed) for work in given_up]
