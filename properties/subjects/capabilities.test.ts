import { describe, expect, test } from 'vitest';
import { OBSERVABLES, OPS, PAGINGS } from '../../model/vocabulary/index.js';
import { BadInput } from '../formats/index.js';
import { capabilitiesOf } from './subject.js';
import { HELLO, readHello, versionOne } from './capabilities.js';
import { IMPL, MODEL } from './subject-names.js';

const read = (text: string) => readHello(text, '--subject', './walker');
const hello = (fields: object): string => JSON.stringify({ format: 'shadowdiff-hello/2', ...fields });

describe('a hello', () => {
  test('says what the subject can do, whatever the order of its keys and lists, and unknown keys are ignored', () => {
    const text = hello({
      edges: 12,
      paging: ['pae', 'pae'],
      steps: ['access', 'store'],
      observes: ['tables', 'stores'],
      profile: 'architecture',
      guestPages: 128,
      features: ['write-protect-off'],
      upperStores: true,
      name: 'walker',
      inFlight: 16,
      encoding: 'binary',
      colour: { of: ['paint'] },
    });
    expect(read(text)).toEqual({
      version: 2,
      name: 'walker',
      profile: 'architecture',
      paging: ['pae'],
      guestPages: 128,
      features: ['write-protect-off'],
      steps: ['store', 'access'],
      observes: ['outcome', 'stores', 'tables'],
      upperStores: true,
      inFlight: 16,
      encoding: 'binary',
      edges: 12,
    });
    const backwards = '{"name":"walker","paging":["pae"],"format":"shadowdiff-hello/2"}';
    expect(read(backwards)).toMatchObject({ name: 'walker', paging: ['pae'] });
  });

  test('leaves out what version 1 does and shows', () => {
    expect(read(hello({}))).toEqual({ ...versionOne('./walker'), version: 2 });
    expect(read(HELLO)).toEqual({ ...versionOne('./walker'), version: 2 });
  });

  test.each([
    ['', 'an empty line'],
    ['ready', 'words'],
    ['{"created":{}}', 'a trace'],
    ['{"unsupported":"shadowdiff-hello/2"}', 'a refusal that mentions it'],
    ['[{"format":"shadowdiff-hello/2"}]', 'a list'],
    ['null', 'null'],
  ])('%j is none', (text) => expect(read(text)).toBeUndefined());

  test.each([
    ['{"format":"shadowdiff-hello/2","name":"x"', /^--subject: line 1, column 42: the text ends where/],
    [
      '{"format":"shadowdiff-hello/3"}',
      /^--subject: format: "shadowdiff-hello\/3" is not known; use "shadowdiff-hello\/2"$/,
    ],
    [hello({ paging: ['3-level'] }), /^--subject: paging\[0\]: "3-level" is not known; use one of "2-level", "pae"$/],
    [hello({ steps: ['fly'] }), /^--subject: steps\[0\]: "fly" is not known; use one of "store"/],
    [hello({ observes: ['soul'] }), /^--subject: observes\[0\]: "soul" is not known/],
    [hello({ observes: 'tables' }), /^--subject: observes: "tables" is not a list/],
    [hello({ observes: ['shadow', 'tables'] }), /^--subject: observes: "shadow" without "switcher"; add "switcher"/],
    [hello({ encoding: 'xml' }), /^--subject: encoding: "xml" is not known; use one of "json", "binary"$/],
    [hello({ inFlight: 0 }), /^--subject: inFlight: 0 is out of range/],
    [hello({ inFlight: 1025 }), /^--subject: inFlight: 1025 is out of range/],
    [hello({ edges: -1 }), /^--subject: edges: -1 is out of range/],
    [hello({ profile: 'risc-v' }), /^--subject: profile: "risc-v" is not known; use one of "lguest", "architecture"$/],
    [hello({ guestPages: 63 }), /^--subject: guestPages: 63 is out of range; give a whole number from 64 to 4096$/],
    [hello({ upperStores: 1 }), /^--subject: upperStores: 1 is not true or false; give one of the two$/],
    [
      hello({ upperStores: true, observes: ['outcome'] }),
      /^--subject: upperStores: true without "stores" in "observes"; add "stores"/,
    ],
    [hello({ name: 7 }), /^--subject: name: 7 is not a text/],
  ])('%s is refused', (text, message) => {
    expect(() => read(text)).toThrow(BadInput);
    expect(() => read(text)).toThrow(message);
  });
});

test('machines of this process take every program, and show their shadow tables if they have a view of them', async () => {
  expect(await capabilitiesOf(IMPL)).toMatchObject({
    name: 'impl',
    paging: PAGINGS,
    steps: OPS,
    observes: OBSERVABLES,
  });
  expect((await capabilitiesOf(MODEL)).observes).toEqual(versionOne('').observes);
});
