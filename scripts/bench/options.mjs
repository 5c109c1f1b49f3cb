const defaults = {
  runs: 100,
  jobs: 1000,
  lanes: 32,
  concurrent: 200,
  seconds: 20,
  megabytes: 200,
  only: ['latency', 'throughput', 'concurrent', 'output'],
};

/** Reads `--name value` pairs; an unknown name or a bad number ends the program with a message. */
export function parseOptions(argv) {
  const options = { ...defaults };
  for (let index = 0; index < argv.length; index += 2) {
    const name = argv[index]?.replace(/^--/, '');
    const value = argv[index + 1];
    if (!Object.hasOwn(defaults, name) || value === undefined) return usage(`Unknown option ${argv[index]}`);
    if (name === 'only') options.only = value.split(',');
    else if (/^[1-9]\d*$/.test(value)) options[name] = Number(value);
    else return usage(`--${name} takes a positive number, not ${value}`);
  }
  for (const part of options.only) if (!defaults.only.includes(part)) usage(`Unknown measure ${part}`);
  return options;
}

function usage(problem) {
  const numbers = Object.keys(defaults).filter((name) => name !== 'only');
  const forms = [...numbers.map((name) => `[--${name} N]`), `[--only ${defaults.only.join(',')}]`];
  process.stderr.write(`${problem}\nUsage: npm run bench -- ${forms.join(' ')}\n`);
  process.exit(2);
}
