"""What a user may choose, what counts where nothing was chosen, and what the operator allows: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from django.utils.translation import gettext as _

from energy.marking import gettext_noop
from sessions_app.live.storable import storable
from sessions_app.numbers import in_digits

VOICES: Mapping[str, str] = {
    "Achernar": gettext_noop("soft"),
    "Achird": gettext_noop("friendly"),
    "Algenib": gettext_noop("gravelly"),
    "Algieba": gettext_noop("smooth"),
    "Alnilam": gettext_noop("firm"),
    "Aoede": gettext_noop("breezy"),
    "Autonoe": gettext_noop("bright"),
    "Callirrhoe": gettext_noop("easy-going"),
    "Charon": gettext_noop("informative"),
    "Despina": gettext_noop("smooth"),
    "Enceladus": gettext_noop("breathy"),
    "Erinome": gettext_noop("clear"),
    "Fenrir": gettext_noop("excitable"),
    "Gacrux": gettext_noop("mature"),
    "Iapetus": gettext_noop("clear"),
    "Kore": gettext_noop("firm"),
    "Laomedeia": gettext_noop("upbeat"),
    "Leda": gettext_noop("youthful"),
    "Orus": gettext_noop("firm"),
    "Puck": gettext_noop("upbeat"),
    "Pulcherrima": gettext_noop("forward"),
    "Rasalgethi": gettext_noop("informative"),
    "Sadachbia": gettext_noop("lively"),
    "Sadaltager": gettext_noop("knowledgeable"),
    "Schedar": gettext_noop("even"),
    "Sulafat": gettext_noop("warm"),
    "Umbriel": gettext_noop("easy-going"),
    "Vindemiatrix": gettext_noop("gentle"),
    "Zephyr": gettext_noop("bright"),
    "Zubenelgenubi": gettext_noop("casual"),
}
"""The prebuilt voices of the Live models, each with the provider's word for it (its page on language and voice).
In English, as are the languages below: models are told of them, too."""

AUTOMATIC = "auto"
LANGUAGES: Mapping[str, str] = {
    "ar-EG": gettext_noop("Arabic"),
    "bn-BD": gettext_noop("Bengali"),
    "nl-NL": gettext_noop("Dutch"),
    "en-IN": gettext_noop("English (India)"),
    "en-US": gettext_noop("English (United States)"),
    "fr-FR": gettext_noop("French"),
    "de-DE": gettext_noop("German"),
    "hi-IN": gettext_noop("Hindi"),
    "id-ID": gettext_noop("Indonesian"),
    "it-IT": gettext_noop("Italian"),
    "ja-JP": gettext_noop("Japanese"),
    "ko-KR": gettext_noop("Korean"),
    "mr-IN": gettext_noop("Marathi"),
    "pl-PL": gettext_noop("Polish"),
    "pt-BR": gettext_noop("Portuguese (Brazil)"),
    "ro-RO": gettext_noop("Romanian"),
    "ru-RU": gettext_noop("Russian"),
    "es-US": gettext_noop("Spanish"),
    "ta-IN": gettext_noop("Tamil"),
    "te-IN": gettext_noop("Telugu"),
    "th-TH": gettext_noop("Thai"),
    "tr-TR": gettext_noop("Turkish"),
    "uk-UA": gettext_noop("Ukrainian"),
    "vi-VN": gettext_noop("Vietnamese"),
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


class NoDefault(Refused):
    """The same of what the operator has set, for the operator."""


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
        raise Refused(_("Choose one of these."))
    return text


def read_defaults(words: list[str], voice: str) -> UserSettings:
    """The operator's defaults, of words such as `theme=dark`. Raises `NoDefault`."""
    rules = Rules(UserSettings(voice=voice))
    values: dict[str, Any] = {}
    for word in words:
        name, is_set, text = word.partition("=")
        if not is_set or name not in DEFAULTS_TO_SET:
            raise NoDefault(f"{word!r} is not a setting with its value; settings are {', '.join(DEFAULTS_TO_SET)}")
        if name in _SWITCHES and text not in ("on", "off"):
            raise NoDefault(f"{name} is on or off")
        try:
            values[name] = read_value(name, text, rules)
        except Refused as refusal:
            options = f" It is one of {', '.join(_options_of(name, rules))}." if name not in _NUMBERS else ""
            raise NoDefault(f"{name} cannot be {text!r}. {refusal}{options}") from None
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
    if is_whole:
        rule = _("This is a whole number from %(least)s to %(most)s.")
    else:
        rule = _("This is a number from %(least)s to %(most)s, such as 0.5.")
    sentence = rule % {"least": in_digits(least), "most": in_digits(most)}
    try:
        number = (
            int(_SEPARATOR.sub("", text) if _GROUPED.match(text) else text)
            if is_whole
            else round(float(text.replace(",", ".")), 2)
        )
    except ValueError:
        raise Refused(sentence) from None
    if not least <= number <= most:
        raise Refused(sentence)
    return number


def _read_instruction(text: str) -> str:
    kept = storable(text.replace("\r\n", "\n")).strip()
    if len(kept) > INSTRUCTION_MAX_CHARACTERS:
        more = len(kept) - INSTRUCTION_MAX_CHARACTERS
        facts = {"most": in_digits(INSTRUCTION_MAX_CHARACTERS), "more": in_digits(more)}
        raise Refused(_("At most %(most)s characters fit; these are %(more)s too many.") % facts)
    return kept


_SEPARATOR = re.compile("[,.'’ \u00a0\u202f]")
_GROUPED = re.compile(rf"[0-9]{{1,3}}({_SEPARATOR.pattern}[0-9]{{3}})+\Z")
"""Thousands as the page itself writes them, in any of its languages."""

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
CHOICES = frozenset(_OPTIONS)
"""Settings of which one of several is chosen: a form that was made for them always has one."""

DEFAULTS_TO_SET = tuple(name for name in NAMES if name not in ("voice", "instruction", "persona", "history_days"))
"""Defaults that have no variable of their own, and no list in the admin."""
