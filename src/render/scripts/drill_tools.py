"""What drills of all engines have in common: how they are told what to do, and how they tell what came of it.

The reporter (agent/src/drill-job.ts) listens in the other container of the Pod, and judges; here are facts only.
"""
from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from typing import Any, Callable, Dict, List, Optional

FOLDER = os.environ.get("EVEREST_DRILL_DIR", os.path.dirname(os.path.abspath(__file__)))
ACCESS_FILES = os.environ.get("EVEREST_DRILL_ACCESS", "/run/drill-access")
REPORT = os.environ.get("EVEREST_REPORT", "/run/drill/report.sock")
# The reporter's image may have to be pulled first.
REPORTER_LIMIT_S, LOOK_S = 600.0, 0.2
# Of what a program said: an error of the storage begins with its name and goes on for pages.
HEAD_LENGTH, TAIL_LENGTH = 3000, 1000

Json = Dict[str, Any]


class Failure(Exception):
    """A step that did not go well; `text` is what the program said."""

    def __init__(self, stage: str, text: str, code: Optional[int] = None) -> None:
        super().__init__(text)
        both = text if len(text) <= HEAD_LENGTH + TAIL_LENGTH else f"{text[:HEAD_LENGTH]}\n{text[-TAIL_LENGTH:]}"
        self.fact = {"stage": stage, "text": both, **({} if code is None else {"exitCode": code})}


class Reporter:
    """A stream of JSON lines. When it ends without the last word, the reporter knows that this process has died."""

    def __init__(self, path: str) -> None:
        self.stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        end = time.monotonic() + REPORTER_LIMIT_S
        while True:
            try:
                self.stream.connect(path)
                return
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(LOOK_S)

    def tell(self, message: Json) -> None:
        self.stream.sendall(json.dumps(message).encode() + b"\n")

    def step(self, stage: str, text: str) -> None:
        print(f"everest: {text}", flush=True)
        self.tell({"step": stage})


def need_value(need: Json) -> Optional[str]:
    """What a Secret or ConfigMap holds for it, as a variable or as a file; None where there is nothing."""
    if "file" not in need:
        return os.environ.get(need["environment"]) or None
    try:
        with open(os.path.join(ACCESS_FILES, need["file"]), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def check_access(needs: List[Json]) -> None:
    """What comes of Secrets may be absent, so that the Pod starts and says what is missing."""
    absent = [f"{need['object']} has no value for key {need['key']}" for need in needs if need_value(need) is None]
    if absent:
        raise Failure("access", "; ".join(absent))


def describe(rows: List[Any]) -> str:
    if not rows:
        return "no row"
    if len(rows) > 1:
        return "more than one row"
    return ", ".join("NULL" if item is None else str(item).lower() if isinstance(item, bool) else str(item) for item in rows[0])[:300]


def run_drill(make: Callable[[Json, Reporter], Any]) -> int:
    with open(f"{FOLDER}/drill.json", encoding="utf-8") as file:
        order = json.load(file)
    reporter = Reporter(REPORT)
    drill = make(order, reporter)
    # The Pod is being taken away: what is known is told as far as it goes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        reporter.tell({"report": drill.run()})
    finally:
        drill.stop()
    return 0
