"""Colours, dashes and markers: one of each for a method, the same in every figure.

The colours of FeDeRA's methods are Okabe and Ito's, told apart with any colour vision. The others' were chosen to be
far from these and from each other (OKLab, with normal and red-green blind vision) and to be seen on white and on black.
Nobody tells eighteen colours apart, so each method has a marker of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from analysis import stats


@dataclass(frozen=True)
class Style:
    """How a method is drawn."""

    colour: str
    dash: str
    symbol: str


@dataclass(frozen=True)
class Entry:
    """A method's line of a legend."""

    method: str
    name: str
    style: Style


STYLES = {
    "fedft": Style("#E69F00", "dash", "square"),
    "fedbf": Style("#56B4E9", "dot", "triangle-up"),
    "fedap": Style("#009E73", "dashdot", "cross"),
    "fedlr": Style("#0072B2", "longdash", "diamond"),
    "federa": Style("#D55E00", "solid", "circle"),
    "ffa": Style("#6482FA", "dash", "triangle-down"),
    "fra": Style("#DC2864", "solid", "star"),
    "fra-ffa": Style("#AF1991", "dashdot", "hexagram"),
    "flexlora": Style("#19BE37", "longdash", "pentagon"),
    "flora": Style("#0A820A", "dash", "triangle-left"),
    "fedex": Style("#7346CD", "longdash", "triangle-right"),
    "rolora": Style("#91910A", "dot", "bowtie"),
    "fedsa": Style("#BE55DC", "dashdot", "hourglass"),
    "fedsvd": Style("#AF2819", "longdash", "hexagon"),
    "slora": Style("#466446", "dot", "octagon"),
    "hetlora": Style("#EB82FA", "dash", "diamond-tall"),
    "lora-fair": Style("#735582", "dashdot", "diamond-wide"),
    "central": Style("#8C8C8C", "longdashdot", "star-square"),
}
OTHER = Style("#CC79A7", "longdashdot", "x")

PHASES = (
    ("train_s", "train", "#0072B2"),
    ("download_s", "download", "#56B4E9"),
    ("upload_s", "upload", "#009E73"),
    ("load_s", "load", "#F0E442"),
    ("aggregate_s", "aggregate", "#CC79A7"),
    ("wait_s", "wait", "#D55E00"),
    ("other_s", "other", "#999999"),
)
# Cividis, from 0 to 1: as dark and as yellow for readers who do not see red or green (Nunez et al. 2018).
SHARE_SCALE = (
    "#00224e",
    "#123570",
    "#3b496c",
    "#575d6d",
    "#707173",
    "#8a8678",
    "#a59c74",
    "#c3b369",
    "#e1cc55",
    "#fee838",
)
VARIANTS = (("", 1.0, "filled"), ("-open", 1.2, "open"), ("-open", 2.0, "large and open"), ("", 0.6, "small"))
"""What a marker's name ends with, its size, and both in words: for several settings of one method.

Beyond four they begin again.
"""
FRACTION_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x")


def style(method: str) -> Style:
    """A method's style; one for all that are not known here."""
    return STYLES.get(method, OTHER)


def marker(method: str, variant: int = 0, size: float = 7) -> dict[str, Any]:
    """A method's marker for plotly, of a size in pixels; its settings have variants of it."""
    ending, factor, _ = VARIANTS[variant % len(VARIANTS)]
    return {"symbol": style(method).symbol + ending, "size": factor * size}


def variant_words(variant: int) -> str:
    """What the markers of a variant are."""
    return VARIANTS[variant % len(VARIANTS)][2]


def legend(methods: Iterable[str]) -> tuple[Entry, ...]:
    """One entry for each method, however many runs and seeds it has."""
    return tuple(Entry(method, stats.method_name(method), style(method)) for method in dict.fromkeys(methods))


def named(label: str, styles: Mapping[str, Style]) -> Style | None:
    """The style of the method that a label begins with, such as "FedLR seed 3"; None where it names none of them."""
    found = [name for name in styles if label == name or label.startswith((f"{name} ", f"{name},"))]
    return styles[max(found, key=len)] if found else None
