"""The pure JavaScript modules, and the worklets sample by sample, in a real browser without any server."""

from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page

from summarization.lengths import length_words
from tests.browser.modules import WORKLET, run

# --- Outbox ---------------------------------------------------------------------------------------

FILL = "const box = new m.AudioOutbox(argument ?? 60000); const frame = () => new Int16Array(640);"
TAKE_ALL = "const all = () => { const out = []; for (let f; (f = box.take()); ) out.push(f.number); return out; };"


def test_frames_are_sent_once_and_in_order(modules: Page) -> None:
    body = FILL + TAKE_ALL + "for (let i = 0; i < 4; i++) box.push(frame()); return [all(), all(), box.kept];"
    assert run(modules, "session/outbox.js", body) == [[0, 1, 2, 3], [], 4]


def test_after_a_reconnection_frames_are_sent_again_from_where_the_server_stands(modules: Page) -> None:
    body = FILL + TAKE_ALL + "for (let i = 0; i < 6; i++) box.push(frame()); all(); box.rewind(3); return all();"
    assert run(modules, "session/outbox.js", body) == [3, 4, 5]


def test_what_the_server_has_taken_in_is_kept_until_it_is_acknowledged(modules: Page) -> None:
    body = (
        FILL
        + TAKE_ALL
        + "for (let i = 0; i < 6; i++) box.push(frame()); all(); box.rewind(6); box.rewind(2); return all();"
    )
    assert run(modules, "session/outbox.js", body) == [2, 3, 4, 5]


def test_an_acknowledged_frame_is_never_sent_again(modules: Page) -> None:
    body = (
        FILL
        + TAKE_ALL
        + (
            "for (let i = 0; i < 6; i++) box.push(frame()); all(); box.ack(4); box.rewind(0);"
            "return [all(), box.kept, box.nextNumber, box.lostMs];"
        )
    )
    assert run(modules, "session/outbox.js", body) == [[4, 5], 2, 6, 160]


def test_an_acknowledgement_may_come_before_a_frame_was_sent_again(modules: Page) -> None:
    body = (
        FILL
        + TAKE_ALL
        + (
            "for (let i = 0; i < 4; i++) box.push(frame()); all(); box.rewind(0); box.ack(3); box.push(frame());"
            "return all();"
        )
    )
    assert run(modules, "session/outbox.js", body) == [3, 4]


def test_beyond_its_bound_the_oldest_frames_go_and_are_counted(modules: Page) -> None:
    body = FILL + TAKE_ALL + "for (let i = 0; i < 30; i++) box.push(frame()); return [box.lostMs, box.kept, all()[0]];"
    assert run(modules, "session/outbox.js", body, 1000) == [200, 25, 5]


def test_a_frame_that_was_sent_counts_as_lost_only_when_it_is_missed(modules: Page) -> None:
    body = (
        FILL
        + TAKE_ALL
        + (
            "for (let i = 0; i < 25; i++) box.push(frame()); all(); for (let i = 0; i < 5; i++) box.push(frame());"
            "const before = box.lostMs; box.rewind(2); const after = box.lostMs; box.rewind(2);"
            "return [before, after, box.lostMs];"
        )
    )
    assert run(modules, "session/outbox.js", body, 1000) == [0, 120, 120]


def test_numbers_go_on_after_a_conversation_was_forgotten(modules: Page) -> None:
    body = (
        FILL
        + TAKE_ALL
        + ("for (let i = 0; i < 3; i++) box.push(frame()); box.forget(); box.push(frame());return [all(), box.lostMs];")
    )
    assert run(modules, "session/outbox.js", body) == [[3], 0]


def test_numbering_follows_a_server_that_is_ahead(modules: Page) -> None:
    body = FILL + TAKE_ALL + "box.push(frame()); box.rewind(10); box.push(frame()); return all();"
    assert run(modules, "session/outbox.js", body) == [10]


def test_typed_messages_are_sent_again_until_they_are_settled(modules: Page) -> None:
    body = """
        const box = new m.TextOutbox();
        const all = () => { const out = []; for (let t; (t = box.take()); ) out.push(t.id); return out; };
        for (const id of ["a", "b", "c"]) box.push(id, id);
        const first = all();
        box.settle(["b"]);
        box.rewind();
        return [first, box.unsent, all(), box.unsent, box.forget(), all()];
    """
    assert run(modules, "session/outbox.js", body) == [["a", "b", "c"], 2, ["a", "c"], 0, ["a", "c"], []]


# --- Pace, backoff, close codes -------------------------------------------------------------------


def test_what_was_kept_is_sent_at_a_pace(modules: Page) -> None:
    body = """
        const pace = new m.Pace(10, 50);
        const taken = (now) => { let count = 0; while (pace.take(now)) count++; return count; };
        return [taken(0), taken(0), taken(100), taken(60000)];
    """
    assert run(modules, "session/pace.js", body) == [10, 0, 5, 10]


def test_the_first_try_comes_at_once_and_later_ones_under_a_doubling_ceiling(modules: Page) -> None:
    body = "return [1, 2, 3, 4, 9, 50].map((attempt) => m.retryDelayMs(attempt, 1));"
    assert run(modules, "session/backoff.js", body) == [0, 500, 1000, 2000, 15000, 15000]
    assert run(modules, "session/backoff.js", "return m.retryDelayMs(9, 0.5);") == 7500


@pytest.mark.parametrize(
    ("code", "action"),
    [
        (1000, "end"),
        (1001, "reconnect"),
        (1005, "reconnect"),
        (1006, "reconnect"),
        (1011, "reconnect"),
        (1012, "reconnect"),
        (4012, "reconnect"),
        (4400, "stop"),
        (4401, "login"),
        (4403, "stop"),
        (4408, "reconnect"),
        (4409, "taken"),
        (4413, "stop"),
        (4429, "stop"),
        (4500, "reconnect"),
    ],
)
def test_each_close_code_has_its_consequence(modules: Page, code: int, action: str) -> None:
    verdict = run(modules, "session/close_policy.js", "return m.verdictOnClose(argument);", code)
    assert verdict["action"] == action
    assert bool(verdict["text"]) == (action in ("stop", "login", "taken"))


def test_somebody_with_too_many_pages_is_told_what_to_do(modules: Page) -> None:
    verdict = run(modules, "session/close_policy.js", "return m.verdictOnClose(4429, argument);", "limit.sockets")
    assert verdict["action"] == "stop"
    assert "Close some of them" in verdict["text"]


# --- What the page knows --------------------------------------------------------------------------

REDUCE = "const state = argument.reduce((state, message) => m.reduce(state, message, 1000), m.INITIAL);"

READY = {"type": "ready", "action": "new", "conversation": "c1", "ack": 0, "model": "m", "transcript": []}


def turn(number: int, role: str, text: str, status: str = "complete", **more: Any) -> dict[str, Any]:
    return {"turn": number, "role": role, "text": text, "status": status, **more}


def reduce(page: Page, *messages: dict[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = run(page, "session/session_state.js", REDUCE + "return state;", list(messages))
    return state


def test_a_turn_is_replaced_as_it_grows_and_stands_in_its_place(modules: Page) -> None:
    state = reduce(
        modules,
        READY,
        {"type": "turn", **turn(2, "model", "Hel", "partial")},
        {"type": "turn", **turn(1, "user", "Hi")},
        {"type": "turn", **turn(2, "model", "Hello")},
    )
    assert [(line["turn"], line["text"]) for line in state["turns"]] == [(1, "Hi"), (2, "Hello")]


def test_a_new_conversation_replaces_what_the_page_showed(modules: Page) -> None:
    state = reduce(
        modules,
        {**READY, "transcript": [turn(0, "user", "old")]},
        {**READY, "conversation": "c2", "transcript": []},
    )
    assert state["turns"] == []


def test_a_session_that_goes_on_keeps_the_line_that_is_still_growing(modules: Page) -> None:
    state = reduce(
        modules,
        READY,
        {"type": "turn", **turn(1, "user", "Hi")},
        {"type": "turn", **turn(2, "model", "Hel", "partial")},
        {**READY, "action": "resumed", "transcript": [turn(1, "user", "Hi!")]},
    )
    assert [line["text"] for line in state["turns"]] == ["Hi!", "Hel"]


def shown(state: dict[str, Any]) -> tuple[list[int], str]:
    """The numbers of the turns, and what is known of earlier ones."""
    return [line["turn"] for line in state["turns"]], state["earlier"]


def lines(*numbers: int) -> list[dict[str, Any]]:
    return [turn(number, "model", f"line {number}") for number in numbers]


LONG_READY = {**READY, "action": "resumed", "transcript": lines(8, 9), "more": True}
ASKED = {"type": "earlier_asked"}


def earlier(*numbers: int, more: bool) -> dict[str, Any]:
    return {"type": "turns", "turns": lines(*numbers), "more": more}


def test_earlier_turns_come_before_the_others_until_there_are_no_more(modules: Page) -> None:
    assert shown(reduce(modules, READY)) == ([], "none")
    assert shown(reduce(modules, LONG_READY)) == ([8, 9], "some")
    assert shown(reduce(modules, LONG_READY, ASKED)) == ([8, 9], "loading")
    first = (LONG_READY, ASKED, earlier(5, 7, more=True))
    assert shown(reduce(modules, *first)) == ([5, 7, 8, 9], "some")
    assert shown(reduce(modules, *first, ASKED, earlier(2, 3, more=False))) == ([2, 3, 5, 7, 8, 9], "none")


def test_without_a_session_the_page_knows_that_there_are_earlier_turns(modules: Page) -> None:
    failed = ({"type": "state", "state": "failed"}, {"type": "turn", **lines(9)[0]}, earlier(more=True))
    assert shown(reduce(modules, *failed)) == ([9], "some")


@pytest.mark.parametrize(
    "message",
    [
        {"type": "earlier_missed"},
        {"type": "error", "code": "older.unavailable", "text": "No.", "fatal": False},
        {"type": "link", "link": "closed", "action": "taken", "text": "Elsewhere."},
    ],
)
def test_earlier_turns_that_do_not_come_can_be_asked_for_again(modules: Page, message: dict[str, Any]) -> None:
    assert shown(reduce(modules, LONG_READY, message))[1] == "some"
    assert shown(reduce(modules, LONG_READY, ASKED, message))[1] == "failed"
    late = reduce(modules, LONG_READY, ASKED, message, earlier(7, more=False))
    assert shown(late) == ([7, 8, 9], "none")


def test_after_a_reconnection_the_page_keeps_the_earlier_turns_it_has(modules: Page) -> None:
    known = (LONG_READY, ASKED, earlier(6, 7, more=False))
    assert shown(reduce(modules, *known, {**LONG_READY, "transcript": lines(9, 10)})) == ([6, 7, 8, 9, 10], "none")
    asked = (LONG_READY, ASKED, {**LONG_READY, "transcript": lines(9, 10)})
    assert shown(reduce(modules, *asked)) == ([8, 9, 10], "loading")


def test_turns_between_which_others_are_missing_do_not_stand_together(modules: Page) -> None:
    """Elsewhere the conversation went on for longer than a transcript holds."""
    known = (LONG_READY, ASKED, earlier(6, 7, more=False))
    assert shown(reduce(modules, *known, {**LONG_READY, "transcript": lines(30, 31)})) == ([30, 31], "some")


def test_earlier_turns_of_a_conversation_that_was_cleared_are_not_shown(modules: Page) -> None:
    cleared = (LONG_READY, ASKED, {"type": "cleared"})
    assert shown(reduce(modules, *cleared, earlier(6, 7, more=True))) == ([], "none")


def test_a_typed_message_is_sending_then_sent_then_delivered(modules: Page) -> None:
    steps: list[dict[str, Any]] = [
        READY,
        {"type": "typed", "id": "a", "text": "Hi"},
        {"type": "typed_sent", "id": "a"},
        {"type": "ack", "audio": 0, "ids": ["a"]},
    ]
    seen = [reduce(modules, *steps[:count])["typed"][0]["delivery"] for count in (2, 3, 4)]
    assert seen == ["sending", "sent", "delivered"]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "lost", "ms": 0, "ids": ["a"], "reason": "x"},
        {"type": "error", "code": "limit.text", "text": "Too long.", "fatal": False, "id": "a"},
        {"type": "link", "link": "closed", "action": "stop", "text": "Stopped."},
    ],
)
def test_a_typed_message_that_will_not_arrive_has_failed(modules: Page, message: dict[str, Any]) -> None:
    assert (
        reduce(modules, READY, {"type": "typed", "id": "a", "text": "Hi"}, message)["typed"][0]["delivery"] == "failed"
    )


def test_a_typed_message_stands_once_when_its_turn_has_come(modules: Page) -> None:
    body = REDUCE + "return m.untakenMessages(state).map((message) => message.id);"
    messages: list[dict[str, Any]] = [
        READY,
        {"type": "typed", "id": "a", "text": "One"},
        {"type": "typed", "id": "b", "text": "Two"},
        {"type": "turn", **turn(0, "user", "One", id="a")},
    ]
    assert run(modules, "session/session_state.js", body, messages) == ["b"]


def test_the_page_is_thinking_until_the_answer_begins_and_listens_when_it_is_over(modules: Page) -> None:
    steps: list[dict[str, Any]] = [
        READY,
        {"type": "turn", **turn(0, "user", "Hi", "partial")},
        {"type": "turn", **turn(0, "user", "Hi")},
        {"type": "turn", **turn(1, "model", "Hel", "partial")},
        {"type": "turn", **turn(0, "user", "Hi!")},
        {"type": "generation_complete", "turn": 1},
        {"type": "turn_complete", "turn": 1, "usage": None},
    ]
    seen = [reduce(modules, *steps[:count])["turnState"] for count in range(1, 8)]
    assert seen == ["listening", "listening", "waiting", "generating", "generating", "speaking", "listening"]


def test_a_reply_that_is_produced_whole_is_written_no_more_though_words_of_it_still_come(modules: Page) -> None:
    whole = {"type": "generation_complete", "turn": 1}
    late = {"type": "turn", **turn(1, "model", "Hello the", "partial")}
    grew = [READY, {"type": "turn", **turn(0, "user", "Hi")}, {"type": "turn", **turn(1, "model", "Hel", "partial")}]
    state = reduce(modules, *grew, whole, late)
    assert (state["turnState"], state["producedTurn"]) == ("speaking", 1)
    assert reduce(modules, *grew, whole, {"type": "flush"}, late)["turnState"] == "generating"


def test_a_reply_without_words_is_thought_about_no_more_when_it_is_whole(modules: Page) -> None:
    asked = [READY, {"type": "turn", **turn(0, "user", "Hi")}]
    whole = {"type": "generation_complete", "turn": 1}
    assert reduce(modules, *asked, whole)["turnState"] == "speaking"
    assert reduce(modules, *asked, {"type": "sound", "on": False}, whole)["turnState"] == "listening"
    asked_again = {"type": "typed", "id": "a", "text": "And?"}
    assert reduce(modules, *asked, asked_again, whole)["turnState"] == "waiting"


@pytest.mark.parametrize(
    ("then", "ends_at"),
    [
        ([], 46_000),
        ([{"type": "turn", **turn(0, "user", "Hi")}], 46_000),
        ([{"type": "state", "state": "handover", "attempt": 0, "retry_in_ms": None, "reason": ""}], None),
        ([{**READY, "action": "resumed"}], None),
    ],
    ids=["announced", "still to come", "it happens", "another session"],
)
def test_the_announced_end_of_a_line_is_known_until_the_next_one_takes_over(
    modules: Page, then: list[dict[str, Any]], ends_at: int | None
) -> None:
    announced = {"type": "go_away", "time_left_ms": 45_000}
    assert reduce(modules, READY, announced, *then)["lineEndsAt"] == ends_at


@pytest.mark.parametrize(
    ("state", "page", "word", "mark"),
    [
        ({}, {}, "Listening", ""),
        ({"lineEndsAt": 46_000}, {}, "Listening", "New line in 0:45"),
        ({"lineEndsAt": 46_000, "turnState": "waiting"}, {"mode": "text"}, "Thinking", "New line in 0:45"),
        ({"lineEndsAt": 900}, {}, "Listening", "New line any moment"),
        ({"lineEndsAt": 46_000, "phase": "handover"}, {}, "Changing lines", ""),
        ({"turnState": "generating"}, {"mode": "text"}, "Answering", ""),
        ({"turnState": "speaking"}, {"mode": "text"}, "Connected", ""),
        ({"turnState": "speaking"}, {"mode": "text", "playing": True}, "Speaking", ""),
        ({}, {"held": True}, "On hold", ""),
    ],
)
def test_a_line_that_ends_soon_is_marked_and_not_spoken_of(
    modules: Page, state: dict[str, Any], page: dict[str, Any], word: str, mark: str
) -> None:
    status = run(modules, "session/status_words.js", STATUS, [{"phase": "live", **state}, page, 0])
    assert (status["word"], status["mark"], status["spoken"]) == (word, mark, word)


def test_a_lost_connection_is_said_with_its_countdown_and_forgotten_when_it_is_back(modules: Page) -> None:
    lost = {"type": "link", "link": "waiting", "attempt": 3, "retryInMs": 4000}
    state = reduce(modules, READY, lost)
    assert (state["phase"], state["attempt"], state["retryAt"], state["ready"]) == ("reconnecting", 3, 5000, False)
    state = reduce(modules, READY, lost, {**READY, "action": "attached"})
    assert (state["phase"], state["attempt"], state["retryAt"], state["ready"]) == ("live", 0, None, True)


def test_a_reply_that_grew_when_its_process_died_is_cut_off_and_grows_on_where_the_server_still_has_it(
    modules: Page,
) -> None:
    """The words of it that were shown had not been stored yet."""
    grew = [READY, {"type": "turn", **turn(0, "user", "Hi!")}, {"type": "turn", **turn(1, "model", "Hel", "partial")}]
    stored = [turn(0, "user", "Hi!")]
    state = reduce(modules, *grew, {**READY, "action": "resumed", "transcript": stored})
    assert state["turns"] == [*stored, turn(1, "model", "Hel", "interrupted", code="turn.cut")]
    growing = [*stored, turn(1, "model", "Hello", "partial")]
    assert reduce(modules, *grew, {**READY, "action": "attached", "transcript": growing})["turns"] == growing


def test_an_unknown_message_changes_nothing(modules: Page) -> None:
    assert reduce(modules, READY, {"type": "from_the_future", "x": 1}) == reduce(modules, READY)


# --- Sound ----------------------------------------------------------------------------------------

RESAMPLE = """
    const [from, to, hz] = argument;
    const resampler = new m.Resampler(from, to, 128);
    const input = new Float32Array(128);
    const output = new Float32Array(Math.ceil((128 * to) / from) + 2);
    const result = [];
    for (let block = 0; block < from / 128; block++) {
        for (let i = 0; i < 128; i++) input[i] = Math.sin((2 * Math.PI * hz * (block * 128 + i)) / from);
        const count = resampler.process(input, 128, output);
        for (let i = 0; i < count; i++) result.push(output[i]);
    }
"""
NOISE = """
    let error = 0, signal = 0;
    for (let i = 300; i < result.length - 300; i++) {
        const ideal = Math.sin((2 * Math.PI * hz * i) / to);
        error += (result[i] - ideal) ** 2;
        signal += ideal ** 2;
    }
    return [result.length, 10 * Math.log10(signal / error)];
"""


@pytest.mark.parametrize(
    ("from_hz", "to_hz", "tone_hz"),
    [
        (48000, 16000, 440),
        (48000, 16000, 3000),
        (44100, 16000, 440),
        (44100, 16000, 3000),
        (96000, 16000, 1000),
        (16000, 16000, 1000),
        (8000, 16000, 1000),
        (24000, 48000, 440),
        (24000, 44100, 6000),
    ],
)
def test_a_tone_keeps_its_shape_at_another_rate(modules: Page, from_hz: int, to_hz: int, tone_hz: int) -> None:
    samples, ratio_db = run(modules, "audio/resampler.js", RESAMPLE + NOISE, [from_hz, to_hz, tone_hz])
    assert abs(samples - to_hz) < 200
    assert ratio_db > 80


@pytest.mark.parametrize("from_hz", [44100, 48000, 96000])
def test_what_the_lower_rate_cannot_hold_is_not_folded_into_it(modules: Page, from_hz: int) -> None:
    body = RESAMPLE + "return Math.max(...result.slice(1000, -100).map(Math.abs));"
    assert run(modules, "audio/resampler.js", body, [from_hz, 16000, 10000]) < 0.001


def test_a_frame_survives_the_wire(modules: Page) -> None:
    body = """
        const frame = m.encodeFrame(4000000001, Int16Array.of(1, -2, 32767, -32768));
        const back = m.decodeFrame(frame);
        return [[...new Uint8Array(frame)], back.number, [...back.pcm], m.decodeFrame(new ArrayBuffer(5))];
    """
    raw, number, samples, short = run(modules, "audio/pcm.js", body)
    assert raw == [0xEE, 0x6B, 0x28, 0x01, 1, 0, 0xFE, 0xFF, 0xFF, 0x7F, 0, 0x80]
    assert (number, samples, short) == (4000000001, [1, -2, 32767, -32768], None)


def test_loud_samples_are_clipped_and_not_wrapped(modules: Page) -> None:
    body = "return [1.7, 1, 0, -1, -1.7].map(m.toPcm16);"
    assert run(modules, "audio/pcm.js", body) == [32767, 32767, 0, -32768, -32768]


@pytest.mark.parametrize("rate_hz", [44100, 48000])
def test_the_microphone_comes_out_in_frames_of_40_ms_at_16_khz(modules: Page, rate_hz: int) -> None:
    modules.evaluate(WORKLET, ["/js/audio/worklets/capture_processor.js", rate_hz])
    frames = modules.evaluate(
        """(rate) => {
            for (let block = 0; block < (2 * rate) / 128; block++) {
                const input = Float32Array.from({ length: 128 }, (_, i) =>
                    0.5 * Math.sin((2 * Math.PI * 440 * (block * 128 + i)) / rate));
                processor.process([[input]]);
            }
            return processor.port.posted.map(({ pcm, level }) => [pcm.byteLength, level]);
        }""",
        rate_hz,
    )
    assert len(frames) in (49, 50)
    assert {length for length, _ in frames} == {1280}
    assert all(abs(level - 0.3535) < 0.01 for _, level in frames[1:])


def test_nothing_leaves_a_muted_microphone(modules: Page) -> None:
    modules.evaluate(WORKLET, ["/js/audio/worklets/capture_processor.js", 48000])
    counts = modules.evaluate(
        """() => {
            const hear = (blocks) => {
                for (let i = 0; i < blocks; i++) processor.process([[new Float32Array(128).fill(0.2)]]);
                return processor.port.posted.length;
            };
            const before = hear(40);
            processor.port.onmessage({ data: { muted: true } });
            const during = hear(400);
            processor.port.onmessage({ data: { muted: false } });
            return [before, during, hear(40)];
        }"""
    )
    assert counts == [2, 2, 4]


PLAY = """
    const out = [];
    const render = (quanta) => {
        for (let i = 0; i < quanta; i++) {
            const channel = new Float32Array(128);
            processor.process([], [[channel]]);
            out.push(...channel);
        }
    };
    const tone = (from, count) => Int16Array.from({ length: count }, (_, i) =>
        16000 * Math.sin((2 * Math.PI * 440 * (from + i)) / 24000));
    const send = (data) => processor.port.onmessage({ data });
"""


@pytest.mark.parametrize("rate_hz", [44100, 48000])
def test_chunks_are_played_without_a_gap(modules: Page, rate_hz: int) -> None:
    modules.evaluate(WORKLET, ["/js/audio/worklets/playback_processor.js", rate_hz])
    heard = modules.evaluate(
        f"""(rate) => {{
            {PLAY}
            for (let i = 0; i < 50; i++) send({{ pcm: tone(i * 960, 960), number: i }});
            render((3 * rate) / 128);
            const loud = out.map((sample, i) => (Math.abs(sample) > 0.01 ? i : -1)).filter((i) => i >= 0);
            let steepest = 0;
            // Where the tone begins and ends, it is no tone.
            for (let i = loud[0] + 200; i < loud.at(-1) - 200; i++) {{
                steepest = Math.max(steepest, Math.abs(out[i] - out[i - 1]));
            }}
            return {{ ms: ((loud.at(-1) - loud[0]) * 1000) / rate, steepest, last: processor.port.posted.at(-1) }};
        }}""",
        rate_hz,
    )
    assert abs(heard["ms"] - 2000) < 3
    assert heard["steepest"] < 1.02 * 16000 / 32768 * 2 * 3.14159 * 440 / rate_hz
    counts = {"playing": False, "playedMs": 2000, "queuedMs": 0, "droppedMs": 0, "underruns": 1, "heldBack": False}
    assert heard["last"] == counts | {"heard": {"number": 49, "ms": 40}}


def test_a_flush_is_silence_after_one_render_quantum(modules: Page) -> None:
    modules.evaluate(WORKLET, ["/js/audio/worklets/playback_processor.js", 48000])
    heard = modules.evaluate(
        f"""() => {{
            {PLAY}
            send({{ pcm: tone(0, 60000) }});
            render(100);
            const before = Math.max(...out.slice(-1280).map(Math.abs));
            send({{ flush: true }});
            render(1);
            const fading = out.at(-1);
            render(50);
            return [before, fading, Math.max(...out.slice(-6400).map(Math.abs)), processor.port.posted.at(-1).queuedMs];
        }}"""
    )
    assert heard[0] > 0.4
    assert heard[1:] == [0, 0, 0]


def test_a_reply_is_held_back_until_a_late_chunk_would_leave_no_hole(modules: Page) -> None:
    body = """
        const queue = new m.PlaybackQueue({ prebufferSamples: 2400, patienceSamples: 3840, longestSamples: 48000 });
        const output = new Float32Array(128);
        const pull = (times) => { for (let i = 0; i < times; i++) queue.pull(output, 128); return queue.playing; };
        queue.push(new Int16Array(1200).fill(100));
        const early = pull(10);
        queue.push(new Int16Array(1200).fill(100));
        return [early, pull(1), queue.playedSamples];
    """
    assert run(modules, "audio/playback_queue.js", body) == [False, True, 128]


def test_a_reply_shorter_than_that_is_heard_all_the_same(modules: Page) -> None:
    body = """
        const queue = new m.PlaybackQueue({ prebufferSamples: 2400, patienceSamples: 3840, longestSamples: 48000 });
        const output = new Float32Array(128);
        queue.push(new Int16Array(600).fill(100));
        for (let i = 0; i < 40; i++) queue.pull(output, 128);
        return [queue.playedSamples, queue.playing, queue.queuedSamples];
    """
    assert run(modules, "audio/playback_queue.js", body) == [600, False, 0]


def test_the_queue_knows_how_far_it_was_heard_also_when_the_rest_is_dropped(modules: Page) -> None:
    body = """
        const queue = new m.PlaybackQueue({ prebufferSamples: 10, patienceSamples: 10, longestSamples: 48000 });
        const output = new Float32Array(128);
        const before = queue.heard;
        for (const number of [7, 8, 9]) queue.push(new Int16Array(120).fill(100), number);
        for (let i = 0; i < 2; i++) queue.pull(output, 100);
        queue.flush();
        return [before, queue.heard];
    """
    assert run(modules, "audio/playback_queue.js", body) == [None, {"number": 8, "samples": 80}]


SLOW_LINK = """
    const queue = new m.PlaybackQueue({ prebufferSamples: 2400, patienceSamples: 3840, longestSamples: 2400000 });
    const output = new Float32Array(240);
    let pieces = 0, longestMs = 0, pieceMs = 0, wasPlaying = false;
    const run = (ms) => {
        for (let i = 0; i < ms / 10; i++) {
            queue.pull(output, 240);
            pieceMs = queue.playing ? pieceMs + 10 : 0;
            if (queue.playing && !wasPlaying) pieces += 1;
            wasPlaying = queue.playing;
            longestMs = Math.max(longestMs, pieceMs);
        }
    };
    const reply = (frames, everyMs) => {
        queue.expectMore(true);
        for (let i = 0; i < frames; i++) { queue.push(new Int16Array(2400).fill(100), i); run(everyMs); }
        queue.expectMore(false);
    };
"""


def test_sound_that_comes_more_slowly_than_it_is_spoken_is_heard_in_few_long_pieces(modules: Page) -> None:
    """A link at a third of the pace: 7.6 s of sound in 22 s were heard in seventy shreds of a tenth of a second."""
    body = SLOW_LINK + "reply(76, 290); run(5000); return [pieces, longestMs, queue.playedSamples / 24];"
    pieces, longest_ms, played_ms = run(modules, "audio/playback_queue.js", body)
    assert played_ms == 7600
    assert pieces <= 5
    assert longest_ms >= 3000


def test_what_is_left_of_a_reply_is_heard_at_once_when_no_more_of_it_comes(modules: Page) -> None:
    body = (
        SLOW_LINK + "reply(20, 290); const held = queue.isHeldBack; run(3000); return [held, queue.playedSamples / 24];"
    )
    assert run(modules, "audio/playback_queue.js", body) == [False, 2000]


def test_sound_is_not_held_back_for_ever_when_the_rest_never_comes(modules: Page) -> None:
    body = (
        SLOW_LINK
        + "queue.expectMore(true); queue.push(new Int16Array(4800).fill(100), 0); run(500);"
        + "queue.push(new Int16Array(2400).fill(100), 1); run(9000);"
        + "const before = [queue.isHeldBack, queue.playedSamples / 24]; run(2000);"
        + "return [before, queue.playedSamples / 24];"
    )
    assert run(modules, "audio/playback_queue.js", body) == [[True, 200], 300]


def test_after_a_reply_that_came_fast_enough_nothing_is_held_back(modules: Page) -> None:
    body = SLOW_LINK + (
        "reply(76, 290); run(5000); reply(50, 50); run(6000);"
        "queue.expectMore(true); queue.push(new Int16Array(2400).fill(100), 0); queue.pull(output, 240);"
        "return queue.playing;"
    )
    assert run(modules, "audio/playback_queue.js", body) is True


def test_more_than_the_queue_holds_is_dropped_and_counted(modules: Page) -> None:
    body = """
        const queue = new m.PlaybackQueue({ prebufferSamples: 10, patienceSamples: 10, longestSamples: 1000 });
        for (let i = 0; i < 3; i++) queue.push(new Int16Array(400));
        return [queue.queuedSamples, queue.droppedSamples];
    """
    assert run(modules, "audio/playback_queue.js", body) == [800, 400]


# --- Words ----------------------------------------------------------------------------------------


def markdown(page: Page, source: str) -> str:
    body = "const box = document.createElement('div'); box.append(m.renderMarkdown(argument)); return box.innerHTML;"
    html: str = run(page, "ui/markdown.js", body, source)
    return html


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>x",
        "<img src=x onerror=alert(1)>x",
        "[x](javascript:alert(1))",
        "<a href='data:text/html,x'>x</a>",
        "<svg onload=alert(1)>x",
        "<iframe src=//example.com></iframe>x",
        "![x](https://example.com/pixel.gif)x",
        "<p style='position:fixed' class=toast id=x data-x=1>x</p>",
    ],
)
def test_nothing_that_acts_or_loads_survives_in_what_the_model_writes(modules: Page, hostile: str) -> None:
    body = """
        const made = [...m.renderMarkdown(argument).querySelectorAll("*")];
        const ofTheModel = made.filter((node) => node.className !== "link-host");
        const attributesOf = (node) => [...node.attributes].map(({ name, value }) => name + value);
        return ofTheModel.flatMap((node) => [node.localName, ...attributesOf(node)]);
    """
    made = run(modules, "ui/markdown.js", body, hostile)
    harmless = {
        "p",
        "dirauto",
        "a",
        "titlehttps://example.com/",
        "hrefhttps://example.com",
        "target_blank",
        "relnoopener noreferrer nofollow",
    }
    assert set(made) <= harmless


def test_html_that_the_model_writes_is_shown_as_it_wrote_it(modules: Page) -> None:
    html = markdown(modules, "<div style=x>\n**this** <b onclick=x>word</b>\n</div>")
    assert html == (
        '<p dir="auto">&lt;div style=x&gt;<br><strong>this</strong> &lt;b onclick=x&gt;word&lt;/b&gt;<br>'
        "&lt;/div&gt;</p>\n"
    )


def test_a_tag_that_breaks_a_line_breaks_it(modules: Page) -> None:
    html = markdown(modules, "| a |\n|---|\n| one<br>two<BR />three |")
    assert '<td dir="auto">one<br>two<br>three</td>' in html


def test_markdown_becomes_elements(modules: Page) -> None:
    html = markdown(modules, "# Title\n\n**bold** `code`\n\n- one\n- two\n\n[site](https://example.com)")
    assert '<h3 dir="auto">Title</h3>' in html
    assert "<strong>bold</strong> <code>code</code>" in html
    assert '<li dir="auto">one</li>' in html
    assert (
        '<a href="https://example.com" target="_blank" rel="noopener noreferrer nofollow" title="https://example.com/">site</a>'
        in html
    )


@pytest.mark.parametrize(("ms", "words"), [(0, "0:00"), (59_999, "0:59"), (187_000, "3:07"), (3_723_000, "1:02:03")])
def test_the_clock_counts_minutes_and_hours(modules: Page, ms: int, words: str) -> None:
    assert run(modules, "helpers/time.js", "return m.clock(argument);", ms) == words


@pytest.mark.parametrize(
    ("ms", "words"),
    [(1000, "1 second"), (4200, "4.2 seconds"), (60_000, "1 minute"), (187_400, "3 minutes 7 seconds")],
)
def test_durations_are_said_in_words(modules: Page, ms: int, words: str) -> None:
    assert run(modules, "helpers/time.js", "return m.duration(argument);", ms) == words


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0, "0 seconds ago"),
        (1999, "1 second ago"),
        (59_999, "59 seconds ago"),
        (60_000, "1 minute ago"),
        (3_599_999, "59 minutes ago"),
        (7_200_000, "2 hours ago"),
        (86_400_000, "1 day ago"),
        (175_874_000, "2 days ago"),
    ],
)
def test_how_long_ago_something_was_is_said_in_one_unit(modules: Page, ms: int, words: str) -> None:
    assert run(modules, "helpers/time.js", "return m.ago(argument);", ms) == words


@pytest.mark.parametrize("ms", [0, 999, 1000, 1_400, 59_400, 59_600, 89_000, 187_400, 3_599_000, 3_600_000, 7_530_000])
def test_the_length_of_a_call_is_said_at_its_end_as_in_the_history(modules: Page, ms: int) -> None:
    assert run(modules, "helpers/time.js", "return m.talkLength(argument);", ms) == length_words(ms)


@pytest.mark.parametrize(
    ("ended", "now", "words"),
    [
        ("2026-11-27T09:00", "2026-11-27T09:00:09", "a moment ago"),
        ("2026-11-27T09:00", "2026-11-27T09:00:29", "20 seconds ago"),
        ("2026-11-27T09:00", "2026-11-27T09:01", "a minute ago"),
        ("2026-11-27T09:00", "2026-11-27T09:02", "2 minutes ago"),
        ("2026-11-27T09:05", "2026-11-27T09:00", "a moment ago"),
        ("2026-11-27T09:00", "2026-11-27T09:59", "59 minutes ago"),
        ("2026-11-26T23:50", "2026-11-27T00:20", "30 minutes ago"),
        ("2026-11-27T05:00", "2026-11-27T23:00", "this morning"),
        ("2026-11-27T12:00", "2026-11-27T13:00", "this afternoon"),
        ("2026-11-27T18:00", "2026-11-27T22:00", "this evening"),
        ("2026-11-27T04:59", "2026-11-27T09:00", "last night"),
        ("2026-11-27T00:30", "2026-11-27T04:00", "tonight"),
        ("2026-11-26T00:01", "2026-11-27T23:59", "yesterday"),
        ("2026-10-24T00:30", "2026-10-25T23:30", "yesterday"),
        ("2026-11-25T12:00", "2026-11-27T09:00", "Wednesday"),
        ("2026-11-21T12:00", "2026-11-27T09:00", "Saturday"),
        ("2026-11-20T12:00", "2026-11-27T09:00", "20 November"),
    ],
)
def test_when_a_call_was_is_said_as_people_say_it_by_their_own_clock(
    clock_in_berlin: Page, ended: str, now: str, words: str
) -> None:
    body = "return m.callTime(...argument.map((time) => Date.parse(time)));"
    assert run(clock_in_berlin, "helpers/time.js", body, [ended, now]) == words


@pytest.mark.parametrize(
    ("ends", "text", "words", "shown"),
    [
        ("2026-11-27T16:30Z", "On, until 16:30 UTC.", "16:30 UTC", "On, until 17:30."),
        ("2026-11-30T23:30Z", "On, until Monday 23:30 UTC.", "Monday 23:30 UTC", "On, until Tuesday 00:30."),
        ("2026-12-25T07:00Z", "On, until Friday 07:00 UTC.", "Friday 07:00 UTC", "On, until 25 December 08:00."),
        ("2026-11-27T16:30Z", "On again.", "16:30 UTC", "On again."),
    ],
)
def test_a_moment_that_a_notice_names_is_shown_by_the_readers_own_clock(
    clock_in_berlin: Page, ends: str, text: str, words: str, shown: str
) -> None:
    body = "const [text, ends, words, said] = argument;"
    body += "return m.byOwnClock(text, { at: Date.parse(ends), words }, Date.parse(said));"
    said = "2026-11-27T09:00Z"
    assert run(clock_in_berlin, "helpers/time.js", body, [text, ends, words, said]) == shown


STATUS = """
    const [known, page, wallMs] = argument;
    const state = { attempt: 0, retryAt: null, reason: "", energy: null, turnState: "listening", lineEndsAt: null };
    const shown = { mode: "call", playing: false, muted: false, held: false, interrupts: true };
    return m.statusOf({ ...state, ...known }, { ...shown, ...page }, { pageMs: 1000, wallMs });
"""


@pytest.mark.parametrize(
    ("state", "page", "word", "detail"),
    [
        ({"phase": "live"}, {}, "Listening", ""),
        ({"phase": "live"}, {"muted": True, "hasKeys": True}, "Muted", "Hold Space to talk"),
        ({"phase": "live"}, {"muted": True}, "Muted", "Hold the button to talk"),
        ({"phase": "live"}, {"playing": True}, "Speaking", "Talk to interrupt"),
        ({"phase": "live"}, {"playing": True, "interrupts": False}, "Speaking", "You are heard next"),
        (
            {"phase": "live", "turnState": "generating"},
            {"heldBack": True},
            "Slow connection",
            "Waiting for more of the answer",
        ),
        ({"phase": "live", "turnState": "waiting"}, {}, "Thinking", ""),
        ({"phase": "live", "turnState": "generating"}, {}, "Speaking", "Talk to interrupt"),
        ({"phase": "live", "turnState": "generating"}, {"mode": "text"}, "Answering", ""),
        ({"phase": "live"}, {"mode": "text"}, "Connected", ""),
        ({"phase": "handover"}, {}, "Changing lines", "Keep going, nothing is lost"),
        ({"phase": "reconnecting", "attempt": 3, "retryAt": 5000}, {}, "Reconnecting", "Try 3, next in 0:04"),
        ({"phase": "failed", "reason": "network"}, {}, "No connection", "Gemini cannot be reached."),
        ({"phase": "failed", "reason": "some-code"}, {}, "No connection", ""),
    ],
)
def test_each_state_has_its_words(
    modules: Page, state: dict[str, Any], page: dict[str, Any], word: str, detail: str
) -> None:
    status = run(modules, "session/status_words.js", STATUS, [state, page, 0])
    assert (status["word"], status["detail"]) == (word, detail)


@pytest.mark.parametrize(
    ("place", "word", "spoken"),
    [
        (1, "First in line", "You are first in line."),
        (3, "Third in line", "You are third in line."),
        (12, "Place 12 in line", "Place 12 in line."),
        (None, "Waiting in line", "Waiting in line."),
    ],
)
def test_who_waits_in_line_is_told_the_place(modules: Page, place: int | None, word: str, spoken: str) -> None:
    state = {"phase": "connecting", "reason": "queued", "place": place}
    status = run(modules, "session/status_words.js", STATUS, [state, {"mode": "text"}, 0])
    assert (status["word"], status["spoken"]) == (word, f"{spoken} The chat starts by itself.")
    assert status["action"] == "leave"


NOON_MS = 1_781_524_800_000
"""A moment at which it is noon where the clock of the tests stands, in UTC."""


def energy(level: int, in_ms: int | None) -> dict[str, Any]:
    """The message's fields; `in_ms`: how long after noon a better model is back."""
    back = None if in_ms is None else datetime.fromtimestamp((NOON_MS + in_ms) / 1000, UTC).isoformat()
    return {"level": level, "max": 3, "word": "low", "model": "gemini-x" if level else "", "resets_at": back}


@pytest.mark.parametrize(
    ("state", "word", "detail", "spoken"),
    [
        (
            {"reason": "quota", "energy": energy(0, 754_000)},
            "Out of energy",
            "The quota is used up for now. Back at 12:12, in 12:34",
            "Out of energy. Back at 12:12.",
        ),
        (
            {"reason": "quota", "energy": energy(0, 7_200_000)},
            "Out of energy",
            "The quota is used up for now. Back at 14:00",
            "Out of energy. Back at 14:00.",
        ),
        (
            {"reason": "fair-use", "energy": energy(2, 7_200_000), "retryAt": 1000 + 43_200_000},
            "Limit reached",
            "You have reached a limit of this server. Back on Tuesday at 00:00",
            "Limit reached. Back on Tuesday at 00:00.",
        ),
        ({"reason": "", "energy": energy(0, None)}, "Out of energy", "", "Out of energy."),
    ],
)
def test_without_a_model_the_time_of_return_is_said_and_its_seconds_only_shown(
    clock_in_utc: Page, state: dict[str, Any], word: str, detail: str, spoken: str
) -> None:
    facts = [{"phase": "exhausted", **state}, {}, NOON_MS]
    status = run(clock_in_utc, "session/status_words.js", STATUS, facts)
    assert (status["word"], status["detail"], status["spoken"]) == (word, detail, spoken)
    assert status["action"] == "try-again"


@pytest.mark.parametrize(
    ("facts", "label", "comeback", "explanation"),
    [
        (energy(3, 60_000), "low, 3 of 3, gemini-x", "", "The best model answers."),
        (
            energy(1, 3_600_000),
            "low, 1 of 3, gemini-x, back at 13:00",
            "at 13:00",
            "The quota of a better model is used up.",
        ),
        (
            energy(1, 86_400_000),
            "low, 1 of 3, gemini-x, back on Tuesday at 12:00",
            "on Tuesday at 12:00",
            "The quota of a better model is used up.",
        ),
        (
            energy(1, None),
            "low, 1 of 3, gemini-x",
            "at a time that is not known",
            "A better model cannot be used at present.",
        ),
        (
            energy(1, None) | {"word": "in turns"},
            "in turns, 1 of 3, gemini-x",
            "as soon as there is a line",
            "There is no live line at present. Each turn is answered for itself.",
        ),
        (
            energy(0, -1),
            "low, 0 of 3, no model, back any moment",
            "any moment",
            "No model can answer at present.",
        ),
    ],
)
def test_the_level_of_energy_has_its_words(
    clock_in_utc: Page, facts: dict[str, Any], label: str, comeback: str, explanation: str
) -> None:
    body = "return m.energyFacts(argument[0], argument[1]);"
    said = run(clock_in_utc, "session/energy_words.js", body, [facts, NOON_MS])
    assert (said["label"], said["comeback"], said["explanation"]) == (label, comeback, explanation)


def test_what_the_server_keeps_for_a_session_to_come_is_shown_as_on_its_way(modules: Page) -> None:
    steps: list[dict[str, Any]] = [
        READY,
        {"type": "typed", "id": "a", "text": "Hi"},
        {"type": "typed_sent", "id": "a"},
        {"type": "state", "state": "exhausted", "attempt": 0, "retry_in_ms": None, "reason": "quota"},
        {"type": "state", "state": "live", "attempt": 0, "retry_in_ms": None, "reason": ""},
    ]
    body = REDUCE + "return [m.shownDelivery(state, state.typed[0].delivery), m.waitingFor(state)];"
    seen = [run(modules, "session/session_state.js", body, steps[:count]) for count in (3, 4, 5)]
    assert seen == [["sent", ""], ["sending", "energy"], ["sent", ""]]
