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
export const labelled = (label: string, text: string, width: number, indent = 0): string => {
  const start = indent + LABEL_COLUMNS;
  const room = width - start;
  const [first, ...others] = room < FEWEST_COLUMNS ? [text] : wrapped(text, room);
  const margin = ' '.repeat(start);
  return [`${' '.repeat(indent)}${label.padEnd(LABEL_COLUMNS)}${first}`, ...others.map((line) => margin + line)].join(
    '\n',
  );
};
