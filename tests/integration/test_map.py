"""The repository map: what of a repository is told to somebody who is to work on some files."""

from pathlib import Path

import pytest

from agent.workspace import Repository
from agent.workspace.map import repository_map
from tests.support.project import Project

# A file that the work is about, what it uses, and what it has nothing to do with.
PYTHON = {
    "shop/till.py": "from shop.money import rounded\n\ndef pay(x):\n    return rounded(x)\n",
    "shop/money.py": 'class Coin:\n    """One."""\n\n\ndef rounded(\n    amount: int,  # cents\n'
    ") -> int:\n    def inner():\n        pass\n    return amount\n",
    "shop/weather.py": "def forecast(day): ...\n",
}
JAVASCRIPT = {
    "src/till.js": "import { rounded } from './money.js';\nexport const pay = (x) => rounded(x);\n",
    "src/money.js": "export class Coin {\n  worth() { return 1; }\n}\n"
    "export function rounded(amount) {\n  return amount;\n}\n",
    "src/weather.js": "export function forecast(day) {}\n",
}
TYPESCRIPT = {
    "src/till.ts": "import { rounded } from './money';\nexport function pay(x: number) {\n"
    "  return rounded(x);\n}\n",
    "src/money.ts": "export interface Coin {\n  worth(): number;\n}\n"
    "export const rounded = (amount: number): number => {\n  return amount;\n};\n",
    "src/weather.ts": "export function forecast(day: string) {}\n",
}
GO = {
    "till/till.go": 'package till\n\nimport "shop/money"\n\nfunc Pay(x int) int {\n'
    "\treturn money.Rounded(x)\n}\n",
    "money/round.go": "package money\n\ntype Coin struct {\n\tworth int\n}\n\n"
    "func Rounded(amount int) int {\n\treturn amount\n}\n",
    "weather/weather.go": "package weather\n\nfunc Forecast(day int) {}\n",
}
RUST = {
    "src/till.rs": "use crate::money::rounded;\npub fn pay(x: i64) -> i64 { rounded(x) }\n",
    "src/money.rs": "pub struct Coin(u8);\nimpl Coin {\n    fn worth(&self) -> u8 { self.0 }\n}\n"
    "pub fn rounded(amount: i64) -> i64 {\n    amount\n}\n",
    "src/weather.rs": "pub fn forecast(day: u8) {}\n",
}
JAVA = {
    "shop/Till.java": "class Till {\n  int pay(int x) { return Money.rounded(x); }\n}\n",
    "shop/Money.java": "class Money {\n  private int coins;\n"
    "  static int rounded(int amount) {\n    return amount;\n  }\n}\n",
    "shop/Weather.java": "class Weather {\n  void forecast(int day) {}\n}\n",
}


def drawn(project: Project, *seeds: str, store: Path | None = None, budget: int = 1024) -> str:
    """Return the map of the project's last commit."""
    repository = Repository.open(project.root)
    commit = repository.resolve("HEAD")
    return repository_map(repository, commit, seeds=seeds, store=store, budget_tokens=budget)


@pytest.mark.parametrize(
    ("files", "needed"),
    [
        pytest.param(PYTHON, "    5 def rounded(amount: int) -> int", id="Python"),
        pytest.param(JAVASCRIPT, "    4 function rounded(amount)", id="JavaScript"),
        pytest.param(TYPESCRIPT, "    4 const rounded = (amount: number): number", id="TypeScript"),
        pytest.param(GO, "    7 func Rounded(amount int) int", id="Go"),
        pytest.param(RUST, "    5 pub fn rounded(amount: i64) -> i64", id="Rust"),
        pytest.param(JAVA, "    3   static int rounded(int amount)", id="Java"),
    ],
)
def test_what_the_named_files_use_comes_first(
    tmp_path: Path, files: dict[str, str], needed: str
) -> None:
    """Of the files that a document names all is told, of others what those use, then the rest."""
    till, money, weather = files
    lines = drawn(Project(tmp_path / "project", files), till).splitlines()
    assert lines.index(f"{till}:") < lines.index(f"{money}:") < lines.index(f"{weather}:")
    assert lines.index(f"{money}:") < lines.index(needed) < lines.index(f"{weather}:")
    assert not [line for line in lines if "inner" in line]


def test_the_map_keeps_to_its_budget(tmp_path: Path) -> None:
    """However much there is to tell: the files' names get a part of it, definitions the rest."""
    many = {f"part_{n}/mod.py": f"def value_{n}_{m}(): ...\n" for n in range(300) for m in (0, 1)}
    project = Project(tmp_path / "project", many | PYTHON)
    told = drawn(project, "shop/till.py", budget=200)
    assert len(told) <= 200 * 4
    assert "def pay(x)" in told


def test_the_same_commit_has_the_same_map(tmp_path: Path) -> None:
    """Whether its files were parsed before or not; a store that is no store changes nothing."""
    project = Project(tmp_path / "project", PYTHON | JAVASCRIPT | RUST)
    store, broken = tmp_path / "state" / "maps.sqlite", tmp_path / "broken.sqlite"
    broken.write_text("This is a letter.")
    first = drawn(project, "shop/till.py", store=store)
    assert store.exists()
    for kept in (store, None, broken):
        assert drawn(project, "shop/till.py", store=kept) == first


def test_a_text_that_the_parser_does_not_come_through_costs_nobody_the_map(tmp_path: Path) -> None:
    """It is left out, like what a program wrote on one line, or what is too large.

    The first of these ends the parser by a signal, the second takes it longer than it has.
    """
    odd = {
        "shop/Crash.java": "a<b<\n" * 90_000,
        "shop/slow.py": "(\n" * 200_000,
        "shop/small.min.js": "function minified() {}\n",
        "shop/line.js": f"function inOneLine() {{}};{'a();' * 5000}\n",
        "shop/large.py": "def large(): ...\n" + "value = 1\n" * 60_000,
        "shop/zeros.py": "\0" * 50,
    }
    told = drawn(Project(tmp_path / "project", odd | PYTHON | RUST), "shop/till.py", *odd)
    assert "def rounded(" in told
    assert "pub fn rounded(" in told
    for name in ("minified", "inOneLine", "large()"):
        assert name not in told.partition("Definitions")[2]
