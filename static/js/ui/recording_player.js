/** The player of a recording: its outline is the bar to seek with. One of a page plays at a time. */

import { element, icon, setText } from "../helpers/dom.js";
import { gettext, interpolate } from "../helpers/gettext.js";
import { clock } from "../helpers/time.js";
import { spokenTime } from "../recordings/times.js";
import { bars, outline } from "../recordings/waveform.js";
import { lengthOnClock } from "../recordings/words.js";

const RATES = ["0.75", "1", "1.25", "1.5", "2"];
const STEP_MS = 10_000;
const KEY_STEPS_MS = { ArrowLeft: -5_000, ArrowDown: -5_000, ArrowRight: 5_000, ArrowUp: 5_000, PageDown: -60_000, PageUp: 60_000 };
const BAR_PX = 4;
const SVG = "http://www.w3.org/2000/svg";
const NOT_THERE = gettext("The sound could not be loaded.");

/** Bubbles from a player; whether it plays is its `detail`. */
export const PLAYING_CHANGED = "recording-playing";

/** @type {RecordingPlayer | null} */
let playing = null;

/** For whoever needs the ear of the user. */
export const pauseRecording = () => playing?.pause();

export class RecordingPlayer {
  /**
   * @param {HTMLElement} root  `.player`; what stands in it, for pages without scripts, goes
   * @param {object} recording
   * @param {string} recording.name
   * @param {number} recording.lengthMs
   * @param {number[]} recording.peaks  0 to 255
   * @param {string} recording.sound  its address
   * @param {object} [told]
   * @param {(atMs: number, isPlaying: boolean) => void} [told.onTime]  again and again while it plays, and when it was sought
   */
  constructor(root, { name, lengthMs, peaks, sound }, { onTime = () => {} } = {}) {
    this.element = root;
    this._name = name;
    this._lengthMs = lengthMs;
    this._peaks = peaks;
    this._onTime = onTime;
    this._audio = element("audio", { preload: "none", src: sound });
    this._build();
    this._listen();
    this._show();
  }

  get atMs() {
    return Math.min(this._lengthMs, this._audio.currentTime * 1000);
  }

  /** @param {number} atMs */
  playFrom(atMs) {
    this.seek(atMs);
    this.play();
  }

  /** @param {number} atMs */
  seek(atMs) {
    this._audio.currentTime = Math.min(this._lengthMs, Math.max(0, atMs)) / 1000;
    this._show();
  }

  play() {
    if (playing !== this) playing?.pause();
    playing = this;
    // A player that is paused while it loads gives up with an error that is none.
    this._audio.play().catch((error) => error.name !== "AbortError" && this._fail());
  }

  pause() {
    this._audio.pause();
  }

  /** For a recording that the page shows no more. */
  end() {
    this.pause();
    if (this.element.dataset.playing === "true") {
      this.element.dispatchEvent(new CustomEvent(PLAYING_CHANGED, { bubbles: true, detail: false }));
    }
    this._resized.disconnect();
    this._audio.removeAttribute("src");
    this._audio.load();
    if (playing === this) playing = null;
  }

  _build() {
    this._toggle = element("button", { class: "button button--primary button--icon player__toggle", type: "button" });
    this._toggleIcon = element("span", { class: "player__face" });
    this._toggleWord = element("span", { class: "visually-hidden" });
    this._toggle.append(this._toggleIcon, this._toggleWord);
    this._seek = element("input", {
      class: "player__seek",
      type: "range",
      min: "0",
      max: String(Math.max(1, Math.ceil(this._lengthMs / 1000))),
      step: "1",
      "aria-label": interpolate(gettext("Position in %(name)s"), { name: this._name }),
    });
    this._wave = element("div", { class: "player__wave" }, [layer("player__all"), layer("player__played"), this._seek]);
    const back = this._stepButton("−10", gettext("Back 10 seconds"), -STEP_MS);
    const forth = this._stepButton("+10", gettext("Forward 10 seconds"), STEP_MS);
    this._time = element("p", { class: "player__time" });
    this._rate = element("select", { class: "player__rate", "aria-label": gettext("Speed") });
    for (const rate of RATES) this._rate.append(element("option", { value: rate }, [`${rate}×`]));
    this._rate.value = "1";
    this._problem = element("p", { class: "player__problem", role: "status" });
    const row = element("div", { class: "player__row" }, [back, forth, this._time, this._rate]);
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", this._name);
    this.element.replaceChildren(this._audio, this._toggle, this._wave, row, this._problem);
  }

  _stepButton(text, label, ms) {
    const button = element("button", { class: "button button--plain button--small", type: "button", "aria-label": label }, [text]);
    button.addEventListener("click", () => this.seek(this.atMs + ms));
    return button;
  }

  _listen() {
    this._toggle.addEventListener("click", () => (this._audio.paused ? this.play() : this.pause()));
    this._seek.addEventListener("input", () => this.seek(Number(this._seek.value) * 1000));
    this._seek.addEventListener("keydown", (event) => this._onKey(event));
    this._rate.addEventListener("change", () => {
      this._audio.defaultPlaybackRate = this._audio.playbackRate = Number(this._rate.value);
    });
    for (const name of ["timeupdate", "seeked", "seeking", "play", "pause", "ended", "durationchange"]) {
      this._audio.addEventListener(name, () => this._show());
    }
    for (const name of ["waiting", "stalled"]) this._audio.addEventListener(name, () => this._setLoading(true));
    for (const name of ["playing", "pause", "canplay", "error"]) this._audio.addEventListener(name, () => this._setLoading(false));
    this._audio.addEventListener("playing", () => setText(this._problem, ""));
    this._audio.addEventListener("error", () => this._fail());
    this._resized = new ResizeObserver(() => this._draw());
    this._resized.observe(this._wave);
  }

  _onKey(event) {
    const step = KEY_STEPS_MS[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.seek(this.atMs + step);
  }

  _setLoading(isLoading) {
    this.element.toggleAttribute("data-loading", isLoading && !this._audio.paused);
  }

  _fail() {
    if (!this._audio.hasAttribute("src")) return;
    const at = this._audio.currentTime;
    this._audio.pause();
    setText(this._problem, [NOT_THERE, gettext("Press play to try again.")].join(" "));
    this._audio.load();
    this._audio.currentTime = at;
    this._show();
  }

  _show() {
    const { atMs } = this;
    const isPlaying = !this._audio.paused && !this._audio.ended;
    if (this.element.dataset.playing !== String(isPlaying)) {
      this.element.dataset.playing = String(isPlaying);
      this._toggleIcon.replaceChildren(icon(isPlaying ? "pause" : "play"));
      setText(this._toggleWord, interpolate(isPlaying ? gettext("Pause %(name)s") : gettext("Play %(name)s"), { name: this._name }));
      this.element.dispatchEvent(new CustomEvent(PLAYING_CHANGED, { bubbles: true, detail: isPlaying }));
    }
    this._seek.value = String(Math.floor(atMs / 1000));
    const times = { time: spokenTime(atMs), length: spokenTime(this._lengthMs) };
    // Translators: where a recording is played, such as "1 minute 7 seconds of 12 minutes 40 seconds".
    this._seek.setAttribute("aria-valuetext", interpolate(gettext("%(time)s of %(length)s"), times));
    setText(this._time, `${clock(atMs)} / ${lengthOnClock(this._lengthMs)}`);
    const left = this._lengthMs > 0 ? 100 - (atMs / this._lengthMs) * 100 : 100;
    this._wave.children[1].style.clipPath = `inset(0 ${left}% 0 0)`;
    this._onTime(atMs, isPlaying);
  }

  /** As many bars as there is room for, drawn again when that changes. */
  _draw() {
    const count = Math.floor(this._wave.clientWidth / BAR_PX);
    if (!count || count === this._drawn) return;
    this._drawn = count;
    const heights = bars(this._peaks, count);
    for (const svg of [this._wave.children[0], this._wave.children[1]]) {
      svg.setAttribute("viewBox", `0 0 ${Math.max(1, heights.length)} 255`);
      svg.firstChild.setAttribute("d", outline(heights));
    }
  }
}

function layer(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", name);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.append(document.createElementNS(SVG, "path"));
  return svg;
}

/**
 * @param {HTMLElement} root  as the server writes it: `_parts/recording_player.html`
 * @param {object} [told]  as of the constructor
 */
export function playerOf(root, told) {
  const { name, lengthMs, peaks, sound } = root.dataset;
  const heights = peaks ? peaks.split(",").map(Number) : [];
  return new RecordingPlayer(root, { name, lengthMs: Number(lengthMs), peaks: heights, sound }, told);
}
