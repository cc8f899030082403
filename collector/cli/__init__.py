"""The `linekeeper-collector` command: commands, nothing else.

Exit status: 0 good, 1 failed, 2 wrong usage. Errors go to standard error, a line each.
"""

from __future__ import annotations

import sys

import typer

# Each module adds its commands to the application, in the order of the help.
# isort: off
from collector.cli import serving, admitting, records, importing, sharing, erasing, schema  # noqa: F401

# isort: on
from collector.cli.frame import UsageError, app
from firmware.errors import LinekeeperError


def main() -> None:
    """Run the command line; turn errors into a line each and an exit status."""
    sys.exit(_run_guarded())


def _run_guarded() -> int:
    try:
        status = app(standalone_mode=False)
    except UsageError as error:
        if message := error.format_message():  # none where the help was shown instead
            print(f"linekeeper-collector: {message}", file=sys.stderr)
        return 2
    except LinekeeperError as error:
        print(f"linekeeper-collector: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, typer.Abort):
        return 130
    return status or 0
