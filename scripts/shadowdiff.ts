#!/usr/bin/env node
import { main } from './cli/main.js';
import { processSurroundings } from './cli/process-surroundings.js';

process.exitCode = await main(process.argv.slice(2), processSurroundings());
