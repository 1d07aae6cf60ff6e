/** Text on a terminal: it must be short and must not command the terminal. */

import { visible, visibleLines } from '../../properties/formats/index.js';

/** A whole observation in JSON fits. */
const MOST_SHOWN = 1000;

/** Foreign text in one line, cut after a thousand characters. */
export const printable = (text: string): string => {
  const shown = visible(text.slice(0, MOST_SHOWN));
  return text.length > MOST_SHOWN ? `${shown}…` : shown;
};

/** Bold, dim and the foreground colours. */
// eslint-disable-next-line no-control-regex -- escape sequences are what is looked for
const COLOR_CODES = /(\u001b\[(?:1|2|22|3[1-69])m)/;

/** What a session may write to a terminal: lines of text, and the codes of our colours if there are any. */
export const terminalLines = (text: string, colored: boolean): string =>
  colored
    ? text
        .split(COLOR_CODES)
        .map((part, index) => (index % 2 === 1 ? part : visibleLines(part)))
        .join('')
    : visibleLines(text);
