export { defaultHookTexts, defaultMailTemplates } from './default-templates.js';
export * from './delivery-policy.js';
export { publicRecord, withShownHook } from './public-record.js';
export { hostOfUrl, parseHookTarget, shownUrl } from './hook-target.js';
export { mailTemplateProblem } from './mail-template.js';
export * from './plan-notices.js';
export * from './settings.js';
