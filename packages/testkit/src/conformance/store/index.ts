export { claimsConformance } from './claims-conformance.js';
export { changeFor, randomCommits, type RandomStep } from './random-changes.js';
export {
  deliveryOf,
  deliveryRowOf,
  describeState,
  dispatchOf,
  eventOf,
  finishOf,
  type FinishSettings,
  jobOf,
} from './state-builders.js';
export { storeConformance } from './store-conformance.js';
export { storeTransferConformance } from './store-transfer-conformance.js';
export { openStore, type StoreSubject, type TestSession, withSubject } from './store-subject.js';
