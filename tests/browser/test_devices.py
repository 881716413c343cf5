"""The devices of the call: chosen, remembered, pulled out and silent. The server is the test."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.peer import Peer

RECORD = """() => {
    window.streams = []; window.nodes = []; window.contexts = [];
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
        const isOpen = streams.some((stream) => stream.getAudioTracks()[0].readyState === "live");
        if (window.oneAtATime && isOpen) throw new DOMException("", "NotReadableError");
        if (window.refuse) throw new DOMException("", window.refuse);
        const stream = await open(wanted);
        streams.push(stream);
        return stream;
    };
    const Node = AudioWorkletNode;
    window.AudioWorkletNode = class extends Node {
        constructor(context, name, options) {
            super(context, name, options);
            if (name !== "holdline-capture") return;
            nodes.push(this);
            this.frames = 0;
            this.port.addEventListener("message", () => (this.frames += 1));
            this.beganAt = context.currentTime;
        }
    };
    const Context = AudioContext;
    window.AudioContext = class extends Context {
        constructor(options) { super(options); contexts.push(this); }
        get state() { return window.pretended ?? super.state; }
        async resume() { (window.resumed ??= []).push(this.state); return super.resume(); }
    };
}"""
"""Notes what the page opens, and lets a test pretend a state of the sound."""


@pytest.fixture
def page(played_page: Page) -> Page:
    return played_page


@pytest.fixture
def peer(peer: Peer, page: Page) -> Peer:
    """The far end of a call page on which nothing was pressed yet, and that notes what it opens."""
    page.evaluate(RECORD)
    return peer


def panel(page: Page) -> Locator:
    """The part about devices, open."""
    page.get_by_role("button", name="Microphone and speaker").click()
    return page.locator("#call-devices")


def labels_in_use(page: Page) -> list[str]:
    told: list[str] = page.evaluate(
        "streams.flatMap((s) => s.getAudioTracks()).filter((t) => t.readyState === 'live').map((t) => t.label)"
    )
    return told


def contiguous(peer: Peer) -> bool:
    return peer.numbers() == list(range(len(peer.numbers())))


def hears(call: Peer, label: str) -> None:
    """Wait until this microphone is used, alone, and more of it has come."""
    call.wait_for(lambda: labels_in_use(call.page) == [label], f"the change to {label}")
    before = len(call.of("audio"))
    call.wait_for(lambda: len(call.of("audio")) > before + 10, "more frames")


def test_a_microphone_changed_in_mid_word_costs_no_frame_and_no_sound(page: Page, call: Peer) -> None:
    call.wait_for(lambda: len(call.of("audio")) > 10, "the first frames")
    choice = panel(page).get_by_label("Microphone")
    for name in ("Fake Audio Input 1", "Fake Audio Input 2", "System default", "Fake Audio Input 2"):
        choice.select_option(label=name)
        used = name if name.startswith("Fake") else "Fake Default Audio Input"
        hears(call, used)
    assert contiguous(call)
    assert page.evaluate("nodes.length") == 1
    missing = "(contexts[0].currentTime - nodes[0].beganAt) / 0.04 - nodes[0].frames"
    call.wait_for(lambda: abs(page.evaluate(missing)) < 5, "as many frames as the clock of the sound says")
    assert [message["on"] for message in call.of("mic")] == [True]
    page.reload()
    page.evaluate(RECORD)
    page.get_by_role("button", name="Start the call").click()
    call.wait_for(lambda: labels_in_use(page) == ["Fake Audio Input 2"], "the remembered microphone")


def test_where_only_one_microphone_can_be_open_the_old_one_goes_first(page: Page, call: Peer) -> None:
    """As in Firefox. One that cannot be used at all is said, and the call goes on with the one before."""
    page.evaluate("() => { window.oneAtATime = true; }")
    choice = panel(page).get_by_label("Microphone")
    choice.select_option(label="Fake Audio Input 1")
    hears(call, "Fake Audio Input 1")
    page.evaluate("() => { window.oneAtATime = false; window.refuse = 'NotReadableError'; }")
    page.evaluate("() => { streams.at(-1).getTracks = () => []; }")  # what is let go of here stays
    choice.select_option(label="Fake Audio Input 2")
    expect(page.locator("[data-toasts]").get_by_text("“Fake Audio Input 2” cannot be used now.")).to_be_visible()
    expect(choice.locator("option:checked")).to_have_text("Fake Audio Input 1")
    hears(call, "Fake Audio Input 1")
    assert contiguous(call)


def test_a_microphone_that_is_pulled_out_is_replaced_and_the_call_goes_on(page: Page, call: Peer) -> None:
    panel(page).get_by_label("Microphone").select_option(label="Fake Audio Input 1")
    call.wait_for(lambda: labels_in_use(page) == ["Fake Audio Input 1"], "the change")
    page.evaluate(
        """() => {
            const list = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
            navigator.mediaDevices.enumerateDevices = async () =>
                (await list()).filter(({ label }) => !window.gone || label !== "Fake Audio Input 1");
            window.gone = true;
            const track = streams.at(-1).getAudioTracks()[0];
            track.stop();
            track.dispatchEvent(new Event("ended"));
        }"""
    )
    said = page.locator("[data-toasts]").get_by_text("“Fake Audio Input 1” is not there.")
    expect(said).to_contain_text("The system’s microphone is used.")
    hears(call, "Fake Default Audio Input")
    assert contiguous(call)
    expect(page.locator("html")).to_have_attribute("data-mic", "on")
    page.evaluate("() => { gone = false; navigator.mediaDevices.dispatchEvent(new Event('devicechange')); }")
    hears(call, "Fake Audio Input 1")
    assert contiguous(call)


def test_another_default_of_the_system_is_followed(page: Page, call: Peer) -> None:
    hears(call, "Fake Default Audio Input")
    page.evaluate(
        """async () => {
            const list = await navigator.mediaDevices.enumerateDevices();
            const { groupId } = list.find(({ label }) => label === "Fake Audio Input 2");
            navigator.mediaDevices.enumerateDevices = async () => list.map((info) => {
                const { deviceId, kind, label } = info;
                const isDefault = kind === "audioinput" && deviceId === "default";
                return isDefault ? { deviceId, kind, label: "Default - 2", groupId } : info;
            });
            navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
        }"""
    )
    hears(call, "Fake Audio Input 2")
    assert contiguous(call)
    expect(panel(page).get_by_label("Microphone").locator("option:checked")).to_have_text("System default")


def test_without_any_microphone_the_call_is_muted_until_one_is_plugged_in(page: Page, call: Peer) -> None:
    call.wait_for(lambda: len(call.of("audio")) > 5, "the first frames")
    page.evaluate(
        """() => {
            window.refuse = "NotFoundError";
            const track = streams.at(-1).getAudioTracks()[0];
            track.stop();
            track.dispatchEvent(new Event("ended"));
        }"""
    )
    expect(page.get_by_role("alert").filter(has_text="The microphone went away.")).to_be_visible()
    call.wait_for(lambda: call.of("audio", "mic")[-1] == {"type": "mic", "on": False}, "the mute")
    page.get_by_role("button", name="Unmute").click()
    expect(page.get_by_role("alert").filter(has_text="There is still no microphone.")).to_be_visible()
    expect(page.get_by_role("button", name="Unmute")).to_be_visible()
    page.evaluate("() => { refuse = ''; navigator.mediaDevices.dispatchEvent(new Event('devicechange')); }")
    call.wait_for(lambda: call.of("audio", "mic")[-1]["type"] == "audio", "frames again")
    expect(page.locator("[data-notice]")).to_be_hidden()
    assert contiguous(call)
    page.get_by_role("button", name="Hang up").click()
    opened = page.evaluate("streams.length")
    page.evaluate("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
    page.wait_for_timeout(300)
    assert page.evaluate("streams.length") == opened, "nothing is opened after the call"


def test_a_remembered_device_that_is_gone_is_said_quietly_and_the_systems_is_used(page: Page, peer: Peer) -> None:
    page.evaluate(
        """() => {
            localStorage.setItem("holdline:microphone", JSON.stringify({ id: "of-old", label: "Headset" }));
            localStorage.setItem("holdline:speaker", JSON.stringify({ id: "of-old", label: "Loud One" }));
            localStorage.setItem("holdline:volume", "0.4");
        }"""
    )
    page.reload()
    page.get_by_role("button", name="Start the call").click()
    quietly = page.locator("[data-toasts]")
    expect(quietly.get_by_text("“Headset” is not there. The system’s microphone is used.")).to_be_visible()
    expect(quietly.get_by_text("“Loud One” is not there. The system’s speaker is used.")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-state", "live")
    assert panel(page).get_by_label("Volume of replies").input_value() == "40"
    peer.play(0, 3000)
    peer.wait_for(lambda: float(page.locator("html").get_attribute("data-output-peak") or 0) > 0.02, "sound")
    assert float(page.locator("html").get_attribute("data-output-peak") or 0) < 0.1


def test_another_speaker_and_another_volume_are_used_and_remembered(page: Page, call: Peer) -> None:
    box = panel(page)
    box.get_by_label("Speaker").select_option(label="Fake Audio Output 2")
    chosen = box.get_by_label("Speaker").input_value()
    call.wait_for(lambda: page.evaluate("contexts[0].sinkId") == chosen, "the speaker")
    box.get_by_label("Volume of replies").fill("30")
    expect(box.get_by_label("Volume of replies")).to_have_attribute("aria-valuetext", "30 %")
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(page.get_by_role("button", name="Microphone and speaker")).to_be_focused()
    page.reload()
    page.evaluate(RECORD)
    page.get_by_role("button", name="Start the call").click()
    again = panel(page)
    # Ids may be others in each visit: a device is known by its name then, too.
    expect(again.get_by_label("Speaker").locator("option:checked")).to_have_text("Fake Audio Output 2")
    used = again.get_by_label("Speaker").input_value()
    call.wait_for(lambda: page.evaluate("contexts[0].sinkId") == used, "the remembered speaker")
    assert again.get_by_label("Volume of replies").input_value() == "30"


def test_where_only_media_elements_have_a_speaker_the_sound_goes_through_one(page: Page, call: Peer) -> None:
    """As in Firefox and Safari."""
    page.evaluate(
        """() => {
            delete Object.getPrototypeOf(AudioContext).prototype.setSinkId;
            const Element = Audio;
            window.Audio = function () { return (window.through = new Element()); };
        }"""
    )
    choice = panel(page).get_by_label("Speaker")
    choice.select_option(label="Fake Audio Output 1")
    chosen = choice.input_value()
    call.wait_for(lambda: page.evaluate("window.through && !through.paused && through.sinkId") == chosen, "the speaker")
    choice.select_option(label="System default")
    call.wait_for(lambda: page.evaluate("through.paused"), "the system's speaker")


def test_the_microphone_can_be_tried_before_the_call_and_nothing_of_it_is_sent(page: Page, peer: Peer) -> None:
    assert page.evaluate("streams.length") == 0
    page.get_by_role("button", name="Try the microphone").click()
    meter = page.get_by_role("meter", name="Microphone level")
    expect(meter).to_have_attribute("aria-valuenow", re.compile(r"[1-9]\d?"))
    page.get_by_role("button", name="Stop trying").click()
    peer.wait_for(lambda: labels_in_use(page) == [], "the end of the trial")
    page.get_by_role("button", name="Try the microphone").click()
    expect(page.get_by_role("button", name="Stop trying")).to_be_visible()
    peer.wait_for(lambda: page.evaluate("nodes.at(-1).frames") > 25, "the frames of the trial")
    page.get_by_role("button", name="Start the call").click()
    peer.wait_for(lambda: bool(peer.of("audio")), "the first frame of the call")
    assert page.evaluate("streams.length") == 2, "the microphone of the trial is that of the call"
    tried, sent = page.evaluate("nodes.at(-1).frames"), len(peer.of("audio"))
    assert tried - sent > 20
    assert contiguous(peer)


def test_the_lobby_names_the_microphone_and_a_hidden_page_lets_go_of_it(page: Page, peer: Peer) -> None:
    expect(page.get_by_text("Microphone: System default")).to_be_visible()
    page.get_by_role("button", name="Try the microphone").click()
    expect(page.get_by_text(re.compile("Microphone: Fake"))).to_be_visible()
    page.evaluate(
        """() => {
            Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    expect(page.get_by_role("button", name="Try the microphone")).to_be_visible()
    peer.wait_for(lambda: labels_in_use(page) == [], "the end of the trial")


def test_a_trial_in_which_nothing_is_heard_says_so_until_something_is(page: Page, peer: Peer) -> None:
    quiet = page.get_by_role("status").filter(has_text="Nothing is heard.")
    page.get_by_role("button", name="Try the microphone").click()
    expect(page.get_by_role("button", name="Stop trying")).to_be_visible()
    page.evaluate("() => { streams[0].getAudioTracks()[0].enabled = false; }")
    expect(quiet).to_be_visible()
    page.evaluate("() => { streams[0].getAudioTracks()[0].enabled = true; }")
    expect(quiet).to_have_count(0)


def test_whoever_refuses_the_microphone_for_a_trial_is_told_what_to_do(page: Page, peer: Peer) -> None:
    page.evaluate("() => { window.refuse = 'NotAllowedError'; }")
    page.get_by_role("button", name="Try the microphone").click()
    expect(page.get_by_role("alert").filter(has_text="The microphone is blocked")).to_be_visible()
    page.evaluate("() => { window.refuse = ''; }")
    page.get_by_role("button", name="Try the microphone").click()
    expect(page.get_by_role("button", name="Stop trying")).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="The microphone is blocked")).to_be_hidden()


def test_a_microphone_from_which_nothing_comes_is_said_for_as_long_as_it_is_so(page: Page, call: Peer) -> None:
    silent = page.get_by_role("status").filter(has_text="No sound arrives from your microphone.")
    call.wait_for(lambda: len(call.of("audio")) > 5, "the first frames")
    page.evaluate("() => { window.port = nodes[0].port.onmessage; nodes[0].port.onmessage = () => {}; }")
    expect(silent).to_be_visible()
    page.keyboard.press("m")
    expect(silent).to_be_hidden()
    page.keyboard.press("m")
    expect(silent).to_be_visible()
    page.evaluate("() => { nodes[0].port.onmessage = port; }")
    expect(silent).to_be_hidden()
    page.evaluate("() => { nodes[0].port.onmessage = () => {}; }")
    page.get_by_role("button", name="Try again").click()
    expect(silent).to_be_hidden()
    heard = len(call.of("audio"))
    call.wait_for(lambda: len(call.of("audio")) > heard + 5, "frames of the microphone that was opened again")
    assert contiguous(call)


def test_while_a_telephone_call_has_the_sound_the_call_is_held_and_nothing_is_resumed(page: Page, call: Peer) -> None:
    call.wait_for(lambda: len(call.of("audio")) > 5, "the first frames")
    change = "(state) => { pretended = state; contexts[0].dispatchEvent(new Event('statechange')); }"
    page.evaluate("() => { window.resumed = []; window.pretended = undefined; }")
    page.evaluate(change, "interrupted")
    expect(page.locator("[data-status-word]")).to_have_text("On hold")
    expect(page.get_by_role("status").filter(has_text="Something else has the sound")).to_be_visible()
    call.wait_for(lambda: call.of("mic")[-1]["on"] is False, "the end of the sound")
    assert page.evaluate("resumed") == []
    page.evaluate(change, "suspended")
    assert page.evaluate("resumed") == ["suspended"]
    page.evaluate(change, None)
    expect(page.locator("[data-status-word]")).to_have_text("Listening")
    call.wait_for(lambda: call.of("mic")[-1]["on"] is True, "the sound again")


def test_where_the_browser_cannot_choose_a_speaker_none_is_offered(page: Page, peer: Peer) -> None:
    page.get_by_text("Microphone and speaker", exact=True).first.click()
    lobby = page.locator("[data-lobby-devices]")
    expect(lobby.get_by_label("Speaker")).to_be_visible()
    page.evaluate(
        """() => {
            delete Object.getPrototypeOf(AudioContext).prototype.setSinkId;
            delete HTMLMediaElement.prototype.setSinkId;
            navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
        }"""
    )
    expect(lobby.get_by_label("Speaker")).to_be_hidden()
    expect(lobby.get_by_label("Microphone", exact=True)).to_be_visible()
