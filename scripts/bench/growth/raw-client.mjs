import net from 'node:net';

/**
 * Keep-alive connections to one server, each with one request at a time, that cost this process as little as possible:
 * the client shares the processors with what it measures. `ask` answers the parsed body, `load` repeats requests on
 * every connection for a while and answers how many were answered.
 */
export async function openRawClient(port, key, connections) {
  const sockets = await Promise.all(Array.from({ length: connections }, () => connectTo(port)));
  const text = (name, params) => {
    const body = JSON.stringify(params);
    const head = `POST /api/app/${name}/v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: ${key}\r\n`;
    return `${head}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  };
  const ask = async (socket, name, params) => {
    const answer = JSON.parse(await exchange(socket, text(name, params)));
    if (answer.code !== 0) throw new Error(`${name}: ${answer.code}: ${answer.description}`);
    return answer;
  };
  /** Requests made by `next(lane)` until `next` has none or the time is over; each is checked for code 0. */
  const load = async (seconds, next) => {
    const startedMs = performance.now();
    const endMs = startedMs + seconds * 1000;
    let done = 0;
    await Promise.all(
      sockets.map(async (socket, lane) => {
        for (let call = next(lane); call !== undefined && performance.now() < endMs; call = next(lane)) {
          const body = await exchange(socket, text(call.name, call.params));
          if (!body.startsWith('{"code":0')) throw new Error(`${call.name}: ${body.slice(0, 200)}`);
          done += 1;
          call.onAnswer?.(body);
        }
      }),
    );
    return { done, per_second: Math.round(done / ((performance.now() - startedMs) / 1000)) };
  };
  return {
    ask: (name, params) => ask(sockets[0], name, params),
    load,
    close: () => sockets.forEach((socket) => socket.destroy()),
  };
}

function connectTo(port) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(socket));
    socket.setNoDelay(true);
    socket.once('error', reject);
  });
}

/** Sends one request, resolves with the body of its answer. */
function exchange(socket, request) {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    let end = -1;
    let bodyAt = 0;
    const finish = (act, value) => {
      socket.off('data', onData);
      socket.off('close', onClose);
      act(value);
    };
    const onClose = () => finish(reject, new Error('The server closed the connection'));
    const onData = (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      if (end < 0) {
        bodyAt = received.indexOf('\r\n\r\n') + 4;
        if (bodyAt < 4) return;
        const length = /content-length: (\d+)/i.exec(received.toString('latin1', 0, bodyAt));
        if (length === null) return finish(reject, new Error('An answer without a length'));
        end = bodyAt + Number(length[1]);
      }
      if (received.length >= end) finish(resolve, received.toString('utf8', bodyAt, end));
    };
    socket.on('data', onData);
    socket.once('close', onClose);
    socket.write(request);
  });
}
