"""How long local training takes on a device, by its table of seconds; for virtual clocks and retiming. Pure."""

from __future__ import annotations

from typing import NamedTuple

from harness.errors import ProfileError
from harness.profiles import DeviceProfile, Setting, TrainSeconds


class LocalSeconds(NamedTuple):
    """The phases of a client between its download and its upload, in seconds."""

    load_s: float
    train_s: float
    serialise_s: float
    other_s: float


def local_seconds(device: DeviceProfile, setting: Setting, steps: int, measured: LocalSeconds) -> LocalSeconds:
    """What a local training of ``steps`` optimiser steps takes on ``device``.

    ``measured`` is what it took where it ran: it counts where the device has no table. Either is multiplied by the
    device's slowdown.

    Raises:
        ProfileError: the device has a table, and no entry fits the setting.
    """
    seconds = measured
    if device.seconds:
        entry = _entry(device, setting)
        train_s = entry.train_s if entry.step_s is None else entry.step_s * steps
        seconds = LocalSeconds(entry.load_s, train_s or 0.0, entry.serialise_s, entry.other_s)
    return LocalSeconds(*(value * device.slowdown for value in seconds))


def _entry(device: DeviceProfile, setting: Setting) -> TrainSeconds:
    for entry in device.seconds:
        asked = ((entry.model, setting.model), (entry.dataset, setting.dataset), (entry.method, setting.method))
        if all(key in (None, value) for key, value in asked):
            return entry
    known = ", ".join(dict.fromkeys(f"{e.model or 'any'} on {e.dataset or 'any'}" for e in device.seconds))
    raise ProfileError(
        f"device '{device.name}' has no seconds for {setting.method} of model '{setting.model}' on data set "
        f"'{setting.dataset}', only for: {known}; choose another device, or say in model.timed_as and dataset.timed_as "
        "what they stand for"
    )
