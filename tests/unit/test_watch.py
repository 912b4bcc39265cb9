"""Of more files than can be watched, those that decide most are."""

from pathlib import Path

from agent.verifier.watch import Watch


def test_configuration_is_watched_however_many_tests_there_are(tmp_path: Path) -> None:
    """Given 6,000 tests, named before the configuration, then a changed setting is put back."""
    settings = ("zz/conftest.py", "zz/pytest.ini", "pyproject.toml", "zz/jest.config.js")
    files = [*(f"tests/test_{number:04}.py" for number in range(6_000)), *settings]
    (tmp_path / "tests").mkdir()
    (tmp_path / "zz").mkdir()
    for name in files:
        (tmp_path / name).write_text("x = 1\n")
    watch = Watch.over(tmp_path, files=files)
    for name in settings:
        (tmp_path / name).write_text("x = 2 + 2\n")
    assert sorted(watch.put_back(tmp_path, unless_in="pytest")) == sorted(settings)
    assert {(tmp_path / name).read_text() for name in settings} == {"x = 1\n"}


def test_what_is_watched_does_not_hang_on_the_order_of_the_files(tmp_path: Path) -> None:
    """Given the same files in another order, then the same of them are watched."""
    files = [f"test_{number:04}.py" for number in range(5_100)]
    for name in files:
        (tmp_path / name).write_text("")
    there, back = (Watch.over(tmp_path, files=order) for order in (files, files[::-1]))
    assert there.contents.keys() == back.contents.keys()
