"""What the runs of each method begin with, and which states fit it."""

from pathlib import Path

import msgspec
import pytest
import torch
from encoders import LABELS, spec_of, write_encoder

from harness.errors import TrainerError
from harness.learning.forms import kind_of
from harness.learning.methods import Attached, attach, initial_state
from harness.learning.models import build_model
from harness.learning.spec import PrepareSpec
from harness.profiles import METHODS, Method, MethodProfile

FULL = ("fedft", "fedbf", "fedap")


def attached_to(base: Path, spec: PrepareSpec) -> Attached:
    """A bare model with a method, and nothing shipped."""
    return attach(build_model(base, "text-classification", LABELS, head_seed=None), spec, None)


def with_start(method: Method, initialisation: str) -> PrepareSpec:
    """A spec of rank 4 whose factors begin so."""
    settings = MethodProfile(rank=4, alpha=10.0, initialisation=initialisation)  # type: ignore[arg-type]
    return msgspec.structs.replace(spec_of(method), settings=settings)


SHIPPED: list[tuple[PrepareSpec, set[str]]] = [
    (spec_of("fedft"), set()),
    (spec_of("fedlr"), set()),
    (spec_of("federa"), {"A", "B", "rest"}),
    (spec_of("ffa"), {"A"}),
    (with_start("ffa", "federa"), {"A", "B"}),
    (with_start("fra", "federa"), {"A", "B"}),
    (with_start("flora", "federa"), {"A", "B"}),
    (spec_of("flora"), set()),
    (spec_of("slora"), set()),
]


@pytest.mark.parametrize(("spec", "kinds"), SHIPPED)
def test_what_clients_are_shipped_once(tmp_path: Path, spec: PrepareSpec, kinds: set[str]) -> None:
    initial = initial_state(write_encoder(tmp_path), spec, seed=0)
    first = initial.first or {}
    assert {kind_of(name) for name in first} == kinds
    assert all(torch.equal(tensor, initial.state[name]) for name, tensor in first.items())
    assert (initial.first is initial.state) == (spec.method == "federa")
    layers = [f"bert.encoder.layer.{i}.attention.self.{part}" for i in range(2) for part in ("query", "value")]
    assert initial.layers == ({} if spec.method == "fedft" else dict.fromkeys(layers, (64, 64)))


@pytest.mark.parametrize("spec", [spec_of("federa"), spec_of("ffa"), with_start("fedex", "federa")])
def test_a_method_that_needs_what_is_shipped_says_so(tmp_path: Path, spec: PrepareSpec) -> None:
    with pytest.raises(TrainerError, match=f"{spec.method} needs the server's initial factors"):
        attached_to(write_encoder(tmp_path), spec)


RANKED = msgspec.structs.replace(spec_of("hetlora"), settings=MethodProfile(rank=4, alpha=4.0, ranks=(2, 4)))
CHECKPOINTS: dict[Method, set[str]] = {"flora": {"rest"}, "slora": {"sparse", "rest"}, "ffa": {"A", "B", "rest"}}


@pytest.mark.parametrize("method", [method for method in METHODS if method not in FULL])
def test_gaussian_factors_are_the_same_for_every_method(tmp_path: Path, method: Method) -> None:
    if method == "federa":
        return  # it has others
    base = write_encoder(tmp_path)
    state, others = initial_state(base, spec_of(method), 0).state, initial_state(base, spec_of("fedlr"), 0).state
    assert {kind_of(name) for name in state} == CHECKPOINTS.get(method, {"A", "B", "rest"})
    assert all(torch.equal(state[name], others[name]) for name in state if kind_of(name) != "sparse")


def test_ranks_and_changes_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    base = write_encoder(tmp_path)
    ranked, changed = (attached_to(base, spec) for spec in (RANKED, spec_of("flora")))
    state = initial_state(base, RANKED, 0).state
    name = next(name for name in state if name.endswith("lora_A.weight"))
    for shape in ((5, 64), (2, 63)):
        with pytest.raises(TrainerError, match=rf"\[{shape[0]}, {shape[1]}\] instead of \[4, 64\]"):
            ranked.load(state | {name: torch.zeros(shape)})
    layer = name.removesuffix(".lora_A.weight")
    start = initial_state(base, spec_of("flora"), 0).state
    with pytest.raises(TrainerError, match=rf"tensor change/{layer} of the state is \[64, 1\] instead of \[64, 64\]"):
        changed.load(start | {f"change/{layer}": torch.zeros(64, 1)})
    with pytest.raises(TrainerError, match="the state has the unknown tensor change/elsewhere"):
        changed.load(start | {"change/elsewhere": torch.zeros(64, 64)})
