import { peerSettingNames, peerSettingOf, unusedPeerSettings } from './tables/peer-settings.js';
import { type SettingName, settingNames, settingOf } from './tables/settings.js';

const groupsInOrder = ['Node', 'HTTP', 'Redis', 'Cluster', 'Scheduling', 'Log'] as const;

/** The text of `docs/configuration.md`, made from the tables that the program checks values against. */
export function configReference(): string {
  const parts = [intro];
  for (const group of groupsInOrder) {
    const rows = namesOf(group).map((name) => {
      const { option, about, expects, preset, secret } = settingOf(name);
      const how = option === undefined ? '' : `<br>\`${option}\``;
      return `| \`${name}\`${how} | ${preset ?? '–'} | ${about} Expects ${expects}.${secret ? ' Secret: never printed.' : ''} |`;
    });
    parts.push(
      `## ${group}\n\n| variable and option | default | meaning |\n|---|---|---|\n${rows.join('\n')}\n`,
    );
  }
  parts.push(rules, fileSection());
  return parts.join('\n');
}

function fileSection(): string {
  const rows = peerSettingNames.map((name) => {
    const { preset, about, expects, secret } = peerSettingOf(name);
    const shown = preset === undefined ? '–' : `\`${JSON.stringify(preset)}\``;
    return `| \`${name}\` | ${shown} | ${about} Expects ${expects}.${secret ? ' Never printed.' : ''} |`;
  });
  return [
    fileIntro,
    `| key | default | meaning |\n|---|---|---|\n${rows.join('\n')}\n`,
    'Accepted, and reported at start as not used by this version:',
    `${unusedPeerSettings.map((key) => `\`${key}\``).join(', ')}.\n`,
  ].join('\n');
}

/** The text of `.env.example`: every variable with its meaning, commented out. */
export function environmentExample(): string {
  const parts = [exampleIntro];
  for (const group of groupsInOrder) {
    const entries = namesOf(group).map((name) => {
      const { about, preset, example } = settingOf(name);
      const words =
        preset === undefined || /^[\w./,-]+$/.test(preset) ? about : `${about} Default: ${preset}.`;
      const value = preset !== undefined && /^[\w./,-]+$/.test(preset) ? preset : (example ?? '');
      return `${wrapComment(words)}\n#${name}=${value}\n`;
    });
    parts.push(`# ---- ${group} ----\n\n${entries.join('\n')}`);
  }
  return parts.join('\n');
}

const namesOf = (group: (typeof groupsInOrder)[number]): SettingName[] =>
  settingNames.filter((name) => settingOf(name).group === group);

/** Lines of at most 100 columns, each with a leading `# `. */
function wrapComment(text: string): string {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > 100) {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}

const intro = `# Configuration

Written by \`npm run docs\` from the tables in \`packages/node/src/config\`; a test fails when the two differ.

A node is configured by environment variables, or by the same settings as options of \`carillon start\`
(\`--port 3013\` or \`--port=3013\`); an option wins over its variable. An empty variable counts as not given.
Everything is checked before anything starts: one message names every unknown or bad value.
\`carillon config\` prints the effective values with secrets masked.

\`CARILLON_URL\`, \`CARILLON_API_KEY\` and \`CARILLON_CA\` are for the commands that talk to a cluster, not for nodes.
`;

const rules = `## Rules between settings

- A primary that listens beyond loopback (\`CARILLON_HTTP_HOST\` other than \`127.…\`, \`localhost\`, \`::1\`) needs
  \`CARILLON_CLUSTER_SECRET\`.
- A node that is only a worker needs \`CARILLON_REDIS_URL\` and \`CARILLON_CLUSTER_SECRET\`. It opens no port.
- The options for secrets do not exist on purpose: command lines are visible to every user of a machine.
`;

const fileIntro = `## Cronicle's settings

\`CARILLON_CONFIG\` names a JSON file with settings of Cronicle's \`config.json\`. These are honoured:
`;

const exampleIntro = `# Settings of a Carillon node, all optional. Copy to .env and remove the # where you want another value.
# docker compose reads .env by itself; for ./scripts/start: set -a; . ./.env; set +a
# The full reference is docs/configuration.md.
`;
