"""What agents get before their first task: every file named by its hash, and to be fetched by it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from stub_controller import FREE, blob

from harness.blobs import Landing
from harness.errors import BlobError
from harness.fleets.provision import provisioning
from harness.learning.spec import PrepareSpec
from harness.learning.workload import Workload
from harness.profiles import MethodProfile, TrainProfile
from harness.protocol.messages import BlobRef, Corrupt, Fetch
from harness.records import Parameters

SPEC = PrepareSpec(method="federa", settings=MethodProfile(), train=TrainProfile(), labels=2, threads=1)


def workload(folder: Path, *, init: bool) -> Workload:
    def file(name: str) -> Path:
        (folder / name).write_text(name)
        return folder / name

    return Workload(
        base={"model": file("model"), "config": file("config")},
        shards={10: file("ten"), 2: file("two")},
        samples={10: 1, 2: 1},
        initial_state=file("state"),
        layers={},
        init=file("state") if init else None,
        svd_s=0.0,
        prepare=SPEC,
        parameters=Parameters(adapter=1, head=1, total=2),
        evaluator=None,
        partition=None,
        warnings=(),
    )


@pytest.mark.parametrize("init", [True, False])
def test_base_shards_and_initial_state_are_named_and_can_be_fetched(tmp_path: Path, init: bool) -> None:
    provided = provisioning(workload(tmp_path, init=init), FREE, 7, 12.5)
    message = provided.message
    assert message.base == (blob("config", b"config"), blob("model", b"model"))
    assert message.shards == (blob("2", b"two"), blob("10", b"ten"))
    assert message.init == (blob("init", b"state") if init else None)
    assert (message.link, message.link_seed, message.telemetry_hz) == (FREE, 7, 12.5)
    untimed = {blob.sha256 for blob in (*message.base, *message.shards)}
    assert provided.untimed == untimed, "the initial state is timed"
    assert msgspec.convert(message.prepare, PrepareSpec) == SPEC

    def fetched(ref: BlobRef) -> bytes:
        fetch = Fetch(sha256=ref.sha256, offset=0, credit_bytes=100, chunk_bytes=100)
        return b"".join(data for _, data in provided.shelf.answer(fetch))

    offered = [*message.base, *message.shards, *([message.init] if message.init else [])]
    assert [blob(ref.name, fetched(ref)) for ref in offered] == offered
    provided.shelf.close()


def test_a_file_that_was_damaged_since_it_was_named_is_used_by_nobody(tmp_path: Path) -> None:
    provided = provisioning(workload(tmp_path, init=False), FREE, 7)
    ref = provided.message.base[0]
    (tmp_path / "config").write_text("gifnoc")
    landing = Landing(ref, tmp_path / "cached", resume=False)

    def came() -> None:
        fetch = Fetch(sha256=ref.sha256, offset=0, credit_bytes=100, chunk_bytes=100)
        for span, data in provided.shelf.answer(fetch):
            landing.arrived(span.offset, data)

    came()
    assert isinstance(landing.finish(), Corrupt)
    came()
    with pytest.raises(BlobError, match="the sender's copy or the way is damaged"):
        landing.finish()
    assert not (tmp_path / "cached").exists()
    provided.shelf.close()
