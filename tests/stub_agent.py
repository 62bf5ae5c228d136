"""A real agent whose trainer process is the stub's: ``python stub_agent.py ENDPOINT CACHE [once]``.

The helper's socket is in its cache, and its doctor finds nothing.
"""

import logging
import secrets
import sys
from pathlib import Path

from agents.agent import Agent, Leave
from agents.steps import End
from agents.tools import Tools
from agents.watchdog import Notifier
from harness.protocol.messages import PROTOCOL, Hello

if __name__ == "__main__":
    logging.basicConfig(level="INFO")
    endpoint, cache, *once = sys.argv[1:]
    hello = Hello(
        protocol=PROTOCOL, version="0", agent="a1", host="here", cores=1, memory_bytes=1, session=secrets.token_hex(8)
    )
    leaves = (Leave(0, {b"": End(0, "its standard input ended")}),)
    trainer = (sys.executable, str(Path(__file__).with_name("stub_trainer.py")))
    tools = Tools(shaper=Path(cache) / "shaper.sock", examine=(sys.executable, "-c", "print('[]')"))
    agent = Agent(
        endpoint,
        hello,
        Path(cache),
        once=bool(once),
        leaves=leaves,
        trainer_command=trainer,
        tools=tools,
        notifier=Notifier.from_environment(),
    )
    sys.exit(agent.run().exit_code)
