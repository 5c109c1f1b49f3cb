const defaults = {
  runs: 100,
  jobs: 1000,
  lanes: 32,
  concurrent: 200,
  seconds: 20,
  megabytes: 200,
  simulated: 2000,
  sizes: [10, 1_000, 10_000, 50_000],
  concurrency: [1, 50, 200, 500],
  workers: [1, 5, 20, 50],
  tick: 1,
  only: ['latency', 'throughput', 'concurrent', 'output', 'events', 'concurrency', 'workers'],
};
const lists = ['sizes', 'concurrency', 'workers'];

/** Reads `--name value` pairs; an unknown name or a bad number ends the program with a message. */
export function parseOptions(argv) {
  const options = { ...defaults };
  for (let index = 0; index < argv.length; index += 2) {
    const name = argv[index]?.replace(/^--/, '');
    const value = argv[index + 1];
    if (!Object.hasOwn(defaults, name) || value === undefined) return usage(`Unknown option ${argv[index]}`);
    if (name === 'only') options.only = value.split(',');
    else if (lists.includes(name) && /^[1-9]\d*(,[1-9]\d*)*$/.test(value)) {
      options[name] = value.split(',').map(Number);
    } else if (/^\d+$/.test(value) && !lists.includes(name)) options[name] = Number(value);
    else return usage(`--${name} takes a positive number, not ${value}`);
  }
  for (const part of options.only) if (!defaults.only.includes(part)) usage(`Unknown measure ${part}`);
  return options;
}

function usage(problem) {
  const numbers = Object.keys(defaults).filter((name) => name !== 'only' && !lists.includes(name));
  const forms = [
    ...numbers.map((name) => `[--${name} N]`),
    ...lists.map((name) => `[--${name} N,N]`),
    `[--only ${defaults.only.join(',')}]`,
  ];
  process.stderr.write(`${problem}\nUsage: npm run bench -- ${forms.join(' ')}\n`);
  process.exit(2);
}
