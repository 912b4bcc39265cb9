"""The words that give a command its kind: patterns of commands.

A rule is looked at only where one of its gate words occurs, because a hundred patterns a command
cost more than everything else that is read from a document.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from agent.prp.model import CheckKind

_LOCAL = r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])"
# What may stand between a program and its command.
_OPTIONS = r"(?:--?[\w-]+(?:=\S*|\s+[^-\s]\S*)?\s+)*?"
_GIT = r"\bgit\s+((-[cC]|--git-dir|--work-tree)[\s=]+(\"[^\"\n]*\"|'[^'\n]*'|\S+)\s+|-\S+\s+)*"

# The first word of a command that its own tool carries out, run by `npx` and its kind or not;
# what stands behind a program that only reads, builds or tests is a name.
_TOOL = (
    r"(?:^|[;&|({\n]\s*|(?:^|\s)\w+=(?:\"[^\"]*\"|'[^']*'|\S*)\s+(?:\\\n\s*)?)"
    r"(?:(?:npx|bunx|pnpx|uvx|(?:npm|pnpm|yarn|bun|uv|poetry|pdm|pipx)\s+(?:exec|dlx|x|run))\s+(?:--?[\w-]+\s+)*)?"
    r"(?!(?:cat|ls|cd|e?grep|rg|find|test|diff|head|tail|wc|mkdir|cp|mv|touch|stat|tree|du|git|pytest|vitest|jest|mocha|ava|"
    r"playwright|cypress|eslint|tsc|tsx|ruff|mypy|prettier|bash|sh|shellcheck|jq|kubectl|k|oc|helm|argocd|docker|python[\d.]*|"
    r"node|go|cargo|dotnet|npm|pnpm|yarn|bun|make|just|task|echo|printf|man|which|type|command)\s)[\w@][\w./@-]*\s+(?:[a-z]\w*\s+)?"
)


@dataclass(frozen=True)
class Rule:
    """A pattern of commands."""

    gate: frozenset[str]
    """Words of letters and digits, in lower case: without any of them it can't match."""
    signs: tuple[str, ...]
    """The same with parts of words."""
    is_start: bool
    """Whether it matches at the beginning only; it is always looked at."""
    expression: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Return the expression, compiled when the first command asks for it: few are ever."""
        return re.compile(self.expression)

    def matches(self, text: str) -> bool:
        """Return whether the rule applies to a command, or to what of it the kind looks at."""
        found = self.pattern.match(text) if self.is_start else self.pattern.search(text)
        return found is not None


def _at_start(*patterns: str) -> tuple[Rule, ...]:
    whole = "|".join(f"(?:{pattern})" for pattern in patterns)
    return (Rule(frozenset(), (), True, whole),)


def _words(words: str, pattern: str) -> Rule:
    return Rule(frozenset(words.split()), (), False, pattern)


def _signs(signs: str, pattern: str) -> Rule:
    return Rule(frozenset(), tuple(signs.split()), False, pattern)


RULES: tuple[tuple[CheckKind, tuple[Rule, ...]], ...] = (
    (
        CheckKind.NOT_SHELL,
        _at_start(
            r"/[\w:-]+(\s|$)(?!.*/\s*$)",
            r"https?://\S+\s*(?:#|$)|mcp__\w+|mcp\s+call|playwright-mcp\b",
            r"\{\s*\n?\s*\"[\w-]+\"\s*:|(FROM|WHERE|ORDER BY|GROUP BY|HAVING|(LEFT |INNER )?JOIN|VALUES|RETURNING)\s",
            r"(EXPLAIN|SELECT|INSERT|UPDATE|DELETE FROM|CREATE TABLE|ALTER TABLE)\b",
            r"(GET|POST|PUT|PATCH|DELETE)\s+(/|https?:)",
            r"</?\w+>$|[\w./~-]*[\w-]\.(mdx?|ya?ml|json|toml|txt)(\s|$)",
            r"[^\x00-\x7f✓✅☐□•→├└│]",
            # What PowerShell says: `Get-Content a.json`, `$env:TILL = 1`
            r"[A-Z][a-z]+-[A-Z]\w+(?:\s|$)|\$(?:env:)?\w+\s*=\s",
        ),
    ),
    (
        CheckKind.SAMPLE_CODE,
        _at_start(
            r"(import\s+[\w{*]|function\s+\w+\s*\([^)\s]|from\s+[\w.]+\s+import\b|def\s+\w+\(|class\s+\w+.*[:{]$|async\s+def\b)",
            r"(const|let|var|interface|type|export\s+(default|const|function|class))\s+[\w{]",
            r"extends\s+\w+$|>>>\s|(func|fn|pub\s+fn|package)\s+\w|assert\s|(await|return|expect\()\b|@\w+",
            r"[A-Za-z_][\w.]*(?::::?[\w.]+)?\((?!\)\s*\{).*\)\s*;?$|[A-Za-z_][\w.]*\s<-\s|[a-z]\w*\$\w+$|(describe|it|test)\(['\"]|print\(|"
            r"[A-Za-z_$]\w*(?:\.\w+)+\((?!\)\s*\{)",
            r"[)\]}]+[,;]?$|(async\s+)?with\s.*:$|for\s+\w+\s+in\s.*:$",
            r"(if|elif|while|else|try|except|finally)\b.*:$|\w+(\.\w+)*\s=\s|[├└│]",
        ),
    ),
    (
        CheckKind.MANUAL,
        _at_start(
            r"\d+[.)]\s|[-*✓✅☐□•→]\s?\S|(?!scp|rsync)[A-Za-z][\w ,'/().-]+:$",
            r"(?=[^:\n]*[a-z])[A-Z][\w /().-]{1,40}:\s+\S",
            r"(Open|Navigate|Click|Verify|Check|Ensure|Confirm|Visit|Go to|Log ?in|Test|Run|Start|"
            r"Should|Expected|Expect|Select|Wait|Enter|Press|Look|See|Try|Review|Manually|Then|Now|"
            r"Make sure|Inspect|Compare|In the|On the|With|Use|Add|Create|Restart|Refresh)\b(?!.*=)",
        ),
    ),
    (
        CheckKind.PLACEHOLDER,
        (
            _signs("[", r"(?<![A-Za-z0-9$\]\"'\\])\[(?!id\]|slug\]|\s|\[|\^|:|-)[A-Za-z][\w .|/-]*\](?!\])"),
            _signs("<", r"<[A-Za-z][\w -]*>(?!\s*[&\w/.]+$)|<[a-z][\w-]*(?:name|id|path|file|url|token)>"),
            _signs(":// localhost:", r"(?:://|localhost:)[^\s'\"]*(?:(?<!\$)\{[A-Za-z_]\w*\}|/[A-Z]+_ID\b)"),
            _signs("_token", r"(?:=|:\s?)(?:[A-Z]+_)+TOKEN\b"),
            _signs("bearer", r"\b[Bb]earer\s+(?:\{\w+\}|[A-Z]+(?:_[A-Z0-9]+)+\b)"),
            _signs("*", r"\b(?:npm|pnpm|yarn|bun)\s+run\s+[\w:-]+\*(?=\s|$)"),
            _signs("{{ path/to your ... .test", r"\{\{(?!\s*\.).*?\}\}|\bpath/to/|\bYOUR[_-]|\byour[_-]\w+|\bexample\.test\b|(?<=\s)\.\.\.(?=\s|$)|(?<![\w./])\.\.\./[\w-]+/"),
        ),
    ),
    (
        CheckKind.DESTRUCTIVE,
        (
            _words("chmod", r"\bchmod\s+(-r|\+s|777)"),
            _words("rf fr format init", r"\$\{?\w+\}?\s+-(rf|fr)\b|^format\s+\w:|^init\s+\d"),
            _signs("()", r":\(\)\s*\{"),
            _words(
                "git",
                _GIT +
                r"(push|pull|reset|clean|rebase|merge|checkout|switch|restore|branch\s+(-\S+\s+)*-+[dm]\w*|"
                r"update-index|symbolic-ref|replace|prune|lfs\s+push|svn\s+dcommit|subtree\s+push|send-email|read-tree|"
                r"tag|stash|filter-branch|filter-repo|lfs\s+prune|revert|cherry-pick|am|gc|commit|rm|update-ref|"
                r"remote\s+(add|set-url|remove|rm|rename)|worktree\s+remove|reflog\s+(expire|delete)|"
                r"notes\s+(add|remove)|submodule\s+deinit|config\s+(-\S+\s+)*--(global|system))\b|\bgit\b.*\balias\.\w+=",
            ),
            _words(
                "jj",
                r"\bjj\s+(-\S+(\s+[^-\s]\S*)?\s+)*?(abandon|absorb|backout|commit|describe|duplicate|edit|new|rebase|restore|revert|split|squash|undo|"
                r"git\s+push|op(eration)?\s+(abandon|restore|revert|undo)|(bookmark|branch|workspace|tag)\s+(delete|forget|move|set))\b",
            ),
            _words("elasticdump multielasticdump", r"\belasticdump\b.*--output[= ]\s*[\"']?(https?:|\$)|\bmultielasticdump\b"),
            _words(
                "terraform tofu pulumi cdk sam serverless sls azd",
                r"\b(terraform|tofu|pulumi|cdk|sam|serverless|sls|azd)\b.*\b(apply|destroy|provision|up|down|deploy|delete|remove|import|taint|untaint|force-unlock|state\s+(rm|mv|push|replace)|workspace\s+delete)\b",
            ),
            _words(
                "kubectl oc k ko",
                r"(?<![-\w])(kubectl|oc|k|ko)\s+" + _OPTIONS +
                r"(apply|delete|create|replace|patch|scale|rollout(?!\s+(status|history))|drain|cordon|taint|edit|exec)\b",
            ),
            _words("helm", r"\bhelm\s+" + _OPTIONS + r"(install|upgrade|uninstall|delete|rollback)\b"),
            _words(
                "vercel netlify fly flyctl firebase wrangler railway heroku gcloud eb surge",
                r"\b(vercel|netlify|fly|flyctl|firebase|wrangler|railway|heroku|gcloud|eb|surge)\b.*"
                r"\b(deploy|--prod|release|publish|push|promote|destroy|rollback|rm|remove|delete)\b|\bvercel\b.*--prod|"
                r"\bheroku\b.*:(reset|destroy|set|unset|rollback|promote)",
            ),
            _words("deploy undeploy publish unpublish destroy", _TOOL + r"(?:(?:un)?(?:deploy|publish)|destroy)(?=\s|$|[;&|)])"),
            _words("forge cast hardhat", r"\bforge\b.*\s--broadcast\b|\bcast\s+send\b|\bhardhat\s+run\s+\S*deploy"),
            _words("kamal cap fab skaffold", r"\bkamal\b|\b(cap\s+\w+|fab)\s+deploy|\bskaffold\s+(run|deploy|delete)"),
            _words(
                "terragrunt nomad consul vault etcdctl rclone bq stripe twilio k3d conda wrangler sls serverless firebase nerdctl podman argocd flux crictl velero",
                r"\b(terragrunt|nomad|consul|vault|etcdctl|rclone|bq|stripe|twilio|k3d|conda\s+env|wrangler|sls|serverless|firebase|nerdctl|podman|argocd|flux|crictl|velero)\b"
                r".*[\s:](del|delete|purge|prune|destroy|remove|rm|rmi|rmp|stop|sync|create|apply|move)\b",
            ),
            _words("fuser gpg kafka btrfs", r"\bfuser\s+-\w*k|\bgpg\b.*--delete|\bkafka-topics\S*\b.*--delete|\bbtrfs\b.*\bdelete\b"),
            _words("psql mysql mariadb sqlite3", r"\b(psql|mysql|mariadb|sqlite3)\b.*\b(update\s+\w+\s+set|grant\s|revoke\s|insert\s+into)"),
            _words(
                "eksctl minikube kind k3d vagrant multipass simctl",
                r"\b(eksctl|minikube|kind|k3d|vagrant|multipass|xcrun\s+simctl)\s+(delete|destroy|erase|rm)\b",
            ),
            _words("adb", r"\badb\s+(-\S+\s+\S+\s+)*(uninstall|shell\s+(rm|pm\s+(uninstall|clear|disable|hide|suspend|revoke)))\b"),
            _words(
                "prisma drizzle supabase sequelize knex typeorm rails rake artisan flyway diesel sqlx hasura",
                r"\b(prisma|drizzle-kit|supabase|sequelize|knex|typeorm|rails|rake|artisan|flyway|diesel|"
                r"sqlx|hasura)\b.*\b(reset|drop|push|rollback|undo|revert|wipe|fresh|seed|clean)\b",
            ),
            _words("ecto", r"\becto\.(drop|reset)\b"),
            _words("alembic manage django", r"\b(alembic|manage\.py|django-admin)\b.*\b(downgrade|flush|sqlflush|reset_db|loaddata)\b"),
            _words("db", r"db:(\w+:)?(drop|reset|seed|rollback|load)\b"),
            _words(
                "flask goose migrate dbmate atlas hasura liquibase ef aerich yoyo umzug mikro",
                r"\b(flask|goose|migrate|dbmate|atlas|hasura|liquibase|dotnet\s+ef|aerich|yoyo|umzug|mikro-orm)\s(.*[\s:-])?(down|downgrade|drop\w*|reset|rollback|clean|revert|undo)\b|\bdotnet\s+ef\s+database\s+update\s+0\b",
            ),
            _signs("flywayclean dropall", r"\bflywayclean\b|:dropall\b"),
            _words("drop truncate delete alter", r"\b(drop|truncate|delete\s+from|alter)\s+(table|database|schema|\w)"),
            _signs("flushall flushdb dropdatabase(", r"flushall|flushdb|dropdatabase\("),
            _words("redis mongo mongosh", r"\bredis-cli\b.*\s(del|shutdown|rename|config\s+set)\b|\bmongo(sh)?\b.*(\.drop\(|deletemany\(|\.remove\()"),
            _words("npm pnpm yarn np", r"\b(npm|pnpm|yarn)\s+(version\s+\w|dist-tag|deprecate|owner|access)|\bnpx\s+np\b"),
            _signs(
                "publish upload unpublish yank push",
                r"\b(sbt|pod\s+trunk|setup\.py|npm|pnpm|yarn|bun|cargo|poetry|twine|uv|gem|nuget|lerna|changeset|hatch|flit|pdm|gradlew?|mix)\b"
                r".*\b(publish\w*|upload|unpublish|yank|push)\b",
            ),
            _words("mvn mvnw", r"\bmvnw?\b.*\b(deploy|release:\w+)\b"),
            _words("docker", r"\bdocker\b.*(?<![-\w])(push|rm|rmi|prune|kill|down\b.*-v)|\bdocker(-|\s+)compose\b.*\bdown\b"),
            _words(
                "aws az gsutil gcloud doctl gh glab",
                r"\b(aws|az|gsutil|gcloud|doctl|gh|glab)\s(.*\s)?(rm|delete|create|put|sync|mb|rb|merge|"
                r"update|terminate|run-instances|deploy|release(?!\s+(?:view|list|download))|invoke|mv|cp|set)\b",
            ),
            _words("eval sh bash zsh dash mount source curl wget", r"\beval\s+\"?\$\(|(\bsource|(^|\s)\.|\b(ba|z|da)?sh)\s+(<\(|-c\s+\"?\$\()|^mount\s+(-\S+\s+)*[\w/][^\s|]*\s+[\w/]"),
            _signs("deploy release publish destroy rollback", r"(\b(make|npm run|pnpm|yarn|just|task)\s(\S+\s+)?|(^|\s)\./)\S*\s*\S*\b(un)?(deploy|release|publish|destroy|rollback)\b"),
            _signs(
                "deploy release publish rollback destroy teardown uninstall wipe nuke drop reset delete purge truncate flush cleanup",
                r"(^|[;&|]\s*|(\b(bash|sh|zsh|python3?|node|ruby|source)|(^|\s)\.)\s+)([^\s;&|]*/)?"
                r"(?!\S*(test|spec))(deploy|release|publish|rollback|destroy|teardown|uninstall|wipe|nuke|drop|reset|delete|purge|truncate|flush|cleanup[_-]?all)"
                r"[\w-]*\.(sh|py|js|ts|rb)\b",
            ),
            _words("reset drop wipe nuke destroy teardown purge uninstall", r"\b(npm|pnpm|yarn|bun|make|just)\s+(run\s+)?(\S*[:_-])?(reset|drop|wipe|nuke|destroy|teardown)\b|\bmake\s+(purge|uninstall)\b"),
            _words("find xargs parallel fd", r"\bfind\b.*(-delete|-(exec(dir)?|ok(dir)?)\s+(rm|shred|mv)\b)|\b(xargs|parallel|fd)\s+(-\S+\s+(\w+\s+)?)*rm\b"),
            _words("rsync tar history system", r"\brsync\b.*\s(--(del|remove-source)|[\w.-]+@?[\w.-]*:[\w/~])|\btar\b.*--remove-files|\bhistory\s+-c|\bsystem\(.*\brm\s"),
            _words(
                "apt yum dnf brew snap pacman choco winget",
                r"\b(apt|apt-get|yum|dnf|brew|snap|pacman|choco|winget)\s+(-\S+\s+)*(remove|uninstall|purge|autoremove|-r\w*)\b",
            ),
            _words("sqlite3 psql mysql mariadb", r"\b(sqlite3|psql|mysql|mariadb)\b.*(<|\s-f|--file[= ])\s*\S*(drop|reset|wipe|destroy|truncate|delete|teardown|purge|nuke|clean)\S*\.sql"),
            _words(
                "rm rmdir shred dd mkfs",
                r"(^|[;&|]\s*)(\$\([^()]*|`[^`]*)\b(rm|rmdir|shred|dd|mkfs[\w.]*)\s*[)`]\s+\S|\bsed\s+(-\S+\s+)*['\"]\d*e\s+rm\s",
            ),
            _words("rimraf del trash", r"(^|[;&|(]\s*|\b(npx|bunx|yarn|exec|dlx|run|x)\s+(-\S+\s+)*)(rimraf|del-cli|trash-cli|trash)\s"),
            _words("railway amplify", r"\brailway\s+(up|down|delete)\b|\bamplify\s+(push|publish|delete)\b"),
            _words("fly flyctl", r"\bfly(ctl)?\s+(launch|apps\s+destroy|scale)\b"),
            _words(
                "rabbitmqctl influx neo4j cypher wp drush turso linode hcloud pm2 supervisorctl defaults security svn hg rustup nvm asdf volta pyenv multipass lxc incus dropbox s3cmd mc scw vultr oci ibmcloud cf ghcup sdk msiexec wsl docker-machine dynamodb elasticsearch curator keytool certbot lambda chalice zappa sst copilot",
                r"\b(rabbitmqctl|influx|neo4j-admin|cypher-shell|wp|drush|turso|linode-cli|hcloud|pm2|supervisorctl|defaults|security|svn|hg|rustup|nvm|asdf|volta|pyenv|multipass|lxc|incus|s3cmd|mc|scw|vultr-cli|oci|ibmcloud|cf|ghcup|sdk|wsl|docker-machine|dynamodb|curator|keytool|certbot|chalice|zappa|sst|copilot)"
                r"\s(.*[\s_-])?(delete\w*|destroy|reset\w*|stop\w*|kill|remove|rm|rb|uninstall|unregister|strip|drop|purge|wipe|flush\w*|erase|revoke|undeploy|deploy)\b",
            ),
            _words("drush wp", r"\bsql-drop\b"),
            # What runs on the machine, as `systemctl` says it.
            _words(
                "pm2 supervisorctl forever brew nginx apachectl",
                r"\b(pm2|supervisorctl|forever)\s+(-\S+\s+)*(start\w*|restart\w*|reload\w*|graceful\w*|update|reread|save|startup|scale|resurrect)\b|"
                r"\bbrew\s+services\s+(start|restart|run|stop|kill)\b|\b(nginx|apachectl)\s+(.*\s)?(-[sk]\s*)?(reload|restart|stop|quit|graceful)\b",
            ),
            _words("npm yarn pnpm pip pip3 bun composer go", r"\b(npm|yarn|pnpm|pip3?|bun|composer)\s+(pm\s+)?(cache|store)\s+(clean|clear|purge|prune|rm|remove|delete)\b|\bgo\s+clean\s+.*-modcache"),
            _words("make npm pnpm yarn just task", r"\b(make|just|task|(npm|pnpm|yarn|bun)(\s+run)?)\s+(clean|prune|flush|truncate|delete|erase)[-_:](db|data|databases?|all|volumes?|docker|prod\w*|everything|storage)\b"),
            _words("irm iwr iex", r"\b(irm|iwr|invoke-restmethod|invoke-webrequest)\b.*\|\s*iex\b|\biex\b.*\b(irm|iwr|invoke-\w+)\b"),
            _words("deno bun python python3 perl ruby node php", r"\bdeno\s+run\b.*\shttps?://|\b(python[\d.]*|perl|ruby|node|php)\s+<\((curl|wget)\b"),
            _words(
                "tee cp mv ln install",
                r"\b(tee|cp|mv|ln|install)\s(.*\s)?[\"']?/(etc|usr|bin|sbin|lib|boot|root|system|library|dev(?!/(null|stdout|stderr|tty)\b))(/\S*)?[\"']?\s*($|[;&|<>)])",
            ),
            _words("tar unzip", r"\btar\b.*\s(-c|--directory[= ])\s*/(\s|$|etc|usr|bin|root)|\bunzip\b.*\s-d\s*/(\s|$|etc|usr|bin|root)"),
            _words("curl http https xh", r"\b(curl|https?|xh)\b.*(\b|-x)delete\b.*" + _LOCAL + r"(?![\w.:-])|\b(curl|https?|xh)\b.*(\b|-x)delete\b.*:(9200|9300|5984|8086|6333|2379)\b|\b(curl|https?|xh)\b.*(\b|-x)delete\b.*://(?!" + _LOCAL + r")"),
            _words("powershell pwsh cmd", r"\b(powershell|pwsh|cmd)\b.*\b(remove-item|clear-content|format-volume|stop-computer|del|rd|rmdir|erase)\b"),
            _words("detach", r"\bdetach\s+delete\b"),
            _words("mv ln cp tee install", r"\b(mv|ln)\s(.*\s)?[\"']?(~|\$\{?home\}?|/etc)/|\b(cp|tee|install)\s(.*\s)?[\"']?(~|\$\{?home\}?)/\.([\w-]+\s*($|[;&|<>)])|ssh|aws|gnupg)"),
            _words("surge expo ollama hub pg sqlplus huggingface", r"^surge\s|\bexpo\s+publish\b|\bollama\s+(rm|push)\b|^hub\s+(release|push|merge)\b|\bpg_ctl\b.*\bstop\b|\bsqlplus\b.*@\S*(drop|delete|reset)|\bhuggingface-cli\s+(delete|upload)"),
            _words("brew keygen ssh at ip", r"\bbrew\s+cleanup\b|\bssh-keygen\s+.*-r\b|\bssh-add\s+-d\b|^at\s+(now|\d)|\bip\s+(link|addr|route)\s+(del|delete|set|flush)\b"),
            _words("nx release skopeo oras", r"\bnx\s+run\s+\S+:(deploy|publish|release)\b|(?:^|[;&|]\s*|\bnpx\s+)release-it\b|\bskopeo\s+(copy|delete|sync)\b|\boras\s+push\b"),
            _words("firebase", r"\bfirebase\s+\w+:(disable|delete)\b"),
            _words("tmux screen", r"\btmux\s+kill-|\bscreen\s+-x\s+quit"),
        ),
    ),
    (
        CheckKind.INTERACTIVE,
        (
            _words("docker", r"\bdocker\b.*\s-(it|ti)\b"),
            _signs("--interactive --ui --headed --debug --inspect", r"\s--(interactive|ui|headed|debug-brk|inspect-brk)\b"),
            *_at_start(r"((uv|poetry|pdm|pipenv)\s+run\s+)?(python3?|node|irb|ghci|psql|mysql|sqlite3|redis-cli|mongosh?)\s*$"),
            # Without a command of its own it asks for them.
            _words(
                "psql",
                r"(?:^|[;&]\s*)(?:\w+=\S+\s+)*(?:docker(?:-compose|\s+compose)?\s+exec\s+(?:-\S+\s+)*\S+\s+)?psql\b(?![\w./-])(?!.*(?:\s-\w*[cflV]|\s--(?:command|file|list|version|help)\b|[<|]))",
            ),
            _words("read codegen cypress mprof", r"\bread\s+-[rp]|\bplaywright\s+codegen|\bcypress open\b|\bmprof plot\b"),
            _words("playwright", r"\bplaywright\s+(?:open\b|show-(?:report|trace)\b|test\b.*\s--debug\b)"),
            _words("login", r"\b(npm|docker|gh|vercel|netlify|az|gcloud|heroku)\s+(auth\s+)?login\b"),
            _signs("--watch", r"--watch(?!=false|All=false)\b"),
            _words("watch", r"\b(npm|pnpm|yarn|bun)\s+(run\s+)?([\w:-]+:)?watch\b"),
            _words("tail", r"\btail\s+(-\w+\s+)*-\w*[fF]"),
            _words("git", r"\bgit\s+(rebase|add)\s+-[ip]"),
        ),
    ),
    (
        CheckKind.SECRET,
        (
            _signs("$", r"\$\{?\w*(TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|PRIVATE_KEY|ACCESS_KEY|CREDENTIALS?)\w*\}?"),
            _signs(
                "authorization x-api-key token= secret= password= api_key= apikey=",
                r"\b(?i:Authorization|X-Api-Key)\s*:|\b(TOKEN|SECRET|PASSWORD|API_?KEY)=\S",
            ),
            _signs(".ssh/ id_rsa id_ed25519 .aws/ .netrc .gnupg", r"\.ssh/|\bid_(rsa|ed25519)\b|\.aws/|\.netrc\b|\.gnupg\b"),
            _signs("sk- ghp_ akia", r"\b(sk-[\w-]{8,}|ghp_\w{10,}|AKIA[0-9A-Z]{12,})"),
        ),
    ),
    (
        CheckKind.NETWORK,
        (
            _words(
                "curl wget http https xh",
                rf"\b(curl|wget|http|https|xh)\b(?=.*(https?://|\s[\w.-]+\.(com|io|dev|org|net|app)))(?!.*//{_LOCAL})",
            ),
            _words("elasticdump", r"\belasticdump\b"),
            _words("wrangler", r"\bwrangler\s+(tail|whoami|secret|versions|d1\s+execute\b.*--remote)\b"),
            _signs("--url", rf"\s--url[= ][\"']?https?://(?!{_LOCAL})"),
            _words("supabase vercel netlify firebase", r"(?:^|[;&|]\s*)(?:supabase|vercel|netlify|firebase)\s+(?!-{1,2}(?:version|help|v|h)\b|dev\b|emulators:|serve\b)"),
            _words("npx bunx pnpx", r"\b(npx|bunx|pnpx)\s+(-\S+\s+)*(?:(?:supabase|vercel|netlify)\s+(?!-{1,2}(version|help|v|h)\b|dev\b)|convex\s+(?!-{1,2}(version|help|v|h)\b))"),
            _words("pip pip3 safety snyk", r"\bpip3?\s+(install|download|index)\b|\bpip-audit\b|\bsafety\s+(check|scan)\b|\bsnyk\b"),
            _words("uv uvx pipx", r"\buv\s+(sync|add|lock|pip\s+(install|sync)|tool\s+install|python\s+install)\b|\buvx\b|\bpipx\b"),
            _words("npm pnpm yarn bun", r"\b(npm|pnpm|yarn|bun)\s+(i|install|ci|add|update|upgrade|audit|dlx|create|link|outdated)\b|^yarn$"),
            _words("npx go", r"\bnpx\s+(-y|--yes|create-|playwright install|shadcn|degit)|(?<![\w./-])go\s+(get|install|mod download)\b"),
            _words("cargo composer bundle", r"\b(cargo\s+(install|add|audit|update|search)|composer\s+(install|require|update)|bundle\s+install)\b"),
            _words(
                "poetry pdm pipenv conda mamba brew apt dnf apk gem dotnet",
                r"\b(poetry|pdm|pipenv|conda|mamba|brew|apt|apt-get|dnf|apk|gem|dotnet\s+add)\s+(install|add|update|upgrade|restore|package)\b|\bdotnet\s+(?:tool\s+)?restore\b|\bdotnet\s+list\b.*--(vulnerable|outdated|deprecated)",
            ),
            _signs("sonar", r"\bsonar(?::sonar|-scanner)\b"),
            _words("make", r"\bmake\s+\S*(docker|compose)|\bmake\s+(?:install|bootstrap|deps)\b"),
            _words("init", r"\b(?:npm|pnpm|yarn|bun)\s+init\s+[@\w]"),
            _words("git", r"\bgit\s+(clone|pull|fetch|ls-remote|submodule)\b"),
            _words("ping dig nslookup telnet nc netstat lighthouse", rf"\b(ping|dig|nslookup|telnet|nc|netstat|lighthouse)\b(?!.*\s(?:https?://)?{_LOCAL})"),
            _words("ollama huggingface hf dvc lfs", r"\bollama\s+(pull|run|create|cp)\b|\b(huggingface-cli|hf)\s+(download|whoami|repo|auth)\b|\bdvc\s+(pull|push|fetch|import)\b|\bgit\s+lfs\s+(pull|fetch|clone)\b"),
            _words("rustup spacy nltk playwright", r"\brustup\s+(update|(toolchain\s+)?install|(component|target)\s+add)\b|\bspacy\s+download\b|\bnltk\.downloader\b|\bplaywright\s+install(-deps)?\b"),
            _words("ngrok cloudflared minikube colima kind k3d traceroute mtr whois", r"(?:^|[;&|]\s*)(ngrok|cloudflared|traceroute|mtr|whois)\s+(?!-{0,2}version)|\b(minikube|colima)\s+start\b|\bkind\s+(create|load)\b|\bk3d\s+(cluster|image)\s+(create|import)\b"),
            _words("pod pub deps swift choco winget nuget mamba micromamba", r"\bpod\s+(install|update|repo)\b|\b(flutter|dart)\s+pub\s+(get|add|upgrade)\b|\bmix\s+deps\.(get|update)\b|\bswift\s+package\s+(resolve|update)\b|\b(choco|winget|nuget)\s+(install|upgrade|restore)\b|\b(micro)?mamba\s+create\b"),
            _words("curl wget xh", rf"\b(curl|wget|xh)\b(?=[^|;&\n]*\s\"?https?://(?!{_LOCAL}))(?=.*//{_LOCAL})"),
        ),
    ),
    (
        CheckKind.SERVER,
        (
            _words(
                "uvicorn gunicorn hypercorn daphne waitress nodemon webpack http",
                r"\b(uvicorn|gunicorn|hypercorn|daphne|waitress-serve|nodemon|webpack-dev-server|http-server)\b|\bhttp\.server\b",
            ),
            _words(
                "npm pnpm yarn bun",
                r"\b(npm|pnpm|yarn|bun)\s+(run\s+)?((?:(?!build|test|lint|check)\w+:)?dev|tauri\s+dev|start|serve|preview|storybook)\b(?!:build)",
            ),
            _words("turbo nx", r"\b(?:turbo|nx)\s+(?:run\s+)?(?:dev|serve|start)\b"),
            _words("make just", r"^(make|just)\s+(dev|serve|start|run-dev|dev-server)\s*&?\s*$"),
            _words("flask quart runserver fastapi rails", r"\b(flask|quart)\b.*\brun\b|\brunserver\b|\bfastapi\s+(dev|run)\b|\brails\s+s\b"),
            _words(
                "next nuxt astro remix gatsby ng expo vite svelte",
                r"\b(next|nuxt|astro|remix|gatsby|ng|expo|vite|svelte-kit)\s+(dev|start|serve|develop|preview)\b|(?:^|[;&|(]\s*|\b(?:npx|bunx|pnpx|exec|run|dlx|x|yarn|pnpm)\s+)vite\s*$",
            ),
            _words(
                "hugo jekyll mkdocs mdbook zola quarto docusaurus vitepress hexo sphinx",
                r"\b(?:hugo|jekyll|mkdocs|mdbook|zola|quarto|docusaurus|vitepress|hexo)\s+(?:server?|start|dev|preview)\b|\bsphinx-autobuild\b",
            ),
            _words("streamlit gradio celery", r"\b(streamlit|gradio)\s+run\b|\bcelery\b.*\bworker\b"),
            _words("node bun", r"\b(?:node|bun)\s+(?:\S*[^\sa-z])?server\.[cm]?[jt]s\s*&?\s*$"),
            _words("php artisan", r"\b(php|php artisan) serve\b|\bphp -S\b"),
            _words("cargo bootrun spring dotnet", r"\bcargo\s+(watch|run\b(?=.*(serv|--bin\s+\w*(api|web))))|\bbootRun\b|spring-boot:run|\bdotnet\s+(watch|run)\b"),
            _words(
                "redis mongod etcd nats granian live json minio consul vault caddy tensorboard jupyter",
                r"(?:^|[;&|]\s*|\bnpx\s+(?:-y\s+)?)(redis-server|mongod|etcd|nats-server|granian|live-server|json-server|minio\s+server|consul\s+agent|vault\s+server|caddy\s+(run|file-server)|tensorboard|jupyter[\s-](lab|notebook|server))\b(?!\s+-{0,2}(version|help)\b)",
            ),
            _words(
                "prefect dagster airflow vllm ollama mlflow temporal firebase serve storybook phx rails",
                r"\bprefect\s+server\s+start\b|\bdagster\s+dev\b|\bairflow\s+(standalone|webserver|scheduler|api-server)\b|\b(vllm|ollama)\s+serve\b|\bmlflow\s+(ui|server)\b|"
                r"\btemporal\s+server\b|\bfirebase\s+(emulators:start|serve)\b|\bserve\s+-s\b|\bstorybook\s+dev\b|\bmix\s+phx\.server\b|\brails\s+server\b",
            ),
            # What gets its input through a pipe ends with it.
            _signs(".py", r"(?<!\|)(?<!\|\s)\bpython3?\s+\S*(server|app|main|manage|run)\.py\s*(&|$|.*\s(--port|-p)[ =]?\d{2,5}\b|\d{4,5}\s*$)"),
            _words("python python3", r"\bpython3?\s+-m\s+(?:\w+\.)*(?:\w+_)?server\s*(?:&|$|.*\s(?:--port|-p)[ =]?\d{2,5}\b)"),
            _signs("&", r"(?<!&)&\s*(?:$|wait\s*$|\w+=\"?\$!)"),
            _words("air mcp wrangler netlify vercel", r"\bair\s*$|\bmcp\s+dev\b|\b(?:wrangler|netlify|vercel)\s+dev\b(?!\s+--?(?:help|h)\b)"),
            _words("studio", r"\b(?:prisma|drizzle-kit)\s+studio\b|\b(?:npm|pnpm|yarn|bun)\s+(?:run\s+)?(?:(?:db|prisma|drizzle)[:-])?studio\b"),
        ),
    ),
    (
        CheckKind.MUTATING,
        (
            _signs("--fix --write --update :fix", r"--fix\b|\b(?:npm|pnpm|yarn|bun)\s+(?:run\s+)?[\w-]+:fix\b|--write\b|--update-snapshots?\b"),
            _words("fmt", r"(?<![\w./-])go\s+fmt\b"),
            _words("w u", r"\s-w\b(?=.*\bgofmt|.*prettier)|\bgofmt\b.*\s-w\b|\s-u\b(?=.*(jest|vitest))"),
            _words("ruff black isort yapf", r"\bruff\s+format\b(?!.*(--check|--diff))|\b(black|isort|yapf)\b(?!.*(--check|--diff))"),
            _words("ef", r"\bdotnet\s+ef\s+(?:database\s+update|migrations\s+add|dbcontext\s+scaffold)\b"),
            _words("uv venv", r"\buv\s+(?:remove|venv|init|version\s+--bump)\b|\bpython3?\s+-m\s+venv\b"),
            _words("uninstall remove rm", r"\b(npm|pnpm|yarn|bun)\s+(uninstall|remove|rm)\b|\bpip3?\s+uninstall\b|\b(conda|mamba|gem)\s+(remove|uninstall)\b"),
            _signs(":apply :migrate :run :up :generate", r"\bspotless:apply\b|\b(db|migration|migrations?):(migrate|run|up|generate)\b"),
            _words(
                "fmt format prettier fix",
                r"\bcargo\s+fmt\b(?!.*--check)|\b(npm|pnpm|yarn)\s+(run\s+)?(format|fmt|lint:fix|prettier)\b(?![.:-]check)|\b(terraform|dotnet|dart|mix)\s+(fmt|format)\b(?!.*--(?:verify-no-changes|check))",
            ),
            _words("sed perl", r"\bsed\s+(-\S+\s+)*(-i|--in-place)|\bperl\s+-p?i"),
            _words("commit", r"\bpre-commit\s+(install|autoupdate)\b"),
            _words("git", _GIT + r"(add|apply|init|mv)\b|\bgit\s+config\s+(?!.*--(get|list))\S+\s+\S"),
            _words("alembic manage prisma commit", r"\balembic\s+(upgrade|revision)|\bmanage\.py\s+(migrate|makemigrations)\b(?!.*\s--(?:check|dry-run)\b)|\bprisma\s+(migrate|generate|db|format(?!.*--check))\b|\bpre-commit\s+run\b"),
            _signs(">", r"(?<![0-9&<>=-])>{1,2}\|?\s*(?!&|[\"']?(?:/dev/null|/tmp/))[\w./$\"'~-]+"),
            _words("tar psql tidy", r"(?:^|[;&|]\s*)go\s+mod\s+tidy\b|\btar\s+-?\w*x|\bpsql\b.*\s-f\b"),
            _words("clean distclean", r"^(make|cargo|go|flutter|npm run|yarn|pnpm|ninja|bazel)\s+(-\w+\s+(\S+\s+)?)?(dist)?clean\b"),
        ),
    ),
)  # fmt: skip
