"""Settings of the methods: what is trained at which rate, and how low-rank updates are aggregated."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from harness.profiles.base import Count, Fraction, NonNegative, Profile, Rate

Initialisation = Literal["gaussian", "federa"]
Split = Literal["balanced", "into-b", "into-a"]
Residual = Literal["drop", "fold", "feedback"]


class FraProfile(Profile, frozen=True, kw_only=True):
    """How FRA-LoRA reduces M = sum w_k B_k A_k = U S V^T to rank r (arXiv 2501.06332).

    ``split``: B = U sqrt(S), A = sqrt(S) V^T (``balanced``); B = U S, A = V^T (``into-b``); B = U, A = S V^T
    (``into-a``). ``residual`` M - svd_r(M): ``drop`` it, ``fold`` it into the frozen weights of all, or ``feedback``
    it: the server adds it to the next M. ``aggregate``: the ``product`` B_k A_k over the frozen weights, or the
    ``increment`` B_k A_k - B0 A0 over the pretrained ones; they differ where B0 is not zero. ``route`` of the SVD: by
    QR of the stacked factors, by the dense M, or ``auto``, by size.
    """

    split: Split = "balanced"
    residual: Residual = "drop"
    aggregate: Literal["product", "increment"] = "product"
    route: Literal["auto", "qr", "dense"] = "auto"


class ServerProfile(Profile, frozen=True, kw_only=True):
    """What the server makes of a round's mean change (Reddi et al., arXiv 2003.00295): ``none`` adds it as it is.

    ``avgm``: momentum ``beta1``. ``adam``, ``yogi``: moments ``beta1``, ``beta2``, adaptivity ``tau``. ``lr`` is the
    server's rate.
    """

    optimiser: Literal["none", "avgm", "adam", "yogi"] = "none"
    lr: Rate = 1.0
    beta1: Annotated[float, Meta(ge=0, lt=1)] = 0.9
    beta2: Annotated[float, Meta(ge=0, lt=1)] = 0.99
    tau: Rate = 1e-3


class PrivacyProfile(Profile, frozen=True, kw_only=True):
    """Differential privacy. ``dp-sgd``: at the clients, sample by sample; ``server``: at the server, client by client.

    Gradients of a sample (changes of a client) are clipped to the norm ``clip``, and noise of the standard deviation
    ``noise_multiplier`` times ``clip`` is added to their sum. Epsilon is told at ``delta`` by ``accountant``.
    """

    kind: Literal["none", "dp-sgd", "server"] = "none"
    noise_multiplier: NonNegative = 1.0
    clip: Rate = 1.0
    delta: Annotated[float, Meta(gt=0, lt=1)] = 1e-5
    accountant: Literal["rdp", "prv"] = "rdp"


class MethodProfile(Profile, frozen=True, kw_only=True):
    """Settings of one method; which of them a method has is checked (:func:`harness.profiles.choices.fault_of`).

    ``rank`` and ``alpha`` are LoRA's r and beta; ``reduction`` is FedAP's width over bottleneck. ``initialisation``:
    LoRA's Gaussian/Kaiming start or FeDeRA's SVD; None: the method's own. ``ranks``: client k has ``ranks[k]``, from
    the start again where they are fewer (flexlora, hetlora). ``switch_round`` is the last round of the first stage
    (fra-ffa, slora), ``density`` the share of weights in slora's mask, ``fair_weight`` lora-fair's lambda. ``prox`` is
    FedProx's mu (arXiv 1812.06127). ``scaffold``: control variates (arXiv 1910.06378), adapted to AdamW.
    """

    lr: Annotated[float, Meta(gt=0, le=1)] = 5e-4
    rank: Count = 32
    alpha: Annotated[float, Meta(gt=0)] = 32.0
    reduction: Count = 16
    initialisation: Initialisation | None = None
    ranks: tuple[Count, ...] = ()
    switch_round: Count = 5
    density: Fraction = 0.06
    fair_weight: NonNegative = 0.01
    prox: NonNegative = 0.0
    scaffold: bool = False
    fra: FraProfile = FraProfile()
    server: ServerProfile = ServerProfile()
    privacy: PrivacyProfile = PrivacyProfile()

    def rank_of(self, client: int) -> int:
        """The rank of a client's factors."""
        return self.ranks[client % len(self.ranks)] if self.ranks else self.rank
