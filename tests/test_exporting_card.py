"""The model card: figures of the records, a front matter that YAML reads, code that cannot break out."""

from __future__ import annotations

import re

import msgspec
import run_folders
import yaml

from harness.exporting.card import Exported, card
from harness.records import ErrorComponents, PrivacySpent

LABELS = ("chess", "poetry")
PEFT = Exported("peft", 64, "roberta-base", "FacebookAI/roberta-base", LABELS)
MERGED = Exported("merged", None, "path/to/model", None, LABELS)
EPSILON = PrivacySpent(
    epsilon=3.14159,
    delta=1e-5,
    unit="sample",
    noise_multiplier=1.0,
    clip=1.0,
    sample_rate=0.1,
    steps=40,
    accountant="rdp",
)


def made(exported: Exported, method: str = "federa", **last: object) -> str:
    rounds = [run_folders.round_record(1, 0.5), run_folders.round_record(2, 0.8125), run_folders.round_record(3, 0.75)]
    rounds.append(run_folders.round_record(4, None, **last))
    return card(exported, run_folders.header(method), run_folders.EXPERIMENT, rounds)


def test_its_figures_are_those_of_the_records() -> None:
    told = made(
        PEFT, errors=ErrorComponents(change=2.0, averaging=0.125, truncation=0.0625, made=0.03125), privacy=EPSILON
    )
    for row in (
        "| accuracy, last | 0.7500 |",
        "| accuracy, best | 0.8125 |",
        "| clock after the last round | 16.0 s (critical path) |",
        "| bytes up, all clients | 4,000 |",
        "| trained parameters | 147,456 and a head of 18,180 |",
        "| epsilon at delta 1e-05 | 3.142, of a sample (rdp) |",
        "| error made, last round | 0.0312 of the round's change |",
        "| averaging error, last round | 0.1250 of the round's change |",
        "| rank, alpha | 32, 32 |",
        "| initialisation | federa |",
        "| privacy | none |",
    ):
        assert row in told, row
    assert f"This is the state after round 4, `{4:064x}`." in told
    assert "over W itself that is B A - B0 A0, of twice the rank" in told


def test_its_front_matter_is_yaml_with_the_base_where_the_hub_has_it() -> None:
    front = yaml.safe_load(made(PEFT).split("---")[1])
    assert front["base_model"] == "FacebookAI/roberta-base"
    assert (front["library_name"], front["pipeline_tag"]) == ("peft", "text-classification")
    assert front["model-index"][0]["results"][0]["metrics"] == [{"type": "accuracy", "value": 0.75}]
    front = yaml.safe_load(made(MERGED).split("---")[1])
    assert front["library_name"] == "transformers"
    assert "base_model" not in front


def test_a_run_that_was_never_evaluated_and_made_no_errors_has_a_card() -> None:
    told = card(MERGED, run_folders.header("fedlr"), run_folders.EXPERIMENT, [run_folders.round_record(1)])
    assert "accuracy," not in told
    assert "model-index" not in told


def test_what_is_no_plain_model_of_the_run_is_said() -> None:
    assert "a reference, not one of the personal" in made(PEFT, "fedsa")
    assert "Metrics are means over the clients' own models" in made(PEFT, "fedsa")
    assert "not federated: a reference" in made(PEFT, "central")
    assert "bytes up" not in made(PEFT, "central")


def test_figures_of_other_models_are_not_given_to_the_hub_as_this_one_s() -> None:
    assert "model-index" not in made(PEFT, "fedsa")
    assert "error made" not in made(
        PEFT, "fedsa", errors=ErrorComponents(change=1.0, averaging=0.1, truncation=0.1, made=0.1)
    )


def test_an_epsilon_that_is_not_exact_says_so() -> None:
    told = made(PEFT, privacy=msgspec.structs.replace(EPSILON, unit="client", exact=False))
    assert "3.142 (nearest), of a client (rdp)" in told


def test_names_of_labels_stay_within_their_block_of_code() -> None:
    hostile = ("```\n# owned", "it's", 'a "b"')
    told = made(PEFT._replace(label_names=hostile))
    assert told.count("```") == 2
    [code] = re.findall(r"```python\n(.*?)```", told, re.DOTALL)
    [labels] = re.findall(r"id2label=(\{.*\})\)", code)
    assert tuple(eval(labels).values()) == hostile
