"""How a repository's packages are installed, told from its files."""

import json
import subprocess

import pytest

from agent.workspace.recipes import Recipe, find_recipes, own_recipe
from agent.workspace.registries import ASKING, hosts_in

PROJECT = "[project]\nname = 'a'\nversion = '1'\ndependencies = ['b']\n"


def of(files: dict[str, str]) -> dict[str, Recipe]:
    """Return the recipes for files by kind and folder."""
    return {
        f"{recipe.kind} {recipe.folder}".strip(): recipe
        for recipe in find_recipes(files, files.__getitem__)
    }


def test_a_manifest_that_nests_without_end_is_none() -> None:
    """And ends nothing."""
    assert of({"pyproject.toml": "a = " + "[" * 100_000}) == of({"pyproject.toml": ""})


@pytest.mark.parametrize(
    ("files", "shown"),
    [
        pytest.param(
            {"uv.lock": "", "pyproject.toml": PROJECT},
            {"uv": "uv sync --frozen --all-extras --all-groups"},
            id="uv",
        ),
        pytest.param(
            {"requirements.txt": "a==1\n", "requirements-dev.txt": "b\n"},
            {"pip": "pip install -r requirements.txt -r requirements-dev.txt"},
            id="lists",
        ),
        pytest.param(
            {
                "pyproject.toml": PROJECT
                + "[project.optional-dependencies]\ntest = ['t']\ndocs = ['d']\n"
                "[dependency-groups]\ndev = ['e']\n"
            },
            {"pip": "pip install -e '.[test]' --group dev"},
            id="project",
        ),
        pytest.param(
            {"pyproject.toml": "[tool.poetry]\nname = 'a'\n"},
            {"pip": "pip install -e '.'"},
            id="poetry",
        ),
        pytest.param({"setup.py": ""}, {"pip": "pip install -e '.'"}, id="setup.py"),
        pytest.param({"pyproject.toml": "[tool.ruff]\n"}, {}, id="only settings of tools"),
        pytest.param({"pyproject.toml": "[project"}, {}, id="no TOML"),
        pytest.param(
            {
                "api/requirements.txt": "a\n",
                "web/package.json": "{}",
                "web/package-lock.json": "{}",
            },
            {
                "pip api": "pip install -r requirements.txt",
                "npm web": "npm ci --ignore-scripts; npm rebuild",
            },
            id="folders",
        ),
        pytest.param(
            {"a/requirements.txt": "a\n", "b/requirements.txt": "b\n"}, {}, id="which folder?"
        ),
        pytest.param(
            {"package.json": json.dumps({"devDependencies": {"a": "1"}})},
            {"npm": "npm install --no-package-lock --ignore-scripts; npm rebuild"},
            id="npm without a lock",
        ),
        pytest.param({"package.json": "{}"}, {}, id="nothing to install"),
        pytest.param(
            {"package.json": json.dumps({"dependencies": {}}), "pnpm-lock.yaml": ""}, {}, id="pnpm"
        ),
        pytest.param({"go.mod": "", "go.sum": ""}, {"go": "go mod download"}, id="go"),
        pytest.param({"go.mod": ""}, {}, id="go without packages"),
        pytest.param(
            {"Cargo.toml": "", "Cargo.lock": ""}, {"cargo": "cargo fetch --locked"}, id="cargo"
        ),
        pytest.param({"README.md": ""}, {}, id="nothing"),
    ],
)
def test_manifests_say_how_to_install(files: dict[str, str], shown: dict[str, str]) -> None:
    """In the words that a person knows."""
    assert {name: recipe.shown for name, recipe in of(files).items()} == shown


def test_only_the_tools_own_registries_are_within_reach() -> None:
    """Each kind its own, and none that a manifest names."""
    files = {"requirements.txt": "--index-url https://evil.example.net\na\n", "go.sum": ""}
    found = of(files).values()
    assert {recipe.kind: recipe.registries for recipe in found} == {"pip": ("pip",), "go": ("go",)}
    assert not any(recipe.hosts for recipe in found)


@pytest.mark.parametrize(
    ("said", "hosts"),
    [
        ("https://a.example.org/\n", ("a.example.org",)),
        (
            "https://a.example.org:8443/x/y\ndirect\nb.example.org\noff\n",
            ("a.example.org", "b.example.org"),
        ),
        ("", ()),
        ("undefined\nerror: no such thing as a.example.org\n", ()),
        ("*\n.\n*.example.org\n-a.example.org\n", ()),
        ("A.example.org\na.example.org", ("a.example.org",)),
        ("http://10.0.0.1/\nhttp://127.1:80\n", ()),
    ],
)
def test_hosts_are_read_from_what_a_tool_says(said: str, hosts: tuple[str, ...]) -> None:
    """Addresses and bare names; words and patterns are none."""
    assert hosts_in(said) == hosts


def test_pip_names_its_own_index() -> None:
    """Also where it is only there to be put into new environments."""
    done = subprocess.run(["bash", "-c", ASKING["pip"]], capture_output=True, text=True, check=True)
    assert len(hosts_in(done.stdout)) == 2


def test_scripts_of_npm_packages_run_without_network() -> None:
    """Fetching runs none of them."""
    recipe = of({"package.json": "{}", "package-lock.json": "{}"})["npm"]
    assert "--ignore-scripts" in recipe.fetch
    assert recipe.build.startswith("npm rebuild")


def test_pinned_lists_count_as_locked() -> None:
    """A version of everything is a lock file."""
    assert of({"requirements.txt": "# a\na==1 --hash=x\n-r other\n"})["pip"].locked
    assert not of({"requirements.txt": "a>=1\n"})["pip"].locked


def test_an_own_command_depends_on_every_lock_file() -> None:
    """It is run again where one of them changes."""
    files = ["pnpm-lock.yaml", "a/package.json", "uv.lock", "src/a.py", "requirements/ci.txt"]
    recipe = own_recipe("pnpm i", hosts=("x.org",), files=files)
    assert recipe.inputs == ("a/package.json", "pnpm-lock.yaml", "uv.lock")
    assert "x.org" in recipe.hosts
