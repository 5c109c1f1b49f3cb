import type { TSchema } from 'typebox';
import { type ApiCall, type ApiCallName, apiCalls, callPath, findCall, privileges } from './calls/index.js';
import { errorTable } from './errors.js';

type Json = Record<string, unknown>;

/** Where every node serves the document. */
export const openApiPath = '/api/openapi.json';

const security = [{ apiKeyHeader: [] }, { apiKeyQuery: [] }, { sessionHeader: [] }];

/**
 * The API as an OpenAPI 3.1 document, made from the same schemas that check requests. `version` is that of the
 * program. Plain JSON: nothing in it is shared with the schemas.
 */
export function openApiDocument(version: string): Json {
  const names = Object.keys(apiCalls);
  const paths = names.flatMap((name) => {
    const call = findCall(name);
    return call === undefined ? [] : [[callPath(call.name), pathItem(call.name, call)] as const];
  });
  return plain({
    openapi: '3.1.0',
    info: {
      title: 'Carillon',
      version,
      description:
        'A clustered job scheduler. API errors have the HTTP status 200 and a `code` that is not 0; a node that is ' +
        'not the primary answers 302 with the address of the primary, passes the call on, or, without a primary, ' +
        'answers 503. Unknown parameters are never refused.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    security,
    paths: Object.fromEntries(paths),
    components: {
      securitySchemes: {
        apiKeyHeader: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        apiKeyQuery: { type: 'apiKey', in: 'query', name: 'api_key' },
        logToken: { type: 'apiKey', in: 'query', name: 't' },
        sessionHeader: { type: 'apiKey', in: 'header', name: 'X-Session-ID' },
      },
      schemas: { Error: errorSchema() },
      responses: sharedResponses(),
    },
  });
}

function pathItem(name: ApiCallName, call: ApiCall): Json {
  const item: Json = {};
  if (call.methods.includes('GET')) item['get'] = operation(name, call, 'GET');
  if (call.methods.includes('POST')) item['post'] = operation(name, call, 'POST');
  return item;
}

function operation(name: ApiCallName, call: ApiCall, method: 'GET' | 'POST'): Json {
  const isOnly = call.methods.length === 1;
  const input = method === 'GET' ? { parameters: queryParameters(call) } : { requestBody: requestBody(call) };
  return {
    operationId: isOnly || method === 'POST' ? name : `${name}_by_get`,
    summary: call.summary,
    description: [call.notes, privilegeText(call)].filter((text) => text !== undefined).join('\n\n'),
    ...(call.auth === 'none' ? { security: [] } : {}),
    ...(call.acceptsToken ? { security: [...security, { logToken: [] }] } : {}),
    ...(call.auth === 'session' ? { security: [{ sessionHeader: [] }] } : {}),
    ...input,
    responses: {
      '200': { description: 'The answer, or an error of the API', content: answerContent(call) },
      ...(call.primaryOnly ? refs({ '302': 'NotPrimary', '503': 'Unavailable' }) : {}),
      ...refs({ '400': 'MalformedBody', '413': 'TooLarge' }),
    },
  };
}

function privilegeText(call: ApiCall): string {
  const { auth } = call;
  if (auth === 'none') return 'No credential needed.';
  if (auth === 'session') return 'A session.';
  if (call.acceptsToken) return 'Any active API key or session, or a token.';
  return auth === 'valid' ? 'Any active API key or session.' : `Privilege \`${auth}\` (${privileges[auth]}).`;
}

function queryParameters({ params }: ApiCall): Json[] {
  const required = new Set<string>(params.required ?? []);
  return Object.entries(params.properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.has(name),
    ...(isObject(schema) ? { style: 'deepObject' } : {}),
    schema,
  }));
}

function isObject(schema: TSchema): boolean {
  return 'type' in schema && schema.type === 'object';
}

function requestBody({ params }: ApiCall): Json {
  return {
    required: (params.required ?? []).length > 0,
    content: { 'application/json': { schema: params } },
  };
}

function answerContent({ response, answersText }: ApiCall): Json {
  const success = {
    ...response,
    properties: { code: { const: 0 }, ...response.properties },
    required: ['code', ...(response.required ?? [])],
  };
  const error = { $ref: '#/components/schemas/Error' };
  if (answersText) {
    return { 'text/plain': { schema: { type: 'string' } }, 'application/json': { schema: error } };
  }
  return { 'application/json': { schema: { oneOf: [success, error] } } };
}

function errorSchema(): Json {
  const codes = Object.entries(errorTable).map(([code, { meaning }]) => `\`${code}\`: ${meaning}`);
  return {
    type: 'object',
    properties: {
      code: {
        description: `${codes.join('\n')}\n\`1\`: No such call.`,
        oneOf: [{ enum: Object.keys(errorTable) }, { const: 1 }],
      },
      description: { type: 'string' },
    },
    required: ['code', 'description'],
  };
}

function sharedResponses(): Json {
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
  return {
    NotPrimary: {
      description: 'Another node is the primary',
      headers: { Location: { schema: { type: 'string' } } },
      content,
    },
    MalformedBody: { description: 'The body is not JSON', content },
    TooLarge: { description: errorTable.too_large.meaning, content },
    Unavailable: {
      description: 'There is no primary, or the write could not be confirmed; the call may be repeated',
      headers: { 'Retry-After': { schema: { type: 'string' } } },
      content,
    },
  };
}

const refs = (names: Readonly<Record<string, string>>): Json =>
  Object.fromEntries(
    Object.entries(names).map(([status, name]) => [status, { $ref: `#/components/responses/${name}` }]),
  );

/** Schemas carry marks of their builder; what JSON keeps is what counts. */
function plain(value: Json): Json {
  const copy: Json = JSON.parse(JSON.stringify(value));
  return copy;
}
