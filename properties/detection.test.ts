import { expect, test } from 'vitest';
import { defectNamed } from '../impl/defects/catalogue.js';
import { stepsToDetection } from './detection.js';

const DEFECT = defectNamed('victim-ignores-draw')!;
const OPTIONS = { mixture: 'swarm', campaign: 'test', mostSteps: 20_000 } as const;
const SOUND = { ...DEFECT, plant: () => undefined };

test('a defect is caught, after as many steps each time', async () => {
  const steps = await stepsToDetection(DEFECT, OPTIONS);
  expect(steps).toBeGreaterThan(0);
  expect(steps).toBeLessThan(OPTIONS.mostSteps);
  expect(await stepsToDetection(DEFECT, OPTIONS)).toBe(steps);
});

test('what is no defect is never caught', async () => {
  expect(await stepsToDetection(SOUND, OPTIONS)).toBe(Infinity);
});
