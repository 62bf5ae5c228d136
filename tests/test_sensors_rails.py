"""Which rails add up to what a module takes."""

from __future__ import annotations

from harness.sensors.fields import OFFLINE
from harness.sensors.rails import Total, total_of, watts

AGX_ORIN = ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0")


def test_agx_orin_has_three_rails_and_memory_is_inside_one_of_them() -> None:
    total = total_of([*AGX_ORIN, "VDDQ_VDD2_1V8AO"])
    assert total == Total(AGX_ORIN, missing=())
    rails_w = {"VDD_GPU_SOC": 10.0, "VDD_CPU_CV": 4.0, "VIN_SYS_5V0": 5.0, "VDDQ_VDD2_1V8AO": 1.5}
    assert watts(total.rails, rails_w) == 19.0


def test_orin_nano_and_nx_have_an_input_rail_with_all_others_inside() -> None:
    total = total_of(["VDD_CPU_GPU_CV", "VDD_SOC", "VDD_IN"])
    assert total == Total(("VDD_IN",), missing=())
    assert watts(total.rails, {"VDD_IN": 8.0, "VDD_CPU_GPU_CV": 3.0, "VDD_SOC": 2.0}) == 8.0


def test_a_rail_that_is_not_there_is_missed() -> None:
    assert total_of(["VDD_GPU_SOC", "VDD_CPU_CV"]).missing == ("VIN_SYS_5V0",)
    assert total_of(["VDD_CPU_GPU_CV", "VDD_SOC"]).missing == ("VDD_IN",)


def test_a_board_without_any_rail_is_known_by_its_model() -> None:
    assert total_of([], "NVIDIA Jetson AGX Orin Developer Kit") == Total(AGX_ORIN, missing=AGX_ORIN)


def test_rails_of_an_unknown_module_are_not_added_up() -> None:
    assert total_of(["VCORE", "VMEM"], "A board") == Total((), ())
    assert watts((), {"VCORE": 3.0, "VMEM": 1.0}) is None


def test_a_sum_without_one_of_its_rails_is_none() -> None:
    assert watts(("A", "B"), {"A": 1.0, "B": None}) is None
    assert watts(("A", "B"), {"A": 1.0}) is None
    assert watts(("A", "B"), {"A": 1.0, "B": OFFLINE}) is None
