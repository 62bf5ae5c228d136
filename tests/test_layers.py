"""Holds the house map: imports point one way, heavy packages have one door each, pure modules touch nothing outside."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("harness", "agents", "analysis")
LONGEST_FILE_LINES = 250

LAYERS = (
    (
        "harness.errors",
        "harness.explanation",
        "harness.durable",
        "harness.spare",
        "harness.vitals",
        "harness.timeline",
        "harness.losses",
        "harness.address",
    ),
    ("harness.passed_on",),
    ("harness.yaml12", "harness.profiles", "harness.records", "harness.divergence"),
    ("harness.protocol", "harness.rounds", "harness.links", "harness.devices"),
    ("harness.blobs", "harness.tensorfile", "harness.pipes", "harness.retiming", "harness.shaping", "harness.sensors"),
    ("harness.learning",),
    (
        "harness.transport",
        "harness.keys",
        "harness.salvage",
        "harness.states",
        "harness.library",
        "harness.store",
        "harness.environment",
        "harness.clock",
        "harness.errands",
        "harness.remaining",
        "harness.doctor",
    ),
    ("harness.fleets",),
    ("harness.jobs", "harness.spending"),
    ("harness.between_rounds",),
    ("harness.controller",),
    ("harness.crews",),
    ("harness.endings", "harness.bench", "harness.listing", "harness.progress", "harness.launch", "harness.measuring"),
    (
        "harness.sweep",
        "harness.measure_command",
        "harness.profiles_command",
        "harness.runs_command",
        "harness.keys_command",
        "harness.doctor_command",
        "harness.shaper_command",
        "harness.probe_command",
        "harness.deploy",
        "harness.exporting",
        "harness.options",
        "harness.complaints",
    ),
    ("harness.commands",),
    ("harness.cli",),
)
"""Of the harness, from the ground up: a module imports from its own layer and from those before it."""

FOR_AGENTS = (
    "harness.errors",
    "harness.address",
    "harness.profiles",
    "harness.records",
    "harness.protocol",
    "harness.links",
    "harness.blobs",
    "harness.pipes",
    "harness.tensorfile",
    "harness.durable",
    "harness.transport",
    "harness.keys",
    "harness.vitals",
    "harness.timeline",
    "harness.shaping",
    "harness.sensors",
    "harness.doctor",
)
FOR_THE_WORKER = ("harness.learning",)
FOR_ANALYSIS = (
    "harness.errors",
    "harness.profiles",
    "harness.records",
    "harness.links",
    "harness.devices",
    "harness.retiming",
    "harness.divergence",
    "harness.library",
    "harness.vitals",
    "harness.timeline",
)

DOORS = {
    "zmq": ("harness.transport",),
    "torch": ("harness.learning",),
    "transformers": ("harness.learning",),
    "peft": ("harness.learning",),
    "datasets": ("harness.learning",),
    "safetensors": ("harness.learning",),
    "plotly": ("analysis",),
    "jinja2": ("analysis",),
    "yaml": ("harness.yaml12",),
    "ray": ("harness.fleets.cluster_ray",),
    "pickle": (),
}
"""The only places where a package may be imported."""

PURE = (
    "harness.errors",
    "harness.address",
    "harness.explanation",
    "harness.profiles",
    "harness.records",
    "harness.divergence",
    "harness.vitals",
    "harness.timeline",
    "harness.losses",
    "harness.protocol",
    "harness.rounds",
    "harness.links",
    "harness.devices",
    "harness.retiming",
    "harness.fleets.virtual_seconds",
    "harness.fleets.cluster_turns",
    "harness.measuring",
    "harness.sweep.words",
    "harness.sweep.plan",
    "harness.sweep.choice",
    "harness.sweep.results",
    "harness.learning.schedule",
    "harness.learning.forms",
    "harness.learning.aggregation.layer",
    "harness.learning.aggregation.lowrank",
    "harness.learning.aggregation.errors",
    "harness.learning.aggregation.fra",
    "harness.learning.aggregation.ranked",
    "harness.learning.aggregation.means",
    "harness.learning.aggregation.exact",
    "harness.learning.aggregation.fedsvd",
    "harness.learning.aggregation.fair",
    "harness.learning.data.classes",
    "harness.learning.data.corpus",
    "harness.learning.data.corpus_entities",
    "harness.learning.data.corpus_questions",
    "harness.learning.data.examples",
    "harness.learning.data.partition",
    "harness.learning.data.rows",
    "harness.learning.data.splits",
    "harness.learning.tasks.scoring",
    "harness.learning.tasks.spans",
    "harness.learning.tasks.squad",
    "harness.transport.limits",
    "harness.keys.keyfile",
    "harness.pipes.frames",
    "harness.fleets.claims",
    "harness.fleets.late",
    "harness.exporting.card",
    "harness.deploy.facts",
    "harness.deploy.places",
    "harness.deploy.steps",
    "harness.deploy.scripts",
    "harness.deploy.plan",
    "harness.deploy.removal",
    "harness.deploy.refusals",
    "harness.deploy.requirements",
    "harness.deploy.wish",
    "harness.deploy.trouble",
    "harness.doctor.findings",
    "harness.doctor.facts",
    "harness.doctor.verdicts",
    "harness.doctor.beside",
    "harness.shaping.words",
    "harness.shaping.allowance",
    "harness.shaping.reading",
    "harness.shaping.book",
    "harness.shaping.probe",
    "harness.sensors.answers",
    "harness.sensors.faults",
    "harness.sensors.fields",
    "harness.sensors.integral",
    "harness.sensors.pace",
    "harness.sensors.rails",
    "harness.sensors.series",
    "harness.sensors.summary",
    "harness.fleets.agent_clock",
    "harness.fleets.beside_claims",
    "harness.fleets.device_book",
    "harness.fleets.device_facts",
    "harness.fleets.telemetry_claims",
    "agents.lifecycle",
    "agents.kept",
    "agents.preparation",
    "agents.patience",
    "agents.session",
    "agents.tasks",
    "agents.frames",
    "agents.heartbeat",
    "agents.ledger",
    "agents.steps",
    "agents.words",
    "agents.devices",
    "agents.idle",
    "agents.offset",
    "agents.progress",
    "agents.unsent",
    "analysis.aggregation.cautions",
    "analysis.aggregation.figures",
    "analysis.aggregation.measures",
    "analysis.aggregation.own",
    "analysis.aggregation.privacy",
    "analysis.aggregation.privacy_figures",
    "analysis.aggregation.records",
    "analysis.aggregation.sections",
    "analysis.aggregation.table",
    "analysis.axes",
    "analysis.caution",
    "analysis.disturbances",
    "analysis.facets",
    "analysis.seeds",
    "analysis.sharing",
    "analysis.paper.reference",
    "analysis.paper.cells",
    "analysis.paper.notes",
    "analysis.paper.layout",
    "analysis.paper.tables",
    "analysis.paper.costs",
    "analysis.groups",
    "analysis.ranking",
    "analysis.facts",
    "analysis.flat",
    "analysis.export.printed",
    "analysis.parts",
    "analysis.sections",
    "analysis.paper.bands",
    "analysis.paper.budget",
    "analysis.paper.curves",
    "analysis.paper.drift_figures",
    "analysis.paper.figures",
    "analysis.paper.heterogeneity",
    "analysis.paper.overview",
    "analysis.paper.panels",
    "analysis.phase_figures",
    "analysis.front",
    "analysis.retime.study",
    "analysis.retime.rates",
    "analysis.retime.tables",
    "analysis.retime.figure",
    "analysis.retime.cautions",
    "analysis.targets",
    "analysis.goals",
    "analysis.partitions",
    "analysis.partition_figures",
    "analysis.plots",
    "analysis.stats",
    "analysis.tables",
    "analysis.warnings",
    "analysis.figures",
    "analysis.palette",
    "analysis.summary",
    "analysis.units",
    "analysis.happened",
    "analysis.rows",
    "analysis.energy",
    "analysis.energy_tables",
    "analysis.energy_figures",
    "analysis.link_tables",
    "analysis.methods",
    "analysis.devices",
    "analysis.device_warnings",
    "analysis.device_sections",
    "analysis.client_sections",
    "analysis.gantt",
    "analysis.trace.spans",
    "analysis.trace.course",
    "analysis.trace.power",
    "analysis.trace.viewer",
)
FACTS_OF_REPORTS = ("analysis.load", "analysis.rendering")
"""They read runs and write pages, and define what pure modules of a report are given, and give."""
CLOCKS = ("time", "datetime")
FILES_AND_SOCKETS = (
    "os",
    "io",
    "pathlib",
    "tempfile",
    "shutil",
    "mmap",
    "fcntl",
    "socket",
    "ssl",
    "select",
    "selectors",
)
THREADS_AND_PROCESSES = ("threading", "multiprocessing", "asyncio", "subprocess", "signal", "sys", "ctypes", "logging")
CHANCE = ("secrets", "uuid")
GLOBAL_CHANCE = ("random", "np.random", "numpy.random")
PACKAGES_OUTSIDE = ("zmq", "psutil", "rich", "typer", "torch", "urllib")
OUTSIDE = (*CLOCKS, *FILES_AND_SOCKETS, *THREADS_AND_PROCESSES, *CHANCE, *PACKAGES_OUTSIDE)
"""What a pure module has no business with."""


class Import(NamedTuple):
    """``importer`` imports ``imported`` in a line of a file; ``runs``: not for its types alone."""

    importer: str
    imported: str
    place: str
    runs: bool


def _module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {_module_of(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}


def _imports() -> Iterator[Import]:
    for module, path in FILES.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for_types = _for_types(tree)
        for node in ast.walk(tree):
            place, runs = f"{path.relative_to(ROOT)}, line {getattr(node, 'lineno', 0)}", node not in for_types
            if isinstance(node, ast.Import):
                yield from (Import(module, alias.name, place, runs) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{place}: a relative import; name the package"
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    yield Import(module, whole if whole in FILES else str(node.module), place, runs)


def _for_types(tree: ast.AST) -> set[ast.AST]:
    """What stands below ``if TYPE_CHECKING``."""
    asked = [node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    return {inner for node in asked for line in node.body for inner in ast.walk(line)}


IMPORTS = list(_imports())


def _within(module: str, places: tuple[str, ...]) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


def _said(wrong: list[Import], why: str) -> str:
    return "\n".join(f"{one.place}: {one.importer} imports {one.imported}; {why}" for one in wrong)


def _layer(module: str) -> int:
    found = [number for number, places in enumerate(LAYERS) if _within(module, places)]
    assert found, f"{module} has no place in LAYERS; give it one here and in docs/architecture.md"
    return found[0]


def test_imports_within_the_harness_point_one_way() -> None:
    assert len(FILES) > 40
    inside = [one for one in IMPORTS if _within(one.importer, ("harness",)) and _within(one.imported, ("harness",))]
    inside = [one for one in inside if "harness" not in (one.importer, one.imported)]
    wrong = [one for one in inside if _layer(one.imported) > _layer(one.importer)]
    assert not wrong, _said(wrong, "that is a layer above it")


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {module: set() for module in FILES}
    for one in IMPORTS:
        if one.imported in FILES and one.imported != one.importer:
            graph[one.importer].add(one.imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' <- '.join(error.args[1])}")


def test_agents_import_of_the_harness_only_what_both_sides_share() -> None:
    foreign = [one for one in IMPORTS if _within(one.importer, ("agents",)) and _within(one.imported, PACKAGES)]
    wrong = [
        one
        for one in foreign
        if not _within(one.imported, ("agents", *FOR_AGENTS))
        and not (one.importer == "agents.worker" and _within(one.imported, FOR_THE_WORKER))
        and one.imported != "harness"
    ]
    assert not wrong, _said(wrong, f"agents share {', '.join(FOR_AGENTS)}, and agents.worker alone learns")


def test_analysis_imports_of_the_harness_only_what_describes_a_run() -> None:
    wrong = [
        one
        for one in IMPORTS
        if _within(one.importer, ("analysis",))
        and _within(one.imported, PACKAGES)
        and not _within(one.imported, ("analysis", *FOR_ANALYSIS))
    ]
    assert not wrong, _said(wrong, f"analysis may have {', '.join(FOR_ANALYSIS)}")


def test_the_harness_imports_neither_agents_nor_analysis() -> None:
    wrong = [
        one for one in IMPORTS if _within(one.importer, ("harness",)) and _within(one.imported, ("agents", "analysis"))
    ]
    assert not wrong, _said(wrong, "their commands are found by entry points")


@pytest.mark.parametrize("package", sorted(DOORS))
def test_a_heavy_package_has_one_door(package: str) -> None:
    wrong = [one for one in IMPORTS if _within(one.imported, (package,)) and not _within(one.importer, DOORS[package])]
    assert not wrong, _said(wrong, f"only {', '.join(DOORS[package]) or 'nobody'} may")


def test_pure_modules_touch_nothing_outside() -> None:
    wrong = [one for one in IMPORTS if _within(one.importer, PURE) and one.imported.split(".")[0] in OUTSIDE]
    assert not wrong, _said(wrong, "it is pure: no clock, socket, file, thread or process")


def test_pure_modules_import_only_pure_modules() -> None:
    own = [one for one in IMPORTS if _within(one.importer, PURE) and one.imported in FILES and one.runs]
    wrong = [one for one in own if not _within(one.imported, (*PURE, *FACTS_OF_REPORTS))]
    assert len(own) > 100
    assert not wrong, _said(wrong, "it is pure, and that is not")


def _global_draws(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of each use of random.x or np.random.x that is not the making of a generator of one's own."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module in GLOBAL_CHANCE:
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) in GLOBAL_CHANCE:
            names = [node.attr]
        yield from ((node.lineno, name) for name in names if not _makes_generator(name))


def _makes_generator(name: str) -> bool:
    return name == "default_rng" or name[:1].isupper()


def test_nobody_draws_from_a_global_random_generator() -> None:
    for path in FILES.values():
        for line, name in _global_draws(ast.parse(path.read_text(encoding="utf-8"))):
            pytest.fail(f"{path.relative_to(ROOT)}, line {line}: {name}; draw from a generator with a seed of its own")


def test_no_file_is_longer_than_a_reader_s_patience() -> None:
    lines = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in FILES.items()}
    long = [f"{module} has {count} lines" for module, count in lines.items() if count > LONGEST_FILE_LINES]
    assert not long, f"{', '.join(long)}; at most {LONGEST_FILE_LINES}: split"
