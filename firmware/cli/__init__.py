"""The `linekeeper` command: commands, nothing else.

Exit status: 0 good, 1 failed, 2 wrong usage or configuration. Errors go to standard error, a line each.
"""

from __future__ import annotations

import sys

import typer

# Each module adds its commands to the application, in the order of the help.
# isort: off
from firmware.cli import services, records, sharing, erasing, backup, power, flow, prompts  # noqa: F401
from firmware.cli import sound, speech, listen, sync, bench  # noqa: F401

# isort: on
from firmware.cli.frame import UsageError, app
from firmware.errors import ConfigurationError, LinekeeperError


def main() -> None:
    """Run the command line; turn errors into a line each and an exit status."""
    sys.exit(_run_guarded())


def _run_guarded() -> int:
    try:
        status = app(standalone_mode=False)
    except UsageError as error:
        if message := error.format_message():  # none where the help was shown instead
            print(f"linekeeper: {message}", file=sys.stderr)
        return 2
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    except LinekeeperError as error:
        print(f"linekeeper: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, typer.Abort):
        return 130
    return status or 0
