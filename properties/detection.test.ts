import { expect, test } from 'vitest';
import { defectNamed } from '../impl/defects/catalogue.js';
import { pairWith, stepsToDetection } from './detection.js';

const DEFECT = defectNamed('victim-ignores-draw')!;
const OPTIONS = { mixture: 'swarm', campaign: 'test', mostSteps: 20_000 } as const;
const SOUND = { ...DEFECT, plant: () => undefined };

test('a defect is caught, after as many steps each time', async () => {
  const steps = await stepsToDetection(pairWith(DEFECT), OPTIONS);
  expect(steps).toBeGreaterThan(0);
  expect(steps).toBeLessThan(OPTIONS.mostSteps);
  expect(await stepsToDetection(pairWith(DEFECT), OPTIONS)).toBe(steps);
});

test('it is caught when most programs are screened', async () => {
  const steps = await stepsToDetection(pairWith(DEFECT), { ...OPTIONS, judge: 1 / 16 });
  expect(steps).toBeLessThan(OPTIONS.mostSteps);
});

test('what is no defect is never caught', async () => {
  expect(await stepsToDetection(pairWith(SOUND), OPTIONS)).toBe(Infinity);
});
