"""A conversation as a file to take away: pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from summarization.lengths import duration_words
from summarization.record import Attached, Line, Neighbour, Record, Tokens, WrittenSummary
from summarization.timeline import Moment

FORMAT = "holdline.conversation"
VERSION = 1

_SPEAKERS = {"user": gettext_lazy("You"), "model": "Holdline", "system": gettext_lazy("Notice")}
_MODES = {"call": gettext_lazy("Call"), "text": gettext_lazy("Text chat")}


def as_json(record: Record) -> str:
    """All of it. Times are ISO 8601 in UTC. `version` grows when a field changes its meaning."""
    return json.dumps(as_data(record), ensure_ascii=False, indent=2) + "\n"


def as_markdown(record: Record) -> str:
    """To be read. What was said stands in quotes, word for word, so that it cannot be mistaken for our own headings."""
    parts = [f"# {_one_line(record.title)}", _facts(record)]
    if record.summary is not None and record.summary.state == "ready" and not record.summary.is_transcript:
        parts += _summary(record.summary)
    names = record.recording_names
    parts += [_heading(_("Transcript")), *(_turn(line, names) for line in record.lines)]
    if record.moments:
        parts += [_heading(_("What the line went through")), "\n".join(_moment(moment) for moment in record.moments)]
    return "\n\n".join(parts) + "\n"


def file_name(record: Record, extension: str) -> str:
    """Such as `holdline-call-2026-11-21-1147.md`: sorts by time, and tells nothing of what was said."""
    return f"holdline-{record.mode}-{record.started_at.astimezone(UTC):%Y-%m-%d-%H%M}.{extension}"


# -- Markdown ----------------------------------------------------------------------------------------------------------


def _facts(record: Record) -> str:
    facts = [
        (_("Kind"), _MODES.get(record.mode, record.mode)),
        (_("Began"), _time(record.started_at)),
        (_("Ended") if record.is_over else _("Last word"), _time(record.until)),
        (_("Duration"), duration_words(record.duration_ms)),
        (_("Models"), ", ".join(record.models)),
        (_("Goes on from"), _one_line(record.goes_on_from.title) if record.goes_on_from is not None else ""),
        (_("Recordings"), ", ".join(_recording(recording) for recording in record.recordings)),
        (_("Tokens"), _tokens_in_words(record.tokens) if record.tokens else ""),
    ]
    return "\n".join(f"- {name}: {value}" for name, value in facts if value)


def _tokens_in_words(tokens: Tokens) -> str:
    return _("%(input)s in, %(output)s out") % {"input": tokens.input, "output": tokens.output}


def _summary(summary: WrittenSummary) -> list[str]:
    parts = [_heading(_("Summary")), summary.text]
    for title, points in ((_("Open points"), summary.open_points), (_("Facts"), summary.facts)):
        if points:
            parts += [f"### {title}", "\n".join(f"- {_one_line(point)}" for point in points)]
    return parts


def _recording(recording: Attached) -> str:
    return f"{_one_line(recording.name)} ({duration_words(recording.duration_ms)})"


def _turn(line: Line, names: Mapping[str, str]) -> str:
    """`names`: of the recordings that are still there, by id."""
    about = ", ".join(_one_line(name) for name in line.names_of_recordings(names))
    facts = (
        _time(line.at),
        line.mark_within,
        _("earlier version: withdrawn") if line.withdrawn else "",
        _("about %(recordings)s") % {"recordings": about} if about else "",
    )
    unheard = _("[not heard: %(words)s]") % {"words": line.unheard_text.strip()}
    text = f"{line.heard_text} {unheard}" if line.unheard_text else line.heard_text
    quoted = "\n".join(f"> {row}".rstrip() for row in text.splitlines() or [""])
    return f"**{_SPEAKERS.get(line.role, line.role)}** ({', '.join(filter(None, facts))})\n\n{quoted}"


def _moment(moment: Moment) -> str:
    told = [moment.text, moment.loss]
    if moment.gap_ms is not None:
        told.insert(1, _("Gap: %(duration)s.") % {"duration": duration_words(moment.gap_ms)})
    return f"- {_time(moment.at)}: {' '.join(filter(None, told))}"


def _heading(words: str) -> str:
    return f"## {words}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


# -- JSON --------------------------------------------------------------------------------------------------------------


def as_data(record: Record) -> dict[str, Any]:
    """What `as_json` writes."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "id": str(record.id),
        "title": record.title,
        "mode": record.mode,
        "is_over": record.is_over,
        "started_at": _iso(record.started_at),
        "until": _iso(record.until),
        "pinned_at": None if record.pinned_at is None else _iso(record.pinned_at),
        "duration_ms": record.duration_ms,
        "models": list(record.models),
        "tokens": _tokens(record.tokens),
        "tokens_with_earlier": _tokens(record.chain_tokens),
        "summary": _summary_fields(record.summary),
        "continues": _neighbour(record.earlier) if record.earlier is not None else None,
        "continued_by": [_neighbour(later) for later in record.later],
        "goes_on_from": _neighbour(record.goes_on_from) if record.goes_on_from is not None else None,
        "went_on_in": [_neighbour(later) for later in record.went_on_in],
        "recordings": [
            {"id": recording.id, "name": recording.name, "duration_ms": recording.duration_ms}
            for recording in record.recordings
        ],
        "turns": [
            {
                "turn": line.number,
                "role": line.role,
                "text": line.text,
                "status": line.status,
                "at": _iso(line.at),
                **({} if line.heard is None else {"heard": line.heard}),
                **({"recordings": list(line.recordings)} if line.recordings else {}),
                **({} if line.replaces is None else {"replaces": line.replaces}),
                **({"withdrawn": True} if line.withdrawn else {}),
            }
            for line in record.lines
        ],
        "timeline": [
            {"at": _iso(moment.at), "text": moment.text, "gap_ms": moment.gap_ms, "loss": moment.loss}
            for moment in record.moments
        ],
    }


def _summary_fields(summary: WrittenSummary | None) -> dict[str, Any] | None:
    if summary is None:
        return None
    return {
        "state": summary.state,
        "text": summary.text,
        "open_points": list(summary.open_points),
        "facts": list(summary.facts),
        "reason": summary.reason,
        "model": summary.model,
    }


def _tokens(tokens: Tokens) -> dict[str, int]:
    return {"input": tokens.input, "output": tokens.output}


def _neighbour(neighbour: Neighbour) -> dict[str, str]:
    return {"id": str(neighbour.id), "title": neighbour.title}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
