"""Mutation testing of the connectors: change one thing, run the conformance kit, and see whether a test fails.

    python scripts/mutate_connectors.py                        every mutant (about an hour on two cores)
    python scripts/mutate_connectors.py --limit 200 --seed 7   a random sample
    python scripts/mutate_connectors.py --only connectors/apple --survivors
    python scripts/mutate_connectors.py --only connectors/meta.py:81

Each mutant runs in a process of its own: it imports the changed module, then runs the kit for every built-in
connector that uses the module, and stops at the first failure. A mutant has survived if no test fails. Either
no test of the kit covers the changed behaviour, or the change makes no difference.
"""

import argparse
import ast
import importlib
import os
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from mutants import ROOT, Mutant, mutants

PLATFORMS = ("apple", "instagram", "messenger", "twilio", "web", "whatsapp")
#: The platforms that use a file, by the second part of its path. All of them use any other file.
USED_BY = {
    **{name: (name,) for name in PLATFORMS},
    "meta.py": ("instagram", "messenger", "whatsapp"),
    "messenger_platform": ("instagram", "messenger"),
}
#: Imported once, before forking, so that each process starts quickly.
PRELOADED = ("jwt", "normalizer.events", "pytest", "twilio.request_validator")
#: Bytes. A mutant may allocate without end.
MEMORY_LIMIT = 2 * 1024**3
#: A mutant may loop without end: it gets this many times as long as the unchanged code, and some seconds more.
TIMES_AS_LONG, SECONDS_MORE = 4, 10.0


class _MutantLoader(MetaPathFinder, Loader):
    """Import hook that loads one module from a mutant's code."""

    def __init__(self, name: str, file: Path, code: CodeType) -> None:
        self._name, self._file, self._code = name, file, code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname != self._name:
            return None
        return spec_from_file_location(fullname, self._file, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, vars(module))


def used_by(file: Path) -> tuple[str, ...]:
    return USED_BY.get(file.relative_to(ROOT).parts[1], PLATFORMS)


def first_failure(platforms: Iterable[str], tests: Iterable[str]) -> str | None:
    """The first test of the kit that fails for one of the platforms, None if all pass."""
    try:
        conformance = importlib.import_module("tests.connectors.test_conformance")
    except Exception as exc:  # noqa: BLE001 - a mutant may raise anything
        return f"import: {type(exc).__name__}"
    kit_run = importlib.import_module("tests.connectors.kit_run")
    suites = {name.removeprefix("Test").lower(): suite for name, suite in vars(conformance).items()}
    for test in tests:
        for platform in platforms:
            if kit_run.failing(suites[platform], [test]):
                return f"{platform}: {test}"
    return None


# processes ----------------------------------------------------------------------------------------


def _run_mutant(mutant: Mutant, tests: Sequence[str], results: Connection) -> None:
    """The body of a mutant's process. Sends the test that killed the mutant, None if it survived."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 - until the process ends
    try:
        mutant.apply()
        code = compile(ast.fix_missing_locations(mutant.tree), str(mutant.file), "exec")
    except (SyntaxError, TypeError, ValueError) as exc:
        results.send(f"compile: {exc}")
        return
    module = ".".join(mutant.file.relative_to(ROOT).with_suffix("").parts)
    sys.meta_path.insert(0, _MutantLoader(module, mutant.file, code))
    results.send(first_failure(used_by(mutant.file), tests))


def _measure(platforms: Sequence[str], results: Connection) -> None:
    """The body of the first process. Sends the seconds that each test takes on the unchanged code."""
    seconds = {}
    for test in importlib.import_module("tests.connectors.kit_run").TESTS:
        begin = time.perf_counter()
        failure = first_failure(platforms, [test])
        assert failure is None, f"the unchanged connectors fail {failure}"
        seconds[test] = time.perf_counter() - begin
    results.send(seconds)


@dataclass(slots=True)
class _Running:
    mutant: Mutant
    process: Any
    deadline: float


def run(chosen: Sequence[Mutant], workers: int) -> Iterator[tuple[Mutant, str | None]]:
    """Run the mutants; yield each one with what killed it, None if it survived, as they finish."""
    seconds = _baseline(chosen)
    cheapest_first = sorted(seconds, key=lambda test: seconds[test])
    time_limit = TIMES_AS_LONG * sum(seconds.values()) + SECONDS_MORE
    waiting, running = list(reversed(chosen)), dict[Connection, _Running]()
    while waiting or running:
        while waiting and len(running) < workers:
            mutant = waiting.pop()
            process, results = _fork(_run_mutant, mutant, cheapest_first)
            running[results] = _Running(mutant, process, time.monotonic() + time_limit)
        ready = wait(list(running), timeout=1.0)
        for results in [one for one in running if one in ready]:
            done = running.pop(results)
            yield done.mutant, _received(results)
            done.process.join()
        for results, late in list(running.items()):
            if time.monotonic() > late.deadline:
                late.process.kill()
                del running[results]
                yield late.mutant, "time-out"


def _baseline(chosen: Sequence[Mutant]) -> dict[str, float]:
    platforms = sorted({name for mutant in chosen for name in used_by(mutant.file)})
    process, results = _fork(_measure, platforms)
    try:
        seconds: dict[str, float] = results.recv()
    except EOFError:
        raise SystemExit("the unchanged connectors fail the kit; fix that first") from None
    process.join()
    return seconds


def _fork(body: Any, *arguments: Any) -> tuple[Any, Connection]:
    context = get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=body, args=(*arguments, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _received(results: Connection) -> str | None:
    with suppress(EOFError):
        killed_by: str | None = results.recv()
        return killed_by
    return "crash"  # out of memory, or an error that ended the process


# the command --------------------------------------------------------------------------------------


def files() -> list[Path]:
    """The files that are mutated: the platforms' packages, Meta's shared module, and the tools."""
    folder = ROOT / "connectors"
    found = [file for name in (*PLATFORMS, "tools") for file in (folder / name).glob("*.py")]
    return [file for file in sorted((*found, folder / "meta.py")) if file.name != "__init__.py"]


def sample(known: Sequence[Mutant], limit: int | None, seed: int) -> Sequence[Mutant]:
    if limit is None or limit >= len(known):
        return known
    return [known[at] for at in sorted(random.Random(seed).sample(range(len(known)), limit))]


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutation testing of the connectors.")
    parser.add_argument("--limit", type=int, help="run a random sample of this many mutants")
    parser.add_argument("--seed", type=int, default=0, help="seed of the sample (default: 0)")
    parser.add_argument("--only", default="", help="FILE or FILE:LINE, or the beginning of one")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--survivors", action="store_true", help="print only the survivors")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    for name in PRELOADED:
        importlib.import_module(name)
    known = [mutant for file in files() for mutant in mutants(file)]
    known = [mutant for mutant in known if str(mutant).startswith(options.only)]
    chosen = sample(known, options.limit, options.seed)
    print(f"running {len(chosen)} of {len(known)} mutants", flush=True)
    survived = Counter[Path]()
    for mutant, killed_by in run(chosen, options.workers):
        if killed_by is None:
            survived[mutant.file] += 1
            print(f"survived  {mutant}", flush=True)
        elif not options.survivors:
            print(f"killed    {mutant}  ({killed_by})", flush=True)
    _summarize(chosen, survived)
    return 0


def _summarize(chosen: Sequence[Mutant], survived: Counter[Path]) -> None:
    made = Counter(mutant.file for mutant in chosen)
    for file, count in sorted(made.items()):
        print(f"{file.relative_to(ROOT)}: {count - survived[file]} of {count} killed")
    killed = len(chosen) - survived.total()
    print(f"score: {killed / max(1, len(chosen)):.1%} ({killed} of {len(chosen)} mutants killed)")


if __name__ == "__main__":
    raise SystemExit(main())
