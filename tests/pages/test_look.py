"""The colours of chatbot/static/abraco.css against each other: what people read, and what they have to find."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).resolve().parents[2] / "chatbot" / "static" / "abraco.css").read_text(encoding="utf-8")
ACCENTS = ("honey", "leaf", "sky", "coral", "plum", "sand")
TEXT, CONTROL = 4.5, 3.0


def block(selector: str) -> dict[str, str]:
    """The colour tokens of the first rule with that selector."""
    found = re.search(re.escape(selector) + r"[^{]*\{([^}]*)\}", CSS)
    assert found, selector
    return dict(re.findall(r"--([\w-]+): (#[0-9A-Fa-f]{6})", found[1]))


LIGHT = block(":root {\n".removesuffix(" {\n"))
DARK = block(':root[data-theme="dark"]')
THEMES = {"light": LIGHT, "dark": {**LIGHT, **DARK}, "black": {**LIGHT, **DARK, "paper": "#000000"}}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["paper", "card", "wash"])
@pytest.mark.parametrize("words", ["ink", "soft", "coral", "leaf", "sky"])
def test_words_can_be_read_on_every_ground(theme: str, ground: str, words: str) -> None:
    colours = THEMES[theme]
    assert contrast(colours[words], colours[ground]) >= TEXT


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["paper", "card"])
@pytest.mark.parametrize("sign", ["edge", "sky", "coral"])
def test_controls_and_the_focus_ring_can_be_found(theme: str, ground: str, sign: str) -> None:
    colours = THEMES[theme]
    assert contrast(colours[sign], colours[ground]) >= CONTROL


@pytest.mark.parametrize("theme", THEMES)
def test_the_urgent_button_can_be_read(theme: str) -> None:
    assert contrast(THEMES[theme]["on-coral"], THEMES[theme]["coral"]) >= TEXT


@pytest.mark.parametrize("accent", ACCENTS)
def test_an_accent_carries_its_words_in_every_theme(accent: str) -> None:
    colours = block(f".swatch-{accent}")
    assert contrast(LIGHT["ink"], colours["mine-light"]) >= TEXT
    assert contrast(THEMES["dark"]["ink"], colours["mine-dark"]) >= TEXT
    assert contrast(LIGHT["on-honey"], colours["honey"]) >= TEXT


def test_every_icon_that_is_named_is_drawn() -> None:
    folder = Path(__file__).resolve().parents[2] / "chatbot" / "static" / "icons"
    for name in re.findall(r"url\(icons/([\w-]+\.svg)\)", CSS):
        assert (folder / name).is_file(), name
    pages = Path(__file__).resolve().parents[2] / "templates"
    for path in pages.rglob("*.html"):
        for name in re.findall(r'_icon\.html" with name="([\w-]+)"', path.read_text(encoding="utf-8")):
            assert f".icon-{name} " in CSS, f"{name} in {path.name}"


@pytest.mark.parametrize("words", ["prefers-reduced-motion: reduce", "forced-colors: active", "prefers-contrast: more"])
def test_what_a_person_asked_of_their_device_is_respected(words: str) -> None:
    assert words in CSS
