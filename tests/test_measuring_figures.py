"""The figures that measuring is made of."""

from __future__ import annotations

import pytest

from harness.measuring.figures import measured_name, middle_mean, quantile, significant


def test_a_measured_number_is_short_enough_to_read() -> None:
    assert significant(0.0123456789) == 0.0123457
    assert significant(1234.56789, digits=2) == 1200.0
    assert significant(0.0) == 0.0


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.25, 2.0), (0.5, 3.0), (0.99, 4.0), (1.0, 4.0)])
def test_a_quantile_is_one_of_the_values(share: float, value: float) -> None:
    assert quantile([3.0, 1.0, 4.0, 2.0], share) == value


def test_the_middle_s_mean_forgets_a_tenth_at_each_end() -> None:
    assert middle_mean([*range(1, 20), 9000]) == sum(range(3, 19)) / 16
    assert middle_mean([5.0, 9000.0, 1.0]) == 5.0
    assert middle_mean([1.0, 2.0]) == 1.5
    assert middle_mean([7.0]) == 7.0


def test_the_name_says_once_that_it_was_measured_and_stays_a_name() -> None:
    assert measured_name("wifi") == "measured-wifi"
    assert measured_name("measured-wifi") == "measured-wifi"
    assert len(measured_name("w" * 64)) == 64
