export { bundledProgram } from './bundled-program.js';
export { FakeClock } from './fake-clock.js';
export { asFirstProcess, describeAsFirstProcess, firstProcessOf } from './first-process.js';
export { SeededRandom } from './seeded-random.js';
export {
  acceptOne,
  type ChannelSubject,
  channelConformance,
  helloOf,
  LinkProbe,
} from './conformance/channel-conformance.js';
export { Collector, type Deferred, deferred } from './conformance/deferred.js';
export * from './conformance/outbound/index.js';
export { type JobQueueSubject, jobQueueConformance, resultOf } from './conformance/job-queue-conformance.js';
export { type LogArchiveSubject, logArchiveConformance } from './conformance/log-archive-conformance.js';
export { signalsOfThisProcess } from './signals-of-this-process.js';
export { ScriptedDetached, ScriptedProgram } from './scripted-detached.js';
export { ScriptedLauncher, ScriptedProcess } from './scripted-process.js';
export { expectHarmless, htmlConformance } from './conformance/html-conformance.js';
export { type JobLogSubject, jobLogConformance } from './conformance/job-log-conformance.js';
export { type DetachedSubject, detachedConformance } from './conformance/detached-conformance.js';
export { passwordConformance } from './conformance/password-conformance.js';
export { type SpoolSubject, spoolConformance, spoolResult } from './conformance/spool-conformance.js';
export {
  allText,
  type ProcessSubject,
  processConformance,
  readUntil,
} from './conformance/process-conformance.js';
export * from './checker/index.js';
export * from './cluster/index.js';
export { HeldBytes, watchedCopies } from './memory/held-bytes.js';
export * from './peer-export/index.js';
export { describeInNamespaces } from './network/describe-in-namespaces.js';
export * from './network/index.js';
export * from './redis/index.js';
export * from './soak/index.js';
export { startTestS3, type TestS3 } from './s3/test-s3.js';
export { type LeaseSubject, leaseConformance } from './conformance/lease-conformance.js';
export * from './conformance/store/index.js';
export { createTestAuthority, type TestAuthority, type TestCertificate } from './tls/index.js';
