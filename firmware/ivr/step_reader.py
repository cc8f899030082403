"""One step out of a flow file."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from firmware.ivr.answers import ANSWERS
from firmware.ivr.flow import (
    BACK_KEY,
    KEYS,
    REPEAT_KEY,
    UNREAD_EXIT,
    UNREAD_TARGET,
    Condition,
    Outcome,
    Step,
    StepKind,
    key_outcome,
)
from firmware.ivr.schema import BRANCH_EXITS, KIND_RULES, LANGUAGES
from firmware.ivr.sections import Section, quoted
from firmware.ivr.spoken_answer import SpokenAnswer
from firmware.yaml_source import Path, did_you_mean

_DEFAULT_HELP = "menu_help"


def read_step(section: Section, name: str, kind: StepKind) -> Step:
    """Read a step whose kind is known; mistakes go to the section's notes."""
    rule = KIND_RULES[kind]
    exits = {outcome: section.text(key) for key, outcome in rule.exits.items()}
    exits |= {outcome: section.text(key) for key, outcome in rule.optional_exits.items() if _given(section, key)}
    step = Step(name, kind, exits, prompt=section.text("prompt", rule.default_prompt) if rule.speaks else "")
    step = _READ_MORE.get(kind, lambda _, step: step)(section, step)
    if not section.finish():
        # A misspelt key may have been an exit.
        step = replace(step, exits={**step.exits, UNREAD_EXIT: UNREAD_TARGET})
    return step


def _given(section: Section, key: str) -> bool:
    section.ask(key)
    return key in section


def _read_menu(section: Section, step: Step) -> Step:
    keys: dict[str, str] = {}
    entries = section.pairs("keys", "keys to steps")
    for place, name, target in entries:
        key = _key(section, place, name, keys)
        if key == REPEAT_KEY:
            section.notes.add(place, "key 9 always repeats the menu")
        elif key == BACK_KEY:
            section.notes.add(place, 'key * always goes back; name the step in "back"')
        elif not isinstance(target, str) or not target:
            section.notes.add(place, f"a key leads to the name of a step, not to {quoted(target)}")
        elif key:
            keys[key] = target
    exits = {**step.exits, **{key_outcome(key): target for key, target in keys.items()}}
    if len(keys) < len(entries) or not entries:
        exits[UNREAD_EXIT] = UNREAD_TARGET
    answers = _answers(section, keys)
    help_prompt = section.text("help", _DEFAULT_HELP)
    return replace(
        step, exits=exits, keys=tuple(keys), help_prompt=help_prompt, by_voice=bool(answers), answers=answers
    )


def _answers(section: Section, keys: Collection[str]) -> dict[str, SpokenAnswer]:
    """What may be said for the keys of a menu; no mapping where nothing may."""
    section.ask("say")
    if "say" not in section:
        return {}
    answers: dict[str, SpokenAnswer] = {}
    for place, name, word in section.pairs("say", "keys to what is said for them"):
        key = _key(section, place, name, answers)
        # YAML reads a bare yes and no as true and false.
        word = {True: "yes", False: "no"}[word] if isinstance(word, bool) else word
        if key and key not in keys:
            section.notes.add(place, f"key {key} is said, but the menu has no such key")
        elif not isinstance(word, str) or word not in ANSWERS:
            hint = did_you_mean(str(word), ANSWERS) or f"; there are {', '.join(ANSWERS)}"
            section.notes.add(place, f"nobody knows how to say {quoted(word)}{hint}")
        elif key:
            answers[key] = ANSWERS[word]
    return answers


def _read_language(section: Section, step: Step) -> Step:
    languages: dict[str, str] = {}
    for place, name, language in section.pairs("keys", "keys to languages"):
        key = _key(section, place, name, languages)
        if language not in LANGUAGES:
            section.notes.add(place, f"{quoted(language)} is no language; there are {', '.join(LANGUAGES)}")
        elif key in (REPEAT_KEY, BACK_KEY):
            section.notes.add(place, f"key {key} has its own meaning everywhere")
        elif key:
            languages[key] = str(language)
    return replace(step, languages=languages, keys=tuple(languages), by_voice=_switch(section, "say"))


def _read_words(section: Section, step: Step) -> Step:
    return replace(step, every_language=_switch(section, "every_language"))


def _switch(section: Section, key: str) -> bool:
    """True or false; false where the key is absent."""
    value = section.ask(key) if _given(section, key) else False
    if not isinstance(value, bool):
        section.notes.add((*section.path, key), f'"{key}" is true or false here, not {quoted(value)}')
    return value is True


def _read_branch(section: Section, step: Step) -> Step:
    word = section.one_of("by", [condition.value for condition in Condition], "condition")
    if not word:
        for targets in BRANCH_EXITS.values():
            for key in [*targets, "unknown"]:
                section.ask(key)
        return replace(step, exits={UNREAD_EXIT: UNREAD_TARGET})
    condition = Condition(word)
    exits = {outcome: section.text(key) for key, outcome in BRANCH_EXITS[condition].items()}
    if condition is Condition.OPENING_HOURS:
        # Without a trusted clock the office is taken to be open: a caller is better asked than turned away.
        exits[Outcome.UNKNOWN] = section.text("unknown", exits[Outcome.OPEN])
    return replace(step, exits=exits, condition=condition)


def _key(section: Section, place: Path, name: object, used: Collection[str]) -> str:
    """The key that a mapping's name means; an empty text after a mistake. YAML reads a bare digit as a number."""
    key = str(name) if isinstance(name, str | int) and not isinstance(name, bool) else ""
    if len(key) != 1 or key not in KEYS:
        section.notes.add(place, f"{quoted(name)} is no key of a telephone: 0 to 9, * and #")
        return ""
    if key in used:
        section.notes.add(place, f"key {key} is used twice")
    return key


_READ_MORE = {
    StepKind.SAY: _read_words,
    StepKind.HANG_UP: _read_words,
    StepKind.MENU: _read_menu,
    StepKind.LANGUAGE: _read_language,
    StepKind.BRANCH: _read_branch,
}
