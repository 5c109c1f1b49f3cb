import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { describeInNamespaces, NamespaceNetwork, type Place } from '@carillon/testkit';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

/*
 * A network of namespaces: what vanishes vanishes, nobody is told, and nothing is left behind.
 */

const echoSource = `
  const server = require('node:net').createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => { console.log('heard ' + data); socket.write(data); });
  });
  server.listen(9000, () => console.log('ready'));
`;

let network: NamespaceNetwork;
let [here, there]: Place[] = [];
let echo: ChildProcess;
let lines: string[];
let clients: Socket[];
let onLine: () => void;

beforeEach(async () => {
  network = new NamespaceNetwork();
  [here, there] = [network.join('here'), network.join('there')];
  lines = [];
  clients = [];
  onLine = () => undefined;
  const [command = '', ...through] = there.through;
  echo = spawn(command, [...through, process.execPath, '-e', echoSource], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  createInterface({ input: echo.stdout! }).on('line', (line) => {
    lines.push(line);
    onLine();
  });
  await heard('ready');
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  const ended = echo.exitCode === null && echo.signalCode === null ? once(echo, 'exit') : undefined;
  await network.close();
  await ended;
  expect(namespaces()).toEqual([]);
});

const namespaces = (): string[] =>
  execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.startsWith(`carillon-test-${process.pid}-`));

function heard(line: string): Promise<void> {
  return new Promise((resolve) => {
    onLine = () => {
      if (lines.includes(line)) resolve();
    };
    onLine();
  });
}

const connect = async (): Promise<Socket> => {
  const [host, port] = (await network.reach(there!, 9000)).split(':');
  const client = createConnection(Number(port), host);
  clients.push(client);
  await once(client, 'connect');
  return client;
};

const ask = async (client: Socket, text: string): Promise<string> => {
  const answer = once(client, 'data');
  client.write(text);
  return String((await answer)[0]);
};

/** Sends a packet and answers whether something came back within a second. */
const isReached = (from: Place, to: Place): boolean => {
  const [command = '', ...through] = from.through;
  const source = `
    const socket = require('node:net').connect(9000, '${to.host}', () => process.exit(0));
    socket.on('error', ({ code }) => { console.log(code); process.exit(2); });
    setTimeout(() => process.exit(1), 1000);
  `;
  const { status, stdout } = spawnSync(command, [...through, process.execPath, '-e', source], {
    encoding: 'utf8',
  });
  if (status !== 0 && status !== 1) throw new Error(`The connection was refused: ${stdout}`);
  return status === 0;
};

describeInNamespaces('a network of namespaces', () => {
  test('a pulled cable: connections stay, nothing is told, and what was sent arrives later', async () => {
    const client = await connect();
    let closed = false;
    client.on('close', () => {
      closed = true;
    });
    expect(await ask(client, 'one')).toBe('one');
    network.pull(there!);
    const late = ask(client, 'two');
    expect(isReached(here!, there!)).toBe(false);
    expect([closed, lines]).toEqual([false, ['ready', 'heard one']]);
    network.plug(there!);
    expect(await late).toBe('two');
    expect(isReached(here!, there!)).toBe(true);
  });

  test('one direction alone: what is asked is heard, and the answer vanishes', async () => {
    const other = network.join('other');
    expect(isReached(here!, there!)).toBe(true);
    network.lose(there!, here!);
    expect(isReached(here!, there!)).toBe(false);
    expect(isReached(other, there!)).toBe(true);
    const [command = '', ...through] = here!.through;
    network.keep(there!, here!);
    const source = `
    const socket = require('node:net').connect(9000, '${there!.host}', () => console.log('connected'));
    process.stdin.on('data', (data) => socket.write(data));
    socket.on('data', (data) => console.log('answer ' + data));
  `;
    const client = spawn(command, [...through, process.execPath, '-e', source], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = once(client, 'exit');
    const answers = createInterface({ input: client.stdout });
    await once(answers, 'line');
    network.lose(there!, here!);
    client.stdin.write('question');
    let answered = false;
    const answer = once(answers, 'line').then(([line]) => {
      answered = true;
      return String(line);
    });
    await heard('heard question');
    expect(answered).toBe(false);
    network.mend();
    expect(await answer).toBe('answer question');
    client.kill('SIGKILL');
    await ended;
  });

  test('what a process that was killed has left is removed, and what runs there ended', async () => {
    const gone = spawn(process.execPath, ['-e', '']);
    await once(gone, 'exit');
    const left = `carillon-test-${gone.pid}-1-hub`;
    execFileSync('ip', ['netns', 'add', left]);
    const orphan = spawn('ip', ['netns', 'exec', left, 'sleep', '600']);
    const ended = once(orphan, 'exit');
    while (!execFileSync('ip', ['netns', 'pids', left], { encoding: 'utf8' }).includes(String(orphan.pid)));
    const next = new NamespaceNetwork();
    await ended;
    expect(execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })).not.toContain(left);
    await next.close();
  });
});
