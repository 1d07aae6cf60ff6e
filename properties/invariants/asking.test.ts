import { describe, expect, test } from 'vitest';
import type { Capabilities } from '../subjects/capabilities.js';
import { versionOne } from '../subjects/capabilities.js';
import type { Scope } from '../subjects/scope.js';
import { scopeOf } from '../subjects/scope.js';
import type { ExternalSubject } from '../subjects/subject.js';
import { IMPL, MODEL, WALK } from '../subjects/subject-names.js';
import type { Asking } from './asking.js';
import { askingOf } from './asking.js';
import { INVARIANTS } from './invariants.js';

const pipe = (capabilities: Partial<Capabilities>): ExternalSubject => ({
  kind: 'external',
  name: 'pipe',
  start: () => Promise.resolve({ ...versionOne('pipe'), ...capabilities }),
  answer: () => Promise.reject(new Error('not asked for')),
  close: () => Promise.resolve(undefined),
});

const asked = (scope: Scope, extent: Asking['asked']): Record<string, readonly string[]> =>
  Object.fromEntries(
    INVARIANTS.map((invariant) => [invariant.id, askingOf(invariant, scope, 'mixed')] as const)
      .filter(([, asking]) => asking.asked === extent)
      .map(([id, { because }]) => [id, because]),
  );

const NO_SHADOW = ['the subject shows no shadow tables'];

describe('which invariants are asked', () => {
  test('of impl, all', async () => {
    const scope = await scopeOf(IMPL, MODEL, 'lguest');
    expect([asked(scope, 'not'), asked(scope, 'partly')]).toEqual([{}, {}]);
  });

  test('of a subject of version 1, those that look at more than shadow tables', async () => {
    const scope = await scopeOf(pipe({}), MODEL, 'lguest');
    const blind = ['confinement', 'least-privilege', 'stack-pinned', 'kernel-broadcast', 'pgdir-cache', 'flush'];
    expect(asked(scope, 'not')).toEqual(Object.fromEntries(blind.map((id) => [id, NO_SHADOW])));
    const half = ['switcher', 'table-accounting', 'death-is-final'];
    expect(asked(scope, 'partly')).toEqual(Object.fromEntries(half.map((id) => [id, NO_SHADOW])));
  });

  test('of a side that shows outcomes alone, whichever it is', async () => {
    const one = asked(await scopeOf(pipe({ observes: ['outcome'] }), MODEL, 'lguest'), 'not');
    expect(one).toMatchObject({
      'reference-count': ['the subject shows no references'],
      'accessed-dirty': ['the subject shows no stores'],
      teardown: expect.arrayContaining(['the subject shows no number of tables']),
    });
    expect(one).not.toHaveProperty('translation');
    const other = asked(await scopeOf(IMPL, pipe({ observes: ['outcome'] }), 'lguest'), 'not');
    expect(other).toMatchObject({
      'reference-count': ['the reference shows no references'],
      coherence: ['the reference shows no walk of the guest’s tables at every access'],
    });
    expect(other).not.toHaveProperty('confinement');
  });

  test('of a side without stores the reason stands once, though it has none of upper entries either', async () => {
    const scope = await scopeOf(pipe({ profile: 'architecture', observes: ['outcome'] }), WALK, 'architecture');
    expect(asked(scope, 'not')['accessed-dirty']).toEqual(['the subject shows no stores']);
  });

  test('of programs without some steps, those that need none of these', async () => {
    const scope = await scopeOf(pipe({ steps: ['init', 'access'], observes: IMPL_SHOWS }), MODEL, 'lguest');
    const without = (...ops: readonly string[]): readonly string[] => ops.map((op) => `no program has ${op}`);
    expect(asked(scope, 'not')).toEqual({
      'pgdir-cache': without('new-pgtable'),
      'stack-pinned': without('set-stack'),
      'kernel-broadcast': without('store', 'new-pgtable', 'set-pte'),
      flush: without('new-pgtable or flush-tlb'),
      'accessed-dirty': without('store'),
      coherence: without('store', 'new-pgtable', 'flush-tlb', 'set-pte', 'set-pgd'),
    });
  });

  test('in the profile architecture, those that a CPU’s MMU can answer', async () => {
    const scope = await scopeOf(IMPL, WALK, 'architecture');
    const alone = ['the profile architecture shows outcomes and stores alone'];
    const alive = ['in the profile architecture no step ends killed'];
    const deaths = { 'kill-decision': alive, 'death-is-final': alive };
    const blind = ['confinement', 'least-privilege', 'stack-pinned', 'kernel-broadcast', 'pgdir-cache', 'flush'];
    expect(asked(scope, 'not')).toMatchObject({ ...Object.fromEntries(blind.map((id) => [id, alone])), ...deaths });
    expect(asked(scope, 'partly')).toEqual({ 'accessed-dirty': ['the subject shows no stores of upper entries'] });
    const whole = asked(await scopeOf(WALK, WALK, 'architecture'), 'fully');
    expect(Object.keys(whole)).toEqual([
      'host-intact',
      'progress',
      'accessed-dirty',
      'coherence',
      'translation',
      'determinism',
    ]);
    const plain = asked(await scopeOf(IMPL, MODEL, 'architecture'), 'fully');
    expect(Object.keys(plain)).toEqual(Object.keys(whole));
  });

  test('of hostile guests, those that need no contract', async () => {
    const scope = await scopeOf(IMPL, MODEL, 'lguest');
    const coherence = INVARIANTS.find(({ id }) => id === 'coherence')!;
    expect(askingOf(coherence, scope, 'hostile')).toEqual({
      asked: 'not',
      because: ['hostile guests keep no contract'],
    });
  });
});

const IMPL_SHOWS: Capabilities['observes'] = ['outcome', 'references', 'stores', 'tables', 'switcher', 'shadow'];
