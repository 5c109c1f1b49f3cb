import { expect, test } from '@jest/globals';
import { apiCalls, compileSchema, LiveRequest, PrimaryMessage, WorkerMessage } from '../../src/index.js';

test('every schema of the contract compiles', () => {
  const schemas = [
    LiveRequest,
    PrimaryMessage,
    WorkerMessage,
    ...Object.values(apiCalls).flatMap((call) => [call.params, call.response]),
  ];
  for (const schema of schemas) expect(compileSchema(schema)(Symbol('none'))).toBe(false);
});

test('a checked value has its type', () => {
  const isRequest = compileSchema(LiveRequest);
  const value: unknown = { type: 'watch_job', id: 'j1' };
  expect(isRequest(value) && value.type).toBe('watch_job');
  expect(isRequest({ type: 'watch_job', id: 'a b' })).toBe(false);
  expect(isRequest(Object.create({ type: 'watch_job', id: 'j1' }))).toBe(false);
});
