"""Links kept by the kernel: a small privileged helper, its client, and what a flow allowed.

    shaper = Shaper.connect(SOCKET)         raises ShapingError, which names what is missing and link.shaping: user
    flow = Flow(peer="10.0.0.1", port=5555, beat_port=5556, at="agent", rate=link.rate("up"), seed=seed)
    applied = shaper.shape(flow)            a class of the interface, verified; it lives as long as the connection
    shaper.counted(flow)                    the kernel's counters of it; an error where it is gone
    mean_bps(applied, flow.rate, from_s, until_s)
    shaper.close()                          the flow is removed, as it is when this process dies

The helper is ``federa-bench shaper``: root, or CAP_NET_ADMIN alone. What a flow means is planned in
:mod:`harness.links.kernel`.
"""

from harness.links.kernel import Flow
from harness.shaping.allowance import flow_seed, mean_bps, needs_kernel
from harness.shaping.client import Shaper, peer_of
from harness.shaping.words import SOCKET, Applied, Counted

__all__ = ["SOCKET", "Applied", "Counted", "Flow", "Shaper", "flow_seed", "mean_bps", "needs_kernel", "peer_of"]
