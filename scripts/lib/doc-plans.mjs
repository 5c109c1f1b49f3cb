/*
 * What the documents' blocks need to be run by a test, and the blocks that no test of this machine can run.
 */

/** What Cronicle writes, with one event to run. */
const emptyList = '{"page_size":50,"first_page":0,"last_page":0,"length":0,"type":"list"}';
const peerExport = [
  '# Cronicle Data Export v1.0',
  '# Hostname: old.example.com',
  '# Format: KEY - JSON',
  '',
  ...['users', 'plugins', 'categories', 'server_groups', 'servers', 'api_keys'].flatMap((name) => [
    `global/${name} - ${emptyList}`,
    `global/${name}/0 - {"type":"list_page","items":[]}`,
  ]),
  'global/schedule - {"page_size":50,"first_page":0,"last_page":0,"length":1,"type":"list"}',
  'global/schedule/0 - {"type":"list_page","items":[{"id":"eold1","title":"Nightly report","enabled":1,' +
    '"category":"general","plugin":"shellplug","target":"allgrp","timezone":"UTC","max_children":1,"timeout":3600,' +
    '"timing":{"hours":[4],"minutes":[30]},"params":{"script":"#!/bin/sh\\necho the old report\\n"},' +
    '"created":1445232960,"modified":1445232960,"username":"admin"}]}',
].join('\n');
const file = (path, text) => `cat > ${path} <<'EOT'\n${text}\nEOT`;

/** Here `carillon` gets an answer when it asks for a password. */
const withPassword = `carillon() { command carillon "$@" <<<'correct horse'; }`;

/**
 * By document, in the order in which they are run: what `DocTest.run` takes, how many blocks there are, and what blocks
 * print (by number, from 1).
 */
export const docPlans = {
  'README.md': {
    blocks: 4,
    before: [
      'mkdir schedule etc && echo "17 * * * * root cd / && run-parts /etc/cron.hourly" > etc/crontab',
      file('old.txt', peerExport),
      file('schedule/carillon.yaml', 'owner: readme'),
    ].join('\n'),
    meaning: [['/etc/crontab', 'etc/crontab --user-column']],
    prints: {
      1: [/^hello from/m, /Say hello/],
      2: [/"id":"\w+"/, /"ids":\["\w+"\]/, /"rows":\[\{/],
      3: [
        /run-parts/,
        /CARILLON_HTTP_PORT/,
        /Nothing to change/,
        /^events +1 /m,
        /written to cluster\.json\.gz/,
      ],
      4: [/"code":0/],
    },
  },
  'docs/access.md': {
    blocks: 3,
    before: withPassword,
    meaning: [
      ['"password":"…"', '"password":"correct horse"'],
      ['X-Session-ID: …', "X-Session-ID: '$SESSION'"],
    ],
    beforeBlock: {
      3: [
        'carillon user create ann',
        `SESSION=$(curl -s -H 'Content-Type: application/json' -d '{"username":"ann","password":"correct horse"}' \\`,
        `  http://127.0.0.1:3012/api/user/login/v1 | sed -E 's/.*"session_id":"([^"]+)".*/\\1/')`,
      ].join('\n'),
    },
    prints: { 1: [/ann/, /[0-9a-f]{32}/], 3: [/"session_id":"\w+"/, /"rows":\[/] },
  },
  'docs/backup.md': {
    blocks: 3,
    before: 'mkdir backup',
    meaning: [
      ['CARILLON_API_KEY=…', 'CARILLON_API_KEY=$(cat data/admin-api-key)'],
      ['/backup/', './backup/'],
    ],
    after: 'gzip --test backup.json.gz backup/carillon-[1-7].json.gz',
    prints: { 1: [/written to backup\.json\.gz/], 3: [/Dry run/] },
  },
  'docs/migration.md': {
    blocks: 3,
    before: [
      file('cronicle.txt', peerExport),
      'mkdir -p etc && echo "25 6 * * * root test -x /usr/sbin/anacron" > etc/crontab',
    ].join('\n'),
    meaning: [['/etc/crontab', 'etc/crontab --user-column']],
    prints: { 1: [/^events +1 /m], 2: [/^the old report/m], 3: [/anacron/] },
  },
  'docs/schedule-files.md': {
    blocks: 2,
    before: [
      'export REPORT_HOOK=http://127.0.0.1:9/',
      'mkdir jobs/scripts && printf "#!/bin/sh\\necho report\\n" > jobs/scripts/report.sh',
      'carillon() { local code=0; command carillon "$@" || code=$?; echo "$1: $code"; [ $code = 0 ] || [ "$1 $code" = "plan 2" ]; }',
    ].join('\n'),
    beforeBlock: { 2: 'rm -r jobs' },
    prints: {
      1: [/^plan: 2$/m, /^apply: 0$/m, /^plan: 0$/m],
      2: [/^schedule: 0$/m, /^apply: 0$/m],
    },
  },
  'docs/install.md': { blocks: 1, prints: { 1: [/events/] } },
  'docs/load-balancers.md': {
    blocks: 1,
    before: [
      'KEY=$(cat data/admin-api-key); API=http://127.0.0.1:3012/api/app',
      "carillon event create 'Through the balancer' --id balanced --on-demand --script true",
    ].join('\n'),
    meaning: [['id=…', 'id=balanced']],
    prints: { 1: [/"ids":\["\w+"\]/] },
  },
};

/** Blocks that are not run here: the document, how the block begins, and why. */
export const notRun = [
  [
    'README.md',
    './scripts/start ',
    'installs, builds and starts the checkout, and runs the tests themselves',
  ],
  ['README.md', 'npm run bench ', 'measures for minutes; the soak in small is a test of its own'],
  ['README.md', 'cat > .env', 'needs Docker'],
  ['README.md', '# on two or three hosts', 'needs several hosts'],
  ['CONTRIBUTING.md', './scripts/start ', 'works on the checkout itself'],
  ['docs/cluster.md', 'export CARILLON_REDIS_URL', 'needs several hosts'],
  [
    'docs/cluster.md',
    './scripts/cluster ',
    'waits for what is typed; local-cluster.test.mjs runs the cluster',
  ],
  ['docs/cluster.md', 'cat > .env', 'needs Docker'],
  ['docs/first-hour.md', './scripts/start', 'the node that the blocks are run against'],
  ['docs/install.md', './scripts/start ', 'installs, builds and starts the checkout'],
  ['docs/install.md', 'docker build ', 'needs Docker'],
  ['docs/migration.md', '/opt/cronicle/bin/control.sh ', 'needs an installed Cronicle'],
  ['docs/migration.md', 'cd /opt/cronicle', 'needs an installed Cronicle'],
  [
    'docs/cli.md',
    'source <(carillon completion bash)',
    'needs zsh and fish; commands.test.ts prints all three',
  ],
  ['docs/kubernetes/README.md', 'kubectl ', 'needs a Kubernetes cluster'],
  [
    'examples/plugins/README.md',
    'echo \'{"params"',
    'looks at /var/log and /etc; examples.test.ts runs all three as jobs',
  ],
];
