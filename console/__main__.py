"""``python -m console``: the console on this machine. Exit codes: 0 stopped, 2 a setting is wrong, 4 somebody else has it."""

from __future__ import annotations

import argparse
import signal
import sys

from console.hardening import assert_hardened
from console.server import serve
from sync_core.errors import TieoutError

PORT = 8501


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop. What goes wrong is one sentence on stderr."""
    port = _asked(arguments)
    for signum in (signal.SIGTERM, signal.SIGINT):
        # uvicorn closes everything and then raises the signal again; by then all that is left is to end with 0
        signal.signal(signum, lambda _signum, _frame: None)
    try:
        assert_hardened()
        return serve(port)
    except TieoutError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code


def _asked(arguments: list[str] | None) -> int:
    parser = argparse.ArgumentParser(prog="python -m console", description="Tieout's console, on this machine only.")
    parser.add_argument("--port", type=_port, default=PORT, help=f"port on 127.0.0.1 (default {PORT})")
    return int(parser.parse_args(arguments).port)


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:
        raise argparse.ArgumentTypeError("a port lies between 1 and 65535")
    return port


if __name__ == "__main__":
    sys.exit(main())
