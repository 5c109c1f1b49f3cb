export { FileDetachedLauncher } from './file-detached-launcher.js';
