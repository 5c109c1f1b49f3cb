import { readFileSync } from 'node:fs';

/**
 * docker/haproxy.cfg for processes of this machine: it listens at `port` of loopback, and its servers primary-1, primary-2
 * are those of `nodePorts`. Throws when an address is left that was not replaced.
 */
export function localHaproxyConfig(port, nodePorts) {
  let text = readFileSync(new URL('../../docker/haproxy.cfg', import.meta.url), 'utf8');
  text = text
    .replace('bind :3012', `bind 127.0.0.1:${port}`)
    .replaceAll(/ resolvers containers init-addr \S+/g, '');
  nodePorts.forEach((nodePort, index) => {
    text = text.replaceAll(` primary-${index + 1}:3012`, ` 127.0.0.1:${nodePort}`);
  });
  if (/ primary-\d+:/.test(text))
    throw new Error('docker/haproxy.cfg names an address that was not replaced');
  return text;
}
