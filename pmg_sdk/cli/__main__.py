"""`python -m pmg_sdk.cli` is `pmg`."""

from pmg_sdk.cli import main

main(prog_name="pmg")
