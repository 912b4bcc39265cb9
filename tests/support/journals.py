"""Journals of runs that never were, for whatever shows them."""

import base64
import gzip
import re
from typing import Any

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`\x1b]8;;\u202e{{7*7}}"


def a_journal(words: str, *, path: str = "src/a.py") -> list[dict[str, Any]]:
    """Return the journal of a run in which every text is `words`."""
    check = {"check": "L1.1", "level": 1, "command": words, "status": 1, "seconds": 0.1}
    told = {"reason": words, "output": words}
    objection = {"weight": "noted", "place": words, "what": words}
    answer = {"model": "m", "requests": 1, "input_tokens": 90, "output_tokens": 10}
    answer |= {"cache_read_tokens": 45, "cache_write_tokens": 0, "cost_usd": 0.5, "seconds": 1.0}
    usual = {"attempt": 1}
    started = dict.fromkeys(("run", "repository", "prp", "title", "goal", "sha256"), words)
    started |= dict.fromkeys(("base", "branch", "sandbox", "allowed"), words)
    events: list[dict[str, Any]] = [
        {"type": "run-started", **started, "models": {words: words}, "limits": {"max_attempts": 3}},
        {"type": "noted", "text": words, "warning": True},
        {
            "type": "setup-finished",
            **dict.fromkeys(("kind", "state", "command", "reason", "output"), words),
            "hosts": [words],
            "seconds": 1.0,
        },
        {
            "type": "host-asked",
            **dict.fromkeys(("stage", "host", "address", "state", "reason"), words),
            "port": 443,
            "sent": 1,
            "received": 2,
            "seconds": 1.0,
        },
        {"type": "contract-frozen", "files": {}, "checks": []},
        {"type": "check-finished", "stage": "baseline", "state": "failed", **check, **told},
        {"type": "model-answered", "role": "planner", **answer},
        {
            "type": "planned",
            "summary": words,
            "steps": [{"task": 1, "approach": words}],
            "proofs": [],
            "concerns": [words],
        },
        {"type": "estimated", "answers": [9, 30], "tokens": [90, 1000], "cost_usd": [0.1, 2.0]},
        {"type": "task-started", **usual, "task": 1, "title": words},
        {"type": "tool-used", "role": "coder", "tool": words, "summary": words, "failed": True},
        {"type": "model-answered", "role": "coder", **answer},
        {
            "type": "task-finished",
            **usual,
            "task": 1,
            "commit": "c" * 40,
            "files": [path, words],
            "summary": words,
            "deviations": [words],
            "doubts": [words],
        },
        {"type": "check-finished", "stage": "attempt 1", "state": "passed", **check, **told},
        {
            "type": "mutants-tried",
            **usual,
            "chosen": 3,
            "tried": 2,
            "killed": 1,
            "survivors": [words],
            "seconds": 1.0,
        },
        {
            "type": "holdout-written",
            "path": words,
            "content": words,
            "command": words,
            "tests": [{"name": words, "criterion": "C1", "words": words, "new": True}],
            "reason": "",
        },
        {"type": "holdout-tried", **usual, "passed": [], "failed": {words: words}},
        {
            "type": "criterion-judged",
            **usual,
            "criterion": "C1",
            "text": words,
            "line": 3,
            "status": "failed",
            "evidence": [words, "L1.1 failed"],
        },
        {
            "type": "attempt-verified",
            **usual,
            "commit": "c" * 40,
            "holds": False,
            "failures": [words],
            "concerns": [words],
            "put_back": [words],
            "objections": [objection],
        },
        {"type": "feedback-sent", **usual, "text": words},
        {
            "type": "run-ended",
            "outcome": "failed",
            "exit_status": 10,
            "reason": words,
            "hint": words,
            "branch": words,
            "commit": "c" * 40,
            "seconds": 12.5,
        },
    ]
    return [{"v": 1, "seq": n, "at": 100.0 + n, **event} for n, event in enumerate(events)]


PATCH = (
    "diff --git a/src/a.py b/src/a.py\nindex 1..2 100644\n--- a/src/a.py\n+++ b/src/a.py\n"
    f"@@ -1,2 +1,2 @@ {EVIL}\n x = 1\n-y = '{EVIL}'\n+y = \"{EVIL}\"\n"
)


def unpacked(text: str) -> dict[str, str]:
    """Return the parts of a page that it unpacks on demand."""
    found = re.findall(
        r'<script type="application/octet-stream" id="([^"]+)">([^<]*)</script>', text
    )
    return {name: gzip.decompress(base64.b64decode(data)).decode() for name, data in found}
