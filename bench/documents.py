"""How fast documents are read, linted and formatted, and how the time grows with their size.

    python bench/documents.py [FOLDER]

Without a folder the documents of this repository are taken, repeated to a few sizes.
"""

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from agent.prp import parse_prp
from agent.prp.fmt import format_prp
from agent.prp.lines import scan
from agent.prp.lint import lint

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "PRPs/examples/demo/project/PRPs/offers.md"


def seconds(work: Callable[[], object]) -> float:
    """Return the fastest of three, each of which scans its documents anew."""
    times = []
    for _ in range(3):
        scan.cache_clear()
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def grown(text: str, size: int) -> str:
    """Return a document of about `size` characters: the sections of one, over and over."""
    head, _, rest = text.partition("\n## ")
    parts = [f"\n## {part}" for part in rest.split("\n## ")]
    written, place = head, 0
    while len(written) < size:
        written += parts[place % len(parts)]
        place += 1
    return written


def main() -> None:
    """Print a table."""
    texts = [EXAMPLE.read_text()] * 50
    if len(sys.argv) > 1:
        files = sorted(Path(sys.argv[1]).rglob("*.md"))
        texts = [path.read_text(errors="replace") for path in files]
        if not texts:
            sys.exit(f"{sys.argv[1]} holds no document; name a folder with files *.md.")
    path = Path("x.md")
    kilobytes = sum(map(len, texts)) / len(texts) / 1000
    print(f"{len(texts)} documents of {kilobytes:.1f} kB on average")
    parsed = [parse_prp(text, path=path) for text in texts]
    for name, work in (
        ("parse", lambda: [parse_prp(text, path=path) for text in texts]),
        ("lint", lambda: [lint(prp) for prp in parsed]),
        ("fmt", lambda: [format_prp(text) for text in texts[:50]]),
    ):
        count = min(len(texts), 50) if name == "fmt" else len(texts)
        print(f"{name:6} {count / seconds(work):8.0f} documents/s")
    print("\nsize        parse      lint")
    for size in (10_000, 100_000, 1_000_000):
        text = grown(EXAMPLE.read_text(), size)
        prp = parse_prp(text, path=path)
        reading = seconds(lambda: parse_prp(text, path=path))  # noqa: B023 - called at once
        linting = seconds(lambda: lint(prp))  # noqa: B023
        print(f"{size:9,} {reading * 1000:7.0f} ms {linting * 1000:7.0f} ms")


if __name__ == "__main__":
    # Whoever looks at the first lines only, as `head` does, has seen enough.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    main()
