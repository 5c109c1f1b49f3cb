/** Renders the calls and error codes of the contract as Markdown. */

const mergeRules = {
  'query-wins': 'Query and body are merged; the query wins.',
  'body-wins':
    'Query and body are merged; the body wins. With `post_data=1` in the query the body is kept apart.',
  'body-only': 'Only the body counts.',
  'query-only': 'Only the query counts.',
};

/** The text of docs/api.md. `contract` is what @carillon/contract exports. */
export function apiReference(contract) {
  const { apiCalls, callPath } = contract;
  const calls = Object.entries(apiCalls).map(([name, call]) => callSection(name, call, callPath(name)));
  return [
    intro(apiCalls),
    ...calls,
    privilegeSection(contract),
    errorSection(contract),
    liveSection(contract),
  ].join('\n');
}

function intro(apiCalls) {
  const links = Object.entries(apiCalls).map(
    ([name, { summary }]) => `| [\`${name}\`](#${name}) | ${summary} |`,
  );
  return `# API

Written by \`npm run docs\` from \`packages/contract/src\`; a test fails when the two differ.

- Every call is at \`/api/app/NAME/v1\`, those about users at \`/api/user/NAME/v1\`. Calls listed with GET also run with POST; a body is JSON
  (\`Content-Type: application/json\`) or a form.
- The API key goes into the header \`X-API-Key\`, or into \`api_key\` of the query or the body. Behind a redirect to
  another host clients keep only the header. A session of a user does instead of a key: its ID goes into the header
  \`X-Session-ID\`, or into \`session_id\`; where both are given the session counts. [access.md](access.md) says more.
- An answer is JSON: \`code\` is 0 or one of the [error codes](#error-codes), then with \`description\`. The HTTP
  status is 200 also for refusals, except where the table of error codes says otherwise.
- Unknown parameters are never refused; a wrong type is, with a text that names the parameter.
- \`callback=NAME\` on a GET wraps the answer for JSONP; \`pretty=1\` indents it.
- Checks are made in this order: primary, credential, parameters, privilege, existence.

| call | |
|---|---|
${links.join('\n')}
`;
}

function callSection(name, call, path) {
  const parts = [
    `## ${name}`,
    '',
    call.summary,
    '',
    `\`${call.methods.join('` or `')}\` \`${path}\` · ${authText(call)} · ${call.primaryOnly ? 'answered by the primary' : 'answered by any node'}`,
    '',
    mergeRules[call.merge],
    ...(call.notes === undefined ? [] : ['', call.notes]),
    '',
    ...table('parameter', call.params, 'No parameters.'),
    '',
    ...table('answer', call.response, 'The answer is `{"code": 0}` unless noted above.'),
    '',
  ];
  return parts.join('\n');
}

function authText({ auth, acceptsToken }) {
  if (acceptsToken) return 'any active key or session, or a token';
  if (auth === 'none') return 'no credential needed';
  if (auth === 'session') return 'a session';
  return auth === 'valid' ? 'any active key or session' : `privilege \`${auth}\``;
}

function table(head, schema, nothing) {
  const rows = Object.entries(schema.properties).map(([name, property]) => {
    const required = (schema.required ?? []).includes(name) ? 'yes' : '';
    return `| \`${name}\` | ${typeText(property)} | ${required} | ${cell(property.description ?? '')} |`;
  });
  if (rows.length === 0) return [nothing];
  return [
    `| ${head} | type | ${head === 'parameter' ? 'required' : 'always'} | meaning |`,
    '|---|---|---|---|',
    ...rows,
  ];
}

/** A schema in few words: `whole number ≥ 0`, `text matching …`, `one of …`. */
export function typeText(schema) {
  if (Object.hasOwn(schema, 'const')) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.anyOf !== undefined) return unionText(schema.anyOf);
  switch (schema.type) {
    case 'string':
      return schema.pattern === undefined ? 'text' : `text, \`${cell(schema.pattern)}\``;
    case 'integer':
      return `whole number${boundsText(schema)}`;
    case 'number':
      return `number${boundsText(schema)}`;
    case 'boolean':
      return 'boolean';
    case 'null':
      return 'null';
    case 'array':
      return `list of ${typeText(schema.items ?? {})}`;
    case 'object':
      return objectText(schema);
    default:
      return 'anything';
  }
}

function unionText(members) {
  const texts = [...new Set(members.map(typeText))];
  return texts.every((text) => text.startsWith('`')) ? `one of ${texts.join(' ')}` : texts.join(' or ');
}

function objectText(schema) {
  const names = Object.keys(schema.properties ?? {});
  if (names.length === 0) return 'object';
  const shown = names.length > 8 ? `${names.slice(0, 8).join('`, `')}\`, …` : `${names.join('`, `')}\``;
  return `object of \`${shown}`;
}

function boundsText({ minimum, maximum }) {
  const upper = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (minimum !== undefined && upper !== undefined) return ` ${minimum}–${upper}`;
  if (minimum !== undefined) return ` ≥ ${minimum}`;
  return upper === undefined ? '' : ` ≤ ${upper}`;
}

const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function privilegeSection({ privileges, restrictions }) {
  const rows = Object.entries({ ...privileges, ...restrictions }).map(
    ([name, meaning]) => `| \`${name}\` | ${cell(meaning)} |`,
  );
  return `## Privileges\n\n| privilege | allows |\n|---|---|\n${rows.join('\n')}\n`;
}

function errorSection({ errorTable }) {
  const rows = Object.entries(errorTable).map(
    ([code, { httpStatus, meaning }]) => `| \`"${code}"\` | ${httpStatus} | ${cell(meaning)} |`,
  );
  return `## Error codes\n\n| code | HTTP | meaning |\n|---|---|---|\n${rows.join('\n')}\n| \`1\` | 200 | No such call. |\n`;
}

function liveSection({ LiveRequest, liveChannelPath }) {
  const rows = LiveRequest.anyOf.map((message) => {
    const { type, ...fields } = message.properties;
    const names = Object.keys(fields).map((name) => `\`${name}\``);
    return `| \`${type.const}\` | ${names.join(', ') || '–'} |`;
  });
  return `## Live channel

A WebSocket at \`${liveChannelPath}\` of the primary; JSON text frames. The first message is \`authenticate\`, unless
the upgrade request had the header \`X-API-Key\` or \`X-Session-ID\`. The connection is closed as soon as the key or the
session is not good any more.

| message of the client | fields |
|---|---|
${rows.join('\n')}

The server sends \`authenticated\`, \`error\` (\`code\`, \`description\`), \`job\` (\`job\`: at once and on each change) and
\`log\` (\`id\`, \`offset\`: the byte that \`text\` begins at, \`end\`: nothing follows).
`;
}
