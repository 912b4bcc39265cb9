"""A PRP as the model must answer it: every part of the template, as values."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

KINDS = ("unit", "integration", "e2e", "performance", "fixtures")
"""Parts of the test specification, in the template's order."""


Path = Annotated[str, AfterValidator(lambda path: path.strip().removeprefix("./"))]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Source(_Part):
    """Something to read before the work begins."""

    kind: Literal["file", "docfile", "url"]
    """`file` for code, `docfile` for a document of the repository, `url` for a page."""
    target: Path
    """Path from the repository's root, of a file that is there; or an address."""
    why: str
    """What it shows, one line."""
    sections: tuple[str, ...] = ()
    """Headings of a document that matter; empty for all of it."""
    pattern: str = ""
    """What to do in the same way."""
    gotcha: str = ""
    """What is easy to get wrong there."""


class Gotcha(_Part):
    """What somebody who does not know the code would get wrong."""

    kind: Literal["CRITICAL", "GOTCHA", "PATTERN", "WARNING"]
    text: str
    """With the file and the name that it is about, as they are in the code."""


class TestFile(_Part):
    """A test file that is written before the code."""

    __test__ = False  # pytest would take the name for a test class

    kind: Literal["unit", "integration", "e2e", "performance", "fixtures"]
    path: Path
    """A new file, where and as the repository names its tests."""
    language: str
    """Of the code, for instance python."""
    code: str
    """Tests in the style of the repository's own, with real assertions: they fail until the work
    is done."""


class FileChange(_Part):
    """What becomes of a file."""

    verb: Literal["CREATE", "MODIFY", "DELETE"]
    path: Path
    """From the repository's root; test files that tasks write included."""
    does: tuple[str, ...]
    """What must be true of it afterwards: names, signatures, edge cases. One line each."""


class Work(_Part):
    """One task: what can be finished, checked and committed by itself."""

    title: str
    changes: tuple[FileChange, ...]


class Snippet(_Part):
    """Code in the style that is wanted, short."""

    language: str
    code: str


class Command(_Part):
    """One check."""

    run: str
    """One command at the repository's root, with its exit status as it is. For another folder
    `(cd folder && command)`."""
    expected: str = ""
    """Empty where exit status 0 is all. Else `no output`, `exit status 2`, `contains "text"`,
    `>= 80 %`."""


class Levels(_Part):
    """The checks, the quickest first; a level with a new failure keeps later ones from running."""

    syntax: tuple[Command, ...] = ()
    """The repository's own linters, formatters, type checkers, compilers."""
    unit: tuple[Command, ...] = ()
    """The new tests by their file, then the existing ones."""
    integration: tuple[Command, ...] = ()
    """The program itself, as a user runs it: output or exit status that shows a criterion."""
    production: tuple[Command, ...] = ()
    """What is left: security, packaging, speed."""


class Question(_Part):
    """What neither the repository nor the request decides, and what changes the work."""

    question: str
    assumed: str
    """What this draft assumes until somebody answers."""


class Score(_Part):
    """How good one side of the document is."""

    points: int = Field(ge=0, le=2)
    why: str


class Rationale(_Part):
    """What speaks for and against the document."""

    documentation: Score
    patterns: Score
    gotchas: Score
    tests: Score
    automation: Score

    @property
    def total(self) -> int:
        """Return all points together, out of 10."""
        return sum(score.points for _, score in self.scores())

    def scores(self) -> Iterator[tuple[str, Score]]:
        """Yield each side's name in the template, and its score."""
        yield "Documentation completeness", self.documentation
        yield "Pattern examples", self.patterns
        yield "Gotchas identified", self.gotchas
        yield "Test coverage", self.tests
        yield "Automation readiness", self.automation


class Draft(_Part):
    """A PRP. The first answer has all parts; one that was sent back only those that change."""

    title: str = ""
    """What there will be, at most 70 characters."""
    kind: Literal["API", "Agent", "Pipeline", "Library", "Full-Stack", ""] = ""
    complexity: Literal["Low", "Medium", "High", ""] = ""
    priority: Literal["Critical", "High", "Medium", "Low", ""] = ""
    goal: str = ""
    """What there will be when this is done, two or three sentences."""
    value: str = ""
    """Who has what of it, one line."""
    need: str = ""
    """What is wrong or missing in the code today, one line."""
    what: str = ""
    """What a user sees, which inputs are refused and how, and what must not change."""
    criteria: tuple[str, ...] = ()
    """Outcomes that somebody can see to be false, each with the value, message or name in it;
    one of them says what stays as it is."""
    sources: tuple[Source, ...] = ()
    gotchas: tuple[Gotcha, ...] = ()
    tests: tuple[TestFile, ...] = ()
    no_tests: str = ""
    """Why the kinds of tests that are missing are not needed, one sentence."""
    tasks: tuple[Work, ...] = ()
    patterns: tuple[Snippet, ...] = ()
    levels: Levels = Levels()
    checklist: tuple[str, ...] = ()
    """What else the repository must show: documentation, change log, migration."""
    anti_patterns: tuple[str, ...] = ()
    """What a reviewer would refuse here; without `don't` a sentence says nothing."""
    questions: tuple[Question, ...] = ()
    """Empty where nothing is open."""
    rationale: Rationale | None = None

    def renewed(self, answer: "Draft") -> "Draft":
        """Return this draft with the parts that a further answer has."""
        return self.model_copy(
            update={name: getattr(answer, name) for name in answer.model_fields_set}
        )

    def missing(self) -> list[str]:
        """Return the parts that a PRP can't be without, and that nobody has written."""
        return [
            f"The part `{name}` is missing."
            for name in type(self).model_fields
            if name not in _MAY_BE_EMPTY and not getattr(self, name)
        ]


_MAY_BE_EMPTY = {"tests", "no_tests", "levels", "questions", "checklist", "patterns"}
