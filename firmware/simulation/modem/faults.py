"""The ways in which a real modem is worse than its manual, one switch each (modem-reference 13)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModemFaults:
    """All off by default. Numbers in the comments are the points of modem-reference 13. Times are seconds.

    Commands are named as on the wire without `AT`, by prefix: `+VSD`, `+VGR`, `E`.
    """

    buffer_bytes: int | None = None  # 1: instead of the profile's
    play_result_at_once: bool = False  # 2: OK to <DLE><ETX> before the buffer has played
    single_code_dtmf: bool = False  # 3: Rockwell's form, one code a press
    split_events_seconds: float = 0.0  # 4: every byte pair leaves in two pieces, this far apart
    hold_output_seconds: float = 0.0  # 4: output is held and leaves in bursts: CONNECT, events and audio in one read
    burst_bytes: int = 4096  # 4: the size of these bursts
    record_end_crosses_abort: bool = False  # 5: the modem ends a recording just before the host's `<DLE>!` arrives
    ends_recording_itself: bool = False  # 5: <DLE><ETX> unasked after busy, dial tone, silence, loop break
    abort_drops_audio: bool = False  # 5: `<DLE>!` loses what the modem had not sent yet
    caller_id_line_seconds: float = 0.02  # 6: from line to line; a long time lets other results come between
    caller_id_name_first: bool = False  # 6: NAME before NMBR
    ring_into_command: bool = False  # 7: while the line rings, each result is preceded by a RING
    late_result_seconds: float = 0.0  # 8
    results_withheld: tuple[str, ...] = ()  # 8: these commands work, and give no result
    commands_refused: tuple[str, ...] = ()  # 8: these commands give ERROR
    doubled_results: bool = False  # 8
    results_before_information: bool = False  # 8: the OK comes first
    hangs_after_commands: int | None = None  # 8: then it answers nothing until it is power-cycled
    garbage_after_plug_in: bytes = b""  # 8
    numeric_results: bool = False  # 8: starts with V0
    echo_always: bool = False  # 8: ATE0 answers OK and changes nothing
    vls_stays_on_hook: bool = False  # 9: old USR firmware: OK, and the line goes on ringing
    needs_triple_dle: bool = False  # 9: Zoom 3095: streams end only with three DLE
    brown_out_after_bytes: int | None = None  # 9: gone at this byte, counted both ways from plugging in
    brown_out_seconds: float | None = 3.0  # 9: back after this time; None: stays away
    xon_xoff: bool = False  # 10: software flow control, whatever the host chose

    def refuses(self, command: str) -> bool:
        """Whether this command gets ERROR."""
        return command.startswith(self.commands_refused) if self.commands_refused else False

    def withholds(self, command: str) -> bool:
        """Whether this command's result never comes."""
        return command.startswith(self.results_withheld) if self.results_withheld else False


OPTIONAL_COMMANDS = ("+VGR", "+VGT", "+VSD", "+GCI", "+VCID", "+VDR", "+VIT", "+VRA", "+VRN", "+VNH", "+IFC", "&K", "-")
"""For `commands_refused`: a modem that says ERROR to everything a driver can do without (issue: bad input)."""
