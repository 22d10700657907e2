"""The HTTP server, run inside the engine's loop. Signals belong to the main program."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Generator
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from agent.log import logger

_log = logger(__name__)

GRACE_SECONDS = 2


class CannotListen(OSError):
    """The address cannot be bound; the message names it, why, and what to do."""


@dataclass(frozen=True, slots=True)
class HttpAddress:
    """Where to listen."""

    host: str  # a name or an address; 127.0.0.1 keeps other machines out
    port: int  # 0 lets the system choose

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class HttpServer:
    """Serves one application on one address."""

    def __init__(self, app: ASGIApp, address: HttpAddress) -> None:
        self._address = address
        self._socket: socket.socket | None = None
        self._server = _QuietServer(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )

    @property
    def address(self) -> HttpAddress:
        """Where it listens, with the port that the system chose; what was asked for before `bind`."""
        return self._address

    def bind(self) -> HttpAddress:
        """Take the address and return it. Connections wait until `serve`.

        Raises:
            CannotListen: the address is taken, not ours, or not allowed.
        """
        if self._socket is None:
            self._socket = _listening_socket(self._address)
            self._address = HttpAddress(self._address.host, self._socket.getsockname()[1])
        return self._address

    async def serve(self) -> None:
        """Answer requests until `stop` or cancellation; either ends open requests within two seconds.

        Raises:
            CannotListen: the address is taken, not ours, or not allowed.
        """
        self.bind()
        listening = self._socket
        if listening is None:
            raise RuntimeError("bind leaves a socket behind")
        _log.info("http_listening", address=str(self._address))
        try:
            await self._server.serve(sockets=[listening])
        finally:
            if self._server.started and not self._server.should_exit:
                await self._server.shutdown(sockets=[listening])
            listening.close()

    def stop(self) -> None:
        """Make `serve` return once open requests are answered."""
        self._server.should_exit = True


class _QuietServer(uvicorn.Server):
    """uvicorn's server without its signal handlers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _listening_socket(address: HttpAddress) -> socket.socket:
    try:
        family = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((address.host, address.port), family=family, backlog=128)
    except socket.gaierror as error:
        raise CannotListen(f"HTTP address {address}: {address.host} is not a known host: {error}") from error
    except OSError as error:
        raise CannotListen(f"HTTP address {address}: {_mend(error, address)}") from error


def _mend(error: OSError, address: HttpAddress) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {address.port} is taken; give another one with --http-address {address.host}:PORT"
        case errno.EACCES:
            return f"port {address.port} needs privileges; give one above 1023 with --http-address"
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address; 127.0.0.1 is always there, 0.0.0.0 means all"
        case _:
            return str(error)
