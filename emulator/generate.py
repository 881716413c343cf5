"""Text generation over REST: chat answers, summaries, and JSON that fits the schema asked for."""

from __future__ import annotations

import json
import re
import secrets

from emulator import brain
from emulator.memory import Memory, Role, Turn, text_tokens
from emulator.setup import content_text
from emulator.structured import fill
from emulator.summary import summarise
from emulator.wire import Json, camel_keys

_WORDS_PER_PIECE = 4
_ASKS_FOR_SUMMARY = re.compile(r"\bsummar(?:y|ise|ize)\b", re.IGNORECASE)


def generate(model: str, body: Json, seed: int) -> Json:
    """Answer the body of `generateContent` with a whole response."""
    body = camel_keys(body)
    memory = _read_memory(body)
    config = body.get("generationConfig") or {}
    text = _answer(memory, config, seed)
    prompt, candidates = memory.tokens, text_tokens(text)
    return {
        "candidates": [
            {"content": {"parts": [{"text": text}], "role": "model"}, "finishReason": "STOP", "index": 0},
        ],
        "usageMetadata": {
            "promptTokenCount": prompt,
            "candidatesTokenCount": candidates,
            "totalTokenCount": prompt + candidates,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
        },
        "modelVersion": model,
        "responseId": secrets.token_urlsafe(16),
    }


def spoil(answer: Json, how: str) -> Json:
    """The response with its text cut in the middle of a word, without any, or blocked because of what was asked."""
    if how == "blocked":
        return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": answer["usageMetadata"]}
    candidate = answer["candidates"][0]
    if how == "empty":
        return answer | {"candidates": [{"finishReason": candidate["finishReason"], "index": 0}]}
    text = candidate["content"]["parts"][0]["text"]
    cut = {"parts": [{"text": text[: len(text) // 2]}], "role": "model"}
    return answer | {"candidates": [candidate | {"content": cut, "finishReason": "MAX_TOKENS"}]}


def stream_pieces(answer: Json) -> list[Json]:
    """Cut a whole response into the pieces of a stream; only the last has a finish reason."""
    candidate = answer["candidates"][0]
    words = re.findall(r"\S+\s*", candidate["content"]["parts"][0]["text"]) or [""]
    texts = ["".join(words[start : start + _WORDS_PER_PIECE]) for start in range(0, len(words), _WORDS_PER_PIECE)]
    pieces: list[Json] = []
    for index, text in enumerate(texts):
        piece: Json = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
        if index == len(texts) - 1:
            piece["finishReason"] = "STOP"
        pieces.append({**answer, "candidates": [piece]})
    return pieces


def count_tokens(body: Json) -> Json:
    """Answer the body of `countTokens`."""
    body = camel_keys(body)
    count = _read_memory(body.get("generateContentRequest") or body).tokens
    return {"totalTokens": count, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": count}]}


def _read_memory(body: Json) -> Memory:
    turns = []
    for content in body.get("contents") or []:
        role: Role = "model" if content.get("role") == "model" else "user"
        images = sum(1 for part in content.get("parts") or [] if "inlineData" in part or "fileData" in part)
        turns.append(Turn(role, content_text(content), images=images))
    return Memory(content_text(body.get("systemInstruction") or ""), tuple(turns))


def _answer(memory: Memory, config: Json, seed: int) -> str:
    schema = config.get("responseSchema") or config.get("responseJsonSchema")
    said = "\n".join(turn.text for turn in memory.turns)
    if schema or config.get("responseMimeType") == "application/json":
        return json.dumps(fill(schema or {}, said), ensure_ascii=False)
    last = memory.turns[-1].text if memory.turns else ""
    if _ASKS_FOR_SUMMARY.search(memory.instruction) or _ASKS_FOR_SUMMARY.search(last[:400]):
        return summarise(said).text
    return brain.reply(memory, seed)
