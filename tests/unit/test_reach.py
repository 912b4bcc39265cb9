"""Checks that need the network run where the person has allowed what they ask."""

from pathlib import Path

import pytest

from agent.prp import CheckKind, parse_prp
from agent.prp.reach import with_reach


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        pytest.param("curl -sf https://api.example.com/health", CheckKind.RUN, id="allowed"),
        pytest.param("curl -sf 'https://api.example.com:443'", CheckKind.RUN, id="with its port"),
        pytest.param("curl -sf https://api.example.com:8443/", CheckKind.NETWORK, id="other port"),
        pytest.param("curl -sf https://api.example.com.evil.net/", CheckKind.NETWORK, id="other"),
        pytest.param("curl -sf https://$HOST/ https://x.org/", CheckKind.NETWORK, id="unknown"),
        pytest.param(
            "curl https://api.example.com/ && curl https://x.org/",
            CheckKind.NETWORK,
            id="one of two",
        ),
        pytest.param("docker compose up -d", CheckKind.NETWORK, id="container"),
        pytest.param(
            "curl -X DELETE https://api.example.com/ && git push", CheckKind.DESTRUCTIVE, id="worse"
        ),
    ],
)
def test_a_check_runs_where_all_that_it_asks_is_allowed(command: str, kind: CheckKind) -> None:
    """And stays as it was otherwise."""
    text = f"# PRP: A\n\n## Goal\nB.\n\n## Validation\n### Level 1: X\n```bash\n{command}\n```\n"
    prp = with_reach(
        parse_prp(text, path=Path("a.md")), lambda *asked: asked == ("api.example.com", 443)
    )
    assert [check.kind for check in prp.checks][:1] == [kind]
