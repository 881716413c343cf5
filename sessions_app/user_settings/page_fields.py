"""The page of settings as its template shows it: groups of fields, each with its words, its value and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sessions_app.numbers import in_digits
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

AS_THE_MODEL = gettext_lazy("as the model does it")


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
            return _("On") if self.value == "on" else _("Off")
        label = next((option.label for option in self.options if option.value == self.value), self.value)
        return label or self.empty or _("Nothing")


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
    """The groups of the page. `goes_on`: what is live now, such as "Your call"; empty for nothing."""
    held = form_of(rules.defaults)

    def fill(field: Field) -> Field:
        is_locked = field.name in rules.locked
        value = (held if is_locked else form).get(field.name, "")
        return replace(field, value=value, error=errors.get(field.name, ""), is_locked=is_locked)

    def group(id: str, title: str, lead: str, note: str, fields: Iterator[Field]) -> Group:
        return Group(id, title, lead, tuple(map(fill, fields)), note if goes_on else "")

    what = {"what": goes_on}
    new_line = _("%(what)s will carry on with a new line; it keeps what was said.") % what
    at_a_pause = _("%(what)s takes this over at its next pause.") % what
    of_the_line = _("%(what)s takes this over at its next pause, the first of these with a new line.") % what
    return (
        group("talk", _("How it talks"), "", new_line, _talk(rules)),
        group("turns", _("Taking turns"), _("In calls: when it takes you for finished."), at_a_pause, _turns()),
        group("line", _("The line"), _("What keeps a long conversation going."), of_the_line, _line()),
        group("page", _("What you see and hear"), "", "", _page(rules)),
        group("history", _("Your history"), "", "", _history(rules)),
    )


def _talk(rules: Rules) -> Iterator[Field]:
    voices = tuple(Option(name, _voice_label(name)) for name in rules.voices)
    languages = tuple(Option(code, _(name)) for code, name in LANGUAGES.items())
    yield Field("voice", "select", _("Voice"), _("With the provider's own word for each."), voices)
    yield Field(
        "language",
        "select",
        _("Language"),
        _(
            "Automatic follows you from one sentence to the next. "
            "One of these is kept to, and helps to hear your words."
        ),
        (Option(AUTOMATIC, _("Automatic")), *languages),
    )
    lengths = _named(ANSWER_LENGTHS, (_("Short"), _("Normal"), _("Long")))
    yield Field("answer_length", "choice", _("Length of answers"), _("You can always ask for more, or less."), lengths)
    yield Field(
        "instruction",
        "text",
        _("How should it talk?"),
        _("A tone, what to call you, what to leave out: at most %(most)s characters.")
        % {"most": in_digits(INSTRUCTION_MAX_CHARACTERS)},
    )


def _turns() -> Iterator[Field]:
    begin = _named(("low", OF_THE_MODEL, "high"), (_("Careful"), _("Normal"), _("Quick")))
    end = _named(("low", OF_THE_MODEL, "high"), (_("Patient"), _("Normal"), _("Quick")))
    yield Field(
        "start_sensitivity",
        "choice",
        _("When you begin"),
        _("Quick hears a low voice sooner, and more of the room."),
        begin,
    )
    yield Field("end_sensitivity", "choice", _("When you pause"), _("Patient leaves you longer to think."), end)
    yield Field(
        "silence_ms",
        "number",
        _("Silence before it answers"),
        _("From %(least)s to %(most)s. A second is %(second)s.") % _bounds(SILENCE_MS, second=1_000),
        unit=_("milliseconds"),
        empty=str(AS_THE_MODEL),
    )
    yield Field(
        "interruptions", "switch", _("Talk into an answer"), _("Off: it speaks to the end, and then hears you.")
    )
    yield Field(
        "push_to_talk", "switch", _("Push to talk"), _("Calls begin muted; you hold a key or the button to talk.")
    )


def _line() -> Iterator[Field]:
    yield Field(
        "resumption",
        "switch",
        _("Resume after a break"),
        _(
            "Off: Google is not asked to keep the session. A change of line takes a moment longer, and it then knows "
            "the words of the conversation, not how they sounded."
        ),
    )
    yield Field(
        "compression",
        "switch",
        _("Shorten what grows long"),
        _("Off: Google ends a call's session after about 15 minutes, and it goes on in a new one that has its words."),
    )
    yield Field(
        "trigger_tokens",
        "number",
        _("Shorten at"),
        _("From %(least)s to %(most)s. A minute of speech is about %(minute)s.")
        % _bounds(TRIGGER_TOKENS, minute=1_500),
        unit=_("tokens"),
        empty=str(AS_THE_MODEL),
    )
    yield Field(
        "compression_ratio",
        "number",
        _("Keep of that"),
        _("From 0.1 to 0.9: with 0.5 the newer half is kept."),
        empty=str(AS_THE_MODEL),
    )


def _page(rules: Rules) -> Iterator[Field]:
    yield Field(
        "theme",
        "choice",
        _("Colours"),
        _("Of every page. At the foot of a page you can choose others for one browser."),
        _named(THEMES, (_("As the device"), _("Light"), _("Dark"))),
    )
    languages = tuple(Option(code, name) for code, name in PAGE_LANGUAGES.items())
    yield Field(
        "page_language",
        "select",
        _("Language of the pages"),
        _("What is spoken and written in conversations does not go by it."),
        (Option(OF_THE_DEVICE, _("As the browser")), *languages),
    )
    yield Field(
        "captions", "switch", _("Captions in calls"), _("What is said can be read; the call has a button for it, too.")
    )
    yield Field(
        "aloud",
        "switch",
        _("Answers aloud in text chats"),
        _("Off: they are shown alone, until you switch it on there."),
    )
    if rules.offers_personas:
        personas = tuple(Option(slug, name) for slug, name in rules.personas.items())
        yield Field(
            "persona", "select", _("Notices"), _("In whose words you are told when a model has to be left."), personas
        )


def _history(rules: Rules) -> Iterator[Field]:
    yield Field(
        "new_call",
        "choice",
        _("Go on from your last call"),
        _(
            "A new call then begins with what the summary of the last one says. Also with Always you can leave it out "
            "before the call begins."
        ),
        _named(NEW_CALLS, (_("Never"), _("Ask"), _("Always"))),
    )
    yield Field(
        "history_days",
        "number",
        _("Delete conversations after"),
        _("Since the last word in them; from 1 to %(most)s.") % {"most": in_digits(rules.longest_history_days)},
        unit=_("days"),
        empty=_kept_words(rules.history_days),
    )


def _voice_label(name: str) -> str:
    if name not in VOICES:
        return name
    # Translators: a voice and what it is like, such as: Kore, firm
    return _("%(voice)s, %(character)s") % {"voice": name, "character": _(VOICES[name])}


def _bounds(bounds: tuple[int, int], **others: int) -> dict[str, str]:
    return {name: in_digits(number) for name, number in {"least": bounds[0], "most": bounds[1], **others}.items()}


def _kept_words(days: int) -> str:
    return _("%(days)s, as this server has it") % {"days": in_digits(days)} if days else _("kept until you delete them")


def _named(values: tuple[str, ...], labels: tuple[str, ...]) -> tuple[Option, ...]:
    return tuple(Option(value, label) for value, label in zip(values, labels, strict=True))
