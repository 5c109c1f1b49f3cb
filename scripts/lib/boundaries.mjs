/** Which packages of the workspace the sources of a package may import. Everything else is refused. */
export const allowedImports = {
  contract: [],
  core: ['contract'],
  primary: ['core', 'contract'],
  worker: ['core', 'contract'],
  adapters: ['core', 'contract'],
  plugins: ['contract'],
  client: ['contract'],
  cli: ['client', 'core', 'contract'],
  node: ['primary', 'worker', 'adapters', 'core', 'contract', 'cli', 'plugins'],
  testkit: ['contract', 'core', 'adapters', 'client'],
};

/** What tests may import beside that. */
export const testImports = ['testkit', 'adapters'];
/** The stories that run whole nodes use the client as well. */
export const extraTestImports = { node: ['client'] };

/** Why, and what to do instead, for the refusals that people meet most. */
export const remedies = {
  contract: 'contract is imported by all others and imports none; move the code to the package that needs it',
  core: 'core decides and does nothing; take what is needed as an argument or through a port in core/src/ports',
  primary: 'use a port of core/src/ports; the node hands in the adapter',
  worker: 'use a port of core/src/ports; the node hands in the adapter',
  adapters: 'an adapter implements a port of core and knows nobody who uses it',
  plugins: 'plugins are programs of their own; they share only the contract',
  client: 'the client speaks to the cluster by the contract alone',
  cli: 'commands talk to the cluster through the client',
  node: 'compose the node from what the packages export',
  testkit: 'hand the thing under test in from the test',
};

const clocks = [
  {
    pattern: /\bDate\s*\.\s*now\b/g,
    what: 'Date.now',
    remedy: 'use Clock.nowMs or a time given as an argument',
  },
  {
    pattern: /\bnew\s+Date\s*(?:\(\s*\)|(?=[;,)\]}]))/g,
    what: 'the present time by new Date()',
    remedy: 'use Clock.nowMs',
  },
  {
    pattern: /(?<![.\w]|\bnew\s+)Date\s*\(\s*\)/g,
    what: 'the present time by Date()',
    remedy: 'use Clock.nowMs',
  },
  {
    pattern: /\bDateTime\s*\.\s*(?:now|local|utc)\s*\(\s*\)/g,
    what: 'the present time by luxon',
    remedy: 'use Clock.nowMs',
  },
  { pattern: /\bperformance\s*\.\s*now\b/g, what: 'performance.now', remedy: 'use Clock.monotonicMs' },
  { pattern: /\bhrtime\b/g, what: 'process.hrtime', remedy: 'use Clock.monotonicMs' },
  {
    pattern: /(?<![.\w])(?:globalThis\s*\.\s*)?(?:setTimeout|setInterval|setImmediate)\s*\(/g,
    what: 'a raw timer',
    remedy: 'use Clock.after or Clock.every',
  },
  { pattern: /\bAbortSignal\s*\.\s*timeout\b/g, what: 'a raw timer', remedy: 'abort from Clock.after' },
  { pattern: /\bMath\s*\.\s*random\b/g, what: 'Math.random', remedy: 'use Random.integer' },
];
const surroundingsOf = (properties) => ({
  pattern: new RegExp(
    `(?<![.\\w])(?:globalThis\\s*\\.\\s*)?process\\s*(?:\\.\\s*(?:${properties})\\b|\\?\\.|\\[)`,
    'g',
  ),
  what: 'process',
  remedy: 'take the value as an argument; node reads the surroundings',
});
/** In core and contract any property; elsewhere a running job's process may be a variable of the same name. */
const surroundings = [surroundingsOf('\\w+')];
const foreignSurroundings = [
  surroundingsOf(
    'env|argv|cwd|exit|exitCode|hrtime|kill|nextTick|on|once|memoryUsage|cpuUsage|uptime|platform|umask',
  ),
];
const nodeGlobals = [
  {
    pattern: /(?<![.\w])(?:Buffer|console|__dirname|require)\s*[.([]/g,
    what: 'a global of Node',
    remedy: 'keep to the language: core and contract must run anywhere',
  },
  { pattern: /(?<![.\w])(?:fetch|queueMicrotask)\s*\(/g, what: 'a global that acts', remedy: 'use a port' },
];

/** Uses that a package's sources may not contain: time, chance and surroundings come through ports. */
export const forbiddenUses = {
  contract: [...clocks, ...surroundings, ...nodeGlobals],
  core: [...clocks, ...surroundings, ...nodeGlobals],
  primary: [...clocks, ...foreignSurroundings],
  worker: [...clocks, ...foreignSurroundings],
};

/** What services reach through ports alone. */
const outsideServices = [
  'child_process',
  'cluster',
  'crypto',
  'fs',
  'fs/promises',
  'timers',
  'timers/promises',
  'worker_threads',
];

/** Built-in modules that a package's sources may not import; `*` stands for all. */
export const forbiddenBuiltins = {
  contract: ['*'],
  core: ['*'],
  primary: outsideServices,
  worker: outsideServices,
};

/** Lines of a file, and files of a source folder. */
export const maxFileLines = 500;
export const maxFolderFiles = 12;
