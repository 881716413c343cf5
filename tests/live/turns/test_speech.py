"""The voice of one answer."""

from __future__ import annotations

import asyncio

from sessions_app.live.providers.turns.sentences import Piece
from sessions_app.live.providers.turns.speech import PIECES_AHEAD, SOUND_LIMIT_BYTES, Speech
from sessions_app.live.providers.turns.usage import UsageAccount
from sessions_app.live.providers.turns.voice_models import VoiceModels
from sessions_app.live.providers.upstream import OUTPUT_RATE_HZ
from tests.fakes.generation import Chunk, FakeGeneration, sound

PIECES = [Piece(f"Sentence {number}. ", f"Sentence {number}.") for number in range(6)]


class Heard:
    """A speech, and what is heard of it: which piece, and how many bytes."""

    def __init__(self, generation: FakeGeneration, models: tuple[str, ...] = ("a", "b")) -> None:
        self.sounds: list[tuple[Piece, int]] = []
        self.efforts = 0
        self.speech = Speech(generation, VoiceModels(models), "Kore", self._sounded, self._tried, UsageAccount())

    def _sounded(self, piece: Piece, pcm: bytes) -> None:
        self.sounds.append((piece, len(pcm)))

    def _tried(self) -> None:
        self.efforts += 1


async def test_pieces_are_asked_for_one_ahead_and_heard_in_order() -> None:
    generation = FakeGeneration(voice_script=[sound(200) if number % 2 else [2.0, *sound(200)] for number in range(6)])
    heard = Heard(generation)
    for piece in PIECES:
        heard.speech.say(piece)
    heard.speech.end()
    speaking = asyncio.create_task(heard.speech.run())
    await asyncio.sleep(1)
    assert len(generation.read) == PIECES_AHEAD
    assert heard.sounds == []
    await speaking
    assert [read.text for read in generation.read] == [piece.spoken for piece in PIECES]
    assert [piece for piece, _ in heard.sounds] == [piece for piece in PIECES for _ in range(2)]
    assert {size for _, size in heard.sounds} == {4_800}


async def test_who_is_told_to_be_quiet_is_quiet_at_once_and_asks_for_nothing_more() -> None:
    generation = FakeGeneration(voice_script=[[0.1, Chunk(pcm=bytes(4_800)), 60.0]])
    heard = Heard(generation)
    for piece in PIECES:
        heard.speech.say(piece)
    speaking = asyncio.create_task(heard.speech.run())
    await asyncio.sleep(1)
    speaking.cancel()
    await asyncio.wait({speaking})
    assert len(heard.sounds) == 1
    assert len(generation.read) == PIECES_AHEAD
    assert generation.read[0].was_torn


async def test_sound_that_does_not_end_is_given_up_and_the_next_piece_is_spoken() -> None:
    minute = Chunk(pcm=bytes(60 * OUTPUT_RATE_HZ * 2))
    generation = FakeGeneration(voice_script=[[minute] * 100, sound(200)])
    heard = Heard(generation)
    for piece in PIECES[:2]:
        heard.speech.say(piece)
    heard.speech.end()
    await heard.speech.run()
    of_first, of_second = (sum(size for piece, size in heard.sounds if piece is each) for each in PIECES[:2])
    assert of_first == SOUND_LIMIT_BYTES
    assert of_second == 200 * OUTPUT_RATE_HZ * 2 // 1000
    assert (generation.read[0].was_torn, heard.speech.missing) == (True, "")
    assert len(generation.read) == 2


async def test_where_nobody_may_be_asked_nobody_is() -> None:
    generation = FakeGeneration()
    heard = Heard(generation, models=())
    heard.speech.say(PIECES[0])
    heard.speech.end()
    await heard.speech.run()
    assert heard.speech.missing == "no model may be asked"
    assert generation.read == []


async def test_a_piece_with_nothing_to_say_costs_nothing() -> None:
    generation = FakeGeneration()
    heard = Heard(generation)
    heard.speech.say(Piece("---\n", ""))
    heard.speech.end()
    await heard.speech.run()
    assert (generation.read, heard.speech.missing) == ([], "")


async def test_an_answer_of_which_no_piece_can_be_spoken_is_tried_once_and_not_piece_by_piece() -> None:
    generation = FakeGeneration(voice_script=[[Chunk(finish="OTHER")]] * 30)
    heard = Heard(generation)
    for piece in PIECES:
        heard.speech.say(piece)
    heard.speech.end()
    await heard.speech.run()
    assert heard.speech.missing
    assert len(generation.read) <= 4 * PIECES_AHEAD
    assert heard.efforts == len(generation.read)
