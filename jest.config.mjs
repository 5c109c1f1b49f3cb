import { availableParallelism } from 'node:os';

export default {
  // Stories wait more than they compute: two of them fit on two processors.
  maxWorkers: Math.max(2, availableParallelism() - 1),
  // Each suite loads its modules anew, and what it leaves behind adds up.
  workerIdleMemoryLimit: '1GB',
  // What hangs is found out all the same; what is only slow, on a machine with other things to do, has not failed.
  testTimeout: 20_000,
  globalSetup: '<rootDir>/scripts/lib/before-tests.mjs',
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['carillon-source', 'node', 'node-addons'] },
  testMatch: ['<rootDir>/packages/*/test/**/*.test.ts', '<rootDir>/scripts/lib/test/*.test.mjs'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
};
