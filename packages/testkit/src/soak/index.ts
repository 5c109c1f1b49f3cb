export { jobScript, readLines } from './job-script.js';
export { CommitWatch } from './commit-watch.js';
export { excusesOf, gatherEnded } from './gather.js';
export { type Fault, type FaultKind, faultKinds, pauseBefore, planFaults } from './plan-faults.js';
export { runSoak, type SoakOptions, type SoakReport } from './run-soak.js';
