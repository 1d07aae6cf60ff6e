#!/usr/bin/env node
import { main } from './cli/main.js';
import { endingWith, processSurroundings } from './cli/process-surroundings.js';

await endingWith(main(process.argv.slice(2), processSurroundings()));
