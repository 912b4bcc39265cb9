"""What running a command would mean, read from its words. Doubt goes to the safer side."""

import re
from functools import lru_cache

from agent.prp.inner import is_destructive_code, shell_texts, undisguised, without_programs
from agent.prp.model import CheckKind

_LOCAL = r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])"
# The first word of each simple command; what may stand before it is consumed, the word is not.
_HEAD = re.compile(
    r"(?:^|[;&|({\n]\s*|\b\w+=\S*\s+|\b(?:do|then|else|time|env|exec|xargs|sudo|nohup|command|"
    r"builtin|busybox|timeout|nice|ionice|chrt|stdbuf|setsid|parallel|watch|unbuffer|flock)\s+"
    r"(?:(?:-\S+|\d\S*)\s+)*)"
    r"(?=(?:[^\s;&|(){}]*/)?(?P<name>[\w.-]+)(?=\s|$|;))"
)
_PROGRAMS: tuple[tuple[CheckKind, frozenset[str]], ...] = (
    (
        CheckKind.DESTRUCTIVE,
        frozenset(
            "rm rmdir shred unlink truncate fdisk dd sudo su doas shutdown reboot halt poweroff "
            "kill pkill killall crontab systemctl service launchctl chown iptables nft ufw sysctl "
            "useradd userdel usermod groupdel passwd visudo ssh scp sftp umount swapoff "
            "parted sgdisk wipefs cryptsetup losetup diskutil lvremove vgremove pvremove virsh zfs "
            "zpool dropdb dropuser pg_restore ansible ansible-playbook semantic-release goreleaser "
            "fastlane Remove-Item del rd diskpart".split()
        ),
    ),
    (
        CheckKind.INTERACTIVE,
        frozenset(
            "vi vim nano emacs less more top htop man snakeviz open xdg-open code cursor claude "
            "gemini codex start".split()
        ),
    ),
    (
        CheckKind.NETWORK,
        frozenset(
            "docker docker-compose podman kubectl helm terraform aws az gcloud gh vercel "
            "supabase".split()
        ),
    ),
    (
        CheckKind.MUTATING,
        frozenset(
            "rm mv cp touch mkdir ln tee patch chmod install rsync unzip createdb gunzip".split()
        ),
    ),
)

_RULES: tuple[tuple[CheckKind, tuple[str, ...]], ...] = (
    (
        CheckKind.NOT_SHELL,
        (
            r"^/[\w:-]+(\s|$)(?!.*/)",
            r"^mcp__\w+|^mcp\s+call|^playwright-mcp\b",
            r"^(SELECT|INSERT|UPDATE|DELETE FROM|CREATE TABLE|ALTER TABLE)\b",
            r"^(GET|POST|PUT|PATCH|DELETE)\s+(/|https?:)",
            r"^</?\w+>$",
        ),
    ),
    (
        CheckKind.SAMPLE_CODE,
        (
            r"^(import\s+\w|from\s+[\w.]+\s+import\b|def\s+\w+\(|class\s+\w+.*[:{]$|async\s+def\b)",
            r"^(const|let|var|interface|type|export\s+(default|const|function|class))\s+[\w{]",
            r"^(func|fn|pub\s+fn|package)\s+\w|^assert\s|^(await|return|expect\()\b|^@\w+",
            r"^[A-Za-z_][\w.]*\((?!\)\s*\{).*\)\s*;?$|^(describe|it|test)\(['\"]|^print\(|^[)\]}]+[,;]?$|^(async\s+)?with\s.*:$|^for\s+\w+\s+in\s.*:$",
            r"^(if|elif|while|else|try|except|finally)\b.*:$|^\w+(\.\w+)*\s=\s|^[├└│]",
        ),
    ),
    (
        CheckKind.MANUAL,
        (
            r"^\d+[.)]\s",
            r"^[-*✓✅☐□•→]\s?\S",
            r"^(Open|Navigate|Click|Verify|Check|Ensure|Confirm|Visit|Go to|Log ?in|Test|Run|Start|"
            r"Should|Expected|Expect|Select|Wait|Enter|Press|Look|See|Try|Review|Manually|Then|Now|"
            r"Make sure|Inspect|Compare|In the|On the|With|Use|Add|Create|Restart|Refresh)\b(?!.*=)",
            r"^[A-Z][\w ,'/()-]+:$",
        ),
    ),
    (
        CheckKind.PLACEHOLDER,
        (
            r"(?<![A-Za-z0-9$\]\"'\\])\[(?!id\]|slug\]|\s|\[|\^|:|-)[A-Za-z][\w .|/-]*\](?!\])",
            r"<[A-Za-z][\w -]*>(?!\s*[&\w/.]*$)|<[a-z][\w-]*(?:name|id|path|file|url|token)>",
            r"\{\{.*?\}\}|\bpath/to/|\bYOUR[_-]|\byour[_-]\w+|\bexample\.test\b|(?<=\s)\.\.\.(?=\s|$)",
        ),
    ),
    (
        CheckKind.DESTRUCTIVE,
        (
            r"\bchmod\s+(-r|\+s|777)|:\(\)\s*\{|\$\{?\w+\}?\s+-(rf|fr)\b|^format\s+\w:|^init\s+\d",
            r"\bgit\s+(-c\s+\S+\s+|-\S+\s+)*(push|reset|clean|rebase|merge|checkout|switch|restore|branch\s+-d|"
            r"tag|stash|filter-branch|revert|cherry-pick|am|gc|commit|rm|mv|update-ref|"
            r"remote\s+(add|set-url|remove|rm|rename)|worktree\s+remove|reflog\s+(expire|delete)|"
            r"notes\s+(add|remove)|submodule\s+deinit|config\s+(-\S+\s+)*--(global|system))\b",
            r"\b(terraform|tofu|pulumi|cdk|sam|serverless|sls)\b.*\b(apply|destroy|up|deploy|import)\b",
            r"\b(kubectl|oc)\s+(apply|delete|create|replace|patch|scale|rollout|drain|exec)\b",
            r"\bhelm\s+(install|upgrade|uninstall|delete|rollback)\b",
            r"\b(vercel|netlify|fly|flyctl|firebase|wrangler|railway|heroku|gcloud|eb|surge)\b.*"
            r"\b(deploy|--prod|release|publish|push|promote|destroy|rollback)\b|\bvercel\b.*--prod",
            r"\bheroku\b.*:(reset|destroy|set|unset|rollback|promote)|\bkamal\b|\bcap\s+\w+\s+deploy",
            r"\b(eksctl|minikube|kind|k3d|vagrant|multipass|xcrun\s+simctl)\s+(delete|destroy|erase|rm)\b",
            r"\badb\s+(-\S+\s+\S+\s+)*(uninstall|shell\s+(pm|rm))\b",
            r"\b(prisma|drizzle-kit|supabase|sequelize|knex|typeorm|rails|rake|artisan|flyway|diesel|"
            r"sqlx|hasura)\b.*\b(reset|drop|push|rollback|undo|revert|wipe|fresh|seed|clean)\b",
            r"\b(alembic|manage\.py)\b.*\b(downgrade|flush|reset_db|loaddata)\b|db:(drop|reset|seed)\b",
            r"\b(drop|truncate|delete\s+from|alter)\s+(table|database|schema|\w)|flushall|flushdb|dropdatabase\(",
            r"\bredis-cli\b.*\s(del|shutdown)\b|\bmongo(sh)?\b.*(\.drop\(|deletemany\(|\.remove\()",
            r"\b(npm|pnpm|yarn|bun|cargo|poetry|twine|uv|gem|nuget|lerna|changeset|hatch|flit|pdm|gradlew?|mix)\b"
            r".*\b(publish|upload|unpublish|yank|push)\b|\bmvn\b.*\b(deploy|release:\w+)\b",
            r"\bdocker\b.*\b(push|rm|rmi|prune|kill|down\b.*-v)|\bdocker(-|\s+)compose\b.*\bdown\b",
            r"\b(aws|az|gsutil|gcloud|doctl|gh|glab)\s(.*\s)?(rm|delete|create|put|sync|mb|rb|merge|"
            r"update|terminate|run-instances|deploy|release|invoke|mv|cp|set)\b",
            r"\beval\s+\"?\$\(|\b(ba|z|da)?sh\s+(<\(|-c\s+\"?\$\()|^mount\s+(-\S+\s+)*[\w/][^\s|]*\s+[\w/]",
            r"(\b(make|npm run|pnpm|yarn|just|task)\s|(^|\s)\./)\S*\s*\S*\b(deploy|release|publish|destroy|rollback)\b",
            r"(^|[;&|]\s*|\b(bash|sh|zsh|python3?|node|ruby|source)\s+)([^\s;&|]*/)?"
            r"(deploy|release|publish|rollback|destroy|teardown|uninstall|wipe|nuke)[\w-]*\.(sh|py|js|ts|rb)\b",
            r"\b(npm|pnpm|yarn|bun|make|just)\s+(run\s+)?(\S*[:_-])?(reset|drop|wipe|nuke|destroy|teardown)\b",
            r"\bfind\b.*(-delete|-exec(dir)?\s+(rm|shred|mv)\b)|\b(xargs|parallel|fd)\s+(-\S+\s+(\w+\s+)?)*rm\b",
            r"\brsync\b.*\s--(delete|remove-source)|\btar\b.*--remove-files|\bhistory\s+-c|\bsystem\(.*\brm\s",
            r"\b(apt|apt-get|yum|dnf|brew|snap|pacman|choco|winget)\s+(-\S+\s+)*(remove|uninstall|purge|autoremove|-r\w*)\b",
            r"\btmux\s+kill-|\bscreen\s+-X\s+quit",
        ),
    ),
    (
        CheckKind.INTERACTIVE,
        (
            r"\bdocker\b.*\s-(it|ti)\b|\s--(interactive|ui|headed|debug-brk)\b|\bread\s+-[rp]",
            r"^(python3?|node|irb|ghci|psql|mysql|sqlite3|redis-cli|mongosh?)\s*$|\bplaywright\s+codegen",
            r"\b(npm|docker|gh|vercel|netlify|az|gcloud|heroku)\s+(auth\s+)?login\b|\bcypress open\b|--watch(?!=false|All=false)\b|\bmprof plot\b|\bgit\s+(rebase|add)\s+-[ip]",
        ),
    ),
    (
        CheckKind.SECRET,
        (
            r"\$\{?\w*(TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|PRIVATE_KEY|ACCESS_KEY|CREDENTIALS?)\w*\}?",
            r"\b(Authorization|X-Api-Key)\s*:|\b(TOKEN|SECRET|PASSWORD|API_?KEY)=\S",
            r"\b(sk-[\w-]{8,}|ghp_\w{10,}|AKIA[0-9A-Z]{12,})",
        ),
    ),
    (
        CheckKind.NETWORK,
        (
            rf"\b(curl|wget|http|https|xh)\b(?=.*(https?://|\s[\w.-]+\.(com|io|dev|org|net|app)))(?!.*//{_LOCAL})",
            r"\bpip3?\s+(install|download|index)\b|\bpip-audit\b|\bsafety\s+(check|scan)\b|\bsnyk\b",
            r"\buv\s+(sync|add|lock|pip\s+(install|sync)|tool\s+install|python\s+install)\b|\buvx\b|\bpipx\b",
            r"\b(npm|pnpm|yarn|bun)\s+(i|install|ci|add|update|upgrade|audit|dlx|create|link|outdated)\b|^yarn$",
            r"\bnpx\s+(-y|--yes|create-|playwright install|shadcn|degit)|\bgo\s+(get|install|mod download)\b",
            r"\b(cargo\s+(install|add|audit|update|search)|composer\s+(install|require|update)|bundle\s+install)\b",
            r"\b(poetry|pdm|pipenv|conda|mamba|brew|apt|apt-get|dnf|apk|gem|dotnet\s+add)\s+(install|add|update|upgrade|restore|package)\b",
            r"\bmake\s+\S*(docker|compose)",
            r"\bgit\s+(clone|pull|fetch|ls-remote|submodule)\b|\b(ping|dig|nslookup|telnet|nc|netstat|lighthouse)\b",
        ),
    ),
    (
        CheckKind.SERVER,
        (
            r"\b(uvicorn|gunicorn|hypercorn|daphne|waitress-serve|nodemon|webpack-dev-server|http-server)\b",
            r"\b(npm|pnpm|yarn|bun)\s+(run\s+)?(dev|start|serve|preview|storybook|watch)\b(?!:build)|\b(npm|pnpm|yarn|bun)\s+(run\s+)?[\w:-]+:watch\b",
            r"\b(flask|quart)\b.*\brun\b|\brunserver\b|\bhttp\.server\b|\bfastapi\s+(dev|run)\b|\brails\s+s\b",
            r"\b(next|nuxt|astro|remix|gatsby|ng|expo|vite|svelte-kit)\s+(dev|start|serve|develop|preview)\b|\bvite\s*$",
            r"\b(streamlit|gradio)\s+run\b|\bcelery\b.*\bworker\b|\btail\s+-[fF]|\b(php|php artisan) serve\b|\bphp -S\b",
            r"\bcargo\s+(watch|run\b(?=.*(serv|--bin\s+\w*(api|web))))|\bbootRun\b|spring-boot:run|\bdotnet\s+(watch|run)\b",
            r"\bpython3?\s+\S*(server|app|main|manage|run)\.py\s*(&|$)|(?<!&)&\s*$|\bair\s*$|\bmcp\s+dev\b",
        ),
    ),
    (
        CheckKind.MUTATING,
        (
            r"--fix\b|--write\b|\s-w\b(?=.*\bgofmt|.*prettier)|\bgofmt\b.*\s-w\b|--update-snapshots?\b|\s-u\b(?=.*(jest|vitest))",
            r"\bruff\s+format\b(?!.*(--check|--diff))|\b(black|isort|yapf)\b(?!.*(--check|--diff))",
            r"\b(npm|pnpm|yarn|bun)\s+(uninstall|remove|rm)\b|\bspotless:apply\b|\b(db|migration|migrations?):(migrate|run|up|generate)\b",
            r"\bcargo\s+fmt\b(?!.*--check)|\b(npm|pnpm|yarn)\s+(run\s+)?(format|fmt|lint:fix|prettier)\b(?!:check)",
            r"\bsed\s+(-\S+\s+)*-i|\bperl\s+-p?i|\bgit\s+add\b|\balembic\s+(upgrade|revision)|\bmanage\.py\s+(migrate|makemigrations)",
            r"\bprisma\s+(migrate|generate|db)\b|\b(terraform|dotnet|dart|mix)\s+(fmt|format)\b|\bpre-commit\s+run\b",
            r"(?<![0-9&<>=-])>{1,2}\s*(?!&|/dev/null|/tmp/)[\w./$\"'~-]+",
            r"\btar\s+-?\w*x|\bpip3?\s+uninstall\b|\b(conda|mamba|gem)\s+(remove|uninstall)\b|\bpsql\b.*\s-f\b",
            r"^(make|cargo|go|flutter|npm run|yarn|pnpm)\s+(dist)?clean\b|\bgit\s+config\s+(?!.*--(get|list))\S+\s+\S",
        ),
    ),
)
_COMPILED = tuple(
    (kind, tuple(re.compile(pattern) for pattern in patterns)) for kind, patterns in _RULES
)
_SCRATCH = (
    r"(?:\"?/tmp/(?!\S*\.\.)[\w./*-]*\w\"?|\"?\$\{?(?:TMP|TMPDIR|tmp|tmpdir|tmp_dir|TMPROOT)\}?\"?|"
    r"(?![/~]|\S*\.\.)(?:\S*/)?(?:dist|build|target|coverage|\.coverage|__pycache__|\.pytest_cache|"
    r"\.mypy_cache|\.ruff_cache|htmlcov|\.next|node_modules/\.cache)/?)"
)
# Removing what a build or the command itself made, stopping one's own child, listing.
_HARMLESS = re.compile(
    rf"\brm\s+(?:-\w+\s+)*{_SCRATCH}(?:\s+{_SCRATCH})*(?=\s*(?:$|[;&|)\n]))|"
    r"\bkill\s+(-\w+\s+)?(%\d|\"?\$!|\"?\$\{?\w*PID\}?\"?)|\bgit\s+stash\s+list\b|"
    r"\bgit\s+(tag|branch)\s*(-l|--list)?$",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def kinds_of(command: str) -> tuple[CheckKind, ...]:
    """Return every kind that applies, the most restrictive first; plain `run` where none does."""
    whole = without_bodies(command)
    if len(whole) > _LONGEST:
        return (CheckKind.MANUAL,)
    return _kinds(whole, depth=0)


def _kinds(whole: str, *, depth: int) -> tuple[CheckKind, ...]:
    bare = undisguised(whole)
    words = without_programs(bare)
    unquoted = _PATTERN_TEXT.sub(_without_quoted, words)
    calmed = _HARMLESS.sub("true", bare)
    started = _kinds_of_programs(words, calmed)
    found = tuple(
        kind
        for kind, patterns in _COMPILED
        if kind in started or _matches(patterns, _subject(kind, words, calmed, unquoted))
    )
    if CheckKind.DESTRUCTIVE not in found and (
        (("|" in calmed or ">" in calmed) and _DESTRUCTIVE_SYNTAX.search(_without_quotes(calmed)))
        or _destroys_inside(bare, depth=depth)
    ):
        found = tuple(sorted({*found, CheckKind.DESTRUCTIVE}, key=list(CheckKind).index))
    return found or (CheckKind.RUN,)


# What these mean in quotes is for the program to decide that gets them.
_DESTRUCTIVE_SYNTAX = re.compile(
    r"(?<![0-9&<>=-])>{1,2}\s*(~|/(?!tmp/|dev/(?:null|stdout|stderr|tty|fd)\b))|"
    r"\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\s*(?:$|[-;&|\n])"
)
_DEEPEST = 3


def _destroys_inside(whole: str, *, depth: int) -> bool:
    """Return whether text that a shell or an interpreter gets would destroy something."""
    return is_destructive_code(whole) or (
        depth < _DEEPEST
        and any(
            CheckKind.DESTRUCTIVE in _kinds(text, depth=depth + 1) for text in shell_texts(whole)
        )
    )


# Nobody reads such a line, and some rules take time that grows with its square.
_LONGEST = 10_000


def _kinds_of_programs(words: str, calmed: str) -> set[CheckKind]:
    heads = set(_HEAD.findall(words))
    kinds = {kind for kind, names in _PROGRAMS if not names.isdisjoint(heads)}
    risky = {head.lower() for head in (heads if calmed == words else _HEAD.findall(calmed))}
    is_destructive = not _PROGRAMS[0][1].isdisjoint(risky) or any(
        head.startswith("mkfs") for head in risky
    )
    return kinds - {CheckKind.DESTRUCTIVE} | ({CheckKind.DESTRUCTIVE} if is_destructive else set())


# What looks like a placeholder in a pattern or a format is part of it.
_PATTERN_TEXT = re.compile(
    r"\b(?:e?grep|rg|sed|awk|jq|printf|perl|fish|test|find|ack|ag|git grep|go list)\b[^|\n]*|^\[ .*"
)
_ANY_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")


def _without_quoted(found: re.Match[str]) -> str:
    return _without_quotes(found[0])


def _without_quotes(text: str) -> str:
    return _ANY_QUOTED.sub("''", text)


def _matches(patterns: tuple[re.Pattern[str], ...], subject: str) -> bool:
    # One after the other is faster than one pattern with all of them as alternatives.
    for pattern in patterns:  # noqa: SIM110 - hundreds of thousands of calls; a generator costs
        if pattern.search(subject):
            return True
    return False


def _subject(kind: CheckKind, words: str, calmed: str, unquoted: str) -> str:
    if kind is CheckKind.DESTRUCTIVE:
        return calmed.lower()
    return unquoted if kind is CheckKind.PLACEHOLDER else words


_CANNOT_FAIL = re.compile(
    r"\|\|\s*(true|:|echo\b.*|exit\s+0|printf\b.*)\s*$|;\s*(true|exit\s+0|echo\b[^;|&]*)\s*$|"
    r"^\s*(echo|printf|true|:|sleep|cd|export|pwd|ls\s*$|cat\s*<<)(\s[^|;&]*)?$|^set \+e\b|"
    r"\|\s*(tee|head|tail|cat|less|sort|wc|column|jq\s+\.|grep\s+-c)\b[^|]*$",
    re.MULTILINE,
)


def can_fail(command: str) -> bool:
    """Return False where a command hides its exit status, or only talks."""
    last = command.strip().splitlines()[-1] if command.strip() else ""
    return not (
        _CANNOT_FAIL.search(command.strip()) if "\n" not in command else _CANNOT_FAIL.search(last)
    )


_STATE = re.compile(r"^\s*(cd|export|source|\.|set|unset|alias|pushd|popd|\w+=\S*\s*$|\w+=\$\()")


def changes_the_shell(command: str) -> bool:
    """Return whether a command only changes the shell that those after it run in."""
    return bool(_STATE.match(command)) and "&&" not in command and "\n" not in command.strip()


def without_bodies(command: str) -> str:
    """Return a command without here-documents: their lines are data, not commands."""
    return _BODY.sub(r"\1", command).strip() if "<<" in command else command.strip()


_BODY = re.compile(r"(<<-?\s*['\"]?(\w+)['\"]?[^\n]*)\n.*?\n\s*\2\s*$", re.DOTALL | re.MULTILINE)
