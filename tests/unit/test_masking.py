"""Secrets are taken out of text, whichever way they came into it."""

import base64
import urllib.parse
from pathlib import Path

import pytest

from agent.journal import Noted
from agent.llm.recording import Recorder
from agent.masking import Mask

KEY = "s3cr3t/Value+of=nobody-42"
# Forms of tokens, made here: none was ever issued.
BODY = "Zq7Rw2Lp9Kd4Tn6Vb8Xc3Jh5Mf1Gs0Ya"
TOKENS = [
    pytest.param(token, id=token.partition(BODY[:5])[0])
    for token in (
        *(f"ghp_{BODY}", f"github_pat_{BODY}{BODY}", f"sk-ant-{BODY}", f"sk-proj-{BODY}"),
        *(f"AKIA{BODY[:16].upper()}", f"glpat-{BODY}", f"npm_{BODY}{BODY[:4]}", f"xoxb-{BODY}"),
        *(f"AIza{BODY}{BODY[:3]}", f"pypi-{BODY}{BODY}", f"eyJ{BODY}.eyJ{BODY}.{BODY}"),
    )
]


@pytest.mark.parametrize(
    "spelt",
    [
        pytest.param(KEY, id="as it is"),
        pytest.param(KEY[::-1], id="backwards"),
        pytest.param(KEY.encode().hex(), id="in hexadecimal"),
        pytest.param(urllib.parse.quote(KEY, safe=""), id="in an address"),
        *(
            pytest.param(base64.b64encode(before + KEY.encode() + b"!").decode(), id=f"base64 {n}")
            for n, before in enumerate((b"", b"a", b"ab", b"abc"))
        ),
        pytest.param(base64.urlsafe_b64encode(KEY.encode()).decode(), id="base64 for addresses"),
    ],
)
def test_P05_a_known_key_is_masked_in_every_spelling(spelt: str) -> None:
    """Its variable's name stands in its place."""
    masked = Mask({"SOME_API_KEY": KEY})(f"before {spelt} after")
    assert "[masked: SOME_API_KEY]" in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    for known in (KEY, KEY[::-1], base64.b64encode(KEY.encode()).decode()[4:-4]):
        assert known not in masked


@pytest.mark.parametrize("token", TOKENS)
def test_I57_a_token_of_a_known_form_is_masked(token: str) -> None:
    """Though nobody told us of it."""
    assert token not in Mask()(f'x = "{token}"')


def test_I57_a_private_key_is_masked_whole() -> None:
    """Also where its lines stand in JSON, and where its end is missing."""
    body = "\n".join([BODY * 2] * 5 + ["abcd=="])
    whole = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\nafter"
    for text in (whole, whole.replace("\n", "\\n"), whole.partition("-----END")[0] + "\nafter"):
        masked = Mask()(text)
        assert BODY[:10] not in masked
        assert masked.endswith("after")


@pytest.mark.parametrize(
    "text",
    [
        "sk-your-key-goes-here-please",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_" + "x" * 36,
        "https://user:{password}@host",
        "a task-list-of-many-hyphenated words",
        "the password is disabled",
    ],
)
def test_samples_and_words_stay(text: str) -> None:
    """What is no secret is what the work is about."""
    assert Mask({"SOME_TOKEN": "disabled", "APP_CREDENTIALS": "/home/me/key.json"})(text) == text


def test_a_password_in_an_address_is_masked() -> None:
    """Its host stays."""
    assert Mask()("git clone https://me:hunter22@host/x") == (
        "git clone https://[masked: a password]@host/x"
    )


def test_a_masked_text_is_masked_to_itself() -> None:
    """The same request gives the same text again, for the provider's cache."""
    mask = Mask({"SOME_API_KEY": KEY})
    once = mask(f"{KEY} ghp_{BODY} https://me:hunter22@host/x")
    assert mask(once) == once


def test_events_and_recordings_pass_it(tmp_path: Path) -> None:
    """Lists and tables inside included."""
    mask = Mask({"SOME_API_KEY": KEY})
    assert mask.event(Noted(text=f"it is {KEY}")).text == "it is [masked: SOME_API_KEY]"
    assert mask.all_in({"a": [(KEY, 1)], KEY: None}) == {
        "a": [("[masked: SOME_API_KEY]", 1)],
        "[masked: SOME_API_KEY]": None,
    }
    recorder = Recorder(tmp_path / "r.jsonl", mask=mask)
    from pydantic_ai.messages import ModelResponse, TextPart

    recorder.write(role="coder", messages=[], response=ModelResponse(parts=[TextPart(KEY)]))
    assert KEY not in (tmp_path / "r.jsonl").read_text()
