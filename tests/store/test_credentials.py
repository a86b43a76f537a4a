"""Secrets at rest, their keys, and the lock of a renewal."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from durable import another_process
from sqlalchemy import text

from sync_core.errors import Busy, Configure
from sync_core.store.keys import Keys

TOKEN = {"refresh_token": "canary-token-7f3a", "scope": ["a", "b"], "expires_at": 1763640000}


def everything(state):
    with state._read() as connection:
        return str(connection.execute(text("SELECT * FROM credentials")).all())


def test_what_was_saved_is_loaded_also_by_another_process(state, open_here):
    assert state.load_credential("xero") is None
    state.save_credential("xero", {"refresh_token": "old"})
    state.save_credential("xero", TOKEN)
    assert open_here().load_credential("xero") == TOKEN
    assert open_here("other").load_credential("xero") is None
    assert state.remove_credential("xero")
    assert state.load_credential("xero") is None


@pytest.mark.parametrize("secret", ["canary-key-91", None])
def test_neither_token_nor_key_stands_in_any_file_of_the_database(open_here, tmp_path, secret):
    state = open_here(secret_key=secret, key_dir=tmp_path / "keys")
    state.save_credential("xero", TOKEN)
    key = secret or (tmp_path / "keys" / "secret.key").read_text()
    files = [path for path in (tmp_path / "data").glob("*") if path.is_file()]
    written = b"".join(path.read_bytes() for path in files) + everything(state).encode()
    assert b"gAAAA" in written
    assert not [word for word in ("canary-token-7f3a", key) if word.encode() in written]
    assert "canary" not in repr(state) + repr(Keys(secret, tmp_path))


def test_the_generated_key_is_for_its_owner_only_and_stays(open_here, tmp_path):
    open_here(secret_key=None).save_credential("xero", TOKEN)
    path = tmp_path / "data" / "secret.key"
    path.chmod(0o644)
    assert open_here(secret_key="").load_credential("xero") == TOKEN
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.glob("*key*")] == ["secret.key"]


def test_two_that_make_a_key_at_once_use_the_same(open_here):
    states = [open_here(f"org-{number}", secret_key=None) for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda state: state.save_credential("xero", TOKEN), states))
    loaded = [open_here(f"org-{number}", secret_key=None).load_credential("xero") for number in range(6)]
    assert loaded == [TOKEN] * 6


def test_a_wrong_key_says_what_to_do(state, open_here):
    state.save_credential("xero", TOKEN)
    for wrong in ("another", None):
        with pytest.raises(Configure, match="Set TIEOUT_SECRET_KEY to the key"):
            open_here(secret_key=wrong).load_credential("xero")
    with pytest.raises(Configure, match="does not open"):
        open_here(secret_key="another").rotate_credentials()


def test_a_key_is_changed_without_connecting_again(state, open_here):
    state.save_credential("xero", TOKEN)
    both = open_here(secret_key=" new , secret ,")
    assert both.load_credential("xero") == TOKEN
    assert both.rotate_credentials() == 1
    assert open_here(secret_key="new").load_credential("xero") == TOKEN
    with pytest.raises(Configure):
        state.load_credential("xero")


def test_a_secret_set_later_opens_what_the_key_file_sealed(open_here):
    open_here(secret_key=None).save_credential("xero", TOKEN)
    assert open_here(secret_key="set later").load_credential("xero") == TOKEN


def test_a_sealed_value_does_not_open_under_another_name(state):
    state.save_credential("xero", TOKEN)
    with state._write() as connection:
        connection.execute(text("UPDATE credentials SET name = 'dynamics'"))
    with pytest.raises(Configure):
        state.load_credential("dynamics")


def test_a_key_file_that_cannot_be_made_is_told(open_here, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Configure, match="The key file"):
        open_here(secret_key=None, key_dir=tmp_path / "file").save_credential("xero", TOKEN)


def test_renewals_by_many_threads_follow_each_other(state, open_here):
    store = state.credential_store("xero")
    store.save({"number": 0})

    def renew(_):
        mine = open_here().credential_store("xero")
        with mine.lock():
            mine.save({"number": mine.load()["number"] + 1})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(renew, range(8)))
    assert store.load() == {"number": 8}


def test_the_lock_of_a_process_that_dies_is_free(state, state_url, tmp_path):
    code = "with state.credential_store('xero').lock():\n    say('held')\n    sys.stdin.readline()"
    with another_process(state_url, tmp_path / "data", code) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(Busy, match="busy with the credential xero"), state.credential_lock("xero", patience=0.05):
            pytest.fail("two hold it")
        with state.credential_lock("dynamics", patience=0.05):
            state.save_credential("dynamics", TOKEN)
        process.kill()
    with state.credential_lock("xero"):
        state.save_credential("xero", TOKEN)
    assert state.load_credential("xero") == TOKEN


@pytest.mark.skipif(bool(os.environ.get("TIEOUT_TEST_STATE_URL")), reason="on SQLite the lock is a file")
def test_a_lock_folder_that_cannot_be_used_is_told(open_here, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Configure, match="lock file"), open_here(key_dir=tmp_path / "file").credential_lock("xero"):
        pytest.fail("held without a file")
