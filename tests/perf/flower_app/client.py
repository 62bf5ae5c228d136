"""The ClientApp: trains the client that its message names."""

from __future__ import annotations

from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from learner import job, learner

app = ClientApp()


@app.train()
def train(message: Message, context: Context) -> Message:
    """One local training: a reply with the trained tensors, the client's samples and its mean loss."""
    asked = message.content["config"]
    own = learner()
    own.load(message.content["arrays"].to_torch_state_dict())
    loss = own.train(int(asked["round"]), int(asked["client"]))
    samples = job()["samples"][str(asked["client"])]
    content = {"arrays": ArrayRecord(own.state()), "told": MetricRecord({"samples": samples, "loss": loss})}
    return Message(content=RecordDict(content), reply_to=message)
