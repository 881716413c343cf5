"""The page of settings as its template shows it: groups of fields, each with its words, its value and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from sessions_app.user_settings.terms import (
    ANSWER_LENGTHS,
    AUTOMATIC,
    INSTRUCTION_MAX_CHARACTERS,
    LANGUAGES,
    NEW_CALLS,
    OF_THE_DEVICE,
    OF_THE_MODEL,
    PAGE_LANGUAGES,
    SILENCE_MS,
    THEMES,
    TRIGGER_TOKENS,
    VOICES,
    Rules,
    UserSettings,
)

AS_THE_MODEL = "as the model does it"


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One setting. `kind`: `select`, `choice` (a few options side by side), `switch`, `number`, `text`.

    `value`: as the form has it. `unit`: what a number counts; `empty`: what counts while it is empty. `error`: a
    sentence. `is_locked`: the operator holds it fast.
    """

    name: str
    kind: str
    label: str
    help: str = ""
    options: tuple[Option, ...] = ()
    unit: str = ""
    empty: str = ""
    value: str = ""
    error: str = ""
    is_locked: bool = False

    @property
    def described_by(self) -> str:
        """The ids of what explains it."""
        ids = {"help": self.help, "error": self.error}
        return " ".join(f"{self.name}-{part}" for part, text in ids.items() if text)

    @property
    def shown(self) -> str:
        """The value in words."""
        if self.kind == "switch":
            return "On" if self.value == "on" else "Off"
        label = next((option.label for option in self.options if option.value == self.value), self.value)
        return label or self.empty or "Nothing"


@dataclass(frozen=True, slots=True)
class Group:
    """`note`: what a change means for what goes on now, to be said before it is made."""

    id: str
    title: str
    lead: str
    fields: tuple[Field, ...]
    note: str = ""


def form_of(settings: UserSettings) -> dict[str, str]:
    """What a form has that holds these; a switch that is off is not in it."""
    form = {}
    for name, value in asdict(settings).items():
        if value is True:
            form[name] = "on"
        elif value is not False:
            form[name] = str(value or "")
    return form


def groups_of(form: Mapping[str, str], errors: Mapping[str, str], rules: Rules, goes_on: str = "") -> tuple[Group, ...]:
    """The groups of the page. `goes_on`: what is live now, such as "call"; empty for nothing."""
    held = form_of(rules.defaults)

    def fill(field: Field) -> Field:
        is_locked = field.name in rules.locked
        value = (held if is_locked else form).get(field.name, "")
        return replace(field, value=value, error=errors.get(field.name, ""), is_locked=is_locked)

    def group(id: str, title: str, lead: str, note: str, fields: Iterator[Field]) -> Group:
        return Group(id, title, lead, tuple(map(fill, fields)), note if goes_on else "")

    new_line = f"Your {goes_on} will carry on with a new line; it keeps what was said."
    at_a_pause = f"Your {goes_on} takes this over at its next pause."
    of_the_line = f"Your {goes_on} takes this over at its next pause, the first of these with a new line."
    return (
        group("talk", "How it talks", "", new_line, _talk(rules)),
        group("turns", "Taking turns", "In calls: when it takes you for finished.", at_a_pause, _turns()),
        group("line", "The line", "What keeps a long conversation going.", of_the_line, _line()),
        group("page", "What you see and hear", "", "", _page(rules)),
        group("history", "Your history", "", "", _history(rules)),
    )


def _talk(rules: Rules) -> Iterator[Field]:
    voices = tuple(Option(name, f"{name}, {VOICES[name]}" if name in VOICES else name) for name in rules.voices)
    languages = tuple(Option(code, name) for code, name in LANGUAGES.items())
    yield Field("voice", "select", "Voice", "With the provider's own word for each.", voices)
    yield Field(
        "language",
        "select",
        "Language",
        "Automatic follows you from one sentence to the next. One of these is kept to, and helps to hear your words.",
        (Option(AUTOMATIC, "Automatic"), *languages),
    )
    lengths = tuple(Option(value, value.capitalize()) for value in ANSWER_LENGTHS)
    yield Field("answer_length", "choice", "Length of answers", "You can always ask for more, or less.", lengths)
    yield Field(
        "instruction",
        "text",
        "How should it talk?",
        f"A tone, what to call you, what to leave out: at most {INSTRUCTION_MAX_CHARACTERS:,} characters.",
    )


def _turns() -> Iterator[Field]:
    begin = _named(("low", OF_THE_MODEL, "high"), ("Careful", "Normal", "Quick"))
    end = _named(("low", OF_THE_MODEL, "high"), ("Patient", "Normal", "Quick"))
    yield Field(
        "start_sensitivity", "choice", "When you begin", "Quick hears a low voice sooner, and more of the room.", begin
    )
    yield Field("end_sensitivity", "choice", "When you pause", "Patient leaves you longer to think.", end)
    yield Field(
        "silence_ms",
        "number",
        "Silence before it answers",
        f"From {SILENCE_MS[0]} to {SILENCE_MS[1]:,}. A second is 1,000.",
        unit="milliseconds",
        empty=AS_THE_MODEL,
    )
    yield Field("interruptions", "switch", "Talk into an answer", "Off: it speaks to the end, and then hears you.")
    yield Field("push_to_talk", "switch", "Push to talk", "Calls begin muted; you hold a key or the button to talk.")


def _line() -> Iterator[Field]:
    yield Field(
        "resumption",
        "switch",
        "Resume after a break",
        "Off: Google is not asked to keep the session. A change of line takes a moment longer, and it then knows "
        "the words of the conversation, not how they sounded.",
    )
    yield Field(
        "compression",
        "switch",
        "Shorten what grows long",
        "Off: Google ends a call's session after about 15 minutes, and it goes on in a new one that has its words.",
    )
    yield Field(
        "trigger_tokens",
        "number",
        "Shorten at",
        f"From {TRIGGER_TOKENS[0]:,} to {TRIGGER_TOKENS[1]:,}. A minute of speech is about 1,500.",
        unit="tokens",
        empty=AS_THE_MODEL,
    )
    yield Field(
        "compression_ratio",
        "number",
        "Keep of that",
        "From 0.1 to 0.9: with 0.5 the newer half is kept.",
        empty=AS_THE_MODEL,
    )


def _page(rules: Rules) -> Iterator[Field]:
    yield Field(
        "theme",
        "choice",
        "Colours",
        "Of every page. At the foot of a page you can choose others for one browser.",
        _named(THEMES, ("As the device", "Light", "Dark")),
    )
    languages = tuple(Option(code, name) for code, name in PAGE_LANGUAGES.items())
    yield Field(
        "page_language",
        "select",
        "Language of the pages",
        "What is spoken and written in conversations does not go by it.",
        (Option(OF_THE_DEVICE, "As the browser"), *languages),
    )
    yield Field(
        "captions", "switch", "Captions in calls", "What is said can be read; the call has a button for it, too."
    )
    yield Field(
        "aloud", "switch", "Answers aloud in text chats", "Off: they are shown alone, until you switch it on there."
    )
    if rules.offers_personas:
        personas = tuple(Option(slug, name) for slug, name in rules.personas.items())
        yield Field(
            "persona", "select", "Notices", "In whose words you are told when a model has to be left.", personas
        )


def _history(rules: Rules) -> Iterator[Field]:
    yield Field(
        "new_call",
        "choice",
        "Go on from your last call",
        "A new call then begins with what the summary of the last one says. Also with Always you can leave it out "
        "before the call begins.",
        _named(NEW_CALLS, ("Never", "Ask", "Always")),
    )
    yield Field(
        "history_days",
        "number",
        "Delete conversations after",
        f"Since the last word in them; from 1 to {rules.longest_history_days:,}.",
        unit="days",
        empty=f"{rules.history_days:,}, as this server has it" if rules.history_days else "kept until you delete them",
    )


def _named(values: tuple[str, ...], labels: tuple[str, ...]) -> tuple[Option, ...]:
    return tuple(Option(value, label) for value, label in zip(values, labels, strict=True))
