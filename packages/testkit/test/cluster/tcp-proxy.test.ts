import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ownPort, processesOf, TcpProxy } from '@carillon/testkit';

let server: Server;
let proxy: TcpProxy;
let clients: Socket[];

beforeEach(async () => {
  // Answers what it is told.
  server = createServer((socket) => socket.pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  proxy = await TcpProxy.start('127.0.0.9', { host: '127.0.0.1', port: address.port });
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  await proxy.close();
  server.close();
  await once(server, 'close');
});

const connect = async (): Promise<Socket> => {
  const client = createConnection(proxy.address.port, proxy.address.host);
  client.on('error', () => undefined);
  clients.push(client);
  await once(client, 'connect');
  return client;
};

const ask = async (client: Socket, text: string): Promise<string> => {
  const answer = once(client, 'data');
  client.write(text);
  return String((await answer)[0]);
};

test('passes on, breaks all connections when cut, refuses new ones, and mends', async () => {
  const client = await connect();
  expect(await ask(client, 'one')).toBe('one');
  const closed = once(client, 'close');
  proxy.cut();
  await closed;
  const refused = await connect();
  await once(refused, 'close');
  proxy.mend();
  expect(await ask(await connect(), 'two')).toBe('two');
});

test('cuts only the connections that are meant', async () => {
  const [one, other] = [await connect(), await connect()];
  expect([await ask(one, 'a'), await ask(other, 'b')]).toEqual(['a', 'b']);
  const closed = once(one, 'close');
  proxy.cut((port) => port === one.localPort);
  await closed;
  expect(await ask(other, 'still')).toBe('still');
});

test('what is sent while it is frozen arrives afterwards', async () => {
  const client = await connect();
  expect(await ask(client, 'before')).toBe('before');
  proxy.freeze();
  const late = ask(client, 'late');
  const beside = ask(await connect(), 'new');
  const direct = createConnection((server.address() as { port: number }).port, '127.0.0.1');
  clients.push(direct);
  // The server itself answers meanwhile.
  expect(await ask(direct, 'direct')).toBe('direct');
  expect([client.bytesRead, client.destroyed]).toEqual(['before'.length, false]);
  proxy.mend();
  expect([await late, await beside]).toEqual(['late', 'new']);
});

test('a connection is told from those of other processes', async () => {
  const client = await connect();
  expect(ownPort([process.ppid, process.pid], client.localPort ?? 0)).toBe(true);
  expect(ownPort([process.ppid], client.localPort ?? 0)).toBe(false);
  expect(ownPort([process.pid], 1)).toBe(false);
  expect(processesOf(process.pid)).toContain(process.pid);
  expect(processesOf(2 ** 22 + 1)).toEqual([]);
});
