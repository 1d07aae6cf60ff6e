/** Changes to a file of known findings that leave the rest of its text as it was written. */

import { BadInput } from '../../properties/formats/index.js';
import { writeTextFile } from '../../properties/corpus/store.js';
import type { KnownFinding } from '../../properties/known-findings.js';
import { KNOWN_FORMAT, parseKnownFindings } from '../../properties/known-findings.js';

/** The text with one finding more, at the end. Throws `BadInput` if the text is malformed or has the finding already. */
export const withFinding = (text: string, finding: KnownFinding, source: string): string => {
  const known = parseKnownFindings(text, source);
  const { signature, counterexample } = finding;
  if (known.some((each) => each.signature === signature && each.counterexample === counterexample)) {
    throw new BadInput(source, `"${signature}" is known already; remove it first, or edit the file`);
  }
  const spans = elementsOf(text);
  const last = spans.at(-1);
  const changed =
    last === undefined
      ? formatKnown([finding])
      : `${text.slice(0, last.end)},${gapBefore(text, last.start)}${indented(finding, text, last)}${text.slice(last.end)}`;
  parseKnownFindings(changed, source);
  return changed;
};

/**
 * The text without a finding. `counterexample`: as the file names it; left out if the signature is there once. Throws `BadInput` if the
 * text is malformed, or has no such finding or several.
 */
export const withoutFinding = (text: string, signature: string, source: string, counterexample?: string): string => {
  const known = parseKnownFindings(text, source);
  const isMeant = (each: KnownFinding): boolean =>
    each.signature === signature && (counterexample ?? each.counterexample) === each.counterexample;
  const index = known.findIndex(isMeant);
  if (known.filter(isMeant).length > 1)
    throw new BadInput(source, `"${signature}" is there with several counterexamples; name one with --counterexample`);
  if (index < 0) throw new BadInput(source, `"${signature}" is not known; "shadowdiff known list" lists what is`);
  const spans = elementsOf(text);
  const { start, end } = spans[index];
  if (spans.length === 1) return formatKnown([]);
  return index === 0
    ? text.slice(0, start) + text.slice(spans[1].start)
    : text.slice(0, spans[index - 1].end) + text.slice(end);
};

export const formatKnown = (findings: readonly KnownFinding[]): string =>
  `${JSON.stringify({ format: KNOWN_FORMAT, findings }, undefined, 2)}\n`;

export const writeKnownText = (path: string, text: string): Promise<void> =>
  writeTextFile(path, text, 'name another --known');

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where the findings stand in a text that was checked: the objects at the second depth, outside of strings. */
const elementsOf = (text: string): readonly Span[] => {
  const spans: Span[] = [];
  let depth = 0;
  let start = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{' && ++depth === 2) start = index;
    if (token === '}' && depth-- === 2) spans.push({ start, end: index + 1 });
  }
  return spans;
};

const gapBefore = (text: string, start: number): string => /\s*$/.exec(text.slice(0, start))![0] || ' ';

/** As the element before it is written: on one line, or on several that stand as deep. */
const indented = (finding: KnownFinding, text: string, { start, end }: Span): string => {
  if (!text.slice(start, end).includes('\n')) return JSON.stringify(finding);
  const margin = /[^\n]*$/.exec(text.slice(0, start))![0];
  const deep = /^\s*$/.test(margin) ? margin : '';
  return JSON.stringify(finding, undefined, 2).replaceAll('\n', `\n${deep}`);
};
