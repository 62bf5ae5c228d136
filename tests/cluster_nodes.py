"""A Ray cluster of several nodes on this machine, as a process of its own: ``python cluster_nodes.py FOLDER CORES...``.

One node for each number of cores; the first one is the head. Says the head's address in a line, then obeys words on
stdin: ``lose`` kills the last node at once, ``add`` starts one of one core. Ends all when stdin ends.
"""

from __future__ import annotations

import os
import sys

SMALL_STORE_BYTES = 100_000_000


def main(folder: str, *cores: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Ray prints is no answer
    from ray.cluster_utils import Cluster

    store = {"object_store_memory": SMALL_STORE_BYTES, "include_dashboard": False}
    cluster = Cluster(True, head_node_args={"num_cpus": int(cores[0]), "temp_dir": folder, **store})
    nodes = [cluster.add_node(num_cpus=int(count), **store) for count in cores[1:]]
    print(cluster.address, file=answers, flush=True)
    for line in sys.stdin:
        if line.strip() == "lose":
            cluster.remove_node(nodes.pop(), allow_graceful=False)
        else:
            nodes.append(cluster.add_node(num_cpus=1, **store))
        print("done", file=answers, flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
