"""The command ``federa-bench sweep``: from its words to tuned, tested runs, tables and a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import msgspec
from rich.console import Console

from harness import launch
from harness.endings import stopped_by_signals
from harness.errors import FederaBenchError, RunInterruptedError
from harness.options import methods_of
from harness.profiles import Experiment
from harness.store import RunFolder
from harness.sweep import show
from harness.sweep.ending import broken_off, finish, write_results
from harness.sweep.folder import Standing, SweepFolder
from harness.sweep.options import SweepOptions
from harness.sweep.plan import Plan, asked_of
from harness.sweep.queue import Queue
from harness.sweep.survey import Survey, survey
from harness.sweep.words import check_sets, check_trains, rates_of, seeds_of
from harness.sweep.workers import Workers, processes

SHARED = (
    "{jobs} runs of a sweep at a time shared {where}, so train_s is longer than in a run alone; use --jobs 1 for "
    "times to compare"
)


def sweep(options: SweepOptions) -> int:
    """Tune, test, show what was found and have the report written; the exit code.

    0: every method was tested with every seed; 1: some runs failed or broke off, their sentences were said.

    Raises:
        UsageError: the command, the profile or a folder is wrong.
        StoreError: another process carries this sweep out, or a record could not be written or read.
        RunInterruptedError: stopped by SIGINT or SIGTERM; says how to go on.
    """
    plan = plan_of(options)
    folder = SweepFolder(options.out, plan.asked)

    def look() -> Survey:
        return survey(folder, plan)

    if options.dry_run:
        _show_plan(options, folder, look())
        return 0
    console = Console(stderr=True)
    show.opening(console, folder, look())
    with ExitStack() as held:
        held.enter_context(folder.locked())
        held.enter_context(_interruptible(options, look))
        crowd = held.enter_context(_crowd(options, folder, plan))
        standings = _carry_out(options, folder, plan, crowd, show.Screen(console, look, folder, crowd.jobs))
    return finish(options, folder, look(), standings)


@dataclass(frozen=True)
class Crowd:
    """Who carries runs out, ``jobs`` at a time, and what these then share."""

    workers: Workers
    jobs: int
    shared: str


@contextmanager
def _crowd(options: SweepOptions, folder: SweepFolder, plan: Plan) -> Iterator[Crowd]:
    """Processes of this machine, or of the nodes of a cluster; none is left at the end of the block."""
    if not over_cluster(options):
        jobs = options.jobs or 1
        with processes(options.out, jobs) as started:
            yield Crowd(started, jobs, "this machine")
        return
    from harness.sweep.cluster import cluster_runs

    with cluster_runs(options.ray, folder.path, options.out, plan.experiments[0].device.threads) as runs:
        yield Crowd(runs, min(options.jobs or runs.room, runs.room), "the nodes of a cluster")


def over_cluster(options: SweepOptions) -> bool:
    """Whether runs are spread over a cluster; each is then one of a virtual fleet, as if it were carried out here."""
    return launch.experiment_of(options.profile, options.sets, fleet=options.fleet).fleet == "ray"


def plan_of(options: SweepOptions) -> Plan:
    """The runs that the words ask for.

    Raises:
        UsageError: the words, the profile or a folder are wrong.
    """
    methods, rates = methods_of(options.methods), rates_of(options.lrs)
    seeds = seeds_of(options.seeds)
    tune_seeds = seeds_of(options.tune_seeds, "--tune-seeds") if options.tune_seeds is not None else seeds
    check_sets(options.sets, launch.SEEDED, tuned=rates is not None)
    launch.check_cluster(over_cluster(options), options.ray)
    launch.check_folders(options.data, options.models, options.out)
    experiments = {seed: _experiment(options, seed) for seed in {0, *seeds, *tune_seeds}}
    check_trains(experiments[0], tuned=rates is not None and len(rates) > 1)
    launch.check_methods([experiments[0]], methods)
    launch.check_tables([experiments[0]], methods)
    data, models = (str(path.resolve()) if path else None for path in (options.data, options.models))
    asked = asked_of(experiments[0], methods, rates, seeds, tune_seeds, options.tune_rounds, data, models)
    return Plan(asked, experiments)


def _experiment(options: SweepOptions, seed: int) -> Experiment:
    """What a run of this seed is; over a cluster, the same as on a virtual fleet of this machine."""
    found = launch.experiment_of(options.profile, options.sets, options.rounds, seed=seed, fleet=options.fleet)
    return msgspec.structs.replace(found, fleet="virtual") if found.fleet == "ray" else found


def _show_plan(options: SweepOptions, folder: SweepFolder, found: Survey) -> None:
    if options.as_json:
        launch.print_json(found.overview(folder))
        return
    console = Console()
    show.opening(console, folder, found)
    show.plan(console, found, folder)
    show.say(console, "dry run: nothing was started", "dim")


@contextmanager
def _interruptible(options: SweepOptions, look: Callable[[], Survey]) -> Iterator[None]:
    """SIGINT and SIGTERM end the block in a sentence that says how to go on."""
    with stopped_by_signals():
        try:
            yield
        except KeyboardInterrupt:
            raise RunInterruptedError(
                f"interrupted; {show.standing_line(look())}, and what is recorded is kept. "
                f"Go on with the same command: {options.command}"
            ) from None


def _carry_out(
    options: SweepOptions, folder: SweepFolder, plan: Plan, crowd: Crowd, screen: show.Screen
) -> list[Standing]:
    """Both stages, one after the other; the validation runs as they stand then, and the test runs.

    Raises:
        FederaBenchError: validation runs broke off, so that no rate can be chosen.
    """

    def ready(standing: Standing) -> RunFolder:
        return _ready(options, folder, standing, crowd)

    queue = Queue(folder, crowd.workers, ready, screen, crowd.jobs, options.retry_failed)
    tuned = queue.carry_out(plan.validation())
    write_results(folder, survey(folder, plan))
    broken = [one for one in tuned if one.outcome is None]
    if broken:
        raise FederaBenchError(broken_off(broken, options))
    tested = queue.carry_out(plan.test(survey(folder, plan).chosen))
    write_results(folder, survey(folder, plan))
    return [*tuned, *tested]


def _ready(options: SweepOptions, folder: SweepFolder, standing: Standing, crowd: Crowd) -> RunFolder:
    """The folder of a run that is to be carried on, made if it has none."""
    from harness.bench import RunOptions, new_run
    from harness.learning.workload import Sources

    planned = standing.planned
    sources = Sources(data=options.data, models=options.models)
    run = standing.folder or new_run(
        planned.experiment, planned.method, sources, RunOptions(out=folder.root(planned.stage))
    )
    if crowd.jobs > 1 and _times_this_machine(planned.experiment):
        header = run.read_header()
        shared = SHARED.format(jobs=crowd.jobs, where=crowd.shared)
        warnings = tuple(dict.fromkeys((*header.warnings, shared)))
        run.write_header(msgspec.structs.replace(header, warnings=warnings))
    return run


def _times_this_machine(experiment: Experiment) -> bool:
    """Whether a run's seconds are what something took here, and not those of a device's table."""
    return not experiment.virtual or not experiment.device.seconds
