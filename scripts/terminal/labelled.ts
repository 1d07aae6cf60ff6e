/** Lines of a label and a text, the text wrapped beside its label if the terminal is narrow. */

const LABEL_COLUMNS = 10;
/** Narrower than this, text is left to the terminal to break. */
const FEWEST_COLUMNS = 12;

/** Breaks text between words into lines of at most `columns`; a longer word has a line of its own. */
export const wrapped = (text: string, columns: number): readonly string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= columns || line === '') {
      line = longer;
      continue;
    }
    lines.push(line);
    line = word;
  }
  return [...lines, line];
};

/** `indent` columns, a label, and the text from a fixed column on. */
export const labelled = (label: string, text: string, width: number, indent = 0): string =>
  hanging(`${' '.repeat(indent)}${label.padEnd(LABEL_COLUMNS)}`, text, width);

/** `start`, then the text with a hanging indent. Where a long `start` leaves no room beside it, the text begins on the next line. */
export const hanging = (start: string, text: string, width: number): string => {
  if (width - start.length >= FEWEST_COLUMNS) return hung(start, ' '.repeat(start.length), text, width);
  const margin = ' '.repeat(start.length - start.trimStart().length + 2);
  const isLong = start.trim().length > LABEL_COLUMNS && width - margin.length >= FEWEST_COLUMNS;
  return isLong ? `${start.trimEnd()}\n${hung(margin, margin, text, width)}` : `${start}${text}`;
};

const hung = (start: string, margin: string, text: string, width: number): string => {
  const [first, ...others] = wrapped(text, width - margin.length);
  return [`${start}${first}`, ...others.map((line) => margin + line)].join('\n');
};
