import { Ajv2020 } from 'ajv/dist/2020.js';
import { type ApiCall, apiCalls, callPath, openApiDocument } from '@carillon/contract';
import { describe, expect, test } from '@jest/globals';

interface Operation {
  operationId: string;
  parameters?: { name: string; schema: object }[];
  requestBody?: { content: { 'application/json': { schema: object } } };
  responses: Record<string, { $ref?: string; content?: Record<string, { schema: object }> }>;
  security?: unknown[];
}

const document = openApiDocument('1.2.3');
const paths = document['paths'] as Record<string, Record<string, Operation>>;
const operations = Object.entries(paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
);

/** What a `#/…` pointer names. */
function resolve(pointer: string): unknown {
  let value: unknown = document;
  for (const key of pointer.replace(/^#\//, '').split('/')) value = (value as Record<string, unknown>)[key];
  return value;
}

describe('the OpenAPI document', () => {
  test('has every call with its methods, each under a name of its own', () => {
    const expected = Object.entries(apiCalls).flatMap(([name, { methods }]) =>
      methods.map((method) => `${method.toLowerCase()} ${callPath(name as keyof typeof apiCalls)}`),
    );
    expect(operations.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(expected.sort());
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
    expect(document).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } });
  });

  test('has only references that lead somewhere', () => {
    const pointers = JSON.stringify(document).match(/"\$ref":"[^"]+"/g) ?? [];
    expect(pointers.length).toBeGreaterThan(0);
    for (const pointer of pointers) expect(resolve(pointer.slice(8, -1))).toBeDefined();
  });

  test('has schemas that can be compiled, and that tell answers from errors', () => {
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema(document, 'api');
    for (const { path, method, operation } of operations) {
      for (const { schema } of operation.parameters ?? []) ajv.compile(schema);
      if (operation.requestBody !== undefined)
        ajv.compile(operation.requestBody.content['application/json'].schema);
      const key = `${path.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      const answer = `api#/paths/${key}/${method}/responses/200/content/application~1json/schema`;
      const isAnswer = ajv.compile({ $ref: answer });
      expect(isAnswer({ code: 'session', description: 'No credential' })).toBe(true);
      expect(isAnswer({ code: 'nonsense', description: 'x' })).toBe(false);
    }
  });

  test('asks for a credential wherever the call does', () => {
    const names = new Map(
      Object.keys(apiCalls).map((name) => [
        callPath(name as keyof typeof apiCalls),
        name as keyof typeof apiCalls,
      ]),
    );
    for (const { path, operation } of operations) {
      const { auth, acceptsToken }: ApiCall = apiCalls[names.get(path) ?? 'ping'];
      if (acceptsToken) {
        expect(operation.security).toContainEqual({ logToken: [] });
        continue;
      }
      const expected = auth === 'none' ? [] : auth === 'session' ? [{ sessionHeader: [] }] : undefined;
      expect(operation.security).toEqual(expected);
    }
  });
});
