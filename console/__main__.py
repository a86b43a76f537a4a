"""``python -m console``: serves the console. Exit codes: 0 stopped, 2 a setting is wrong, 4 somebody else has it."""

from __future__ import annotations

import argparse
import signal
import sys

from console.hardening import ADDRESS, assert_hardened
from console.server import serve
from sync_core.errors import TieoutError

PORT = 8501


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop. What goes wrong is one sentence on stderr."""
    asked = _asked(arguments)
    for signum in (signal.SIGTERM, signal.SIGINT):
        # uvicorn closes everything and then raises the signal again; by then all that is left is to end with 0
        signal.signal(signum, lambda _signum, _frame: None)
    try:
        assert_hardened(asked.address)
        return serve(asked.port, asked.address)
    except TieoutError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code


def _asked(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m console", description="Tieout's console.")
    parser.add_argument("--port", type=_port, default=PORT, help=f"port (default {PORT})")
    parser.add_argument(
        "--address", default=ADDRESS, help=f"address to listen on (default {ADDRESS}, this machine only; others need a sign-in)"
    )
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:
        raise argparse.ArgumentTypeError("a port lies between 1 and 65535")
    return port


if __name__ == "__main__":
    sys.exit(main())
