export { isLoopback } from './check-together.js';
export { type Config, ConfigError } from './config.js';
export { describeConfig, maskUrl } from './describe-config.js';
export { type ConfigSources, loadConfig } from './load-config.js';
export { nearestName } from './nearest-name.js';
export { configReference, environmentExample } from './reference.js';
export { parseStartArguments, type StartArguments, startHelp } from './start-arguments.js';
