import { describe, expect, test } from 'vitest';
import type { Step } from '../model/vocabulary/index.js';
import { address, guestEntry, paddr } from '../model/vocabulary/index.js';
import type { Finding } from './finding.js';
import { MOST_SHAPES, areAlike, describeShape, groupsOf, shapeOf } from './namesakes.js';
