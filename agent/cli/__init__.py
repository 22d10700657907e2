"""The command line: one module per command, loaded when it is called."""

from __future__ import annotations

import os
from importlib import import_module

import click

# Since 1.80 grpcio reads sockets in threads of gRPC's event engine. Without them one thread less is woken for each
# message: a sixth of what a call costs. gRPC reads this when it is loaded, which the commands do. A user's stands.
os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_listener")
# gRPC core has a log of its own, on standard error. Unless told otherwise it writes there what a client gives as its
# reason to leave, line breaks and all: anybody could write lines into the agent's log.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
# Decisions multiply small matrices: a second thread of linear algebra only spins beside the first, and takes its core
# from whoever answers. Read when numpy is first imported; what the environment says counts.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

HELP = {"help_option_names": ["-h", "--help"]}  # of every command, so that each has them by itself, too
EXIT_CODES = """\b
Exit codes:
  0  done, and nothing is wrong
  1  something is wrong with what was looked at, or the command failed
  2  the command line, a policy or the configuration is wrong; nothing was done
"""

# name: (module:attribute, what `foretide --help` says). Help must not load gRPC, numpy and FastAPI.
_COMMANDS = {
    "run": ("agent.cli.run:run_command", "Run the agent: read, forecast, decide, answer KEDA."),
    "demo": ("agent.cli.demo:demo_command", "Watch the agent on simulated days at high speed, beside a plain HPA."),
    "backtest": ("agent.cli.backtest:backtest_command", "See what Foretide would have cost on your own past."),
    "explain": ("agent.cli.explain:explain_command", "Show why a policy's replicas are what they are."),
    "replay": ("agent.cli.replay:replay_command", "Decide line by line: JSON lines in, JSON lines out."),
    "doctor": ("agent.cli.doctor:doctor_command", "Check what the agent needs, and say what to mend."),
    "adopt": ("agent.cli.adopt:adopt_command", "Propose the way from an HPA or a ScaledObject to Foretide, and back."),
    "render": ("agent.cli.render:render_command", "Print the CRD, examples and the policy reference."),
}


class _Commands(click.Group):
    """Loads a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[cmd_name][0].split(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{attribute} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in _COMMANDS.items()])


@click.group(cls=_Commands, epilog=EXIT_CODES, context_settings=HELP)
@click.version_option(package_name="foretide", prog_name="foretide")
def main() -> None:
    """Forecast the load of ML workloads and answer KEDA before the load arrives.

    Start with `foretide demo`, which needs nothing. Then point the agent at your own Prometheus:

    \b
      foretide render examples --out examples
      foretide doctor --policies examples/policies --prometheus-url http://prometheus:9090
      foretide run --policies examples/policies --prometheus-url http://prometheus:9090
    """
