"""What a round of a method moves: which tensors a client is given, trains, sends back. Pure; free of torch.

Tensors of a state have *kinds*, told by their names: ``A`` and ``B``, LoRA's factors; ``sparse``, SLoRA's values;
``rest``, everything else that is trained (heads, biases, adapters, whole models). Beside them stand tensors that are
not trained, under a prefix:

- ``change/LAYER`` [d, k]: what was added to the pretrained weight of an adapted layer since round 0, in units of W
- ``stack/LAYER.B`` [d, n], ``stack/LAYER.A`` [n, k]: change += B A, instead of ``change/``, for a client whose trainer
  holds the change of the round before
- ``control/NAME``: SCAFFOLD's correction of the gradient of NAME (to a client), a control variate (in a checkpoint: the
  server's; in an update: the client's)
- ``server/...``: what only the server keeps, such as moments; never sent
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from harness.profiles import Method, MethodProfile, initialisation_of

Kind = Literal["A", "B", "sparse", "rest"]
Kinds = frozenset[Kind]

CHANGE, STACK, CONTROL, SERVER = "change/", "stack/", "control/", "server/"
PREFIXES = (CHANGE, STACK, CONTROL, SERVER)
A, B, SPARSE = ".lora_A.weight", ".lora_B.weight", ".sparse"

_REST: Kinds = frozenset({"rest"})
_LORA: Kinds = frozenset({"A", "B", "rest"})
_ONLY_A: Kinds = frozenset({"A", "rest"})
_ONLY_B: Kinds = frozenset({"B", "rest"})
_SPARSE: Kinds = frozenset({"sparse", "rest"})


@dataclass(frozen=True)
class Form:
    """A round of a method.

    ``given``: what the state that a client trains from has. ``trained``: what it trains, and sends back. ``fresh``: its
    factors begin anew, and are in no state. ``kept``: what of both stays at each client and never travels. ``change``:
    the state tells a change of the frozen weights. ``residual_base``: the frozen weights are W - s B0 A0, not W.
    ``lean``: what a client has to be given that had the whole state of the round before; None: all of it.
    """

    given: Kinds
    trained: Kinds
    fresh: bool = False
    kept: Kinds = frozenset()
    change: bool = False
    residual_base: bool = False
    lean: Kinds | None = None


def kind_of(name: str) -> Kind | None:
    """The kind of a tensor, by its name; None of those under a prefix."""
    if name.startswith(PREFIXES):
        return None
    if name.endswith(A):
        return "A"
    if name.endswith(B):
        return "B"
    return "sparse" if name.endswith(SPARSE) else "rest"


def of_kinds(names: Iterable[str], kinds: Kinds) -> list[str]:
    """Those names that are of these kinds, sorted."""
    return sorted(name for name in names if kind_of(name) in kinds)


def layers_of(names: Iterable[str]) -> list[str]:
    """The adapted layers of a state, sorted: those with a factor B."""
    return sorted(name.removesuffix(B) for name in names if kind_of(name) == "B")


def form_of(method: Method, settings: MethodProfile, round: int) -> Form:
    """The form of a round, counted from 1."""
    residual = initialisation_of(method, settings) == "federa"
    match method:
        case "fedft" | "fedbf" | "fedap":
            return Form(_REST, _REST)
        case "ffa":
            return Form(_ONLY_B, _ONLY_B, residual_base=residual)
        case "fra-ffa" if round > settings.switch_round:
            lean = _ONLY_B if round > settings.switch_round + 1 else None
            return _fra(settings, round, residual, trained=_ONLY_B, lean=lean)
        case "fra" | "fra-ffa":
            return _fra(settings, round, residual, trained=_LORA, lean=None)
        case "flora":
            return Form(_REST, _LORA, fresh=True, change=True, residual_base=residual)
        case "fedex":
            return Form(_LORA, _LORA, change=True, residual_base=residual)
        case "rolora":
            # B first: where it is zero, as in the Gaussian start, A has no gradient.
            trained, before = (_ONLY_B, _ONLY_A) if round % 2 else (_ONLY_A, _ONLY_B)
            return Form(_LORA, trained, residual_base=residual, lean=before if round > 1 else None)
        case "fedsa":
            return Form(_LORA, _LORA, kept=_ONLY_B, residual_base=residual)
        case "fedsvd":
            return Form(_LORA, _ONLY_B, residual_base=residual)
        case "slora" if round <= settings.switch_round:
            return Form(_SPARSE, _SPARSE)
        case _:  # fedlr, federa, flexlora, hetlora, lora-fair, slora's second stage, central
            return Form(_LORA, _LORA, residual_base=residual)


def _fra(settings: MethodProfile, round: int, residual: bool, *, trained: Kinds, lean: Kinds | None) -> Form:
    """Folded residuals change the frozen weights; increments are taken over the pretrained ones from round 2 on."""
    fold = settings.fra.residual == "fold"
    over_residual = residual and (settings.fra.aggregate == "product" or round == 1)
    return Form(_LORA, trained, change=fold, residual_base=over_residual, lean=lean)


def ships_first(method: Method, settings: MethodProfile) -> Kinds:
    """What of the initial state is shipped once, before the first round: B0 and A0 of FeDeRA's start, FFA's A."""
    if initialisation_of(method, settings) == "federa":
        return frozenset({"A", "B"})
    return frozenset({"A"}) if method == "ffa" else frozenset()
