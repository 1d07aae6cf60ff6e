import { expect, test } from 'vitest';
import { canonicalForm, programHash } from './canonical.js';
import { parseProgram } from './program-format.js';

const PLAIN =
  '{"format":"shadowdiff-program/1",' +
  '"machine":{"paging":"pae","guestPages":8,"devicePages":0,"hostCpus":1,"draw":0,"failAllocation":0},' +
  '"steps":[{"op":"guest-pa","vaddr":"0x10"}]}';

const SPELLED_OTHERWISE = `
  { "steps": [ { "vaddr": "0x00000010", "op": "guest-pa" } ],
    "machine": { "guestPages": 8e0, "paging": "pae", "devicePages": 0, "hostCpus": 1, "failAllocation": 0, "draw": 0 },
    "format": "shadowdiff-program/1" }`;

test('every spelling of a program has the same canonical form', () => {
  expect(canonicalForm(parseProgram(PLAIN, 'x'))).toBe(PLAIN);
  expect(canonicalForm(parseProgram(SPELLED_OTHERWISE, 'x'))).toBe(PLAIN);
});

test('the hash never changes, for files are named by it', () => {
  expect(programHash(parseProgram(PLAIN, 'x'))).toBe('e1cf3687');
});

test('another program has another hash', () => {
  const other = parseProgram(PLAIN.replace('0x10', '0x11'), 'x');
  expect(programHash(other)).not.toBe(programHash(parseProgram(PLAIN, 'x')));
});
