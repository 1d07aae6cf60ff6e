/** The kernel in v86: what an MMU answers to programs whose answers the manual gives. */

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Feature, Observation, Step } from '../../model/vocabulary/index.js';
import { ProgramWriter, TraceReader, formatHex, programFromJson } from '../../properties/formats/index.js';
import { metalCapabilities } from '../../properties/subjects/metal-subject.js';
import { Conversation } from './conversation.js';
import type { Machine } from './machine.js';
import { boot } from './platforms.js';

const KERNEL = fileURLToPath(new URL('metal.elf', import.meta.url));
const LIMITS = { start: 60_000, program: 60_000 };

let machine: Machine;
let conversation: Conversation;

beforeAll(async () => {
  machine = await boot('v86', KERNEL);
  conversation = new Conversation(machine, LIMITS);
  await conversation.begin(0);
});
afterAll(() => machine.end());

type Words = readonly string[];

/** A step in the words of a listing, such as `store 0x1000 0x2007` or `access 0x5000 write user`. */
const stepOf = ([op, first, second, third]: Words): object => {
  switch (op) {
    case 'store':
      return { op, paddr: first, value: second };
    case 'init':
      return { op, kernelAddress: first };
    case 'new-pgtable':
      return { op, root: first, draw: 0 };
    case 'flush-tlb':
      return { op, scope: first };
    case 'set-pte':
      return { op, root: first, vaddr: second, pte: third };
    case 'set-pgd':
      return { op, root: first, index: Number(second) };
    case 'set-pmd':
      return { op, pmd: first, index: Number(second) };
    default:
      return { op, vaddr: first, kind: second, mode: third };
  }
};

const run = async (
  paging: '2-level' | 'pae',
  lines: readonly string[],
  features?: readonly Feature[],
): Promise<readonly string[]> => {
  const program = programFromJson(
    {
      format: 'shadowdiff-program/1',
      machine: {
        paging,
        guestPages: 64,
        devicePages: 0,
        hostCpus: 1,
        draw: 0,
        failAllocation: 0,
        ...(features && { features }),
      },
      steps: ['init 0xc0000000', ...lines].map((line) => stepOf(line.split(' '))),
    },
    'test',
  );
  const writer = new ProgramWriter();
  writer.add(program);
  const answer = await conversation.run(Buffer.from(writer.take()));
  const words = new Uint32Array(new Uint8Array(answer.subarray(4)).buffer);
  const { steps } = new TraceReader(metalCapabilities(0), 'answer').trace(words, program);
  return program.steps.flatMap((step, index) => shown(step, steps[index]));
};

/** Of accesses: the outcome, and the words that changed. */
const shown = (step: Step, { outcome, stores }: Observation): readonly string[] => {
  if (step.op !== 'access') return [];
  const words = stores.map(({ paddr, value }) => ` ${paddr.toString(16)}=${value.low.toString(16)}`);
  const kind = outcome.kind === 'fault' ? `fault ${outcome.code}` : outcome.kind;
  const reached = outcome.kind === 'mapped' ? ` ${formatHex(outcome.paddr)}` : '';
  return [`${kind}${reached}${words.join('')}`];
};

/** Root 0x1000, table 0x2000; PAE: middle table 0x3000 between them. Page 5 at address 0, with the flags given. */
const tables = {
  '2-level': (upper: string, leaf: string) => [`store 0x1000 0x200${upper}`, `store 0x2000 0x500${leaf}`],
  pae: (upper: string, leaf: string) => [
    'store 0x1000 0x3001',
    `store 0x3000 0x200${upper}`,
    `store 0x2000 0x500${leaf}`,
  ],
} as const;

describe.each(['2-level', 'pae'] as const)('%s', (paging) => {
  const upperAt = paging === 'pae' ? '3000' : '1000';
  const mapped = [...tables[paging]('7', '7'), 'new-pgtable 0x1000'];

  test('A on every level, and D for a write', async () => {
    expect(
      await run(paging, [...mapped, 'access 0x123 read user', 'access 0x123 read user', 'access 0x0 write user']),
    ).toEqual([`mapped 0x5123 ${upperAt}=2027 2000=5027`, 'mapped 0x5123', 'mapped 0x5000 2000=5067']);
  });

  test('the mapping that the TLB holds stays until it is invalidated', async () => {
    const change = ['access 0x0 read user', 'store 0x2000 0x6027', 'access 0x0 read user'];
    const answers = await run(paging, [...mapped, ...change, 'set-pte 0x1000 0x0 0x6027', 'access 0x0 read user']);
    expect(answers.slice(1)).toEqual(['mapped 0x5000', 'mapped 0x6000']);
  });

  test.each([
    ['7', '6', 'read user', 'fault 4'],
    ['6', '7', 'write kernel', 'fault 2'],
    ['7', '3', 'read user', 'fault 5'],
    ['3', '7', 'write user', 'fault 7'],
    ['7', '5', 'write kernel', 'fault 3'],
    ['5', '7', 'write user', 'fault 7'],
  ])('upper entry 0x200%s, leaf 0x500%s, %s: %s', async (upper, leaf, access, fault) => {
    const program = [...tables[paging](upper, leaf), 'new-pgtable 0x1000', `access 0x0 ${access}`];
    expect(await run(paging, program)).toEqual([fault]);
  });

  test('the A of a walk that ended in a fault counts from the first one that succeeds', async () => {
    const later = ['store 0x2000 0x5007', 'set-pte 0x1000 0x0 0x5007', 'access 0x0 read user'];
    const program = [...tables[paging]('7', '6'), 'new-pgtable 0x1000', 'access 0x0 read user', ...later];
    expect(await run(paging, program)).toEqual(['fault 4', `mapped 0x5000 ${upperAt}=2027 2000=5027`]);
  });

  test('a root without an entry for the window, and one in the same table as it', async () => {
    const [top, base] = paging === 'pae' ? ['0x1018', '0xffdff000'] : ['0x1ff8', '0xffbff000'];
    const middle = paging === 'pae' ? ['store 0x4ff0 0x2027'] : [];
    const upper = paging === 'pae' ? '0x4001' : '0x2027';
    const leaf = paging === 'pae' ? 'store 0x2ff8 0x7063' : 'store 0x2ffc 0x7063';
    const link = [...middle, leaf, `store ${top} ${upper}`, 'flush-tlb all'];
    const program = [`new-pgtable 0x1000`, `access ${base} read kernel`, ...link, `access ${base} write kernel`];
    expect(await run(paging, program)).toEqual(['fault 0', 'mapped 0x7000']);
  });

  test('the window is out of reach', async () => {
    expect(await run(paging, [...mapped, 'access 0xfff00000 read kernel', 'access 0xfffff000 write user'])).toEqual([
      'fault 0',
      'fault 6',
    ]);
  });

  test('in linear mode RAM maps to itself, for the supervisor', async () => {
    expect(await run(paging, ['access 0x3fffd write kernel', 'access 0x3000 read user'])).toEqual([
      'mapped 0x3fffd',
      'fault 5',
    ]);
  });

  test('without CR0.WP the supervisor writes what is read-only, and the user does not', async () => {
    const program = [...tables[paging]('7', '5'), 'new-pgtable 0x1000'];
    const writes = [...program, 'access 0x0 write user', 'access 0x0 write kernel'];
    const marked = `mapped 0x5000 ${upperAt}=2027 2000=5065`;
    expect(await run(paging, writes, ['write-protect-off'])).toEqual(['fault 7', marked]);
    expect(await run(paging, writes)).toEqual(['fault 7', 'fault 3']);
  });

  test('a large page, and INVLPG for the address that was read in it', async () => {
    const at = paging === 'pae' ? '0x3000' : '0x1000';
    const link = paging === 'pae' ? ['store 0x1000 0x3001'] : [];
    const reads = [
      'access 0x5123 read kernel',
      `store ${at} 0x85`,
      'set-pte 0x1000 0x5fff 0x85',
      'access 0x5123 read user',
    ];
    const program = [...link, `store ${at} 0x87`, 'new-pgtable 0x1000', 'access 0x6004 write user', ...reads];
    expect(await run(paging, program, ['large-pages'])).toEqual([
      `mapped 0x6004 ${upperAt}=e7`,
      'mapped 0x5123',
      `mapped 0x5123 ${upperAt}=a5`,
    ]);
  });

  test('a global page outlives a load of CR3, and not INVLPG', async () => {
    const change = ['access 0x0 read user', 'store 0x2000 0x6127', 'flush-tlb all', 'access 0x0 read user'];
    const program = [...tables[paging]('7', '7'), 'store 0x2000 0x5107', 'new-pgtable 0x1000', ...change];
    const announced = [...program, 'set-pte 0x1000 0x0 0x6127', 'access 0x0 read user'];
    expect((await run(paging, announced, ['global-pages'])).slice(1)).toEqual(['mapped 0x5000', 'mapped 0x6000']);
    expect((await run(paging, announced)).slice(1)).toEqual(['mapped 0x6000', 'mapped 0x6000']);
  });

  test('nothing of a program is left for the next', async () => {
    await run(paging, [...mapped, 'access 0x0 write user']);
    expect(await run(paging, ['new-pgtable 0x1000', 'access 0x0 read kernel'])).toEqual(['fault 0']);
  });
});

test('a program that the kernel cannot run ends it, with a reason', async () => {
  const ended = run('2-level', ['store 0x1000 0x2007', 'new-pgtable 0x90000']);
  await expect(ended).rejects.toThrow('a root at 0x90000, outside of RAM');
});
