import type { Defect } from './defect.js';

export const flushScopesInverted: Defect = {
  id: 'flush-scopes-inverted',
  title: 'flush-tlb takes all for user and user for all',
  class: 'missed flush',
  wrong: 'The condition that tells the two scopes of the call apart is inverted.',
  origin: 'Xen XSA-319: inverted code paths',
  translation: 'The condition is that of FLUSH_TLB.',
  consequence: 'A guest that flushes its kernel mappings keeps them.',
  harms: 'guest',
  rule: 'machine.md 3, flush-tlb',
  inLguest: false,
  plant({ calls }) {
    const sound = calls.flushTlb.bind(calls);
    calls.flushTlb = (scope) => sound(scope === 'all' ? 'user' : 'all');
  },
};
