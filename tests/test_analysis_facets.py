"""What tells runs of one method apart."""

from __future__ import annotations

import pytest
from run_folders import experiment, run

from analysis import stats
from analysis.facets import facets_of, power_of_ten, telling


def test_what_a_comparison_varies_has_words_of_its_own() -> None:
    found = facets_of(run(method="fedlr", of=experiment(partition={"alpha": 10.0}, link={"name": "lte"})))
    assert [key for key, word in found.items() if word][:4] == ["data set", "model", "partition", "lr"]
    assert (found["partition"], found["lr"], found["link"]) == ("alpha 10", "lr 5e-4", "link lte")


@pytest.mark.parametrize(
    ("kind", "words"), [("fednlp-dirichlet", "alpha 0.1"), ("dirichlet", "dirichlet alpha 0.1"), ("iid", "iid")]
)
def test_alpha_is_said_where_it_is_drawn_with(kind: str, words: str) -> None:
    assert facets_of(run(of=experiment(partition={"kind": kind})))["partition"] == words


def test_everything_else_goes_by_its_key_unless_it_is_too_long_to_read() -> None:
    found = facets_of(run(of=experiment(train={"batch_size": 8}, description="one" * 30)))
    assert found["train.batch_size"] == "train.batch_size 8"
    assert "description" not in found
    assert not any(key.startswith("methods.") for key in found)


def test_a_facet_that_repeats_an_earlier_one_is_left_out() -> None:
    one = ("federa", {"data set": "20news", "alpha": "alpha 0.1", "lr": "lr 1"})
    other = ("federa", {"data set": "wnut", "alpha": "alpha 1", "lr": "lr 1"})
    third = ("federa", {"data set": "wnut", "alpha": "alpha 1", "lr": "lr 2"})
    assert telling([one, other]) == ("data set",)
    assert telling([one, other, third]) == ("data set", "lr")


def test_a_run_on_the_validation_split_is_named_so() -> None:
    tried = run(of=experiment(evaluate={"split": "validation"}), run_id="tried")
    assert stats.labels([tried, run()]) == ("FeDeRA validation split", "FeDeRA test split")


def test_what_differs_between_methods_alone_tells_nobody_apart() -> None:
    assert telling([("federa", {"lr": "lr 1"}), ("fedlr", {"lr": "lr 2"})]) == ()


def test_without_seeds_no_seed_tells_runs_apart() -> None:
    runs = [("federa", {"seed": f"seed {n}", "seeds.link": f"seeds.link {n}"}) for n in (1, 2)]
    assert telling(runs) == ("seed",)
    assert telling(runs, seeds=False) == ()


def test_learning_rates_are_written_as_people_write_them() -> None:
    assert [power_of_ten(value) for value in (1e-3, 5e-5, 2.5e-4, 0.01, 0.5, 1)] == [
        "1e-3",
        "5e-5",
        "2.5e-4",
        "1e-2",
        "0.5",
        "1",
    ]
