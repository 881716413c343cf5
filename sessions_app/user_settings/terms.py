"""What a user may choose, what counts where nothing was chosen, and what the operator allows: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from sessions_app.live.storable import storable

VOICES: Mapping[str, str] = {
    "Achernar": "soft",
    "Achird": "friendly",
    "Algenib": "gravelly",
    "Algieba": "smooth",
    "Alnilam": "firm",
    "Aoede": "breezy",
    "Autonoe": "bright",
    "Callirrhoe": "easy-going",
    "Charon": "informative",
    "Despina": "smooth",
    "Enceladus": "breathy",
    "Erinome": "clear",
    "Fenrir": "excitable",
    "Gacrux": "mature",
    "Iapetus": "clear",
    "Kore": "firm",
    "Laomedeia": "upbeat",
    "Leda": "youthful",
    "Orus": "firm",
    "Puck": "upbeat",
    "Pulcherrima": "forward",
    "Rasalgethi": "informative",
    "Sadachbia": "lively",
    "Sadaltager": "knowledgeable",
    "Schedar": "even",
    "Sulafat": "warm",
    "Umbriel": "easy-going",
    "Vindemiatrix": "gentle",
    "Zephyr": "bright",
    "Zubenelgenubi": "casual",
}
"""The prebuilt voices of the Live models, each with the provider's word for it (its page on language and voice)."""

AUTOMATIC = "auto"
LANGUAGES: Mapping[str, str] = {
    "ar-EG": "Arabic",
    "bn-BD": "Bengali",
    "nl-NL": "Dutch",
    "en-IN": "English (India)",
    "en-US": "English (United States)",
    "fr-FR": "French",
    "de-DE": "German",
    "hi-IN": "Hindi",
    "id-ID": "Indonesian",
    "it-IT": "Italian",
    "ja-JP": "Japanese",
    "ko-KR": "Korean",
    "mr-IN": "Marathi",
    "pl-PL": "Polish",
    "pt-BR": "Portuguese (Brazil)",
    "ro-RO": "Romanian",
    "ru-RU": "Russian",
    "es-US": "Spanish",
    "ta-IN": "Tamil",
    "te-IN": "Telugu",
    "th-TH": "Thai",
    "tr-TR": "Turkish",
    "uk-UA": "Ukrainian",
    "vi-VN": "Vietnamese",
}
"""The languages that the provider names for the Live API, by their BCP-47 codes."""

OF_THE_MODEL = "model"
"""For a sensitivity: whatever the model does by itself."""

SENSITIVITIES = (OF_THE_MODEL, "high", "low")
ANSWER_LENGTHS = ("short", "normal", "long")
OF_THE_DEVICE = "device"
THEMES = (OF_THE_DEVICE, "light", "dark")
PAGE_LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}
"""Those in which pages can be had, each by its own name: the folders of `config/locale`, and English."""
NEVER = "never"
NEW_CALLS = (NEVER, "ask", "always")

INSTRUCTION_MAX_CHARACTERS = 1_000
"""Long instructions were seen to make 3.1 forget the conversation at a resume (google-gemini/cookbook 1197)."""

SILENCE_MS = (100, 3_000)
"""With more of it an answer would come so late that the speech counts as not heard, see `live.machine.turns`."""

TRIGGER_TOKENS = (5_000, 128_000)
COMPRESSION_RATIO = (0.1, 0.9)
HISTORY_DAYS = (1, 36_500)


@dataclass(frozen=True, slots=True)
class UserSettings:
    """What counts for one user.

    `instruction`: how the model is to talk, in the user's words, beside the operator's. `persona`: whose words the
    notices about energy are, a slug. `silence_ms` before the end of a turn,
    `trigger_tokens`, `compression_ratio` (what is kept, as a part of the trigger): 0 for what the model does by itself.
    `new_call`: whether one goes on from the call before. `aloud`: a text chat plays its answers. `page_language`: in
    which pages are, where `language` is what is spoken. `history_days`: 0 for as long as the operator keeps.
    """

    voice: str = "Kore"
    language: str = AUTOMATIC
    instruction: str = ""
    answer_length: str = "normal"
    persona: str = ""
    start_sensitivity: str = OF_THE_MODEL
    end_sensitivity: str = OF_THE_MODEL
    silence_ms: int = 0
    interruptions: bool = True
    push_to_talk: bool = False
    compression: bool = True
    trigger_tokens: int = 0
    compression_ratio: float = 0.0
    resumption: bool = True
    new_call: str = "ask"
    aloud: bool = True
    captions: bool = True
    theme: str = OF_THE_DEVICE
    page_language: str = OF_THE_DEVICE
    history_days: int = 0


NAMES = tuple(one.name for one in fields(UserSettings))
Chosen = Mapping[str, Any]
"""Values by name, of those settings alone that a user wants otherwise than the operator."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator allows.

    `defaults`: where a user has chosen nothing. `locked`: names that nobody may choose. `history_days`: nobody keeps
    conversations for longer; 0 for good. `personas`: names by slug.
    """

    defaults: UserSettings = field(default_factory=UserSettings)
    locked: frozenset[str] = frozenset()
    history_days: int = 0
    personas: Mapping[str, str] = field(default_factory=dict)

    @property
    def voices(self) -> tuple[str, ...]:
        """The voices that may be chosen; the operator's own is one of them, whatever its name."""
        return tuple(sorted({*VOICES, self.defaults.voice}))

    @property
    def offers_personas(self) -> bool:
        """Whether there is more than one; else no form asks for it."""
        return len(self.personas) > 1

    @property
    def longest_history_days(self) -> int:
        return self.history_days or HISTORY_DAYS[1]


class Refused(ValueError):
    """A value that cannot be taken; as a string, a sentence for people."""


def settings_of(chosen: Chosen, rules: Rules) -> UserSettings:
    """What counts for a user who has chosen this. Whatever is not allowed any more counts as not chosen."""
    allowed = {name: value for name, value in chosen.items() if name not in rules.locked and _holds(name, value, rules)}
    settings = replace(rules.defaults, **allowed)
    if rules.history_days and not 0 < settings.history_days <= rules.history_days:
        settings = replace(settings, history_days=0)
    return settings


def chosen_of(settings: UserSettings, rules: Rules) -> dict[str, Any]:
    """What of these is otherwise than the operator has it."""
    defaults = asdict(rules.defaults)
    return {name: value for name, value in asdict(settings).items() if value != defaults[name]}


def read_form(form: Mapping[str, str], rules: Rules) -> tuple[UserSettings, dict[str, str]]:
    """The settings that a form holds, and for each field that cannot be taken a sentence.

    A switch that is off is missing from a form, so a form is always that of all settings that may be chosen.
    """
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name in NAMES:
        if name in rules.locked or (name == "persona" and not rules.offers_personas):
            continue
        try:
            values[name] = read_value(name, form.get(name, ""), rules)
        except Refused as refusal:
            errors[name] = str(refusal)
    return replace(rules.defaults, **values), errors


def read_value(name: str, text: str, rules: Rules) -> Any:
    """One setting as people write it. Raises `Refused`."""
    if name in _SWITCHES:
        return text == "on"
    if name in _NUMBERS:
        return _read_number(name, text.strip(), rules)
    if name == "instruction":
        return _read_instruction(text)
    if text not in _options_of(name, rules):
        raise Refused("Choose one of these.")
    return text


def read_defaults(words: list[str], voice: str) -> UserSettings:
    """The operator's defaults, of words such as `theme=dark`. Raises `Refused`."""
    rules = Rules(UserSettings(voice=voice))
    values: dict[str, Any] = {}
    for word in words:
        name, is_set, text = word.partition("=")
        if not is_set or name not in DEFAULTS_TO_SET:
            raise Refused(f"{word!r} is not a setting with its value; settings are {', '.join(DEFAULTS_TO_SET)}")
        if name in _SWITCHES and text not in ("on", "off"):
            raise Refused(f"{name} is on or off")
        try:
            values[name] = read_value(name, text, rules)
        except Refused as refusal:
            options = f" It is one of {', '.join(_options_of(name, rules))}." if name not in _NUMBERS else ""
            raise Refused(f"{name} cannot be {text!r}. {refusal}{options}") from None
    return replace(rules.defaults, **values)


def _holds(name: str, value: Any, rules: Rules) -> bool:
    """Whether a stored value may still be chosen."""
    if name in _SWITCHES or name in _NUMBERS or name == "instruction":
        return True
    return value in _options_of(name, rules)


def _options_of(name: str, rules: Rules) -> tuple[str, ...]:
    if name == "voice":
        return rules.voices
    if name == "persona":
        return tuple({rules.defaults.persona: "", **rules.personas})
    return _OPTIONS[name]


def _read_number(name: str, text: str, rules: Rules) -> int | float:
    least, most = _NUMBERS[name]
    most = rules.longest_history_days if name == "history_days" else most
    if not text:
        return 0
    is_whole = name != "compression_ratio"
    what = f"a whole number from {least:,} to {most:,}" if is_whole else f"a number from {least} to {most}, such as 0.5"
    try:
        number = (
            int(text.replace(",", "") if _GROUPED.match(text) else text)
            if is_whole
            else round(float(text.replace(",", ".")), 2)
        )
    except ValueError:
        raise Refused(f"This is {what}.") from None
    if not least <= number <= most:
        raise Refused(f"This is {what}.")
    return number


def _read_instruction(text: str) -> str:
    kept = storable(text.replace("\r\n", "\n")).strip()
    if len(kept) > INSTRUCTION_MAX_CHARACTERS:
        more = len(kept) - INSTRUCTION_MAX_CHARACTERS
        raise Refused(f"At most {INSTRUCTION_MAX_CHARACTERS:,} characters fit; these are {more:,} too many.")
    return kept


_GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{3})+\Z")
"""Thousands as the page itself writes them."""

_SWITCHES = tuple(one.name for one in fields(UserSettings) if one.type == "bool")
_NUMBERS: Mapping[str, tuple[float, float]] = {
    "silence_ms": SILENCE_MS,
    "trigger_tokens": TRIGGER_TOKENS,
    "compression_ratio": COMPRESSION_RATIO,
    "history_days": HISTORY_DAYS,
}
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "language": (AUTOMATIC, *LANGUAGES),
    "answer_length": ANSWER_LENGTHS,
    "start_sensitivity": SENSITIVITIES,
    "end_sensitivity": SENSITIVITIES,
    "new_call": NEW_CALLS,
    "theme": THEMES,
    "page_language": (OF_THE_DEVICE, *PAGE_LANGUAGES),
}
DEFAULTS_TO_SET = tuple(name for name in NAMES if name not in ("voice", "instruction", "persona", "history_days"))
"""Defaults that have no variable of their own, and no list in the admin."""
