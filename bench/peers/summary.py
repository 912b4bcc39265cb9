"""What many runs come to, as a table."""

from __future__ import annotations

import statistics
from typing import Any


def median(values: list[float]) -> float | None:
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


SUMMARY = (
    "wall_s",
    "cpu_s",
    "peak_rss_mb",
    "peak_pss_mb",
    "procs",
    "requests",
    "turns",
    "side",
    "tokens",
    "shared_tokens",
    "bytes",
    "first_ms",
    "first_main_ms",
    "first_tokens",
    "coder_tokens",
    "own_tokens",
    "last_tokens",
    "tools",
    "end_ms",
    "foreign",
    "wait_s",
)


def quietest(runs: list[dict[str, Any]], n: int) -> list[dict[str, Any]]:
    """The n good runs during which others used the machine least."""
    return sorted((r for r in runs if r["ok"]), key=lambda r: r["foreign"])[:n]


def summarise(runs: list[dict[str, Any]], tools: list[list[float]], wanted: int) -> dict[str, Any]:
    """Medians over the `wanted` quietest good runs."""
    good = quietest(runs, wanted)
    used = good or runs
    out: dict[str, Any] = {k: median([r.get(k) for r in used]) for k in SUMMARY}
    out["runs"], out["good"] = len(runs), len(good)
    every = [r for r in runs if r["ok"]] or runs
    out["wall_min"], out["wall_max"] = (
        min(r["wall_s"] for r in every),
        max(r["wall_s"] for r in every),
    )
    out["cpu_min"] = min(r["cpu_s"] for r in every)
    starts = [r["first_ms"] for r in every if r["first_ms"] is not None]
    out["first_ms_min"] = min(starts) if starts else None
    out["problems"] = sorted({p for r in runs for p in r["problems"]})
    if out["tokens"]:
        out["cacheable"] = out["shared_tokens"] / out["tokens"]
        out["fresh_tokens"] = out["tokens"] - out["shared_tokens"]
    per_move = [min(t) * 1000 for t in zip(*tools)] if tools else []  # min: noise only adds
    rows = [r["gaps_ms"] for r in every if r.get("gaps_ms")]
    if rows and per_move:
        if all(
            len(row) == len(per_move) - 1 for row in rows
        ):  # one turn per move: subtract move by move
            nets = [statistics.median(g - t for g, t in zip(row, per_move)) for row in rows]
            out["harness_ms_per_turn"] = median(nets)
            out["harness_ms_mean"] = median(
                [sum(row) / len(row) - sum(per_move[:-1]) / len(row) for row in rows]
            )
            best = [min(g) - t for g, t in zip(zip(*rows), per_move)]  # noise only adds
            out["net_by_turn_ms"] = [round(b, 2) for b in best]
            out["harness_ms_best"] = statistics.median(best)
            out["harness_ms_best_mean"] = statistics.fmean(best)
        out["overhead_s"] = median(
            [r["wall_s"] - r["model_s"] - sum(per_move) / 1000 for r in used]
        )
    return out


COLUMNS = (
    ("peer", "peer", "{}"),
    ("good", "ok", "{}"),
    ("first_ms", "start→req ms", "{:.0f}"),
    ("first_ms_min", "best", "{:.0f}"),
    ("harness_ms_per_turn", "ms/turn", "{:.1f}"),
    ("harness_ms_best", "best", "{:.1f}"),
    ("end_ms", "end ms", "{:.0f}"),
    ("wall_s", "wall s", "{:.2f}"),
    ("wall_min", "wall min", "{:.2f}"),
    ("overhead_s", "over limit s", "{:.2f}"),
    ("cpu_s", "cpu s", "{:.2f}"),
    ("cpu_min", "cpu min", "{:.2f}"),
    ("peak_rss_mb", "RSS MB", "{:.0f}"),
    ("peak_pss_mb", "PSS MB", "{:.0f}"),
    ("requests", "reqs", "{:.0f}"),
    ("side", "side", "{:.0f}"),
    ("coder_tokens", "1st tok", "{:.0f}"),
    ("own_tokens", "own tok", "{:.0f}"),
    ("tokens", "total tok", "{:.0f}"),
    ("cacheable", "cacheable", "{:.0%}"),
    ("fresh_tokens", "fresh tok", "{:.0f}"),
    ("foreign", "foreign", "{:.0%}"),
    ("wait_s", "waited s", "{:.2f}"),
)


def table(summary: dict[str, dict[str, Any]]) -> str:
    rows = [[head for _, head, _ in COLUMNS]]
    for peer, s in summary.items():
        s = s | {"peer": peer, "good": f"{s['good']}/{s['runs']}"}
        rows.append([fmt.format(s[k]) if s.get(k) is not None else "-" for k, _, fmt in COLUMNS])
    widths = [max(len(r[i]) for r in rows) for i in range(len(COLUMNS))]
    lines = [
        "| "
        + " | ".join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(r, widths)))
        + " |"
        for r in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(lines)
