"""The options that say how safe the gRPC port is, for who listens on it and for who asks there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import TypeVar

import click

from agent.doctor.tls import KedaTls

Result = TypeVar("Result")

_OPTIONS = {
    "grpc_cert_file": "grpc.tls.certFile",
    "grpc_key_file": "grpc.tls.keyFile",
    "grpc_client_ca_file": "grpc.tls.clientCaFile",
    "grpc_allowed_client_sans": "grpc.tls.allowedClientSans",
    "grpc_insecure": "grpc.insecure",
}


def grpc_security_options(command: Callable[..., Result]) -> Callable[..., Result]:
    """Give a command the options, and their values as one argument `security`: by field, for `load_configuration`."""

    @click.option("--grpc-cert-file", metavar="FILE", help="TLS for KEDA: the server's certificate, PEM.")
    @click.option("--grpc-key-file", metavar="FILE", help="Its key, PEM. Both are read again when they change.")
    @click.option(
        "--grpc-client-ca-file",
        metavar="FILE",
        help="Ask each client for a certificate of these authorities, PEM (mTLS).",
    )
    @click.option(
        "--grpc-allowed-client-sans",
        metavar="NAME,…",
        help="DNS names or URIs, with commas: a client must show one in its certificate.",
    )
    @click.option(
        "--grpc-insecure",
        is_flag=True,
        default=None,
        help="Plaintext on an address that other machines reach, without TLS of our own.",
    )
    @wraps(command)
    def with_security(**options: object) -> Result:
        security: Mapping[str, object] = {field: options.pop(name) for name, field in _OPTIONS.items()}
        return command(security=security, **options)

    return with_security


def keda_tls_options(command: Callable[..., Result]) -> Callable[..., Result]:
    """Give a command the options of KEDA's side, and their values as one argument `keda_tls`, None in plaintext."""
    file = click.Path(exists=True, dir_okay=False, path_type=Path)

    @click.option("--ca-cert", type=file, help="With --keda: the authorities KEDA trusts, PEM, its `caCert`.")
    @click.option("--client-cert", type=file, help="With --keda: KEDA's `tlsClientCert`, PEM.")
    @click.option("--client-key", type=file, help="With --keda: KEDA's `tlsClientKey`, PEM.")
    @click.option("--enable-tls", is_flag=True, help="With --keda: TLS by the system's authorities, as `enableTLS`.")
    @click.option(
        "--server-name", metavar="HOST", help="With --keda: the host of scalerAddress, where --grpc-address is another."
    )
    @wraps(command)
    def with_tls(
        *,
        ca_cert: Path | None,
        client_cert: Path | None,
        client_key: Path | None,
        enable_tls: bool,
        server_name: str | None,
        **options: object,
    ) -> Result:
        if (client_cert is None) != (client_key is None):
            raise click.UsageError("a client certificate is a pair: give both --client-cert and --client-key")
        # the first three as KEDA decides it: kedacore/keda pkg/scalers/external_scaler.go, buildGRPCConnection
        is_tls = enable_tls or ca_cert or client_cert or server_name
        keda_tls = KedaTls(ca_cert, client_cert, client_key, server_name) if is_tls else None
        return command(keda_tls=keda_tls, **options)

    return with_tls
