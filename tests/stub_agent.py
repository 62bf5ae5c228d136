"""A real agent whose trainer process is the stub's: ``python stub_agent.py ENDPOINT CACHE [once]``."""

import logging
import secrets
import sys
from pathlib import Path

from agents.agent import Agent, Leave
from agents.steps import End
from harness.protocol.messages import PROTOCOL, Hello

if __name__ == "__main__":
    logging.basicConfig(level="INFO")
    endpoint, cache, *once = sys.argv[1:]
    hello = Hello(
        protocol=PROTOCOL, version="0", agent="a1", host="here", cores=1, memory_bytes=1, session=secrets.token_hex(8)
    )
    leaves = (Leave(0, {b"": End(0, "its standard input ended")}),)
    trainer = (sys.executable, str(Path(__file__).with_name("stub_trainer.py")))
    end = Agent(endpoint, hello, Path(cache), once=bool(once), leaves=leaves, trainer_command=trainer).run()
    sys.exit(end.exit_code)
