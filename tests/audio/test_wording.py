from __future__ import annotations

import json

import pytest

from firmware.audio.catalogue import Catalogue, parse_catalogue
from firmware.audio.wording import spoken_keys, wording_problems


def catalogue(zh: str, en: str, *, own_keys: bool = False) -> Catalogue:
    voice = {"voice": "v", "words_per_minute": 150}
    value = {
        "voices": {"zh": {"engine": "espeak-ng", **voice}, "en": {"engine": "flite", **voice}},
        "prompts": {"menu": {"zh": zh, "en": en, "own_keys": own_keys}},
    }
    return parse_catalogue("catalogue.yaml", json.dumps(value, ensure_ascii=False, indent=1))


def complaints(zh: str, en: str, *, own_keys: bool = False) -> list[str]:
    return [problem.text for problem in wording_problems(catalogue(zh, en, own_keys=own_keys))]


def test_a_kind_menu_passes() -> None:
    zh = "留言，请按1。返回，请按星号键。输完以后，请按井号键。"
    en = "To leave a message, press 1. To go back, press the star key. When complete, press the hash key."
    assert complaints(zh, en) == []


@pytest.mark.parametrize(
    "text",
    [
        "Sorry to keep you waiting.",
        "We apologise for the wait.",
        "You must choose now.",
        "You have to wait.",
        "That was invalid.",
        "I cannot hear you.",
        "You did not choose.",
        "Unfortunately we are closed.",
        "Pardon me.",
        "I am afraid we are closed.",
        "We have kept you on hold.",
        "You will need to call again.",
        "You are required to wait.",
        "We can't help.",
        "We won’t call.",
        "This is not possible.",
        "Nobody is available, the line is unavailable.",
        "Your entry was not recognised.",
        "Your message is too long.",
        "Your session has timed out.",
        "The call failed.",
        "You forgot your number.",
        "For a message, dial 1.",
        "Say message to leave one.",
        "We are here 24 hours.",
        "Thank you; we will call.",
    ],
)
def test_unkind_english_is_named(text: str) -> None:
    told = complaints("您好。", text)
    assert told
    assert all(complaint.startswith('menu (en): "') for complaint in told)


@pytest.mark.parametrize(
    "text",
    [
        "很抱歉。",
        "对不起。",
        "您必须选择。",
        "您不能返回。",
        "请不要挂机。",
        "输入错误。",
        "按键无效。",
        "您没有选择。",
        "请您谅解。",
        "给您带来不便。",
        "让您久等了。",
        "您务必等候。",
        "禁止吸烟。",
        "您只能留言。",
        "号码不正确。",
        "操作超时。",
        "您按错了。",
        "您的留言太长。",
        "留言，请按一。",
        "留言，请拨1。",
        "我们全天24小时服务。",
        "留言，请按１。",
        "谢谢您；我们会回电。",
    ],
)
def test_unkind_mandarin_is_named(text: str) -> None:
    assert any(complaint.startswith('menu (zh): "') for complaint in complaints(text, "Hello."))


@pytest.mark.parametrize(
    ("zh", "en"),
    [
        ("感谢您的等候。", "Thank you for waiting."),
        ("如果您需要帮助，我在这里。", "If you need help, I am here."),
        ("请按一下任意键。", "You can press any key."),
        ("我听到的是", "I heard"),
        ("请在提示音后开始说话。", "Please speak after the tone."),
        ("留言，请说留言，或按1。", "To leave a message, say message or press 1."),
        ("返回，请说返回或者按星号键。", "To go back, say go back, or press the star key."),
        ("没关系，请慢慢来。", "Please take your time, I know it well."),
        ("我们的办公时间是", "A late call is welcome, and so is an early one."),
        ("二十四", "twenty-four"),
    ],
)
def test_kind_words_pass(zh: str, en: str) -> None:
    assert complaints(zh, en) == []


@pytest.mark.parametrize("word", ["重新", "更新"])
def test_words_that_the_synthesiser_misreads_are_named(word: str) -> None:
    assert len(complaints(f"我们{word}录音。", "Hello.")) == 1


def test_the_key_before_the_benefit_is_named_in_both_languages() -> None:
    told = complaints("请按1留言。", "Press 1 to leave a message.")
    assert [text.split(":")[0] for text in told] == ["menu (zh)", "menu (en)"]
    assert all("benefit" in text for text in told)


def test_two_keys_in_one_sentence_are_named() -> None:
    told = complaints("留言，请按1。回电，请按2。", "For a message, press 1, for a call, press 2.")
    assert len(told) == 1
    assert "benefit" in told[0]


def test_different_keys_are_named() -> None:
    told = complaints("留言，请按1。", "To leave a message, press 2.")
    assert told == ["menu (en): the languages name different keys: zh 1 and en 2"]


def test_each_language_may_offer_itself_by_its_own_key() -> None:
    assert complaints("中文服务，请按1。", "For English, press 2.", own_keys=True) == []


def test_a_long_winding_sentence_is_named() -> None:
    assert "one thought" in complaints("您好。", f"This is {'very ' * 20}long.")[0]


def test_a_problem_points_at_the_line_of_its_text() -> None:
    source = catalogue("您好。", "Sorry.")
    (problem,) = wording_problems(source)
    line = source.source.line_of(("prompts", "menu", "en"))
    assert problem.line == line > 1


@pytest.mark.parametrize(
    ("language", "text", "keys"),
    [
        ("en", "To go on, press 1. To end, press the hash key.", ["1", "#"]),
        ("en", "You can press a key at any time.", []),
        ("zh", "留言，请按1。返回，请按星号键。", ["1", "*"]),
        ("zh", "您可以随时按键。", []),
        ("zh", "用电话上的按键来选择。", []),
    ],
)
def test_keys_are_found_in_a_text(language: str, text: str, keys: list[str]) -> None:
    assert spoken_keys(language, text) == keys
