/** A badge for a README: the JSON that shields.io reads as an endpoint. */

import { compactlyCounted } from '../terminal/numbers.js';
import type { ReportDocument } from './document/report-document.js';

export const badge = ({ verdict, programs, findings }: ReportDocument): unknown => ({
  schemaVersion: 1,
  label: 'shadowdiff',
  message:
    findings.length === 0
      ? `${verdict.kind}, ${compactlyCounted(programs, 'program')}`
      : `${compactlyCounted(findings.length, 'finding')} in ${compactlyCounted(programs, 'program')}`,
  color: COLORS[verdict.kind],
});

const COLORS: Readonly<Record<ReportDocument['verdict']['kind'], string>> = {
  divergence: 'red',
  unsaved: 'red',
  clean: 'brightgreen',
  inconclusive: 'yellow',
  interrupted: 'lightgrey',
};
