"""`python -m agent` is `foretide`, for where the script is not on the path."""

from agent.cli import main

main(prog_name="foretide")
