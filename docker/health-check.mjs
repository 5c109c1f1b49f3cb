import { get } from 'node:http';
import { get as getOverTls } from 'node:https';

/**
 * Health of the container: exit code 0 when the node's API answers. A node that is only a worker opens no port;
 * it is healthy as long as its process lives, which the container engine sees for itself.
 */
const roles = process.env.CARILLON_ROLES || 'primary,worker';
const port = process.env.CARILLON_HTTP_PORT || '3012';
const isTls = Boolean(process.env.CARILLON_TLS_CERT);

if (roles.includes('primary')) {
  // Nobody is between the two, and the certificate need not name this address.
  const options = { host: '127.0.0.1', port, path: '/health/live', timeout: 2500, rejectUnauthorized: false };
  const request = (isTls ? getOverTls : get)(options, (response) => {
    if (response.statusCode !== 200) process.exitCode = 1;
    response.resume();
  });
  request.on('timeout', () => request.destroy(new Error('no answer in time')));
  request.on('error', () => {
    process.exitCode = 1;
  });
}
