import { expect, test } from 'vitest';
import type { Ran, Refused, Request, Source } from './player.js';
import { answer } from './player.js';

const MACHINE = 'PAE, 1 guest page, 0 device pages, 1 host CPU, draw 0';

const ask = (source: Source, action: Request['action'] = 'run'): Promise<Ran | Refused> =>
  answer({ action, source, date: '2026-01-01T00:00:00.000Z', version: '1.2.3' }, () => undefined);

const textOf = (steps: readonly string[]): string => [MACHINE, ...steps].join('\n');

const asked = async (steps: readonly string[], subject = 'impl', action: Request['action'] = 'run'): Promise<Ran> => {
  const reply = await ask({ text: textOf(steps), subject, reference: 'model' }, action);
  if (reply.kind === 'refused') throw new Error(reply.message);
  return reply;
};

test('a program on which both sides agree has a frame for each moment', async () => {
  const { diverges, view, json, file } = await asked(['migrate cpu 0', 'migrate cpu 0']);
  expect(diverges).toBe(false);
  expect(view.match(/<section\s+class="frame"/g)).toHaveLength(4);
  expect(JSON.parse(json)).toMatchObject({ format: 'shadowdiff-program/1' });
  expect(file).toBeUndefined();
});

test('a long program is answered, with its last moments alone', async () => {
  const { view } = await asked(Array.from({ length: 20_000 }, () => 'migrate cpu 0'));
  expect(view).toContain('The first 19937 steps are not shown: an explanation keeps the last 63 before the end.');
});

test('a step is dropped, and what does not diverge is not shrunk', async () => {
  const steps = ['init kernel 0xc0000000', 'migrate cpu 0'];
  const shorter = await asked(steps, 'impl', { drop: 1 });
  expect(shorter.text).toBe(`${MACHINE}\ninit        kernel 0xc0000000`);
  expect((await asked(steps, 'impl', 'shrink')).text.split('\n')).toHaveLength(3);
});

test('impl stands in for a machine that cannot run in a page', async () => {
  const { remarks, sides } = await asked([], 'exec:./mine');
  expect(remarks).toEqual(['impl stands in for exec:./mine, which is not of this package and cannot run here']);
  expect(sides.subject).toBe('exec:./mine');
});

test.each<[Source, Partial<Refused>]>([
  [{ text: `${MACHINE}\n\nfly`, subject: 'impl', reference: 'model' }, { line: 3 }],
  [
    { text: MACHINE, subject: 'impl:nothing', reference: 'model' },
    { message: expect.stringContaining('no defect') as string },
  ],
  [
    { text: textOf(['migrate cpu 0']), subject: 'impl', reference: 'walk', profile: 'architecture' },
    { message: expect.stringContaining('migrate') as string },
  ],
  [{ code: 'nonsense' }, { message: expect.stringContaining('the link') as string }],
])('refused: %#', async (source, expected) => {
  expect(await ask(source)).toMatchObject({ kind: 'refused', ...expected });
});
