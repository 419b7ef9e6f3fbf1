"""Reading and checking a pipeline definition of 200 steps, made of the steps of real definitions.

``read`` is text to requests (parsing included), ``check`` those requests against the baseline, and
``all`` is both. ``json`` is the parser of the standard library alone, on the same text.
"""

from __future__ import annotations

import copy
import json
import statistics
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from bench.bench_iam import RESULTS, machine
from secure_ml_ext.check.documents import Checker
from secure_ml_ext.check.pipeline import read_pipeline

STEPS = 200
ROUNDS = 60
DATA = Path(__file__).parents[1] / "tests" / "data" / "pipelines"
SETS = {"nothing set": "lambda-step.json", "secured": "secure-mlops-abalone.json"}


def definition(name: str) -> str:
    """Return a definition of 200 processing, training and evaluation steps."""
    content = json.loads((DATA / name).read_text())
    jobs = [step for step in content["Steps"] if step["Type"] != "Condition"]
    steps = []
    for number in range(STEPS):
        step = copy.deepcopy(jobs[number % len(jobs)])
        step["Name"] += str(number)
        steps.append(step)
    return json.dumps({**content, "Steps": steps})


def measure(calls: dict[str, Callable[[], Any]]) -> dict[str, dict[str, float]]:
    """Return median and quartiles in milliseconds, the calls taken in turn."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append((time.perf_counter() - start) * 1e3)
    found = {}
    for name, values in times.items():
        low, middle, high = statistics.quantiles(values, n=4)
        found[name] = {"median": round(middle, 2), "q1": round(low, 2), "q3": round(high, 2)}
    return found


def compare(name: str) -> dict[str, Any]:
    """Measure one definition."""
    text = definition(name)
    checker = Checker.of()
    reading = read_pipeline(text)
    calls: dict[str, Callable[[], Any]] = {
        "json": lambda: json.loads(text),
        "read": lambda: read_pipeline(text),
        "check": lambda: checker.report(reading),
        "all": lambda: checker.report(read_pipeline(text)),
    }
    errors = checker.report(reading).summary.error
    return {"bytes": len(text), "errors": errors, "ms": measure(calls)}


def main() -> dict[str, Any]:
    """Measure, print, and write a result file."""
    result = {
        "benchmark": "pipeline",
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": machine(),
        "rounds": ROUNDS,
        "steps": STEPS,
        "measured": {name: compare(file) for name, file in SETS.items()},
    }
    print(f"A pipeline definition of {STEPS} steps (median, quartiles)")
    for name, found in result["measured"].items():
        print(f"  {name}: {found['bytes'] // 1024} KB, {found['errors']} errors")
        for part, times in found["ms"].items():
            print(
                f"    {part:<6} {times['median']:7.2f} ms ({times['q1']:.2f} to {times['q3']:.2f})"
            )
    RESULTS.mkdir(exist_ok=True)
    place = RESULTS / f"pipeline-{result['date'][:10]}.json"
    place.write_text(json.dumps(result, indent=2) + "\n")
    return result


if __name__ == "__main__":
    main()
