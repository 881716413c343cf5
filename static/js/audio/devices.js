/**
 * The microphones and speakers of a machine as lists to choose from, and what has become of a choice. Pure.
 *
 * @typedef {{deviceId: string, groupId: string, kind: string, label: string}} Info  as `enumerateDevices` gives it
 * @typedef {{id: string, label: string}} Device
 * @typedef {Device | null} Wish  what somebody chose; null: whatever the system takes
 */

import { gettext, interpolate } from "../helpers/gettext.js";

export const MICROPHONE = "audioinput";
export const SPEAKER = "audiooutput";

/** Entries of Chromium's that stand for another one of the list. */
const STAND_INS = ["default", "communications"];
const WORDS = {
  [MICROPHONE]: {
    unnamed: gettext("Microphone %(number)s"),
    gone: gettext("“%(name)s” is not there. The system’s microphone is used."),
    unnamedGone: gettext("The microphone is not there. The system’s microphone is used."),
    refused: gettext("The system’s microphone cannot be used now. Perhaps another program has it."),
  },
  [SPEAKER]: {
    unnamed: gettext("Speaker %(number)s"),
    gone: gettext("“%(name)s” is not there. The system’s speaker is used."),
    unnamedGone: gettext("The speaker is not there. The system’s speaker is used."),
    refused: gettext("The system’s speaker cannot be used now. Perhaps another program has it."),
  },
};
/** Chromium puts the numbers of a USB device behind its name. */
const USB_NUMBERS = / \([0-9a-f]{4}:[0-9a-f]{4}\)$/i;

/**
 * @param {Info[]} infos
 * @param {string} kind  `MICROPHONE` or `SPEAKER`
 * @returns {Device[]}  those that can be chosen; empty until the browser may name them
 */
export function devicesOf(infos, kind) {
  const real = infos.filter((info) => info.kind === kind && info.deviceId && !STAND_INS.includes(info.deviceId));
  return real.map(({ deviceId, label }, index) => ({
    id: deviceId,
    label: label.replace(USB_NUMBERS, "") || interpolate(WORDS[kind].unnamed, { number: index + 1 }),
  }));
}

/**
 * @param {Device[]} devices
 * @param {Wish} wish
 * @returns {Device | null | undefined}  the device that was meant, null for the system's, undefined when it is gone. Ids do
 *   not last: Safari gives new ones to each visit, others when site data are cleared. Then the name tells.
 */
export function foundDevice(devices, wish) {
  // Without a list nobody knows: opening it will tell.
  if (wish === null || devices.length === 0) return wish;
  const sameName = devices.filter(({ label }) => label === wish.label);
  return devices.find(({ id }) => id === wish.id) ?? (sameName.length === 1 ? sameName[0] : undefined);
}

/**
 * The device that Chromium's `default` stands for. A track that was opened as the default stays with the device that was
 * the default then, also when the system has another one since.
 *
 * @param {Info[]} infos
 * @param {string} kind
 * @returns {{key: string, id: string} | null}  `key` changes with the device; `id` is empty where its own entry cannot be
 *   told. Null in browsers that have no such entry: there the system or the browser changes over, or nobody does
 */
export function systemDefault(infos, kind) {
  const entry = infos.find((info) => info.kind === kind && info.deviceId === "default");
  if (!entry) return null;
  const own = infos.filter(
    ({ kind: other, groupId, deviceId }) => other === kind && groupId === entry.groupId && !STAND_INS.includes(deviceId),
  );
  return { key: `${entry.groupId} ${entry.label}`, id: own.length === 1 ? own[0].deviceId : "" };
}

/**
 * Whether another device is to be used than the one that is.
 *
 * @param {Info[]} infos
 * @param {string} kind
 * @param {Wish} wish
 * @param {{wished: string, key: string | null}} used  the id that it was opened for, empty for the system's; the `key` of
 *   the system's default at that time
 * @returns {{device: Device | null, opens: string} | null}  the device and the id to open it by; null: all is well
 */
export function changeOf(infos, kind, wish, used) {
  const device = foundDevice(devicesOf(infos, kind), wish) ?? null;
  if ((device?.id ?? "") !== used.wished) return { device, opens: device?.id ?? "" };
  const standard = systemDefault(infos, kind);
  const hasMoved = device === null && standard !== null && used.key !== null && standard.key !== used.key;
  return hasMoved ? { device: null, opens: standard.id } : null;
}

/** @param {string} kind @param {string} label @returns {string}  a sentence about a device that was to be used */
export function goneText(kind, label) {
  return label ? interpolate(WORDS[kind].gone, { name: label }) : WORDS[kind].unnamedGone;
}

/** @param {string} kind @param {string} label @returns {string}  a sentence about a device that was chosen */
export function refusedText(kind, label) {
  if (!label) return WORDS[kind].refused;
  return interpolate(gettext("“%(name)s” cannot be used now. Perhaps another program has it."), { name: label });
}
