"""What callers hear and can do."""

from __future__ import annotations

from firmware.cli.frame import group

_flow = group("flow", "what callers hear and can do")


@_flow.command("check")
def flow_check(file: str) -> None:
    """Check a flow file, or builtin:office, and tell every mistake with its line."""
    from firmware.services.check import load_flow_by_name

    flow = load_flow_by_name(file)
    print(f"{file}: {len(flow.steps)} steps, all good")


@_flow.command("draw")
def flow_draw(file: str) -> None:
    """Draw a flow as a Mermaid diagram."""
    from firmware.services.check import draw_flow_by_name

    print(draw_flow_by_name(file))
