import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { DEFECTS } from '../../impl/defects/catalogue.js';
import { OPS } from '../../model/vocabulary/index.js';
import { isReadable, readCorpus } from '../corpus/store.js';
import type { Invariant } from './invariant.js';
import { INVARIANTS, harmOf, invariantNamed } from './invariants.js';

const HERE = new URL('.', import.meta.url);
const CORPUS = fileURLToPath(new URL('../../corpus', import.meta.url));
const STAGES: readonly string[] = ['create', ...OPS, 'end', 'destroy'];

const isInvariant = (value: unknown): value is Invariant =>
  typeof value === 'object' && value !== null && 'id' in value && 'statement' in value && 'watch' in value;

/** Every invariant that a file of this directory exports, with the file's name. */
const exported = async (): Promise<readonly (readonly [file: string, name: string, invariant: Invariant])[]> => {
  const files = (await readdir(HERE)).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const found = files.map(async (file) => {
    const names = (await import(new URL(file, HERE).href)) as Readonly<Record<string, unknown>>;
    return Object.entries(names).flatMap(([name, value]) => (isInvariant(value) ? [[file, name, value] as const] : []));
  });
  return (await Promise.all(found)).flat();
};

const camelCase = (id: string): string => id.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

describe('the registry of invariants', () => {
  test('ids are unique and in kebab case', () => {
    const ids = INVARIANTS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
  });

  test('each invariant has a file of its own, named like it, and every such file is registered', async () => {
    const found = await exported();
    for (const [file, name, { id }] of found) expect([file, name]).toEqual([`${id}.ts`, camelCase(id)]);
    expect(new Set(found.map(([, , invariant]) => invariant))).toEqual(new Set(INVARIANTS));
    expect(found).toHaveLength(INVARIANTS.length);
  });

  test('an invariant is found by its id, and by nothing else', () => {
    for (const invariant of INVARIANTS) expect(invariantNamed(invariant.id)).toBe(invariant);
    expect(invariantNamed('no-such-invariant')).toBeUndefined();
    expect(invariantNamed('')).toBeUndefined();
  });
});

describe.each(INVARIANTS.map((invariant) => [invariant.id, invariant] as const))('%s', (id, invariant) => {
  test('its statement is one sentence', () => {
    expect(invariant.statement).toMatch(/^[A-Z][^\n]*[^.!?\s]\.$/);
    expect(invariant.statement).not.toMatch(/[.!?] /);
  });

  test('it says where it comes from and what exercises it', () => {
    expect(invariant.source).toMatch(/(machine|formats)\.md/);
    expect(invariant.exercisedBy).toMatch(/^[a-z][^\n]*[^.\s]$/);
  });

  test('its stages exist, each is listed once, and only what runs the program twice has none', () => {
    for (const stage of invariant.stages) expect(STAGES).toContain(stage);
    expect(new Set(invariant.stages).size).toBe(invariant.stages.length);
    expect(invariant.stages.length === 0).toBe(id === 'determinism');
  });
});

test('a subject that breaks down is a broken host', () => {
  expect([harmOf('subject-crash'), harmOf('translation')]).toEqual(['host', 'guest']);
});

test('most defects that harm the host are caught by a guard of it, and of the others few', async () => {
  const shares = { host: { guards: 0, all: 0 }, guest: { guards: 0, all: 0 } };
  for (const stored of await readCorpus(CORPUS)) {
    if (!isReadable(stored)) continue;
    const { subject, divergence } = stored;
    const defect = DEFECTS.find(({ id }) => subject === `impl:${id}`);
    if (defect === undefined) continue;
    const share = shares[defect.harms];
    share.all++;
    if (harmOf(divergence.invariant) === 'host') share.guards++;
  }
  expect(shares.host.guards / shares.host.all).toBeGreaterThan(0.8);
  expect(shares.guest.guards / shares.guest.all).toBeLessThan(0.2);
});
