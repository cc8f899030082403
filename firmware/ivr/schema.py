"""What each kind of step may say in a flow file, and which prompts it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from firmware.ivr.flow import Condition, Outcome, StepKind

# Kinds of the design whose feature does not exist in this version: a flow that names one gets a plain answer.
KINDS_TO_COME = ("hand_over", "faq", "status", "digits", "complaint", "urgent", "survey", "staff")

LANGUAGES = ("zh", "en")

DIGIT_PROMPTS = tuple(f"digit_{name}" for name in [*"0123456789", "star", "hash", "plus"])
# Whatever a flow says, every call may need these.
PROMPTS_OF_EVERY_CALL = ("fault_exit", "time_limit", "shutdown_notice", "power_notice", "goodbye")
_CHOICE_PROMPTS = ("no_input", "wrong_key", "menu_help")
# What a question may need that can be answered by voice.
_VOICE_PROMPTS = ("menu_help_spoken", "not_understood", "heard", "heard_confirm", "choice_repeat", "choice_back")


@dataclass(frozen=True, slots=True)
class KindRule:
    """The keys of one kind. `default_prompt` None means that the flow must name one."""

    exits: Mapping[str, Outcome]
    optional_exits: Mapping[str, Outcome] = field(default_factory=dict)
    speaks: bool = True
    default_prompt: str | None = None
    prompts: tuple[str, ...] = ()


_NEXT = {"next": Outcome.NEXT}
_WAY_OUT = {"way_out": Outcome.WAY_OUT}
_BACK = {"back": Outcome.BACK}

KIND_RULES: Mapping[StepKind, KindRule] = {
    StepKind.SAY: KindRule(_NEXT),
    StepKind.LANGUAGE: KindRule(
        _NEXT,
        default_prompt="language_choice",
        prompts=(*_CHOICE_PROMPTS, *_VOICE_PROMPTS, "choice_english", "choice_chinese"),
    ),
    StepKind.MENU: KindRule(_WAY_OUT, _BACK, prompts=(*_CHOICE_PROMPTS, *_VOICE_PROMPTS)),
    StepKind.RECORD: KindRule(
        {**_NEXT, "full": Outcome.NO_ROOM},
        _BACK,
        default_prompt="message_intro",
        prompts=(
            *("message_again", "message_empty", "message_review", "message_kept", "message_number", "message_urgent"),
            *("message_limit", "message_stays", *_CHOICE_PROMPTS, *DIGIT_PROMPTS),
            *("say_or_press", "choice_finish", "choice_listen", "choice_again", "choice_urgent"),
            *_VOICE_PROMPTS,
        ),
    ),
    StepKind.CALLBACK: KindRule(
        {**_NEXT, **_WAY_OUT},
        _BACK,
        speaks=False,
        prompts=(
            *("callback_own", "callback_own_choice", "callback_enter", "callback_enter_help", "callback_read_back"),
            *("callback_confirm", "callback_when", "callback_reason", "callback_kept", "callback_merged"),
            *("callback_number", *_CHOICE_PROMPTS, *DIGIT_PROMPTS),
            *("callback_own_choice_spoken", "callback_confirm_spoken", "callback_when_spoken"),
            *("choice_yes", "choice_no", "choice_soon", "choice_morning", "choice_afternoon"),
            *_VOICE_PROMPTS,
        ),
    ),
    StepKind.BRANCH: KindRule({}, speaks=False),
    StepKind.GOTO: KindRule(_NEXT, speaks=False),
    StepKind.HANG_UP: KindRule({}, default_prompt="goodbye"),
}

BRANCH_EXITS: Mapping[Condition, Mapping[str, Outcome]] = {
    Condition.OPENING_HOURS: {"open": Outcome.OPEN, "closed": Outcome.CLOSED},
    Condition.VOICE_ROOM: {"room": Outcome.ROOM, "full": Outcome.NO_ROOM},
    Condition.CALLER_NUMBER: {"known": Outcome.KNOWN, "unknown": Outcome.UNKNOWN},
}
