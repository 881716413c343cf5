/** Messages that quote others, as mail does: lines that begin with ">". Pure. */

export const LONGEST_QUOTE_CHARACTERS = 600;
const MARK = /^> ?/;

/**
 * @param {string} text  to quote; of a long one the beginning
 * @returns {string}  with the line that follows it begun; empty for nothing
 */
export function quoted(text) {
  const whole = text.trim();
  if (!whole) return "";
  return `${shortened(whole)
    .split("\n")
    .map((line) => `> ${line}`.trimEnd())
    .join("\n")}\n\n`;
}

/**
 * @param {string} text  of a message
 * @returns {{text: string, isQuote: boolean}[]}  its parts in order, without the marks of the quotes
 */
export function partsOf(text) {
  const parts = [];
  for (const line of text.split("\n")) {
    const isQuote = MARK.test(line);
    const last = parts.at(-1);
    const words = isQuote ? line.replace(MARK, "") : line;
    if (last?.isQuote === isQuote) last.lines.push(words);
    else parts.push({ isQuote, lines: [words] });
  }
  return parts
    .map(({ isQuote, lines }) => ({ isQuote, text: lines.join("\n").replace(/^\n+|\s+$/g, "") }))
    .filter((part) => part.text !== "");
}

function shortened(text) {
  const characters = [...text];
  if (characters.length <= LONGEST_QUOTE_CHARACTERS) return text;
  return `${characters.slice(0, LONGEST_QUOTE_CHARACTERS - 2).join("").replace(/\s+\S*$/, "")} …`;
}
