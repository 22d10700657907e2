"""The agent's own configuration: where the sources are, how to log in to them, where to listen and to keep things.

Policies name a source of this file and never carry an address or a credential themselves. Secrets stand in files that
this one points to, so that it can be shown to anybody.
"""

from agent.configuration.loading import InvalidConfiguration, load_configuration
from agent.configuration.model import (
    BasicAuth,
    Configuration,
    Grpc,
    HeaderValue,
    PrometheusAddress,
    ServerTls,
    SourceAddress,
    Tls,
)

__all__ = [
    "BasicAuth",
    "Configuration",
    "Grpc",
    "HeaderValue",
    "InvalidConfiguration",
    "PrometheusAddress",
    "ServerTls",
    "SourceAddress",
    "Tls",
    "load_configuration",
]
