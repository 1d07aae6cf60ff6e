import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Paging, Step } from '../../model/vocabulary/index.js';
import { FEATURES, guestEntry, paddr } from '../../model/vocabulary/index.js';
import { programArbitrary, uniformProgram } from '../generators/index.js';
import { describeEntry } from './listing.js';
import { BadListing, LONGEST_LISTING, formatListing, parseListing } from './parse-listing.js';

const MACHINE = '2-level, 64 guest pages, 4 device pages, 2 host CPUs, draw 0';

const stepOf = (line: string, machine = MACHINE): Step => parseListing(`${machine}\n${line}`, 'x').program.steps[0];

const messageOf = (text: string): string => {
  try {
    parseListing(text, 'x');
  } catch (error) {
    expect(error).toBeInstanceOf(BadListing);
    return (error as BadListing).message;
  }
  return 'read';
};

describe('what the listing shows is read back', () => {
  test('of every valid program', () => {
    fc.assert(
      fc.property(uniformProgram, (program) => {
        expect(parseListing(formatListing(program), 'x')).toEqual({ program, remarks: [] });
      }),
    );
  });

  test('of generated programs', () => {
    fc.assert(
      fc.property(programArbitrary(), ({ program }) => {
        expect(parseListing(formatListing(program), 'x').program).toEqual(program);
      }),
    );
  });

  test('of entries in words alone', () => {
    const halves = fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff), fc.constantFrom<Paging>('2-level', 'pae'));
    fc.assert(
      fc.property(halves, ([low, high, paging]) => {
        const value = guestEntry(low, paging === 'pae' ? high : 0);
        const features = paging === 'pae' ? FEATURES : [];
        const machine = `${MACHINE.replace('2-level', paging)}${features.length === 0 ? '' : `, features ${features.join(' ')}`}`;
        expect(stepOf(`store [0x1000] = ${describeEntry(value, { paging, features })}`, machine)).toEqual({
          op: 'store',
          paddr: paddr(0x1000),
          value,
        });
      }),
    );
  });
});

test('features of the machine are read back', () => {
  const { machine } = parseListing(MACHINE.replace('2-level', 'PAE'), 'x').program;
  const program = { machine: { ...machine, features: FEATURES }, steps: [] };
  expect(parseListing(formatListing(program), 'x').program).toEqual(program);
  const plain = parseListing(MACHINE, 'x').program;
  expect(parseListing(formatListing(plain), 'x').program).toEqual(plain);
});

describe('as people write', () => {
  test('marks, numbers, comments and blank lines do not count', () => {
    const pasted = `      machine     ${MACHINE}\n\n  12  migrate     cpu 1   # the other one\n> 13  flush-tlb   all`;
    expect(parseListing(pasted, 'x').program.steps).toEqual([
      { op: 'migrate', cpu: 1 },
      { op: 'flush-tlb', scope: 'all' },
    ]);
  });

  test('the parts of the machine may come in any order', () => {
    const { program } = parseListing(
      `64 guest pages, draw 0, 2 host CPUs, 2-level, 4 device pages\n> 0 migrate cpu 1`,
      'x',
    );
    expect(program).toEqual(parseListing(`${MACHINE}\nmigrate cpu 1`, 'x').program);
  });

  test('an entry of half a million words, in no more time than it takes to read them once', () => {
    const { program } = parseListing(`${MACHINE}\nstore [0x1000] = pfn 5${' P'.repeat(LONGEST_LISTING / 2 - 50)}`, 'x');
    expect(program.steps[0]).toMatchObject({ value: guestEntry(0x5001) });
  });

  test('of a word and its meaning the word counts, with a remark', () => {
    const { program, remarks } = parseListing(`${MACHINE}\nstore [0x1000]=0x2065   pfn 2 P RW US A D`, 'x');
    expect(program.steps[0]).toMatchObject({ value: guestEntry(0x2065) });
    expect(remarks).toEqual([
      'line 2, value: 0x2065 counts, which is "pfn 2 P US A D"; without it "pfn 2 P RW US A D" counts',
    ]);
  });
});

test.each([
  ['', 'x: line 1, machine: missing; write it like'],
  ['3-level, 1 guest page', 'x: line 1, machine: "3-level" is not understood; write it like'],
  ['2-level, 64 guest pages', 'x: line 1, devicePages: missing; give a whole number from 0 to 4096'],
  [`${MACHINE}, draw 1`, 'x: line 1, draw: "draw 1" comes second; give it once'],
  [MACHINE.replace('64', '0'), 'x: line 1, guestPages: 0 is out of range; give a whole number from 1 to 4096'],
  [MACHINE.replace('64', '6x'), 'x: line 1, guestPages: "6x" is not a whole number; give'],
  [`${MACHINE}\n\nstroe [0x0] = 0`, 'x: line 3, step: "stroe" is not known; use one of store, init'],
  [`${MACHINE}\nmigrate cpu 2`, 'x: line 2, cpu: 2 is out of range; give at most 1 or raise machine.hostCpus'],
  [`${MACHINE}\nmigrate`, 'x: line 2, cpu: the line ends too early; write migrate cpu <cpu>'],
  [`${MACHINE}\nmigrate cpu`, 'x: line 2, cpu: missing; give a whole number'],
  [`${MACHINE}\nmigrate cpu 1 2`, 'x: line 2, migrate: "2" is misplaced; write migrate cpu <cpu>'],
  [`${MACHINE}\nstore [0x1002] = 0x1`, 'x: line 2, paddr: 0x1002 is not a multiple of 4; use "0x1000" for one'],
  [`${MACHINE}\nstore [0x40000] = 0x1`, 'x: line 2, paddr: 0x40000 is outside RAM; stay below 0x40000'],
  [`${MACHINE}\nstore 0x1000 = 0x1`, 'x: line 2, [: "0x1000" is misplaced; write store [<paddr>] = <value>'],
  [`${MACHINE}\nstore [0x1000] =`, 'x: line 2, value: missing; write it like "0x5067"'],
  [
    `${MACHINE}\nstore [0x1000] = 5067`,
    'x: line 2, value: "5067" is not a lower-case hex string; write it as "0x5067"',
  ],
  [`${MACHINE}\nstore [0x1000] = 0x100000000`, 'x: line 2, value: 0x100000000 does not fit a 2-level entry; give'],
  [`${MACHINE}\nstore [0x1000] = pfn 5 P WR`, 'x: line 2, value: "WR" is no bit of an entry; use P RW US A D'],
  [`${MACHINE}\nstore [0x1000] = pfn 5 P XD`, 'x: line 2, value: "XD" is no bit of an entry; use P RW US A D'],
  [
    `${MACHINE.replace('2-level', 'PAE')}\nstore [0x1000] = pfn 5 P NX`,
    'x: line 2, value: "NX" is no bit of an entry; use P RW US A D PWT PCD PSE G XD, AVL 0x200',
  ],
  [`${MACHINE}\nstore [0x1000] = pfn 1048576 P`, 'x: line 2, value: "pfn 1048576 P" names no page; write an entry'],
  [`${MACHINE}\naccess 0x400000 write users`, 'x: line 2, mode: "users" is not known; use one of "user", "kernel"'],
  ['a'.repeat(LONGEST_LISTING + 1), 'x: line 1, length: more than 1048576 characters; leave steps out'],
])('refused: %#', (text, message) => {
  expect(messageOf(text)).toContain(message);
});
