"""Transcripts that come after the end of their turn, as the service may send them: they have no fixed order."""

from __future__ import annotations

from typing import Literal

from emulator.wire import Json

_INPUT, _OUTPUT = "inputTranscription", "outputTranscription"


class LateWords:
    """Takes transcripts out of the frames of one connection and keeps them until their turn is complete.

    All words of the user are kept, and of the model's the last ones: each piece goes out with the one that follows it.
    """

    def __init__(self) -> None:
        self._input: list[Json] = []
        self._output: Json | None = None

    def hold_back(self, message: Json, side: Literal["input", "output", "both"]) -> Json | None:
        """What is left of a server message to send now; None when nothing is."""
        content = message.get("serverContent")
        if not content or not {_INPUT, _OUTPUT} & content.keys():
            return message
        content = dict(content)
        if side != "output" and _INPUT in content:
            self._input.append({_INPUT: content.pop(_INPUT)})
        if side != "input" and _OUTPUT in content:
            earlier, self._output = self._output, content.pop(_OUTPUT)
            if earlier is not None:
                content[_OUTPUT] = earlier
        return {**message, "serverContent": content} if content else None

    def release(self) -> list[Json]:
        """The server messages with what was kept, which is forgotten."""
        late = [*self._input, *([{_OUTPUT: self._output}] if self._output is not None else [])]
        self._input, self._output = [], None
        return [{"serverContent": content} for content in late]
