"""Every rule that a finding can name: its code never changes, its words may.

`I..` rules are about input that is refused or must be known before a run, `R..` rules about how
ready a document is to be executed and proven. docs/prp-format.md lists them all.
"""

from dataclasses import dataclass

from agent.prp.model import Finding, Severity

_E, _W, _N = Severity.ERROR, Severity.WARNING, Severity.NOTE


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule."""

    code: str
    name: str
    """What it is called in words: lower case, hyphens."""
    severity: Severity
    """What its findings are unless they say otherwise."""
    summary: str
    """What it finds, one sentence."""


def _rule(code: str, name: str, severity: Severity, summary: str) -> Rule:
    return Rule(code=code, name=name, severity=severity, summary=summary)


_ALL = (
    _rule("I01", "missing", _E, "The document does not exist."),
    _rule("I02", "not-a-file", _E, "The document is a folder, a pipe or a device."),
    _rule("I03", "unreadable", _E, "The document can't be opened."),
    _rule("I04", "empty", _E, "The document has no byte."),
    _rule("I05", "blank", _E, "The document has nothing but blanks."),
    _rule("I06", "utf-16", _E, "The document is UTF-16."),
    _rule("I07", "not-utf-8", _E, "A byte is not UTF-8."),
    _rule("I10", "lone-carriage-return", _W, "A line ends with a carriage return alone."),
    _rule("I11", "binary", _E, "The document holds NUL bytes."),
    _rule("I12", "too-large", _E, "The document is larger than 1 MiB."),
    _rule("I13", "long-line", _E, "A line is longer than 64 KiB."),
    _rule("I14", "too-many-headings", _E, "The document has more than 5,000 headings."),
    _rule("I15", "unclosed-fence", _W, "A fence is not closed, or closed in a wrong way."),
    _rule("I18", "missing-part", _E, "Goal, tasks or every proof of success is missing."),
    _rule("I19", "duplicate-section", _W, "Two sections have the same heading."),
    _rule("I20", "yaml-expansion", _E, "The aliases of a YAML block blow it up."),
    _rule("I21", "yaml-nesting", _E, "A YAML block is nested deeper than 32 levels."),
    _rule("I22", "yaml-tag", _E, "A YAML block asks for an object to be made."),
    _rule("I23", "yaml-duplicate-key", _N, "A key stands twice in a mapping; YAML keeps one."),
    _rule("I24", "yaml-tab", _W, "A YAML block is indented with tabs."),
    _rule("I25", "wrong-type", _W, "A reference has no text where text belongs, or no reason."),
    _rule("I26", "unknown-key", _W, "A reference has a key that means nothing to prp."),
    _rule("I27", "outside", _E, "A reference leaves the repository."),
    _rule("I28", "absolute-path", _W, "A reference is an absolute path of somebody's machine."),
    _rule("I29", "home-path", _E, "A reference points into a home folder."),
    _rule("I30", "link-outside", _E, "A reference is a link that leaves the repository."),
    _rule("I31", "no-plain-file", _W, "A reference is a folder, a pipe or a device."),
    _rule("I32", "secret-file", _E, "A reference points to git's own files or to secrets."),
    _rule("I33", "missing-reference", _E, "A referenced file does not exist."),
    _rule("I34", "large-reference", _W, "A referenced file is larger than 1 MiB."),
    _rule("I35", "unsafe-path", _E, "A task names a path that must not be written."),
    _rule("I36", "unexpected-file", _W, "A task creates what exists, or changes what does not."),
    _rule("I37", "created-twice", _W, "Two tasks create the same file."),
    _rule("I38", "url-scheme", _W, "An address is neither http nor https."),
    _rule("I39", "private-address", _W, "An address is this machine's or private."),
    _rule("I45", "url-credentials", _E, "An address holds a user name or a password."),
    _rule("I47", "placeholder", _E, "Placeholders of the template were never filled in."),
    _rule("I48", "unchanged-template", _E, "The document is the template itself."),
    _rule("I49", "empty-level", _W, "A validation section has no command."),
    _rule("I51", "cannot-fail", _W, "A check can't fail, so it proves nothing."),
    _rule("I52", "destructive", _W, "A command destroys, deploys or publishes."),
    _rule("I53", "terminal-escape", _W, "The text holds control characters of terminals."),
    _rule("I54", "hidden-character", _W, "The text holds characters that nobody sees."),
    _rule("I55", "look-alike", _W, "A path mixes alphabets whose letters look alike."),
    _rule("I56", "hidden-comment", _N, "An HTML comment is read by models, not by people."),
    _rule("I57", "secret", _E, "The text holds a secret."),
    _rule("I58", "instruction", _N, "A sentence reads like an order to a model."),
    _rule("I59", "circular-tasks", _E, "Tasks wait for each other."),
    _rule("I60", "many-tasks", _N, "The document has more than 100 tasks."),
    _rule("I61", "confidence", _N, "The confidence score is missing or out of range."),
    _rule("I62", "not-in-repository", _W, "The document is a link, or lies elsewhere."),
    _rule("I63", "other-shell", _W, "A block is for a shell that prp does not run."),
    _rule("R01", "invalid-yaml", _N, "A YAML block is no YAML; prp reads it line by line."),
    _rule("R02", "uncovered-criterion", _N, "No check seems to show a criterion."),
    _rule("R03", "uncovered-task", _N, "No check seems to touch what a task does."),
    _rule("R04", "manual-criterion", _N, "Only a person can tell whether a criterion holds."),
    _rule("R05", "missing-tool", _W, "A command's program is not installed."),
    _rule("R06", "missing-script", _W, "A script, test or target of a command is not there."),
    _rule("R07", "shell-syntax", _W, "bash can't parse a command."),
    _rule("R08", "tree-drift", _W, "The current tree shows files that are not there."),
    _rule("R09", "missing-section", _W, "A referenced file has no such section or line."),
    _rule("R10", "server", _N, "A command starts a server, which prp waits for and ends."),
    _rule("R11", "interactive", _W, "A command waits for a person."),
    _rule("R12", "needs-secret", _W, "A command needs a secret, which no sandbox holds."),
    _rule("R13", "needs-network", _N, "A command needs the network, which is off by default."),
    _rule("R14", "manual-step", _N, "A step is for a person and never ticked by prp."),
    _rule("R15", "mutating", _N, "A check changes files; it runs on a copy."),
    _rule("R16", "not-shell", _W, "A line of a shell block is no shell command."),
    _rule("R17", "sample-code", _N, "A shell block holds a program."),
    _rule("R18", "placeholder-command", _W, "A command holds a placeholder."),
    _rule("R19", "no-goal-section", _W, "No section is called Goal."),
    _rule("R20", "no-checks", _W, "The document has no validation command."),
    _rule("R21", "no-criteria", _W, "The document has no success criterion."),
    _rule("R22", "front-matter", _N, "The front matter lacks its opening marks."),
    _rule("R23", "open-question", _W, "The author left a question open."),
    _rule("R24", "no-repository", _N, "The document lies in no git repository."),
    _rule("R25", "unknown-heading", _W, "A part is missing, and headings were not understood."),
)  # fmt: skip

RULES: dict[str, Rule] = {rule.code: rule for rule in _ALL}
"""All rules by code."""


def finding(
    code: str, line: int, message: str, hint: str, *, severity: Severity | None = None
) -> Finding:
    """Return a finding of a rule.

    Args:
        code: The rule's code, for instance `I47`.
        line: Line of the document, counted from 1.
        message: What is wrong, one sentence without its full stop.
        hint: What to do about it, one sentence.
        severity: Where it is not the rule's own.

    """
    rule = RULES[code]
    return Finding(
        code=code,
        rule=rule.name,
        message=message,
        hint=hint,
        line=line,
        severity=severity or rule.severity,
    )


def shortened(text: str, *, limit: int = 80) -> str:
    """Return what a message quotes of the document, at most `limit` characters of it."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
