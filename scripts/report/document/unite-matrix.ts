import type { MatrixRowReport } from './report-document.js';
import type { Results } from './read-results.js';

/** A defect that several matrices measured is counted over all their seeds. */
export const uniteMatrix = (results: readonly Results[]): readonly MatrixRowReport[] => {
  const rows = new Map<string, MatrixRowReport>();
  for (const { matrix } of results) {
    for (const { defect, seeds, seedsCaught, caughtBy } of matrix?.rows ?? []) {
      const known = rows.get(defect) ?? { defect, seeds: 0, seedsCaught: 0, caughtBy: {} };
      rows.set(defect, {
        defect,
        seeds: known.seeds + seeds,
        seedsCaught: known.seedsCaught + seedsCaught,
        caughtBy: added(known.caughtBy, caughtBy),
      });
    }
  }
  return [...rows.values()];
};

type Counts = Readonly<Record<string, number>>;

const added = (one: Counts, other: Counts): Counts => {
  const counts: Record<string, number> = { ...one };
  for (const [invariant, count] of Object.entries(other)) counts[invariant] = (counts[invariant] ?? 0) + count;
  return counts;
};
