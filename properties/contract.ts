import type { Program } from '../model/vocabulary/index.js';
export const keepsContract = (_program: Program): boolean => true;
