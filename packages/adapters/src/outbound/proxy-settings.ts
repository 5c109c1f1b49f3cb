/** The proxies of an environment. */
export interface ProxySettings {
  /** The proxy for a URL; undefined = it is reached directly. */
  proxyFor(url: URL): URL | undefined;
}

/**
 * Reads `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, in small or capital letters; small ones win. What is no http(s) URL
 * does not count. `no_proxy` is a list of host names, each with those below it, possibly with a port; `*` is all.
 */
export function readProxySettings(environment: Readonly<Record<string, string | undefined>>): ProxySettings {
  const read = (name: string): string => environment[name] || environment[name.toUpperCase()] || '';
  const proxies = new Map([
    ['http:', proxyUrl(read('http_proxy') || read('all_proxy'))],
    ['https:', proxyUrl(read('https_proxy') || read('all_proxy'))],
  ]);
  const exceptions = read('no_proxy')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '');
  return {
    proxyFor: (url) =>
      exceptions.some((entry) => isBelow(url, entry)) ? undefined : proxies.get(url.protocol),
  };
}

function isBelow(url: URL, entry: string): boolean {
  if (entry === '*') return true;
  const [, name = '', port] = /^\*?\.?(.+?)(?::(\d+))?$/.exec(entry) ?? [];
  const ownPort = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (port !== undefined && port !== ownPort) return false;
  const host = url.hostname.toLowerCase();
  return host === name || host.endsWith(`.${name}`);
}

function proxyUrl(text: string): URL | undefined {
  const full = text === '' || text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined;
}
