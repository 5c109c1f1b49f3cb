#!/usr/bin/env node
import { readJob, reasonOf, sendMessage } from './plugin-protocol.js';
import { runTrial } from './trial/run-trial.js';
import { readTrialSettings } from './trial/trial-settings.js';

/** The test plugin as a program (behaviour reference 6.7): stays busy for a while, then ends as it was told. */
try {
  runTrial(readTrialSettings(await readJob(), Math.random));
} catch (error) {
  sendMessage({ complete: 1, code: 1, description: reasonOf(error) });
}
