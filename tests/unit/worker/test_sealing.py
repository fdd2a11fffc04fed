"""What is sealed opens for the right key, job and user, and for nothing else."""

import pytest

from worker.sealing import Keyring, Seal, Unopened, new_pair
from worker.settings import AuditSettings, SettingsError, load
from worker.startup_checks import checked_settings


def test_only_the_private_half_opens():
    """Equal texts look different; the seal knows no way back."""
    pair, other = new_pair(), new_pair()
    seal = Seal(pair.public)
    first, second = seal.close("a prompt", "job|user"), seal.close("a prompt", "job|user")
    assert first != second
    assert "prompt" not in first
    assert Keyring([other.private, pair.private]).open(seal.id, first, "job|user") == "a prompt"
    with pytest.raises(Unopened, match=f"sealed with key {seal.id}"):
        Keyring([other.private]).open(seal.id, first, "job|user")


def test_an_entry_cannot_be_passed_off_as_anothers():
    pair = new_pair()
    sealed = Seal(pair.public).close("a prompt", "job-1|alice")
    changed = sealed[:-6] + ("AAAA==" if not sealed.endswith("AAAA==") else "BBBB==")
    for text, about in ((sealed, "job-1|bob"), (changed, "job-1|alice")):
        with pytest.raises(Unopened, match="changed, or belongs to another job"):
            Keyring([pair.private]).open(Seal(pair.public).id, text, about)


@pytest.mark.parametrize("text", ["", "short", "not base64 !", "A" * 100])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(ValueError, match="32 bytes in base64"):
        Seal(text)
    with pytest.raises(ValueError, match="32 bytes in base64"):
        Keyring([text])


def test_a_sink_needs_a_key(monkeypatch):
    """And a wrong key is reported at the start, not with the first job."""
    monkeypatch.setenv("LLM_CHAIN", "simulator:s")
    monkeypatch.setenv("LLM_AUDIT_URL", "redis://127.0.0.1:6379/5")
    with pytest.raises(SettingsError, match=r"LLM_AUDIT_KEY.*completions audit key"):
        checked_settings()
    assert load(AuditSettings).url  # all that a reader needs
    monkeypatch.setenv("LLM_AUDIT_KEY", "nonsense")
    with pytest.raises(SettingsError, match=r"LLM_AUDIT_KEY.*32 bytes"):
        load(AuditSettings)
    monkeypatch.setenv("LLM_AUDIT_KEY", new_pair().public)
    assert load(AuditSettings).days == 90
