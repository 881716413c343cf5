"""What the page knows of microphones and speakers, module by module, in a browser without any server."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.modules import WORKLET, run


def device(id: str, label: str = "", group: str = "", kind: str = "audioinput") -> dict[str, str]:
    return {"deviceId": id, "label": label, "groupId": group or id, "kind": kind}


HEADSET = device("h", "Headset (1234:abcd)")
BUILT_IN = device("b", "Built-in")
AS_CHROMIUM = [device("default", "Default - Built-in", "b"), device("communications", "", "b"), BUILT_IN, HEADSET]


@pytest.mark.parametrize(
    ("infos", "listed"),
    [
        ([device(""), device("", kind="audiooutput")], []),
        (AS_CHROMIUM, [["b", "Built-in"], ["h", "Headset"]]),
        (
            [device("x"), device("s", "Loud", kind="audiooutput"), device("y")],
            [["x", "Microphone 1"], ["y", "Microphone 2"]],
        ),
    ],
    ids=["before permission", "stand-ins are left out", "without names"],
)
def test_the_list_of_microphones_has_each_device_once(modules: Page, infos: list[Any], listed: list[Any]) -> None:
    body = "return m.devicesOf(argument, m.MICROPHONE).map(({ id, label }) => [id, label]);"
    assert run(modules, "audio/devices.js", body, infos) == listed


WISH = {"id": "h", "label": "Headset"}


@pytest.mark.parametrize(
    ("infos", "wish", "used", "change"),
    [
        (AS_CHROMIUM, None, {"wished": "", "key": "b Default - Built-in"}, None),
        (AS_CHROMIUM, WISH, {"wished": "h", "key": "b Default - Built-in"}, None),
        (AS_CHROMIUM, WISH, {"wished": "", "key": None}, "h"),
        (AS_CHROMIUM, {"id": "of-old", "label": "Headset"}, {"wished": "", "key": None}, "h"),
        ([BUILT_IN], WISH, {"wished": "h", "key": None}, ""),
        ([BUILT_IN], WISH, {"wished": "", "key": None}, None),
        ([], WISH, {"wished": "h", "key": None}, None),
        (AS_CHROMIUM, None, {"wished": "", "key": "h Default - Headset"}, "b"),
        (AS_CHROMIUM, None, {"wished": "", "key": None}, None),
        (AS_CHROMIUM, WISH, {"wished": "h", "key": "h Default - Headset"}, None),
    ],
    ids=[
        "the system's is used",
        "the chosen one is used",
        "the chosen one is back",
        "the chosen one has another id",
        "the chosen one went",
        "the chosen one is still gone",
        "nobody knows what there is",
        "the system has another one",
        "nobody knows what the system had",
        "the system has another one, which nobody uses",
    ],
)
def test_a_device_is_changed_when_another_is_the_right_one(
    modules: Page, infos: list[Any], wish: Any, used: dict[str, Any], change: str | None
) -> None:
    body = "const [i, w, u] = argument; return m.changeOf(i, m.MICROPHONE, w, u)?.opens ?? null;"
    assert run(modules, "audio/devices.js", body, [infos, wish, used]) == change


RUNS = {"context": "running", "isTrackMuted": False, "isWanted": True}


@pytest.mark.parametrize(
    ("looks", "problems"),
    [
        ([(True, RUNS)] * 6, [""] * 6),
        ([(False, RUNS)] * 5 + [(True, RUNS)], ["", "", "", "", "silent", ""]),
        ([(False, RUNS | {"isWanted": False})] * 8, [""] * 8),
        ([(True, RUNS | {"isTrackMuted": True})] * 5 + [(True, RUNS)], ["", "", "", "", "silent", ""]),
        ([(False, RUNS | {"isTrackMuted": True, "isWanted": False})] * 5, ["", "", "", "", "silent"]),
        ([(False, RUNS | {"context": "interrupted"}), (True, RUNS)], ["held", ""]),
        ([(False, RUNS | {"context": "suspended"})] * 5 + [(True, RUNS)], ["", "", "", "", "stopped", ""]),
    ],
    ids=["frames come", "none come", "muted", "silenced by the system", "both", "a telephone call", "paused"],
)
def test_it_is_known_why_no_sound_comes(modules: Page, looks: list[Any], problems: list[str]) -> None:
    body = """
        const watch = new m.SoundWatch();
        return argument.map(([hasCome, facts], i) => {
            if (hasCome) watch.heard();
            return watch.look(1000 + i * 500, facts);
        });
    """
    assert run(modules, "audio/sound_watch.js", body, looks) == problems


def test_a_page_that_was_frozen_is_given_time_to_hear(modules: Page) -> None:
    body = "const watch = new m.SoundWatch(); return [0, 90000, 90500].map((at) => watch.look(at, argument));"
    assert run(modules, "audio/sound_watch.js", body, RUNS) == ["", "", ""]


def test_what_was_captured_of_a_frame_stays_when_the_microphone_is_another_one(modules: Page) -> None:
    """A quantum without any input lies between the two: as many samples come out as went in, in order."""
    modules.evaluate(WORKLET, ["/js/audio/worklets/capture_processor.js", 16000])
    out = modules.evaluate(
        """() => {
            let next = 0;
            const hear = () => processor.process([[Float32Array.from({ length: 128 }, () => next++ / 8192)]]);
            for (let i = 0; i < 7; i++) hear();
            processor.process([[]]);
            for (let i = 0; i < 8; i++) hear();
            return processor.port.posted.flatMap(({ pcm }) => [...pcm]);
        }"""
    )
    expected = [round(sample / 8192 * 0x7FFF) for sample in range(3 * 640)]
    assert len(out) == 1280
    # The filter's ends ring where the ramp begins; from there on it is the ramp.
    assert max(abs(a - b) for a, b in zip(out[100:], expected[100:], strict=False)) <= 2
