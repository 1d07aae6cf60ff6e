#!/usr/bin/env node
import { main } from './main.js';
import { processSurroundings } from './process-surroundings.js';

process.exitCode = await main(process.argv.slice(2), processSurroundings());
