/**
 * Health of the container: exit code 0 when the node's API answers. A node that is only a worker opens no port;
 * it is healthy as long as its process lives, which the container engine sees for itself.
 */
const roles = process.env.CARILLON_ROLES || 'primary,worker';
const port = process.env.CARILLON_HTTP_PORT || '3012';

if (roles.includes('primary')) {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health/live`, {
      signal: AbortSignal.timeout(2500),
    });
    if (!response.ok) process.exitCode = 1;
  } catch {
    process.exitCode = 1;
  }
}
