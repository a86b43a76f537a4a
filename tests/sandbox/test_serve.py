"""Starting, stopping and restarting the sandbox, in a thread and as a command."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import trustme
from stand_ins import systems

from sync_core.sandbox.serve import CannotStart, Sandbox

THINGS = "/api.xro/2.0/Things"
ROOT = Path(__file__).parents[2]
COMMAND = """
import sys
from pathlib import Path
sys.path[:0] = [{root!r}, {here!r}]
from stand_ins import systems
from sync_core.sandbox.serve import main
state = Path(sys.argv[2]) if len(sys.argv) > 2 else None
sys.exit(main(int(sys.argv[1]), 0, 1, 0, state, systems()))
"""


def command(port, *state):
    code = COMMAND.format(root=str(ROOT), here=str(ROOT / "tests" / "sandbox"))
    return [sys.executable, "-c", code, str(port), *map(str, state)]


def serve(tmp_path, *state):
    return subprocess.Popen(command(0, *state), cwd=tmp_path, stdout=subprocess.PIPE, text=True)


def settings(process):
    lines = iter(process.stdout.readline, "")
    found = {}
    for line in lines:
        if line.startswith("#"):
            return found
        name, _, value = line.strip().partition("=")
        found[name] = value
    return found


def test_it_serves_on_two_free_ports_of_loopback_and_stops(shell):
    urls = {shell.dynamics_url, shell.xero_url}
    assert len(urls) == 2
    assert all(url.startswith("http://127.0.0.1:") for url in urls)


def test_nothing_listens_after_stop():
    with Sandbox(systems=systems()) as sandbox:
        url = sandbox.xero_url
        assert httpx.get(url + THINGS).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(url + THINGS)
    assert not [t for t in threading.enumerate() if t.name == "sandbox" and not t.is_alive()]


def test_the_environment_names_every_setting(shell):
    assert list(shell.environment()) == [
        "TIEOUT_DYNAMICS_URL",
        "TIEOUT_DYNAMICS_IDENTITY_URL",
        "TIEOUT_DYNAMICS_TENANT_ID",
        "TIEOUT_DYNAMICS_CLIENT_ID",
        "TIEOUT_DYNAMICS_CLIENT_SECRET",
        "TIEOUT_XERO_URL",
        "TIEOUT_XERO_IDENTITY_URL",
        "TIEOUT_XERO_CLIENT_ID",
        "TIEOUT_XERO_CLIENT_SECRET",
        "TIEOUT_XERO_TENANT_ID",
        "TIEOUT_ALLOW_LOOPBACK",
    ]
    assert all(shell.environment().values())


def test_token_services_stand_on_both_ports(shell, xero, dynamics):
    settings = shell.environment()
    tenant = settings["TIEOUT_DYNAMICS_TENANT_ID"]
    assert dynamics.get(f"/{tenant}/v2.0/.well-known/openid-configuration").status_code == 200
    form = {"grant_type": "client_credentials", "scope": "accounting.contacts"}
    known = (settings["TIEOUT_XERO_CLIENT_ID"], settings["TIEOUT_XERO_CLIENT_SECRET"])
    assert xero.post("/connect/token", data=form, auth=known).json()["token_type"] == "Bearer"


def test_https_for_clients_that_insist(tmp_path):
    authority = trustme.CA()
    pem, bundle = tmp_path / "server.pem", tmp_path / "ca.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
    authority.cert_pem.write_to_path(str(bundle))
    trust = ssl.create_default_context(cafile=str(bundle))
    with Sandbox(systems=systems(), tls=pem) as sandbox, httpx.Client(verify=trust) as client:
        assert sandbox.xero_url.startswith("https://")
        assert client.get(sandbox.xero_url + THINGS).status_code == 200
        sandbox.fault("drop_after")
        with pytest.raises(httpx.TransportError):
            client.get(sandbox.xero_url + THINGS)


def test_a_state_directory_keeps_rows_over_a_restart_and_seeds_once(tmp_path):
    with Sandbox(seed=3, state=tmp_path, systems=systems()) as first:
        httpx.put(first.xero_url + THINGS, json={"Things": [{"Name": "kept"}]})
        before = httpx.get(first.xero_url + THINGS).json()
    with Sandbox(seed=1, state=tmp_path, systems=systems()) as second:
        assert httpx.get(second.xero_url + THINGS).json() == before
        assert second.kernel.seed == 3
        second.reset()
        assert "kept" not in httpx.get(second.xero_url + THINGS).text


def test_two_sandboxes_do_not_share_a_state_directory(tmp_path):
    with Sandbox(state=tmp_path, systems=systems()), pytest.raises(CannotStart, match="cannot be used"):
        Sandbox(state=tmp_path, systems=systems()).start()


def test_requests_in_parallel_are_counted_in_flight(shell, xero):
    shell.fault("slow", seconds=0.5, times=None)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: xero.get(THINGS), range(4)))
    assert max(entry.detail["in_flight"] for entry in shell.log("xero")) == 4


def test_a_handler_that_breaks_is_a_500_in_the_log(shell, xero, caplog):
    assert xero.put(THINGS, content=b"no json").status_code == 500
    assert shell.log()[-1].status == 500
    assert "JSONDecodeError" in caplog.text


def test_a_taken_port_is_one_sentence_and_exit_code_2(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = subprocess.run(command(port), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"The sandbox cannot listen on port {port}: ")
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "sandbox.env").exists()


def test_the_command_writes_private_settings_and_ends_cleanly(tmp_path):
    with serve(tmp_path) as process:
        found = settings(process)
        assert httpx.get(found["TIEOUT_XERO_URL"] + THINGS).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    written = tmp_path / "sandbox.env"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert dict(line.split("=", 1) for line in written.read_text().splitlines()) == found


def test_an_answered_write_survives_kill_9(tmp_path):
    state = tmp_path / "state"
    with serve(tmp_path, state) as process:
        url = settings(process)["TIEOUT_XERO_URL"] + THINGS
        for name in ("a", "b"):
            httpx.put(url, json={"Things": [{"Name": name}]})
        os.kill(process.pid, signal.SIGKILL)
    with Sandbox(state=state, systems=systems()) as again:
        assert httpx.get(again.xero_url + THINGS).json()["Things"][-2:] == ["a", "b"]
